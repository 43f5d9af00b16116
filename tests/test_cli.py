"""The command line: what it prints, its exit codes, and bad input in one line."""

import os
import re
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import bayesmix as bm
from bayesmix.cli import main
from bayesmix.gallery import read as gallery
from folders import COUNTS_TOML, TOML

ROWS = "a,b\n1.0,u\n1.2,u\n1.4,u\n5.0,v\n5.5,v\n6.0,v\n"


@dataclass(frozen=True)
class Check:
    """A verdict made for the test."""

    ok: bool
    model_ok: bool | None

    def __str__(self):
        return ("trusted" if self.ok else "Do not trust") + f", model {self.model_ok}"


VERDICTS = {(True, True): 0, (True, None): 0, (True, False): 3, (False, True): 1, (False, False): 1, (False, None): 1}
"""Exit codes by what is found of the draws and of the model."""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def model(tmp_path):
    """A function that writes a model folder of this text."""

    def write(toml=TOML, csv=ROWS, name="mine"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.toml").write_text(toml, encoding="utf-8")
        (folder / "data.csv").write_text(csv, encoding="utf-8")
        return folder

    return write


def is_one_error(result, *words):
    """Exit code 2, nothing on stdout, one line on stderr with these words."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert re.fullmatch(r"error: [^\n]+\n", result.stderr), result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    return True


def in_shell(*arguments, folder):
    return subprocess.run(
        [sys.executable, "-c", "from bayesmix.cli import main; main(prog_name='bayesmix')", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"], ["list"], ["--version"]], ids=" ".join)
def test_help_and_list_answer_in_half_a_second(tmp_path, arguments):
    def seconds():
        begin = time.perf_counter()
        assert in_shell(*arguments, folder=tmp_path).returncode == 0
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(3)) < 0.5


def test_help_and_list_import_nothing_heavy():
    code = (
        "import sys; from click.testing import CliRunner; from bayesmix.cli import main\n"
        "CliRunner().invoke(main, ['--help']); CliRunner().invoke(main, ['list'])\n"
        "print([m for m in ('numpy', 'pandas', 'scipy', 'xarray', 'pymc') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def loaded(code, *names):
    """Those of these modules that are in memory once the code has run in a fresh interpreter."""
    code = f"import sys\n{code}\nprint(*[m for m in {names!r} if m in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "from click.testing import CliRunner; from bayesmix.cli import main\n"
        "assert CliRunner().invoke(main, ['em', 'old_faithful', '--n-starts', '2']).exit_code == 0",
        "import bayesmix as bm\nspec, data = bm.load('zip_simulated')\nem = bm.fit_em(spec, data, n_starts=2)\n"
        "bm.responsibilities(em)",
    ],
    ids=["bayesmix em", "fit_em"],
)
def test_em_imports_no_engine_and_no_plots(code):
    assert loaded(code, "pymc", "pytensor", "nutpie", "arviz", "arviz_stats", "matplotlib", "jax") == []


def test_new_imports_no_engine(tmp_path):
    csv = tmp_path / "table.csv"
    csv.write_text("a,b\n" + "\n".join(f"{i % 7}.5,{i}.25" for i in range(30)))
    code = (
        "from click.testing import CliRunner; from bayesmix.cli import main\n"
        f"CliRunner().invoke(main, ['new', {str(tmp_path / 'mine')!r}, '--data', {str(csv)!r}, '-k', '2'])"
    )
    assert loaded(code, "numba", "pymc", "pytensor", "nutpie", "arviz", "matplotlib", "jax") == []
    assert (tmp_path / "mine" / "model.toml").is_file()


def test_help_names_the_commands(run):
    result = run("--help")
    assert result.exit_code == 0
    assert all(name in result.output for name in ("list", "report", "fit", "em", "compare", "new"))


def test_list_has_a_line_per_model(run):
    lines = run("list").output.splitlines()
    assert [line.split()[0] for line in lines] == gallery.names()
    assert "Old Faithful: two kinds of eruptions" in run("list").output


def test_em_prints_estimates_errors_and_starts(run):
    result = run("em", "old_faithful", "--n-starts", 4)
    assert result.exit_code == 0, result.output
    assert "log-likelihood -1130.264" in result.output
    assert re.search(r"means\[component_1, eruptions\] +2\.036\d+ +0\.\d+", result.output)
    assert re.search(r"covariances", result.output) is None
    assert "Solutions that the starts reached" in result.output


def test_em_says_which_way_psi_runs(run):
    result = run("em", "zip_simulated")
    found = re.search(r"zero_prob = (\S+); PyMC's psi is 1 - zero_prob = (\S+)", result.output)
    assert float(found[1]) == pytest.approx(0.3, abs=0.05)
    assert float(found[1]) + float(found[2]) == pytest.approx(1.0)


def test_em_that_is_a_spike_is_a_bad_verdict(run, model):
    csv = "a\n" + "1\n" * 5 + "2\n"
    result = run("em", model(csv=csv))
    assert result.exit_code == 1
    assert "degenerate: " in result.output


def test_a_model_of_the_users_own_by_path(run, model):
    folder = model()
    assert run("em", folder).exit_code == 0
    assert run("em", f"./{folder.name}").exit_code == 0


BAD = {
    "unknown name": (None, None, ["no model 'absent'", "old_faithful"]),
    "malformed": (TOML + "[[[", ROWS, ["model.toml", "not valid TOML", "line 9"]),
    "unknown family": (TOML.replace("gaussian", "gamma"), ROWS, ["unknown family 'gamma'; choose from gaussian"]),
    "unknown column": (TOML.replace('["a"]', '["c"]'), ROWS, ["data.csv", "no column 'c'; the columns are a, b"]),
    "not a number": (TOML, ROWS.replace("5.5", "5,5x"), ["row 5 (line 6) has 3 fields"]),
    "text cell": (TOML, ROWS.replace("5.5", "5.5x"), ["data.csv", "column 'a', row 5", "not a finite number: '5.5x'"]),
    "missing count": (COUNTS_TOML, "y,x\n0,1\n,2\n5,3\n", ["column 'y', row 2 is missing", "missing='drop'"]),
    "gaps": (
        TOML.replace('["a"]', '["a"]\nmissing = "fill"'),
        ROWS,
        ["missing: must be 'model' or 'drop'; got 'fill'"],
    ),
    "infinite": (TOML, ROWS.replace("5.5", "inf"), ["column 'a', row 5 is not a finite number: inf"]),
    "constant": (TOML, "a\n3\n3\n3\n", ["column 'a' is constant (3)"]),
    "K beyond n": (TOML.replace("= 2", "= 7"), ROWS, ["n_components: must be at most the number of rows, 6; got 7"]),
    "empty file": (TOML, "", ["data.csv", "empty"]),
    "header only": (TOML, "a,b\n", ["data.csv", "header and no rows"]),
    "extra field": (TOML, ROWS + "7.0,v,w\n", ["row 7 (line 8) has 3 fields, the header has 2"]),
    "negative count": (COUNTS_TOML, "y\n0\n-1\n", ["column 'y', row 2", "must not be negative; got -1"]),
    "fraction": (COUNTS_TOML, "y\n0\n1.5\n", ["column 'y', row 2", "must be a whole number; got 1.5"]),
    "huge count": (
        COUNTS_TOML,
        "y\n3000000000\n1\n",
        ["column 'y', row 1", "must be at most 2147483647; got 3000000000"],
    ),
    "beyond 64 bits": (
        COUNTS_TOML,
        "y\n" + "9" * 30 + "\n1\n",
        ["column 'y', row 1", "must be at most 2147483647; got 1e+30"],
    ),
    "text count": (COUNTS_TOML, "y\n0\nmany\n", ["column 'y', row 2", "'many'"]),
    "covariate": (COUNTS_TOML + 'rate = "1 + z"\n', "y,x\n0,1\n1,2\n", ["rate: no column 'z'", "the covariates are x"]),
    "missing covariate": (COUNTS_TOML + 'rate = "1 + x"\n', "y,x\n0,1\n1,\n2,5\n", ["column 'x', row 2 is missing"]),
}


@pytest.mark.parametrize("command", ["em", "report", "fit", "compare"])
@pytest.mark.parametrize(("toml", "csv", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_leaves_nothing(run, model, tmp_path, command, toml, csv, words):
    target = "absent" if toml is None else model(toml, csv)
    before = sorted(tmp_path.rglob("*"))
    assert is_one_error(run(command, target), *words)
    assert sorted(tmp_path.rglob("*")) == before


def test_bad_input_in_a_real_shell(tmp_path):
    found = in_shell("report", "absent", folder=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert re.fullmatch(r"error: no model 'absent'[^\n]+\n", found.stderr)
    assert in_shell("em", "old_faithful", "--method", "best", folder=tmp_path).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_fit_refuses_an_impossible_file_before_it_samples(run, tmp_path):
    assert is_one_error(run("fit", "old_faithful", "--out", "no/where/fit.nc"), "folder no/where does not exist")
    assert is_one_error(run("fit", "old_faithful", "--out", tmp_path), "is a folder; give a file name")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (np.linalg.LinAlgError("Singular matrix"), "a fault of bayesmix, please report it: LinAlgError: Singular"),
        (KeyError("x"), "a fault of bayesmix, please report it: KeyError: 'x'"),
        (bm.FitError("no mode was found; use fewer components"), "error: no mode was found; use fewer components"),
    ],
)
def test_whatever_fails_is_one_line(run, monkeypatch, error, words):
    def fit_em(*_, **__):
        raise error

    monkeypatch.setattr("bayesmix.em.fit_em.fit_em", fit_em)
    assert is_one_error(run("em", "old_faithful"), words)
    monkeypatch.setenv("BAYESMIX_DEBUG", "1")
    assert run("em", "old_faithful").exception is error


@pytest.mark.parametrize(("found", "code"), VERDICTS.items())
def test_fit_saves_and_its_exit_code_is_the_verdict(run, monkeypatch, faithful_dt, tmp_path, found, code):
    """Only the draws and the verdict are put in place: sampling is tested where it is done."""
    asked = {}

    def sample(spec, data, **settings):
        asked.update(settings, n=len(data))
        return faithful_dt

    monkeypatch.setattr("bayesmix.sampling.sample.sample", sample)
    monkeypatch.setattr("bayesmix.checks.diagnose.diagnose", lambda record: Check(*found))
    result = run("fit", "old_faithful", "--draws", 7, "--seed", 3, "--quiet")
    assert result.exit_code == code, result.output
    shipped = gallery.read("old_faithful").sampler
    given = {"draws": 7, "seed": 3, "until": "trusted", "progress": False, "keep": Path(".old_faithful.nc.runs")}
    assert asked == shipped | given | {"n": 272}
    assert str(Check(*found)) in result.output
    assert bm.load_fit(tmp_path / "old_faithful.nc")["posterior"].sizes == faithful_dt["posterior"].sizes


def test_compare_reads_a_saved_fit(run, faithful_dt, tmp_path):
    bm.save(faithful_dt, tmp_path / "fit.nc")
    result = run("compare", "old_faithful", "--fit", "fit.nc")
    check = bm.diagnose(faithful_dt)
    assert result.exit_code == VERDICTS[check.ok, check.model_ok], result.output
    assert str(check) in result.output
    assert "means[component_2, waiting]" in result.output
    assert is_one_error(run("compare", "iris", "--fit", "fit.nc"), "another mixture")
    assert is_one_error(run("compare", "old_faithful", "--fit", "absent.nc"), "absent.nc does not exist")
    assert is_one_error(run("compare", "old_faithful", "--fit", "fit.nc", "--draws", 9), "sampled already", "--draws")


@pytest.mark.parametrize(("found", "code"), VERDICTS.items())
def test_report_passes_its_options_on(run, monkeypatch, found, code):
    asked = {}

    def write_report(name_or_path, **options):
        asked.update(options, name=name_or_path)
        found_here = {"ok": found[0], "model_ok": found[1]}
        return type("Result", (), {**found_here, "path": Path("r/index.html"), "verdict": "so it is"})()

    monkeypatch.setattr("bayesmix.report.write_report", write_report)
    result = run("report", "iris", "--out", "r", "--seed", 2, "--chains", 3, "-q")
    assert result.exit_code == code, result.output
    wanted = {"name": "iris", "out": Path("r"), "seed": 2, "chains": 3, "until": "trusted", "progress": False}
    assert asked == wanted
    assert "so it is" in result.output
    assert "r/index.html" in result.output


@pytest.mark.parametrize(("option", "until"), [((), "trusted"), (("--until", "once", "--minutes", 2), None)])
def test_options_of_a_report_reach_the_sampler(run, monkeypatch, option, until):
    reached = {}

    def stopped(model, sampler, em, **_):
        reached.update(sampler)
        raise ValueError("far enough")

    monkeypatch.setattr("bayesmix.report.fits.run", stopped)
    assert is_one_error(run("report", "iris", "--out", "r", "--draws", 7, *option), "far enough")
    assert (reached["until"], reached["draws"], reached.get("minutes")) == (until, 7, 2.0 if option else None)
    with pytest.raises(ValueError, match="target_accept: no setting of a report; choose from seed, draws"):
        bm.write_report("iris", target_accept=0.9)


def test_warnings_are_one_line(run, model):
    toml = TOML + '[mixture.priors.scales]\ndistribution = "HalfNormal"\nsigma = 1.0\n'
    folder = model(toml, ROWS.replace("1.2", "1.0"))
    found = in_shell("em", folder, folder=folder.parent)
    assert found.returncode == 0, found.stderr
    assert re.fullmatch(r"warning: priors: HalfNormal scales do not vanish at 0, and 2 rows tie[^\n]+\n", found.stderr)


def test_new_makes_a_model_that_runs(run, tmp_path):
    (tmp_path / "my data.csv").write_text(
        "id,height,sex,weight\n" + "".join(f"{i},{i % 5}.5,f,{i % 7}\n" for i in range(20))
    )
    result = run("new", "people", "--data", "my data.csv", "-k", 3)
    assert result.exit_code == 0, result.output
    assert "id: names the rows" in result.output
    assert "sex: constant (f)" in result.output
    assert "Left out: sex." in result.output
    assert "bayesmix report ./people" in result.output
    model = gallery.read(tmp_path / "people")
    assert model.data.feature_names == ("height", "weight")
    assert (model.spec.family, model.spec.n_components, len(model.data)) == ("gaussian", 3, 20)
    assert (tmp_path / "people" / "data.csv").read_bytes() == (tmp_path / "my data.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my data.csv", "people"]
    text = (tmp_path / "people" / "model.toml").read_text()
    assert "# how many groups" in text
    assert run("em", "./people").exit_code in (0, 1)


def test_the_commented_choices_of_a_new_model_work(run, tmp_path):
    (tmp_path / "t.csv").write_text("a\n" + "".join(f"{i * i}\n" for i in range(9)))
    assert run("new", "m", "--data", "t.csv", "--family", "gaussian").exit_code == 0
    path = tmp_path / "m" / "model.toml"
    lines = path.read_text().splitlines()
    wanted = ("# order", "# [mixture.priors", "# distribution", "# mu", "# sigma", "# target_accept", "# [[expect]]")
    wanted += ("# quantity", "# at_least", "# because")
    path.write_text("\n".join(line.removeprefix("# ") if line.startswith(wanted) else line for line in lines))
    model = gallery.read(tmp_path / "m")
    assert (model.spec.order, model.spec.priors["means"].distribution) == ("means", "Normal")
    assert (model.sampler["target_accept"], model.expectations[0].at_least) == (0.95, -1000.0)


def test_new_for_labels_and_chosen_columns(run, tmp_path):
    rows = "".join(f"{i},{i * i},{c}\n" for i, c in enumerate(["u", "v", "w", "", "", ""]))
    (tmp_path / "t.csv").write_text("a,b,class\n" + rows)
    result = run("new", "m", "--data", "t.csv", "--columns", "b", "--label", "class")
    assert "3 rows carry a class: u, v, w." in result.output
    model = gallery.read(tmp_path / "m")
    assert model.spec.n_components == 3
    assert model.data.feature_names == ("b",)


def test_new_for_counts(run, tmp_path):
    (tmp_path / "t.csv").write_text('fish,"party size"\n0,1\n0,2\n3,1\n4,5\n')
    result = run("new", "m", "--data", "t.csv", "--response", "fish")
    assert result.exit_code == 0, result.output
    model = gallery.read(tmp_path / "m")
    assert model.spec.family == "zero_inflated_poisson"
    path = tmp_path / "m" / "model.toml"
    assert "`party size`" in path.read_text()
    path.write_text(path.read_text().replace('rate = "1" ', 'rate = "1 + `party size`" '))
    assert gallery.read(tmp_path / "m").spec.options["rate"] == "1 + `party size`"


def test_new_writes_any_name_as_toml(run, tmp_path):
    name = 'wei"rd \\ näme #1'
    header = name.replace('"', '""')
    (tmp_path / "t.csv").write_text(f'"{header}",b\n1,2\n2,4\n4,3\n', encoding="utf-8")
    assert run("new", 'a "b"', "--data", "t.csv").exit_code == 0
    entry = tomllib.loads((tmp_path / 'a "b"' / "model.toml").read_text(encoding="utf-8"))
    assert entry["data"]["columns"] == [name, "b"]
    assert entry["title"] == 'a "b"'


BAD_NEW = {
    "exists": (["old", "--data", "t.csv"], ["old: exists already"]),
    "no parent": (["x/y", "--data", "t.csv"], ["x: the folder does not exist"]),
    "no file": (["m", "--data", "absent.csv"], ["absent.csv: the file does not exist"]),
    "unknown column": (
        ["m", "--data", "t.csv", "--columns", "a,z"],
        ["--columns: no column 'z'; the columns are a,"],
    ),
    "text column": (["m", "--data", "t.csv", "--columns", "a,c"], ["column 'c', row 1 is not a finite number: 'u'"]),
    "unknown label": (["m", "--data", "t.csv", "--label", "z"], ["label: no column 'z'"]),
    "unknown response": (["m", "--data", "t.csv", "--response", "z"], ["response: no column 'z'"]),
    "not counts": (
        ["m", "--data", "t.csv", "--response", "a"],
        ["t.csv", "'a', row u", "whole number; got 1.5"],
    ),
    "no response": (["m", "--data", "t.csv", "--family", "zero_inflated_poisson"], ["needs the column of counts"]),
    "both": (["m", "--data", "t.csv", "--response", "y", "--columns", "a"], ["--response: is for counts"]),
    "K of counts": (["m", "--data", "t.csv", "--response", "y", "-k", "3"], ["has 2 components", "got 3"]),
    "K beyond n": (["m", "--data", "t.csv", "-k", "9"], ["must be at most the number of rows, 3; got 9"]),
    "no numbers": (
        ["m", "--data", "words.csv"],
        ["no column can serve as a measurement, a count or an answer: there is none but"],
    ),
    "ragged": (["m", "--data", "ragged.csv"], ["ragged.csv: row 2 (line 3) has 3 fields"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD_NEW.values(), ids=BAD_NEW)
def test_new_refuses_in_one_line_and_leaves_nothing(run, tmp_path, arguments, words):
    (tmp_path / "t.csv").write_text("a,y,c\n1.5,0,u\n2.5,1,v\n4.5,7,w\n")
    (tmp_path / "words.csv").write_text("w\nu\nv\n")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3,4,5\n")
    (tmp_path / "old").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert is_one_error(run("new", *arguments), *words)
    assert sorted(tmp_path.rglob("*")) == before


def test_new_takes_words_where_the_family_does(run, tmp_path):
    rows = "".join(
        f"{i},{'yes' if i % 3 else 'no'},{['low', 'mid', 'high'][i % 3]},{'' if i % 4 else 7}\n" for i in range(24)
    )
    (tmp_path / "t.csv").write_text("id,smokes,mood,code\n" + rows)
    result = run("new", "answers", "--data", "t.csv", "--family", "categorical", "-k", 2)
    assert result.exit_code == 0, result.output
    assert "id: names the rows" in result.output
    assert "code: constant (7); 18 missing" in result.output
    model = gallery.read(tmp_path / "answers")
    assert model.data.levels == (("no", "yes"), ("high", "low", "mid"))
    assert model.spec.family == "categorical"
