"""Units that pool spikes: the maximum of every window, its gradient, one large network."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

import biosnn as bs
from biosnn.engine import contributions
from tests import gradcheck, naive
from tests.brian.brian_cases import printed_by

from .pooling import DT, LINE, PLANE, circuit, spikes

SURROGATES = [bs.SuperSpike(5), bs.TruncatedSuperSpike(3, 1.5)]


def loss(trace):
    value, grad = bs.MaxOverTimeCrossEntropy().value_and_gradient(
        trace.states["out.U"], trace.labels, None
    )
    counts = {name: trace.counts[name] for name in ("P", "A")}
    return (
        value + sum(0.5e-2 * np.sum(c**2) for c in counts.values()),
        {"out.U": grad},
        {name: 1e-2 * c for name, c in counts.items()},
        {},
    )


def test_windows():
    assert (
        LINE.output_shape == (2, 3)
        and PLANE.output_shape == (1, 2, 2)
        and bs.MaxPool((3, 8), 3).output_shape == (3, 2)
    )
    for rule in (LINE, PLANE, bs.MaxPool((2, 5, 6), 2), bs.MaxPool((2, 9), 2, stride=3)):
        np.testing.assert_array_equal(rule.windows, list(naive.windows(rule)))


@pytest.mark.parametrize("size, stride", [(2, 2), (3, 1), (5, 3), (1, 1), (2, 4)])
def test_units_spike_when_a_neuron_of_their_window_does(size, stride):
    net = circuit(bs.MaxPool((2, 15), size, stride=stride), deep=False)
    trace = bs.run(net, spikes(duration=0.2))
    a, p = (
        np.stack(
            [bs.bin_spikes(trace.spikes[name], DT).dense()[b].reshape(200, 2, -1) for b in range(2)]
        )
        for name in "AP"
    )
    whole = maximum_filter1d(a, size, axis=-1)[
        ..., size // 2 :
    ]  # scipy's windows reach size // 2 to the left
    np.testing.assert_array_equal(p, whole[..., : 15 - size + 1 : stride])
    assert p.sum() > 20 and np.array_equal(trace.counts["P"], p.sum(axis=1).reshape(2, -1))


def test_in_a_plane_as_by_reshaping():
    net = circuit(bs.MaxPool((2, 4, 6), (2, 3)), deep=False)
    trace = bs.run(net, spikes(duration=0.2))
    a, p = (bs.bin_spikes(trace.spikes[name], DT).dense() for name in "AP")
    np.testing.assert_array_equal(
        p, a.reshape(2, 200, 2, 2, 2, 2, 3).max(axis=(4, 6)).reshape(2, 200, -1)
    )
    assert p.sum() > 20


@pytest.mark.parametrize("pooling", [LINE, PLANE], ids=["line", "plane"])
@pytest.mark.parametrize("delay", [0.0, 3 * DT])
def test_smooth_twin(pooling, delay):
    for surrogate in SURROGATES:
        assert gradcheck.relative_error(circuit(pooling, surrogate, delay), spikes(), loss) < 1e-6


def test_smooth_twin_with_learned_time_constants_and_currents():
    net = circuit(
        neuron=bs.adaptive_lif(
            tau_mem=12e-3, tau_syn=5e-3, tau_adapt=30e-3, jump=0.2, threshold=0.8
        ),
        learn={"mem": "neuron", "jump": "neuron"},
        bias=0.1,
    )
    currents = {"A": np.random.default_rng(0).normal(0.2, 0.3, (2, 30, 14))}
    assert gradcheck.relative_error(net, spikes(), loss, currents) < 1e-6


@pytest.mark.parametrize("pooling", [LINE, PLANE], ids=["line", "plane"])
@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: type(s).__name__)
def test_against_the_naive_reference(pooling, surrogate):
    """Without the smooth twin: most windows hold equal spikes, and the neuron with the largest
    margin gets the gradient.
    """
    net, trains = circuit(pooling, surrogate), spikes(rate=250.0)
    trace = bs.run(net, trains, record=["A.U", "B.U"], tape=True)
    rng = np.random.default_rng(6)
    grad, by_count = (
        rng.normal(size=(2, 30, 3)),
        {name: rng.normal(size=trace.counts[name].shape) for name in "APQ"},
    )
    got = bs.gradient(trace, states={"out.U": grad}, counts=by_count)
    dense, total = bs.bin_spikes(trains, DT).dense(), dict.fromkeys(net.weights, 0.0)
    assert all(trace.counts[name].sum() > 8 for name in "ABPQ")
    for b in range(2):
        expected = naive.run(net, {"input": dense[b]})
        for name in "ABPQ":
            np.testing.assert_array_equal(
                bs.bin_spikes(trace.spikes[name], DT).dense()[b], expected["spikes"][name]
            )
        slopes = naive.gradient(
            net,
            {"input": dense[b]},
            expected,
            {("out", "U"): grad[b]},
            {name: g[b] for name, g in by_count.items()},
        )
        total = {name: total[name] + slopes["weights"][name] for name in total}
    for name, expected in total.items():
        np.testing.assert_allclose(
            got.weights[name], expected, atol=1e-10 * max(1, np.abs(expected).max())
        )


def test_contributions_of_the_steps_add_up_to_the_gradient():
    trace = bs.run(circuit(), spikes(), tape=True)
    network, grad = trace.network, np.random.default_rng(0).normal(size=(2, trace.n_steps, 3))
    packed, drive, recording, _ = trace.tape
    got = bs.gradient(trace, states={"out.U": grad}, per_step=[p.name for p in network.projections])
    for p in network.projections:
        state = f"{p.post}.{network[p.post].neuron.receptors[p.receptor].state}"
        each = list(
            contributions.by_step(
                packed,
                drive,
                recording,
                p,
                bs.gradient(trace, states={"out.U": grad}, record=[state]).states[state],
            )
        )
        np.testing.assert_allclose(sum(each), got.weights[p.name], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(
            got.per_step[p.name], [np.linalg.norm(one) for one in each], rtol=1e-12
        )
        assert np.any(got.weights[p.name])


def test_the_same_bits_on_threads():
    net = circuit(dtype=np.float32, surrogate=bs.TruncatedSuperSpike(3, 0.3))
    trains = spikes(n_trials=40, duration=0.1)
    results = []
    for threads in (1, 2):
        trace = bs.run(net, trains, tape=True, threads=threads)
        results.append(
            bs.gradient(
                trace,
                states={"out.U": np.sin(np.arange(40 * 100 * 3)).reshape(40, 100, 3)},
                threads=threads,
            ).weights
        )
    assert all(
        np.array_equal(results[0][name], results[1][name]) and np.any(results[0][name])
        for name in results[0]
    )


def test_noise_and_dropout_reach_the_units():
    net = circuit(noise=bs.SigmoidEscape(5), deep=False)
    trace = bs.run(net, spikes(duration=0.1), seed=1)
    a, p = (bs.bin_spikes(trace.spikes[name], DT).dense() for name in "AP")
    np.testing.assert_array_equal(p, a[..., LINE.windows].max(axis=-1))
    history = bs.train(
        circuit(deep=False, dtype=np.float32),
        spikes(n_trials=20),
        epochs=2,
        batch=10,
        dropout={"A": 0.3},
        seed=1,
        progress=False,
    )
    assert np.all(np.isfinite(history.as_dict()["loss"]))
    with pytest.raises(ValueError, match="dropout for 'P'"):
        bs.train(circuit(), spikes(), epochs=1, dropout={"P": 0.3}, progress=False)


def raster(result, name, steps):
    return bs.bin_spikes(result.spikes[name], DT).dense()[0][:steps]


@pytest.mark.parametrize("delay", [0.0, 4 * DT])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_simulate_is_run(delay, dtype):
    """The same spikes, on one thread or two, in one piece or two, with delays of 0 and more behind
    the units.
    """
    net, trains = circuit(delay=delay, dtype=dtype), spikes(n_trials=1, duration=0.3)
    trace = bs.run(net, trains)
    whole = bs.simulate(net, 0.3, trains, threads=1, progress=False)
    on_threads = bs.simulate(net, 0.3, trains, threads=2, progress=False)
    for name in "ABPQ":
        expected = raster(trace, name, 300)
        assert expected.sum() > 15
        np.testing.assert_array_equal(raster(whole, name, 300), expected)
        np.testing.assert_array_equal(raster(on_threads, name, 300), expected)
        assert whole.counts[name] == expected.sum()


def test_simulate_goes_on():
    net = circuit(delay=4 * DT)
    drive = [bs.PoissonInput("A", 400.0, 0.5)]
    whole = bs.simulate(net, 0.2, background=drive, seed=1, threads=1, progress=False)
    first = bs.simulate(net, 0.1, background=drive, seed=1, threads=2, progress=False)
    second = bs.simulate(net, 0.1, background=drive, state=first.state, threads=1, progress=False)
    for name in "ABPQ":
        assert whole.counts[name] > 10
        np.testing.assert_array_equal(
            raster(whole, name, 200),
            np.concatenate([raster(first, name, 100), raster(second, name, 100)]),
        )


def test_many_units_on_threads():
    """Windows that reach over the borders between threads, and units that pool units."""
    net = bs.Network(DT)
    a = net.population(2000, bs.lif(), name="A")
    p = net.pool(a, bs.MaxPool((4, 20, 25), 3, stride=2), name="P")
    q = net.pool(p, bs.MaxPool((4, 9, 12), 2), name="Q")
    net.connect(q, a, delay=2 * DT, weights=np.random.default_rng(0).normal(0, 0.1, (q.n, a.n)))
    results = [
        bs.simulate(
            net,
            0.2,
            background=[bs.PoissonInput("A", 200.0, 0.4)],
            seed=1,
            threads=threads,
            progress=False,
        )
        for threads in (1, 2)
    ]
    for name in "APQ":
        assert results[0].counts[name] > 100
        np.testing.assert_array_equal(raster(results[0], name, 200), raster(results[1], name, 200))
    for source, unit in ((a, p), (p, q)):
        expected = raster(results[1], source.name, 200)[:, unit.pooling.windows].max(axis=-1)
        np.testing.assert_array_equal(raster(results[1], unit.name, 200), expected)


@pytest.mark.slow
def test_brian2_has_the_same_spikes(tmp_path):
    brian2 = pytest.importorskip("brian2")
    brian2.prefs.codegen.target = "numpy"
    net, trains = circuit(), spikes(n_trials=1, duration=0.1)
    assert bs.brian.compare(net, trains).identical
    trace, reference = bs.run(net, trains), bs.brian.to_brian2(net, trains)
    reference.run()
    for name in "ABPQ":
        steps = np.rint(np.asarray(reference.spikes[name].t) / DT).astype(int)
        theirs = np.zeros((100, net[name].n))
        theirs[steps, np.asarray(reference.spikes[name].i)] = 1
        np.testing.assert_array_equal(theirs, raster(trace, name, 100))
        assert theirs.sum() > 5
    path = bs.brian.script(net, trains, tmp_path / "net.py")
    text = printed_by(path, tmp_path / "result.npz")
    found = np.load(tmp_path / "result.npz")
    for name in "ABPQ":
        assert (
            found[f"{name}_neurons"].size == trace.counts[name].sum()
            and f"{name}: {found[f'{name}_times'].size} spikes" in text
        )
