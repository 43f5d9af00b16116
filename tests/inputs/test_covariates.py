"""Covariates: numbers stay numbers, levels stay levels, names are free text, and all of it comes back from a file."""

import datetime
import decimal
import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.inputs.covariates import as_levels, covariate, level_text
from bayesmix.mixture.spec import bind

N = 60
Y = np.where(np.arange(N) % 5 < 2, 0, 1 + np.arange(N) % 7)


def through_a_file(em, data, tmp_path):
    """The estimate as a posterior of two equal draws, saved and read back."""
    two = em.params.expand_dims(chain=[0], draw=[0, 1])
    stored = data.with_covariates(bind(em.spec, data).covariates).to_dataset()
    dt = xr.DataTree.from_dict({"posterior": two, "input": stored})
    dt.attrs["spec"] = json.dumps(em.spec.to_dict())
    return bm.load_fit(bm.save(dt, tmp_path / "fit.nc"))


day = [datetime.date(2020, 1, 1), datetime.date(2021, 6, 1), datetime.date(2019, 1, 1)]
LEVELS = {
    "intervals": pd.cut(np.linspace(-2, 2, N), [-9, -0.5, 0.5, 9]),
    "dates": pd.Categorical(day * 20),
    "times": pd.Categorical(pd.to_datetime(day * 20)),
    "times with a zone": pd.Categorical(pd.to_datetime(day * 20).tz_localize("Europe/Berlin")),
    "periods": pd.Categorical(pd.PeriodIndex(day * 20, freq="M")),
    "integers": pd.Categorical([10, 9, 100] * 20),
    "floats": pd.Categorical([0.1, 2.0, 1e-9] * 20),
    "booleans": pd.Categorical([True, False] * 30),
    "mixed": pd.Categorical([1, "1", "a", 2.5] * 15),
    "ordered": pd.Categorical(["mid", "low", "high"] * 20, ["low", "mid", "high"], ordered=True),
    "never": pd.Categorical(["u", "v"] * 30, ["u", "never", "v"]),
    "text": ["b", "a", "c"] * 20,
    "strings": pd.array(["b", "a", "c"] * 20, dtype="string"),
    "tuples": pd.Series([("a", 1), ("b", 2)] * 30),
    "hostile": ['<b>"x"</b>', "a/b", "größe\n", "$x$]"] * 15,
}


@pytest.mark.parametrize("kind", LEVELS)
def test_levels_are_the_same_in_the_estimate_the_file_and_new_rows(tmp_path, kind):
    frame = pd.DataFrame({"y": Y, "g": LEVELS[kind]})
    data, spec = bm.Data(frame, response="y"), bm.Mixture("zero_inflated_poisson", rate="1 + g", zero="1")
    em = bm.fit_em(spec, data, n_starts=2)
    dt = through_a_file(em, data, tmp_path)
    new = bm.Data(frame.iloc[[5, 1, 3]], response="y")
    expected = bm.responsibilities(em).to_numpy()
    assert len(np.unique(expected[Y == 0, 0].round(6))) > 1
    for fit in (em, dt):
        np.testing.assert_allclose(bm.responsibilities(fit).to_numpy().reshape(-1, N, 2)[-1], expected, rtol=1e-12)
        r = bm.responsibilities(fit, data=new).to_numpy().reshape(-1, 3, 2)[-1]
        np.testing.assert_allclose(r, expected[[5, 1, 3]], rtol=1e-12)
        wrong = bm.Data(frame.iloc[[5, 1]].assign(g=["q", "q"]), response="y")
        with pytest.raises(ValueError, match="rate: column 'g', row [15] has the level 'q'; the fit knew "):
            bm.responsibilities(fit, data=wrong)


def test_the_order_of_levels_is_kept():
    for values, order in (
        (pd.Categorical(["b", "a"], ["b", "a"]), ["b", "a"]),
        ([10, 9, 10], ["9", "10"]),
        ([10.0, 9.5], ["9.5", "10"]),
        (pd.Categorical([1, "1", "a"]), ["1", "a"]),
        ([True, False], ["False", "True"]),
        ([[1], {"a": 2}], ["[1]", "{'a': 2}"]),
    ):
        factor = as_levels(pd.Series(values))
        assert factor.cat.categories.tolist() == order
        assert factor.tolist() == [level_text(v) for v in pd.Series(values)]


NUMBERS = {
    "integers": [3, 1, 2],
    "objects": pd.Series([3, 1.5, 2], dtype=object),
    "decimals": [decimal.Decimal("3"), decimal.Decimal("1.5"), decimal.Decimal("2")],
    "nullable": pd.array([3, 1, 2], dtype="Int64"),
    "booleans": [True, False, True],
    "nullable booleans": pd.array([True, False, True], dtype="boolean"),
    "small": np.array([3, 1, 2], dtype="int8"),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_are_numbers_whatever_holds_them(kind):
    found = covariate(pd.Series(NUMBERS[kind], name="a"), as_factor=False)
    assert found.dtype == float
    np.testing.assert_array_equal(found, [float(v) for v in NUMBERS[kind]])


def test_integers_do_not_wrap():
    frame = pd.DataFrame({"y": [0, 1, 2, 3], "people": [2**32, 3 * 2**31, 2**31, 2**33]})
    design = bind(bm.Mixture("zero_inflated_poisson", rate="I(people**3)"), bm.Data(frame, response="y")).linears[0].X
    np.testing.assert_allclose(design[:, 1], [float(2**96), 27.0 * 2**93, float(2**93), float(2**99)], rtol=1e-15)


def texts(*values):
    return [values[i % len(values)] for i in range(N)]


REFUSED = {
    "decimal comma": (texts("3,5", "2,5", "4"), "row 1 is the text '3,5' in a column that mostly holds numbers"),
    "thousands": (texts("123", "1,234", "1,234,567"), "row 2 is the text '1,234'"),
    "thousands in Europe": (texts("1.234,5", "2.000,0"), "row 1 is the text '1.234,5'"),
    "thousands by spaces": (texts("123", "1 234"), "row 2 is the text '1 234'"),
    "percent": (texts("12%", "3%"), "row 1 is the text '12%'"),
    "a word among numbers": (texts("1.5", "n/a", "2.5"), "row 2 is the text 'n/a'"),
    "numbers as text": (texts("1", "2"), "row 1 is the text '1'"),
    "numbers as strings": (pd.array(texts("1", "2"), dtype="string"), "row 1 is the text '1'"),
    "dates": (pd.to_datetime(texts("2020-01-01", "2021-01-01")), "row 1 holds dates or times (2020-01-01 00:00:00)"),
    "days": (texts(*day), "row 1 holds dates or times (2020-01-01)"),
    "dates as text": (texts("2020-01-01", "2021-01-01"), "row 1 holds dates or times (2020-01-01)"),
    "dates of Europe": (texts("31.12.2020", "1.1.2021"), "row 1 holds dates or times (31.12.2020)"),
    "durations": (pd.to_timedelta(texts("1 days", "2 days")), "holds dates or times"),
    "periods": (pd.PeriodIndex(texts("2020", "2021"), freq="Y"), "holds dates or times"),
    "names of rows": ([f"patient {i}" for i in range(N)], "has 60 levels in 60 rows, too many"),
    "nearly names": ([f"patient {max(i, 20)}" for i in range(N)], "has 40 levels in 60 rows, too many"),
    "missing": (texts("a", None, "b"), "row 2 is missing"),
    "complex": ([1j] * N, "must hold real numbers; got complex ones"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_neither_a_number_nor_a_factor_is_refused(kind):
    values, words = REFUSED[kind]
    data = bm.Data(pd.DataFrame({"y": Y, "g": values}), response="y")
    with pytest.raises(ValueError, match=r"^zero: column 'g'") as caught:
        bm.fit_em(bm.Mixture("zero_inflated_poisson", zero="1 + g"), data)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", ["decimal comma", "dates", "days", "dates as text", "numbers as text", "periods"])
def test_a_factor_that_is_asked_for_is_one(kind):
    values, _ = REFUSED[kind]
    frame = pd.DataFrame({"y": Y, "g": values})
    asked = bm.resolve(bm.Mixture("zero_inflated_poisson", rate="1 + C(g)"), bm.Data(frame, response="y"))
    as_category = bm.Data(frame.assign(g=pd.Categorical(frame["g"])), response="y")
    by_type = bm.resolve(bm.Mixture("zero_inflated_poisson", rate="1 + g"), as_category)
    assert asked.priors == by_type.priors


def test_few_rows_may_have_a_level_each():
    frame = pd.DataFrame({"y": [0, 1, 2, 3], "g": list("abca")})
    assert bm.resolve(bm.Mixture("zero_inflated_poisson", rate="0 + g"), bm.Data(frame, response="y")).priors


def test_measurements_with_a_decimal_comma_are_told_what_to_do():
    with pytest.raises(ValueError, match=r"'3,5'.*numbers need a decimal point.*decimal= and thousands="):
        bm.resolve(bm.Mixture("gaussian", n_components=1), bm.Data(pd.DataFrame({"a": ["3,5", "4"]})))


HOSTILE = {
    "km/h": 1.0,
    "geo": [[1, 2]] * N,
    "table": [{"a": 1}] * N,
    "frames": [pd.DataFrame()] * N,
    "sets": [{1}] * N,
    "complex": 1j,
    "empty": None,
    "a\x00b": 1.0,
    "..": 2.0,
    "/": "s",
    "x": 3.0,
    "obs": 4.0,
    "row_weights": 5.0,
    "covariate_0": 6.0,
    "times": pd.date_range("2020", periods=N),
    "n" * 70_000: 1.0,
}


def test_columns_that_nothing_uses_break_nothing(zip_counts, zip_compiled, tmp_path):
    spec, plain = zip_counts
    n = len(plain)
    extra = {name: (v * 5 if isinstance(v, list) else v) for name, v in HOSTILE.items() if name != "times"}
    data = bm.Data(pd.DataFrame({"counts": plain.x[:, 0]} | extra), response="counts")
    assert len(data.covariates.columns) == len(extra)
    dt = bm.sample(spec, data, compiled=zip_compiled, draws=50, tune=50, chains=2, progress=False)
    back = bm.load_fit(bm.save(dt, tmp_path / "fit.nc"))
    assert not any(str(name).startswith("covariate") for name in back["input"])
    assert bm.responsibilities(back).sizes["obs"] == n
    assert bm.diagnose(back).problems is not None


@pytest.mark.parametrize("name", [n for n, v in HOSTILE.items() if n not in ("a\x00b", "complex", "empty")])
def test_columns_of_any_name_are_stored_and_come_back(name, tmp_path):
    values = HOSTILE[name]
    frame = pd.DataFrame({"counts": Y, name: values if np.ndim(values) else [values] * N, "other": np.arange(N)})
    data = bm.Data(frame, response="counts")
    dt = xr.DataTree.from_dict({"posterior": xr.Dataset(), "input": data.to_dataset()})
    dt.attrs["spec"] = "{}"
    back = bm.Data.from_dataset(bm.load_fit(bm.save(dt, tmp_path / "fit.nc"))["input"].to_dataset())
    assert list(back.covariates) == [name, "other"]
    assert [level_text(v) for v in back.covariates[name]] == [level_text(v) for v in frame[name]]
    pd.testing.assert_series_equal(back.covariates["other"], data.covariates["other"])
    assert list(data.with_covariates(["other"]).covariates) == ["other"]


@pytest.mark.parametrize("name", ["a\x00b"])
def test_what_no_file_can_hold_is_told_before_sampling(name):
    data = bm.Data(pd.DataFrame({name: [1.0, 2.0, 7.0, 8.0]}))
    with pytest.raises(ValueError, match=r"data: a name or value in it cannot be written to a file"):
        bm.sample(bm.Mixture("gaussian", n_components=1), data)


def test_a_formula_of_hostile_names_is_reported(tmp_path):
    from bayesmix.gallery.new import write_model

    names = ['<script>alert("1")</script>', "km/h", "a\nb", "it's $5$", "`tick`"]
    frame = pd.DataFrame({"y": Y} | {name: np.sin(np.arange(N) * (k + 1)) for k, name in enumerate(names)})
    for first in names:
        csv = tmp_path / "data.csv"
        frame[["y", first]].to_csv(csv, index=False)
        folder = tmp_path / f"model{names.index(first)}"
        write_model(folder, csv, response="y")
        text = (folder / "model.toml").read_text()
        proposed = re.search(r"^rate = .*with covariates: (.*)$", text, re.MULTILINE)[1]
        (folder / "model.toml").write_text(text.replace('rate = "1"', f"rate = {proposed}", 1))
        spec, data = bm.load(folder)
        likelihood = bind(spec, data)
        assert likelihood.covariates == (first,)
        np.testing.assert_allclose(likelihood.linears[0].X[:, 1], frame[first])
