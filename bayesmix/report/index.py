"""The gallery's page: one row and one thumbnail per report that there is."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bayesmix.inputs.storage import write_text
from bayesmix.report.figures import THUMBNAIL
from bayesmix.report.page import css, environment
from bayesmix.report.sections.verdict import HEADLINES, level, title_of
from bayesmix.report.text import fixed, whole


def write_index(folder: Path) -> Path:
    """Write ``index.html`` over the reports in ``folder``, thumbnails inside it.

    Parameters
    ----------
    folder
        With one report per subfolder.

    Returns
    -------
    Path
        Of the page.
    """
    summaries = {path.parent: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/summary.json")}
    rows = [_row(place, summary) for place, summary in sorted(summaries.items())]
    page = environment().get_template("index.html.j2").render(rows=rows, css=css())
    target = folder / "index.html"
    write_text(target, page)
    return target


def _row(place: Path, summary: dict[str, Any]) -> dict[str, Any]:
    model, posterior = summary["model"], summary["posterior"]
    picture = base64.b64encode((place / "figures" / f"{THUMBNAIL}.png").read_bytes()).decode()
    here = level(summary)
    return {
        "name": model["name"],
        "title": model["title"],
        "link": f"./{quote(place.name)}/index.html",
        "thumbnail": f"data:image/png;base64,{picture}",
        "family": model["family"].replace("_", " "),
        "n": whole(model["n"]),
        "K": whole(model["n_components"]),
        "level": here,
        "verdict": HEADLINES[title_of(summary)].removeprefix("This fit "),
        "r_hat": fixed(posterior["max_r_hat"], 3),
        "ess": whole(posterior["min_ess_bulk"]),
        "log_likelihood": fixed(summary["em"]["log_likelihood"], 2),
    }
