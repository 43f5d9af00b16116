"""``bayesmix predict``: new rows by the names of columns, names of rows kept, what is missing named."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner

import bayesmix as bm
from bayesmix.cli import main
from bayesmix.rows import command

NEW = "waiting;comment;patient;eruptions\n54;=1+1;A;1,8\n80;b;-B;4,5\n300;c;C;50,0\n"


@pytest.fixture
def saved(tmp_path, monkeypatch, faithful_dt, zip_dt):
    """A folder with two saved fits and a file of new rows."""
    monkeypatch.chdir(tmp_path)
    bm.save(faithful_dt, "faithful.nc")
    bm.save(zip_dt, "zip.nc")
    (tmp_path / "new.csv").write_text(NEW)
    return tmp_path


@pytest.fixture
def predict(monkeypatch):
    """The command, its verdict on the fit left aside: that is diagnose's to test."""
    monkeypatch.setattr("bayesmix.cli._verdict", lambda record: type("Check", (), {"ok": True, "model_ok": None}))
    return lambda *arguments: CliRunner().invoke(main, ["predict", *map(str, arguments)])


def test_new_rows_are_matched_by_the_names_of_columns(saved, predict, faithful_dt):
    result = predict("faithful.nc", "new.csv", "--out", "found.csv", "--id", "patient")
    assert result.exit_code == 0, result.output
    assert "Read new.csv: separated by semicolons; decimal comma (eruptions)." in result.output
    assert "Left out, for the fit does not know them: comment." in result.output
    assert "As far out as hardly a row of the fit: 1 (C)." in result.output
    found = pd.read_csv(saved / "found.csv", index_col="patient")
    assert list(found.index) == ["A", "'-B", "C"]  # a spreadsheet would take -B for a formula
    wanted = bm.predict(faithful_dt, pd.DataFrame({"eruptions": [1.8, 4.5, 50.0], "waiting": [54, 80, 300]}))
    assert list(found["group"]) == list(wanted["group"])
    np.testing.assert_allclose(found["probability"], wanted["probability"], rtol=1e-12)
    np.testing.assert_allclose(found["log_density"], wanted["log_density"], rtol=1e-12)
    assert {path.name for path in saved.iterdir()} == {"faithful.nc", "zip.nc", "new.csv", "found.csv"}


def test_rows_are_named_as_in_the_fit(saved, predict, faithful_dt, faithful_em):
    dt = faithful_dt.copy()
    dt["input"] = xr.DataTree(dt["input"].to_dataset().assign_attrs(id="patient"))
    bm.save(dt, "named.nc")
    assert predict("named.nc", "new.csv").exit_code == 0
    assert list(pd.read_csv(saved / "new_predicted.csv")["patient"]) == ["A", "'-B", "C"]
    assert bm.compare(faithful_em, bm.load_fit("named.nc")).responsibilities.index.name == "patient"


def test_gaps_and_no_names(saved, predict):
    (saved / "new.csv").write_text("eruptions,waiting\n1.8,\n,80\n")
    result = predict("faithful.nc", "new.csv")
    assert result.exit_code == 0, result.output
    found = pd.read_csv(saved / "new_predicted.csv")
    assert list(found["row"]) == [1, 2]
    assert found["probability"].between(0.5, 1).all()


def test_a_response_need_not_be_there(saved, predict, zip_dt):
    (saved / "new.csv").write_text("note\nu\nv\n")
    result = predict("zip.nc", "new.csv")
    assert result.exit_code == 0, result.output
    assert "Without a response: it is predicted, with its interval." in result.output
    found = pd.read_csv(saved / "new_predicted.csv")
    rate, zero = (float(zip_dt["posterior"][name].mean()) for name in ("rate", "zero_prob"))
    assert found["response"].iloc[0] == pytest.approx((1 - zero) * rate, rel=0.15)


def test_a_response_that_is_there_in_some_rows_alone(saved, predict):
    name = bm.load_fit("zip.nc")["input"]["feature"].item()
    (saved / "new.csv").write_text(f"note,{name}\nu,1\nv,\n")
    result = predict("zip.nc", "new.csv")
    assert result.exit_code == 2
    told = f"new.csv: column '{name}', row 2 is missing, and others are not: leave the row out, or the whole column"
    assert told in result.output


def test_what_marks_a_gap_is_that_of_the_fit(saved, predict, faithful_dt):
    dt = faithful_dt.copy()
    dt["input"] = xr.DataTree(bm.Data.from_dataset(dt["input"].to_dataset()).with_source("", 1.0, ["-9"]).to_dataset())
    bm.save(dt, "marked.nc")
    (saved / "new.csv").write_text("eruptions,waiting\n1.8,-9\n-9.0,80\n")
    result = predict("marked.nc", "new.csv", "--out", "marked.csv")
    assert result.exit_code == 0, result.output
    assert "Read new.csv: missing wherever '-9' stands." in result.output
    (saved / "new.csv").write_text("eruptions,waiting\n1.8,\n,80\n")
    assert predict("faithful.nc", "new.csv", "--out", "gaps.csv").exit_code == 0
    pd.testing.assert_frame_equal(pd.read_csv("marked.csv"), pd.read_csv("gaps.csv"))


WRONG = {
    "misspelt": (
        "eruption,Waiting\n1,2\n",
        [],
        "has no column 'eruptions' (is it 'eruption'?), 'waiting' (is it 'Waiting'?)",
    ),
    "missing": (
        "eruptions,b\n1,2\n",
        [],
        "'waiting'; the fit needs 'eruptions', 'waiting'; unknown to the fit are 'b'",
    ),
    "no number": ("eruptions,waiting\n1,2\n1,x\n", [], "column 'waiting', row 2 is not a finite number: 'x'"),
    "no id": ("eruptions,waiting\n1,2\n", ["--id", "name"], "id: no column 'name'"),
    "ids alike": ("n,eruptions,waiting\nu,1,2\nu,1,2\n", ["--id", "n"], "id: column 'n' names rows 1 and 2 alike, 'u'"),
    "ragged": ("eruptions,waiting\n1,2\n1,2,3\n", [], "row 2 (line 3) has 3 fields"),
    "itself": ("eruptions,waiting\n1,2\n", ["--out", "new.csv"], "--out: new.csv is the file of the new rows itself"),
    "the fit": (
        "eruptions,waiting\n1,2\n",
        ["--out", "faithful.nc"],
        "--out: faithful.nc is the file of the fit itself",
    ),
    "no folder": ("eruptions,waiting\n1,2\n", ["--out", "a/b.csv"], "--out: the folder a does not exist"),
}


@pytest.mark.parametrize(("text", "arguments", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_one_line(saved, predict, text, arguments, words):
    (saved / "new.csv").write_text(text)
    before = sorted(saved.iterdir())
    result = predict("faithful.nc", "new.csv", *arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert len(re.findall("\n", result.output)) == 1
    assert sorted(saved.iterdir()) == before
    assert (saved / "new.csv").read_text() == text


def test_units_are_those_of_the_fit(tmp_path):
    """A file that model.toml scales is scaled for new rows too."""
    data = bm.load("galaxies")[1]
    assert data.scale == 0.001
    em = bm.fit_em(bm.Mixture("gaussian", n_components=1), data, n_starts=1)
    frame = pd.DataFrame({name: [20_000.0] for name in data.feature_names})
    rows, left = command._rows(em.likelihood, frame, None)
    assert rows.to_numpy().tolist() == [[20.0]]
    assert left == []


def test_names_of_rows_go_through(tmp_path):
    """From the data to responsibilities, outliers and predictions, by EM."""
    frame = pd.DataFrame({"patient": [f"p{i}" for i in range(6)], "x": [1.0, 2.0, 3.0, 11.0, 12.0, 13.0]})
    em = bm.fit_em(bm.Mixture("gaussian", n_components=2), bm.Data(frame, id="patient"), n_starts=1)
    assert list(bm.responsibilities(em)["obs"].values) == list(frame["patient"])
    least = bm.outliers(em, 2)
    assert least.index.name == "patient"
    assert set(least.index) < set(frame["patient"])
    found = bm.predict(em, bm.Data(frame, id="patient"))
    assert (found.index.name, list(found.index)) == ("patient", list(frame["patient"]))
