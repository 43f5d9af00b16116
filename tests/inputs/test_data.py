"""Data: what is accepted, and what is refused with its column, row and value."""

import re

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.inputs.data import evenly
from bayesmix.inputs.tables.read import read_table

INF = float("inf")
NUMBERS = bm.Mixture("gaussian", n_components=1)
"""A family that takes numbers alone, without gaps."""


def test_arrays_frames_and_series_are_one():
    column = [1.0, 2.0, 4.0]
    for X in (column, np.array(column), np.array(column)[:, None], pd.Series(column), pd.DataFrame({"x": column})):
        data = bm.Data(X)
        assert data.feature_names == ("x",)
        assert data.obs_names == ("1", "2", "3")
        np.testing.assert_array_equal(data.x, np.array(column)[:, None])
    assert bm.Data(np.ones((2, 3))).feature_names == ("x1", "x2", "x3")
    assert bm.Data(pd.Series(column, name="height", index=["u", "v", "w"])).obs_names == ("u", "v", "w")


@pytest.mark.parametrize(("n", "most", "kept"), [(7, 3, [0, 3, 6]), (3, 7, [0, 1, 2]), (1, 1, [0]), (0, 5, [])])
def test_places_are_evenly_spaced_from_the_first_to_the_last(n, most, kept):
    assert evenly(n, most).tolist() == kept


def test_a_response_leaves_the_covariates():
    data = bm.Data(pd.DataFrame({"a": ["p", "q"], "y": [0, 3], "b": [1, 2]}), response="y")
    assert data.feature_names == ("y",)
    assert list(data.covariates) == ["a", "b"]


@pytest.mark.parametrize("cell", [np.nan, None, pd.NA])
def test_missing_cells_stay_or_their_rows_go(cell):
    frame = pd.DataFrame({"a": [1.0, cell, 3.0, 4.0], "b": [5.0, 6.0, cell, 8.0]}, index=list("wxyz"))
    extra = {"labels": ["p", "q", None, "p"], "row_weights": [1, 2, 3, 4], "truth": list("ppqq")}
    data = bm.Data(frame, **extra)
    np.testing.assert_array_equal(data.x, [[1, 5], [np.nan, 6], [3, np.nan], [4, 8]])
    assert data.gaps
    assert repr(data).endswith("weighted; 2 cells missing)")
    dropped = bm.Data(frame, **extra, missing="drop")
    assert dropped.obs_names == ("w", "z")
    assert (dropped.dropped, dropped.gaps) == (2, False)
    np.testing.assert_array_equal(dropped.row_weights, [1, 4])
    assert list(dropped.truth) == ["p", "q"]
    assert dropped.classes == ("p", "q")
    assert repr(dropped).endswith("2 rows with missing cells left out)")
    for kept in (data, dropped):
        again = bm.Data.from_dataset(kept.to_dataset())
        np.testing.assert_array_equal(again.x, kept.x)
        assert again.dropped == kept.dropped
    assert bm.Data(frame.iloc[[0, 3]], missing="drop").dropped == 0


@pytest.mark.parametrize("nothing", [None, np.nan, -1, "", pd.NA])
def test_nothing_known_is_written_in_several_ways(nothing):
    data = bm.Data([1.0, 2.0, 3.0], labels=["b", nothing, "a"])
    assert data.classes == ("a", "b")
    assert list(data.labelled) == [True, False, True]
    expected = [[-np.inf, 0.0, -np.inf], [0.0, 0.0, 0.0], [0.0, -np.inf, -np.inf]]
    np.testing.assert_array_equal(data.evidence(("a", "b", "component_1")), expected)


def test_numbers_are_classes_however_they_are_stored():
    for labels in ([1, 2, 1], [1.0, 2.0, np.nan], ["1", "2", None]):
        assert bm.Data([1.0, 2.0, 3.0], labels=labels).classes == ("1", "2")
    assert bm.Data([1.0, 2.0, 3.0], labels=[10**30, -1, np.nan]).classes == (str(10**30),)


def test_sets_and_probabilities_are_evidence():
    sets = bm.Data([1.0, 2.0], labels=[{"a", "b"}, "c"])
    np.testing.assert_array_equal(sets.evidence(("a", "b", "c")), [[0, 0, -np.inf], [-np.inf, -np.inf, 0]])
    soft = bm.Data([1.0, 2.0], labels=pd.DataFrame({"a": [0.2, np.nan], "b": [0.8, np.nan]}))
    np.testing.assert_allclose(soft.evidence(("a", "b")), [np.log([0.2, 0.8]), [0, 0]])
    np.testing.assert_array_equal(soft.evidence(("a", "b", "component_1"))[0, 2], -np.inf)


def test_nested_lists_are_probabilities():
    rows = [[0.9, 0.1], [np.nan, np.nan]]
    for labels in (rows, tuple(map(tuple, rows)), [np.array(row) for row in rows], np.array(rows)):
        data = bm.Data([1.0, 2.0], labels=labels, classes=["u", "v"])
        np.testing.assert_allclose(data.evidence(("u", "v")), [np.log([0.9, 0.1]), [0, 0]])
    assert bm.Data([1.0, 2.0], labels=rows).classes == ("class_1", "class_2")
    assert bm.Data([1.0, 2.0], labels=[frozenset("ab"), None]).classes == ("a", "b")


def test_rows_are_known_where_one_class_alone_is_possible():
    data = bm.Data(np.arange(4.0), labels=["a", {"a", "b"}, {"b"}, None])
    np.testing.assert_array_equal(data.known, [True, False, True, False])
    soft = bm.Data(np.arange(3.0), labels=[[1, 0], [0.9, 0.1], [np.nan, np.nan]])
    np.testing.assert_array_equal(soft.known, [True, False, False])
    assert not data.without_labels().known.any()
    assert not bm.Data([1.0, 2.0]).known.any()


def test_evidence_for_components_that_lack_a_class():
    with pytest.raises(ValueError, match="the class 'b' is none of the components a, c"):
        bm.Data([1.0, 2.0], labels=["a", "b"]).evidence(("a", "c"))


def test_rows_are_taken_with_all_that_belongs_to_them():
    frame = pd.DataFrame({"y": [0, 1, 2], "a": ["p", "q", "r"]})
    labels = [None, "poisson", None]
    data = bm.Data(frame, labels, row_weights=[1, 2, 3], response="y", truth=["u", "v", "w"])
    part = data.take([False, True, True])
    assert part.obs_names == ("2", "3")
    assert list(part.covariates["a"]) == ["q", "r"]
    assert list(part.row_weights) == [2, 3]
    assert list(part.truth) == ["v", "w"]
    assert list(part.labelled) == [True, False]
    assert not part.without_labels().labelled.any()
    assert part.weighted


@pytest.mark.parametrize("labels", [None, [None, "poisson", None]])
def test_a_dataset_holds_all_of_it(labels):
    frame = pd.DataFrame({"y": [0, 1, 2], "a": ["p", "q", "r"], "b": [0.5, 1.5, 2.5]})
    data = bm.Data(frame, labels, row_weights=[1, 2, 3], response="y", truth=["u", "v", "w"])
    back = bm.Data.from_dataset(data.to_dataset())
    for name in ("feature_names", "classes", "obs_names"):
        assert getattr(back, name) == getattr(data, name)
    for name in ("x", "class_evidence", "labelled", "row_weights", "truth"):
        np.testing.assert_array_equal(getattr(back, name), getattr(data, name))
    assert back.covariates.to_dict("list") == data.covariates.to_dict("list")


BAD_CSV = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n\n", "the file is empty, or its first line is blank"),
    "header only": (b"a,b\n", "there is a header and no rows"),
    "header and blanks": (b"a,b\n\n\n", "there is a header and no rows"),
    "extra field": (b"a,b\n1,2\n3,4,5\n", "row 2 (line 3) has 3 fields, the header has 2; the row is '3,4,5'"),
    "extra field throughout": (b"a,b\n1,2,3\n4,5,6\n", "row 1 (line 2) has 3 fields, the header has 2"),
    "missing field": (b"a,b\n1,2\n3\n", "row 2 (line 3) has 1 fields, the header has 2; the row is '3'"),
    "blank line": (b"a\n1\n\n3\n", "line 3 is blank"),
    "column twice": (b"a,b,a\n1,2,3\n", "the column 'a' occurs twice in the header"),
    "open quote": (b'a,b\n"1,2\n', "cannot be read as CSV"),
    "not text": (b"a\n\xff\xfe\n", "is not UTF-8 text"),
}


@pytest.mark.parametrize(("text", "words"), BAD_CSV.values(), ids=BAD_CSV)
def test_a_wrong_csv_is_refused_with_its_line(tmp_path, text, words):
    (tmp_path / "t.csv").write_bytes(text)
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        read_table(tmp_path / "t.csv")
    assert str(tmp_path / "t.csv") in str(caught.value)


def test_a_csv_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"t.csv: the file does not exist"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        b"a,b\n1,x\n2,\n",
        b"a,b\r\n1,x\r\n2,\r\n",
        b"\xef\xbb\xbfa,b\n1,x\n2,\n\n\n",
        b'"a","b"\n1,"x"\n2,""',
        b"a, b\n1, x\n2, \n",
    ],
    ids=["plain", "windows", "byte order mark", "quoted", "spaced"],
)
def test_a_csv_is_read(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(text)
    frame = read_table(tmp_path / "t.csv").frame
    assert list(frame.columns) == ["a", "b"]
    assert list(frame["a"]) == [1, 2]
    assert frame["b"][1] == "x"
    assert pd.isna(frame["b"][2])
