"""Units that pool spikes: the maximum of every window, its gradient, batches of trials beside one large network."""
import gradcheck
import naive
import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

import biosnn as bs

DT = 1e-3
SURROGATES = [bs.SuperSpike(5), bs.TruncatedSuperSpike(3, 1.5)]
LINE, PLANE = bs.MaxPool((2, 7), 3, 2), bs.MaxPool((1, 3, 4), (2, 2), (1, 2))


def spikes(n_units=8, n_trials=2, duration=0.03, seed=3, rate=150.0):
    return bs.data.poisson(rate, n_units, duration, n_trials, seed=seed, labels=np.arange(n_trials) % 3)


def circuit(pooling=LINE, surrogate=bs.SuperSpike(5), delay=DT, dtype=np.float64, neuron=None, deep=True, **options):
    """Maps A, pooled by P (and P by Q), from which a population B, the maps themselves and a readout receive."""
    rng, net = np.random.default_rng(1), bs.Network(DT, dtype)
    x = net.input(8)
    a = net.population(int(np.prod(pooling.shape)), neuron or bs.lif(12e-3, 5e-3, threshold=0.8, refractory=2e-3), name="A", surrogate=surrogate,
                       initial=0.1, **options)
    p = net.pool(a, pooling, "P")
    b = net.population(5, bs.lif(12e-3, 5e-3, threshold=0.8, reset=-0.2), name="B", surrogate=surrogate)
    out = net.readout(3, 20e-3, 5e-3, name="out")
    q = net.pool(p, bs.MaxPool(pooling.output_shape, 2 if len(pooling.shape) == 2 else (1, 2), 1), "Q") if deep else p
    for pre, post, scale, d in ((x, a, 1.2, 0), (p, b, 1.5, 0), (q, b, 1.0, delay), (q, a, 0.3, 2 * DT), (b, a, 0.3, DT), (q, out, 1.0, delay),
                                (b, out, 1.0, 0)):
        net.connect(pre, post, d, rng.normal(0.2 * scale, scale, (pre.n, post.n)), name=f"{pre.name}->{post.name} {d}")
    return net


def loss(trace):
    value, grad = bs.MaxOverTimeCrossEntropy().value_and_gradient(trace.states["out.U"], trace.labels, None)
    counts = {name: trace.counts[name] for name in ("P", "A")}
    return value + sum(0.5e-2 * np.sum(c ** 2) for c in counts.values()), {"out.U": grad}, {name: 1e-2 * c for name, c in counts.items()}, {}


# ---------------------------------------------------------------------------------------------- windows and spikes

def test_windows():
    assert LINE.output_shape == (2, 3) and PLANE.output_shape == (1, 2, 2) and bs.MaxPool((3, 8), 3).output_shape == (3, 2)
    for rule in (LINE, PLANE, bs.MaxPool((2, 5, 6), 2), bs.MaxPool((2, 9), 2, 3)):
        np.testing.assert_array_equal(rule.windows, list(naive.windows(rule)))


@pytest.mark.parametrize("size, stride", [(2, 2), (3, 1), (5, 3), (1, 1), (2, 4)])
def test_units_spike_when_a_neuron_of_their_window_does(size, stride):
    net = circuit(bs.MaxPool((2, 15), size, stride), deep=False)
    trace = bs.run(net, spikes(duration=0.2))
    a, p = (np.stack([bs.bin_spikes(trace.spikes[name], DT).dense()[b].reshape(200, 2, -1) for b in range(2)]) for name in "AP")
    whole = maximum_filter1d(a, size, axis=-1)[..., size // 2:]      # scipy's windows reach size // 2 to the left
    np.testing.assert_array_equal(p, whole[..., :15 - size + 1:stride])
    assert 20 < p.sum() and np.array_equal(trace.counts["P"], p.sum(axis=1).reshape(2, -1))


def test_in_a_plane_as_by_reshaping():
    net = circuit(bs.MaxPool((2, 4, 6), (2, 3)), deep=False)
    trace = bs.run(net, spikes(duration=0.2))
    a, p = (bs.bin_spikes(trace.spikes[name], DT).dense() for name in "AP")
    np.testing.assert_array_equal(p, a.reshape(2, 200, 2, 2, 2, 2, 3).max(axis=(4, 6)).reshape(2, 200, -1))
    assert p.sum() > 20


# ---------------------------------------------------------------------------------------------- gradients

@pytest.mark.parametrize("pooling", [LINE, PLANE], ids=["line", "plane"])
@pytest.mark.parametrize("delay", [0.0, 3 * DT])
def test_smooth_twin(pooling, delay):
    for surrogate in SURROGATES:
        assert gradcheck.relative_error(circuit(pooling, surrogate, delay), spikes(), loss) < 1e-6


def test_smooth_twin_with_learned_time_constants_and_currents():
    net = circuit(neuron=bs.adaptive_lif(12e-3, 5e-3, 30e-3, 0.2, threshold=0.8), learn={"mem": "neuron", "jump": "neuron"}, bias=0.1)
    currents = {"A": np.random.default_rng(0).normal(0.2, 0.3, (2, 30, 14))}
    assert gradcheck.relative_error(net, spikes(), loss, currents) < 1e-6


@pytest.mark.parametrize("pooling", [LINE, PLANE], ids=["line", "plane"])
@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: type(s).__name__)
def test_against_the_naive_reference(pooling, surrogate):
    """Without the smooth twin: most windows hold equal spikes, and the neuron with the largest margin gets the gradient."""
    net, trains = circuit(pooling, surrogate), spikes(rate=250.0)
    trace = bs.run(net, trains, ["A.U", "B.U"], tape=True)
    rng = np.random.default_rng(6)
    grad, by_count = rng.normal(size=(2, 30, 3)), {name: rng.normal(size=trace.counts[name].shape) for name in "APQ"}
    got = bs.gradient(trace, {"out.U": grad}, counts=by_count)
    dense, total = bs.bin_spikes(trains, DT).dense(), {name: 0.0 for name in net.weights}
    assert all(trace.counts[name].sum() > 8 for name in "ABPQ")
    for b in range(2):
        expected = naive.run(net, {"input": dense[b]})
        for name in "ABPQ":
            np.testing.assert_array_equal(bs.bin_spikes(trace.spikes[name], DT).dense()[b], expected["spikes"][name])
        slopes = naive.gradient(net, {"input": dense[b]}, expected, {("out", "U"): grad[b]}, {name: g[b] for name, g in by_count.items()})
        total = {name: total[name] + slopes["weights"][name] for name in total}
    for name, expected in total.items():
        np.testing.assert_allclose(got.weights[name], expected, atol=1e-10 * max(1, np.abs(expected).max()))


def test_the_same_bits_on_threads():
    net = circuit(dtype=np.float32, surrogate=bs.TruncatedSuperSpike(3, 0.3))
    trains = spikes(n_trials=40, duration=0.1)
    results = []
    for threads in (1, 2):
        trace = bs.run(net, trains, tape=True, threads=threads)
        results.append(bs.gradient(trace, {"out.U": np.sin(np.arange(40 * 100 * 3)).reshape(40, 100, 3)}, threads=threads).weights)
    assert all(np.array_equal(results[0][name], results[1][name]) and np.any(results[0][name]) for name in results[0])


def test_noise_and_dropout_reach_the_units():
    net = circuit(noise=bs.SigmoidEscape(5), deep=False)
    trace = bs.run(net, spikes(duration=0.1), seed=1)
    a, p = (bs.bin_spikes(trace.spikes[name], DT).dense() for name in "AP")
    np.testing.assert_array_equal(p, a[..., LINE.windows].max(axis=-1))
    history = bs.train(circuit(deep=False, dtype=np.float32), spikes(n_trials=20), epochs=2, batch=10, dropout={"A": 0.3}, seed=1, progress=False)
    assert np.all(np.isfinite(history.as_dict()["loss"]))
    with pytest.raises(ValueError, match="dropout for 'P'"):
        bs.train(circuit(), spikes(), epochs=1, dropout={"P": 0.3}, progress=False)
