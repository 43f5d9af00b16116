"""Tables as they come: what is found out and told, what is an error that names the option; Parquet, Arrow, frames."""

import os
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bayesmix as bm
from bayesmix.inputs.tables import columnar, lines, options, read
from bayesmix.inputs.tables.read import read_table

NAN = float("nan")
UNDERSTOOD = {
    "plain": ("a,b\n1.5,2\n2.5,3\n", {}, {"a": [1.5, 2.5], "b": [2, 3]}, ""),
    "semicolons": ("a;b\n1,5;2\n2,25;3\n", {}, {"a": [1.5, 2.25], "b": [2, 3]}, "semicolons; decimal comma (a)."),
    "tabs": ("a\tb\n1.5\t2\n", {}, {"a": [1.5], "b": [2]}, "separated by tabs."),
    "bars": ("a|b\n1|2\n", {}, {"a": [1], "b": [2]}, "separated by bars."),
    "spaces": ("a b\n1 2\n", {"sep": " "}, {"a": [1], "b": [2]}, "separated by spaces."),
    "a comma in a name": (
        "name;height, cm\nA;1,80\nB;1,7\n",
        {},
        {"name": ["A", "B"], "height, cm": [1.8, 1.7]},
        "semicolons; decimal comma",
    ),
    "quoted commas": ('a,b\n"x, y",1\n"z",2\n', {}, {"a": ["x, y", "z"], "b": [1, 2]}, ""),
    "quoted lines": ('a,b\n"x\ny",1\n', {}, {"a": ["x\ny"], "b": [1]}, ""),
    "a cell decides": ("a;b\n1,234;x\n1,5;y\n", {}, {"a": [1.234, 1.5], "b": ["x", "y"]}, "decimal comma (a)"),
    "a zero decides": ("a;b\n0,123;x\n1,234;y\n", {}, {"a": [0.123, 1.234], "b": ["x", "y"]}, "decimal comma (a)"),
    "another column decides": ("a;b\n1,234;1,5\n", {}, {"a": [1.234], "b": [1.5]}, "decimal comma (a, b)"),
    "both marks": ("a;b\n1.234,5;x\n2,0;y\n", {}, {"a": [1234.5, 2], "b": ["x", "y"]}, "thousands by '.' (a)"),
    "american": ('a,b\n"1,234.5",x\n7,y\n', {}, {"a": [1234.5, 7], "b": ["x", "y"]}, "thousands by ',' (a)"),
    "millions": ('a,b\n"1,234,567",x\n', {}, {"a": [1234567], "b": ["x"]}, "thousands by ',' (a)"),
    "swiss": ("a;b\n1'234.5;x\n", {}, {"a": [1234.5], "b": ["x"]}, 'thousands by "\'" (a)'),
    "french": ("a;b\n1\u00a0234,5;x\n", {}, {"a": [1234.5], "b": ["x"]}, "decimal comma, thousands by '\\xa0' (a)"),
    "a long minus": ("a;b\n\u22121,5;x\n", {}, {"a": [-1.5], "b": ["x"]}, "decimal comma (a)"),
    "said thousands": ('a,b\n"1,234",x\n', {"thousands": ","}, {"a": [1234], "b": ["x"]}, "thousands by ','"),
    "said decimal": ('a,b\n"1,234",x\n', {"decimal": ","}, {"a": [1.234], "b": ["x"]}, "decimal comma."),
    "said comma, points": ("a;b\n1.234;x\n", {"decimal": ","}, {"a": [1234], "b": ["x"]}, "thousands by '.'"),
    "said thousands, points": ("a;b\n1.234;x\n", {"thousands": "."}, {"a": [1234], "b": ["x"]}, "thousands by '.' (a)"),
    "points stay": ("a,b\n1.234,x\n2.345,y\n", {}, {"a": [1.234, 2.345], "b": ["x", "y"]}, ""),
    "dates stay": (
        "a;b\n01.02.2024;1,5\n13.02.2024;2\n",
        {},
        {"a": ["01.02.2024", "13.02.2024"], "b": [1.5, 2]},
        "(b)",
    ),
    "gaps in numbers": ("a,b\n1,-\n2,?\n3,7\n", {}, {"a": [1, 2, 3], "b": [NAN, NAN, 7]}, "in b: '-' (1), '?' (1)"),
    "spreadsheet errors": ("a,b\n1,#DIV/0!\n2,7\n", {}, {"a": [1, 2], "b": [NAN, 7]}, "in b: '#DIV/0!' (1)"),
    "gaps beside commas": ("a;b\n1,5;k\n.;l\n", {}, {"a": [1.5, NAN], "b": ["k", "l"]}, "missing in a: '.' (1)"),
    "gaps in words stay": ("a,b\nyes,1\n?,2\n", {}, {"a": ["yes", "?"], "b": [1, 2]}, ""),
    "said gaps": ("a,b\n1,-9\nx,2\n", {"na": ["x", -9]}, {"a": [1, NAN], "b": [NAN, 2]}, "wherever 'x', '-9' stands"),
    "no header": ("1.5,2\n2.5,1\n", {}, {"x1": [1.5, 2.5], "x2": [2, 1]}, "no header, so that columns are x1, x2."),
    "no header, words": ("5.1,setosa\n4.9,setosa\n", {}, {"x1": [5.1, 4.9], "x2": ["setosa"] * 2}, "no header"),
    "no header, one column": ("9.17\n9.35\n", {}, {"x": [9.17, 9.35]}, "no header, so that columns are x."),
    "no header, a gap": ("1.5,,3\n2,1,4\n", {}, {"x1": [1.5, 2], "x2": [NAN, 1], "x3": [3, 4]}, "no header"),
    "numbers of both": ("1,5;2,5\n3,5;4,5\n", {}, {"x1": [1.5, 3.5], "x2": [2.5, 4.5]}, "semicolons; decimal comma"),
    "years as header": ("2019,2020\n1,2\n", {"header": True}, {"2019": [1], "2020": [2]}, ""),
    "years as row": ("2019,2020\n1,2\n", {"header": False}, {"x1": [2019, 1], "x2": [2020, 2]}, "no header"),
    "doses beside names": (
        "Patient ID,1,20\nAnn,2,30\nBob,3,40\n",
        {},
        {"Patient ID": ["Ann", "Bob"], "1": [2, 3], "20": [30, 40]},
        "",
    ),
    "doses beside words": ("id,0.1,0.5\nu,1,2\nv,3,4\n", {}, {"id": ["u", "v"], "0.1": [1, 3], "0.5": [2, 4]}, ""),
    "written with its index": (",0,1\n0,1.5,2\n", {}, {"Unnamed: 0": [0], "0": [1.5], "1": [2]}, ""),
    "one column of commas": ("x\n1,5\n2,5\n", {"sep": ";"}, {"x": [1.5, 2.5]}, "decimal comma (x)"),
    "spaces around": ("a, b\n 1 , 2\n", {}, {"a": [1], "b": [2]}, ""),
    "spaces around names": ('"a b ", c \n1,2\n', {}, {"a b": [1], "c": [2]}, ""),
    "said numbers, decimals": (
        "a;b\n999,0;1\n-999,0;2\n1,5;3\n",
        {"na": ["999", -999]},
        {"a": [NAN, NAN, 1.5], "b": [1, 2, 3]},
        "wherever '999', '-999' stands",
    ),
    "said numbers, thousands": ('a,b\n"9,999.0",1\n2,3\n', {"na": [9999]}, {"a": [NAN, 2], "b": [1, 3]}, "'9999'"),
    "gaps among words": (
        "a,b\nyes,1\nNone,2\nNA,3\n,4\nNA,5\n",
        {},
        {"a": ["yes", None, None, None, None], "b": [1, 2, 3, 4, 5]},
        "missing in a: 'None' (1), 'NA' (2).",
    ),
    "empty columns at the end": (
        "a,b,,\n1,2,,\n3,,,\n",
        {},
        {"a": [1, 3], "b": [2, NAN]},
        "empty columns left out at the end: 2.",
    ),
    "a column without a name": ("a,b,\n1,2,\n3,4,5\n", {}, {"a": [1, 3], "b": [2, 4], "Unnamed: 2": [NAN, 5]}, ""),
    "spreadsheets' own line": ("sep=;\na;b\n1;2\n", {}, {"a": [1], "b": [2]}, "separated by semicolons."),
    "spreadsheets' own line, commas": ('"sep=,"\r\na,b\r\n1,2\r\n', {}, {"a": [1], "b": [2]}, ""),
    "ids without header, said": (
        "p1,5.6,3.5\np2,4.9,3.0\n",
        {"header": False},
        {"x1": ["p1", "p2"], "x2": [5.6, 4.9], "x3": [3.5, 3.0]},
        "no header",
    ),
    "a year beside a name above numbers": ("id,n,2019\nA,3,5\n", {}, {"id": ["A"], "n": [3], "2019": [5]}, ""),
}


@pytest.mark.parametrize(("text", "said", "columns", "told"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_what_is_understood_is_told(tmp_path, text, said, columns, told):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    table = read_table(tmp_path / "t.csv", **said)
    rows = pd.RangeIndex(1, 1 + len(next(iter(columns.values()))))
    wanted = pd.DataFrame(columns, index=rows)
    pd.testing.assert_frame_equal(table.frame, wanted, check_dtype=False)
    assert told in table.told
    assert bool(told) == bool(table.told)
    assert "\n" not in table.told


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes("Größe;Ort\n1,5;Île d\u2019Yeu\n2,5;Århus\n".encode(encoding))
    table = read_table(tmp_path / "t.csv")
    assert table.frame.to_dict("list") == {"Größe": [1.5, 2.5], "Ort": ["Île d\u2019Yeu", "Århus"]}
    assert (encoding in table.told) == (encoding not in ("utf-8", "utf-8-sig"))
    assert read_table(tmp_path / "t.csv", encoding=encoding).frame.equals(table.frame)


FOREIGN_TEXT = {
    "cp1251": "\u0420\u0430\u0437\u043c\u0435\u0440;\u0412\u0435\u0441\n1;2\n",
    "cp850": "Größe;x\n1;2\n",
    "cp1250": "žluťoučký;kůň\n1;2\n",
}


@pytest.mark.parametrize("encoding", FOREIGN_TEXT)
def test_other_encodings_must_be_said(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes(FOREIGN_TEXT[encoding].encode(encoding))
    with pytest.raises(ValueError, match=r"t\.csv: is not UTF-8 text: .* at byte \d+; set encoding, such as 'cp1252'"):
        read_table(tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv", encoding=encoding)
    assert list(table.frame) == FOREIGN_TEXT[encoding].split("\n")[0].split(";")
    with pytest.raises(ValueError, match=r"t\.csv: is not ascii text"):
        read_table(tmp_path / "t.csv", encoding="ascii")


REFUSED = {
    "numbers as header": ("1,2,3\n4,5,6\n", {}, "the first line holds numbers alone (1,2,3), which may be names"),
    "ids without a header": (
        "p001,5.6,3.58\np002,4.9,3.1\n",
        {},
        "the first line holds words and numbers (p001,5.6,3.58), which may be names or values: set header = true or",
    ),
    "ids without a header, ascending": ("p001,3.5,5.6\np002,3.1,4.9\n", {}, "the first line holds words and numbers"),
    "names, ascending": ("Ann,5,7\nBob,2,9\nCid,6,3\n", {}, "the first line holds words and numbers (Ann,5,7)"),
    "names, counted": ("Ann,1,20\nBob,2,30\nCid,3,40\n", {}, "the first line holds words and numbers (Ann,1,20)"),
    "names without a header": ("Ann,1.5\nBob,2.5\n", {}, "words and numbers (Ann,1.5), which may be names or values"),
    "ragged under a spreadsheet's line": ("sep=;\na;b\n1;2\n1;2;3\n", {}, "row 2 (line 4) has 3 fields"),
    "two separators": ("a;b,c\n1;2,x\n", {}, "fields may be separated by commas or semicolons: set sep, such"),
    "a comma in a single column": ("x\n1,5\n2,5\n", {}, 'decimal commas in a single column, set sep = ";"'),
    "points beside commas": ("a;b\n1.234;1,5\n2.345;2,5\n", {}, "column 'a', row 1: '1.234' may be 1.234 or 1234"),
    "points and gaps": ("a;b\n1.234;1,5\n-;2,5\n", {}, "column 'a', row 1: '1.234' may be 1.234 or 1234"),
    "many ragged rows": (
        "a,b\n" + "1,2\n" * 88 + "1,2,3\n" * 12,
        {},
        "the row is '1,2,3' (rows of another width: 12 of 100)",
    ),
    "excel": (b"PK\x03\x04rest", {}, "is a ZIP archive or an Excel workbook: save the sheet as CSV"),
    "old excel": (b"\xd0\xcf\x11\xe0rest", {}, "is an old Excel workbook"),
    "gzip": (b"\x1f\x8brest", {}, "is compressed by gzip: unpack it"),
    "bytes": (b"a,b\n1,\x00\x01\n", {}, "is no text: byte 6 is zero"),
    "sep": ("a,b\n1,2\n", {"sep": ";;"}, "sep: must be one character between fields, such"),
    "decimal": ("a,b\n1,2\n", {"decimal": "x"}, "decimal: must be '.' or ','; got 'x'"),
    "thousands": ("a,b\n1,2\n", {"thousands": "x"}, "thousands: must be ',', '.', an apostrophe or a space; got 'x'"),
    "thousands as decimal": (
        "a\n1\n",
        {"thousands": ".", "decimal": "."},
        "thousands: must differ from decimal; both are '.'",
    ),
    "encoding": ("a,b\n1,2\n", {"encoding": "base64"}, "encoding: must be a text encoding, such as 'utf-8'"),
    "na": ("a,b\n1,2\n", {"na": [True]}, "na: must be texts or numbers that mark a missing cell; got True"),
    "header": ("a,b\n1,2\n", {"header": "no"}, "header: must be true (the first line holds names) or false; got 'no'"),
}


@pytest.mark.parametrize(("text", "said", "words"), REFUSED.values(), ids=REFUSED)
def test_what_may_be_mistaken_is_one_error(tmp_path, text, said, words):
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        read_table(tmp_path / "t.csv", **said)
    assert "\n" not in str(caught.value)


UNUSABLE = {
    "thousands or decimals": (
        'p,q\n"1,234",1\n"2,345",2\n',
        "'1,234' (and 1 more rows); it may be 1.234 or 1234: say which by decimal",
    ),
    "a word among decimal commas": ("p;q\n1,5;1\nabc;2\n2,5;3\n", "column 'p', row 2 is not a finite number: 'abc'"),
    "a date": (
        "p,q\n2024-01-31,1\n2024-02-01,2\n",
        "row 1 is not a finite number: '2024-01-31' (and 1 more rows); dates",
    ),
    "a unit": ("p,q\n12 kg,1\n13 kg,2\n", "column 'p', row 1 is not a finite number: '12 kg'"),
    "both marks": ("p;q\n1,5;1\n1.5;2\n", "column 'p', row 1 is not a finite number: '1,5'"),
}


@pytest.mark.parametrize(("text", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_column_that_is_no_number_is_an_error_where_it_is_used(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    assert bm.Data.read_csv(tmp_path / "t.csv", columns=["q"]).feature_names == ("q",)
    data = bm.Data.read_csv(tmp_path / "t.csv", columns=["p", "q"])
    with pytest.raises(ValueError, match=re.escape(words)):
        bm.resolve(bm.Mixture("gaussian", n_components=1), data)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(ValueError, match=r"t\.csv: is no plain file"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(ValueError, match=r"u\.csv: the file does not exist"):
        read_table(tmp_path / "u.csv")


def test_caps(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 20)
    monkeypatch.setattr(lines, "MOST_FILE_ROWS", 10)
    with pytest.raises(ValueError, match=r"t\.csv: there are more than 10 rows, the most that are read"):
        read_table(path)
    monkeypatch.setattr(lines, "MOST_FILE_ROWS", 100)
    monkeypatch.setattr(lines, "MOST_FILE_COLUMNS", 1)
    with pytest.raises(ValueError, match=r"t\.csv: there are 2 columns; at most 1 are read"):
        read_table(path)
    monkeypatch.setattr(lines, "MOST_LINE", 3)
    with pytest.raises(ValueError, match=r"t\.csv: line 1 has more than 3 characters"):
        read_table(path)
    monkeypatch.setattr(read, "MOST_BYTES", 20)
    with pytest.raises(ValueError, match=r"t\.csv: has 84 bytes; at most 20 are read"):
        read_table(path)
    assert options.MOST_FILE_ROWS * 8 < 1 << 28


FRAME = pd.DataFrame({"id": ["p1", "p2", "p3"], "height": [1.5, 2.5, 4.0], "n": [1, 2, 3], "sex": ["f", None, "m"]})


@pytest.mark.parametrize("kind", ["parquet", "feather", "csv"])
def test_files_of_columns_are_the_same_rows(tmp_path, kind):
    path = tmp_path / f"t.{kind}"
    {"parquet": FRAME.to_parquet, "feather": FRAME.to_feather, "csv": lambda p: FRAME.to_csv(p, index=False)}[kind](
        path
    )
    data = bm.Data.read_csv(path, columns=["height", "n"], label="sex", id="id")
    assert data.obs_names == ("p1", "p2", "p3")
    np.testing.assert_array_equal(data.x, [[1.5, 1], [2.5, 2], [4, 3]])
    assert data.labelled.tolist() == [True, False, True]


def test_a_named_index_of_parquet_is_a_column(tmp_path):
    FRAME.set_index("id").to_parquet(tmp_path / "t.parquet")
    assert bm.Data.read_csv(tmp_path / "t.parquet", columns=["n"], id="id").obs_names == ("p1", "p2", "p3")
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:200])
    with pytest.raises(ValueError, match=r"t\.parquet: cannot be read"):
        read_table(tmp_path / "t.parquet")


def test_what_marks_a_gap_does_so_in_files_of_columns(tmp_path):
    marked = FRAME.assign(n=[1, -9, 3], group=pd.Categorical(["u", "x", "u"]))
    marked.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet", na=[-9, "x", "p3"])
    assert table.told == "Read t.parquet: missing wherever '-9', 'x', 'p3' stands."
    assert table.frame.isna().sum().to_dict() == {"id": 1, "height": 0, "n": 1, "sex": 1, "group": 1}
    assert read_table(tmp_path / "t.parquet").told == ""


SCALED = {"by name": {"columns": ["x", "y"]}, "all others": {}}


@pytest.mark.parametrize("said", SCALED.values(), ids=SCALED)
def test_scale_is_of_the_features_alone(tmp_path, said):
    (tmp_path / "t.csv").write_text("k,x,y,g,w\nu,1000,2000,a,1\nv,3000,4000,b,2\n")
    data = bm.Data.read_csv(tmp_path / "t.csv", scale=0.001, id="k", label="g", row_weights="w", **said)
    np.testing.assert_allclose(data.x, [[1, 2], [3, 4]], rtol=1e-12)
    assert (data.scale, data.obs_names, data.row_weights.tolist()) == (0.001, ("u", "v"), [1, 2])


WRONG_SCALES = {"text": "x", "true": True, "zero": 0, "infinite": float("inf")}


@pytest.mark.parametrize("scale", WRONG_SCALES.values(), ids=WRONG_SCALES)
def test_a_scale_is_a_positive_number(tmp_path, scale):
    (tmp_path / "t.csv").write_text("x,y\n1,2\n")
    with pytest.raises(ValueError, match=f"scale: must be a positive number; got {scale!r}"):
        bm.Data.read_csv(tmp_path / "t.csv", scale=scale)
    with pytest.raises(ValueError, match=r"scale: is for columns of measurements, not for counts \(response\)"):
        bm.Data.read_csv(tmp_path / "t.csv", scale=2, response="x")


def test_caps_of_files_of_columns(tmp_path, monkeypatch):
    FRAME.to_parquet(tmp_path / "t.parquet")
    FRAME.to_feather(tmp_path / "t.feather")
    monkeypatch.setattr(columnar, "MOST_FILE_ROWS", 2)
    for name in ("t.parquet", "t.feather"):
        with pytest.raises(ValueError, match=rf"{name}: there are 3 rows and 4 columns; at most 2 and 10,000"):
            read_table(tmp_path / name)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_rows_named_by_a_column(make):
    data = bm.Data(make(FRAME.drop(columns="sex")), id="id")
    assert (data.id, data.obs_names, data.feature_names) == ("id", ("p1", "p2", "p3"), ("height", "n"))
    assert "rows named by id" in repr(data)
    counts = bm.Data(make(FRAME), response="n", id="id")
    assert list(counts.covariates) == ["height", "sex"]
    assert list(counts.covariates.index) == ["p1", "p2", "p3"]
    back = bm.Data.from_dataset(counts.take([2, 0]).to_dataset())
    assert (back.id, back.obs_names) == ("id", ("p3", "p1"))


def test_labels_go_by_the_index_though_rows_are_named_by_a_column():
    labels = pd.Series(["u", "v", "w"], index=[2, 1, 0])
    data = bm.Data(FRAME[["id", "n"]], labels, id="id")
    assert [data.classes[k] for k in data.class_evidence.argmax(axis=1)] == ["w", "v", "u"]


BAD_IDS = {
    "unknown": ({"id": ["a", "b"], "x": [1, 2]}, "name", "id: no column 'name'; the columns are id, x"),
    "twice": ({"id": ["a", "b", "a"], "x": [1, 2, 3]}, "id", "id: column 'id' names rows 1 and 3 alike, 'a'"),
    "as text": ({"id": [1.0, "1"], "x": [1, 2]}, "id", "id: column 'id' names rows 1 and 2 alike, '1'"),
    "missing": ({"id": ["a", None], "x": [1, 2]}, "id", "id: column 'id', row 2 is missing"),
    "empty": ({"id": ["", "b"], "x": [1, 2]}, "id", "id: column 'id', row 1 is missing"),
    "alone": ({"id": ["a", "b"]}, "id", "id: 'id' is the only column"),
}


@pytest.mark.parametrize(("columns", "id", "words"), BAD_IDS.values(), ids=BAD_IDS)
def test_wrong_names_of_rows(columns, id, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        bm.Data(pd.DataFrame(columns), id=id)


def test_names_keep_their_zeros(tmp_path):
    (tmp_path / "t.csv").write_text("patient,x\n007,1\n010,2\n")
    assert bm.Data.read_csv(tmp_path / "t.csv", id="patient").obs_names == ("007", "010")
    with pytest.raises(ValueError, match=r"t\.csv: id: 'x' is among the columns that are fitted"):
        bm.Data.read_csv(tmp_path / "t.csv", columns=["x"], id="x")
    with pytest.raises(ValueError, match=r"seperator: no such argument; choose from columns, response"):
        bm.Data.read_csv(tmp_path / "t.csv", seperator=";")


def test_an_old_file_has_neither():
    dataset = bm.Data([1.0, 2.0]).to_dataset()
    assert dataset.attrs == {"dropped": 0}
    assert (bm.Data.from_dataset(dataset).id, bm.Data.from_dataset(dataset).read_as) == ("", "")
    told = bm.Data([1.0, 2.0]).with_source("Read t.csv: separated by tabs.")
    assert bm.Data.from_dataset(told.to_dataset()).read_as == "Read t.csv: separated by tabs."
    marked = bm.Data([1.0, 2.0]).with_source("", 1.0, ("-9", "x"))
    assert (bm.Data.from_dataset(dataset).na, bm.Data.from_dataset(marked.to_dataset()).na) == ((), ("-9", "x"))
