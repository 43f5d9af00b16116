"""What tables, pictures, priors and formulas must know of a named estimate: one entry per parameter of a family."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A named estimate of a mixture.

    Attributes
    ----------
    name : str
    dims : tuple of str
    support : str
        ``simplex``, ``simplexes`` (several side by side), ``real``, ``real vector``, ``positive``, ``unit`` or
        ``correlation``: what a prior must have.
    symbol : str
        In LaTeX, with its subscripts.
    words : str
        In the plural, as a sentence has them.
    label : str
        As an axis or the title of a panel has it, with mathematics between dollars.
    prior : bool
        Whether it is a free variable with a prior; the others follow from those, or are known.
    follows : tuple of str
        The estimates that it follows from, where it has no prior.
    varies : bool
        False where it has entries that never vary, such as the zeros of a diagonal matrix. Of a posterior it is then
        stored apart, in the group ``derived``: what varies says it.
    centred : bool
        Whether 0 means something that a picture should show.
    in_place_of : str
        The parameter with a prior that it stands for in tables, checks and comparisons, because that one is not
        identified: a rotation of the loadings of factors makes no difference to any row.
    sorts : bool
        Whether components that may switch labels are named in the order of its first entries.
    nuisance : bool
        Whether conclusions rarely rest on it: sensitivity to its prior is not asked for.
    blocks : tuple of int
        Sizes of the simplexes that stand side by side along its last dimension, once it is bound to rows.
    knowable : bool
        Whether ``fixed`` may give its value.
    """

    name: str
    dims: tuple[str, ...]
    support: str
    symbol: str
    words: str
    label: str
    prior: bool = True
    varies: bool = True
    centred: bool = False
    nuisance: bool = False
    in_place_of: str = ""
    sorts: bool = False
    follows: tuple[str, ...] = ()
    blocks: tuple[int, ...] = ()
    knowable: bool = True
