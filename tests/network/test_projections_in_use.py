"""Training, initializer, Brian2 and messages of projections other than dense; deep networks."""

import numpy as np
import pytest

import biosnn as bs
from biosnn import brian
from biosnn.brian.trial_input import in_double
from biosnn.theory import moments
from biosnn.training.constraint import checked_constraints
from tests import gradcheck

from .projections import DT, loss, spikes


def trainable(seed=0):
    """Everything at once: a Dalian convolutional layer, sparse and tied projections, a frozen one,
    biases.
    """
    net = bs.Network(DT)
    x = net.input(24)
    e, i, shape = bs.dalian_convolutional_layer(
        net, x, (1, 24), 3, 1, 5, stride=2, padding=2, recurrent_kernel=3, delay=DT
    )
    f = net.population(10, bs.lif(), name="F", bias=0.05)
    net.connect(x, f, synapses=bs.Bernoulli(0.5), seed=seed)
    net.connect(f, f, delay=DT, weights=0.1, synapses=bs.OneToOne(tied=True))
    out = net.readout(2, bias=0.0)
    net.connect(f, out)
    net.connect(e, out, frozen=True)
    report = bs.fluctuation_driven(net, assumed_rates=20.0, closed_loop=False, seed=seed)
    return net, report, shape


def classes(n=60):
    """Two classes that differ in where on the line the spikes are."""
    parts = [
        bs.data.poisson(np.where(np.arange(24) // 12 == k, 60.0, 5.0), 24, 0.05, n // 2, seed=k)
        for k in (0, 1)
    ]
    trials = np.concatenate([parts[0].trials, parts[1].trials + n // 2])
    times, units = (
        np.concatenate([getattr(p, name) for p in parts]) for name in ("times", "units")
    )
    return bs.SpikeTrains.from_events(
        times,
        units,
        trials,
        n_trials=n,
        n_units=24,
        duration=0.05,
        labels=np.repeat([0, 1], n // 2),
    )


def test_training_keeps_masks_ties_signs_frozen_weights_and_resumes(tmp_path):
    (net, _, _), data = trainable(), classes()
    before = {name: np.copy(w) for name, w in net.weights.items()}
    options = dict(
        optimizer=bs.AdamW(1e-2),
        loss=bs.SumOverTimeCrossEntropy(),
        batch=10,
        seed=1,
        progress=False,
        regularizers=[bs.WeightPenalty(1e-3)],
    )
    history = bs.train(net, data, epochs=6, **options)
    assert (
        history.loss[-1] < 0.3 * history.loss[0]
        and bs.evaluate(net, data, loss=options["loss"]).accuracy > 0.9
    )
    for p in net.projections:
        after = net.weights[p.name]
        assert (
            np.shape(after) == np.shape(before[p.name])
            and np.array_equal(after, before[p.name]) == p.frozen
        )
    assert (
        np.ndim(net.weights["F->F"]) == 0
        and net.weights["input->E"].shape == (3, 1, 5)
        and bs.audit(net).violations == 0
    )
    assert (
        bs.audit(net).signs["I"].max() == -1
        and min(net.weights[name].min() for name in ("E->E", "I->E")) >= 0
    )
    assert np.abs(net.bias("F") - 0.05).min() > 1e-4 and np.abs(net.bias("readout")).min() > 1e-4
    parted = trainable()[0]
    bs.train(parted, data, epochs=3, out=tmp_path, **options)
    parted = trainable()[0]
    bs.train(parted, data, epochs=6, out=tmp_path, start="resume", **options)
    assert all(np.array_equal(parted.weights[name], w) for name, w in net.weights.items())
    again = trainable()[0]
    bs.save(net, tmp_path / "w.npz"), bs.load_weights(again, tmp_path / "w.npz")
    for a, b in zip(bs.run(net, data).counts.values(), bs.run(again, data).counts.values()):
        assert np.array_equal(a, b)


def test_weight_constraints():
    (net, _, _), data = trainable(), classes(20)
    bounds = [
        bs.WeightConstraint(norm=0.3, projections=("input->E", "input->F")),
        bs.WeightConstraint(-0.02, 0.05, projections="F->readout"),
        bs.WeightConstraint(-0.01, 0.01, projections=("F->F", "E->E")),
    ]
    bs.train(
        net, data, epochs=1, batch=10, optimizer=bs.Adam(0.1), progress=False, constraints=bounds
    )
    w = net.weights
    norms = np.sqrt(np.square(w["input->E"], dtype=float).sum(axis=(1, 2)))
    assert norms.max() == pytest.approx(0.3, rel=1e-6) and abs(w["F->F"]) == np.float32(0.01)
    assert w["E->E"].min() >= 0 and w["E->E"].max() <= np.float32(0.01)
    sums = np.sqrt(net.afferent_sums("input->F", np.square(w["input->F"], dtype=float)))
    assert (
        sums.max() <= 0.3 * (1 + 1e-6)
        and np.isclose(sums, 0.3).sum() > 3
        and (w["F->readout"].min(), w["F->readout"].max()) == (np.float32(-0.02), np.float32(0.05))
    )
    dense, tied = np.full((4, 2), 1.0), np.array(2.0)
    bs.WeightConstraint(norm=1.0).apply(dense, None)
    assert np.allclose(dense, 0.5)
    other = bs.Network(DT)
    other.connect(
        other.population(6, bs.lif(), name="A"),
        "A",
        weights=2.0,
        synapses=bs.FixedInDegree(4),
        seed=0,
    )
    bs.WeightConstraint(norm=1.0).apply(tied, other.synapses["A->A"])
    assert tied == pytest.approx(0.5)


@pytest.mark.statistical
def test_the_initializer_counts_synapses():
    """The measured free membranes have their targets, with expected in-degrees: of interior neurons
    for a convolution.
    """
    net = bs.Network(DT)
    x = net.input(200)
    e, i, shape = bs.dalian_convolutional_layer(
        net, x, (2, 100), 6, 3, 11, stride=2, recurrent_kernel=3
    )
    f = net.population(40, bs.lif(), name="F")
    net.connect(x, f, synapses=bs.FixedInDegree(60), seed=0)
    net.connect(f, f, delay=DT, synapses=bs.Bernoulli(0.3), seed=1)
    assert (
        shape == (6, 45)
        and net.in_degree("input->E") == 22
        and net.in_degree("E->E") == 18
        and net.in_degree("input->F") == 60
    )
    report = bs.fluctuation_driven(
        net, bs.data.poisson(20, 200, 0.3, 30, seed=0), seed=0, progress=False
    )
    assert report.converged
    for row in report.populations:
        assert row.measured.sigma == pytest.approx(
            1, abs=0.011
        ) and row.measured.mu == pytest.approx(0, abs=0.011)
        assert row.measured.rate > 1
    alone = bs.Network(DT)
    h = alone.population(3000, bs.lif(), name="H")
    alone.connect(alone.input(500), h, synapses=bs.Bernoulli(0.2), seed=0)
    bs.fluctuation_driven(
        alone, assumed_rates=10.0, closed_loop=False, sigma_u=0.7, alpha=1.0, seed=0
    )
    _, eps_hat = moments.psp_integrals(h.neuron, DT, "syn")
    assert np.std(alone.weights["input->H"]) == pytest.approx(
        0.7 / np.sqrt(100 * 10 * (1 - 0.01) * eps_hat), rel=0.02
    )
    report = bs.fluctuation_driven(
        alone,
        bs.data.poisson(10, 500, 0.2, 20, seed=0),
        balance="neuron",
        alpha=1.0,
        mu_u=0.3,
        seed=0,
        progress=False,
    )
    assert (
        report.populations[0].measured.mu == pytest.approx(0.3, abs=0.02)
        and report.populations[0].measured.spread < 0.1
    )
    with pytest.raises(ValueError, match="those of .*input->E.* are shared"):
        bs.fluctuation_driven(net, assumed_rates=10.0, closed_loop=False, balance="neuron")


def test_deep_network_with_skip_connections_and_feedback():
    """Convolutional, Dalian and plain layers; a skip over two, and feedback to the first."""
    rng, net = np.random.default_rng(0), bs.Network(DT, np.float64)
    fast = dict(
        neuron=bs.lif(tau_mem=8e-3, tau_syn=4e-3, threshold=0.7), surrogate=bs.SuperSpike(5)
    )
    first, shape = bs.convolutional_layer(
        net, net.input(8), (1, 8), 2, 3, name="first", recurrent_kernel=3, **fast
    )
    second, shape = bs.convolutional_layer(net, first, shape, 2, 3, stride=2, name="second", **fast)
    e, i = bs.dalian_layer(
        net,
        second,
        3,
        2,
        neuron=bs.ei_lif(tau_mem=8e-3, tau_exc=4e-3, tau_inh=5e-3, threshold=0.7),
        surrogate=bs.SuperSpike(5),
        delay=DT,
    )
    last = bs.layer(net, [e, first], 4, name="last", **fast)
    (
        net.connect(last, first, delay=2 * DT, name="feedback"),
        net.connect(i, second, delay=DT, synapses=bs.Bernoulli(0.8), seed=1),
    )
    out = net.readout(3, tau_mem=15e-3, name="out")
    net.connect(last, out), net.connect(e, out)
    for p in net.projections:
        net.set_weights(p.name, rng.exponential(1.0, net.weight_shape(p)))
    assert bs.recurrent_projections(net) >= {"feedback", "first->second", "second->E", "E->last"}
    assert gradcheck.relative_error(net, spikes(), loss) < 1e-6


def sparse_net():
    net = bs.Network(DT)
    x, a = (
        net.input(50),
        net.population(
            20, bs.lif(tau_mem=15e-3, tau_syn=5e-3), name="A", bias=np.linspace(0, 0.4, 20)
        ),
    )
    b = net.population(12, bs.lif(), name="B")
    net.connect(
        x,
        a,
        synapses=bs.Bernoulli(0.4),
        seed=1,
        weights=bs.Normal(0.6, 0.3),
        delay=lambda rng, size: rng.integers(0, 4, size) * DT,
    )
    net.connect(a, b, delay=2e-3, synapses=bs.FixedInDegree(6), seed=2, weights=1.5)
    net.connect(b, a, delay=1e-3, synapses=bs.Bernoulli(0.5), seed=3, weights=bs.Normal(-0.2, 0.1))
    net.connect(b, net.readout(2, bias=0.3), weights=np.ones((12, 2)))
    return net, bs.data.poisson(25, 50, 0.3, 2, seed=1)


def convolutional_net():
    net, rng = bs.Network(DT), np.random.default_rng(0)
    e, i, shape = bs.dalian_convolutional_layer(
        net,
        net.input(48),
        (1, 6, 8),
        3,
        2,
        3,
        stride=(1, 2),
        padding=1,
        recurrent_kernel=3,
        delay=2 * DT,
    )
    net.connect(e, net.readout(2))
    for p in net.projections:
        net.set_weights(
            p.name, rng.exponential({"input": 0.4, "E": 0.1, "I": 0.3}[p.pre], net.weight_shape(p))
        )
    return net, bs.data.poisson(25, 48, 0.3, 2, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("build", [sparse_net, convolutional_net])
def test_brian2_and_simulate_agree(build):
    net, trains = build()
    net64 = in_double(net)
    trace = bs.run(net64, trains)
    for b in range(2):
        done = bs.simulate(net64, 0.3, trains[b], progress=False)
        for name in trace.counts:
            ours = trace.spikes[name][b]
            assert trace.counts[name][b].sum() > 20 and np.array_equal(
                ours.units, done.spikes[name].units
            )
            np.testing.assert_allclose(ours.times, done.spikes[name].times, atol=1e-9)
    b2 = pytest.importorskip("brian2")
    before, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    try:
        report = brian.compare(net, trains, progress=False)
    finally:
        b2.prefs.codegen.target = before
    assert report.identical, str(report)
    assert all(gap <= 1e-11 * scale for gap, scale in report.states.values())


def dale(net):
    net.connect(net.population(2, bs.ei_lif(), "excitatory", name="E"), "A")
    return net


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda net: bs.Convolution((3,), 2, 3), "channels, length"),
        (lambda net: bs.Convolution((1, 5), 2, 7), "does not fit"),
        (lambda net: bs.Convolution((1, 5), 2, 4, padding="same"), "odd kernel"),
        (lambda net: bs.Convolution((1, 5, 5), 2, (3, 3, 3)), "whole number >= 1, or 2"),
        (lambda net: bs.Convolution((1, 5), 0, 3), "filters is 0"),
        (
            lambda net: net.connect("A", "B", synapses=bs.Convolution((1, 6), 2, 3)),
            "presynaptic population has 8.* have 6",
        ),
        (
            lambda net: net.connect("A", "B", synapses=bs.Convolution((2, 4), 2, 3)),
            "postsynaptic population has 16.* have 4",
        ),
        (
            lambda net: net.connect(
                "A", "B", weights=np.ones((2, 4)), synapses=bs.Convolution((1, 8), 2, 1)
            ),
            r"kernels of its Convolution are \(2, 1, 1\)",
        ),
        (
            lambda net: net.connect("A", "A", weights=np.ones(8), synapses=bs.OneToOne(tied=True)),
            r"weights have shape \(8,\); the kernels",
        ),
        (lambda net: net.connect("B", "A", synapses=bs.FanOut()), "multiple of the first"),
        (
            lambda net: net.connect("B", "A", synapses=bs.BlockDiagonal(3)),
            "multiples of the number of blocks",
        ),
        (
            lambda net: net.connect("B", "A", synapses=net.synapses["fan"]),
            "from 8 to 16 neurons.*: the populations have 16 and 8",
        ),
        (lambda net: net.population(3, bs.lif(), bias=np.ones(4)), r"bias has shape \(4,\)"),
        (
            lambda net: bs.max_pool(bs.data.poisson(5, 7, 0.1, seed=0), (1, 8), 2),
            "7 units; shape .* has 8",
        ),
        (lambda net: bs.WeightConstraint(1, 0), "ascending"),
        (lambda net: bs.WeightConstraint(norm=0), "norm is 0; it must be a number > 0"),
        (lambda net: bs.WeightConstraint(low=0.1, norm=1.0), "must contain 0"),
        (
            lambda net: checked_constraints([bs.WeightConstraint(high=-1)], dale(net)),
            "'E->A' are >= 0 by Dale's law",
        ),
        (lambda net: checked_constraints([0.5], net), "one of constraints is 0.5; it must be"),
        (
            lambda net: checked_constraints([bs.WeightConstraint(projections="x")], net),
            "for x: the network has only fan",
        ),
    ],
)
def test_messages(act, words):
    net = bs.Network(DT)
    net.population(8, bs.lif(), name="A"), net.population(16, bs.lif(), name="B")
    net.connect("A", "B", name="fan", synapses=bs.FanOut())
    with pytest.raises(ValueError, match=words):
        act(net)
