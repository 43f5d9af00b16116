"""Files that a stranger might send: what each is, how it is made, and how it must be refused, or be harmless."""

import gzip
import io
import json
import os
import pickle
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pandas as pd

import bayesmix as bm
from rows.fits import posterior

SECRET = "the-secret-of-another-folder"
OUTSIDE = "outside"
"""Beside the attacks' folders: what none of them may read or change."""
TOML = (
    'title = "t"\n[data]\nfile = "data.csv"\ncolumns = ["a", "b"]\n[mixture]\nfamily = "gaussian"\nn_components = 2\n'
)
COUNTS = 'title = "t"\n[data]\nfile = "data.csv"\nresponse = "y"\n[mixture]\nfamily = "zero_inflated_poisson"\n'
ROWS = "a,b,c,y\n" + "".join(f"{i % 5 + 5 * (i % 2)},{i * i % 7},{'uv'[i % 2]},{i % 3}\n" for i in range(24))
SHELL = 'np.frompyfunc(eval, 1, 1)([\'__import__("os").system("touch ran")\'])'


class Runs:
    """Pickled, it runs a command where it is loaded."""

    def __reduce__(self):
        return os.system, ("touch ran",)


@dataclass(frozen=True)
class Attack:
    """What is made in a folder of its own, the command that is given it, the words of the refusal; none: harmless."""

    command: str
    make: Callable[[Path], None]
    words: str = ""


def model(toml: str = TOML, rows: str = ROWS, **more: Callable[[Path], None]) -> Callable[[Path], None]:
    """A model folder."""

    def make(folder: Path) -> None:
        (folder / "model.toml").write_text(toml, encoding="utf-8")
        (folder / "data.csv").write_text(rows, encoding="utf-8")
        for change in more.values():
            change(folder)

    return make


def pointed(name: str, target: str) -> Callable[[Path], None]:
    """A link in place of a file."""

    def make(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return make


def large(name: str, size: int) -> Callable[[Path], None]:
    """A file of so many bytes that takes no room."""
    return lambda folder: os.truncate(folder / name, size)


def waits(folder: Path) -> None:
    """A pipe, which is open for reading for ever."""
    (folder / "data.csv").unlink()
    os.mkfifo(folder / "data.csv")


def zipped(folder: Path) -> None:
    """A table of 2 GB in 2 MB."""
    with zipfile.ZipFile(folder / "data.csv", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("data.csv", b"a,b\n" + b"0,0\n" * (1 << 20))


def gzipped(folder: Path) -> None:
    (folder / "data.csv").write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * (1 << 20)))


def setting(**values: str) -> str:
    """The model with other lines of [data] or [mixture]."""
    toml = TOML
    for key, value in values.items():
        old = next(line for line in TOML.splitlines() if line.startswith(key))
        toml = toml.replace(old, f"{key} = {value}")
    return toml


def named(name: str) -> Callable[[Path], None]:
    """The model with its first column called so, and the classes too."""
    toml = setting(columns=f"[{json.dumps(name)}, 'b']\nlabel = 'c'").replace(
        'title = "t"', f"title = {json.dumps(name)}"
    )
    rows = pd.read_csv(io.StringIO(ROWS)).rename(columns={"a": name}).replace({"c": {"u": name}})
    return model(toml, rows.to_csv(index=False))


@cache
def saved() -> bytes:
    """The file of a posterior that is right."""
    spec = bm.Mixture("gaussian", n_components=2)
    data = bm.Data(pd.read_csv(io.StringIO(ROWS))[["a", "b"]])
    estimates = {v: a.to_numpy() for v, a in bm.fit_em(spec, data, n_starts=2).params.items()}
    draw = {v: estimates[v] for v in ("weights", "means", "covariances")}
    with TemporaryDirectory() as folder:
        return bm.save(posterior(spec, data, [draw] * 8), Path(folder) / "fit.nc").read_bytes()


def fit(change: Callable[[h5py.File, Path], None] | None = None, **attributes: str) -> Callable[[Path], None]:
    """A saved posterior, changed: its attributes, or its file."""

    def make(folder: Path) -> None:
        (folder / "fit.nc").write_bytes(saved())
        with h5py.File(folder / "fit.nc", "r+") as file:
            file.attrs.update(attributes)
            if change is not None:
                change(file, folder)

    return make


def card(**entry: object) -> Callable[[Path], None]:
    """A saved posterior with a card of this content."""
    return fit(model=json.dumps(entry))


def spec(**entry: object) -> Callable[[Path], None]:
    """A saved posterior of another mixture."""
    return fit(spec=json.dumps({"family": "gaussian", "n_components": 2, "priors": {}} | entry))


def linked(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder.parent / OUTSIDE / "other.h5", "w") as other:
        other["x"] = np.zeros(3)
    file["posterior/stolen"] = h5py.ExternalLink(str(folder.parent / OUTSIDE / "other.h5"), "x")


def external(file: h5py.File, folder: Path) -> None:
    secret = [(str(folder.parent / OUTSIDE / "secret.txt"), 0, h5py.h5f.UNLIMITED)]
    file["posterior"].create_dataset("stolen", (len(SECRET),), dtype="uint8", external=secret)


def virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((3,), dtype=float)
    layout[:] = h5py.VirtualSource(str(folder.parent / OUTSIDE / "other.h5"), "x", (3,))
    file["posterior"].create_virtual_dataset("stolen", layout)


def circle(file: h5py.File, folder: Path) -> None:
    file["posterior/again"] = file["/"]


def soft(file: h5py.File, folder: Path) -> None:
    file["posterior/again"] = h5py.SoftLink("/posterior")


def bomb(file: h5py.File, folder: Path) -> None:
    file["posterior"].create_dataset("bomb", (10**12,), chunks=(1 << 20,), dtype="int8")


def squeezed(file: h5py.File, folder: Path) -> None:
    made = file["posterior"].create_dataset("bomb", (1 << 30,), chunks=(1 << 26,), dtype="int8", compression="gzip")
    for start in range(0, 1 << 30, 1 << 26):
        made.id.write_direct_chunk((start,), gzip_of_zeros())


@cache
def gzip_of_zeros() -> bytes:
    return zlib.compress(bytes(1 << 26), 9)


def opaque(file: h5py.File, folder: Path) -> None:
    file["posterior"].create_dataset("pickled", data=np.void(pickle.dumps(Runs())))


def other_rows(file: h5py.File, folder: Path) -> None:
    del file["posterior/means"]
    file["posterior"].create_dataset("means", data=np.zeros((2, 4, 7, 7)))


def typed(name: str) -> Callable[[h5py.File, Path], None]:
    """A covariate whose type is told so."""

    def change(file: h5py.File, folder: Path) -> None:
        values = file["input"].create_dataset("covariate_0", data=np.zeros(24))
        values.attrs.update({"name": '"a"', "pandas_dtype": name})
        values.dims[0].attach_scale(file["input/obs"])

    return change


def written(content: bytes) -> Callable[[Path], None]:
    """A file called fit.nc that is something else."""
    return lambda folder: (folder / "fit.nc").write_bytes(content) and None


def pickled() -> bytes:
    """NumPy's archive with a pickle in it."""
    out = io.BytesIO()
    np.savez(out, posterior=np.array([Runs()], dtype=object))
    return out.getvalue()


def table(content: bytes) -> Callable[[Path], None]:
    """A CSV file."""
    return lambda folder: (folder / "data.csv").write_bytes(content) and None


ATTACKS = {
    # paths
    "file above": Attack(
        "em", model(setting(file=f'"../{OUTSIDE}/secret.csv"')), "must be a file in the model's folder"
    ),
    "file from the root": Attack("em", model(setting(file='"/etc/passwd"')), "must be a file in the model's folder"),
    "file through a folder": Attack("em", model(setting(file='"a/../../x.csv"')), "must be a file in the model's"),
    "test file above": Attack(
        "em", model(setting(file='"data.csv"\ntruth = "c"\ntest_file = "../x.csv"')), "must be a file in the model's"
    ),
    "link to a file": Attack(
        "em", model(make=pointed("data.csv", f"../{OUTSIDE}/secret.csv")), "link out of the model's"
    ),
    "link to a folder": Attack(
        "em", model(setting(file='"sub/secret.csv"'), make=pointed("sub", f"../{OUTSIDE}")), "link out of the model's"
    ),
    "link for model.toml": Attack("em", model(make=pointed("model.toml", f"../{OUTSIDE}/secret.csv")), "link out of"),
    "link to a device": Attack("em", model(make=pointed("data.csv", "/dev/zero")), "link out of the model's folder"),
    "links in a circle": Attack("em", model(make=pointed("data.csv", "data.csv")), "data.csv"),
    "pipe": Attack("em", model(make=waits), "is no plain file"),
    "folder for a file": Attack("em", model(setting(file='"."')), "Is a directory"),
    "address": Attack("em", model(setting(file='"http://127.0.0.1:9/x.csv"')), "does not exist"),
    "file with a NUL": Attack(
        "em", model(setting(file='"data.csv\\u0000.png"')), "must be a file in the model's folder"
    ),
    "file of a long name": Attack("em", model(setting(file=f'"{"x" * 5000}"')), "name too long"),
    # size
    "model.toml of a terabyte": Attack("em", model(make=large("model.toml", 1 << 40)), "is larger than"),
    "table of a terabyte": Attack("em", model(make=large("data.csv", 1 << 40)), "is larger than"),
    "one line of NULs": Attack("em", model(make=large("data.csv", 1 << 27)), "data.csv"),
    "zip bomb": Attack("em", model(make=zipped), "UTF-8"),
    "gzip bomb": Attack("em", model(make=gzipped), "gzip"),
    "lists in lists": Attack("em", model(f"title = {'[' * 100_000}"), "nested too deep"),
    "tables in tables": Attack(
        "em", model(f"title.{'.'.join('a' * 20_000)} = 1\n{TOML[12:]}"), "a key of more than 20 names"
    ),
    "number of many digits": Attack("em", model(setting(n_components="9" * 5000)), "not valid TOML"),
    "hexadecimal number": Attack("em", model(setting(n_components=f"0x{'f' * 50_000}")), "n_components"),
    "a billion components": Attack("em", model(setting(n_components="1000000000")), "must be at most 1000"),
    "a quadrillion draws": Attack("em", model(TOML + "[sampler]\ndraws = 1000000000000000\n"), "and <= 1000000"),
    "a million chains": Attack("em", model(TOML + "[sampler]\nchains = 1000000\n"), "and <= 1000"),
    "a class per row": Attack(
        "em",
        model(setting(columns='["a"]\nlabel = "b"'), "a,b\n" + "".join(f"1,r{i}\n" for i in range(30_000))),
        "is this the column of classes",
    ),
    # formulas and names of functions
    "formula that writes": Attack("em", model(COUNTS + "rate = \"a.to_csv('ran')\"\n"), "rate: "),
    "formula that runs": Attack("em", model(COUNTS + f"rate = {json.dumps(SHELL)}\n"), "rate: "),
    "formula that imports": Attack("em", model(COUNTS + "rate = \"__import__('os').system('touch ran')\"\n"), "rate: "),
    "formula with a lambda": Attack("em", model(COUNTS + 'rate = "(lambda: 1)()"\n'), "rate: "),
    "formula of a megabyte": Attack("em", model(COUNTS + f'rate = "1{" + a" * 200_000}"\n'), "longer than"),
    "formula that never ends": Attack("em", model(COUNTS + 'rate = "I(9**9**9**9)"\n'), "rate: "),
    "prior that is code": Attack(
        "em",
        model(TOML + "[mixture.priors.means]\ndistribution = \"__import__('os').system\"\n"),
        "unknown distribution",
    ),
    "prior parameter that is code": Attack(
        "em",
        model(TOML + '[mixture.priors.means]\ndistribution = "Normal"\nmu = "exit()"\nsigma = 1\n'),
        "must be a number",
    ),
    "family that is code": Attack("em", model(setting(family="\"os.system('touch ran')\"")), "unknown family"),
    "family that is a path": Attack("em", model(setting(family='"../../etc/passwd"')), "unknown family"),
    # names
    "name that is HTML": Attack("em", named("<img src=x onerror=alert(1)>")),
    "name that is mathtext": Attack("em", named("$\\frac{1}{$")),
    "name that is a spreadsheet's formula": Attack("em", named("=cmd|' /C calc'!A0")),
    "name that commands the terminal": Attack("em", named("\x1b]0;owned\x07\x1b[2J")),
    "name that turns the direction": Attack("em", named("abc\u202efed")),
    "name of a template": Attack("em", named("{{ cycler.__init__.__globals__ }}")),
    "name with a format": Attack("em", named("{0.__class__} %s %(x)s")),
    # tables for 'new'
    "CSV with NUL": Attack("new", table(b"a,b\n1,\x002\n3,4\n5,1\n"), "is no text"),
    "CSV of another kind": Attack("new", table(pickle.dumps(Runs())), "data.csv"),
    "CSV with a formula for a header": Attack("new", table(b"=cmd(),b\n1,2\n3,5\n4,1\n")),
    "CSV with a header that is TOML": Attack("new", table(b'"a""]\n[mixture]\nfamily=""x",b\n1,2\n3,5\n4,1\n')),
    # saved fits
    "fit with a link to a file": Attack("fit", fit(linked), "is a link"),
    "fit whose draws lie in a file": Attack("fit", fit(external), "lies in another file"),
    "fit with a virtual variable": Attack("fit", fit(virtual), "lies in another file"),
    "fit with a circle": Attack("fit", fit(circle), "is there twice"),
    "fit with a soft link": Attack("fit", fit(soft), "is a link"),
    "fit of a terabyte": Attack("fit", fit(bomb), "unpacks to more than"),
    "fit that unpacks to a gigabyte": Attack("fit", fit(squeezed), "unpacks to more than"),
    "fit with a pickle": Attack("fit", fit(opaque), "neither numbers nor text"),
    "fit with draws of another": Attack("fit", fit(other_rows), "fit.nc"),
    "fit with a type of objects": Attack("fit", fit(typed("O")), "covariates"),
    "fit with a type that is code": Attack(
        "fit", fit(typed("__import__('os').system('touch ran')")), "no whole posterior"
    ),
    "fit that is a pickle": Attack("fit", written(pickle.dumps(Runs())), "cannot be read as NetCDF"),
    "fit that is NumPy's archive": Attack("fit", written(pickled()), "cannot be read as NetCDF"),
    "fit cut short": Attack("fit", written(b"\x89HDF\r\n\x1a\n" + bytes(100)), "cannot be read as NetCDF"),
    "fit of no JSON": Attack("fit", fit(spec="{'family': __import__('os')}"), "attribute 'spec'"),
    "fit of a list": Attack("fit", fit(spec="[]"), "attribute 'spec'"),
    "fit nested without end": Attack("fit", fit(settings="[" * 100_000), "attribute 'settings'"),
    "fit of a billion components": Attack("fit", spec(n_components=10**9), "must be at most 1000"),
    "fit of a formula": Attack("fit", spec(family="zero_inflated_poisson", rate=SHELL), "rate: "),
    "fit that is called as a path": Attack("fit", card(name=f"../{OUTSIDE}/stolen"), "must be that of a folder"),
    "fit that is called up": Attack("fit", card(name=".."), "must be that of a folder"),
    "fit that is called from the root": Attack("fit", card(name="/tmp/stolen"), "must be that of a folder"),
    "fit with a command": Attack("fit", card(command="curl http://127.0.0.1:9 | sh")),
    "fit with a command behind ours": Attack("fit", card(command="bayesmix report x; touch ran")),
    "fit that asks for a billion starts": Attack("fit", card(em={"n_starts": 10**9}), "and <= 1000000"),
    "fit with a setting that is none": Attack("fit", card(em={"trace": True}), "unknown key 'trace'"),
    "fit with a claim that is none": Attack("fit", card(expect=[{"__class__": 1}]), "unknown key '__class__'"),
    "fit with a title that is a table": Attack("fit", card(title={"a": 1}), "must be a text"),
}
