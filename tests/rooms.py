"""The rooms of the package, from the ground up: a file imports from its own room and from rooms above it in this table.

``python tests/rooms.py`` writes the table into README.md; test_layers.py reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- rooms: written by tests/rooms.py -->\n", "<!-- end of rooms -->\n"
FILES = ("estimator", "cli")
"""Rooms that are a file."""
HEAVY = ("numba", "pytensor", "pymc", "nutpie", "arviz", "matplotlib", "sklearn")


@dataclass(frozen=True)
class Room:
    """A folder: what it holds, and which of the heavy libraries its files may import."""

    name: str
    holds: str
    may: tuple[str, ...] = ()


ROOMS = (
    Room("inputs", "what a user gives, checked: `Data`, `Prior`, labels, covariates, tables, `FitError`"),
    Room(
        "kernels",
        "how compiled loops over blocks of rows are written: lanes, the driver, threads, the cache; no family",
        ("numba",),
    ),
    Room("formulas", "right-hand sides: parsed, allowed by name, made into designs in orthonormal coordinates"),
    Room("parts", "weights and components, in NumPy: parameters, sums over rows, M-steps, scores"),
    Room(
        "likelihood",
        "a likelihood is weights times components over rows; what a family brings: facets, words, kernels",
        ("sklearn",),
    ),
    Room(
        "estep",
        "the E-step of any likelihood: NumPy reference, compiled, PyTensor node, lowerings; rows allocated by it",
        ("numba", "pytensor"),
    ),
    Room("drawing", "how figures are drawn: style, histograms, overlays, what a picture is", ("matplotlib",)),
    Room("families", "a family a folder: maths, kernel, graph, picture, words; one table", HEAVY),
    Room("mixture", "`Mixture` and what follows from it alone: priors, orders, permutations, forward draws"),
    Room("gallery", "model folders: read, checked, made for new data"),
    Room(
        "compiled",
        "a PyMC model as C functions: log-posterior, gradient, modes, curvature",
        ("pytensor", "pymc", "nutpie", "numba"),
    ),
    Room("model", "the mixture as a PyMC model, `build`; which components may switch labels", ("pytensor", "pymc")),
    Room("em", "`fit_em`: starts, iterations, saddles, standard errors"),
    Room("posterior", "what is read off draws: responsibilities, LOO, labels, `co_clustering`, NetCDF", ("arviz",)),
    Room("rows", "what a fit says of rows, old and new: densities, groups, outliers; rows that it makes itself"),
    Room(
        "multimodality",
        "where a posterior has its mass: maxima, regions, bridge sampling, modes",
        ("arviz", "sklearn"),
    ),
    Room(
        "tempering",
        "replica exchange over powers of the likelihood: draws that cross between modes, and their evidence",
        ("numba", "arviz", "pymc", "sklearn"),
    ),
    Room(
        "sampling",
        "the whole way to a posterior: `sample`, `modes`, `log_evidence`, `adopt`",
        ("nutpie", "pymc", "arviz"),
    ),
    Room(
        "checks",
        "what can be wrong with draws and with the model: `diagnose`, `compare`, prior checks, scores",
        ("arviz", "sklearn"),
    ),
    Room("calibration", "simulation-based calibration: `calibrate`", ("arviz", "pymc")),
    Room("grouping", "from components to groups: which have rows, which are a cluster, how sure rows are", ("arviz",)),
    Room("choosing", "how many components, and of which kind: `choose`, candidates by EM and by posterior", ("arviz",)),
    Room("plots", "the figures", ("matplotlib", "arviz")),
    Room("report", "the HTML report", ("matplotlib",)),
    Room("estimator", "scikit-learn's door: `MixtureEstimator`", ("sklearn",)),
    Room("cli", "the command line"),
)


def as_markdown() -> str:
    """The map of the README."""
    lines = [
        "| room | holds |",
        "|---|---|",
        *(f"| `{r.name}{'' if r.name in FILES else '/'}` | {r.holds} |" for r in ROOMS),
    ]
    return "\n".join(lines) + "\n"


def in_readme(text: str) -> str:
    """The README with this map in its place."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + as_markdown() + END + rest.split(END)[1]


if __name__ == "__main__":
    README.write_text(in_readme(README.read_text()))
