"""What ``bayesmix new`` makes of tables: kinds of columns, the family and why, gaps, ids; the folder runs."""

import re
import tomllib

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmix as bm
from bayesmix.cli import main
from bayesmix.gallery.kinds import Kind, described
from bayesmix.gallery.new import write_model
from bayesmix.gallery.read import read

N = 40
RNG = np.random.default_rng(3)
COUNTS = np.r_[0, 2, 0, RNG.poisson(3.0, N - 3)]
HEIGHTS = RNG.normal(170.0, 9.0, N).round(1)
YES = np.where(RNG.random(N) < 0.5, "yes", "no")
LIKERT = np.array(["disagree", "neutral", "agree"])[RNG.integers(0, 3, N)]


def gapped(values):
    """The values with every seventh missing."""
    return [None if i % 7 == 3 else v for i, v in enumerate(values)]


COLUMNS = {
    "running number": ("x", range(1, N + 1), Kind.ID, "names the rows"),
    "running number from 100": ("x", range(100, 100 + N), Kind.ID, "names the rows"),
    "ids by name": ("patient_id", np.arange(N) * 37 % 1009, Kind.ID, "names the rows"),
    "ids in text": ("x", [f"P{i}" for i in range(N)], Kind.ID, "names the rows"),
    "ids of groups": ("site_id", np.arange(N) % 9, Kind.TEXT, "numbers that name groups of rows (9 of them)"),
    "free text": ("x", [f"text {i // 2}" for i in range(N)], Kind.ANSWER, "categories in words"),
    "texts with gaps": ("x", gapped([f"text {i}" for i in range(N)]), Kind.TEXT, "texts that all differ"),
    "most texts differ": (
        "x",
        [f"text {max(i, 4)}" for i in range(N)],
        Kind.TEXT,
        "text, 36 different ones in 40 rows",
    ),
    "dates": ("x", [f"2024-01-{i % 28 + 1:02d}" for i in range(N)], Kind.DATE, "dates, 2024-01-01 to 2024-01-28"),
    "times": ("x", pd.date_range("2024-01-01", periods=N), Kind.DATE, "dates, 2024-01-01"),
    "dates in words": ("x", [f"{i % 28 + 1} Mar 2024" for i in range(N)], Kind.DATE, "dates, 1 Mar 2024 to"),
    "times of day": ("x", [f"{i % 24}:30" for i in range(N)], Kind.DATE, "dates, 0:30 to"),
    "other dates": (
        "x",
        [f"{i % 28 + 1:02d}.{1 + i // 28:02d}.2024" for i in range(N)],
        Kind.DATE,
        "dates, 01.01.2024 to 12.02.2024, in the order of the rows",
    ),
    "numbers of two readings": (
        "x",
        [f"7,{i + 345}" for i in range(N)],
        Kind.TEXT,
        "numbers that may be read in two ways: set decimal or thousands",
    ),
    "numbers of both marks": ("x", [f"7{',.'[i % 2]}{i}" for i in range(N)], Kind.TEXT, "read in two ways"),
    "ids of digits": ("x", [f"{i:03d}" for i in range(N)], Kind.ID, "names the rows"),
    "ids of several numbers": ("x", [f"10.{i}.1" for i in range(N)], Kind.ID, "names the rows"),
    "a name of two lines": ("height\n(cm)", HEIGHTS, Kind.MEASUREMENT, "height (cm): measurements in cm"),
    "lists": ("x", [[i] for i in range(N)], Kind.TEXT, "lists or the like"),
    "years": ("birth year", 1950 + COUNTS, Kind.DATE, "years, 19"),
    "measurements": ("height (cm)", HEIGHTS, Kind.MEASUREMENT, "measurements in cm, 1"),
    "unit in brackets": ("t [ms]", COUNTS, Kind.MEASUREMENT, "measurements in ms, whole numbers, 0 to"),
    "unit at the end": ("weight_kg", 50 + COUNTS, Kind.MEASUREMENT, "measurements in kg, whole numbers, 50 to"),
    "whole measurements": ("age", COUNTS * 9, Kind.MEASUREMENT, "measurements, whole numbers, 0 to"),
    "far from zero": ("x", 40 + COUNTS, Kind.MEASUREMENT, "measurements, whole numbers, 4"),
    "negative": ("x", COUNTS - 2, Kind.MEASUREMENT, "measurements, whole numbers, -2 to"),
    "counts": ("visits", COUNTS, Kind.COUNT, "counts, 0 to"),
    "counts with gaps": ("visits", gapped(COUNTS.astype(float)), Kind.COUNT, "counts, 0 to"),
    "large counts": ("number of visits", COUNTS * 40, Kind.COUNT, "counts, 0 to"),
    "zero and one": ("x", COUNTS % 2, Kind.ANSWER, "answers, 0 and 1"),
    "zero and one with gaps": ("x", gapped((COUNTS % 2).astype(float)), Kind.ANSWER, "answers, 0 and 1"),
    "truth values": ("x", COUNTS % 2 == 1, Kind.ANSWER, "answers or categories in words: "),
    "codes": ("x", COUNTS % 5 + 1, Kind.ANSWER, "answers in codes, 1 to 5"),
    "yes and no": ("x", YES, Kind.ANSWER, "answers or categories in words: "),
    "likert": ("x", gapped(LIKERT), Kind.ANSWER, "answers or categories in words: "),
    "constant": ("x", [7] * N, Kind.EMPTY, "constant (7)"),
    "empty": ("x", [None] * N, Kind.EMPTY, "empty"),
}


@pytest.mark.parametrize(("name", "values", "kind", "told"), COLUMNS.values(), ids=COLUMNS)
def test_what_a_column_holds(name, values, kind, told):
    column = described(pd.DataFrame({name: list(values)}))[name]
    assert column.kind == kind, column
    assert told in str(column)
    assert column.missing == pd.isna(pd.Series(list(values))).sum()
    assert "\n" not in str(column)


TRIPS = [f"T{i}" for i in range(N)]
MANY_ZEROS = COUNTS * (COUNTS > 3)
TABLES = {
    "measurements": (
        {"id": range(N), "height (cm)": HEIGHTS, "sex": YES},
        "gaussian",
        ["height (cm)"],
        "holds measurements",
    ),
    "classes beside": ({"x": HEIGHTS, "label": gapped(YES), "truth": YES}, "gaussian", ["x"], "--label label"),
    "counts and others": ({"a": COUNTS, "b": COUNTS + 1, "sex": YES}, "poisson", ["a", "b"], "--response a"),
    "counts": ({"goals": COUNTS, "shots": COUNTS + 1}, "poisson", ["goals", "shots"], "2 columns of counts"),
    "counts with gaps": ({"a": gapped(COUNTS), "b": COUNTS}, "poisson", ["a", "b"], "They are summed out"),
    "zero and one": ({"a": COUNTS % 2, "b": (COUNTS > 3) * 1}, "bernoulli", ["a", "b"], "answers of 0 and 1"),
    "likert": (
        {"q1": gapped(LIKERT), "q2": YES, "q3": COUNTS % 5 + 1},
        "categorical",
        ["q1", "q2", "q3"],
        "latent classes",
    ),
    "zero and one beside words": ({"a": COUNTS % 2, "b": YES}, "categorical", ["a", "b"], "answers in a few levels"),
    "many zeros": (
        {"trip": TRIPS, "camper": YES, "fish": MANY_ZEROS},
        "zero_inflated_poisson",
        ["fish"],
        "of the counts 'fish' are 0",
    ),
    "mostly measured": (
        {"a": HEIGHTS, "b": HEIGHTS[::-1] + 1, "n": COUNTS},
        "gaussian",
        ["a", "b"],
        "for 'n' give --columns",
    ),
}


@pytest.mark.parametrize(("columns", "family", "names", "told"), TABLES.values(), ids=TABLES)
def test_the_family_that_suits_is_proposed_and_runs(tmp_path, columns, family, names, told):
    pd.DataFrame({name: list(values) for name, values in columns.items()}).to_csv(tmp_path / "t.csv", index=False)
    said = write_model(tmp_path / "m", tmp_path / "t.csv")
    assert told in said
    assert re.search(rf"^Family {family}: .+\.$", said, flags=re.M)
    model = read(tmp_path / "m")
    assert model.spec.family == family
    assert list(model.data.feature_names) == names
    assert "id" in columns or "trip" in columns or not model.data.id
    assert np.isfinite(bm.fit_em(model.spec, model.data, n_starts=2, max_iter=200).log_likelihood)


def test_the_written_folder_runs_at_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"Nr {i};{h};{'-' if i % 9 == 0 else 60 + i % 7}" for i, h in enumerate(HEIGHTS)]
    text = "patient;height (cm);weight (kg)\n" + "\n".join(lines).replace(".", ",") + "\n"
    (tmp_path / "t.csv").write_text(text, encoding="cp1252")
    result = CliRunner().invoke(main, ["new", "m", "--data", "t.csv"])
    assert result.exit_code == 0, result.output
    told = "Read t.csv: separated by semicolons; decimal comma (height (cm)); missing in weight (kg): '-' (5)."
    assert told in result.output
    assert (
        "Gaps: 5 of 80 cells are missing, in 5 of 40 rows. They are summed out, as missing at random" in result.output
    )
    found = CliRunner().invoke(main, ["em", "m", "--n-starts", "2"])
    assert found.exit_code in (0, 1), found.output
    assert "Read data.csv: separated by semicolons" in found.output
    assert "rows named by patient" in found.output
    assert read(tmp_path / "m").data.obs_names[:2] == ("Nr 0", "Nr 1")


def test_a_covariate_has_no_level_for_most_rows(tmp_path):
    notes, days = [f"text {max(i, 3)}" for i in range(N)], ["2024-01-05"] * 20 + ["2024-02-01"] * 20
    frame = pd.DataFrame({"y": COUNTS, "note": notes, "day": days, "sex": YES})
    frame.to_csv(tmp_path / "t.csv", index=False)
    write_model(tmp_path / "m", tmp_path / "t.csv", response="y")
    text = (tmp_path / "m" / "model.toml").read_text()
    assert '# covariates for the formulas: "sex"\n' in text
    assert 'with covariates: "1 + sex"' in text
    assert "note" not in text


def test_stand_ins_for_missing_cells(tmp_path):
    shots = [-999 if i % 8 == 0 else int(v) for i, v in enumerate(COUNTS)]
    pd.DataFrame({"shots": shots, "goals": COUNTS}).to_csv(tmp_path / "t.csv", index=False)
    said = write_model(tmp_path / "m", tmp_path / "t.csv")
    assert "Missing cells: -999, far from all other numbers (na)." in said
    assert tomllib.loads((tmp_path / "m" / "model.toml").read_text())["data"]["na"] == ["-999"]
    assert int(np.isnan(read(tmp_path / "m").data.x).sum()) == 5
    depth = np.linspace(-1200, 0, N).round()
    depth[3] = -999  # a value like others there
    pd.DataFrame({"shots": shots, "x": depth}).to_csv(tmp_path / "u.csv", index=False)
    assert "Missing cells" not in write_model(tmp_path / "n", tmp_path / "u.csv")


STAND_INS = {"decimals": ("csv", "999,0"), "plain": ("csv", "999"), "parquet": ("parquet", 999.0)}


@pytest.mark.parametrize(("kind", "cell"), STAND_INS.values(), ids=STAND_INS)
def test_stand_ins_are_gaps_when_the_folder_is_read(tmp_path, kind, cell):
    if kind == "csv":
        cells = [cell if i % 8 == 0 else f"{h:.1f}".replace(".", ",") for i, h in enumerate(HEIGHTS / 10)]
        (tmp_path / "t.csv").write_text("height;sex\n" + "".join(f"{c};{s}\n" for c, s in zip(cells, YES, strict=True)))
    else:
        heights = np.where(np.arange(N) % 8 == 0, cell, HEIGHTS / 10)
        pd.DataFrame({"height": heights, "sex": YES}).to_parquet(tmp_path / "t.parquet")
    said = write_model(tmp_path / "m", tmp_path / f"t.{kind}")
    assert "Gaps: 5 of 40 cells are missing, in 5 of 40 rows." in said
    data = read(tmp_path / "m").data
    assert (int(np.isnan(data.x).sum()), data.na) == (5, ("999",))


def test_gaps_that_would_be_lost_are_an_error(tmp_path, monkeypatch):
    frame = pd.DataFrame({"height": np.where(np.arange(N) % 8 == 0, -999.0, HEIGHTS)})
    monkeypatch.setattr("bayesmix.inputs.tables.read._without_stand_ins", lambda frame, options: frame)
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(
        ValueError, match=r"5 rows seem to have missing cells, and 0 have them when they are read again"
    ):
        write_model(tmp_path / "m", tmp_path / "t.parquet")
    assert not (tmp_path / "m").exists()


def test_a_name_of_rows_is_not_fitted(tmp_path):
    pd.DataFrame({"a": HEIGHTS, "b": HEIGHTS[::-1]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match="--id: 'a' is among the columns that are fitted; it names the rows"):
        write_model(tmp_path / "m", tmp_path / "t.csv", id="a", columns="a,b")


def test_what_no_column_can_be_is_told(tmp_path):
    (tmp_path / "t.csv").write_text('a,b,c\nu,7,"1,234"\nv,7,"2,345"\n')
    words = "b: constant (7); c: numbers that may be read in two ways: set decimal or thousands"
    with pytest.raises(ValueError, match=re.escape(words)):
        write_model(tmp_path / "m", tmp_path / "t.csv")


def test_names_of_several_lines_are_told_in_one(tmp_path):
    (tmp_path / "t.csv").write_text('"height\n(cm)","weight\n(kg)"\n1.5,2\n2.5,3\n4.5,1\n')
    assert "3 rows, height (cm), weight (kg); gaussian" in write_model(tmp_path / "m", tmp_path / "t.csv")


def test_a_tab_from_a_shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("a\tb,c\n1.5\t2,3\n2.5\t4,5\n")
    result = CliRunner().invoke(main, ["new", "m", "--data", "t.csv", "--sep", r"\t", "--columns", "a", "-k", "1"])
    assert result.exit_code == 0, result.output
    assert read(tmp_path / "m").data.x[:, 0].tolist() == [1.5, 2.5]


def test_gaps_of_a_response_leave_rows_out(tmp_path):
    pd.DataFrame({"y": gapped(COUNTS), "sex": YES}).to_csv(tmp_path / "t.csv", index=False)
    said = write_model(tmp_path / "m", tmp_path / "t.csv", response="y")
    assert 'needs whole rows: missing = "drop" leaves 6 out.' in said
    assert read(tmp_path / "m").data.dropped == 6


def test_how_a_file_is_written_goes_into_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text('1,"1,234",u\n2,"2,345",v\n3,"4,567",x\n5,"9,999",x\n')
    options = ["--no-header", "--thousands", ",", "--na", "x", "--columns", "x2", "--label", "x3", "-k", "2"]
    result = CliRunner().invoke(main, ["new", "m", "--data", "t.csv", *options])
    assert result.exit_code == 0, result.output
    entry = tomllib.loads((tmp_path / "m" / "model.toml").read_text())["data"]
    assert {key: entry[key] for key in ("header", "thousands", "na")} == {
        "header": False,
        "thousands": ",",
        "na": ["x"],
    }
    data = read(tmp_path / "m").data
    assert data.x[:, 0].tolist() == [1234, 2345, 4567, 9999]
    assert data.labelled.tolist() == [True, True, False, False]


def test_a_parquet_file_is_copied_as_it_is(tmp_path):
    pd.DataFrame({"a": HEIGHTS}).to_parquet(tmp_path / "t.parquet")
    assert "data.parquet" in write_model(tmp_path / "m", tmp_path / "t.parquet")
    np.testing.assert_array_equal(read(tmp_path / "m").data.x[:, 0], HEIGHTS)


def test_a_name_with_a_comma_is_quoted(tmp_path):
    (tmp_path / "t.csv").write_text('"height, cm",b\n1.5,2\n2.5,3\n4.5,1\n')
    write_model(tmp_path / "m", tmp_path / "t.csv", columns='"height, cm",b')
    assert read(tmp_path / "m").data.feature_names == ("height, cm", "b")
