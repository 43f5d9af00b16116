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
from bayesmix.families.table import FAMILIES
from rooms import HEAVY, README, ROOMS, in_readme

PACKAGE = Path(bayesmix.__file__).parent
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or not p.name.startswith("__"))
ROOT = {"__init__.py", "cli.py", "estimator.py", "py.typed"}
NAMES = [room.name for room in ROOMS]
LIGHT = (
    "inputs",
    "formulas",
    "parts",
    "likelihood.likelihood",
    "families.table",
    "mixture.spec",
    "gallery.read",
    "mixture.permutations",
)
MOST_FILES = 12
LARGE = {"report"}
UPWARD = {
    "families/gaussian/graph.py": "the base class of graphs, and a family's variables, are made with PyMC in model/",
    "families/gaussian/structures/graph.py": "the same",
    "families/zero_inflated_poisson/graph.py": "the same",
    "families/factor_analyzers/graph.py": "the same",
    "families/categorical/graph.py": "the same",
}
"""Files that import from below, each with its reason."""


def row(path):
    """The room of a file."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported(path):
    """What a file imports when it is imported: lazy imports in functions and TYPE_CHECKING blocks do not count."""
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
    return found


def imports(path):
    """Rooms that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("bayesmix.")}


FACETS = {"graph": {"pytensor", "pymc"}, "kernel": {"numba"}, "picture": {"matplotlib"}}
"""Heavy libraries by facet; the others need none."""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_where_the_table_says(path):
    heavy = {name.split(".")[0] for name in imported(path)} & set(HEAVY)
    room = next(room for room in ROOMS if room.name == row(path))
    assert heavy <= (FACETS.get(path.stem, set()) if room.name == "families" else set(room.may))


def test_every_file_is_in_a_room():
    assert {p.name for p in PACKAGE.iterdir() if p.is_file()} <= ROOT
    assert {row(path) for path in FILES} == set(NAMES)


def test_no_room_is_crowded():
    folders = {p.parent for p in FILES}
    sizes = {f: sum(p.name != "__init__.py" for p in f.glob("*.py")) for f in folders if f.name not in LARGE}
    assert max(sizes.values()) <= MOST_FILES, sizes


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_come_from_above(path):
    own = NAMES.index(row(path))
    below = [name for name in imports(path) if name in NAMES and NAMES.index(name) > own]
    expected = str(path.relative_to(PACKAGE)) in UPWARD
    assert bool(below) == expected, f"{row(path)} imports from below: {below}"


@pytest.mark.parametrize("path", [p for p in FILES if row(p) == "families"], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_family_imports_another(path):
    families = {name.split(".")[2] for name in imported(path) if name.startswith("bayesmix.families.")}
    own, *inside = path.relative_to(PACKAGE / "families").parts
    assert families <= ({own, "NAMES"} if inside else {"table", "NAMES"})


def test_the_readme_shows_the_rooms():
    assert README.read_text() == in_readme(README.read_text()), "run: python tests/rooms.py"


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


KNOWN = {
    "parts/normal.py": "normal components are a part of several families, and their estimates are named there",
    "parts/weights.py": "constant weights are a part of many families, and their estimate is named there",
    "parts/canonical.py": "names of distributions",
    "estep/log_densities.py": "the same",
    "estimator.py": "the family where none is named",
    "report/priors.py": "the rate of a Gamma distribution",
}
"""Files outside families/ that hold a word which is a parameter's or a family's, each with its reason."""


def words_of_families():
    """Names of families, of their classes and of all their estimates."""
    found = set(FAMILIES)
    for family in FAMILIES.values():
        options = family.check_options({}, family.default_components or 2)
        found |= {p.name for p in family.parameters(options)} | {type(family).__name__}
    return found | {"covariances", "rate", "zero_prob", "structural_zero"}


def spoken(path):
    """Strings and names in a file's code, docstrings aside."""
    tree = ast.parse(path.read_text())
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return texts | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id[:1].isupper()}


@pytest.mark.parametrize("path", [p for p in FILES if row(p) != "families"], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_file_outside_families_knows_one(path):
    held = spoken(path) & words_of_families()
    expected = str(path.relative_to(PACKAGE)) in KNOWN
    assert bool(held) == expected, f"knows a family: {held}"


@pytest.mark.parametrize("path", [p for p in FILES if row(p) != "families"], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nobody_asks_what_a_likelihood_is(path):
    """No isinstance of a likelihood, no getattr with a default on one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            asked = ast.unparse(node.args[0])
            if node.func.id == "isinstance":
                assert asked not in ("family", "likelihood"), ast.unparse(node)
            if node.func.id == "getattr" and len(node.args) == 3:
                assert asked not in ("family", "likelihood"), ast.unparse(node)
