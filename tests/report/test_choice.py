"""The page of a choice and its command: what is on it, what is beside it, what is refused."""

import click
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmix as bm
from bayesmix.cli import main
from bayesmix.report.choice.command import numbers_of
from bayesmix.report.choice.figure import choice_figure
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
        "--out",
        str(out),
    ]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert "BIC" in done.output
    assert (out / "index.html").is_file()
    assert len(list((out / "records").iterdir())) == 4


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
