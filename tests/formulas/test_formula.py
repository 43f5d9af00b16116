"""Formulas: what may stand in them, what they make, and that nothing else is ever evaluated."""

import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.formulas.design import design_matrix
from bayesmix.formulas.formula import Formula

SHELL = "__import__('os').system('touch pwned')"
ATTACKS = [
    "x.to_csv('pwned')",
    "1 + x.to_csv('pwned')",
    "{x.to_pickle('pwned')}",
    "{x.to_csv}('pwned')",
    "np.savetxt('pwned', x)",
    "np.save('pwned', x)",
    "np.lib.npyio.savetxt('pwned', x)",
    "numpy.savetxt('pwned', x)",
    "np.fromfile('/etc/passwd')",
    f'np.frompyfunc(eval, 1, 1)(np.array(["{SHELL}"]))',
    f'np.vectorize(eval)(["{SHELL}"])',
    f'np.apply_along_axis(eval, 0, "{SHELL}")',
    "np.ctypeslib.load_library('x', '.')",
    SHELL,
    f"{{{SHELL}}}",
    f"`{SHELL}`(x)",
    "__import__('os')",
    "eval('1')",
    f'exec("{SHELL}")',
    "open('pwned', 'w')",
    f"C({SHELL})",
    f"C(x, {SHELL})",
    f"C(x, levels=[{SHELL}])",
    f"C(x, contr.treatment(base={SHELL}))",
    f"C(x, contr.treatment({SHELL}))",
    f"C(x, contr.custom({{'a': {SHELL}}}))",
    "C(x, contr.__class__)",
    "C(x, contr.mro())",
    "C(x, np.savetxt)",
    f"poly(x, {SHELL})",
    f"poly(x, degree={SHELL})",
    "poly(x, **{'degree': 2})",
    "poly(*[x])",
    f"bs(x, knots=[{SHELL}])",
    "hashed(x, levels=3, hash_func=eval)",
    "center(x, _context=x)",
    "{x.__class__}",
    "{x.__class__.__mro__[-1].__subclasses__()}",
    "{x.values}",
    "x[0]",
    "{x['a']}",
    "{(lambda: 1)()}",
    "{[i for i in x]}",
    "{{i for i in x}}",
    "{f'{x}'}",
    "{(y := x)}",
    "{x if x else x}",
    "{x and x}",
    "{'a' * 9}",
    "{b'a'}",
    "{...}",
    "{1j * x}",
    "log(x, out=x)",
    "log(x, x)",
    "log(*x)",
    "np.exp.__call__(x)",
    "log.__self__",
    "I(x)(x)",
    "Q(x)",
    f"Q({SHELL})",
    "Q('x', eval)",
    f"offset({SHELL})",
    "offset(x.to_csv('pwned'))",
    "'text'",
    "y ~ x",
    "x | y",
    "[x ~ y]",
    "x @ x",
    "{x @ x}",
    "{await x}",
    "{yield x}",
    "{x; x}",
    "x\n__import__('os')",
    "{x\x00}",
    "{__FORMULAIC_CONTEXT__.data}",
    "_bm0_(x)",
]
HANGS = [
    "{9**9**9}",
    "9**9**9",
    "{x**(9**9)}",
    "{2**1000000000}",
    "poly(x, 10000000)",
    "bs(x, df=1000000000)",
    "(a + b + c + d + e)**19",
    "*".join("abcdefghijklmnopqrstuvwxyz"),
    "x + " * 4000 + "x",
    "(" * 3000 + "x" + ")" * 3000,
    "{" + "(" * 3000 + "x" + ")" * 3000 + "}",
    "{" + "-" * 9000 + "x}",
    "{" + "+".join(["x"] * 4000) + "}",
    "{" + "not " * 2000 + "x}",
    "{" + "9" * 9000 + "}",
    "{1e400 * " + "9" * 400 + "}",
]
FRAME = pd.DataFrame(
    {
        "x": [0.5, 1.0, 2.0, 4.0, 5.0, 7.0],
        "z": [1, 2, 4, 8, 16, 32],
        "g": ["u", "v", "w", "u", "v", "w"],
        "k": [3, 1, 2, 3, 1, 2],
    }
)


@pytest.fixture
def nothing_happens(monkeypatch, tmp_path):
    """In an empty folder, where no process starts, no connection opens and no file appears."""

    def forbidden(*arguments, **options):
        raise AssertionError(f"something ran: {arguments} {options}")

    monkeypatch.chdir(tmp_path)
    for where, name in ((os, "system"), (os, "popen"), (subprocess, "Popen"), (socket, "socket")):
        monkeypatch.setattr(where, name, forbidden)
    yield
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("part", ["rate", "zero"])
def test_a_strangers_formula_runs_nothing(nothing_happens, attack, part):
    with pytest.raises(ValueError, match=f"^{part}: "):
        bm.Mixture("zero_inflated_poisson", **{part: attack})
    with pytest.raises(ValueError, match=f"^{part}: "):
        bm.Mixture.from_dict({"family": "zero_inflated_poisson", "n_components": 2, part: attack})


def test_the_piece_is_named():
    for formula, piece in (
        ("1 + x + x.to_csv('a')", "x.to_csv('a')"),
        ("1 + log(x + y.values)", "y.values"),
        ("poly(x, degree=f(3))", "f(3)"),
        ("C(g, levels=['a', open('b')])", "['a', open('b')]"),
    ):
        with pytest.raises(ValueError, match=r"^rate: ") as caught:
            bm.Mixture("zero_inflated_poisson", rate=formula)
        assert repr(piece) in str(caught.value)


@pytest.mark.parametrize("formula", HANGS, ids=range(len(HANGS)))
def test_nothing_goes_on_forever(formula):
    start = time.perf_counter()
    with pytest.raises(ValueError, match="^zero: ") as caught:
        bm.Mixture("zero_inflated_poisson", zero=formula)
    assert time.perf_counter() - start < 5
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("attack", ["x.to_csv('pwned')", SHELL])
def test_neither_a_model_folder_nor_a_saved_fit_runs_anything(tmp_path, attack, request):
    model = tmp_path / "model"
    model.mkdir()
    FRAME.assign(y=range(6)).to_csv(model / "data.csv", index=False)
    toml = """title = "t"\n[data]\nfile = "data.csv"\nresponse = "y"\n[mixture]\nfamily = "zero_inflated_poisson"\n"""
    (model / "model.toml").write_text(f"{toml}rate = {json.dumps(attack)}\n")
    spec = {"family": "zero_inflated_poisson", "n_components": 2, "rate": attack, "zero": "1", "priors": {}}
    data = bm.Data(FRAME.assign(y=range(6)), response="y")
    dt = xr.DataTree.from_dict({"posterior": xr.Dataset(), "input": data.to_dataset()})
    dt.attrs["spec"] = json.dumps(spec)
    fit = bm.save(dt, tmp_path / "fit.nc")
    request.getfixturevalue("monkeypatch").chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for call in (bm.load, bm.write_report):
        with pytest.raises(ValueError, match="rate: "):
            call(model)
    for call in (bm.responsibilities, bm.diagnose, bm.loo):
        with pytest.raises(ValueError, match="rate: "):
            call(bm.load_fit(fit))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("path", ["/etc/passwd", "../data.csv", "a/../../data.csv"])
def test_a_model_folder_names_no_file_outside(tmp_path, path):
    (tmp_path / "model.toml").write_text(
        f'title = "t"\n[data]\nfile = "{path}"\nresponse = "y"\n[mixture]\nfamily = "zero_inflated_poisson"\n'
    )
    with pytest.raises(ValueError, match=r"\[data\] file: must be a file in the model's folder"):
        bm.load(tmp_path)


def spline(x, knots, degree=3):
    from scipy.interpolate import BSpline

    t = np.r_[[x.min()] * (degree + 1), knots, [x.max()] * (degree + 1)]
    basis = BSpline.design_matrix(x, t, degree).toarray()
    return basis[:, 1:]


x, z = FRAME["x"].to_numpy(), FRAME["z"].to_numpy(float)
u, v, w = (np.asarray(FRAME["g"] == level, float) for level in "uvw")
one = np.ones(6)
RIGHT = {
    "1": ([one], ["Intercept"]),
    "": ([one], ["Intercept"]),
    "x": ([one, x], ["Intercept", "x"]),
    "0 + x": ([x], ["x"]),
    "x - 1": ([x], ["x"]),
    "-1 + x": ([x], ["x"]),
    "x + z + x:z": ([one, x, z, x * z], ["Intercept", "x", "z", "x:z"]),
    "x * z": ([one, x, z, x * z], ["Intercept", "x", "z", "x:z"]),
    "(x + z)^2": ([one, x, z, x * z], ["Intercept", "x", "z", "x:z"]),
    "(x + z)**2": ([one, x, z, x * z], ["Intercept", "x", "z", "x:z"]),
    "x / z": ([one, x, x * z], ["Intercept", "x", "x:z"]),
    "z %in% x": ([one, x, x * z], ["Intercept", "x", "x:z"]),
    "x + z - z": ([one, x], ["Intercept", "x"]),
    "2:x": ([one, 2 * x], ["Intercept", "x"]),
    "log(z)": ([one, np.log(z)], ["Intercept", "log(z)"]),
    "np.log1p(z)": ([one, np.log1p(z)], ["Intercept", "np.log1p(z)"]),
    "sqrt(abs(x - 3))": ([one, np.sqrt(abs(x - 3))], ["Intercept", "sqrt(abs(x - 3))"]),
    "minimum(x, 2) + np.maximum(x, z)": ([one, np.minimum(x, 2), np.maximum(x, z)], None),
    "clip(x, 1, 5)": ([one, np.clip(x, 1, 5)], ["Intercept", "clip(x, 1, 5)"]),
    "round(x / 3, 1)": ([one, np.round(x / 3, 1)], None),
    "where(x > 3, x, 0)": ([one, np.where(x > 3, x, 0)], None),
    "I(x**2)": ([one, x**2], ["Intercept", "I(x ** 2)"]),
    "I(z**7)": ([one, z**7], ["Intercept", "I(z ** 7)"]),
    "{x**-0.5 + 2*z}": ([one, x**-0.5 + 2 * z], None),
    "{x // 2} + {x % 2}": ([one, x // 2, x % 2], None),
    "{x > 3}": ([one, x > 3], ["Intercept", "x > 3"]),
    "sin(2 * np.pi * x / 365)": ([one, np.sin(2 * np.pi * x / 365)], None),
    "exp(-x) + expm1(x)": ([one, np.exp(-x), np.expm1(x)], None),
    "{9e9 * 10**12 * z}": ([one, 9e21 * z], None),
    "Q('x')": ([one, x], ["Intercept", "x"]),
    "`x`": ([one, x], ["Intercept", "x"]),
    "g": ([one, v, w], ["Intercept", "g[T.v]", "g[T.w]"]),
    "0 + g": ([u, v, w], ["g[u]", "g[v]", "g[w]"]),
    "x:g": ([one, x * u, x * v, x * w], ["Intercept", "x:g[u]", "x:g[v]", "x:g[w]"]),
    "C(g)": ([one, v, w], ["Intercept", "C(g)[T.v]", "C(g)[T.w]"]),
    "C(Q('g'))": ([one, v, w], ["Intercept", "C(g)[T.v]", "C(g)[T.w]"]),
    "C(g, contr.treatment(base='w'))": (
        [one, u, v],
        ["Intercept", "C(g, contr.treatment(base='w'))[T.u]", "C(g, contr.treatment(base='w'))[T.v]"],
    ),
    'C(g, Treatment("w"))': ([one, u, v], None),
    "C(g, Treatment)": ([one, v, w], None),
    "C(g, contr.treatment)": ([one, v, w], None),
    "C(g, contrasts=contr.sum)": ([one, u - w, v - w], None),
    "C(g, Sum)": ([one, u - w, v - w], None),
    "C(g, contr.custom({'a': [1, 0, -1], 'b': [0, 1, 1]}))": ([one, u - w, v + w], None),
    "C(g, {'a': [1, 0, -1]})": ([one, u - w], None),
    "C(g, levels=['w', 'v', 'u'])": ([one, v, u], None),
    "C(k)": ([one, FRAME["k"] == 2, FRAME["k"] == 3], ["Intercept", "C(k)[T.2]", "C(k)[T.3]"]),
    "C(k, contr.treatment(base=2))": ([one, FRAME["k"] == 1, FRAME["k"] == 3], None),
    "C(k, levels=[3, 2, 1])": ([one, FRAME["k"] == 2, FRAME["k"] == 1], None),
    "C(floor(x / 3), contr.treatment(base=1))": ([one, x < 3, x >= 6], None),
    "C(k) + k:x": ([one, FRAME["k"] == 2, FRAME["k"] == 3, FRAME["k"] * x], None),
    "center(x)": ([one, x - x.mean()], ["Intercept", "center(x)"]),
    "scale(x)": ([one, (x - x.mean()) / x.std(ddof=1)], ["Intercept", "scale(x)"]),
    "standardize(log(z))": ([one, (np.log(z) - np.log(z).mean()) / np.log(z).std()], None),
    "poly(x, 2, raw=True)": ([one, x, x**2], None),
    "bs(x, knots=[2, 4])": ([one, *spline(x, [2, 4]).T], None),
    ".": ([one, x, z, v, w, FRAME["k"]], ["Intercept", "x", "z", "g[T.v]", "g[T.w]", "k"]),
    ". - g - k": ([one, x, z], ["Intercept", "x", "z"]),
    "x\n + z": ([one, x, z], ["Intercept", "x", "z"]),
}


@pytest.mark.parametrize(("formula", "right"), RIGHT.items(), ids=RIGHT)
def test_what_formulas_make(formula, right):
    columns, names = right
    matrix, offset, encoder = design_matrix(formula, FRAME, "rate")
    np.testing.assert_allclose(matrix.to_numpy(), np.column_stack(columns).astype(float), rtol=1e-12, atol=1e-12)
    assert names is None or list(matrix) == names
    assert not offset.any()
    again = design_matrix(encoder, FRAME.iloc[[4, 1]], "rate").matrix
    np.testing.assert_allclose(again.to_numpy(), matrix.to_numpy()[[4, 1]], rtol=1e-12, atol=1e-12)
    bm.Mixture("zero_inflated_poisson", rate=formula, zero=formula)


def test_smooth_terms_span_what_they_should():
    for formula, width in (("poly(x, 3)", 3), ("cs(x, df=3)", 3), ("cr(x, df=3)", 3), ("cc(x, df=3)", 3)):
        matrix = design_matrix(f"0 + {formula}", FRAME, "rate").matrix
        assert matrix.shape[1] >= width - 1
    orthogonal = design_matrix("0 + poly(x, 3)", FRAME, "rate").matrix.to_numpy()
    np.testing.assert_allclose(orthogonal.T @ orthogonal, np.eye(3), atol=1e-12)


OFFSETS = {
    "x + offset(log(z))": ([one, x], np.log(z)),
    "offset(log(z)) + x": ([one, x], np.log(z)),
    "offset(z)": ([one], z),
    "1 + offset(log(z))": ([one], np.log(z)),
    "offset(z) - 1 + x": ([x], z),
    "0 + offset(z) + x": ([x], z),
    "x + offset(log(z)) + g + offset(2 * x + 1)": ([one, x, v, w], np.log(z) + 2 * x + 1),
    "x + offset(center(z))": ([one, x], z - z.mean()),
    "x + offset(Q('z'))": ([one, x], z),
    "x + offset(1.5)": ([one, x], 1.5 * one),
}


@pytest.mark.parametrize(("formula", "right"), OFFSETS.items(), ids=OFFSETS)
def test_offsets_stand_beside_the_design(formula, right):
    columns, expected = right
    matrix, offset, encoder = design_matrix(formula, FRAME, "rate")
    np.testing.assert_allclose(matrix.to_numpy(), np.column_stack(columns), rtol=1e-12)
    np.testing.assert_allclose(offset, expected, rtol=1e-12)
    again = design_matrix(encoder, FRAME.iloc[[4, 1]], "rate")
    np.testing.assert_allclose(again.offset, offset[[4, 1]], rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("x - offset(z)", "an offset is added"),
        ("offset(z):x", "an offset is added"),
        ("(x + offset(z))", "an offset is added"),
        ("x + 2:offset(z)", "an offset is added"),
        ("log(offset(z))", "offset(...) is a term of its own"),
        ("offset(z, x)", "offset takes one argument"),
        ("offset()", "offset takes one argument"),
        ("1 + offset(g)", "offset(g) must be a number"),
        ("1 + offset(log(x - 0.5))", "'log(x - 0.5)', row 0 is not finite: -inf"),
        ("1 + offset(effort)", "no column 'effort'"),
    ],
)
def test_offsets_are_refused_elsewhere(formula, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        design_matrix(formula, FRAME, "rate")


WRONG = {
    "x**2": "write I(x**2)",
    "`x`^2": "write I(x**2)",
    "1 + foo(x)": "foo is no function for formulas; there are abs",
    "1 + log(x.y)": "there are no attributes in formulas; a column of that name is written in backticks: `x.y`",
    "1 + mean(x)": "mean is no function",
    "1 + np.mean(x)": "np.mean is no function",
    "lag(x)": "'lag(x)', row 0 is not finite: nan; a lag leaves rows empty",
    "log(x - 0.5)": "'log(x - 0.5)', row 0 is not finite: -inf",
    "1 / 0": "rate: ",
    "{1 / 0}": "rate: ",
    "{x / 0}": "'x / 0', row 0 is not finite: inf",
    "C(g, levels=['u', 'v'])": "rate: ",
    "C(g, contr.treatment(base='q'))": "rate: ",
    "C(g, contr.treatment(1, 2, 3))": "rate: ",
    "C(g, contr.foo)": "is not among the contrasts; there are contr.treatment",
    "0": "no terms",
    "1 +": "rate: ",
}


@pytest.mark.parametrize(("formula", "words"), WRONG.items(), ids=WRONG)
def test_what_is_refused_with_advice(formula, words):
    with pytest.raises(ValueError, match="^rate: ") as caught:
        design_matrix(formula, FRAME, "rate")
    assert words in str(caught.value)


NAMES = ["max.temp", "a b", "3", "3x", "km/h", "it's", 'say "x"', "$x$", "<b>", "größe", "µg", "a\nb", "a`b", "class"]
NAMES += [
    "np",
    "C",
    "log",
    "__import__",
    "_bm0_",
    "_bm1_",
    "x:y",
    "poly(x, 2)[1]",
    "a%b",
    "{x}",
    "%",
    "~",
    "in",
    "1e5",
    ".",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_free_text(name):
    quoted = "`" + name.replace("`", "\\`") + "`"
    frame = FRAME.rename(columns={"z": name})
    for formula, values in ((f"1 + {quoted}", z), (f"1 + log({quoted})", np.log(z)), (f"x:{quoted}", x * z)):
        matrix = design_matrix(formula, frame, "rate").matrix
        np.testing.assert_allclose(matrix.iloc[:, 1], values)
    if "`" not in name:
        np.testing.assert_allclose(design_matrix(f"1 + Q({name!r})", frame, "rate").matrix.iloc[:, 1], z)
    matrix = design_matrix(f"log(x) + C(g) + {quoted}", frame, "rate").matrix  # the column changes no function
    np.testing.assert_allclose(matrix.to_numpy(), np.column_stack([one, np.log(x), v, w, z]))
    assert list(design_matrix(".", frame, "rate").matrix)[1] == "x"


def test_dotted_names_need_no_backticks_outside_of_functions():
    frame = FRAME.rename(columns={"z": "max.temp"})
    assert list(design_matrix("1 + max.temp", frame, "rate").matrix) == ["Intercept", "max.temp"]
    with pytest.raises(ValueError, match=r"the column 'km/h' is written in backticks: `km/h`"):
        design_matrix("1 + km/h", FRAME.rename(columns={"z": "km/h"}), "rate")


def test_a_covariate_called_intercept_is_refused():
    for formula in ("1 + Intercept", "`Intercept`", "log(Intercept)", "C(Intercept)"):
        with pytest.raises(ValueError, match="rate: 'Intercept': is the name of the constant term; rename"):
            bm.Mixture("zero_inflated_poisson", rate=formula)


def test_columns_are_known_before_any_data():
    formula = Formula.parse("a + log(b):`c d` + C(e) + offset(log(f)) + poly(`g.h`, 2)")
    assert formula.columns == ("a", "b", "c d", "e", "f", "g.h")
