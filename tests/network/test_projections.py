"""Projections other than dense in batches of trials: gradients, references, freezing, biases."""

import numpy as np
import pytest

import biosnn as bs
from tests import gradcheck, naive

from .projections import DT, loss, spikes

SURROGATES = [bs.SuperSpike(5), bs.TruncatedSuperSpike(3, 1.5)]


def exponential(scale):
    return lambda rng, size: rng.exponential(scale, size)


def circuit(
    rule,
    n_post,
    surrogate=bs.SuperSpike(5),
    delay=0.0,
    weights=None,
    dtype=np.float64,
    bias=None,
    learn=None,
    **options,
):
    """Eight inputs and a population of eight, with `rule` to n_post neurons, back from them, and a
    readout of all.
    """
    rng, net = np.random.default_rng(1), bs.Network(DT, dtype)
    x = net.input(8)
    a = net.population(
        8,
        bs.lif(tau_mem=12e-3, tau_syn=5e-3, threshold=0.8),
        name="A",
        surrogate=surrogate,
        initial=0.1,
        bias=bias,
        learn=learn,
    )
    b = net.population(
        n_post,
        bs.lif(tau_mem=12e-3, tau_syn=5e-3, threshold=0.8, refractory=2e-3),
        name="B",
        surrogate=surrogate,
    )
    net.connect(x, a, weights=rng.exponential(0.8, (8, 8)))
    net.connect(
        a,
        b,
        delay=delay,
        weights=exponential(1.0) if weights is None else weights,
        synapses=rule,
        seed=2,
        **options,
    )
    net.connect(b, a, delay=2 * DT, weights=rng.normal(0, 0.5, (n_post, 8)), name="back")
    out = net.readout(
        3, tau_mem=20e-3, tau_syn=5e-3, name="out", bias=None if bias is None else 0.1
    )
    net.connect(b, out, delay=DT, weights=rng.normal(0, 1, (n_post, 3)))
    net.connect(a, out, weights=exponential(0.5), synapses=bs.Bernoulli(0.5), seed=3)
    return net


CASES = [
    ("bernoulli", 6),
    ("fixed in", 5),
    ("pairs", 4),
    ("nothing", 4),
    ("one to one", 8),
    ("tied", 8),
    ("fan out", 16),
    ("blocks", 4),
    ("line", 6),
    ("plane", 2),
]


PLANE = bs.Convolution((2, 2, 2), 1, (2, 1))


def rule_of(name, n_post):
    return {
        "bernoulli": bs.Bernoulli(0.6),
        "fixed in": bs.FixedInDegree(3),
        "pairs": bs.Pairs([0, 0, 2, 3], [1, 1, 0, 3]),
        "nothing": bs.Bernoulli(0.0),
        "one to one": bs.OneToOne(),
        "tied": bs.OneToOne(tied=True),
        "fan out": bs.FanOut(),
        "blocks": bs.BlockDiagonal(2),
        "line": bs.Convolution((2, 4), 2, 2),
        "plane": PLANE,
    }[name]


@pytest.mark.parametrize("name, n_post", CASES)
def test_smooth_twin_of_every_rule(name, n_post):
    for surrogate in SURROGATES:
        assert (
            gradcheck.relative_error(
                circuit(rule_of(name, n_post), n_post, surrogate), spikes(), loss
            )
            < 1e-6
        )


def test_smooth_twin_with_a_delay_for_every_synapse():
    net = circuit(bs.Bernoulli(0.7), 5, delay=lambda rng, size: rng.integers(0, 4, size) * DT)
    assert np.unique(net.synapses["A->B"].delay).tolist() == [0, 1, 2, 3]
    assert gradcheck.relative_error(net, spikes(), loss) < 1e-6
    shared = circuit(bs.Convolution((2, 4), 2, 3, padding=1), 8, delay=np.arange(40) % 3 * DT)
    assert gradcheck.relative_error(shared, spikes(), loss) < 1e-6


def test_smooth_twin_of_biases():
    rng = np.random.default_rng(0)
    net = circuit(
        bs.Bernoulli(0.6),
        6,
        bias=rng.normal(0.1, 0.3, 8),
        learn={"mem": "neuron", "syn": "population"},
    )
    assert set(net.parameters) == {("A", "bias"), ("A", "mem"), ("A", "syn"), ("out", "bias")}
    assert gradcheck.relative_error(net, spikes(), loss) < 1e-6
    currents = {"A": rng.normal(0.2, 0.3, (2, 30, 8))}
    assert (
        gradcheck.relative_error(circuit(bs.Bernoulli(0.6), 6, bias=0.2), spikes(), loss, currents)
        < 1e-6
    )


@pytest.mark.parametrize(
    "name, n_post, delay, source",
    [
        ("bernoulli", 6, 0.0, True),
        ("fixed in", 5, lambda rng, size: rng.integers(0, 4, size) * DT, True),
        ("tied", 8, DT, True),
        ("line", 6, DT, True),
        ("plane", 2, 0.0, False),
    ],
)
def test_against_the_naive_reference(name, n_post, delay, source):
    net, trains = (
        circuit(rule_of(name, n_post), n_post, delay=delay, bias=0.1, gradient_to_source=source),
        spikes(rate=200.0),
    )
    trace = bs.run(net, trains, record=["A.U", "B.U"], tape=True)
    grad = np.random.default_rng(6).normal(size=(2, 30, 3))
    got = bs.gradient(trace, states={"out.U": grad})
    dense, total = bs.bin_spikes(trains, DT).dense(), dict.fromkeys(net.weights, 0.0)
    assert trace.counts["A"].sum() > 10 and trace.counts["B"].sum() > 3
    for b in range(2):
        expected = naive.run(net, {"input": dense[b]})
        for name in ("A.U", "B.U", "out.U"):
            np.testing.assert_allclose(
                trace.states[name][b], expected["states"][tuple(name.split("."))], atol=1e-12
            )
        slopes = naive.gradient(net, {"input": dense[b]}, expected, {("out", "U"): grad[b]})
        total = {name: total[name] + slopes["weights"][name] for name in total}
    for name, expected in total.items():
        assert np.shape(got.weights[name]) == np.shape(net.weights[name])
        np.testing.assert_allclose(
            got.weights[name], expected, atol=1e-10 * max(1, np.abs(expected).max())
        )


def both(dense, sparse, trains, **options):
    """(states of A, weight gradients) of two networks on the same data."""
    for net in (dense, sparse):
        trace = bs.run(net, trains, record=["A.U"], tape=True)
        grad = np.random.default_rng(1).normal(size=trace.states["readout.U"].shape)
        assert trace.counts["A"].sum() > 50
        yield trace.states["A.U"], bs.gradient(trace, states={"readout.U": grad}).weights


@pytest.mark.parametrize("rule", ["mask", "kernel of full size", "one block"])
def test_a_full_mask_gives_the_dense_result(rule):
    rng = np.random.default_rng(0)
    weights = {
        "x": rng.normal(0.3, 0.8, (12, 9)),
        "r": rng.normal(0, 0.3, (9, 9)),
        "o": rng.normal(0, 1, (9, 2)),
    }
    nets = []
    for sparse in (False, True):
        net = bs.Network(DT, np.float64)
        x, a, out = net.input(12), net.population(9, bs.lif(), name="A"), net.readout(2)
        for key, pre, post in (("x", x, a), ("r", a, a), ("o", a, out)):
            n, m = weights[key].shape
            rules = {
                "mask": bs.Bernoulli(1.0),
                "kernel of full size": bs.Convolution((1, n), m, n),
                "one block": bs.BlockDiagonal(1),
            }
            w = weights[key].T[:, None] if rule == "kernel of full size" else weights[key].ravel()
            net.connect(
                pre,
                post,
                delay=DT,
                weights=w if sparse else weights[key],
                name=key,
                synapses=rules[rule] if sparse else None,
                seed=0,
            )
        nets.append(net)
    (u, slopes), (v, others) = both(*nets, spikes(12, 20, 0.05))
    np.testing.assert_allclose(v, u, atol=1e-12)
    for key, slope in slopes.items():
        other = (
            others[key][:, 0].T
            if rule == "kernel of full size"
            else others[key].reshape(slope.shape)
        )
        np.testing.assert_allclose(other, slope, atol=1e-11 * np.abs(slope).max())


def test_same_bits_on_any_number_of_threads():
    net, trains, results = (
        circuit(bs.Convolution((2, 4), 2, 3, padding=1), 8, dtype=np.float32, bias=0.1),
        spikes(n_trials=70),
        [],
    )
    for threads in (1, 2, 3):
        trace = bs.run(net, trains, record=["B.U"], tape=True, threads=threads)
        grad = np.random.default_rng(1).normal(size=trace.states["out.U"].shape)
        slopes = bs.gradient(trace, states={"out.U": grad}, threads=threads)
        results.append((trace.states["B.U"], *slopes.weights.values(), *slopes.parameters.values()))
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other))


def test_frozen_and_without_gradient_to_the_source():
    """Gradients of a frozen projection are not taken; without gradient to the source those before
    it are as if it were not there.
    """

    def deep(**options):
        rng, net = np.random.default_rng(0), bs.Network(DT, np.float64)
        x, a, out = net.input(8), net.population(6, bs.lif(), name="A"), net.readout(2)
        b = net.population(5, bs.lif(), name="B")
        net.connect(x, a, weights=rng.normal(0.5, 1, (8, 6)))
        net.connect(a, out, weights=rng.normal(size=(6, 2)))
        net.connect(b, out, weights=rng.normal(size=(5, 2)))
        for kind, rule, w in (
            ("sparse", bs.Bernoulli(0.7), exponential(1.0)),
            ("dense", None, rng.normal(0.2, 1, (6, 5))),
        ):
            net.connect(a, b, name=kind, synapses=rule, weights=w, seed=1, **options.get(kind, {}))
        return net

    trains = spikes(8, 4, 0.05, rate=200.0)

    def slopes(net):
        trace = bs.run(net, trains, tape=True)
        return bs.gradient(trace, states={"readout.U": np.ones((4, 50, 2))}).weights

    free = slopes(deep())
    for kind in ("sparse", "dense"):
        frozen = slopes(deep(**{kind: {"frozen": True}}))
        assert kind not in frozen
        # to rounding: a sparse projection and a dense one are summed together where both are
        # trained
        for name in frozen:
            np.testing.assert_allclose(frozen[name], free[name], rtol=1e-12, atol=1e-12)
        cut = deep(**{kind: {"gradient_to_source": False}})
        np.testing.assert_allclose(slopes(cut)[kind], free[kind], rtol=1e-12, atol=1e-12)
        assert not np.allclose(slopes(cut)["input->A"], free["input->A"])
    neither = slopes(deep(**{kind: {"gradient_to_source": False} for kind in ("sparse", "dense")}))
    skip = deep()
    skip.weights["B->readout"] = skip.weights["B->readout"] * 0
    np.testing.assert_allclose(neither["input->A"], slopes(skip)["input->A"], atol=1e-12)
