"""A browser without a window: pages as it has them once they are loaded, and as it prints them."""

import re
import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


def opened(path, folder):
    """The document of a page, after scripts of its own would have run."""
    return _run(path, folder, "--virtual-time-budget=2000", "--dump-dom")


def printed(path, folder):
    """The number of pages on which it is printed."""
    _run(path, folder, "--no-pdf-header-footer", f"--print-to-pdf={folder / 'page.pdf'}")
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", (folder / "page.pdf").read_bytes()))


def _run(path, folder, *options):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}"]
    done = subprocess.run([*command, *options, path.as_uri()], capture_output=True, text=True, check=True, timeout=240)
    return done.stdout
