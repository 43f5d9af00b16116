"""Choose among mixtures: EM of all candidates, then their posteriors, each kept as soon as it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bayesmix.choosing import cost, store
from bayesmix.choosing.by_em import Numbers, by_em, fits_of
from bayesmix.choosing.candidates import (
    K_FREE,
    PRIORS,
    Candidate,
    candidates,
    in_units,
    reference_components,
    standardized,
)
from bayesmix.choosing.choice import Choice
from bayesmix.choosing.prior_of_k import log_prior_of_k
from bayesmix.families.prior_sets import NAMES_OF_SETS
from bayesmix.inputs import errors
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.inputs.defaults import N_STARTS
from bayesmix.inputs.errors import FitError
from bayesmix.kernels.parallel import in_processes, in_threads, n_threads
from bayesmix.mixture.spec import Mixture

FULL, EM_ALONE = "full", "em"
FOLDS = 5
OF_SAMPLING = ("draws", "tune", "chains", "cores", "target_accept", "sampler", "until", "minutes", "evidence_error")
"""Arguments that are handed to :func:`bayesmix.sample`."""

type Say = Callable[[str], None]


def choose(
    spec: Mixture,
    data: Data,
    *,
    n_components: int | Iterable[int] = range(1, 7),
    covariance: str | Sequence[str] | None = None,
    priors: str = K_FREE,
    p_components: str | Mapping[int, float] = "uniform",
    standardize: bool = False,
    folds: int = FOLDS,
    n_starts: int = N_STARTS,
    seed: int = 1,
    mode: str = FULL,
    out: str | Path | None = None,
    progress: bool = True,
    **settings: Any,
) -> Choice:
    """Set mixtures with different numbers of components side by side, and say what each way of choosing chooses.

    EM of every candidate gives BIC, ICL, AIC and the density of held-out rows; its posterior gives leave-one-out, the
    evidence (by bridge sampling, or along the ladder of a replica exchange), a second estimate of it by Nobile's
    identity (:mod:`bayesmix.choosing.nobile`), and how many components have rows.

    Parameters
    ----------
    spec, data
        The mixture, whose number of components counts for nothing, and what was observed.
    n_components : int or iterable of int
        The numbers of components to compare.
    covariance : str or sequence of str, optional
        Kinds to compare, each with every number; by default that of ``spec``.
    priors : {"k-free", "default", "richardson-green", "fms-2021"}
        Priors that ``spec`` does not have. ``"k-free"``: where a default depends on the number of components (scales of
        normal components shrink as K grows), all candidates have that of three, so that their evidences answer one
        question. ``"default"``: each its own; Nobile's identity does not hold then. A published set by its name:
        :func:`bayesmix.families.prior_sets.prior_set`.
    p_components : {"uniform", "bnb"} or mapping of int to float
        p(K), over ``n_components``: :func:`bayesmix.choosing.prior_of_k.log_prior_of_k`.
    standardize : bool
        Take every measured column in units of its standard deviation; what ``spec`` knows or believes of measurements
        would be in other units and is refused. Spheres, and structures with axes of their own
        (EVE, VVE, EEV, VEV), depend on the units of the columns, and the table says so where there are some.
    folds : int
        Of held-out rows; 0 for none.
    n_starts : int
        Of EM. A candidate also starts where kinds of fewer parameters ended higher, with as many components: what is
        found of it depends on which kinds are asked about beside it.
    seed : int
        Same seed, same table.
    mode : {"full", "em"}
        ``"em"``: the columns of EM alone, in seconds.
    out : str or Path, optional
        Folder that keeps every finished candidate, so that the same call goes on where it was stopped.
    progress : bool
        Say on the error stream what is done, and before sampling what it will cost.
    **settings
        ``draws, tune, chains, cores, target_accept, sampler, until, minutes, evidence_error`` of
        :func:`bayesmix.sample`. Candidates are sampled side by side, each on its share of ``cores``, and ``minutes``
        are those of each.

    Returns
    -------
    Choice
        ``.table``, ``.posterior``, ``.routes``, ``.best``; ``str()`` says it in words.

    Raises
    ------
    ValueError
        Where an argument is impossible, naming it, or a candidate cannot be fitted to these rows.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmix import Data, Mixture, choose
    >>> x = np.r_[np.linspace(1, 3, 30), np.linspace(11, 13, 30)]
    >>> choice = choose(Mixture("gaussian", n_components=1), Data(x), n_components=(1, 2, 3), mode="em", progress=False)
    >>> choice.routes["bic"], choice.best.n_components
    ('2', 2)
    """
    _check(mode, folds, settings)
    numbers = whole_numbers(n_starts=n_starts, seed=seed)
    if settings.get("cores") is not None:
        settings |= whole_numbers(cores=settings["cores"])
    data = standardized(spec, data) if standardize else data
    asked = candidates(spec, data, n_components, covariance, priors)
    log_prior_of_k(p_components, sorted({c.n_components for c in asked}))
    folder = None if out is None else Path(out)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    say: Say = partial(errors.say, err=True) if progress else (lambda text: None)
    folds = min(folds, len(data))
    records = _em(asked, {**numbers, "folds": folds}, folder, say)
    if mode == FULL:
        records = _draws(asked, records, {"seed": numbers["seed"], **settings}, folder, say)
    named = priors if priors in NAMES_OF_SETS else spec.prior_set or priors
    reference = reference_components(spec, data, [c.n_components for c in asked])
    said = PRIORS[named].format(reference=reference) if mode == FULL else ""
    held = f"Held-out density is the sum over rows, in {folds} folds." if folds else ""
    signs = "BIC, ICL and AIC: smaller is better (mclust prints -BIC and -ICL)."
    units = _units(asked, standardize)
    return Choice(asked, records, p_components, tuple(note for note in (signs, held, said, units) if note))


def _units(asked: Sequence[Candidate], standardize: bool) -> str:
    """What is to be said of the columns' units."""
    if standardize:
        return (
            "Columns are in units of their standard deviations, and so are likelihoods, densities, evidences and "
            "estimates."
        )
    kinds = in_units(asked)
    again = "another unit of a column is another mixture; standardize=True takes all in their standard deviations"
    return f"{', '.join(kinds)}: {again}." if kinds else ""


def _check(mode: str, folds: int, settings: Mapping[str, Any]) -> None:
    if mode not in (FULL, EM_ALONE):
        raise ValueError(f"mode: must be {FULL!r} or {EM_ALONE!r}; got {mode!r}")
    if folds != 0 and whole_numbers(folds=folds)["folds"] == 1:
        raise ValueError("folds: must be 0 or at least 2; got 1")
    for name in settings:
        if name not in OF_SAMPLING:
            raise ValueError(f"{name}: not an argument of choose; to sampling go {', '.join(OF_SAMPLING)}")
    if settings and mode == EM_ALONE:
        raise ValueError(f"{next(iter(settings))}: is of sampling; mode='em' does not sample")


def _em(asked: Sequence[Candidate], settings: Mapping[str, Any], folder: Path | None, say: Say) -> list[Numbers]:
    """EM of every candidate, those of one number of components together; the numbers in threads."""
    began, rows = time.perf_counter(), store.digest(asked[0].data)

    def of_number(K: int) -> dict[str, Numbers]:
        group = sorted((c for c in asked if c.n_components == K), key=lambda c: c.likelihood.n_parameters)
        beside = {"beside": [c.spec.to_dict() for c in group]} if len(group) > 1 else {}
        paths = [folder and folder / store.key(c, EM_ALONE, {**settings, **beside}, rows) for c in group]
        fits = fits_of(group, n_starts=settings["n_starts"], seed=settings["seed"])
        return {
            c.name: store.kept(path, partial(by_em, c, made, **settings))
            for c, path, made in zip(group, paths, fits, strict=True)
        }

    numbers = sorted({c.n_components for c in asked})
    records = {name: record for found in in_threads(of_number, numbers) for name, record in found.items()}
    say(f"EM of {len(asked)} candidates: {cost.in_words(time.perf_counter() - began)}.")
    return [{"n_components": c.n_components} | records[c.name] for c in asked]


def _draws(
    asked: Sequence[Candidate],
    records: list[Numbers],
    settings: Mapping[str, Any],
    folder: Path | None,
    say: Say,
) -> list[Numbers]:
    """The posteriors, of several candidates at once where there are cores; one that cannot be sampled says why."""
    rows = store.digest(asked[0].data)
    paths = [folder and folder / store.key(c, FULL, settings, rows) for c in asked]
    todo = [i for i, path in enumerate(paths) if path is None or not path.is_file()]
    at_once = {"cores": settings.get("cores") or n_threads()}
    if todo:
        say(cost.forecast([records[i] for i in todo], {**settings, **at_once}))
    processes = max(1, min(at_once["cores"], len(todo)))
    threads = at_once["cores"] // processes
    one = partial(_one, asked, paths, {**settings, "cores": threads})
    began, found = time.perf_counter(), {}
    hardest_first = sorted(range(len(asked)), key=lambda i: (i in todo, -asked[i].likelihood.n_parameters))
    for i, numbers in in_processes(one, hardest_first, processes=processes, threads=threads):
        found[i] = numbers
        spent = cost.in_words(time.perf_counter() - began)
        say(f"K = {asked[i].name}: done, {len(found)} of {len(asked)} after {spent}.")
    return [record | found[i] for i, record in enumerate(records)]


def _one(
    asked: Sequence[Candidate], paths: Sequence[Path | None], settings: Mapping[str, Any], i: int
) -> tuple[int, Numbers]:
    """What the posterior of candidate ``i`` says, kept as soon as it is there."""
    from bayesmix.choosing.by_draws import by_draws

    try:
        return i, store.kept(paths[i], partial(by_draws, asked[i], **settings))
    except (FitError, ValueError) as error:  # of this candidate alone: its data and priors were right
        return i, {"error": str(error)}
