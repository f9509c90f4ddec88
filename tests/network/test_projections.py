"""Projections other than dense in batches of trials: gradients, references, convolution, freezing,
biases, constraints, deep networks.
"""

import numpy as np
import pytest
from scipy.signal import correlate

import biosnn as bs
from biosnn import brian
from biosnn.brian.trial_input import in_double
from biosnn.theory import moments
from biosnn.training.constraint import checked_constraints
from tests import gradcheck, naive

DT = 1e-3
SURROGATES = [bs.SuperSpike(5), bs.TruncatedSuperSpike(3, 1.5)]


def exponential(scale):
    return lambda rng, size: rng.exponential(scale, size)


def spikes(n_units=8, n_trials=2, duration=0.03, seed=3, rate=100.0):
    return bs.data.poisson(
        rate, n_units, duration, n_trials, seed=seed, labels=np.arange(n_trials) % 3
    )


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


def loss(trace):
    readout = trace.states["out.U"]
    value, grad = bs.MaxOverTimeCrossEntropy().value_and_gradient(readout, trace.labels, None)
    return value, {"out.U": grad}, {}, {}


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


# -------------------------------------------------------------------------------------- convolution

GEOMETRIES = [
    ((1, 30), 4, 7, 1, 0),
    ((3, 29), 2, 5, 3, 2),
    ((2, 12), 3, 3, 1, "same"),
    ((2, 9, 7), 3, (3, 2), (2, 1), (0, 1)),
    ((1, 8, 8), 2, 5, 2, 2),
    ((2, 5, 6), 2, 3, 1, "same"),
]


def convolved(rule, x, kernels):
    """scipy's correlation of maps (channels, …) with the kernels of each filter."""
    padded = np.pad(x, [(0, 0)] + [(p, p) for p in rule.padding])
    stride = tuple(slice(None, None, s) for s in rule.stride)
    return np.stack(
        [
            sum(correlate(padded[c], kernel[c], "valid", "direct") for c in range(len(x)))[stride]
            for kernel in kernels
        ]
    )


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_convolution_is_that_of_scipy_and_its_adjoint_the_transpose(geometry):
    shape, filters, kernel, stride, padding = geometry
    rule = bs.Convolution(shape, filters, kernel, stride=stride, padding=padding)
    rng = np.random.default_rng(0)
    n, m = int(np.prod(rule.shape)), int(np.prod(rule.output_shape))
    net = bs.Network(DT, np.float64)
    x, hidden, out = (
        net.input(n),
        net.population(n, bs.lif(tau_mem=5e-3, tau_syn=3e-3), name="h"),
        net.readout(m, tau_mem=20e-3, tau_syn=5e-3, name="out"),
    )
    net.connect(x, hidden, weights=np.full(n, 10.0), synapses=bs.OneToOne())
    kernels = rng.normal(size=(rule.filters, rule.shape[0], *rule.kernel))
    net.connect(hidden, out, weights=kernels, synapses=rule)
    active = np.flatnonzero(rng.random(n) < 0.5)
    trace = bs.run(
        net,
        bs.SpikeTrains(np.zeros(active.size), active, [0, active.size], n, 4 * DT),
        record=["out.I"],
        tape=True,
    )
    s = bs.bin_spikes(trace.spikes["h"], DT).dense()[0]
    step = int(np.flatnonzero(s.any(axis=1))[0])
    assert np.array_equal(np.flatnonzero(s[step]), active)
    np.testing.assert_allclose(
        trace.states["out.I"][0, step],
        convolved(rule, s[step].reshape(rule.shape), kernels).ravel(),
        atol=1e-12,
    )
    # the adjoint: <A x, y> = <x, A^T y> for all x, with A^T y from `pull`; and the same number as a
    # sum over the kernels
    y = rng.normal(size=m)
    j, i, w, _ = net.indices("h->out")
    matrix = np.zeros((n, m))
    np.add.at(matrix, (j, i), w)
    z = rng.normal(size=n)
    assert np.vdot(convolved(rule, z.reshape(rule.shape), kernels), y) == pytest.approx(
        z @ (matrix @ y), rel=1e-12
    )
    grad = np.zeros((1, 4, m))
    grad[0, step] = y
    slopes = bs.gradient(trace, states={"out.I": grad}).weights
    assert np.vdot(slopes["h->out"], kernels) == pytest.approx(
        np.vdot(s[step] @ matrix, y), rel=1e-12
    )
    derivative = hidden.surrogate.derivative(trace.tape[2].margin[0, step])
    pulled = (
        slopes["input->h"][active] / derivative[active]
    )  # spikes arrive in one step, with the same effect on every neuron
    effect = pulled[0] / (matrix @ y)[active[0]]
    np.testing.assert_allclose(pulled, effect * (matrix @ y)[active], rtol=1e-10)


def test_max_pool_is_a_logical_or():
    dense = np.random.default_rng(0).random((3, 40, 2 * 5 * 7)) < 0.05
    pooled, shape = bs.max_pool(bs.from_dense(dense, DT), (2, 5, 7), (2, 3))
    maps = np.pad(dense.reshape(3, 40, 2, 5, 7), [(0, 0)] * 3 + [(0, 1), (0, 2)]).reshape(
        3, 40, 2, 3, 2, 3, 3
    )
    assert shape == (2, 3, 3) and np.array_equal(
        bs.bin_spikes(pooled, DT).dense(), maps.any(axis=(4, 6)).reshape(3, 40, -1)
    )


def test_fan_out_and_blocks():
    net = bs.Network(DT)
    a, b = net.population(4, bs.lif(), name="A"), net.population(8, bs.lif(), name="B")
    net.connect(a, b, weights=1.0, synapses=bs.FanOut(), name="fan")
    net.connect(a, b, weights=1.0, synapses=bs.BlockDiagonal(2), name="blocks")
    assert np.array_equal(net.indices("fan")[0], np.repeat(np.arange(4), 2)) and np.array_equal(
        net.indices("fan")[1], np.arange(8)
    )
    table = np.zeros((4, 8))
    np.add.at(table, net.indices("blocks")[:2], 1)
    assert np.array_equal(table, np.kron(np.eye(2), np.ones((2, 4))))


# ----------------------------------------------------------------------------------------- training


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


# ------------------------------------------------------------------------------------ architectures


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


# --------------------------------------------------------------------------------- Brian2, simulate


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
