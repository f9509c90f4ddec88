"""Units that pool spikes: the maximum of every window, its gradient, batches of trials beside one
large network.
"""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

import biosnn as bs
from biosnn.engine import contributions
from tests import gradcheck, naive

DT = 1e-3
SURROGATES = [bs.SuperSpike(5), bs.TruncatedSuperSpike(3, 1.5)]
LINE, PLANE = bs.MaxPool((2, 7), 3, stride=2), bs.MaxPool((1, 3, 4), (2, 2), stride=(1, 2))


def spikes(n_units=8, n_trials=2, duration=0.03, seed=3, rate=150.0):
    return bs.data.poisson(
        rate, n_units, duration, n_trials, seed=seed, labels=np.arange(n_trials) % 3
    )


def circuit(
    pooling=LINE,
    surrogate=bs.SuperSpike(5),
    delay=DT,
    dtype=np.float64,
    neuron=None,
    deep=True,
    **options,
):
    """Maps A, pooled by P (and P by Q), from which a population B, the maps themselves and a
    readout receive.
    """
    rng, net = np.random.default_rng(1), bs.Network(DT, dtype)
    x = net.input(8)
    a = net.population(
        int(np.prod(pooling.shape)),
        neuron or bs.lif(tau_mem=12e-3, tau_syn=5e-3, threshold=0.8, refractory=2e-3),
        name="A",
        surrogate=surrogate,
        initial=0.1,
        **options,
    )
    p = net.pool(a, pooling, name="P")
    b = net.population(
        5,
        bs.lif(tau_mem=12e-3, tau_syn=5e-3, threshold=0.8, reset=-0.2),
        name="B",
        surrogate=surrogate,
    )
    out = net.readout(3, tau_mem=20e-3, tau_syn=5e-3, name="out")
    q = (
        net.pool(
            p,
            bs.MaxPool(pooling.output_shape, 2 if len(pooling.shape) == 2 else (1, 2), stride=1),
            name="Q",
        )
        if deep
        else p
    )
    for pre, post, scale, d in (
        (x, a, 1.2, 0),
        (p, b, 1.5, 0),
        (q, b, 1.0, delay),
        (q, a, 0.3, 2 * DT),
        (b, a, 0.3, DT),
        (q, out, 1.0, delay),
        (b, out, 1.0, 0),
    ):
        net.connect(
            pre,
            post,
            delay=d,
            weights=rng.normal(0.2 * scale, scale, (pre.n, post.n)),
            name=f"{pre.name}->{post.name} {d}",
        )
    return net


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


# ------------------------------------------------------------------------------- windows and spikes


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


# ---------------------------------------------------------------------------------------- gradients


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
    packed, drive, recording = trace.tape
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


# -------------------------------------------------------------------------------- one large network


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


# ------------------------------------------------------------------------------------------- Brian2


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
    import subprocess
    import sys

    path = bs.brian.script(net, trains, tmp_path / "net.py")
    done = subprocess.run(
        [sys.executable, str(path), str(tmp_path / "result.npz")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "result.npz")
    for name in "ABPQ":
        assert (
            found[f"{name}_neurons"].size == trace.counts[name].sum()
            and f"{name}: {found[f'{name}_times'].size} spikes" in done.stdout
        )


# -------------------------------------------------------------------------- the rest of the library


def layers(dtype=np.float32, size=3):
    """A convolutional layer, pooled, and another one, recurrent."""
    net = bs.Network(2e-3, dtype)
    first, shape = bs.convolutional_layer(net, net.input(40), (1, 40), 6, 5, name="L1")
    pooled = net.pool(first, bs.MaxPool(shape, size))
    second, shape = bs.convolutional_layer(
        net, pooled, pooled.pooling.output_shape, 8, 3, recurrent_kernel=3, name="L2"
    )
    net.connect(second, net.readout(3))
    return net


@pytest.mark.statistical
def test_the_initializer_knows_the_rate_of_units():
    net, data = layers(), bs.data.poisson(15.0, 40, 0.3, 60, seed=1, labels=np.arange(60) % 3)
    report = bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    assert report.converged
    for row in report.populations:
        assert row.measured.mu == pytest.approx(
            0, abs=0.02
        ) and row.measured.sigma == pytest.approx(1, rel=0.02)
    rates, weights = {"input": 15.0, "L1": 10.0, "L2": 10.0}, []
    for more in ({}, {"L1 pooled": (1 - 0.98**3) / 2e-3}, {"L1 pooled": 10.0}):
        net = layers()
        bs.fluctuation_driven(
            net, assumed_rates=rates | more, closed_loop=False, seed=1, progress=False
        )
        weights.append(net.weights["L1 pooled->L2"])
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-6)
    assert np.std(weights[2]) > 1.3 * np.std(weights[0])


def direction(n_trials, seed):
    """A dot that moves left or right over 40 units."""
    rng = np.random.default_rng(seed)
    labels, start, steps = (
        rng.integers(2, size=n_trials),
        rng.integers(40, size=n_trials),
        np.arange(15),
    )
    units = (start[:, None] + np.where(labels, 1, -1)[:, None] * steps) % 40
    times = np.broadcast_to(10e-3 + 4e-3 * steps, units.shape)
    return bs.SpikeTrains.from_events(
        times.ravel(),
        units.ravel(),
        np.repeat(np.arange(n_trials), 15),
        n_trials=n_trials,
        n_units=40,
        duration=0.1,
        labels=labels,
    )


@pytest.mark.slow
def test_training_through_units_on_any_number_of_threads(tmp_path):
    train, test, weights = direction(200, 1), direction(100, 2), []
    for threads in (1, 2):
        net = layers(size=2)
        bs.fluctuation_driven(net, train, seed=1, progress=False, threads=threads)
        before = bs.evaluate(net, test)
        kernels = net.weights["input->L1"].copy()
        history = bs.train(
            net,
            train,
            epochs=15,
            batch=50,
            optimizer=bs.Adam(1e-2),
            seed=1,
            progress=False,
            threads=threads,
        )
        weights.append(net.weights)
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert bs.evaluate(net, test).accuracy > max(0.8, before.accuracy + 0.15) and not np.allclose(
        kernels, net.weights["input->L1"]
    )
    assert (
        before.rates["L1 pooled"] > before.rates["L1"]
        and history.as_dict()["loss"][-1] < history.as_dict()["loss"][0]
    )
    bs.save(net, tmp_path / "w.npz")
    other = layers(size=2)
    bs.load_weights(other, tmp_path / "w.npz")
    assert bs.evaluate(other, test).accuracy == bs.evaluate(net, test).accuracy
    with pytest.raises(ValueError, match="another network"):
        bs.load_weights(layers(size=3), tmp_path / "w.npz")
    finer = bs.time_rescale(net, 1e-3)
    assert (
        bs.evaluate(finer, test).accuracy > 0.75
        and bs.run(finer, test).counts["L1 pooled"].sum() > 100
    )


def test_a_loss_on_the_spikes_of_units():
    net, data = circuit(dtype=np.float32), spikes(n_trials=20, duration=0.1)
    history = bs.train(
        net,
        data,
        epochs=8,
        batch=20,
        loss=bs.MeanSquaredError(),
        readout="P",
        targets=np.zeros((20, 100, 6)),
        seed=1,
        optimizer=bs.Adam(2e-2),
        progress=False,
    )
    assert history.as_dict()["loss"][-1] < 0.8 * history.as_dict()["loss"][0]


def test_units_are_seen(tmp_path):
    net, trains = circuit(), spikes()
    trace = bs.run(net, trains, moments=["A.U"])
    labels = [axis.get_ylabel() for axis in bs.plot.activity(trace).axes]
    assert [label.split("\n")[:2] for label in labels[:5]] == [
        ["input", "unit"],
        ["A", "neuron"],
        ["P", "unit"],
        ["B", "neuron"],
        ["Q", "unit"],
    ]
    assert bs.recurrent_projections(net) == {"P->B 0", "Q->B 0.001", f"Q->A {2 * DT}", f"B->A {DT}"}
    dalian = bs.Network(DT)
    e, i, shape = bs.dalian_convolutional_layer(dalian, dalian.input(20), (1, 20), 4, 2, 5)
    p = dalian.pool(e, bs.MaxPool(shape, 2))
    assert (
        p.sign == "excitatory" and dalian.connect(p, i).receptor == "exc" and p.name == "E pooled"
    )
    bs.fluctuation_driven(dalian, spikes(20), seed=1, closed_loop=False, progress=False)
    assert bs.audit(dalian).violations == 0 and set(
        np.unique(bs.audit(dalian).signs["E pooled"])
    ) == {1}
    assert (
        "hidden" not in str(trace.states)
        and net.fingerprint() != circuit(bs.MaxPool((2, 7), 3, stride=2), deep=False).fingerprint()
    )


def connect_to_units(net):
    net.connect("B", "P", name="again")


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda net: bs.MaxPool((2, 7), 8),
            r"a window of \(8,\) is larger than feature maps of \(7,\)",
        ),
        (lambda net: bs.MaxPool((2, 7), 0), "size is 0; it must be a whole number from 1 to"),
        (lambda net: bs.MaxPool((2, 7), 2, stride=-1), "stride is -1"),
        (lambda net: bs.MaxPool(7, 2), r"shape is 7; it must be \(channels, length\)"),
        (lambda net: net.pool("A", 2), r"pooling is 2; it must be MaxPool\(shape, size\)"),
        (
            lambda net: net.pool("A", bs.MaxPool((2, 8), 2)),
            r"'A' has 14 neurons; feature maps of shape \(2, 8\) have 16",
        ),
        (
            lambda net: net.pool("input", bs.MaxPool((1, 8), 2)),
            "'input' is an input: .*bs.max_pool",
        ),
        (lambda net: net.pool("out", bs.MaxPool((1, 3), 2)), "'out' is a readout: it never spikes"),
        (lambda net: net.pool("A", LINE, name="P"), "there is a population 'P' already"),
        (connect_to_units, "'P' pools the spikes of 'A' and receives nothing else"),
        (
            lambda net: net.connect(
                "P",
                "B",
                synapses=bs.Bernoulli(0.5),
                seed=1,
                name="n",
                weights=1.0,
                plasticity=bs.TsodyksMarkram(0.5, 0.1),
            ),
            "'P' pools spikes: plastic projections come from neurons. Connect 'A' instead",
        ),
        (
            lambda net: bs.run(net, spikes(), record=["P.U"]),
            "no state 'P.U'; P has none, its units pool spikes",
        ),
        (lambda net: bs.run(net, spikes(), record=["P.U_star"]), "no state 'P.U_star'; P has none"),
        (
            lambda net: bs.run(net, spikes(), currents={"P": 1.0}),
            "currents for 'P': there is no such population; there are A, B, out",
        ),
        (
            lambda net: bs.simulate(net, 0.1, record={"P.U": [0]}, progress=False),
            "no state 'P.U'; P has none, its units pool spikes",
        ),
        (
            lambda net: bs.simulate(
                net, 0.1, background=[bs.PoissonInput("P", 5.0, 1.0)], progress=False
            ),
            "'P' pools spikes; background reaches",
        ),
        (
            lambda net: bs.plot.membrane(bs.run(net, spikes()), "P"),
            "'P' has no state U; its units pool spikes",
        ),
        (
            lambda net: bs.regime(net, rates={"input": 5.0}),
            "the theory of circuits has no units that pool spikes",
        ),
        (
            lambda net: bs.fluctuation_driven(net, background=[bs.PoissonInput("A", 5.0, 1.0)]),
            "P, Q: the theory of circuits has no units",
        ),
        (
            lambda net: bs.train(
                net, spikes(), epochs=1, regularizers=[bs.upper_bound(0.1, 7, populations=["P"])]
            ),
            "only A, B",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make(circuit())
