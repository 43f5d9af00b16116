"""Does every gallery model converge, seed after seed, with the settings in its model.toml?

    uv run python reports/seeds.py [--seeds 1 2 3] [--only NAME ...]

Each model is compiled once and sampled with every seed; the rows go to reports/SEEDS.md as they come, together with
date, machine and versions. The exit code is 0 where every verdict is good.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.gallery import read as gallery
from bayesmix.inputs.storage import write_text
from bayesmix.mixture.spec import resolve
from bayesmix.model.build import build
from bayesmix.posterior.assemble import PACKAGES

HERE = Path(__file__).parent
COLUMNS = (
    "model",
    "seed",
    "chains x draws",
    "max R-hat",
    "min bulk ESS",
    "min tail ESS",
    "divergences",
    "modes",
    "verdict",
    "s",
)


def rows_of(name: str, seeds: list[int]) -> list[dict[str, object]]:
    """One row per seed."""
    model = gallery.read(name)
    compiled = CompiledModel(build(resolve(model.spec, model.data), model.data))
    rows = []
    for seed in seeds:
        started = time.perf_counter()
        dt = bm.sample(model.spec, model.data, compiled=compiled, progress=False, **(model.sampler | {"seed": seed}))
        check = bm.diagnose(dt)
        modes = dt["modes"].to_dataset()
        groups = sorted(set(modes["region"].to_numpy()) - {0})
        shares = [float(modes["mass"].to_numpy()[modes["region"].to_numpy() == g][0]) for g in groups]
        values = (
            name,
            seed,
            f"{check.sampler['chains']:.0f} x {check.sampler['draws']:.0f}",
            f"{check.parameters['r_hat'].max():.4f}",
            f"{check.parameters['ess_bulk'].min():.0f}",
            f"{check.parameters['ess_tail'].min():.0f}",
            f"{check.sampler['divergences']:.0f}",
            " + ".join(f"{share:.3g}" for share in shares),
            "ok" if check.ok else "NOT OK: " + ", ".join(p.name for p in check.problems),
            f"{time.perf_counter() - started:.1f}",
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
        print(*values, sep="  ", flush=True)
    return rows


def write(rows: list[dict[str, object]], seeds: list[int]) -> None:
    """SEEDS.md and SEEDS.json, from all rows known so far."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    head = [
        "# Convergence of every gallery model, seed by seed",
        "",
        f"`uv run python reports/seeds.py --seeds {' '.join(map(str, seeds))}` on {datetime.date.today()}; "
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; {versions}.",
        "",
        "Worst of all free scalars (rank-normalized split R-hat, bulk and tail ESS); *modes*: shares of the posterior "
        "mass of the groups of modes that chains do not cross between, the first being the one in the draws; *s*: "
        "seconds without compiling.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    body = ["| " + " | ".join(str(row[c]) for c in COLUMNS) + " |" for row in rows]
    write_text(HERE / "SEEDS.json", json.dumps(rows, indent=1) + "\n")
    write_text(HERE / "SEEDS.md", "\n".join(head + body) + "\n")


def main() -> int:
    """Run the models asked for; rows of others stay as they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="+", default=gallery.names(), choices=gallery.names())
    asked = parser.parse_args()
    stored = HERE / "SEEDS.json"
    rows = [row for row in json.loads(stored.read_text()) if row["model"] not in asked.only] if stored.exists() else []
    for name in asked.only:
        rows = sorted([*rows, *rows_of(name, asked.seeds)], key=lambda row: (str(row["model"]), int(str(row["seed"]))))
        write(rows, asked.seeds)
    return int(any(row["verdict"] != "ok" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
