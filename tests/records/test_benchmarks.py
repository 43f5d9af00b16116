"""The benchmark suite: what it compares is the same, and what it has measured is kept."""

import json

import numpy as np
import pytest
from pytensor.compile.mode import Mode

import bayesmix as bm
from benchmarks import __main__ as command
from benchmarks import em, textbook
from benchmarks.compiled import same_density
from benchmarks.coordinates import Coordinates
from benchmarks.environment import describe
from benchmarks.figures import Case, Figure, digits, median
from benchmarks.markdown import table
from benchmarks.problems import simulated, three_on_a_line
from benchmarks.store import Store
from benchmarks.table import ROWS
from benchmarks.timing import Budget, take_turns, watching

INTERPRETED = Mode(linker="py", optimizer=None)
CASES = [
    Case("small", {"ours": Figure(0.5, "ms", 0.4, 0.6), "ratio": Figure(12.0, "x", at_least=10.0)}),
    Case("large", {"ours": Figure(2.0, "s"), "memory": Figure(1200.0, "MB", at_most=1000.0)}, "seen"),
]


def log_density(model):
    """Of a flat unconstrained vector, without compiling."""
    function = model.compile_fn(model.logp(), inputs=model.value_vars, mode=INTERPRETED, point_fn=False)
    shapes = [np.shape(value) for value in model.initial_point().values()]
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def flat(x):
        return float(function(*[p.reshape(s) for p, s in zip(np.split(x, cuts), shapes, strict=True)])), np.empty(0)

    return flat


@pytest.mark.filterwarnings(
    "ignore:PyTensor could not link to a BLAS"
)  # pm.MvNormal asks for one; a pip install has none
@pytest.mark.parametrize("problem", [three_on_a_line(30), simulated(30, 3, 2)], ids=["1-D ordered", "3-D full"])
def test_the_textbook_model_is_the_same_posterior(problem):
    ours, written = log_density(bm.build(problem.spec, problem.data)), log_density(textbook.model(problem))
    assert same_density(problem, ours, written) < 1e-12
    with pytest.raises(RuntimeError, match="log-densities differ"):
        same_density(problem, ours, lambda u: (written(u)[0] + 1e-3 * u[-1], np.empty(0)))


def test_the_jacobian_is_that_of_differences(rng):
    c = Coordinates(2, 3)
    u = rng.normal(0, 0.5, 1 + 6 + 6 + 6)
    columns = [(c.textbook(u + 1e-6 * e) - c.textbook(u - 1e-6 * e)) / 2e-6 for e in np.eye(len(u))]
    assert c.log_jacobian(u) == pytest.approx(np.linalg.slogdet(np.array(columns))[1], abs=1e-6)


def test_an_em_iteration_is_scikit_learn_s():
    problem = simulated(200, 2, 3, apart=1.0)
    likelihood = em.bound(problem)
    em.check_same_step(likelihood, problem.X, problem.params)
    start = em.kmeans_start(problem.X, 3, 0)
    L = em.sklearn_fit(problem.X, start).score(problem.X) * 200
    assert em.iterate_to(likelihood, start, L - 1e-3).log_likelihood >= L - 1e-3
    shifted = em.bound(simulated(200, 2, 3, apart=1.1))
    with pytest.raises(RuntimeError, match="differs from scikit-learn"):
        em.check_same_step(shifted, problem.X, problem.params)


def test_turns_are_taken_after_a_warm_up():
    calls = []
    contestants = {name: lambda times, name=name: calls.append((name, times)) for name in "ab"}
    seconds = take_turns(contestants, Budget(3, 0.0), one_thread=True)
    assert {name: len(s) for name, s in seconds.items()} == {"a": 3, "b": 3}
    assert [name for name, _ in calls[-6:]] == ["a", "b", "b", "a", "a", "b"]
    assert len(calls) > 6


def test_time_inside_a_function_is_summed():
    class Module:
        @staticmethod
        def work(x):
            return 2 * x

    with watching(Module, "work") as watch:
        assert [Module.work(1), Module.work(2)] == [2, 4]
    assert watch.calls == 2
    assert watch.seconds > 0
    assert Module.work(3) == 6
    assert watch.calls == 2


def test_figures():
    assert median([1.0, 2.0, 3.0, 4.0, 5.0], "ms", 1e3) == Figure(3000.0, "ms", 2000.0, 4000.0)
    assert median([2.0], "s") == Figure(2.0, "s")
    assert Figure(6.0, "ms").per(Figure(2.0, "ms"), at_least=4.0) == Figure(3.0, "x", at_least=4.0)
    assert [digits(v) for v in (0.01234, 12.34, 1234.5, 3.0, 2e-6, np.nan)] == [
        "0.0123",
        "12.3",
        "1,234",
        "3",
        "2.00e-06",
        "not a number",
    ]


def test_tables_say_whether_targets_are_reached():
    assert table(CASES).splitlines() == [
        "|  | ours | ratio | memory | remark |",
        "| --- | --- | --- | --- | --- |",
        "| small | 0.5 ms [0.4, 0.6] | 12x (target ≥ 10: reached) |  |  |",
        "| large | 2 s |  | 1,200 MB (target ≤ 1,000: missed) | seen |",
    ]


def test_results_survive_and_are_resumed(tmp_path):
    store = Store(tmp_path)
    store.begin("gradient", describe("the command", one_thread=True))
    store.add("gradient", CASES[0])
    again = Store(tmp_path)
    assert not again.finished("gradient")
    assert [Case.from_dict(entry) for entry in again.rows["gradient"]["cases"]] == CASES[:1]
    assert "**not finished**" in (tmp_path / "RESULTS.md").read_text()
    again.add("gradient", CASES[1])
    again.finish("gradient")
    text = (tmp_path / "RESULTS.md").read_text()
    assert Store(tmp_path).finished("gradient")
    for part in (ROWS["gradient"].title, "the command", "OMP_NUM_THREADS=1", "12x (target ≥ 10: reached)", "nutpie"):
        assert part in text
    assert "not finished" not in text
    assert json.loads((tmp_path / "results.json").read_text())["gradient"]["environment"]["seed"] == 1


def test_finished_rows_are_not_measured_again(tmp_path, monkeypatch):
    done = []

    def run(name, store, *, quick):
        done.append(name)
        store.begin(name, describe("x", one_thread=False))
        store.finish(name)
        return name != "linear"

    monkeypatch.setattr(command, "run", run)
    assert command.main(["linear", "--out", str(tmp_path)]) == 1
    assert done == ["linear"]
    assert command.main(["--out", str(tmp_path)]) == 0
    assert done[1:] == [name for name, row in ROWS.items() if name != "linear" and not row.on_request]
    assert command.main(["linear", "million", "--out", str(tmp_path)]) == 1
    assert done[-2:] == ["linear", "million"]


def test_every_row_has_its_file():
    rows = {p.stem for p in (command.HERE / "rows").glob("*.py")} - {"__init__"}
    assert rows == set(ROWS)


def test_a_row_that_fails_keeps_what_it_had(tmp_path, monkeypatch):
    script = (
        'import json; print(json.dumps({"name": "a", "figures": {}, "remark": ""}), flush=True); raise SystemExit(3)'
    )
    original = command.subprocess.Popen
    monkeypatch.setattr(command.subprocess, "Popen", lambda words, **kw: original([words[0], "-c", script], **kw))
    store = Store(tmp_path)
    assert not command.run("linear", store, quick=True)
    assert [entry["name"] for entry in Store(tmp_path).rows["linear"]["cases"]] == ["a"]
    assert not Store(tmp_path).finished("linear")
