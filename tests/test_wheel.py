"""What is shipped: a wheel that works by itself in a fresh environment, with the gallery and the report's templates."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"


def output(*command, folder):
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The scripts of a fresh environment that holds the wheel; its dependencies are lent by this one."""
    folder = tmp_path_factory.mktemp("wheel")
    output("uv", "build", "--wheel", "--out-dir", folder, ROOT, folder=folder)
    (wheel,) = folder.glob("*.whl")
    output("uv", "venv", "--python", sys.executable, "venv", folder=folder)
    scripts = folder / "venv" / SCRIPTS
    python = scripts / "python"
    output("uv", "pip", "install", "--offline", "--no-deps", "--python", python, wheel, folder=folder)
    site = output(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip()
    Path(site, "lent.pth").write_text(sysconfig.get_path("purelib"))  # read after the wheel's own folder
    return scripts


@pytest.mark.slow
def test_the_wheel_works_by_itself(scripts, tmp_path):
    code = "import bayesmix, bayesmix.gallery.model_toml as m; print(bayesmix.__file__, m.gallery_folder(), sep='\\n')"
    package, models = map(Path, output(scripts / "python", "-c", code, folder=tmp_path).splitlines())
    assert package.is_relative_to(scripts.parent)
    assert models == package.parent / "models"
    shipped = sorted(path.name for path in (ROOT / "bayesmix" / "report" / "templates").iterdir())
    assert shipped
    assert sorted(path.name for path in (package.parent / "report" / "templates").iterdir()) == shipped
    licences = {path.name for path in package.parents[1].glob("bayesmix-*.dist-info/licenses/*")}
    assert {"LICENSE", "models"} <= licences
    names = [line.split()[0] for line in output(scripts / "bayesmix", "list", folder=tmp_path).splitlines()]
    assert names == sorted(path.parent.name for path in (ROOT / "models").glob("*/model.toml"))
    assert "log-likelihood -1130.264" in output(scripts / "bayesmix", "em", "old_faithful", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
