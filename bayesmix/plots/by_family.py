"""Figures whose form depends on the family and on the number of features: one table decides which picture is drawn."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from bayesmix.checks.prior import PriorPredictive
from bayesmix.drawing.columns import ColumnsPicture
from bayesmix.drawing.picture import Picture
from bayesmix.drawing.style import MINUS, component_entries, legend_above, new_figure, panels_abreast, styled
from bayesmix.drawing.view import View
from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.data import Data
from bayesmix.likelihood.facets import facet
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.plots.view import all_named, view
from bayesmix.posterior.record import Posterior, Record
from bayesmix.posterior.responsibilities import replicate

STEPS_SHOWN = (0, 1, 2, 5, 10)
"""Of EM, before the last."""


def picture_of(likelihood: Likelihood) -> Picture:
    """The picture of this family's facet for its number of features, or that of independent columns."""
    module = facet(likelihood.name, "picture")
    choices: tuple[Picture, ...] = (ColumnsPicture(),) if module is None else module.PICTURES
    return choices[min(likelihood.data.n_features, len(choices)) - 1]


@styled
def data_plot(data: Data, likelihood: Likelihood) -> Figure:
    """The data alone: histogram, scatter plot, pair grid, or bars of counts; labelled rows in their class's colour.

    Parameters
    ----------
    data
        The rows.
    likelihood
        Bound to them or to others of the same columns (``bayesmix.mixture.spec.bind``): says what they are, and which
        colour each class has.
    """
    return picture_of(likelihood).data(data, likelihood.components)


@styled
def components(dt: Posterior, *, em: EMFit | None = None) -> Figure:
    """The fitted components over the data, with their uncertainty and EM's estimate.

    One feature: densities with a band. Two: ellipses of 30 posterior draws, and contours. More: a grid of pairs.
    Counts: observed beside expected.
    """
    fit = view(dt, em)
    return picture_of(fit.likelihood).components(fit)


@styled
def structure(dt: Posterior, *, em: EMFit | None = None) -> Figure:
    """What makes the components what they are: loadings of factors, and how much these explain of each column.

    Raises
    ------
    ValueError
        Where components are no more than their place and spread.
    """
    fit = view(dt, em)
    picture = picture_of(fit.likelihood)
    if not picture.structured:
        raise ValueError(f"dt: components of a {fit.likelihood.name} mixture have no inner structure to draw")
    return picture.structure(fit)


@styled
def predictive(dt: Posterior, *, replicates: np.ndarray | None = None) -> Figure:
    """Posterior predictive check: replicated data beside the observed ones.

    Parameters
    ----------
    dt
        A posterior.
    replicates
        Data sets of :func:`bayesmix.replicate`; by default those that it makes of ``dt`` alone.
    """
    record = Record.of(dt)
    new = replicate(record) if replicates is None else replicates
    return picture_of(record.likelihood).predictive(record.data, new)


def steps_shown(em: EMFit) -> np.ndarray:
    """The steps of a traced fit that are drawn: the first ones, where most happens, and the last."""
    last = len(em.history) - 1
    return np.array([step for step in STEPS_SHOWN if step < last] + [last])


@styled
def em_steps(em: EMFit) -> Figure:
    """Some steps of a fit with ``trace=True``, in one or two columns: the components over the rows at each.

    Raises
    ------
    ValueError
        For a fit without a trace.
    """
    if em.trace is None:
        raise ValueError("em: holds no steps; fit it with trace=True")
    shown, likelihood = steps_shown(em), em.likelihood
    columns = min(len(shown), 3)
    rows = -(-len(shown) // columns)
    fig = new_figure(2.75 * columns, 0.2 + 2.1 * rows)
    axes = panels_abreast(fig, len(shown), columns, sharex=True, sharey=True)
    for ax, step in zip(axes, shown, strict=True):
        at = em.trace.isel(iteration=[step])
        params = {v: at[v].to_numpy() for v in likelihood.parameter_names}
        picture_of(likelihood).small(ax, View(likelihood, params, None))
        name = "start" if step == 0 else f"step {step}"
        ax.set_title(f"{name}, $L$ = {em.history[step]:.2f}".replace("-", MINUS))
    legend_above(fig, component_entries(likelihood.components))
    return fig


@styled
def thumbnail(dt: Posterior) -> Figure:
    """A picture of 320 by 200 pixels, for an index page."""
    fig = Figure(figsize=(3.2, 2.0), dpi=100)
    ax = fig.add_axes((0.02, 0.03, 0.96, 0.94))
    fit = view(dt, draws=60)
    picture_of(fit.likelihood).small(ax, fit)
    return fig


@styled
def prior_predictive(prior: PriorPredictive) -> Figure:
    """Prior predictive check: data that the prior expects beside the observed ones.

    Measurements: the density of 40 prior draws, and their mean, over the histogram of each of up to 4 features. Counts:
    the share of each count in data sets from the prior, and the shares of zeros.
    """
    likelihood = prior.likelihood
    return picture_of(likelihood).prior(likelihood.data, all_named(likelihood, prior.params), prior.x)
