"""What holds for every file: thresholds defined once, lengths, and tests that assert something."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import bayesmix

PACKAGE = Path(bayesmix.__file__).parent
TESTS = Path(__file__).parent
FACETS = {"FAMILY", "KERNEL", "GRAPH", "PICTURES", "WORDS", "DISCREPANCIES", "OPTIONS"}
"""What every family defines: its facets. All other constants have one file."""
MOST_LINES, MOST_BODY, MOST_PARAMETERS = 300, 60, 8
LONG_FILES: set[str] = set()
MANY_PARAMETERS = {
    "calibration/calibrate.py: calibrate",  # what users call
    "choosing/choose.py: choose",
    "em/fit_em.py: fit_em",
    "sampling/sample.py: sample",
    "sampling/separate_modes.py: modes",
    "estimator.py: MixtureEstimator.__init__",
    "families/gaussian/kernel.py: _run",  # numba passes arrays, not objects
    "families/gaussian/kernel.py: rows",
    "families/factor_analyzers/kernel.py: _run",
    "kernels/factors.py: add_up",
    "kernels/factors.py: split_up",
    "families/factor_analyzers/kernel.py: rows",
    "families/zero_inflated_poisson/kernel.py: _run",
    "kernels/blocks.py: driver.drive",
    "kernels/independent.py: run",
    "kernels/independent.py: run_draws",
    "kernels/independent.py: run_e_step",
    "kernels/lanes.py: sums",
}
ASSERTING = {"verify_grad"}
"""Functions of libraries that raise where something is wrong."""


@cache
def parsed(folder):
    """The syntax tree of every file, by its path in the folder."""
    return {str(p.relative_to(folder)): ast.parse(p.read_text()) for p in sorted(folder.rglob("*.py"))}


def functions(tree, inside=""):
    """Every function with its name, after that of its class or of the function that it is in."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{inside}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, inside)


def constants(tree):
    """Names in capitals that a module assigns."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (n.id for n in names if isinstance(n, ast.Name) and n.id.isupper() and n.id[0] != "_")


def test_a_constant_is_defined_once():
    files = defaultdict(list)
    for path, tree in parsed(PACKAGE).items():
        for name in constants(tree):
            files[name].append(path)
    several = {name: paths for name, paths in files.items() if len(paths) > 1}
    assert several.keys() == FACETS, several


def test_files_are_short():
    lengths = {str(p.relative_to(PACKAGE)): len(p.read_text().splitlines()) for p in PACKAGE.rglob("*.py")}
    long = {path: n for path, n in lengths.items() if n > MOST_LINES}
    assert long.keys() == LONG_FILES, long


def body_length(function):
    """Lines without the docstring."""
    length = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return length
    return length - (function.body[0].end_lineno - function.body[0].lineno + 1)


def n_parameters(function):
    """Parameters of all kinds, but the object itself."""
    a = function.args
    names = [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if p is not None]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def measured(measure):
    """What is measured of every function of the package, by file and name."""
    trees = parsed(PACKAGE).items()
    return {f"{path}: {name}": measure(node) for path, tree in trees for name, node in functions(tree)}


def test_functions_are_short():
    long = {name: n for name, n in measured(body_length).items() if n > MOST_BODY}
    assert long == {}


def test_functions_have_few_parameters():
    many = {name: n for name, n in measured(n_parameters).items() if n > MOST_PARAMETERS}
    assert many.keys() == MANY_PARAMETERS, many


def test_fields_of_immutable_objects_are_not_set_one_by_one():
    assert [str(path) for path in PACKAGE.rglob("*.py") if "object.__setattr__" in path.read_text()] == []


def called(function):
    """The last names of what a function calls: ``c`` of ``a.b.c()``."""
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in calls}


def asserts(function, helpers):
    """Whether a function asserts something, or calls what does: a library, or one of ``helpers``, by their names."""
    names = called(function)
    own = any(isinstance(node, ast.Assert) for node in ast.walk(function))
    if own or names & (ASSERTING | {"raises", "warns"}) or any(name.startswith("assert_") for name in names):
        return True
    rest = {name: node for name, node in helpers.items() if name not in names}
    return any(asserts(helpers[name], rest) for name in names & helpers.keys())


def test_every_test_asserts_something():
    trees = parsed(TESTS)
    shared = {name: node for path, tree in trees.items() if "test_" not in path for name, node in functions(tree)}
    idle = []
    for path, tree in trees.items():
        own = dict(functions(tree))
        tests = {name: node for name, node in own.items() if name.split(".")[-1].startswith("test_")}
        helpers = {name: node for name, node in (shared | own).items() if name not in tests}
        idle += [f"{path}: {name}" for name, node in tests.items() if not asserts(node, helpers)]
    assert idle == []


def test_the_rule_sees_an_idle_test():
    code = "def helper():\n    assert 1\ndef test_a():\n    helper()\ndef test_b():\n    print(1)\n"
    found = dict(functions(ast.parse(code)))
    helpers = {"helper": found["helper"]}
    assert asserts(found["test_a"], helpers)
    assert not asserts(found["test_b"], helpers)
