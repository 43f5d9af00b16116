"""Write RESULTS.md from the records: python benchmarks/calibration/summarize.py."""

from pathlib import Path

import numpy as np

import bayesmix as bm

HERE = Path(__file__).parent
FAMILIES = (
    "zip_constant",
    "zip_regression",
    "gaussian_1d",
    "gaussian_2d_full",
    "gaussian_2d_tied",
    "semi_supervised_2d",
    "poisson",
    "bernoulli",
    "gaussian_gaps",
    "fixed_parameters",
    "categorical",
    "factor_analysis",
    "ppca_mixture",
    "many_modes",
)
WHOLE = 1000
"""Simulations; a layout with fewer is under way and not in the table."""
HEADS = (
    "layout",
    "simulations",
    "rows",
    "quantities",
    "smallest p, corrected",
    "50%",
    "80%",
    "95%",
    "flagged",
    "s / fit",
)


def recorded(folder):
    """The calibration of a folder, or None."""
    files = sorted(folder.glob("*.jsonl"))
    return bm.Calibration.load(files[0]) if files else None


def row(name, result):
    """One line of the first table."""
    finished = [record for record in result.records if "ranks" in record]
    covered = [f"{result.coverage[c, 'observed'].mean():.3f}" for c in (0.5, 0.8, 0.95)]
    flagged = sum(bool(record["problems"]) for record in finished)
    seconds = np.median([record["seconds"] for record in finished])
    p = f"{result.table['adjusted'].min():.2g}" + ("" if result.ok else ": **not calibrated**")
    return (
        name,
        len(finished),
        result.header["design"]["n"],
        len(result.table),
        p,
        *covered,
        flagged,
        f"{seconds:.1f}",
    )


def found(result):
    """A bug: after how many simulations it was called wrong, and by what."""
    names = [f"`{problem.name}` ({problem.value:.1g})" for problem in result.problems[:3]]
    more = len(result.problems) - 3
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def table(heads, rows):
    """Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def provenance(results):
    """Seed, settings, dates, versions; all were run by the same ones, at different times."""
    result = results[0]
    began = sorted(r.header["began"] for r in results)
    settings = ", ".join(f"{name} {value}" for name, value in result.header["settings"].items())
    versions = ", ".join(f"{name} {number}" for name, number in result.header["versions"].items())
    return f"seed {result.header['seed']}; {settings}; begun {began[0]} to {began[-1]}; {versions}"


def main():
    """Both tables."""
    begun = {name: result for name in FAMILIES if (result := recorded(HERE / name)) is not None}
    families = {name: result for name, result in begun.items() if len(result.records) >= WHOLE}
    folders = sorted((HERE / "planted_bugs").iterdir())
    planted = {folder.name.replace("_", " "): recorded(folder) for folder in folders if folder.is_dir()}
    bugs = [(name, len(result.records), found(result)) for name, result in planted.items() if not result.ok]
    right = [row(name, result) for name, result in planted.items() if result.ok]
    expected = next(iter(families.values())).coverage
    exact = ", ".join(f"{expected[c, 'expected'].iloc[0]:.3f}" for c in (0.5, 0.8, 0.95))
    text = f"""# Calibration: results

Made from the records by `summarize.py`. Coverage: the mean over quantities, to be compared with {exact}; `flagged` are
fits whose own diagnostics raised a problem (they stay in the ranks); every fit finished unless it says otherwise.

{table(HEADS, [row(name, result) for name, result in families.items()])}

Each: {provenance(list(families.values()))}.

## Planted bugs

Checked after 20, 50, 100, 200, 500 and 1,000 simulations; the first check at which a corrected p-value was below
0.001 (a calibration calls a model wrong below 0.01; here it is looked at several times), and the quantities with the
smallest corrected p-values. Seed 1.

{table(("bug", "simulations", "found by"), bugs)}

The right model on the same layouts, by the same rule:

{table(HEADS, right)}
"""
    (HERE / "RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
