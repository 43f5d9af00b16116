"""The page of a choice and its command: what is on it, what is beside it, what is refused."""

import click
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner

import bayesmix as bm
from bayesmix.choosing.stability import Stability
from bayesmix.cli import main
from bayesmix.report.choice.command import numbers_of
from bayesmix.report.choice.figure import choice_figure
from bayesmix.report.choice.stability import stability_figure
from choosing.test_choose import choice_of, record

GROUP = {"group": "<b>component_1</b>", "rows": 12, "average": 0.9, "average_lower": 0.8, "average_upper": 0.95}
GROUPS = {
    "groups": [{**GROUP, "sure": 0.7, "sure_lower": 0.5, "sure_upper": 0.9}],
    "quality": [{"quality": "expected error", "value": 0.1, "lower": 0.05, "upper": 0.2}],
    "merging": [{"clusters": 1, "entropy": 0.0, "lower": 0.0, "upper": 0.0, "merged": "component_1 + component_2"}],
}


def drawn(K):
    modes = {"modes": [0.2, 0.8, 0.0, 0.0][:K], "modes_error": [0.01] * K}
    return record(K, **GROUPS, **(modes if K > 1 else {"modes": [1.0], "modes_error": [0.0]}))


@pytest.fixture(scope="module")
def choice():
    return choice_of([drawn(K) for K in (1, 2, 3, 4)])


def test_the_page(choice, tmp_path):
    path = bm.write_choice(choice, tmp_path / "page", title="Twelve rows", command="bayesmix choose rows")
    page = path.read_text()
    for words in (
        "Twelve rows",
        "The routes do not agree",
        "The evidence is flat",
        "Nobile",
        "K+",
        "bayesmix choose rows",
    ):
        assert words in page
    for words in ("Expected error of the most probable groups", "component_1 + component_2", "Modes of the density"):
        assert words in page
    assert "<b>component_1</b>" not in page
    table = pd.read_csv(tmp_path / "page" / "table.csv")
    assert table["log_evidence"].tolist() == choice.table["log_evidence"].tolist()
    assert len(pd.read_csv(tmp_path / "page" / "posterior.csv")) == 4


def test_the_picture(choice):
    """Evidence and its second estimate, K, K+ and modes as bars: what is drawn is what the table holds."""
    panels = choice_figure(choice).axes
    assert [ax.get_xlabel() for ax in panels] == ["components"] * 4
    heights = [bar.get_height() for bar in panels[3].patches]
    columns = choice.posterior[["probability", "occupied", "modes"]]
    assert heights == pytest.approx(columns.to_numpy().T.ravel().tolist())
    assert panels[2].lines[0].get_ydata().tolist() == choice.table["log_evidence"].tolist()


def stability(n=12):
    """Two groups of rows, apart but for one that is now here, now there."""
    group = np.arange(n) >= n // 2
    together = (group[:, None] == group).astype(float)
    together[0, 1:] = together[1:, 0] = 0.5
    wins = pd.DataFrame({"resamples": [0.0, 0.3, 0.7, 0.0], "single_starts": [0.1, 0.5, 0.2, 0.2]})
    wins.index = pd.Index(["1", "2", "3", "4"], name="candidate")
    return Stability(wins, xr.DataArray(together, dims=("obs", "obs_bis")), "2", 20, False)


def test_how_the_choice_holds(tmp_path):
    """A section with shares in words and in a table; both squares of pairs show the same rows in the same order."""
    upper = np.full(66, 40)
    choice, held = choice_of([{**drawn(K), "together": upper.tolist()} for K in (1, 2, 3, 4)]), stability()
    page = bm.write_choice(choice, tmp_path, stability=held).read_text()
    for words in (
        "Would other rows have chosen alike?",
        "in 30% of 20 resamples (80% of the rows, none twice), and in 50% of as many runs",
        "Resamples choose K = 3 most often",
    ):
        assert words in page
    fig = stability_figure(held, choice.together("2"))
    bars, over_resamples, over_draws, _ = fig.axes
    assert [bar.get_width() for bar in bars.patches] == held.wins.to_numpy().T.ravel().tolist()
    shown = np.asarray(over_resamples.images[0].get_array())
    assert sorted(shown.ravel()) == sorted(held.consensus.to_numpy().ravel())
    assert np.abs(np.diff(shown, axis=0)).sum() <= np.abs(np.diff(held.consensus.to_numpy(), axis=0)).sum()
    drawn_pairs = np.asarray(over_draws.images[0].get_array())
    assert np.diag(drawn_pairs).tolist() == [1.0] * 12
    assert drawn_pairs[0, 1] == 0.4
    assert len(stability_figure(held, None).axes) == 3


def test_without_it_there_is_no_section(choice, tmp_path):
    assert choice.together("2") is None
    assert "Would other rows" not in bm.write_choice(choice, tmp_path).read_text()


def test_a_page_of_em_alone(faithful, tmp_path):
    choice = bm.choose(*faithful, n_components=(1, 2), mode="em", folds=0, n_starts=2, progress=False)
    assert len(choice_figure(choice).axes) == 1
    page = bm.write_choice(choice, tmp_path).read_text()
    assert "All routes agree" in page
    assert "Posteriors" not in page


def test_the_command(tmp_path):
    out = tmp_path / "page"
    asked = [
        "choose",
        "old_faithful",
        "--components",
        "1-2",
        "--covariance",
        "full,tied",
        "--em",
        "-q",
        "--resamples",
        "2",
        "--standardize",
        "--out",
        str(out),
    ]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert "BIC" in done.output
    assert "in units of their standard deviations" in done.output
    assert "Would other rows have chosen alike?" in (out / "index.html").read_text()
    assert (out / "index.html").is_file()
    assert len(list((out / "records").iterdir())) == 4


def test_the_page_is_there_before_resamples(tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bayesmix.report.choice.command.stability", stopped)
    asked = ["choose", "old_faithful", "--components", "1-2", "--em", "-q", "--resamples", "2", "--out", str(tmp_path)]
    assert CliRunner().invoke(main, asked).exit_code == 130
    assert "BIC" in (tmp_path / "index.html").read_text()


def test_labelled_rows_have_no_resamples(tmp_path, monkeypatch):
    monkeypatch.setattr("bayesmix.report.choice.command.choose", lambda *_, **__: pytest.fail("it was fitted"))
    asked = ["choose", "iris_semi_supervised", "--em", "-q", "--resamples", "2", "--out", str(tmp_path)]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 2
    assert "--resamples: rows are labelled" in done.output


@pytest.mark.parametrize("text", ["", "1-", "two", "1;2"])
def test_impossible_numbers(text):
    with pytest.raises(ValueError, match="--components: must be numbers and ranges"):
        numbers_of(text)


def test_a_file_is_no_folder(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    done = CliRunner().invoke(main, ["choose", "old_faithful", "--em", "--out", str(file)])
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit | click.ClickException)
    assert "give a folder" in done.output
