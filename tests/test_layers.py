"""Who may import whom, what importing costs, and that the documented names and examples are there."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import bayesmix

PACKAGE = Path(bayesmix.__file__).parent
LAYERS = (
    "errors",
    "prior",
    "pairs",
    "distributions",
    "coordinates",
    "tables",
    "containers",
    "levels",
    "storage",
    "covariates",
    "labels",
    "data",
    "families",
    "spec",
    "forward",
    "manifest",
    "gallery",
    "new",
    "kernels",
    "graphs",
    "model",
    "engine",
    "target",
    "arrange",
    "information",
    "switching",
    "exchangeable",
    "exchange",
    "ambiguity",
    "partitions",
    "runs",
    "accelerate",
    "saddles",
    "em",
    "predict",
    "varying",
    "clustering",
    "scalars",
    "scores",
    "invariants",
    "evidence",
    "relabelling",
    "finish",
    "landscape",
    "regions",
    "files",
    "rescue",
    "runner",
    "scouting",
    "pooling",
    "mode_table",
    "marginal",
    "sampling",
    "adoption",
    "survey",
    "convergence",
    "problems",
    "misfit",
    "diagnostics",
    "calibration",
    "prior_checks",
    "comparison",
    "plots",
    "report",
    "cli",
)
"""A module imports only from those before it, and from its own row."""
LIGHT = ("prior", "pairs", "coordinates", "tables", "containers", "levels", "storage", "covariates", "labels", "data")
LIGHT += ("families", "spec", "manifest", "gallery", "switching")
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or not p.name.startswith("__"))


def row(path):
    """The first name below the package."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path):
    """Rows that a file imports when it is imported: lazy imports in functions and TYPE_CHECKING blocks do not count."""
    found, todo = set(), list(ast.parse(path.read_text()).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif not is_type_checking(node) and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo.extend(ast.iter_child_nodes(node))
    return {name.split(".")[1] for name in found if name.startswith("bayesmix.")}


def test_every_module_has_its_row():
    assert {row(path) for path in FILES} <= set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_come_from_above(path):
    own = LAYERS.index(row(path))
    below = [name for name in imports(path) if LAYERS.index(name) > own]
    assert not below, f"{row(path)} imports from below: {below}"


def test_reading_a_model_costs_no_pymc():
    code = "\n".join(
        [
            "import sys",
            *(f"import bayesmix.{name}" for name in LIGHT),
            "from bayesmix import Data, Mixture, Prior, load, resolve",
            "print([m for m in ('pymc', 'pytensor', 'nutpie', 'arviz', 'matplotlib') if m in sys.modules])",
        ]
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_importing_the_package_costs_nothing():
    code = "import sys, bayesmix; print([m for m in ('numpy', 'pandas', 'xarray', 'scipy') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("name", bayesmix.__all__)
def test_public_names_resolve_and_are_documented(name):
    value = getattr(bayesmix, name)
    assert inspect.getdoc(value)
    assert value.__module__.startswith("bayesmix.")


def test_unknown_names_are_refused():
    assert dir(bayesmix) == bayesmix.__all__
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        bayesmix.fit  # noqa: B018


def modules():
    return [m.name for m in pkgutil.walk_packages(bayesmix.__path__, "bayesmix.") if "__main__" not in m.name]


@pytest.mark.parametrize("name", modules())
def test_documented_examples_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
