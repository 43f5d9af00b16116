"""The model: in mathematics, as a plate diagram, and its priors in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from bayesmix.families.gaussian.maths import Gaussian
from bayesmix.posterior.predict import params_of
from bayesmix.report import priors
from bayesmix.report.blocks import Block, Drawing, Formulas, Heading, Inline, Notice, Paragraph, Section, Table, Terms
from bayesmix.report.fits import Fits
from bayesmix.report.mathematics import OFFSETS, formulas, mathml, symbol
from bayesmix.report.plate import plate_svg, words
from bayesmix.report.text import decimals_for, fixed, listed, plural

COVARIANCE_WORDS = {
    "full": "each with a covariance matrix of its own",
    "tied": "which share one covariance matrix",
    "diag": "each with a diagonal covariance matrix of its own",
    "spherical": "each with one variance for all features",
}
NAMES = {
    "weights": "weights",
    "means": "means",
    "scales": "standard deviations",
    "correlations": "correlations",
    "rate_coef": "coefficients of the log rate",
    "zero_coef": "coefficients of the logit of P(structural zero)",
}


def model(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Formulas, plate diagram, priors, and what the likelihood assumes."""
    blocks: list[Block] = [
        Paragraph(_in_words(fits), "lead"),
        Formulas(formulas(fits.family)),
        Drawing(plate_svg(fits.family), "The model as a graph. " + words(fits.family)),
        *_terms(fits),
        Heading("Priors, in numbers"),
        Paragraph("Weakly informative unless the model says otherwise, on the scale of the data as given."),
        _priors(fits),
    ]
    if fits.data.labelled.any():
        blocks.append(_about_labels(fits))
    if not isinstance(fits.family, Gaussian):
        blocks.append(_about_psi(fits, summary))
    return Section("model", "The model", blocks)


def _in_words(fits: Fits) -> str:
    n = plural(fits.family.n_parameters, "free parameter")
    if not isinstance(fits.family, Gaussian):
        return f"A zero-inflated Poisson: structural zeros mixed with Poisson counts; {n}."
    spec, K = fits.em.spec, fits.em.spec.n_components
    kind = COVARIANCE_WORDS[spec.options["covariance"]] if fits.data.n_features > 1 else ""
    order = " The components are ordered by their means." if spec.order == "means" else ""
    groups = f"A mixture of {K} Gaussians" if K > 1 else "One Gaussian"
    return f"{groups}{', ' + kind if kind and K > 1 else ''}; {n}.{order}"


def _terms(fits: Fits) -> list[Block]:
    """What the design vectors of a regression hold."""
    coords = fits.family.coords
    if "rate_term" not in coords:
        return []
    rate, zero = (listed(coords[f"{part}_term"], most=12) for part in ("rate", "zero"))
    found = [(mathml("f_i"), f"terms of the rate: {rate}"), (mathml("g_i"), f"terms of the zero part: {zero}")]
    names = {"rate": "the log rate", "zero": "the logit of the zero part"}
    found += [(mathml(OFFSETS[p]), f"offset of {names[p]}: {text}") for p, text in fits.family.offset_words.items()]
    return [Terms(found)]


def _priors(fits: Fits) -> Table:
    family = fits.family
    rows: list[Sequence[Inline]] = []
    for variable in family.dims:
        prior = fits.em.spec.priors.get(variable)
        if prior is None or (variable == "weights" and len(family.components) == 1):
            continue
        rows.append([Markup("{} {}").format(NAMES[variable], symbol(family, variable))])
        rows += [[of or "all", what, middle] for of, what, middle in priors.rows(family, variable, prior)]
    return Table(("For", "Prior", "Central 95%"), rows, (False, False, True))


def _about_labels(fits: Fits) -> Notice:
    text = (
        "The likelihood is the joint one of measurements and labels. It assumes that labels are missing at random "
        "(whether a row is labelled may depend on its measurements, not on its unknown group) and that the classes "
        "have the same shares among labelled rows as in the population that the weights describe."
    )
    return Notice("info", "What the labels assume", text)


def _about_psi(fits: Fits, summary: Mapping[str, Any]) -> Notice:
    text = Markup(
        "Here <code>zero_prob</code> is {} = P(structural zero). PyMC's <code>psi</code> is its complement, the "
        "share of rows that come from the Poisson part: <code>psi = 1 \N{MINUS SIGN} zero_prob</code>."
    ).format(mathml(r"\pi"))
    found = summary["posterior"]["parameters"].get("zero_prob")
    if found is None:
        share = _mean_zero_prob(fits)
        text += Markup(" Averaged over the rows the posterior mean of zero_prob is {}, so psi averages {}.").format(
            fixed(share, 3), fixed(1 - share, 3)
        )
    else:
        d = decimals_for(found["sd"])
        text += Markup(" Posterior means: zero_prob = {}, psi = {}.").format(
            fixed(found["mean"], d), fixed(1 - found["mean"], d)
        )
    return Notice("info", "Which way round", text)


def _mean_zero_prob(fits: Fits) -> float:
    """The average over rows and draws of P(structural zero)."""
    weights = np.exp(fits.family.log_weights(params_of(fits.dt, fits.family, thin=10)))
    return float(weights[..., fits.family.components.index("structural_zero")].mean())
