"""The model: in mathematics, as a plate diagram, and its priors in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from bayesmix.likelihood.words import letters, words_of
from bayesmix.report import priors
from bayesmix.report.blocks import Block, Drawing, Formulas, Heading, Inline, Notice, Paragraph, Section, Table, Terms
from bayesmix.report.fits import Fits
from bayesmix.report.mathematics import formulas, mathml, symbol
from bayesmix.report.plate import plate_svg, words
from bayesmix.report.text import listed, plural


def model(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Formulas, plate diagram, priors, and what the likelihood assumes."""
    blocks: list[Block] = [
        Paragraph(_in_words(fits), "lead"),
        Formulas(formulas(fits.likelihood)),
        Drawing(plate_svg(fits.likelihood), "The model as a graph. " + words(fits.likelihood)),
        *_terms(fits),
        Heading("Priors, in numbers"),
        Paragraph("Weakly informative unless the model says otherwise, on the scale of the data as given."),
        _priors(fits),
    ]
    if fits.data.labelled.any():
        blocks.append(_about_labels(fits))
    notice = words_of(fits.likelihood).notice(fits.likelihood, _means(fits, summary))
    if notice:
        blocks.append(Notice("info", *notice))
    return Section("model", "The model", blocks)


def _in_words(fits: Fits) -> str:
    n = plural(fits.likelihood.n_parameters, "free parameter")
    order = fits.em.spec.order
    ordered = f" The components are ordered by their {order}." if order else ""
    return f"{words_of(fits.likelihood).model(fits.likelihood)}; {n}.{ordered}"


def _terms(fits: Fits) -> list[Block]:
    """What the design vectors of a regression hold."""
    likelihood = fits.likelihood
    if not likelihood.linears:
        return []
    words = {p.name: p.words.removeprefix("coefficients of ") for p in likelihood.parameters}
    definitions = []
    for linear in likelihood.linears:
        f, _ = letters(likelihood)[linear.name]
        definitions.append((mathml(f"{f}_i"), f"terms of {words[linear.coef]}: {listed(linear.terms, most=12)}"))
    for linear in likelihood.linears:
        if linear.has_offset:
            _, o = letters(likelihood)[linear.name]
            definitions.append((mathml(f"{o}_i"), f"offset of {words[linear.coef]}: {linear.offset_words}"))
    return [Terms(definitions)]


def _means(fits: Fits, summary: Mapping[str, Any]) -> dict[str, float]:
    """Posterior means of the estimates, and of the weights of the components, averaged over the rows."""
    parameters = summary["posterior"]["parameters"]
    weights = np.exp(fits.likelihood.log_weights(fits.record.thinned(10)))
    average = weights.reshape(-1, weights.shape[-1]).mean(axis=0)
    shares = dict(zip(fits.likelihood.components, average.tolist(), strict=True))
    return shares | {name: row["mean"] for name, row in parameters.items()}


def _priors(fits: Fits) -> Table:
    likelihood = fits.likelihood
    rows: list[Sequence[Inline]] = []
    words = {p.name: p.words for p in likelihood.parameters}
    for variable in likelihood.dims:
        prior = fits.em.spec.priors.get(variable)
        free = prior is not None and (variable not in likelihood.free or likelihood.free[variable].any())
        if not free and variable not in likelihood.known:
            continue
        rows.append([Markup("{} {}").format(words[variable], symbol(likelihood, variable))])
        rows += [[of or "all", what, ""] for of, what in priors.known_rows(likelihood, variable)]
        if prior is not None and free:
            rest = "every other" if variable in likelihood.known else "each"
            rows += [
                [rest if of == "each" else of or "all", what, middle]
                for of, what, middle in priors.rows(likelihood, variable, prior)
            ]
    return Table(("For", "Prior", "Central 95%"), rows, (False, False, True))


def _about_labels(fits: Fits) -> Notice:
    text = (
        "The likelihood is the joint one of measurements and labels. It assumes that labels are missing at random: "
        "whether a row is labelled may depend on its measurements, not on its unknown group. Rows that were picked by "
        "class break that, unless each class was picked in proportion to its share of the population."
    )
    return Notice("info", "What the labels assume", text)
