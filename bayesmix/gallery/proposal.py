"""Which family suits a table, over which of its columns, and why: what ``bayesmix new`` writes, in words."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.families.table import FAMILIES
from bayesmix.gallery.kinds import Column, Kind, described
from bayesmix.inputs.csv_columns import column, numeric
from bayesmix.inputs.defaults import DROP
from bayesmix.inputs.tables.words import some
from bayesmix.likelihood.family import Family

USABLE = (Kind.MEASUREMENT, Kind.ANSWER, Kind.COUNT)
"""Kinds of columns that a mixture is of; where there are as many of two, the first is taken."""
EXCESS = 4.0
"""Zeros beyond what a Poisson law has, in its standard deviations, from which on they call for a part of their own."""
FEW_MEASURED, FEW_ANSWERS = 2, 6
"""Beside so many columns at most, one of counts is what the table is about."""


@dataclass(frozen=True)
class Asked:
    """What the user said; None or empty where nothing was.

    Attributes
    ----------
    family, columns, label, response, id : str or None
        ``columns`` separated by commas; in quotes where a name has one.
    k : int or None
    """

    family: str | None = None
    columns: str | None = None
    label: str | None = None
    response: str | None = None
    id: str | None = None
    k: int | None = None


@dataclass(frozen=True)
class Proposal:
    """A mixture for a table.

    Attributes
    ----------
    family : Family
    columns : list of str
        Those that are fitted; with ``response`` those that may be covariates.
    response, id : str or None
    drop : bool
        Whether rows with missing cells have to go.
    gapped : int
        Rows with missing cells.
    na : list of str
        Numbers that stand for a missing cell.
    told : list of str
        Column by column what was found, then why this family, what is left out, what is done about gaps.
    """

    family: Family
    columns: list[str]
    response: str | None
    id: str | None
    drop: bool
    gapped: int
    na: list[str]
    told: list[str]


def propose(frame: pd.DataFrame, asked: Asked) -> Proposal:
    """The family and the columns, as asked for where the user said so.

    Raises
    ------
    ValueError
        Naming the option, and the column, row and value that cannot serve.
    """
    for option, name in (("--label", asked.label), ("--response", asked.response), ("--id", asked.id)):
        if name is not None:
            column(frame, name, option)
    found = described(frame)
    stand_ins = _stand_ins(frame, found)
    if stand_ins:
        frame = frame.mask(frame.isin(stand_ins))
        found = described(frame)
    id = asked.id or _names_of_rows(found, asked)
    others = {name: c for name, c in found.items() if name not in (id, asked.label)}
    family, names, why = _response(frame, asked, others) or _columns(frame, asked, others)
    response = names.pop(0) if family.responds else None
    _check(family, asked)
    fitted = [response] if response else names
    if asked.id is not None and asked.id in fitted:
        raise ValueError(f"--id: {asked.id!r} is among the columns that are fitted; it names the rows")
    gaps = sum(found[name].missing for name in fitted)
    drop = bool(gaps) and not family.models_gaps
    told = [f"  {c}" for c in found.values()]
    told += [f"Missing cells: {', '.join(map(str, stand_ins))}, far from all other numbers (na)."] if stand_ins else []
    told += [f"Family {family.name}: {why}."]
    told += _left_out(family, others, [*names, *([response] if response else [])])
    told += _gaps(frame, family, fitted, gaps)
    own, na = None if id in names else id, [str(v) for v in stand_ins]
    return Proposal(family, names, response, own, drop, int(frame[fitted].isna().any(axis=1).sum()), na, told)


def _stand_ins(frame: pd.DataFrame, found: Mapping[str, Column]) -> list[int]:
    """Numbers that stand for a missing cell wherever they are."""
    values = {c.stand_in for c in found.values() if c.stand_in is not None}
    others = {v: [name for name, c in found.items() if c.stand_in != v] for v in values}
    return sorted(v for v in values if not frame[others[v]].isin([v]).any(axis=None))


def _names_of_rows(found: Mapping[str, Column], asked: Asked) -> str | None:
    """The column that names the rows: one that is called so before others."""
    names = [c for c in found.values() if c.kind == Kind.ID and c.name not in (asked.label, asked.response)]
    return next((c.name for c in sorted(names, key=lambda c: not c.named_so)), None)


def _response(frame: pd.DataFrame, asked: Asked, others: Mapping[str, Column]) -> tuple[Family, list[str], str] | None:
    """One column explained by the others, where that was asked for, or one of counts has too many zeros."""
    known = next(f for f in FAMILIES.values() if f.responds)
    chosen = None if asked.family is None else FAMILIES[asked.family]
    covariates = [name for name, c in others.items() if c.kind in USABLE and not (c.missing or c.classes)]
    if asked.response is not None:
        if asked.columns is not None or (chosen is not None and not chosen.responds):
            raise ValueError(
                f"--response: is for {known.observation}s ({known.name}); a {next(iter(FAMILIES))} mixture takes "
                "--columns"
            )
        names = [name for name in covariates if name != asked.response]
        return chosen or known, [asked.response, *names], f"{asked.response!r} is explained by other columns"
    if chosen is not None and chosen.responds:
        raise ValueError(f"--response: a {chosen.name} needs the column of {chosen.observation}s")
    counts = [name for name, c in others.items() if c.kind == Kind.COUNT]
    if chosen is not None or asked.columns is not None or asked.k not in (None, known.default_components):
        return None
    kinds = _kinds(others)
    if len(counts) != 1 or kinds.count(Kind.MEASUREMENT) > FEW_MEASURED or not kinds.count(Kind.ANSWER) <= FEW_ANSWERS:
        return None
    zeros, expected = _zeros(numeric(frame[counts])[:, 0])
    if zeros <= expected:
        return None
    why = f"{zeros:.0%} of the counts {counts[0]!r} are 0, where a Poisson law of their mean has at most {expected:.0%}"
    return known, [*counts, *(name for name in covariates if name != counts[0])], why


def _zeros(x: np.ndarray) -> tuple[float, float]:
    """The share of zeros, and what it may be at most under a Poisson law of this mean."""
    x = x[~np.isnan(x)]
    p = float(np.exp(-x.mean()))
    return float((x == 0).mean()), p + EXCESS * float(np.sqrt(p * (1 - p) / len(x)))


def _columns(frame: pd.DataFrame, asked: Asked, others: Mapping[str, Column]) -> tuple[Family, list[str], str]:
    """Columns of one kind, independent of an order."""
    if asked.columns is not None:
        names = [name.strip() for name in next(csv.reader([asked.columns], skipinitialspace=True))]
        for name in names:
            column(frame, name, "--columns")
        family, why = _family(frame, asked, names, others)
        if not family.takes_levels:
            numeric(frame[names])
        return family, names, why
    kind = _majority(others) if asked.family is None else None
    fits = _serves(frame, FAMILIES[asked.family]) if asked.family else lambda c: c.kind == kind
    names = [name for name, c in others.items() if c.kind in USABLE and fits(c) and not c.classes]
    if not names:
        told = "; ".join(map(str, others.values())) or "there is none but the names of rows"
        raise ValueError(f"--columns: no column can serve as a measurement, a count or an answer: {told}")
    family, why = _family(frame, asked, names, others)
    return family, names, why


def _family(frame: pd.DataFrame, asked: Asked, names: list[str], others: Mapping[str, Column]) -> tuple[Family, str]:
    """The first family of what these columns hold; answers of 0 and 1 have one of their own."""
    if asked.family is not None:
        return FAMILIES[asked.family], "as asked for"
    kinds = {others[name].kind for name in names if name in others} or {Kind.MEASUREMENT}
    kind = kinds.pop() if len(kinds) == 1 else Kind.MEASUREMENT
    known = [f for f in FAMILIES.values() if not f.responds and f.observation == kind]
    if kind == Kind.ANSWER:
        codes = [
            f for f in known if not f.takes_levels and _are_numbers(frame, names) and f.suits(numeric(frame[names]))
        ]
        known = codes or [f for f in known if f.takes_levels]
        what = "answers of 0 and 1" if codes else "answers in a few levels"
        return known[
            0
        ], f"{some(names, quoted=True)} {'are' if len(names) > 1 else 'is'} {what}, so that groups are latent classes"
    several = f"{len(names)} columns of {kind}s" if len(names) > 1 else f"{names[0]!r} holds {kind}s"
    return known[0], several


def _are_numbers(frame: pd.DataFrame, names: list[str]) -> bool:
    return all(pd.api.types.is_numeric_dtype(frame[name]) for name in names)


def _serves(frame: pd.DataFrame, family: Family) -> Callable[[Column], bool]:
    """Whether a column can be one of a family that was asked for."""

    def serves(c: Column) -> bool:
        if family.takes_levels:
            return c.kind == Kind.ANSWER
        if not _are_numbers(frame, [c.name]):
            return False
        x = numeric(frame[[c.name]])
        if family.observation == Kind.ANSWER:
            return family.suits(x)
        whole = bool((np.isnan(x) | ((x >= 0) & (x == np.floor(x)))).all())
        return whole or family.observation == Kind.MEASUREMENT

    return serves


def _majority(others: Mapping[str, Column]) -> str:
    kinds = _kinds(others)
    return max(USABLE, key=kinds.count)


def _kinds(others: Mapping[str, Column]) -> list[Kind]:
    """Kinds of the columns that do not seem to hold classes."""
    return [c.kind for c in others.values() if not c.classes]


def _check(family: Family, asked: Asked) -> None:
    if asked.k is not None and family.default_components not in (None, asked.k):
        raise ValueError(f"-k: a {family.name} has {family.default_components} components; got {asked.k}")


def _left_out(family: Family, others: Mapping[str, Column], used: list[str]) -> list[str]:
    """Columns that take no part, and how they could."""
    left = [c for name, c in others.items() if name not in used]
    lines = [f"Left out: {', '.join(some([c.name]) for c in left)}."] if left else []
    other = [c.name for c in left if c.kind in USABLE and not c.classes]
    counts = [c.name for c in others.values() if c.kind == Kind.COUNT]
    if other and not family.responds:
        lines += [f"A mixture is of one kind of columns: for {some(other, quoted=True)} give --columns and --family."]
        lines += (
            [f"To explain {counts[0]!r} by the other columns: --response {shlex.quote(counts[0])}."] if counts else []
        )
    classes = [c.name for c in sorted(left, key=lambda c: not c.classes) if c.kind == Kind.ANSWER]
    if classes and not family.responds:
        lines += [f"If {classes[0]!r} holds known classes: --label {shlex.quote(classes[0])}."]
    return lines


def _gaps(frame: pd.DataFrame, family: Family, names: list[str], gaps: int) -> list[str]:
    if not gaps:
        return []
    rows = int(frame[names].isna().any(axis=1).sum())
    where = f"{gaps} of {frame[names].size} cells are missing, in {rows} of {len(frame)} rows"
    if family.models_gaps:
        return [f'Gaps: {where}. They are summed out, as missing at random; missing = "{DROP}" leaves their rows out.']
    return [f'Gaps: {where}. A {family.name} needs whole rows: missing = "{DROP}" leaves {rows} out.']
