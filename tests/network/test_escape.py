"""Escape noise and dropout: probabilities, seeds, threads, and the adjoint of what was drawn. Mean
and variance over time.
"""

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine.buffers import Wanted, new_recording
from biosnn.engine.chunks import forward
from biosnn.engine.conditions import make_conditions, trial_keys
from biosnn.engine.inputs import bin_inputs
from biosnn.engine.layouts import current_layout
from biosnn.engine.packed import pack
from biosnn.kernels import arrays
from biosnn.network.escape import with_dropout
from tests import naive

DT = 1e-3
KINDS = [bs.SigmoidEscape(8.0), bs.ExponentialEscape(6.0, rate=300.0)]


def held(x, noise, n=2000):
    """n neurons whose U is x above threshold at every step: reset to where the current takes them
    back.
    """
    net = bs.Network(DT, np.float64)
    net.population(
        n, bs.lif(tau_mem=1e-3, integrator="euler", reset=-5.0), name="h", noise=noise
    )  # euler with tau = dt: U = current
    flow = [bs.Current("h", 1 + x)]
    trace = bs.run(net, background=flow, duration=0.02, seed=3)
    done = bs.simulate(net, 0.02, background=flow, seed=3, progress=False)
    assert np.array_equal(trace.spikes["h"].units, done.spikes["h"].units)
    return trace


@pytest.mark.parametrize("noise", KINDS, ids=lambda noise: type(noise).__name__)
@pytest.mark.parametrize("x", [-0.4, -0.1, 0.0, 0.15])
def test_spikes_have_the_probability_of_the_formula(noise, x):
    p = float(noise.probability(x, DT))
    assert p == pytest.approx(
        1 / (1 + np.exp(-8 * x)) if noise is KINDS[0] else 1 - np.exp(-0.3 * np.exp(6 * x))
    )
    share = held(x, noise).counts["h"].sum() / (20 * 2000)
    assert abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / 40000)


def circuit(noise=KINDS[0], refractory=2e-3, surrogate=bs.SuperSpike(5)):
    rng, net = np.random.default_rng(1), bs.Network(DT, np.float64)
    x = net.input(6)
    a = net.population(
        70,
        bs.ei_lif(threshold=0.8, refractory=refractory, integrator="exponential_euler"),
        "excitatory",
        name="A",
        surrogate=surrogate,
        noise=noise,
    )
    b = net.population(
        4,
        bs.ei_lif(threshold=0.8, integrator="exponential_euler"),
        "inhibitory",
        name="B",
        surrogate=surrogate,
    )
    for k, (pre, post) in enumerate(
        [(x, a), (x, b), (a, a), (a, b), (b, a), (a, net.readout(3, name="out"))]
    ):
        net.connect(
            pre,
            post,
            delay=k % 3 * DT,
            weights=rng.exponential(6.0 if pre is x else 0.1, (pre.n, post.n)),
        )
    return net


def data(n=3):
    return bs.data.poisson(80.0, 6, 0.03, n, seed=3, labels=np.arange(n) % 3)


def test_seed_decides_and_trials_are_independent_of_their_company():
    net = circuit()
    one, other, again = (bs.run(net, data(), seed=seed).counts["A"] for seed in (1, 2, 1))
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    assert np.array_equal(bs.run(net, data()[:2], seed=1).counts["A"], one[:2])
    same = bs.SpikeTrains.from_events(
        [], [], [], n_trials=2, n_units=6, duration=0.03
    )  # two trials of equal input
    empty = bs.run(net, same, seed=1, currents={"A": np.full((1, 1, 1), 0.8)}).counts["A"]
    assert not np.array_equal(empty[0], empty[1])


def test_same_bits_on_any_number_of_threads():
    net = circuit()
    results = []
    for threads in (1, 2, 3):
        trace = bs.run(
            net, data(40), record=["A.U"], tape=True, threads=threads, seed=5, moments=["A.U"]
        )
        grad = np.random.default_rng(1).normal(size=trace.states["out.U"].shape)
        results.append(
            (
                trace.states["A.U"],
                trace.mean["A.U"],
                *bs.gradient(trace, states={"out.U": grad}, threads=threads).weights.values(),
            )
        )
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other))


@pytest.mark.parametrize(
    "noise, surrogate",
    [
        (KINDS[0], bs.SuperSpike(5)),
        (KINDS[1], bs.TruncatedSuperSpike(5, 0.3)),
        (KINDS[0], bs.TruncatedSuperSpike(5, 0.3)),
        (None, bs.Gaussian(2)),
    ],
    ids=str,
)
def test_the_adjoint_is_that_of_the_spikes_that_were_drawn(noise, surrogate):
    """The slow reference, given U* and spikes: reset by the spikes, surrogate at U* - theta."""
    net, trains = circuit(noise, surrogate=surrogate), data()
    names = ["A.U_star", "B.U_star", "A.U", "out.U"]
    trace = bs.run(net, trains, record=names, tape=True, seed=7)
    grad = np.random.default_rng(6).normal(size=(3, 30, 3))
    got = bs.gradient(trace, states={"out.U": grad}, counts={"A": np.ones((3, 70))})
    dense, total = bs.bin_spikes(trains, DT).dense(), dict.fromkeys(net.weights, 0.0)
    surprising = 0
    for b in range(3):
        spikes = {name: bs.bin_spikes(trace.spikes[name][b], DT).dense()[0] for name in ("A", "B")}
        u_star = {name: trace.states[f"{name}.U_star"][b] for name in spikes} | {
            "out": trace.states["out.U"][b]
        }
        clamped = {
            "A": np.zeros((30, 70), bool),
            "B": np.zeros((30, 4), bool),
            "out": np.zeros((30, 3), bool),
        }
        clamped["A"][1:] = spikes["A"][:-1] > 0  # two steps: one update is clamped
        surprising += np.sum((u_star["A"] > 0.8) != (spikes["A"] > 0))
        given = {"u_star": u_star, "clamped": clamped, "spikes": spikes | {"input": dense[b]}}
        slopes = naive.gradient(
            net, {"input": dense[b]}, given, {("out", "U"): grad[b]}, {"A": np.ones(70)}
        )
        np.testing.assert_array_equal(trace.states["A.U"][b][spikes["A"] > 0], 0)
        for name in total:
            total[name] = total[name] + slopes["weights"][name]
    assert surprising > 20 if noise else surprising == 0
    for name, expected in total.items():
        np.testing.assert_allclose(got.weights[name], expected, atol=1e-10 * np.abs(expected).max())


@pytest.mark.statistical
def test_gradients_of_expected_spikes():
    """With p = sigma the gradient by a current is that of the expected number of spikes, here of
    one step without reset.
    """
    net = bs.Network(DT, np.float64)
    net.population(
        4000,
        bs.lif(tau_mem=1e-3, integrator="euler"),
        name="h",
        surrogate=bs.Sigmoid(8.0),
        noise=bs.SigmoidEscape(8.0),
    )
    trace = bs.run(
        net, None, currents={"h": np.full((1, 1, 1), 0.9)}, duration=DT, tape=True, seed=0
    )
    slope = bs.gradient(trace, counts={"h": np.ones((1, 4000))}).currents["h"]
    p = 1 / (1 + np.exp(0.8))
    np.testing.assert_allclose(slope, 8 * p * (1 - p), rtol=1e-9)
    assert abs(trace.counts["h"].mean() - p) < 4.5 * np.sqrt(p * (1 - p) / 4000)


def test_dropout_silences_whole_trials_and_scales_the_rest():
    net = circuit(None)
    packed = pack(net)
    events, steps = bin_inputs(net, data(60))
    rates, no_current = {}, current_layout(packed, []).blocks
    for dropout in ({}, {"A": 0.25}):
        conditions = make_conditions(packed.layout, packed.wires, [], None)
        drive = arrays.Drive(
            inputs=events,
            rows=np.arange(60),
            blocks=no_current,
            current=np.empty((60, 0, 0)),
            background=conditions.background.table,
            key=trial_keys(3, np.arange(60)),
            trial=np.arange(60),
            start=conditions.start(0, np.arange(1)),
            first_step=0,
            random=bool(dropout),
        )
        recording = new_recording(packed, 60, steps, Wanted(no_current, 0))
        forward(with_dropout(packed, dropout), drive, recording, steps, 1)
        rates[bool(dropout)] = recording.counts
    silent = (rates[True] == 0)[:, :70] & (rates[False] > 0)[:, :70]
    active = (rates[False] > 0)[:, :70]
    assert active.mean() > 0.9 and abs(silent.sum() / active.sum() - 0.25) < 4.5 * np.sqrt(
        0.25 * 0.75 / 4200
    )
    wires, scaled = packed.tables.wires, with_dropout(packed, {"A": 0.25}).tables.wires
    ratio = scaled["jump"] / wires["jump"]
    assert np.all(ratio[wires["source"] == 1] == pytest.approx(4 / 3))
    assert np.all(ratio[wires["source"] != 1] == 1)


def test_dropout_scales_sparse_projections_too():
    net = bs.Network(DT)
    x, a, b = (
        net.input(3),
        net.population(4, bs.lif(), name="A"),
        net.population(5, bs.lif(), name="B"),
    )
    for pre, post in [(x, a), (a, b), (b, a)]:
        net.connect(pre, post, weights=0.1, synapses=bs.Bernoulli(0.9), seed=1)
    packed = pack(net)
    wires, scaled = packed.tables.wires, with_dropout(packed, {"A": 0.5}).tables.wires
    assert not wires["dense"].any() and wires["source"].tolist().count(1) == 1
    ratio = scaled["jump"] / wires["jump"]
    np.testing.assert_allclose(ratio, np.where(wires["source"] == 1, 2, 1))


def test_mean_and_variance_without_storage():
    net = circuit()
    names = ["A.U", "B.I_exc", "A.U_star", "out.U"]
    trace = bs.run(net, data(), record=names, moments=names, seed=1)
    for name in names:
        np.testing.assert_allclose(trace.mean[name], trace.states[name].mean(axis=1), atol=1e-12)
        np.testing.assert_allclose(trace.variance[name], trace.states[name].var(axis=1), atol=1e-10)
    assert trace.variance["A.U"].max() > 1e-3 and list(
        bs.run(net, data(), moments=["A.U"]).states
    ) == ["out.U"]


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: bs.SigmoidEscape(0), "steepness is 0"),
        (lambda: bs.ExponentialEscape(5, rate=-1), "rate is -1"),
        (lambda: bs.Network(DT).population(3, bs.lif(), noise=0.1), "noise is 0.1"),
        (
            lambda: bs.gradient(bs.run(circuit(), data(), tape=True), differentiate_reset=True),
            "escape noise: A",
        ),
        (lambda: bs.train(circuit(None), data(), epochs=1, dropout=1.0), "dropout of 'A' is 1.0"),
        (lambda: bs.train(circuit(None), data(), epochs=1, dropout={"input": 0.5}), "Drop"),
    ],
)
def test_messages(act, words):
    with pytest.raises(ValueError, match=words):
        act()


# ---------------------------------------------------------- noise belongs to trials, not to batches


def fit(net, batch, threads=1, **options):
    """Losses of training and validation while nothing is learned."""
    history = bs.train(
        net,
        labelled(40),
        epochs=2,
        batch=batch,
        optimizer=bs.SGD(1e-30),
        threads=threads,
        seed=3,
        progress=False,
        **options,
    )
    return np.concatenate(
        [history.loss, history.validation_loss, history.accuracy, history.validation_accuracy]
    )


def labelled(n):
    return bs.data.poisson(20, 30, 0.1, n, seed=5, labels=np.arange(n) % 3)


def noisy(noise=bs.SigmoidEscape(10.0)):
    rng, net = np.random.default_rng(1), bs.Network(DT)
    x, h = net.input(30), net.population(20, bs.lif(), "unsigned", name="h", noise=noise)
    net.connect(x, h, delay=0, weights=rng.normal(0.3, 0.2, (30, 20)))
    net.connect(h, net.readout(3), delay=0, weights=rng.normal(0, 0.3, (20, 3)))
    return net


@pytest.mark.parametrize(
    "options",
    [
        dict(validation=0.4),
        dict(dropout=0.4, validation=0.4),
        dict(augment=[bs.Drop(0.3), bs.TimeJitter(3e-3), bs.ChannelShift(2)], validation=0.4),
        dict(
            augment=[bs.Insert(20.0), bs.TimeStretch(0.2), bs.ChannelMask(5), bs.Blend(0.5)],
            dropout=0.2,
        ),
    ],
    ids=["noise", "dropout", "augment", "more"],
)
def test_what_is_random_does_not_depend_on_the_batch(options):
    net = noisy()
    expected = fit(net, 24, **options)
    for batch, threads in ((20, 1), (12, 2), (6, 1), (40, 2)):
        np.testing.assert_allclose(
            fit(net, batch, threads, **options), expected, rtol=1e-5, equal_nan=True
        )
    other = bs.train(
        net,
        labelled(40),
        epochs=1,
        batch=20,
        optimizer=bs.SGD(1e-30),
        seed=4,
        progress=False,
        **options | {"validation": None},
    )
    assert abs(other.loss[0] / expected[0] - 1) > 1e-5  # another seed: other noise


def test_evaluation_does_not_depend_on_the_batch():
    net, data = noisy(), labelled(40)
    expected = bs.evaluate(net, data, batch=40, seed=2)
    for batch in (20, 12, 6, 1):
        found = bs.evaluate(net, data, batch=batch, seed=2)
        assert found.loss == pytest.approx(expected.loss, rel=1e-6) and np.array_equal(
            found.predictions, expected.predictions
        )
        assert found.rates == expected.rates
    assert bs.evaluate(net, data, seed=3).loss != pytest.approx(expected.loss, rel=1e-6)


def test_every_presentation_and_every_trial_has_noise_of_its_own():
    """The same spikes in all trials: counts differ from trial to trial, and losses from epoch to
    epoch.
    """
    net = noisy()
    one = labelled(1)
    data = bs.SpikeTrains(
        np.tile(one.times, 30),
        np.tile(one.units, 30),
        np.arange(31) * one.times.size,
        30,
        0.1,
        np.zeros(30, int),
    )
    counts = bs.run(net, data).counts["h"]
    assert len(np.unique(counts, axis=0)) > 25
    losses = bs.train(
        net, data, epochs=4, batch=7, optimizer=bs.SGD(1e-30), seed=3, progress=False
    ).loss
    assert len(np.unique(losses)) == 4


def test_brian2_has_no_escape_noise():
    pytest.importorskip("brian2")
    with pytest.raises(ValueError, match="escape noise"):
        bs.brian.compare(circuit(), data(1))
