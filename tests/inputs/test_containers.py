"""Data in whatever users keep them in: names, masks and indexes are kept, and nothing is taken for what it is not."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bayesmix as bm
from bayesmix.inputs.tables.read import read_table

FRAME = pd.DataFrame({"a": [1.0, 2.0, 8.0, 9.0], "b": [1.0, 3.0, 7.0, 9.5]}, index=["p", "q", "r", "s"])
LABELS = pd.Series(["low", None, "high", "high"], index=FRAME.index)
WEIGHTS = pd.Series([1.0, 2.0, 3.0, 4.0], index=FRAME.index)
ORDER = [2, 0, 3, 1]
NUMBERS = bm.Mixture("gaussian", n_components=1)


def test_what_has_an_index_goes_by_it():
    shuffled = FRAME.iloc[ORDER]
    data = bm.Data(shuffled, LABELS, row_weights=WEIGHTS, truth=WEIGHTS)
    by_hand = bm.Data(
        shuffled, LABELS.iloc[ORDER], row_weights=WEIGHTS.iloc[ORDER].to_numpy(), truth=list(WEIGHTS.iloc[ORDER])
    )
    np.testing.assert_array_equal(data.row_weights, [3, 1, 4, 2])
    np.testing.assert_array_equal(data.truth, ["3", "1", "4", "2"])
    np.testing.assert_array_equal(data.class_evidence, by_hand.class_evidence)
    np.testing.assert_array_equal(data.labelled, [True, True, True, False])
    assert data.obs_names == ("r", "p", "s", "q")
    table = pd.DataFrame({"u": [0.9, 0.8, 0.1, 0.2], "v": [0.1, 0.2, 0.9, 0.8]}, index=FRAME.index)
    np.testing.assert_allclose(np.exp(bm.Data(shuffled, table).class_evidence), table.to_numpy()[ORDER])
    frames = bm.Data(shuffled, LABELS.to_frame(), row_weights=WEIGHTS.to_frame())
    np.testing.assert_array_equal(frames.class_evidence, by_hand.class_evidence)
    np.testing.assert_array_equal(frames.row_weights, [3, 1, 4, 2])


def test_weights_of_shuffled_rows_give_the_fit_of_replicated_rows():
    """scikit-learn on replicated rows: weights 0.2065, 0.7935."""
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(3)
    X = pd.DataFrame({"x": np.r_[rng.normal(0, 1, 30), rng.normal(6, 1, 30)]})
    w = pd.Series(np.r_[np.ones(30), np.full(30, 9.0)], index=X.index)
    peer = GaussianMixture(2, n_init=5, tol=1e-9, reg_covar=0, random_state=0, max_iter=1000)
    right = np.sort(peer.fit(np.repeat(X.to_numpy(), w.astype(int), axis=0)).weights_)
    em = bm.fit_em(
        bm.Mixture("gaussian", n_components=2), bm.Data(X.sample(frac=1, random_state=0), row_weights=w), n_starts=3
    )
    np.testing.assert_allclose(np.sort(em.params["weights"]), right, atol=1e-4)


@pytest.mark.parametrize("argument", ["labels", "row_weights", "truth"])
def test_another_index_is_refused(argument):
    values = pd.Series([1, 2, 3, 4], index=list("pqrt"))
    for wrong in (values, values.reset_index(drop=True), values.set_axis(list("ppqq"), axis=0)):
        with pytest.raises(ValueError, match=rf"{argument}: their index differs .* use {argument}\.loc\[X\.index\]"):
            bm.Data(FRAME, **{argument: wrong})
    bm.Data(FRAME, **{argument: values.to_numpy()})
    bm.Data(FRAME.to_numpy(), **{argument: values})  # an array has no index to go by
    bm.Data(FRAME.reset_index(drop=True), **{argument: values.reset_index(drop=True)})
    same = FRAME.set_axis(list("ppqq"), axis=0)
    np.testing.assert_array_equal(bm.Data(same, row_weights=values.set_axis(same.index, axis=0)).row_weights, values)


@pytest.mark.parametrize("argument", ["labels", "row_weights", "truth"])
@pytest.mark.parametrize("wrong", [{0: "a", 1: "b"}, {"a", "b"}, "ab", 1, b"ab", None], ids=str)
def test_what_is_no_sequence_is_refused(argument, wrong):
    if wrong is None:
        assert bm.Data(FRAME, **{argument: None}).truth is None
        return
    with pytest.raises(ValueError, match=f"{argument}: must be a sequence with one entry per row"):
        bm.Data(FRAME, **{argument: wrong})


def test_masked_cells_are_missing():
    masked = np.ma.masked_array(FRAME.to_numpy(), mask=[[0, 0], [0, 1], [0, 0], [0, 0]])
    np.testing.assert_array_equal(np.isnan(bm.Data(masked).x), masked.mask)
    np.testing.assert_array_equal(bm.Data(np.ma.masked_equal([1, 2, 3], 3)).x, [[1], [2], [np.nan]])
    np.testing.assert_array_equal(bm.Data(np.ma.masked_array(FRAME.to_numpy())).x, FRAME)
    labels = np.ma.masked_array([1, 2, 1, 2], mask=[0, 1, 0, 0])
    data = bm.Data(FRAME, labels)
    assert data.classes == ("1", "2")
    np.testing.assert_array_equal(data.labelled, [True, False, True, True])
    with pytest.raises(ValueError, match="row_weights: must be finite and not negative; row 2 is None"):
        bm.Data(FRAME, row_weights=labels)
    with pytest.raises(ValueError, match="truth: row 2 is missing"):
        bm.Data(FRAME, truth=labels)
    soft = np.ma.masked_array([[0.9, 0.1]] * 4, mask=[[0, 0], [1, 1], [0, 0], [0, 0]])
    np.testing.assert_array_equal(bm.Data(FRAME, soft).labelled, [True, False, True, True])


TABLES = {
    "polars": lambda columns: pl.DataFrame(columns),
    "arrow": lambda columns: pa.table(columns),
    "nullable": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "structured": lambda columns: np.rec.fromarrays(list(map(np.array, columns.values())), names=list(columns)),
    "arrow in pandas": lambda columns: pd.DataFrame(columns).convert_dtypes(dtype_backend="pyarrow"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_other_tables_keep_their_names(kind):
    data = bm.Data(TABLES[kind]({"height": [1.5, 2.5, 4.0], "width": [1, 2, 3]}))
    assert data.feature_names == ("height", "width")
    np.testing.assert_array_equal(data.x, [[1.5, 1], [2.5, 2], [4, 3]])
    assert data.obs_names == ("1", "2", "3")
    columns = {"y": [0, 3, 1, 0, 2, 5], "age": [1, 2, 3, 5, 4, 6], "sex": list("fmfmfm"), "ok": [True, False] * 3}
    counts = bm.Data(TABLES[kind](columns), response="y")
    assert list(counts.covariates) == ["age", "sex", "ok"]
    spec = bm.Mixture("zero_inflated_poisson", rate="1 + age + sex", zero="1 + ok")
    plain = bm.Data(pd.DataFrame(columns), response="y")
    assert bm.resolve(spec, counts).to_dict() == bm.resolve(spec, plain).to_dict()


def test_other_columns_are_labels_weights_and_truth():
    for make in (pl.Series, pa.array, lambda v: pa.chunked_array([v]), lambda v: pd.array(v), pd.Index):
        data = bm.Data(FRAME.to_numpy(), make(["u", None, "v", "v"]), row_weights=make([1, 2, 3, 4]))
        assert data.classes == ("u", "v")
        np.testing.assert_array_equal(data.labelled, [True, False, True, True])
        np.testing.assert_array_equal(data.row_weights, [1, 2, 3, 4])
        np.testing.assert_array_equal(bm.Data(FRAME, truth=make([1, 2, 2, 1])).truth, list("1221"))
    with pytest.raises(ValueError, match="a lazy table holds no rows yet"):
        bm.Data(pl.LazyFrame({"a": [1.0]}))


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "category", "int64[pyarrow]", "float32", "string", object])
def test_numbers_of_every_dtype(dtype):
    column = pd.Series([1, 2, 5, 9]).astype(dtype)
    np.testing.assert_array_equal(bm.Data(column.rename("a")).x[:, 0], [1, 2, 5, 9])
    data = bm.Data(FRAME.reset_index(drop=True), labels=column, row_weights=column, truth=column)
    assert data.classes == ("1", "2", "5", "9")
    np.testing.assert_array_equal(data.row_weights, [1, 2, 5, 9])
    if dtype not in ("category", "string", "float32"):
        missing = column.where([True, False, True, True], None)
        np.testing.assert_array_equal(bm.Data(missing).x[:, 0], [1, np.nan, 5, 9])
        assert bm.Data(FRAME.reset_index(drop=True), labels=missing).labelled.tolist() == [True, False, True, True]


def test_columns_may_be_numbers():
    frame = pd.DataFrame({3: [0, 0, 3, 1, 5, 2], 7: [1.0, 2, 3, 4, 5, 6]})
    data = bm.Data(frame, response=3)
    assert data.feature_names == ("3",)
    assert bm.resolve(bm.Mixture("zero_inflated_poisson", rate="1 + `7`"), data).priors
    assert bm.Data(frame).feature_names == ("3", "7")


def test_one_column_is_hard_labels():
    for labels in (
        np.array([["a"], ["b"], ["a"], ["b"]]),
        [["a"], ["b"], ["a"], ["b"]],
        [("a",), ("b",), ("a",), ("b",)],
        np.array([[1], [2], [1], [2]]),
        pd.DataFrame({"species": ["a", "b", "a", "b"]}, index=FRAME.index),
        pl.DataFrame({"species": ["a", "b", "a", "b"]}).to_series(),
    ):
        rows = FRAME if isinstance(labels, pd.DataFrame) else FRAME.to_numpy()
        data = bm.Data(rows, labels)
        assert len(data.classes) == 2
        assert data.known.all()
    weights = bm.Data(FRAME.to_numpy(), row_weights=np.ones((4, 1)) * 2, truth=np.array([[1], [2], [1], [2]]))
    np.testing.assert_array_equal(weights.row_weights, 2)
    assert weights.truth.tolist() == ["1", "2", "1", "2"]
    for argument in ("row_weights", "truth"):
        with pytest.raises(ValueError, match=rf"{argument}: must be one column, .* got shape \(4, 2\)"):
            bm.Data(FRAME.to_numpy(), **{argument: np.ones((4, 2))})


@pytest.mark.parametrize("text", ["nan", "NaN", "<NA>", "NaT"])
def test_missing_values_turned_to_text_are_refused(text):
    with pytest.raises(ValueError, match=re.escape(f"labels: row 2 is the text {text!r}")):
        bm.Data(FRAME.to_numpy(), np.array(["a", text, "b", "a"]))
    data = bm.Data(FRAME.to_numpy(), ["a", text, "b", "a"], classes=["a", "b", text])
    assert data.known.all()


@pytest.mark.parametrize("text", ["NA", "None", "null", "missing"])
def test_other_words_are_classes_in_lists(text):
    assert bm.Data(FRAME.to_numpy(), ["a", text, "b", "a"]).labelled.all()


@pytest.mark.parametrize("cell", ["", "NA", "N/A", "None", "null", "nan", "NaN", "<NA>", '""'])
def test_cells_that_say_nothing_in_a_csv(tmp_path, cell):
    (tmp_path / "t.csv").write_text(f"x,g\n1,a\n2,{cell}\n3,b\n")
    frame = read_table(tmp_path / "t.csv").frame
    data = bm.Data(frame[["x"]], labels=frame["g"])
    assert data.classes == ("a", "b")
    assert repr(data) == "Data(3 rows; x; labelled: a 1, b 1; without a label: 1)"
    (tmp_path / "t.csv").write_text(f"x,g\n1,1\n2,{cell}\n3,2\n")
    np.testing.assert_array_equal(bm.Data(read_table(tmp_path / "t.csv").frame).x, [[1, 1], [2, np.nan], [3, 2]])


def test_data_say_what_they_hold():
    assert repr(bm.Data([1.0, 2.0])) == "Data(2 rows; x)"
    counts = pd.DataFrame({"y": [0, 2], "a": [1, 2]})
    assert repr(bm.Data(counts, response="y", row_weights=[1, 2])) == "Data(2 rows; y; 1 other columns; weighted)"
    soft = bm.Data([1.0, 2.0, 3.0], labels=[{"a", "b"}, "a", None])
    assert repr(soft) == "Data(3 rows; x; labelled: a 1, b 0, of several classes 1; without a label: 1)"
    assert repr(bm.Data(np.ones((2, 9)) * [[1], [2]])) == "Data(2 rows; x1, x2, x3, x4, x5, x6, x7, x8, ...)"
