"""Reports of known parameters and of hard assignment, and EM's steps as pictures."""

import html
import json
import re

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix import plots
from bayesmix.mixture.spec import bind
from bayesmix.report.mathematics import formulas
from bayesmix.report.plate import plate_svg
from bayesmix.report.plate import words as plate_words
from bayesmix.report.write import rebuild

MODEL = """
title = "Means alone"
description = "Two groups that overlap"
source = "this test"
expected = "hard assignment pushes the means apart"
[data]
file = "data.csv"
columns = ["x", "y"]
[mixture]
family = "gaussian"
n_components = 3
covariance = "diag"
[mixture.fixed]
weights = "equal"
scales = 1.0
means = { component_2 = [6.0, 6.0] }
[em]
n_starts = 5
assignment = "hard"
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a folder whose model.toml names known parameters and hard assignment."""
    folder = tmp_path_factory.mktemp("known")
    rng = np.random.default_rng(3)
    x = np.array([[0.0, 0.0], [1.6, 0.5], [6.0, 6.0]])[np.repeat([0, 1, 2], 80)] + rng.normal(size=(240, 2))
    pd.DataFrame(x, columns=["x", "y"]).to_csv(folder / "data.csv", index=False)
    (folder / "model.toml").write_text(MODEL, encoding="utf-8")
    result = bm.write_report(folder, out=folder / "report", draws=200, chains=2, progress=False)
    return folder, result, (folder / "report" / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_says_what_is_known_and_what_hard_assignment_does(report):
    folder, result, page = report
    assert "known: 1<" in page
    assert "known: 6<" in page
    assert "component_2 / x" in page or "component_2 / x, component_2 / y" in page
    assert "Hard assignment" in page
    assert "EM step by step" in page
    assert (folder / "report" / "figures" / "em_steps.png").stat().st_size > 5000
    hard, summary = result.summary["hard"], result.summary
    spec, data = bm.load(folder)
    em = bm.fit_em(spec, data, n_starts=5, assignment="hard")
    assert hard["classification_log_likelihood"] == pytest.approx(em.log_likelihood)
    apart = [
        abs(of["means[component_1, x]"] - of["means[component_3, x]"])
        for of in (hard["parameters"], {k: v["estimate"] for k, v in summary["em"]["parameters"].items()})
    ]
    assert apart[0] > apart[1]
    assert summary["model"]["n_parameters"] == 4
    assert set(hard["parameters"]) == set(summary["em"]["parameters"])
    assert "means[component_2, x]" not in summary["em"]["parameters"]


@pytest.mark.slow
def test_a_report_is_rebuilt_from_its_posterior(report):
    folder, result, _ = report
    again = rebuild(folder / "report" / "fit.nc", out=folder / "again", progress=False)
    first, second = (r.summary["hard"]["classification_log_likelihood"] for r in (result, again))
    assert second == pytest.approx(first)
    spec = json.loads(bm.load_fit(folder / "report" / "fit.nc").attrs["spec"])
    assert spec["fixed"]["means"] == {"component_2": [6.0, 6.0]}


def test_formulas_and_diagram_show_what_is_known():
    x = np.random.default_rng(1).normal(size=(30, 2))
    known = {"weights": "equal", "scales": 1e-5, "means": {"component_2": [6.0, -0.5]}}
    likelihood = bind(bm.Mixture("gaussian", n_components=3, covariance="diag", fixed=known), bm.Data(x))
    ((words, formula),) = [line for line in formulas(likelihood) if "Known" in line[0]]
    assert words == "Known, and not estimated, are"
    text = "".join(html.unescape(letter) for letter in re.findall(r">([^<]+)<", formula))
    assert [text.count(part) for part in ("13", "\N{MULTIPLICATION SIGN}10", "2=(6,\N{MINUS SIGN}0.5)")] == [1, 1, 1]
    svg = plate_svg(likelihood)
    assert svg.count('fill="#33404f"/>') == 3  # the tip of arrows, and two squares
    assert svg.count("0 0 0 44 0z") == 1  # the means, half of them
    assert "half shaded is known in some of the components" in plate_words(likelihood)
    free = bind(bm.Mixture("gaussian", n_components=3, covariance="diag"), bm.Data(x))
    assert not any("Known" in line[0] for line in formulas(free))


@pytest.mark.parametrize("family", ["gaussian", "poisson", "zero_inflated_poisson"])
def test_steps_are_drawn_for_every_family_of_one_column(family):
    x = np.concatenate([np.random.default_rng(1).poisson(m, 60) for m in (1.0, 7.0)])
    em = bm.fit_em(bm.Mixture(family, n_components=2), bm.Data(x), n_starts=1, trace=True)
    figure = plots.em_steps(em)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[0].startswith("start")
    assert titles[-1].startswith(f"step {len(em.history) - 1}")
    assert len(titles) <= 6
    with pytest.raises(ValueError, match="holds no steps; fit it with trace=True"):
        plots.em_steps(bm.fit_em(em.spec, em.data, n_starts=1))
