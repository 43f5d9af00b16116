"""The pictures of a report: which there are for which fits, as PNG and, where small, as SVG."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.transforms import Bbox
from PIL import Image

from bayesmix import plots
from bayesmix.checks.prior import PriorPredictive
from bayesmix.plots.by_family import picture_of
from bayesmix.plots.checks import outliers_figure
from bayesmix.plots.density import density_of, has_density
from bayesmix.report.fits import Fits

DPI = 144
PALETTE = 128
LARGEST_SVG = 100_000
PADDING = 0.1
"""Inches around what is drawn."""
THUMBNAIL = "thumbnail"
MOST_SEEN = 2
"""Columns that one picture of a step shows whole."""
FEW_COLUMNS = 2
"""With more columns components have a profile."""


@dataclass(frozen=True)
class Kind:
    """A picture: when it applies and how it is drawn."""

    draw: Callable[[Fits], Canvas]
    applies: Callable[[Fits], bool] = lambda _: True


def _several_modes(fits: Fits) -> bool:
    return int((fits.dt["modes"]["region"].to_numpy() > 0).sum()) > 1


def _steps_seen(fits: Fits) -> bool:
    return fits.em.trace is not None and len(fits.em.history) > 1 and fits.data.n_features <= MOST_SEEN


def _has_profile(fits: Fits) -> bool:
    return fits.data.n_features > FEW_COLUMNS and fits.likelihood.component.profile is not None


def _there(loo: xr.Dataset | None) -> xr.Dataset:
    assert loo is not None
    return loo


KINDS: dict[str, Kind] = {
    "data": Kind(lambda f: plots.data_plot(f.data, f.likelihood)),
    "imputed": Kind(lambda f: plots.imputed(f.dt), lambda f: f.data.gaps and f.data.n_features > 1),
    "em_history": Kind(lambda f: plots.em_history(f.em), lambda f: f.em.n_iter > 1),
    "em_steps": Kind(lambda f: plots.em_steps(f.em), _steps_seen),
    "em_starts": Kind(lambda f: plots.em_starts(f.em), lambda f: f.em.starts["solution"].nunique() > 1),
    "forest": Kind(lambda f: plots.forest(f.record, f.comparison)),
    "traces": Kind(lambda f: plots.traces(f.record)),
    "pairs": Kind(lambda f: plots.pairs(f.record)),
    "components": Kind(lambda f: plots.components(f.record, em=f.comparison.em)),
    "structure": Kind(
        lambda f: plots.structure(f.record, em=f.comparison.em), lambda f: picture_of(f.likelihood).structured
    ),
    "profile": Kind(lambda f: plots.profile(f.record, em=f.comparison.em), _has_profile),
    "modes": Kind(lambda f: plots.modes(f.dt), _several_modes),
    "responsibilities": Kind(
        lambda f: plots.responsibilities(f.record, f.comparison), lambda f: bool(f.open_rows.any())
    ),
    "em_against_posterior": Kind(lambda f: plots.em_against_posterior(f.comparison)),
    "calibration": Kind(
        lambda f: plots.calibration(f.comparison, f.data), lambda f: len(f.comparison.scores) > 0 and not f.all_known
    ),
    "density": Kind(lambda f: density_of(f.fitted, f.outliers), lambda f: has_density(f.likelihood)),
    "outliers": Kind(lambda f: outliers_figure(f.fitted, f.outliers)),
    "prior_predictive": Kind(
        lambda f: plots.prior_predictive(cast(PriorPredictive, f.prior_data_sets)),
        lambda f: isinstance(f.prior_data_sets, PriorPredictive),
    ),
    "predictive": Kind(
        lambda f: plots.predictive(f.record, replicates=f.replicates), lambda f: f.replicates is not None
    ),
    "pareto_k": Kind(lambda f: plots.pareto_k(_there(f.loo)), lambda f: f.loo is not None),
    THUMBNAIL: Kind(lambda f: plots.thumbnail(f.record)),
}


@dataclass(frozen=True)
class Picture:
    """A drawn picture: its PNG, its SVG where that is small, its width in inches."""

    png: bytes
    svg: bytes | None
    width: float

    @property
    def uri(self) -> str:
        """The smaller of the two, as a data URI."""
        kind, content = ("svg+xml", self.svg) if self.svg is not None else ("png", self.png)
        return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def draw_all(fits: Fits) -> dict[str, Picture]:
    """Every picture that applies, by name. While one is drawn, the one before is compressed."""
    with ThreadPoolExecutor(max_workers=1) as behind:
        drawn = {n: _render(kind.draw(fits), behind) for n, kind in KINDS.items() if kind.applies(fits)}
    return {name: picture.result() for name, picture in drawn.items()}


def render(canvas: Canvas) -> Picture:
    """A figure as PNG with a reduced palette, and as SVG where that is small."""
    with ThreadPoolExecutor(max_workers=1) as behind:
        return _render(canvas, behind).result()


def _render(canvas: Canvas, behind: ThreadPoolExecutor) -> Future[Picture]:
    """Both forms from one layout, that of the PNG; its compression is left to ``behind``, which needs no lock."""
    canvas.set_dpi(DPI)
    layout = canvas.get_layout_engine()
    if layout is not None:
        layout.execute(canvas)
        canvas.set_layout_engine("none")
    box = canvas.get_tightbbox().padded(PADDING)
    png = io.BytesIO()
    canvas.savefig(png, format="png", dpi=DPI, bbox_inches=box, pil_kwargs={"compress_level": 0})
    svg = _small_svg(canvas, box)
    width = float(np.asarray(canvas.get_size_inches())[0])
    return behind.submit(lambda: Picture(_fewer_colours(png.getvalue()), svg, width))


class _TooLarge(Exception):  # noqa: N818 (no error: a decision)
    pass


class _Limited(io.BytesIO):
    """Bytes, up to ``LARGEST_SVG`` of them."""

    def write(self, content: Any, /) -> int:
        """Write, or give up."""
        if self.tell() + len(content) > LARGEST_SVG:
            raise _TooLarge
        return super().write(content)


def _small_svg(canvas: Canvas, box: Bbox) -> bytes | None:
    """The figure as SVG, given up as soon as it becomes large."""
    svg = _Limited()
    try:
        canvas.savefig(svg, format="svg", bbox_inches=box, metadata={"Date": None})
    except _TooLarge:
        return None
    return svg.getvalue()


def _fewer_colours(png: bytes) -> bytes:
    """The same picture in a palette: a third of the size, and no eye sees it."""
    with Image.open(io.BytesIO(png)) as image:
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    out = io.BytesIO()
    flat.quantize(PALETTE, dither=Image.Dither.NONE).save(out, format="png", optimize=True)
    return out.getvalue()


def write_all(images: Mapping[str, Picture], folder: Path) -> None:
    """``figures/*.png`` and ``*.svg``."""
    folder.mkdir()
    for name, image in images.items():
        (folder / f"{name}.png").write_bytes(image.png)
        if image.svg is not None:
            (folder / f"{name}.svg").write_bytes(image.svg)
