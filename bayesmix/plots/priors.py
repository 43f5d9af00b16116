"""What the prior expects of the data, beside the data."""

from __future__ import annotations

from matplotlib.figure import Figure

from bayesmix.checks.prior import PriorPredictive
from bayesmix.drawing.style import styled
from bayesmix.plots.by_family import picture_of
from bayesmix.plots.view import all_named


@styled
def prior_predictive(prior: PriorPredictive) -> Figure:
    """Prior predictive check: data that the prior expects beside the observed ones.

    Measurements: the density of 40 prior draws, and their mean, over the histogram of each of up to 4 features. Counts:
    the share of each count in data sets from the prior, and the shares of zeros.
    """
    family = prior.family
    return picture_of(family).prior(family.data, all_named(family, prior.params), prior.x)
