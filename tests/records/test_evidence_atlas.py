"""The pages of the atlas, of the lattice and of the choices, from records that are written by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.environment import describe
from benchmarks.evidence_atlas import __main__ as atlas
from benchmarks.evidence_atlas.cells import cells, galaxies
from benchmarks.evidence_atlas.page import SHAPES, page
from benchmarks.lattice.__main__ import MCLUST, row
from benchmarks.lattice.pairs import NAMES
from reports.choices import PAGES, simulated, summary

STAMP = {"date": "2026-11-28 07:00 UTC", "commit": "abc", "seconds": 3.0}


def record(way, K, **more):
    name = f"galaxies {way}" + (f" {K}" if K else "")
    return {"cell": name, "data": "galaxies", "way": way, "K": K, **STAMP, **more}


@pytest.fixture(scope="module")
def environment():
    return describe("the command", one_thread=False)


def test_the_atlas(environment):
    p = np.zeros(30)
    p[2:9] = SHAPES["Richardson and Green (1997)"]
    p[9] = 1 - p.sum()
    drawn = {"established": True, "ok": True, "problems": []}
    records = [
        record("telescoping", 0, probability=p.tolist(), errors=[0.002] * 30, occupied=p.tolist()),
        record("gibbs", 3, value=-226.942, error=0.004),
        record("default", 3, value=-226.94, error=0.02, method="bridge sampling over one labelling", **drawn),
        record("exchange", 3, value=-226.95, error=0.03, bridge=-226.9, bridge_error=0.02, bridge_known=True),
    ]
    text = page(records, environment, "the command")
    line = next(line for line in text.splitlines() if line.startswith("| 3 |"))
    wanted = "| 3 | -226.85 | -226.940 +- 0.020 b | -226.950 +- 0.030 | -226.900 +- 0.020 | -226.942 +- 0.004 |  |"
    assert line == wanted
    four = next(line for line in text.splitlines() if line.startswith("| 4 |"))
    assert f"{np.log(0.128 / 0.061) - 226.942:.3f}" in four
    assert "Published values that Gibbs contradicts: that of K = 3 by +0.092." in text
    assert "p(K | y), K uniform on 1 to 30.\n" in text
    assert "Telescoping is within 0.000 of Richardson and Green's" in text


def test_cells_have_names_of_their_own():
    names = [cell.name for cell in cells()]
    assert len(set(names)) == len(names) == 2 + 6 + 18 + 6
    assert (len(galaxies()), galaxies().max()) == (82, 34.279)
    assert 26.96 in galaxies().round(3)


def test_the_atlas_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(atlas, "RESULTS", tmp_path / "results.jsonl")
    monkeypatch.setattr(atlas, "HERE", tmp_path)
    monkeypatch.setattr(atlas, "timed", lambda cell: record("gibbs", 2, value=-235.4, error=0.1) | {"cell": cell.name})
    monkeypatch.setattr("sys.argv", ["atlas", "galaxies gibbs"])
    atlas.main()
    atlas.main()
    held = [json.loads(line)["cell"] for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert held == ["galaxies gibbs 2", "galaxies gibbs 3", "galaxies gibbs 4"]
    assert "## Galaxies" in (tmp_path / "RESULTS.md").read_text()


def test_the_lattice_s_row():
    """One structure below mclust's, one pair violated by it, one spike that counts for nothing."""
    L = pd.Series(dict(zip(NAMES, map(float, MCLUST["iris", 2].split()), strict=True)))
    spike = pd.Series(False, index=NAMES)
    assert row("iris", 2, L, spike)[1:] == ([], [])
    L["VEI"] -= 50
    line, broken, lower = row("iris", 2, L, spike)
    assert broken == ["VEI < VII", "VEI < EEI"]
    assert lower == ["iris 2 VEI"]
    assert "VEI < VII, VEI < EEI" in line
    spike["VEI"] = True
    assert row("iris", 2, L, spike)[1:] == ([], [])


def test_the_choices(environment):
    spec, data = simulated()
    assert (spec.n_components, len(data), data.n_features) == (4, 300, 2)
    one = {"title": "Iris", "rows": 150, "candidates": 24, "routes": {"bic": "2 full", "probability": "3 VEE"}}
    one |= {"ok": True, "wins": 0.84, "seconds": 300, "seconds_of_stability": 40, "date": "2026-11-28"}
    text = summary({"iris": one}, environment)
    assert "| [Iris](choices/iris/index.html) | 150 | 24 | 2 full | 3 VEE | yes | 84% | 300 | 40 | 2026-11-28 |" in text
    assert [page.name for page in PAGES] == ["faithful", "simulated", "galaxies", "iris"]
