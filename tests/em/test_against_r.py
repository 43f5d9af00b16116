"""The same models fitted by R's mclust and pscl (Debian: r-cran-mclust, r-cran-pscl), where they are installed."""

import shutil
import subprocess

import numpy as np
import pytest

import bayesmix as bm
from conftest import MODELS


def r_numbers(code, package):
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    load = f"if (!requireNamespace('{package}', quietly=TRUE)) quit(status=7)\nsuppressMessages(library({package}))\n"
    done = subprocess.run(["Rscript", "-e", load + code], capture_output=True, text=True, cwd=MODELS, check=False)
    if done.returncode == 7:
        pytest.skip(f"{package} is not installed")
    assert done.returncode == 0, done.stderr
    return np.array([float(v) for v in done.stdout.split()])


def test_old_faithful_is_mclust_s_vvv_model(faithful_em):
    code = """x <- as.matrix(read.csv('old_faithful/data.csv')[, c('eruptions', 'waiting')])
    m <- Mclust(x, G=2, modelNames='VVV', verbose=FALSE); o <- order(m$parameters$mean[1, ])
    cat(format(c(m$loglik, m$parameters$mean[, o]), digits=12))"""
    log_likelihood, *means = r_numbers(code, "mclust")
    assert faithful_em.log_likelihood >= log_likelihood - 1e-3
    np.testing.assert_allclose(faithful_em.params["means"].to_numpy().ravel(), means, rtol=1e-3)


def test_articles_are_pscl_s_zeroinfl_with_its_standard_errors(articles):
    code = """d <- read.csv('zip_articles/data.csv')
    d[] <- lapply(d, function(v) if (is.character(v)) factor(v) else v)
    z <- summary(zeroinfl(art ~ fem + mar + kid5 + phd + ment, data=d))
    cat(format(c(z$loglik, z$coefficients$count[, 1:2], z$coefficients$zero[, 1:2]), digits=12))"""
    log_likelihood, *rest = r_numbers(code, "pscl")
    count, count_se, zero, zero_se = np.reshape(rest, (4, 6))
    em = bm.fit_em(*articles, n_starts=4, tolerance=1e-12)
    assert em.log_likelihood == pytest.approx(log_likelihood, abs=1e-4)
    np.testing.assert_allclose(em.params["rate_coef"], count, atol=2e-4)
    np.testing.assert_allclose(em.standard_errors["rate_coef"], count_se, rtol=2e-3)
    np.testing.assert_allclose(em.params["zero_coef"], zero, atol=2e-3)
    np.testing.assert_allclose(em.standard_errors["zero_coef"], zero_se, rtol=2e-3)
