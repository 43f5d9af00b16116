"""What the components are like, column by column."""

from __future__ import annotations

from matplotlib.figure import Figure

from bayesmix.drawing.profile import draw_profile
from bayesmix.drawing.style import styled
from bayesmix.em.fit_em import EMFit
from bayesmix.plots.view import view
from bayesmix.posterior.record import Posterior


@styled
def profile(dt: Posterior, *, em: EMFit | None = None) -> Figure:
    """The profile of every component: its mean or probabilities in every column, with 90% intervals and EM's estimate.

    Measurements are standardized by mean and standard deviation of the column; rates and probabilities are as they are.
    Where columns have several answers, a panel for each with the shares of all rows behind.

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`.
    em : EMFit, optional
        A point estimate of the same mixture.

    Raises
    ------
    ValueError
        Where no estimate says what components are like in every column, as for regressions.
    """
    fit = view(dt, em)
    figure = draw_profile(fit)
    if figure is None:
        raise ValueError(f"dt: a {fit.likelihood.name} mixture has no profile: its components have no mean by column")
    return figure
