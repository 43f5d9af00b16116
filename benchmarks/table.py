"""The rows: what each measures, in words, and how it is run. Its code is in ``rows/<name>.py``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A family of measurements that makes one table.

    ``one_thread``: BLAS, OpenMP, numba and XLA get one thread each. ``on_request``: run only when asked for by name.
    """

    title: str
    about: str
    one_thread: bool = False
    on_request: bool = False


ROWS = {
    "gradient": Row(
        "One evaluation of log-posterior and gradient",
        "The compiled function that nutpie calls, `bm.build` against a hand-written `pm.NormalMixture`, or `pm.Mixture`"
        " of `pm.MvNormal` with one `pm.LKJCholeskyCov` per component, with the same priors. Both log-densities are"
        " first checked to be one at random points (the Jacobian of the map between their coordinates by complex"
        " steps). numba's functions are called in a compiled loop; JAX gets the faster of a compiled loop and jitted"
        " calls with `block_until_ready`. The floor is the arithmetic that no way round saves, at the speed that this"
        " processor was seen to do it: K n exponentials, and the K n d (d + 1) multiply-adds of the factors' products"
        " and the second moments at the rate of BLAS' matrix product.",
        one_thread=True,
    ),
    "gradient_columns": Row(
        "One evaluation of log-posterior and gradient: Poisson mixtures, latent classes",
        "The compiled function that nutpie calls, `bm.build` against the marginal density written out in PyMC"
        " (`pm.logp` of the columns, `logsumexp` over components) with the same priors, both on numba. Both"
        " log-densities are first checked to be one at random points.",
        one_thread=True,
    ),
    "gradient_gaps": Row(
        "One evaluation of log-posterior and gradient: missing cells",
        "The compiled function of `bm.build` over Gaussian rows of which a tenth of the cells are missing, each row in"
        " one of at most 20 patterns, against the same rows whole. Rows are sorted by pattern in every evaluation.",
        one_thread=True,
    ),
    "gradient_factors": Row(
        "One evaluation of log-posterior and gradient: mixtures of factor analysers",
        "The compiled function that nutpie calls, `bm.build` against a `pm.Mixture` of `pm.MvNormal` with covariances"
        " Lambda Lambda' + Psi and the same priors, both on numba; one factor. Both log-densities are first checked to"
        " be one at random points.",
        one_thread=True,
    ),
    "linear": Row(
        "Cost of a gradient by number of rows",
        "The same compiled function of `bm.build`, K = 5 in four features and K = 3 in one; time per row of data.",
        one_thread=True,
    ),
    "nuts_1d": Row(
        "NUTS: three Gaussians on a line, n = 10,000, ordered means",
        "Means 2, 5, 10; sd 0.6, 0.8, 0.5; weights 0.4, 0.2, 0.4. `bm.sample` and `pm.sample` with their own defaults,"
        " the textbook model begun at the means' true order. Sampling seconds are those inside the sampler, warm-up"
        " (and, in ours, scouting chains) included; ESS is the smallest bulk ESS of weights, means and scales. All"
        " the rest is compiling, finding starts and sorting labels. NumPyro, whose sampling seconds include XLA's"
        " compiling, gets a tenth of the rows: with all of them it takes minutes.",
        one_thread=True,
    ),
    "modes_cost": Row(
        "What looking for modes costs where there is one",
        "The whole of `bm.sample` on a compiled model (EM from 20 starts, climbs from its solutions and from 20 random"
        " allocations, four chains, labels, log-likelihoods) against its four chains alone, begun at the mode that was"
        " found, in the same coordinates. 1,000 draws after 500 of warm-up.",
    ),
    "first_1000": Row(
        "Old Faithful, two groups, full covariance: from a cold Python to 1,000 effective draws",
        "The whole life of a Python process that imports, compiles, samples and takes the smallest bulk ESS of weights,"
        " means and covariances, with warm caches on disk. Each side runs with its default tuning and chains and, of"
        " 250, 500, 1,000, 2,000, ... draws per chain, the fewest that reach an ESS of 1,000 with that seed, found in"
        " untimed pilot runs. The textbook model begins at k-means centres.",
    ),
    "em_whole": Row(
        "Whole calls of `fit_em` beside scikit-learn's",
        "`bm.fit_em` and `GaussianMixture(n_init=starts, tol=1e-6, max_iter=300)` from the rows to the fit, with as"
        " many starts, one run each where these are long, else medians of seven runs in turns; ours goes on to"
        " `tolerance=1e-9` and looks at what it found (saddles, spikes). Both log-likelihoods are over all rows."
        " Standard errors, in closed form, are computed when first asked for; scikit-learn has none.",
        one_thread=True,
    ),
    "em_whole_threads": Row(
        "Whole calls of `fit_em` beside scikit-learn's, threads as the machine gives them",
        "The same.",
    ),
    "estimator": Row(
        "Whole calls of `MixtureEstimator` beside scikit-learn's `GaussianMixture`",
        "`fit`, and `GridSearchCV` of K = 4 to 6 in three folds, on the rows of `em_whole`, with as many starts"
        " (`tol=1e-6, max_iter=300` of scikit-learn's, `tol=1e-9` of ours); and both as they are where nothing is set:"
        " 20 starts of ours, one of scikit-learn's that ends at `tol=1e-3`.",
        one_thread=True,
    ),
    "em_iteration": Row(
        "One EM iteration, full covariance, one thread",
        "E-step and M-step at the same parameters, against the same two steps of scikit-learn's `GaussianMixture`."
        " Log-likelihood and updated parameters are first checked to agree.",
        one_thread=True,
    ),
    "em_converge": Row(
        "EM to the same log-likelihood from the same starts",
        "Total over k-means starts, both sides from the same weights, means and covariances. scikit-learn stops by its"
        " default rule (`tol=1e-3` on the mean log-likelihood), ours when its log-likelihood is at least scikit-learn's"
        " less 1e-3. To the optimum: scikit-learn with `tol=1e-9`, ours as `bm.fit_em` climbs, and no lower than that."
        " Iterations of ours are passes over the rows.",
        one_thread=True,
    ),
    "responsibilities": Row(
        "Responsibilities: mean, sd and 90% interval over 4,000 draws x 10,000 rows x 3 components",
        "`bm.responsibility_summary` against the array of all of them in NumPy and SciPy; each in a process of its own."
        " Peak memory is the largest resident set of the process; beyond that before the call in the next column.",
    ),
    "many_rows": Row(
        "After sampling, at 20,000 rows: summaries, LOO, the comparison with EM, the verdict",
        "Each call once on a fit of `bm.sample` with its defaults, in one process; what is computed once is paid for by"
        " the first that needs it.",
    ),
    "sample_whole": Row(
        "Whole calls of `bm.sample` from ten features on",
        "`bm.sample(spec, data)` with its defaults, from the rows to the labelled draws, threads as the machine gives"
        " them, with warm caches on disk; ESS is the smallest bulk ESS of weights and means. Beside it, where it"
        " ends within minutes, the textbook model (`pm.Mixture` of `pm.MvNormal`, one `pm.LKJCholeskyCov` per"
        " component, the same priors) with `pm.sample`'s defaults, begun at the means that made the rows.",
    ),
    "million": Row(
        "A million rows in four features, K = 5: NUTS with 4 x 500 kept draws after 200 of warm-up",
        "`bm.sample` in a process of its own, everything included; peak memory is its largest resident set.",
        on_request=True,
    ),
    "mclust": Row(
        "EM to convergence beside R's mclust and scikit-learn: (10,000, 4, 3), full covariance",
        "All three from the same responsibilities. mclust's `me` and scikit-learn stop by their default rules, ours at"
        " their log-likelihood less 1e-3; R is timed inside R.",
        one_thread=True,
    ),
    "pystan": Row(
        "NUTS beside Stan: three Gaussians on a line, n = 2,000, ordered means",
        "PyStan in an environment of its own (Python 3.11 or 3.12), the same priors, 2 chains of 500 draws after 500 of"
        " warm-up on both sides. Stan's log-density is first checked against a hand-written one at random points, up to"
        " a constant.",
        one_thread=True,
    ),
}
