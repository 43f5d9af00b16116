"""The E-step's node: gradients, one node for value and gradient, the textbook form, other backends."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import NullTypeGradError, verify_grad
from pytensor.graph.traversal import ancestors

import bayesmix as bm
from bayesmix.estep.op import EStep, one_number
from bayesmix.families.gaussian import kernel as gaussian
from bayesmix.families.zero_inflated_poisson import kernel as zero_inflated_poisson
from bayesmix.gallery import read as gallery
from bayesmix.mixture.spec import bind, resolve
from bayesmix.model.build import build, graph
from bayesmix.model.variables import Graph

INTERPRETED = Mode(linker="py", optimizer=None)


def gaussian_inputs(rng, d, K=3, n=300, *, diagonal=False):
    evidence = np.where(rng.random((n, K)) < 0.1, -np.inf, 0.0)
    evidence[:, 0] = np.where(np.isneginf(evidence).all(axis=1), 0.0, evidence[:, 0])
    A = rng.normal(size=(K, d, d))
    C = np.linalg.cholesky(A @ A.transpose(0, 2, 1) + np.eye(d))
    C = C * np.eye(d) if diagonal else C
    return (
        rng.normal(size=(n, d)),
        rng.dirichlet(np.ones(K)),
        rng.normal(size=(K, d)),
        C,
        evidence,
        rng.uniform(0, 2, n),
    )


def gappy_inputs(rng, d, **options):
    x, *rest = gaussian_inputs(rng, d, **options)
    return np.where(rng.random(x.shape) < 0.3, np.nan, x), *rest


def zip_inputs(rng, n=300):
    x = np.where(rng.random(n) < 0.3, 0, rng.poisson(4, n))
    return x, rng.normal(1, 0.3, n), rng.normal(size=n), np.zeros((n, 2)), rng.uniform(0, 2, n)


NODES = {
    "gaussian, 1-D": (EStep("gaussian", 1, ((False, False),)), lambda rng: gaussian_inputs(rng, 1)),
    "gaussian, 3-D": (EStep("gaussian", 3, ((False, False),)), lambda rng: gaussian_inputs(rng, 3)),
    "gaussian, 3-D, diagonal": (
        EStep("gaussian", 3, ((True, False),)),
        lambda rng: gaussian_inputs(rng, 3, diagonal=True),
    ),
    "gaussian, 6-D": (EStep("gaussian", 6, ((False, False),)), lambda rng: gaussian_inputs(rng, 6)),
    "gaussian, 3-D, cells missing": (EStep("gaussian", 3, ((False, True),)), lambda rng: gappy_inputs(rng, 3)),
    "zero-inflated Poisson": (EStep("zero_inflated_poisson", 1), zip_inputs),
}


@pytest.mark.parametrize("case", NODES)
def test_kernel_node_and_textbook_have_one_value_and_gradient(rng, case):
    """The compiled kernel, the node as Python runs it, and PyTensor's own gradient of the textbook expression."""
    op, make = NODES[case]
    values = make(rng)
    kernel = zero_inflated_poisson if case.startswith("zero") else gaussian
    extra = op.settings
    by_row = np.empty(len(values[0]))
    L, *gradients = kernel.gradient(*values, *extra, by_row)
    assert pytest.approx(by_row.sum(), rel=1e-13) == L
    assert kernel.gradient(*values, *extra, np.empty(0))[0] == L
    compiled = (by_row, *gradients)
    symbols = [pt.as_tensor(v).type() for v in values]
    node = pytensor.function(symbols, op(*symbols), mode=INTERPRETED)(*values)
    rows = op.pointwise(*symbols)
    gradients = pt.grad(rows.sum(), symbols[1:-2])
    textbook = pytensor.function(symbols, [rows, *gradients], mode=INTERPRETED)(*values)
    for fast, reference, written_out in zip(compiled, node, textbook, strict=True):
        if op.family == "gaussian" and written_out.ndim == 3:  # entries above the diagonal are not parameters
            written_out = np.tril(written_out) * (np.eye(op.n_features) if op.settings[0][0] else 1)
        np.testing.assert_allclose(reference, written_out, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(fast, written_out, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", ["gaussian, 3-D", "zero-inflated Poisson"])
def test_row_weights_may_be_negative(rng, case):
    """A cotangent that differs by row and sign is a second call with row weights v_i g_i."""
    op, make = NODES[case]
    x, *parameters, evidence, v = make(rng)
    v = v - 1.0
    kernel = zero_inflated_poisson if case.startswith("zero") else gaussian
    extra = op.settings
    by_row = np.empty(len(v))
    found = kernel.gradient(x, *parameters, evidence, v, *extra, by_row)
    symbols = [pt.as_tensor(value).type() for value in (x, *parameters, evidence, v)]
    expected = pytensor.function(symbols, op(*symbols), mode=INTERPRETED)(x, *parameters, evidence, v)
    for a, b in zip((by_row, *found[1:]), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", ["gaussian, 3-D", "zero-inflated Poisson"])
def test_arrays_of_any_layout(rng, case):
    """A transposed array or one with gaps is read as what it is."""
    op, make = NODES[case]
    values = make(rng)
    kernel = zero_inflated_poisson if case.startswith("zero") else gaussian
    extra = op.settings
    with_gaps = [np.repeat(value, 2, axis=-1)[..., ::2] for value in values]
    expected, found = (kernel.gradient(*given, *extra, np.empty(0)) for given in (values, with_gaps))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("weigh", [False, True], ids=["sum", "other cotangents"])
@pytest.mark.parametrize("case", NODES)
def test_gradients_by_differences(rng, case, weigh):
    op, make = NODES[case]
    x, *parameters, evidence, v = make(rng)
    if op.family == "gaussian":
        evidence = np.zeros_like(evidence)

    def value(*symbols):
        l = op(x, *symbols, evidence, v, return_list=True)[0]
        return (l * np.linspace(-1, 2, len(v))).sum() if weigh else l.sum()

    def lower(C):
        return pt.tril(C) * np.eye(op.n_features) if op.settings[0] else pt.tril(C)

    if op.family == "gaussian":
        verify_grad(lambda w, m, C: value(w, m, lower(C)), parameters, rng=rng, mode=INTERPRETED, rel_tol=1e-4)
    else:
        verify_grad(value, parameters, rng=rng, mode=INTERPRETED, rel_tol=1e-4)


def test_a_sums_cotangent_is_one_number(rng):
    """Seen through the node: the gradient of a sum adds none; of anything else, one with other row weights."""
    op, make = NODES["gaussian, 1-D"]
    symbols = [pt.as_tensor(v).type() for v in make(rng)]
    l = op(*symbols, return_list=True)[0]
    for L, nodes in ((l.sum(), 1), (2 * l.sum() + 1, 1), (l.mean(), 1), (l**2, 2), (pt.exp(l), 2)):
        gradient = pt.grad(L.sum(), symbols[1])
        found = {v.owner for v in ancestors([L, gradient]) if v.owner and isinstance(v.owner.op, EStep)}
        assert len(found) == nodes
    assert one_number(pt.vector()) is None


@pytest.mark.parametrize("name", ["old_faithful", "zip_articles"])
def test_value_and_gradient_are_one_node(name):
    spec, data = bm.load(name)
    model = build(spec, data)
    f = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    nodes = [node for node in f._pytensor_function.maker.fgraph.apply_nodes if isinstance(node.op, EStep)]
    assert len(nodes) == 1
    assert nodes[0].op.summed


def test_one_node_in_the_graph_that_the_sampler_compiles(faithful_compiled):
    nodes = faithful_compiled.nutpie_model.logp_func.maker.fgraph.apply_nodes
    assert sum(isinstance(node.op, EStep) for node in nodes) == 1


@pytest.mark.parametrize("name", gallery.names())
def test_fused_and_textbook_models_agree(rng, name):
    """Value and gradient of the whole log-posterior, at starts and around them."""
    spec, data = bm.load(name)
    spec = resolve(spec, data)
    fused, textbook = build(spec, data), build(spec, data, likelihood="textbook")
    own = type(graph(bind(spec, data))).mixture is not Graph.mixture  # PyMC has no mixture of independent columns
    plain = own and not (data.weighted or data.labelled.any() or data.gaps)
    assert textbook["x"].owner.op.__class__.__name__ != fused["x"].owner.op.__class__.__name__ or not plain
    functions = []
    for model in (fused, textbook):
        lp = model.logp()
        functions.append(pytensor.function(model.value_vars, [lp, *pt.grad(lp, model.value_vars)], mode=INTERPRETED))
    parts = graph(bind(spec, data))
    start = parts.start(parts.likelihood.initial(parts.likelihood.start_kinds[0], rng))
    at = pm.initial_point.make_initial_point_fn(model=fused, overrides=start, return_transformed=True)(0)
    for spread in (0.0, 0.1):
        y = {v: a + spread * rng.normal(size=np.shape(a)) for v, a in at.items()}
        ours, theirs = (f(**y) for f in functions)
        scale = max(np.abs(g).max() for g in theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * scale)


def test_what_the_node_does_not_know_is_refused(rng):
    op, make = NODES["gaussian, 1-D"]
    symbols = [pt.as_tensor(v).type() for v in make(rng)]
    L = op(*symbols, return_list=True)[0].sum()
    for i in (0, 4, 5):
        with pytest.raises(NullTypeGradError, match="parameters only"):
            pt.grad(L, symbols[i])


@pytest.mark.parametrize("of", ["weights", "means"])
def test_sums_of_gradients_are_not_taken_for_the_likelihood(rng, of):
    """A parameter that is broadcast from one vector: its gradient is a sum of a gradient output."""
    op, (x, weights, means, *rest) = NODES["gaussian, 3-D"][0], gaussian_inputs(rng, 3)
    w, m = pt.vector("w"), pt.vector("m")
    L = op(x, w, pt.alloc(m, 3, 3), *rest, return_list=True)[0].sum()
    found = pt.grad(L, m).sum() if of == "means" else pt.grad(L, w).sum()
    at = {"w": weights, "m": means[0]}
    interpreted = pytensor.function([w, m], found, mode=INTERPRETED)(**at)
    assert pytensor.function([w, m], found, mode="NUMBA")(**at) == pytest.approx(interpreted, rel=1e-10)


def test_second_derivatives_are_refused(rng):
    op, make = NODES["gaussian, 1-D"]
    symbols = [pt.as_tensor(v).type() for v in make(rng)]
    gradient = pt.grad(op(*symbols, return_list=True)[0].sum(), symbols[2])
    with pytest.raises(NotImplementedError, match="likelihood='textbook'"):
        pt.grad(gradient.sum(), symbols[2])


def test_likelihood_is_one_of_two(faithful):
    with pytest.raises(ValueError, match="likelihood: must be 'fused' or 'textbook'; got 'fast'"):
        build(*faithful, likelihood="fast")


@pytest.mark.parametrize("name", ["semi_supervised_two_gaussians", "zip_simulated"])
def test_jax_has_the_same_value_and_gradient(rng, name):
    jax = pytest.importorskip("jax")
    from pymc.sampling.jax import get_jaxified_logp

    jax.config.update("jax_enable_x64", True)
    spec, data = bm.load(name)
    model = build(spec, data)
    lp = model.logp()
    expected = pytensor.function(model.value_vars, [lp, *pt.grad(lp, model.value_vars)], mode=INTERPRETED)
    y = {v: a + 0.1 * rng.normal(size=np.shape(a)) for v, a in model.initial_point().items()}
    point = [y[v.name] for v in model.value_vars]
    value, gradients = jax.jit(jax.value_and_grad(get_jaxified_logp(model)))(point)
    wanted = expected(**y)
    np.testing.assert_allclose(value, wanted[0], rtol=1e-10)
    for a, b in zip(gradients, wanted[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * np.abs(b).max())


def test_numpyro_samples_the_model(rng):
    pytest.importorskip("numpyro")
    x = np.concatenate([rng.normal(0, 1, 60), rng.normal(6, 1, 60)])
    model = build(bm.Mixture("gaussian", n_components=2, order="means"), bm.Data(x))
    with model:
        drawn = pm.sample(
            200,
            tune=200,
            chains=1,
            nuts_sampler="numpyro",
            progressbar=False,
            random_seed=1,
            compute_convergence_checks=False,
        )
    means = drawn["posterior"]["means"].mean(("chain", "draw")).to_numpy().ravel()
    np.testing.assert_allclose(means, [x[:60].mean(), x[60:].mean()], atol=0.2)
