"""The report: self-contained, escaped, strict, whole or not there at all."""

import importlib.util
import json
import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure
from scipy import stats

import bayesmix as bm
from bayesmix.checks.problems import Problem
from bayesmix.cli import main
from bayesmix.gallery.read import Expectation
from bayesmix.inputs.tables.write import without_formulas
from bayesmix.mixture.spec import bind
from bayesmix.posterior.record import Record
from bayesmix.posterior.responsibilities import log_likelihood
from bayesmix.report import figures, fits, judgement, priors, rebuild, text, write, write_report, write_report_from
from bayesmix.report.checks import predictive_checks
from bayesmix.report.figures import render
from bayesmix.report.index import write_index
from bayesmix.report.links import with_links
from bayesmix.report.mathematics import formulas
from bayesmix.report.numbers import clean
from bayesmix.report.plate import plate_svg
from bayesmix.report.sections import posterior
from bayesmix.report.sections.verdict import level
from bayesmix.report.subject import remembered
from browser import needs_browser, printed

LARGEST = 5e6
VOID = {"meta", "img", "br", "wbr", "hr", "link", "input"}
HOSTILE = ("<b>bold</b>", "$x$ & \\frac", '=1+1"')


class Page(HTMLParser):
    """What a page loads, links to and says; tags must close in order."""

    def __init__(self, source):
        super().__init__()
        self.loaded, self.links, self.tags, self.open, self.words = [], [], [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.loaded += [v for k, v in values.items() if k in ("src", "srcset", "data") and v]
        self.loaded += [values["href"]] if tag in ("link", "image", "use") else []
        self.links += [values["href"]] if tag == "a" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "nav", "head"} & set(self.open):
            self.words.append(data)


def check_page(path):
    source = path.read_text(encoding="utf-8")
    page = Page(source)
    assert len(source.encode()) < LARGEST
    assert "script" not in page.tags
    check_structure(source)
    assert all(uri.startswith("data:image/") for uri in page.loaded)
    assert all(link.startswith(("#", "https://doi.org/")) for link in page.links)
    assert not re.search(r"url\(\s*['\"]?https?:|@import", source)
    for fragment in re.findall(r"<math.*?</math>", source, re.DOTALL):
        ET.fromstring(fragment)
    return page


def check_structure(source):
    """What readers by ear, by keyboard and by mail need."""
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', source)[1]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "http:" not in policy
    body = source[source.index("<body>") :]
    assert body.split("\n")[1] == '<a class="skip" href="#content">Skip to the content</a>'
    assert '<main id="content"' in body
    assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>", body))
    assert body.count("<table>") == len(re.findall(r"<table>\n<caption[^>]*>.*?[^<>\s].*?</caption>", body))
    alts = re.findall(r'<img [^>]*?alt="(.*?)"', body)
    assert len(alts) == body.count("<img ")
    assert all(len(alt) > 20 for alt in alts)
    sheets = re.findall(r'<label class="frame"><input type="checkbox" class="zoom" aria-label="[^"]+"><span', body)
    assert len(sheets) == body.count('<figure class="picture">')


def no_constants(name):
    raise AssertionError(f"{name} in summary.json")


def strict(path):
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=no_constants)


@pytest.fixture
def no_drawing(monkeypatch):
    """Pictures without content, where a test is about words, numbers or files."""
    picture = render(Figure(figsize=(1, 1)))
    monkeypatch.setattr(write, "draw_all", lambda f: {k: picture for k, v in figures.KINDS.items() if v.applies(f)})


@pytest.fixture(scope="module")
def faithful_fits(faithful_dt, faithful_em):
    model = replace(
        remembered(Record.of(faithful_dt), Path("faithful.nc")),
        title="Old <Faithful>",
        source="Azzalini and Bowman (1990), doi:10.2307/2347385",
        expectations=(
            Expectation("many starts", quantity="em/log_likelihood", at_least=-1130.274),
            Expectation("short eruptions", interval_of="means[component_1, eruptions]", value=2.036),
        ),
    )
    return fits.examine(
        model, Record.of(faithful_dt), faithful_em, None, em_settings={}, command="bayesmix report faithful"
    )


@pytest.fixture(scope="module")
def faithful_report(faithful_fits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports") / "faithful"
    return write.write(faithful_fits, folder, em_settings={"n_starts": 3})


def test_page_is_self_contained_and_opens_with_the_verdict(faithful_report):
    page = check_page(faithful_report.path)
    words = " ".join(page.words)
    assert faithful_report.ok == faithful_report.summary["verdict"]["ok"]
    assert faithful_report.model_ok is False
    assert faithful_report.summary["model_check"]["skewness"] <= 0.001 < faithful_report.summary["model_check"]["tails"]
    assert words.index("The draws are right, but the data refute the model") < words.index("The data")
    headings = re.findall(r"<h2>(.*?)</h2>", faithful_report.path.read_text(encoding="utf-8"))
    wanted = ["Verdict", "The data", "The model", "EM: the", "The posterior", "Components", "Which row", "Density and"]
    wanted += ["EM beside", "The prior, before", "Posterior predictive", "Leave-one-out", "What this model was"]
    wanted += ["How to reproduce"]
    assert [heading.startswith(name) for heading, name in zip(headings, wanted, strict=True)] == [True] * len(wanted)
    assert "Old <Faithful>" in words
    assert "https://doi.org/10.2307/2347385" in page.links
    assert all(f"#{name}" in page.links for name in ("verdict", "data", "model", "em", "posterior", "loo", "reproduce"))
    assert "2 of 2 expectations hold" in words


@needs_browser
def test_the_short_page_is_printed_on_four_pages_at_most(faithful_report, tmp_path):
    short = faithful_report.path.with_name("short.html")
    page = check_page(short)
    words = " ".join(page.words)
    assert words.index("The draws are right, but the data refute the model") < words.index("In pictures")
    assert page.tags.count("img") == 2
    assert page.tags.count("table") >= 2
    assert printed(short, tmp_path) <= 4


def test_texts_in_place_of_figures_state_what_they_show(faithful_report):
    source = faithful_report.path.read_text(encoding="utf-8")
    alts = dict(alt.split(": ", 1) for alt in re.findall(r'<img [^>]*?alt="(.*?)"', source))
    assert alts["Trace and rank plots by chain"].startswith("the worst R-hat of all is 1.0")
    assert alts["Where every EM start ended"].endswith("ran into a degenerate one.")
    assert all(re.search(r"\d", alt) or "no divergence" in alt for alt in alts.values())


def test_every_figure_has_a_caption_with_a_number(faithful_report):
    source = faithful_report.path.read_text(encoding="utf-8")
    captions = re.findall(r'<figure class="picture">.*?<figcaption>(.*?)</figcaption>', source, re.DOTALL)
    names = {p.stem for p in (faithful_report.path.parent / "figures").glob("*.png")} - {"thumbnail"}
    assert len(captions) == len(names) >= 9
    assert all(re.search(r"\d", caption) or "no divergence" in caption for caption in captions)


def test_summary_is_strict_and_complete(faithful_report, faithful_em):
    summary = strict(faithful_report.path.parent / "summary.json")
    assert summary == faithful_report.summary
    wanted = (
        "model verdict em map posterior modes comparison scores test loo prior ppc model_check unlabelled expectations"
    )
    rows = "regions outliers held_out expected_error distinguishing hard"
    assert set(summary) == {*wanted.split(), *rows.split(), "settings", "versions", "seed", "date", "command"}
    assert summary["em"]["log_likelihood"] == pytest.approx(faithful_em.log_likelihood)
    one = summary["posterior"]["parameters"]["means[component_1, eruptions]"]
    ends = ["lower", "upper", "lower99", "upper99"]
    assert set(one) == {"mean", "sd", *ends, "r_hat", "ess_bulk", "ess_tail", "mcse_mean"}
    assert one["lower99"] < one["lower"] < one["mean"] < one["upper"] < one["upper99"]
    assert summary["map"] == {}
    assert summary["unlabelled"] == {}
    assert summary["test"] == {}
    assert len(summary["em"]["starts"]) == summary["em"]["n_starts"] == 10
    assert [claim["holds"] for claim in summary["expectations"]] == [True, True]


def test_numbers_agree_with_plain_computations(faithful_report, faithful_dt):
    draws = faithful_dt["posterior"]["means"].sel(component="component_2", feature="waiting").to_numpy().ravel()
    found = faithful_report.summary["posterior"]["parameters"]["means[component_2, waiting]"]
    assert found["mean"] == pytest.approx(draws.mean())
    assert found["upper99"] == pytest.approx(np.quantile(draws, 0.995))
    likelihood = faithful_dt["log_likelihood"]["x"].to_numpy().reshape(-1, 272)
    lppd = (np.logaddexp.reduce(likelihood, axis=0) - np.log(len(likelihood))).sum()
    loo = faithful_report.summary["loo"]
    assert loo["p"] == pytest.approx(lppd - loo["elpd"])
    assert 0 < loo["p"] < 20


def test_density_section_and_expected_errors_are_said_in_numbers(faithful_report, faithful_dt):
    summary, words = faithful_report.summary, " ".join(check_page(faithful_report.path).words)
    likelihood = faithful_dt["log_likelihood"]["x"].to_numpy().reshape(-1, 272)
    predictive = np.logaddexp.reduce(likelihood, axis=0) - np.log(len(likelihood))
    first = summary["outliers"][0]
    assert first["row"] == str(predictive.argmin() + 1)
    assert first["log_density"] == pytest.approx(predictive.min())
    assert first["expected"] == pytest.approx(272 * first["tail_probability"])
    assert summary["regions"]["0.9"]["expected"] == pytest.approx(27.2, rel=0.02)
    assert 10 < summary["regions"]["0.9"]["outside"] < 50
    r = bm.responsibilities(faithful_dt).mean(("chain", "draw"))
    assert summary["expected_error"]["posterior"]["error"] == pytest.approx(float(1 - r.max("component").mean()))
    table = pd.read_csv(faithful_report.path.parent / "responsibilities.csv")
    assert table["error"].mean() == pytest.approx(summary["expected_error"]["posterior"]["error"])
    assert f"as far out as row {first['row']} there would be" in words
    assert "Whoever puts every row into its most probable group must expect" in words


@pytest.mark.usefixtures("no_drawing")
def test_a_claim_that_fails_is_said_and_makes_the_report_bad(faithful_fits, tmp_path):
    claim = Expectation("a wrong book", quantity="em/log_likelihood", at_least=0.0)
    changed = replace(faithful_fits, model=replace(faithful_fits.model, expectations=(claim,)))
    result = write.write(changed, tmp_path / "r", em_settings={})
    assert not result.ok
    assert result.summary["verdict"]["trusted"]
    assert "Not as expected: em/log_likelihood" in result.verdict
    words = " ".join(check_page(result.path).words)
    assert "The draws are right, but the data refute the model" in words  # two normals are not skewed, the data are
    assert "The one expectation does not hold" in words


@pytest.mark.usefixtures("no_drawing")
def test_zip_report_says_which_way_round(zip_dt, zip_counts, tmp_path):
    em = bm.fit_em(*zip_counts, n_starts=3)
    result = write_report_from(zip_dt, em, out=tmp_path / "zip")
    words = " ".join(check_page(result.path).words)
    assert "psi = 1 \N{MINUS SIGN} zero_prob" in words
    share = result.summary["posterior"]["parameters"]["zero_prob"]["mean"]
    assert f"zero_prob = {share:.2f}" in words or f"zero_prob = {share:.3f}" in words
    assert "Number of zeros" in words
    assert result.summary["ppc"]["zeros"]["observed"] == (zip_counts[1].x == 0).sum()


@pytest.mark.usefixtures("no_drawing")
@pytest.mark.usefixtures("no_drawing")
def test_a_model_that_the_data_refute_makes_the_headline_amber(faithful_fits, tmp_path):
    misfit = Problem("tails", 0.0, 0.001, "A component has heavier tails.", "Try one more.")
    refuted = replace(faithful_fits.check, model=replace(faithful_fits.check.model, misfits=(misfit,)))
    result = write.write(replace(faithful_fits, check=refuted), tmp_path / "refuted", em_settings={})
    assert (result.ok, result.model_ok) == (True, False)
    assert "The data refute the model. A component has heavier tails. Try one more." in result.verdict
    found = strict(result.path.parent / "summary.json")["verdict"]
    assert (found["trusted"], found["model_ok"], found["misfits"][0]["name"]) == (True, False, "tails")
    words = " ".join(check_page(result.path).words)
    assert "The draws are right, but the data refute the model" in words
    assert "This fit can be trusted" not in words
    assert "A component has heavier tails." in words
    assert level({"verdict": found}) == "note"
    assert level({"verdict": found | {"trusted": False}}) == "bad"
    assert level({"verdict": found | {"model_ok": True}}) == "good"


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_picture_and_table_of_a_predictive_check_show_the_same_replicates(zip_dt, zip_counts, seed):
    dt = zip_dt.copy()
    dt.attrs = zip_dt.attrs | {"seed": seed}
    found = fits.examine(
        remembered(Record.of(dt), Path("counts.nc")),
        Record.of(dt),
        bm.fit_em(*zip_counts),
        None,
        em_settings={},
        command="",
    )
    zeros = predictive_checks(found.likelihood, found.replicates)["zeros"]
    right = figures.KINDS["predictive"].draw(found).axes[1]
    bars = [(bar.get_x(), bar.get_x() + bar.get_width(), bar.get_height()) for bar in right.patches]
    shown = [0.5 * (left + end) * height for left, end, height in bars]
    assert sum(height for *_, height in bars) == len(found.replicates) == 200
    assert sum(shown) / 200 == pytest.approx(zeros["mean"], abs=0.5 * (bars[0][1] - bars[0][0]))
    above = (found.replicates[:, :, 0] == 0).sum(axis=1) >= zeros["observed"]
    assert f"{above.mean():.0%}\nof replicates have as many" in right.get_title(loc="left")
    ties = ((found.replicates[:, :, 0] == 0).sum(axis=1) == zeros["observed"]).mean()
    assert zeros["p_value"] == pytest.approx(above.mean() - 0.5 * ties)
    np.testing.assert_array_equal(found.replicates, bm.replicate(dt))


def test_bad_draws_are_reported_as_bad(gaussian_1d_dt, three_groups, tmp_path):
    spec, data = three_groups
    dt = gaussian_1d_dt.copy(deep=True)
    means = dt["posterior"]["means"].to_numpy()
    means[1] += 1.0
    result = write_report_from(dt, bm.fit_em(spec, data, n_starts=3), out=tmp_path / "bad")
    assert not result.ok
    assert not result.summary["verdict"]["trusted"]
    page = check_page(result.path)
    assert "Do not trust this fit yet" in " ".join(page.words)
    assert "What to do:" in " ".join(page.words)
    assert set(result.summary["scores"]) == {"em", "posterior"}


@pytest.fixture(scope="module")
def labelled_report(gaussian_1d_dt, three_groups, tmp_path_factory):
    """The report of a posterior whose data carry some labels and hostile names, put together by hand."""
    spec, data = three_groups
    names = list(HOSTILE)
    labels = [names[int(t)] if i % 10 == 0 else None for i, t in enumerate(data.truth)]
    truth = [names[int(t)] for t in data.truth]
    hostile = bm.Data(pd.DataFrame({"<i>$y$</i> & =2": data.x[:, 0]}), labels, truth=truth, classes=names)
    spec = bm.resolve(spec, hostile)
    dt = gaussian_1d_dt.copy()
    rename = {"component": list(hostile.classes), "feature": list(hostile.feature_names)}
    for group in ("posterior", "modes"):
        dataset = dt[group].to_dataset()
        coords = {d: v for d, v in (rename | {"feature_bis": rename["feature"]}).items() if d in dataset.dims}
        dt[group] = type(dt)(dataset.assign_coords(coords))
    dt["input"] = type(dt)(hostile.to_dataset())
    dt = dt.filter(lambda node: node.name != "log_likelihood")
    dt.attrs["spec"] = json.dumps(spec.to_dict())
    model = replace(
        remembered(Record.of(dt), Path("x.nc")), title="<script>alert(1)</script>", description="</style><b>"
    )
    em = bm.fit_em(spec, hostile, n_starts=3)
    return write_report_from(dt, em, out=tmp_path_factory.mktemp("reports") / "hostile", model=model)


def test_hostile_names_are_text(labelled_report):
    result = labelled_report
    page = check_page(result.path)
    words = " ".join(page.words)
    assert "b" not in page.tags
    assert "i" not in page.tags
    assert all(name in words for name in (*HOSTILE, "<i>$y$</i> & =2", "<script>alert(1)</script>"))
    assert strict(result.path.parent / "summary.json")["model"]["columns"] == ["<i>$y$</i> & =2"]


def test_semi_supervised_section(labelled_report):
    result = labelled_report
    words = " ".join(check_page(result.path).words)
    assert "What the unlabelled rows add" in words
    assert "labels are missing at random" in words.replace("\n", " ")
    found = result.summary["unlabelled"]
    assert found["n_labelled"] == 30
    few = found["labelled_alone"]["parameters"]
    wide = [few[name]["se"] for name in few if few[name]["se"]]
    narrow = [result.summary["em"]["parameters"][name]["se"] for name in few if few[name]["se"]]
    assert np.median(np.array(wide) / narrow) > 1.5
    assert set(found["scores"]) == {"EM, labelled rows alone", "EM, all rows", "Posterior mean, all rows"}


def test_row_numbers_are_a_table_without_formulas(labelled_report, faithful_report, faithful_fits):
    rows = pd.read_csv(faithful_report.path.parent / "responsibilities.csv", index_col="row")
    expected = faithful_fits.comparison.responsibilities
    np.testing.assert_allclose(rows["mean[component_1]"], expected["mean[component_1]"], rtol=1e-12)
    assert list(rows.columns) == list(expected.columns)
    hostile = pd.read_csv(labelled_report.path.parent / "responsibilities.csv")
    cells = set(hostile["posterior_component"])
    assert "'" + HOSTILE[2] in cells
    assert cells <= {*HOSTILE[:2], "'" + HOSTILE[2]}
    assert "responsibilities.csv" in faithful_report.path.read_text(encoding="utf-8")


def test_every_table_of_the_page_is_a_csv(faithful_report, faithful_fits):
    folder = faithful_report.path.parent / "tables"
    shown = faithful_report.path.read_text(encoding="utf-8").count("<table>")
    assert len(list(folder.iterdir())) == shown > 5
    means = pd.read_csv(folder / "posterior.csv").query("Of == 'means'").set_index("Parameter")
    wanted = faithful_fits.comparison.parameters
    for name, row in means.iterrows():
        exact = wanted.loc[f"means[{name}]"]
        found = row[["Mean", "90% interval, lower", "90% interval, upper"]].astype(float)
        np.testing.assert_allclose(found, exact[["mean", "lower", "upper"]].astype(float), rtol=0.01)
    assert {"R-hat", "Bulk ESS", "MCSE"} <= set(means.columns)
    assert "tables/" in faithful_report.path.read_text(encoding="utf-8")


def test_formulas_are_disarmed_in_text_alone():
    index = pd.Index(["=a", "+b", "-c", "@d", "e=1"], name="row")
    found = without_formulas(pd.DataFrame({"n": [-1.0, 2, 3, 4, 5]}, index=index))
    assert list(found.index) == ["'=a", "'+b", "'-c", "'@d", "e=1"]
    assert found["n"].iloc[0] == -1.0


def test_saved_posterior_rebuilds_every_number(faithful_report, faithful_dt, tmp_path):
    dt = bm.load_fit(faithful_report.path.parent / "fit.nc")
    assert "log_likelihood" not in dt.children
    np.testing.assert_array_equal(log_likelihood(dt), faithful_dt["log_likelihood"]["x"])
    assert dt["posterior"]["means"].dtype == np.float64
    model = remembered(Record.of(dt), tmp_path / "other.nc")
    assert (model.title, model.em) == ("Old <Faithful>", {"n_starts": 3})
    assert "bayesmix.report.rebuild" in faithful_report.path.read_text(encoding="utf-8")


def test_the_command_rebuilds_from_a_file(monkeypatch):
    asked = {}

    def rebuilt(path, **options):
        asked.update(options, path=path)
        return SimpleNamespace(ok=True, model_ok=True, path=Path("r/index.html"), verdict="so it is")

    monkeypatch.setattr("bayesmix.report.rebuild", rebuilt)
    result = CliRunner().invoke(main, ["report", "fit.nc", "--out", "r"])
    assert result.exit_code == 0, result.output
    assert asked == {"path": "fit.nc", "out": Path("r"), "progress": True}
    assert "so it is" in result.output
    refused = CliRunner().invoke(main, ["report", "fit.nc", "--draws", "9"])
    assert refused.exit_code == 2
    assert "--draws does not go with fit.nc" in refused.output


@pytest.mark.usefixtures("no_drawing")
def test_nothing_is_left_where_writing_fails(faithful_fits, tmp_path, monkeypatch):
    def broken(*_):
        (Path(_[1]) / "half.png").parent.mkdir()
        raise RuntimeError("the disk is full")

    out = tmp_path / "reports" / "faithful"
    out.mkdir(parents=True)
    (out / "summary.json").write_text("{}")
    monkeypatch.setattr(write, "write_all", broken)
    with pytest.raises(RuntimeError, match="disk is full"):
        write.write(faithful_fits, out, em_settings={})
    assert [p.name for p in out.parent.iterdir()] == ["faithful"]
    assert (out / "summary.json").read_text() == "{}"


@pytest.mark.parametrize("failures", [1, 2])
def test_the_old_report_survives_a_failing_move(tmp_path, monkeypatch, failures):
    out = tmp_path / "report"
    out.mkdir()
    (out / "index.html").write_text("old")
    rename, left = Path.rename, [failures]

    def failing(path, target):
        if left[0] and Path(target) == out:
            left[0] -= 1
            raise OSError("no such luck")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no such luck"), write.complete(out) as partial:
        (partial / "index.html").write_text("new")
    texts = [path.read_text() for path in tmp_path.rglob("index.html")]
    assert "old" in texts
    assert out.exists() == (failures == 1)
    assert failures == 2 or texts == ["old"]


def test_an_interrupted_run_does_not_replace_a_whole_one(faithful_fits, tmp_path):
    dt = faithful_fits.dt.copy()
    write.check_interrupted(dt, tmp_path)
    dt.attrs["interrupted"] = 1
    write.check_interrupted(dt, tmp_path)
    summary = tmp_path / "summary.json"
    summary.write_text(json.dumps({"verdict": {"problems": [{"name": "r_hat"}]}}))
    with pytest.raises(ValueError, match="out: sampling was interrupted.*kept"):
        write.write(replace(faithful_fits, record=Record.of(dt)), tmp_path, em_settings={})
    assert "r_hat" in summary.read_text()
    summary.write_text(json.dumps({"verdict": {"problems": [{"name": "interrupted"}]}}))
    write.check_interrupted(dt, tmp_path)


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        (["a", "b", "a", "b"], [True] * 4),
        (["a", None, {"a", "b"}, "b"], [True, False, False, True]),
        (np.array([[0.5, 0.5], [1.0, 0.0], [0.9, 0.1], [np.nan, np.nan]]), [False, True, False, False]),
        (None, [False] * 4),
    ],
)
def test_rows_are_known_where_the_label_leaves_one_component(faithful_fits, labels, known):
    data = bm.Data([1.0, 2.0, 4.0, 8.0], labels, classes=["a", "b"])
    changed = replace(faithful_fits, em=SimpleNamespace(data=data))
    assert list(changed.data.known) == known
    assert changed.all_known == all(known)


def test_invariants_that_mix_worse_are_said():
    def table(r_hat, ess):
        return pd.DataFrame({"r_hat": [1.0, r_hat], "ess_bulk": [5000.0, ess]}, index=["entropy", "log likelihood"])

    def notes(free, invariant):
        return judgement._worse_invariants(SimpleNamespace(parameters=table(*free), invariants=table(*invariant)))

    assert notes((1.004, 900.0), (1.002, 1200.0)) == []
    (both,) = notes((1.004, 900.0), (1.008, 500.0))
    assert "R-hat is 1.008 (log likelihood) and the smallest effective sample size is 500 (log likelihood)" in both
    (one,) = notes((1.004, 900.0), (1.008, 2000.0))
    assert "sample size" not in one


def test_folders_that_are_no_report_are_refused(faithful_dt, faithful_em, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"out: .*'thesis.tex'.*another folder"):
        write_report_from(faithful_dt, faithful_em, out=tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        write_report_from(faithful_dt, faithful_em, out=tmp_path / "thesis.tex")
    with pytest.raises(ValueError, match="no model 'nonsense'"):
        write_report("nonsense", out=tmp_path / "r")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.slow
def test_end_to_end_and_rebuilt_from_its_file(tmp_path, capsys):
    folder = tmp_path / "tiny"
    folder.mkdir()
    rng = np.random.default_rng(4)
    y = rng.permutation(np.repeat(["low", "high"], 30))
    pd.DataFrame({"x": rng.normal(np.where(y == "low", 0.0, 4.0), 1.0), "y": y}).to_csv(
        folder / "data.csv", index=False
    )
    (folder / "model.toml").write_text(
        'title = "Tiny"\n[data]\nfile = "data.csv"\ncolumns = ["x"]\nlabel = "y"\ntruth = "y"\ntest_file = "data.csv"\n'
        '[mixture]\nfamily = "gaussian"\nn_components = 2\n[sampler]\ndraws = 300\ntune = 300\n[em]\nn_starts = 3\n'
    )
    result = write_report(folder, out=tmp_path / "out", seed=3, chains=2)
    check_page(result.path)
    assert "tiny: sampling" in capsys.readouterr().err
    assert result.summary["seed"] == 3
    assert result.summary["settings"]["chains"] == 2
    assert result.summary["command"].endswith("--seed 3 --chains 2")
    assert result.summary["test"]["posterior"]["accuracy"] > 0.9
    assert result.summary["scores"] == {}
    assert result.summary["map"]["parameters"]["means[low, x]"]["estimate"] == pytest.approx(0.0, abs=0.6)
    again = rebuild(result.path.parent / "fit.nc", out=tmp_path / "again", progress=False)
    drop = {"date"}
    assert {k: v for k, v in again.summary.items() if k not in drop} == clean(
        {k: v for k, v in result.summary.items() if k not in drop}
    )


def load_generate():
    path = Path(__file__).parents[2] / "reports" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    return module


def test_generate_skips_what_has_not_changed(tmp_path):
    generate = load_generate()
    model, report = tmp_path / "model", tmp_path / "report"
    model.mkdir(), report.mkdir()
    (model / "data.csv").write_text("x\n1\n")
    inputs = generate.inputs_of(model)
    assert set(inputs) == {"model", "source"}
    assert not generate.is_current(report, inputs)
    for name in ("index.html", "summary.json"):
        (report / name).write_text("{}")
    (report / generate.INPUTS).write_text(json.dumps(inputs))
    assert generate.is_current(report, inputs)
    (model / "data.csv").write_text("x\n2\n")
    assert not generate.is_current(report, generate.inputs_of(model))
    assert generate.INPUTS in write.OURS


def test_index_page(faithful_report):
    folder = faithful_report.path.parent.parent
    source = write_index(folder).read_text(encoding="utf-8")
    page = Page(source)
    assert "./faithful/index.html" in page.links
    assert all(uri.startswith("data:image/png;base64,") for uri in page.loaded)
    assert "Old <Faithful>" in page.words
    assert "1130.26" in source


def test_soft_labels_enter_the_formulas_as_logs():
    soft = bm.Data([1.0, 2.0, 4.0, 8.0], np.array([[0.5, 0.5], [1.0, 0.0], [0.9, 0.1], [np.nan] * 2]))
    hard = bm.Data([1.0, 2.0, 4.0, 8.0], ["a", "b", None, None])
    pages = [
        " ".join(f"{w} {m}" for w, m in formulas(bind(bm.Mixture("gaussian", n_components=2), data)))
        for data in (soft, hard)
    ]
    assert ["probability that its label gives" in page for page in pages] == [True, False]
    assert ["excluded" in page for page in pages] == [False, True]


def test_priors_of_their_own_keep_labels_apart(faithful_fits):
    spec = faithful_fits.em.spec
    assert posterior._labels(faithful_fits).startswith("Draws are relabelled")
    own = spec.priors | {"means": bm.Prior("Normal", mu=[[2.0, 55.0], [4.0, 80.0]], sigma=1.0)}
    dt = faithful_fits.dt.copy()
    dt.attrs = dt.attrs | {"spec": json.dumps(spec.replace(priors=own).to_dict())}
    apart = replace(faithful_fits, record=Record.of(dt))
    assert posterior._labels(apart).startswith("The components cannot switch")
    again = replace(faithful_fits, record=Record.of(bm.relabel(faithful_fits.dt, "stephens")))
    assert "diverge least from their mean" in posterior._labels(again)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("labels", [None, [None, "a"] * 10, ["a", "b"] * 10])
def test_formulas_and_diagram_are_well_formed(covariance, labels, rng):
    data = bm.Data(rng.normal(size=(20, 2)), labels)
    likelihood = bind(bm.Mixture("gaussian", n_components=2, covariance=covariance), data)
    for words, formula in formulas(likelihood):
        assert words
        assert ET.fromstring(formula).tag.endswith("math")
    drawing = ET.fromstring(plate_svg(likelihood))
    letters = "".join(drawing.itertext())
    assert all(letter in letters for letter in "wzxμ\N{GREEK SMALL LETTER SIGMA}")
    assert ("R" in letters) == (covariance in ("full", "tied"))
    assert ("a" in letters.replace("k =", "")) == (labels is not None)
    x0, y0, width, height = map(float, drawing.get("viewBox").split())
    for circle in drawing.iter("{http://www.w3.org/2000/svg}circle"):
        x, y, r = (float(circle.get(k)) for k in ("cx", "cy", "r"))
        assert x0 + r <= x <= width - r
        assert y0 + r <= y <= height - r


@pytest.mark.parametrize("noise", ["diagonal", "isotropic"])
def test_letters_of_the_diagram_are_letters(rng, noise):
    spec = bm.Mixture("factor_analyzers", n_components=2, n_factors=1, noise=noise)
    texts = [t.strip() for t in ET.fromstring(plate_svg(bind(spec, bm.Data(rng.normal(size=(30, 4)))))).itertext()]
    assert {"\N{GREEK CAPITAL LETTER LAMDA}", "\N{GREEK SMALL LETTER PSI}"} <= set(texts)
    assert not any("\\" in text for text in texts)


def test_zip_diagram_shows_covariates():
    data = bm.Data(pd.DataFrame({"y": [0, 1, 2, 0, 3], "age": [1.0, 2, 3, 5, 4]}), response="y")
    likelihood = bind(bm.Mixture("zero_inflated_poisson", rate="1 + age"), data)
    letters = "".join(ET.fromstring(plate_svg(likelihood)).itertext())
    assert "f" in letters
    assert "g" not in letters
    assert all(ET.fromstring(formula) is not None for _, formula in formulas(likelihood))


@pytest.mark.parametrize(
    ("prior", "frozen"),
    [
        (bm.Prior("InverseGamma", alpha=2, beta=3), stats.invgamma(2, scale=3)),
        (bm.Prior("LogNormal", mu=1, sigma=0.5), stats.lognorm(0.5, scale=np.e)),
        (bm.Prior("Gamma", alpha=2, beta=4), stats.gamma(2, scale=0.25)),
        (bm.Prior("Exponential", lam=4), stats.expon(scale=0.25)),
        (bm.Prior("HalfNormal", sigma=2), stats.halfnorm(scale=2)),
        (bm.Prior("HalfCauchy", beta=2), stats.halfcauchy(scale=2)),
        (bm.Prior("HalfStudentT", nu=1, sigma=2), stats.halfcauchy(scale=2)),
        (bm.Prior("Normal", mu=1, sigma=2), stats.norm(1, 2)),
        (bm.Prior("StudentT", nu=1, mu=1, sigma=2), stats.cauchy(1, 2)),
        (bm.Prior("Cauchy", alpha=1, beta=2), stats.cauchy(1, 2)),
        (bm.Prior("Laplace", mu=1, b=2), stats.laplace(1, 2)),
        (bm.Prior("Logistic", mu=1, s=2), stats.logistic(1, 2)),
    ],
)
def test_prior_intervals(prior, frozen):
    where = {name: float(value) for name, value in prior.parameters.items()}
    np.testing.assert_allclose(priors.central95(prior, where, size=1, total=0), frozen.ppf([0.025, 0.975]))


def test_prior_interval_of_a_scale_whose_level_is_drawn_too(rng):
    """Squares are inverse gamma with a common gamma level; of PyMC's own forward draws, and of SciPy's."""
    prior = bm.Prior("PooledScales", alpha=2.0, level_shape=1.5, level_rate=0.5)
    where = {name: float(value) for name, value in prior.parameters.items()}
    low, high = priors.central95(prior, where, size=1, total=0)
    scales = np.sqrt(stats.invgamma(2.0, scale=rng.gamma(1.5, 2.0, 200_000)).rvs(random_state=rng))
    np.testing.assert_allclose([(scales < low).mean(), (scales > high).mean()], 0.025, atol=0.002)
    spec = bm.Mixture("gaussian", n_components=2, priors={"scales": prior})
    with bm.build(spec, bm.Data([1.0, 2.0, 5.0, 7.0])):
        theirs = pm.sample_prior_predictive(1500, var_names=["scales"], random_seed=1)["prior"]["scales"].to_numpy()
    assert stats.kstest(theirs[0, :, 1, 0], scales[:20_000]).pvalue > 1e-3
    assert stats.spearmanr(theirs[0, :, 0, 0], theirs[0, :, 1, 0])[0] > 0.2


def test_prior_intervals_of_weights_and_correlations(rng):
    w = rng.dirichlet([2, 3, 5], 200_000)[:, 1]
    found = priors.central95(bm.Prior("Dirichlet", a=[2, 3, 5]), {"a": 3.0}, size=1, total=10.0)
    np.testing.assert_allclose(found, np.quantile(w, [0.025, 0.975]), atol=0.005)
    uniform = priors.central95(bm.Prior("LKJ", eta=1), {"eta": 1.0}, size=2, total=0)
    np.testing.assert_allclose(uniform, [-0.95, 0.95])


def test_prior_rows_name_what_they_are_for():
    data = bm.Data(pd.DataFrame({"a": [1.0, 2, 4, 8], "b": [1.0, 3, 2, 9]}))
    spec = bm.resolve(bm.Mixture("gaussian", n_components=2), data)
    likelihood = bind(spec, data)
    assert [row[0] for row in priors.rows(likelihood, "means", spec.priors["means"])] == ["a", "b"]
    own = bm.Prior("Normal", mu=[[0, 0], [1, 0]], sigma=1)
    labels = [row[0] for row in priors.rows(likelihood, "means", own)]
    assert labels == ["component_1 / a, component_1 / b, component_2 / b", "component_2 / a"]


def test_text_helpers():
    minus = "\N{MINUS SIGN}"
    said = "mode 2: 0.10 at (-1.2, -.5) holds 0.01 (+- 0.002), exp(-3.1) of x-ray doi:10.1/a-1, 1e-05"
    shown = (
        f"mode 2: 0.10 at ({minus}1.2, {minus}.5) holds 0.01 (± 0.002), exp({minus}3.1) of x-ray doi:10.1/a-1, 1e-05"
    )
    assert text.prose(said) == shown
    assert text.fixed(-1130.2644, 2) == "\N{MINUS SIGN}1130.26"
    assert text.fixed(1234567.0, 0) == f"1{text.THIN}234{text.THIN}567"
    assert text.fixed(-0.0001, 2) == "0.00"
    assert text.fixed(float("nan")) == text.fixed(None) == text.DASH
    assert text.fixed(float("-inf")) == "\N{MINUS SIGN}∞"
    assert [text.decimals_for(sd) for sd in (12.0, 0.59, 0.029, 0.0, None)] == [0, 2, 3, 3, 3]
    assert text.significant(123456, 3) == f"123{text.THIN}456"
    assert text.listed(["a"]) == "a"
    assert text.listed(["a", "b"]) == "a and b"
    assert text.listed([]) == "none"
    assert text.listed("abcdefgh", most=3) == "a, b and 6 more"
    assert text.percent(0.123) == "12.3%"
    assert text.plural(1, "row") == "1 row"


def test_links_are_dois_alone():
    linked = with_links("<x> doi:10.1000/a-1; see http://x.y")
    assert linked == '&lt;x&gt; <a href="https://doi.org/10.1000/a-1">doi:10.1000/a-1</a>; see http://x.y'


def test_clean_makes_strict_json():
    mixed = {
        "a": np.float64("nan"),
        "b": (np.int64(1), True, np.bool_(False)),
        "c": {1: float("inf")},
        "d": np.arange(2.0),
    }
    assert clean(mixed) == {"a": None, "b": [1, True, False], "c": {"1": None}, "d": [0.0, 1.0]}
    with pytest.raises(TypeError, match="cannot be written"):
        clean(object())


def test_small_pictures_are_vector_graphics():
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2])
    picture = render(figure)
    assert picture.png.startswith(b"\x89PNG")
    assert picture.svg is not None
    assert picture.uri.startswith("data:image/svg+xml;base64,")
    assert picture.width == pytest.approx(3.0)


def test_generate_names_expectations_that_do_not_hold(tmp_path):
    generate = load_generate()
    claims = [
        {"quantity": "em/aic", "rule": "at most 1", "value": 2.0, "holds": False},
        {"quantity": "em/bic", "rule": "at most 9", "value": 2.0, "holds": True},
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "summary.json").write_text(json.dumps({"expectations": claims}))
    assert generate.broken_expectations(["a", "never written"], tmp_path) == ["a: em/aic, at most 1; found 2.0"]
