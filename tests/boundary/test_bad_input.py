"""Bad input: one error of ours that names argument, place, value and rule, before anything compiles."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayesmix as bm
from bayesmix.cli import main
from bayesmix.families.table import FAMILIES
from boundary.bad_input import CALM, CSV, FOLDERS, LINE, NAN, SETTINGS, TABLE, Y, columns, data, gaussian
from folders import TOML

BEFORE_ANYTHING = """
import sys
import bayesmix as bm
from boundary.bad_input import CALM, SETTINGS, TABLE

def refused(fit, *arguments, **options):
    try:
        fit(*arguments, **options)
    except ValueError:
        return True

def never(*_, **__):
    raise AssertionError("something was compiled")

kept = [name for name, (asked, *_) in TABLE.items() if not refused(lambda: bm.resolve(*asked()))]
heavy = [module for module in ("numba", "pymc", "pytensor", "nutpie") if module in sys.modules]
from numba.core.dispatcher import Dispatcher
from folders import TOML
Dispatcher.compile = never
kept += [name for name, (asked, *_) in TABLE.items() if not refused(lambda: bm.fit_em(*asked()))]
sound = bm.Mixture("gaussian", n_components=2), bm.Data(CALM)
em = {name: options for name, (fit, options, _) in SETTINGS.items() if fit == "fit_em"}
kept += [name for name, options in em.items() if not refused(bm.fit_em, *sound, **options)]
print(kept, heavy)
"""


@pytest.mark.parametrize("name", TABLE)
def test_bad_input_is_refused_by_name(name):
    asked, begin, *words = TABLE[name]
    with pytest.raises(ValueError, match=f"^{re.escape(begin)}") as caught:
        bm.resolve(*asked())
    told = str(caught.value)
    assert type(caught.value) is ValueError
    assert all(word in told for word in words), told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("name", SETTINGS)
def test_impossible_settings_are_refused_by_name(name):
    function, options, begin = SETTINGS[name]
    with pytest.raises(ValueError, match=f"^{re.escape(begin)}"):
        getattr(bm, function)(bm.Mixture("gaussian", n_components=2), bm.Data(CALM), **options)


def test_nothing_compiles_before_bad_input_is_refused():
    """In a fresh process: resolving imports no engine, and EM refuses before numba compiles anything."""
    child = subprocess.run(
        [sys.executable, "-c", BEFORE_ANYTHING],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
    )
    assert child.stdout == "[] []\n", child.stderr[-2000:]


@pytest.mark.parametrize("call", [bm.sample, bm.build])
def test_no_model_is_begun_before_bad_input_is_refused(monkeypatch, call):
    def never(*_, **__):
        raise AssertionError("a model was begun")

    monkeypatch.setattr("pymc.Model.__init__", never)
    for asked, begin, *_ in TABLE.values():
        with pytest.raises(ValueError, match=f"^{re.escape(begin)}"):
            call(*asked())


@pytest.mark.parametrize("command", ["em", "report"])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_bad_folder_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, command, name):
    monkeypatch.chdir(tmp_path)
    toml, csv, words = FOLDERS[name]
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.toml").write_text(toml, encoding="utf-8")
    (folder / "data.csv").write_text(csv, encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    out = ["--out", "out"] if command == "report" else []
    result = CliRunner().invoke(main, [command, str(folder), *out])
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert re.fullmatch(r"error: [^\n]+\n", result.stderr), result.stderr
    assert str(folder) in result.stderr
    assert words in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


LEGAL = {
    "one group": gaussian(CALM, 1),
    "labels of one class": data(labels=["a"] * 3 + [None] * 5),
    "labels all missing": data(labels=[None] * 8),
    "a class that no row carries": data(labels=["a"] + [None] * 7, classes=["a", "b"]),
    "a gap": gaussian([NAN, *LINE]),
    "a masked cell": gaussian(np.ma.masked_equal(LINE, 4.0)),
    "counts with a gap": columns("poisson", [*Y, NAN]),
    "sparse columns": gaussian(pd.DataFrame(CALM).astype(pd.SparseDtype("float", 0.0))),
    "a mask of weights": data(row_weights=[True, False] * 4),
    "unsigned": gaussian(np.array([1, 2, 5, 200], "uint8")),
    "1e100": gaussian(np.array(LINE) * 1e99),
    "1e-99": gaussian(np.array(LINE) * 1e-99),
    "all zero": columns("poisson", [0] * 8),
}


@pytest.mark.parametrize("name", LEGAL)
def test_what_only_sounds_like_bad_input_is_fitted(name):
    em = bm.fit_em(*LEGAL[name](), n_starts=2)
    assert np.isfinite(em.log_likelihood)
    assert all(np.isfinite(estimate).all() for estimate in em.params.values())


def test_a_model_file_of_another_editor_is_read(tmp_path):
    """With a byte order mark and the line ends of Windows."""
    (tmp_path / "model.toml").write_bytes(b"\xef\xbb\xbf" + TOML.replace("\n", "\r\n").encode())
    (tmp_path / "data.csv").write_text(CSV)
    assert bm.load(tmp_path)[0].n_components == 2


def test_rows_that_no_component_can_have_made_are_refused():
    em = bm.fit_em(bm.Mixture("gaussian", n_components=2), bm.Data(LINE), n_starts=2)
    with pytest.raises(ValueError, match="data: row 2 has density 0 in every component"):
        bm.responsibilities(em, data=bm.Data([1.0, 1e180]))
    with pytest.raises(ValueError, match="data: row 2 has density 0 in every component"):
        bm.predict(em, [1.0, 1e180])
    assert bm.log_density(em, [1e180]).item() == -np.inf


def test_every_family_can_be_begun_at_the_command_line(tmp_path, monkeypatch):
    """Whatever stands in the folder that ``new`` writes is read again."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    tables = {
        "measurement": pd.DataFrame(rng.normal(size=(30, 4)), columns=list("abcd")),
        "count": pd.DataFrame(rng.poisson(3, (30, 2)), columns=list("ab")),
        "answer": pd.DataFrame(rng.integers(2, size=(30, 4)), columns=list("abcd")),
    }
    for name, family in FAMILIES.items():
        tables[family.observation].to_csv(f"{name}.csv", index=False)
        asked = ["--response", "a"] if family.responds else []
        result = CliRunner().invoke(main, ["new", name, "--data", f"{name}.csv", "--family", name, *asked])
        assert result.exit_code == 0, result.output
        assert bm.load(tmp_path / name)[0].family == name
