"""The model folders: their schema, their sources, and what the reader refuses."""

import json
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.gallery import model_toml
from bayesmix.gallery import read as gallery
from bayesmix.gallery.read import Expectation
from bayesmix.mixture import scalars
from folders import TOML

MODELS = Path(__file__).parents[2] / "models"
NAMES = [
    "carcinoma",
    "cheating",
    "election",
    "faithful_gaps",
    "galaxies",
    "iris",
    "iris_ppca",
    "iris_semi_supervised",
    "lda_two_gaussians",
    "low_dim_gauss_mix",
    "means_only",
    "old_faithful",
    "overlapping_2d",
    "semi_supervised_two_gaussians",
    "three_gaussians_1d",
    "times_deaths",
    "zip_articles",
    "zip_simulated",
]
SIMULATED = sorted(path.parent.name for path in MODELS.glob("*/make_data.py"))

ROWS = "a,b,c\n1,1,u\n2,0,u\n4,3,v\n7,0,v\n"


@pytest.fixture
def folder(tmp_path):
    """A function that writes a model folder and gives its path."""

    def write(toml=TOML, csv=ROWS, **others):
        (tmp_path / "model.toml").write_text(toml, encoding="utf-8")
        (tmp_path / "data.csv").write_text(csv, encoding="utf-8")
        for name, text in others.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_the_gallery_has_these_models():
    assert gallery.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_folder_keeps_the_schema(name):
    model = gallery.read(name)
    texts = (model.title, model.description, model.source, model.expected)
    assert model.name == name
    assert all(len(text) > 10 for text in texts)
    assert {"draws", "tune", "chains", "seed"} <= set(model.sampler)
    assert "n_starts" in model.em
    assert model.expectations
    assert all(claim.because for claim in model.expectations)
    assert (model.folder / "README.md").read_text().startswith(f"# {name}\n")
    assert bm.Mixture.from_dict(model.spec.to_dict()) == model.spec
    assert bm.Mixture.from_dict(json.loads(json.dumps(model.spec.to_dict()))) == model.spec
    assert (model.spec, len(model.data)) == (bm.load(name)[0], len(bm.load(name)[1]))


@pytest.mark.parametrize("name", NAMES)
def test_every_key_written_is_used(name):
    entry = tomllib.loads((MODELS / name / "model.toml").read_text())
    model = gallery.read(name)
    assert {key: model.spec.to_dict()[key] for key in entry["mixture"]} == entry["mixture"]
    assert model.sampler == entry["sampler"]
    assert model.em == entry["em"]
    assert len(model.expectations) == len(entry["expect"])


@pytest.mark.parametrize("name", NAMES)
def test_expectations_name_parameters_that_exist(name):
    model = gallery.read(name)
    labels = {label for *_, label in scalars.index_of(gallery_likelihood(model))}
    for claim in model.expectations:
        parts = (claim.quantity or "").split("/")
        wanted = claim.interval_of or (parts[parts.index("parameters") + 1] if "parameters" in parts else None)
        assert wanted is None or wanted in labels


def gallery_likelihood(model):
    from bayesmix.mixture.spec import bind

    return bind(model.spec, model.data)


def test_the_simulated_models_are_the_ones_with_a_script():
    published = {
        "carcinoma",
        "cheating",
        "election",
        "galaxies",
        "iris",
        "iris_ppca",
        "low_dim_gauss_mix",
        "old_faithful",
        "zip_articles",
    }
    assert sorted(set(NAMES) - published) == SIMULATED


@pytest.mark.parametrize("name", SIMULATED)
def test_make_data_makes_the_committed_rows(name):
    tables = runpy.run_path(str(MODELS / name / "make_data.py"))["tables"]()
    digits = None if name in ("faithful_gaps", "iris_semi_supervised") else "%.6f"
    assert {path.name for path in (MODELS / name).glob("*.csv")} == set(tables)
    for file, table in tables.items():
        made = table.to_csv(index=False, float_format=digits, lineterminator="\n")
        assert made == (MODELS / name / file).read_text()


def test_models_have_the_sizes_of_their_sources():
    sizes = {name: (len(m.data), m.data.n_features) for name in NAMES for m in [gallery.read(name)]}
    assert sizes["three_gaussians_1d"] == (10_000, 1)
    assert sizes["lda_two_gaussians"] == (7_500, 1)
    assert len(gallery.read("lda_two_gaussians").test) == 2_500
    assert sizes["zip_articles"] == (915, 1)
    assert sizes["old_faithful"] == (272, 2)
    assert sizes["faithful_gaps"] == (272, 2)
    assert sizes["iris"] == (150, 4)
    assert sizes["galaxies"] == (82, 1)


def test_labels_truth_and_held_out_rows():
    lda, semi, iris = map(gallery.read, ("lda_two_gaussians", "semi_supervised_two_gaussians", "iris_semi_supervised"))
    assert lda.data.labelled.all()
    assert lda.data.classes == ("class_0", "class_1")
    assert not lda.test.labelled.any()
    assert set(lda.test.truth) == {"class_0", "class_1"}
    assert semi.data.labelled.sum() == 20
    assert len(semi.data) == 2_000
    known = semi.data.labelled
    assert (np.array(semi.data.classes)[semi.data.class_evidence[known].argmax(1)] == semi.data.truth[known]).all()
    assert iris.data.labelled.sum() == 15
    assert not gallery.read("iris").data.labelled.any()
    assert gallery.read("iris").data.truth is not None


def test_galaxies_are_those_of_mass_in_thousands():
    x = gallery.read("galaxies").data.x[:, 0]
    np.testing.assert_allclose(x[[0, 77, 81]], [9.172, 26.690, 34.279], rtol=1e-12)


def test_bayes_rule_of_the_simulated_classes():
    """The rate the LDA model is held to: the error of the best cut between N(2, .6) and N(5, .6) at odds 3 : 2."""
    cut = 3.5 + 0.36 / 3 * np.log(0.6 / 0.4)
    rate = 0.6 * norm.cdf(cut, 2, 0.6) + 0.4 * norm.sf(cut, 5, 0.6)
    assert rate == pytest.approx(0.9939, abs=5e-5)
    x, truth = (getattr(gallery.read("lda_two_gaussians").test, name) for name in ("x", "truth"))
    assert np.mean((x[:, 0] > cut) == (truth == "class_1")) == pytest.approx(0.994, abs=0.004)


@pytest.mark.parametrize(
    "name", ["galaxies", "iris", "iris_ppca", "old_faithful", "semi_supervised_two_gaussians", "zip_articles"]
)
def test_em_shows_what_the_source_says(name):
    """Every claim about EM's numbers, from the fit itself; those about the posterior are the report's to judge."""
    model = gallery.read(name)
    claims = [claim for claim in model.expectations if (claim.quantity or "").startswith("em/")]
    assert claims
    em = bm.fit_em(model.spec, model.data, **model.em)
    estimates, errors = (scalars.of_estimate(em.likelihood, values) for values in (em.params, em.standard_errors))
    parameters = {label: {"estimate": value, "se": errors[label]} for label, value in estimates.items()}
    summary = {"em": {"log_likelihood": em.log_likelihood, "parameters": parameters}}
    assert [claim.judge(summary) for claim in claims if not claim.judge(summary)["holds"]] == []


@pytest.mark.parametrize(
    ("rule", "value", "holds"),
    [
        ({"quantity": "a/b", "at_least": 2.0}, 2.0, True),
        ({"quantity": "a/b", "at_least": 2.0}, 1.9, False),
        ({"quantity": "a/b", "at_most": 2.0}, 2.1, False),
        ({"quantity": "a/b", "at_least": 1.0, "at_most": 2.0}, 1.5, True),
        ({"quantity": "a/b", "at_least": 1.0, "at_most": 2.0}, 2.5, False),
        ({"quantity": "a/b", "value": 2.0, "tolerance": 0.1}, 2.05, True),
        ({"quantity": "a/b", "value": 2.0, "tolerance": 0.1}, 2.2, False),
        ({"quantity": "a/b", "at_least": 2.0}, float("nan"), False),
        ({"quantity": "a/c", "at_least": 2.0}, 5.0, False),
        ({"quantity": "a", "at_least": 2.0}, 5.0, False),
    ],
)
def test_a_quantity_is_judged(rule, value, holds):
    row = Expectation("x", **rule).judge({"a": {"b": value}})
    assert set(row) == {"quantity", "rule", "value", "holds", "because"}
    assert row["holds"] is holds


def test_an_interval_is_judged():
    summary = {"posterior": {"parameters": {"means[component_1, x]": {"lower99": 1.0, "upper99": 2.0}}}}
    claims = [Expectation("x", interval_of="means[component_1, x]", value=value) for value in (1.5, 2.5)]
    assert [claim.judge(summary)["holds"] for claim in claims] == [True, False]
    assert claims[0].judge(summary)["value"] == [1.0, 2.0]
    assert "99% interval contains 1.5" in claims[0].rule
    missing = claims[0].judge({})
    assert missing["value"] is None
    assert missing["holds"] is False


def test_reading_a_model_imports_no_pymc():
    heavy = ("pymc", "pytensor", "arviz", "nutpie")
    code = f"import sys, bayesmix as bm; bm.load('iris'); print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_folder_of_the_users_own(folder):
    toml = TOML.replace('columns = ["a"]', 'columns = ["a"]\nlabel = "c"\nrow_weights = "b"')
    spec, data = bm.load(folder(toml))
    assert data.classes == ("u", "v")
    assert list(data.row_weights) == [1, 0, 3, 0]
    assert spec.to_dict()["n_components"] == 2
    assert gallery.read(str(folder())).data.feature_names == ("a",)


def test_a_table_as_it_comes(folder):
    toml = TOML.replace('["a"]', '["a"]\nid = "n"\nthousands = "."\nna = ["x"]')
    model = gallery.read(folder(toml, "n;a\n007;1.250\n010;2.500\n012;x\n"))
    assert model.data.obs_names == ("007", "010", "012")
    np.testing.assert_array_equal(model.data.x[:, 0], [1250, 2500, np.nan])
    assert (
        model.data.read_as
        == "Read data.csv: separated by semicolons; decimal comma, thousands by '.' (a); missing wherever 'x' stands."
    )


def test_priors_are_read(folder):
    toml = TOML + '[mixture.priors.means]\ndistribution = "Normal"\nmu = [1]\nsigma = 2.0\n'
    assert bm.load(folder(toml))[0].priors == {"means": bm.Prior("Normal", mu=[1.0], sigma=2.0)}


def test_counts_keep_their_covariates(folder):
    toml = TOML.replace('columns = ["a"]', 'response = "b"').replace("gaussian", "zero_inflated_poisson")
    _, data = bm.load(folder(toml + 'rate = "1 + a"\n'))
    assert data.feature_names == ("b",)
    assert list(data.covariates) == ["a", "c"]


BAD_TOML = {
    "not TOML": ("title = ", "model.toml: not valid TOML"),
    "unknown key": (TOML.replace("title", "tittle"), "unknown key 'tittle'; choose from title, description"),
    "unknown data key": (
        TOML.replace("[mixture]", "lable = 'c'\n[mixture]"),
        "[data] unknown key 'lable'; choose from",
    ),
    "no title": (TOML.replace('title = "t"', ""), "the key 'title' is missing"),
    "no table": ('title = "t"\n', "the key 'data' is missing"),
    "text for list": (TOML.replace('["a"]', '"a"'), "[data] columns: must be a list of texts; got 'a'"),
    "no columns": (TOML.replace('columns = ["a"]', ""), "[data] needs either columns (measurements) or response"),
    "both": (TOML.replace('["a"]', '["a"]\nresponse = "b"'), "[data] needs either columns (measurements) or response"),
    "scaled counts": (TOML.replace('columns = ["a"]', 'response = "b"\nscale = 2'), "[data] scale: is for columns"),
    "bad scale": (TOML.replace('["a"]', '["a"]\nscale = 0'), "[data] scale: must be a positive number; got 0"),
    "test without truth": (TOML.replace('["a"]', '["a"]\ntest_file = "x.csv"'), "truth must name the column"),
    "unknown family": (TOML.replace("gaussian", "gausian"), "unknown family 'gausian'; choose from gaussian"),
    "unknown option": (TOML + 'rate = "1"\n', "[mixture] rate: not an option of a gaussian mixture"),
    "family a number": (
        TOML.replace('"gaussian"', "3.5"),
        "[mixture] family: must be a text, a whole number, true or false; got 3.5",
    ),
    "K too large": (TOML.replace("= 2", "= 5"), "n_components: must be at most the number of rows, 4; got 5"),
    "K zero": (TOML.replace("= 2", "= 0"), "n_components: must be a whole number >= 1; got 0"),
    "K missing": (TOML.replace("n_components = 2", ""), "n_components: a gaussian mixture needs it"),
    "priors a number": (
        TOML + "priors = 3\n",
        "[mixture] priors: must be a table of tables, or the name of a set; got 3",
    ),
    "unknown set": (TOML + 'priors = "weak"\n', "priors: 'weak' has none for gaussian mixtures; there are"),
    "prior without name": (TOML + "[mixture.priors.means]\nmu = 1\n", "[mixture.priors.means] distribution: must be"),
    "unknown prior": (TOML + '[mixture.priors.means]\ndistribution = "Flat"\n', "unknown distribution 'Flat'; choose"),
    "prior of no use": (TOML + '[mixture.priors.mu]\ndistribution = "Flat"\n', "unknown distribution 'Flat'"),
    "prior shape": (
        TOML + '[mixture.priors.means]\ndistribution = "Normal"\nmu = [1, 2, 3]\nsigma = 1\n',
        "priors: 'means', mu has shape (3,)",
    ),
    "bad draws": (
        TOML + "[sampler]\ndraws = -5\n",
        "[sampler] draws: must be a whole number >= 4 and <= 1000000; got -5",
    ),
    "bad accept": (
        TOML + "[sampler]\ntarget_accept = 2\n",
        "[sampler] target_accept: must be a number between 0 and 1",
    ),
    "unknown setting": (TOML + "[em]\nstarts = 5\n", "[em] unknown key 'starts'; choose from n_starts, seed"),
    "no reason": (
        TOML + '[[expect]]\nquantity = "a"\nat_least = 1\n',
        "[[expect]] number 1: the key 'because' is missing",
    ),
    "no rule": (
        TOML + '[[expect]]\nquantity = "a"\nbecause = "b"\n',
        "[[expect]] number 1: needs quantity with at_least",
    ),
    "unknown column": (TOML.replace('["a"]', '["height"]'), "columns: no column 'height'; the columns are a, b, c"),
    "unknown label": (TOML.replace('["a"]', '["a"]\nlabel = "d"'), "label: no column 'd'; the columns are a, b, c"),
    "long separator": (TOML.replace('["a"]', '["a"]\nsep = ";;"'), "[data] sep: must be one character between fields"),
    "header a number": (
        TOML.replace('["a"]', '["a"]\nheader = 1'),
        "[data] header: must be true (the first line holds",
    ),
    "missing cells by a text": (
        TOML.replace('["a"]', '["a"]\nna = "x"'),
        "[data] na: must be a list of texts or numbers",
    ),
    "unknown id": (TOML.replace('["a"]', '["a"]\nid = "d"'), "id: no column 'd'; the columns are a, b, c"),
    "id twice": (TOML.replace('["a"]', '["a"]\nid = "c"'), "id: column 'c' names rows 1 and 2 alike, 'u'"),
    "unknown file": (TOML.replace("data.csv", "dta.csv"), "dta.csv: the file does not exist"),
    "folder as file": (TOML.replace("data.csv", "."), "cannot be read: Is a directory"),
    "text weights": (
        TOML.replace('["a"]', '["a"]\nrow_weights = "c"'),
        "column 'c', row 1 is not a finite number: 'u'",
    ),
    "more classes than K": (
        TOML.replace('["a"]', '["a"]\nlabel = "c"').replace("components = 2", "components = 1"),
        "n_components: must be at least the number of classes, 2 (u, v); got 1",
    ),
    "class unknown": (
        TOML.replace('["a"]', '["a"]\nlabel = "c"\nclasses = ["u", "w"]'),
        "row 3 has the class 'v'; classes are u, w",
    ),
    "formula of no column": (
        TOML.replace('columns = ["a"]', 'response = "b"').replace("gaussian", "zero_inflated_poisson")
        + 'rate = "1 + z"',
        "rate: no column 'z' for the formula; the covariates are a, c",
    ),
}


@pytest.mark.parametrize(("toml", "words"), BAD_TOML.values(), ids=BAD_TOML)
def test_a_wrong_model_file_is_told_in_one_error(folder, toml, words):
    path = folder(toml)
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        bm.load(path)
    assert str(path) in str(caught.value)


def test_what_a_message_quotes_does_not_fill_the_screen(folder):
    with pytest.raises(ValueError, match=r"\[mixture\] p0+") as caught:
        bm.load(folder(TOML + f"p{'0' * 20_000} = 1\n"))
    assert len(str(caught.value)) < 2_000


def test_a_prior_on_nothing_is_refused_with_the_choices(folder):
    toml = TOML + '[mixture.priors.mu]\ndistribution = "Normal"\nmu = 0\nsigma = 1\n'
    with pytest.raises(
        ValueError, match="unknown key 'mu' for this gaussian mixture; choose from weights, means, scales"
    ):
        bm.load(folder(toml))


def test_held_out_rows_need_their_columns(folder):
    toml = TOML.replace('["a"]', '["a"]\ntruth = "c"\ntest_file = "test.csv"')
    assert len(gallery.read(folder(toml, test="a,c\n1,u\n3,v\n")).test) == 2
    with pytest.raises(ValueError, match=r"test.csv: truth: no column 'c'; the columns are a"):
        gallery.read(folder(toml, test="a\n1\n"))
    with pytest.raises(ValueError, match=r"test.csv: truth: row 2 is missing"):
        gallery.read(folder(toml, test="a,c\n1,u\n3,\n"))


def test_an_unknown_name_lists_the_names(tmp_path):
    with pytest.raises(ValueError, match=r"no model 'old_fatihful'.*old_faithful"):
        bm.load("old_fatihful")
    with pytest.raises(ValueError, match=r"the folder holds no model.toml"):
        bm.load(tmp_path)


def test_a_file_that_is_not_text(folder):
    path = folder()
    (path / "model.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        bm.load(path)


def test_the_gallery_is_found_in_a_package_and_in_a_checkout(tmp_path, monkeypatch):
    package = tmp_path / "site" / "bayesmix"
    (package / "models" / "m").mkdir(parents=True)
    monkeypatch.setattr(model_toml, "__file__", str(package / "gallery" / "manifest.py"))
    assert model_toml.gallery_folder() == package / "models"
    (package / "models").rename(tmp_path / "site" / "models")
    assert model_toml.gallery_folder() == tmp_path / "site" / "models"
    (tmp_path / "site" / "models").rename(tmp_path / "gone")
    with pytest.raises(ValueError, match="this installation is incomplete"):
        model_toml.gallery_folder()


def test_metropolis_drew_from_the_density_it_names():
    """Means and covariance of the committed rows against the mixture's own moments, within five standard errors."""
    made = runpy.run_path(str(MODELS / "overlapping_2d" / "make_data.py"))
    w = np.array(made["UNNORMALISED"]) / sum(made["UNNORMALISED"])
    means, covariances = np.array(made["MEANS"]), np.array(made["COVARIANCES"])
    mean = w @ means
    covariance = np.einsum("k,kij->ij", w, covariances + means[:, :, None] * means[:, None, :]) - np.outer(mean, mean)
    x = pd.read_csv(MODELS / "overlapping_2d" / "data.csv").to_numpy()
    se = np.sqrt(np.diag(covariance) / len(x))
    assert (np.abs(x.mean(0) - mean) < 5 * se).all()
    np.testing.assert_allclose(np.cov(x.T), covariance, atol=0.25)
