"""Every forward/adjoint pair against central differences of its smooth twin, over the registry, in float64."""

import itertools
from dataclasses import replace

import numba
import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import chunks as passes
from biosnn.engine import run as trials
from biosnn.kernels import arrays
from biosnn.kernels import dense as projection_kernels
from biosnn.kernels import simd as _vector
from biosnn.network.surrogate import Surrogate
from biosnn.training import loss_terms
from tests import gradcheck, naive

DT = 1e-3
TABLES = {
    "lif": bs.lif,
    "ei_lif": bs.ei_lif,
    "adaptive_lif": bs.adaptive_lif,
    "ei_adaptive_lif": bs.ei_adaptive_lif,
    "ampa_nmda_gaba": bs.ampa_nmda_gaba,
}
CONDUCTANCES = {
    "conductance_lif": bs.conductance_lif,
    "alpha_conductance_lif": bs.alpha_conductance_lif,
}  # exponential Euler only
FREE = ("lif", "adaptive_lif")  # their receptors take weights of either sign
OWN_LOOP = [
    bs.SuperSpike(5),
    bs.Sigmoid(5),
    bs.Triangular(0.7),
    bs.TruncatedSuperSpike(3, 1.5),
]  # with every table and reset
SURROGATES = OWN_LOOP + [
    bs.Gaussian(1.5),
    bs.Arctan(3),
    bs.MultiGaussian(1.5),
    bs.AsymptoticSuperSpike(3),
    bs.ExponentialSurrogate(3),
]
LOSSES = [
    bs.MaxOverTimeCrossEntropy(),
    bs.SumOverTimeCrossEntropy(),
    bs.MeanOverTimeCrossEntropy(),
    bs.LastStepCrossEntropy(),
    bs.EveryStepCrossEntropy(),
    bs.MeanSquaredError(),
    bs.FocalLoss(2.0),
    bs.FocalLoss(0.5, bs.LastStepCrossEntropy()),
    bs.PatternRegression({0: [0.5, 0, -1], 1: [0, 1, 0], 2: [0.2, 0.1, 2.0]}),
]
SPIKE_LOSSES = [
    bs.TimeToFirstSpike(5.0),
    bs.VanRossumDistance(4e-3, DT),
    bs.SumOverTimeCrossEntropy(),
    bs.MeanSquaredError(),
]
REGULARIZERS = [
    bs.upper_bound(0.3, 0.5),
    bs.upper_bound(0.3, 0.5, power=1, per="neuron"),
    bs.lower_bound(0.3, 100.0, per="neuron"),
    bs.lower_bound(0.2, 100.0, power=1),
]


def spikes(n_units=6, n_trials=3, duration=0.03, seed=3):
    return bs.data.poisson(
        80.0, n_units, duration, n_trials, seed=seed, labels=np.arange(n_trials) % 3
    )


def circuit(
    table="ei_lif",
    integrator="exact",
    reset=0.0,
    refractory=0.0,
    surrogate=bs.SuperSpike(5),
    delays=(0, 1, 3),
    learn=None,
    per_neuron=False,
    seed=1,
    bounds=None,
    **options,
):
    """Two populations with feedback and a skip connection, and a readout. per_neuron: every time constant and jump."""
    rng, net = np.random.default_rng(seed), bs.Network(DT, np.float64)
    x = net.input(6)

    def neuron(n):
        given = {"tau_mem": 12e-3, **({"jump": 0.3} if "adaptive" in table else {}), **options}
        given |= (
            {"reversal_exc": 4.0, "reversal_inh": -1.0}
            if table in CONDUCTANCES
            else {"integrator": integrator}
        )
        make = CONDUCTANCES.get(table) or TABLES[table]
        made = make(threshold=0.8, reset=reset, refractory=refractory, **given)
        if per_neuron:
            given |= {
                f"tau_{tau}": bs.log_normal_time_constants(value, 0.3, n, rng)
                for tau, value in made.time_constants.items()
            }
            given |= {"jump": rng.uniform(0.1, 0.6, n)} if "adaptive" in table else {}
            made = make(threshold=0.8, reset=reset, refractory=refractory, **given)
        return bs.bounded(made, *bounds) if bounds else made

    signs, smaller = (
        ("unsigned", "unsigned") if table in FREE else ("excitatory", "inhibitory"),
        8 if table in CONDUCTANCES else 1,
    )
    a = net.population(
        5, neuron(5), signs[0], name="A", surrogate=surrogate, initial=0.1, learn=learn
    )
    b = net.population(4, neuron(4), signs[1], name="B", surrogate=surrogate, learn=learn)
    out = net.readout(
        3, tau_mem=20e-3, tau_syn=5e-3, name="out", initial=-0.1, integrator=integrator
    )
    pairs = [(x, a), (x, b), (a, a), (a, b), (b, a), (b, b), (a, out), (x, out)]
    for k, (pre, post) in enumerate(pairs):
        scale = 6.0 if pre is x else 3.0
        weights = (
            rng.normal(0, scale, (pre.n, post.n))
            if table in FREE or post is out
            else rng.exponential(scale / smaller, (pre.n, post.n))
        )
        net.connect(pre, post, delay=delays[k % len(delays)] * DT, weights=weights)
    return net


def loss_of(loss=bs.MaxOverTimeCrossEntropy(), terms=(), penalty=None, net=None, mask=None):
    def value(trace):
        readout = trace.states["out.U"]
        target = (
            trace.labels
            if loss.classifies
            else np.sin(np.arange(readout.size)).reshape(readout.shape)
        )
        total, grad = loss.value_and_gradient(readout, target, mask)
        counts, direct = (
            {p.name: np.zeros(trace.counts[p.name].shape) for p in trace.network.spiking},
            {},
        )
        for term in terms:
            for name in counts:
                part, slope = term.value_and_gradient(trace.counts[name])
                total, counts[name] = total + part, counts[name] + slope
        if penalty is not None:
            for p in trace.network.projections:
                part, direct[p.name] = penalty.value_and_gradient(trace.network.weights[p.name])
                total += part
        return total, {"out.U": grad}, counts, direct

    return value


@pytest.mark.parametrize(
    "table, integrator, reset, refractory",
    [
        *(
            (table, integrator, reset, refractory)
            for table, integrator, reset, refractory in itertools.product(
                TABLES,
                ("exact", "exponential_euler", "euler"),
                (0.0, -0.2, "subtract"),
                (0.0, 3e-3),
            )
            if table in ("lif", "ei_lif") or (refractory > 0) == (reset == 0.0)
        ),
        *itertools.product(
            CONDUCTANCES, ("exponential_euler",), (0.0, -0.2, "subtract"), (0.0, 3e-3)
        ),
    ],
)
def test_tables(table, integrator, reset, refractory):
    for surrogate in OWN_LOOP:
        net = circuit(table, integrator, reset, refractory, surrogate)
        assert gradcheck.relative_error(net, spikes(), loss_of()) < 1e-6


@pytest.mark.parametrize("table", TABLES)
def test_time_constants_of_every_neuron_in_every_table(table):
    """Log-normal time constants (and jumps), one of each for every neuron, all of them learned."""
    net = circuit(table, per_neuron=True)
    names = [*net["A"].neuron.time_constants, *(["jump"] if net["A"].neuron.spike_jumps else [])]
    assert all(np.ptp(tau) > 1e-3 for tau in net["A"].neuron.time_constants.values())
    for shared in ("neuron", "population"):
        net = circuit(table, per_neuron=True, learn=dict.fromkeys(names, shared), refractory=2e-3)
        for p in net.parameters.values():
            p += np.random.default_rng(0).normal(0, 0.2, p.shape)
        assert gradcheck.relative_error(net, spikes(), loss_of()) < 1e-6


@pytest.mark.parametrize("table", ["adaptive_lif", "ei_adaptive_lif"])
@pytest.mark.parametrize("delay", [0, 1, 2, 12, 40])
def test_delays_of_jumps(table, delay):
    for surrogate in (bs.SuperSpike(5), bs.TruncatedSuperSpike(3, 1.5)):
        net = circuit(
            table,
            jump_delay=delay * DT,
            surrogate=surrogate,
            learn={"jump": "neuron", "adapt": "population"},
        )
        assert (
            gradcheck.relative_error(net, spikes(), loss_of(terms=[bs.upper_bound(0.3, 0.5)]))
            < 1e-6
        )


@pytest.mark.parametrize(
    "table, reset, refractory",
    [
        ("lif", -0.2, 3e-3),
        ("ei_lif", 0.0, 0.0),
        ("ei_adaptive_lif", "subtract", 0.0),
        ("ampa_nmda_gaba", 0.0, 2e-3),
    ],
)
def test_bounds(table, reset, refractory):
    """A membrane that meets both of its bounds; time constants and currents meet them, too."""
    net = circuit(
        table, reset=reset, refractory=refractory, bounds=(-0.3, 1.05), learn={"mem": "neuron"}
    )
    currents = {"A": np.random.default_rng(0).normal(0.2, 0.3, (3, 30, 5))}
    margin = gradcheck.twin(net, spikes(), currents).tape[2].margin
    assert (
        np.mean(margin == 1.05 - 0.8) > 0.01
        and np.mean(margin == -0.3 - 0.8) > 0.01
        and margin.max() == 1.05 - 0.8
    )
    assert gradcheck.relative_error(net, spikes(), loss_of(), currents) < 1e-6


@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: type(s).__name__)
def test_surrogates(surrogate):
    assert (
        gradcheck.relative_error(
            circuit(reset="subtract", refractory=3e-3, surrogate=surrogate), spikes(), loss_of()
        )
        < 1e-6
    )
    assert (
        gradcheck.relative_error(
            circuit("lif", reset=-0.2, surrogate=surrogate), spikes(), loss_of()
        )
        < 1e-6
    )


def test_every_surrogate_is_in_the_registry():
    def kinds(base):
        return {base, *(kind for each in base.__subclasses__() for kind in kinds(each))}

    ours = {kind for kind in kinds(Surrogate) if kind.__module__ == Surrogate.__module__}
    assert ours - {Surrogate} == {type(each) for each in SURROGATES}


@pytest.mark.parametrize("delays", [(0,), (1,), (5,), (0, 2, 7), (40,)])
def test_delays(delays):
    assert gradcheck.relative_error(circuit(delays=delays), spikes(), loss_of()) < 1e-6


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("term", REGULARIZERS, ids=str)
def test_losses_and_regularizers(loss, term):
    assert (
        gradcheck.relative_error(circuit(), spikes(), loss_of(loss, [term], bs.WeightPenalty(0.01)))
        < 1e-6
    )


@pytest.mark.parametrize(
    "loss",
    [bs.EveryStepCrossEntropy(), bs.MeanSquaredError()],
    ids=lambda loss: type(loss).__name__,
)
def test_masked_losses(loss):
    mask = np.random.default_rng(0).uniform(0, 1, (3, 30))
    mask[:, :10] = 0
    assert gradcheck.relative_error(circuit(), spikes(), loss_of(loss, mask=mask)) < 1e-6


@pytest.mark.parametrize("loss", SPIKE_LOSSES, ids=lambda loss: type(loss).__name__)
def test_losses_on_spikes(loss):
    terms = loss_terms.make_terms(
        circuit(), {"A": loss, "out": (bs.MaxOverTimeCrossEntropy(), 0.5)}, None
    )
    target = np.random.default_rng(1).random((3, 30, 5)) < 0.1

    def value(trace):
        given = ((np.array([0, 4, 2]) if loss.classifies else target, None), (trace.labels, None))
        packed, _, recording = trace.tape
        columns = trials.all_states(packed).columns
        total, _, states, by_spike = loss_terms.value_and_gradient(
            terms, packed, recording, columns, given
        )
        return total, {f"{name}.U": slope for name, slope in states.items()}, None, {}, by_spike

    assert gradcheck.relative_error(circuit(), spikes(), value) < 1e-6


def test_weight_penalty_l1():
    assert (
        gradcheck.relative_error(
            circuit(), spikes(), loss_of(penalty=bs.WeightPenalty(0.01, power=1))
        )
        < 1e-6
    )


@pytest.mark.parametrize(
    "table, integrator",
    [
        ("ei_lif", "exact"),
        ("ei_lif", "exponential_euler"),
        ("ei_lif", "euler"),
        ("conductance_lif", "exponential_euler"),
        ("alpha_conductance_lif", "exponential_euler"),
    ],
)
@pytest.mark.parametrize("shared", ["population", "neuron"])
def test_time_constants_and_currents(table, integrator, shared):
    net = circuit(
        table,
        integrator,
        learn={"mem": shared, "exc": shared, "inh": "population"},
        refractory=2e-3,
        per_neuron=shared == "neuron",
    )
    currents = {
        "A": np.random.default_rng(0).normal(0.2, 0.3, (3, 30, 5)),
        "B": np.full((3, 30, 4), 0.2),
    }
    assert gradcheck.relative_error(net, spikes(), loss_of(), currents) < 1e-6


@pytest.mark.parametrize(
    "table, state",
    [("ei_lif", "B.I_exc"), ("conductance_lif", "B.g_inh"), ("alpha_conductance_lif", "B.h_exc")],
)
def test_gradients_by_states_of_populations(table, state):
    def loss(trace):
        u, i, s = trace.states["A.U"], trace.states[state], trace.states["out.U"]
        return (
            (np.sum(u**2) + np.sum(i**2) * 1e-2 + np.sum(s)),
            {"A.U": 2 * u, state: 2e-2 * i, "out.U": np.ones_like(s)},
            None,
            {},
        )

    assert gradcheck.relative_error(circuit(table, refractory=2e-3), spikes(), loss) < 1e-6


def test_conductances_beside_currents():
    """Two groups with conductances (of other reversal potentials) and one without."""
    net = circuit("conductance_lif", delays=(0, 1), refractory=2e-3)
    c = net.population(
        3,
        bs.conductance_lif(tau_mem=12e-3, reversal_exc=3.0, reversal_inh=-0.5, threshold=0.7),
        "inhibitory",
        name="C",
        surrogate=bs.Sigmoid(5),
    )
    d = net.population(
        3, bs.ei_lif(threshold=0.7), "excitatory", name="D", surrogate=bs.SuperSpike(5)
    )
    rng = np.random.default_rng(2)
    for pre, post, scale in (
        ("A", c, 0.6),
        (c, "B", 0.3),
        ("A", d, 6.0),
        (d, "A", 0.2),
        ("input", c, 0.5),
    ):
        net.connect(
            pre,
            post,
            delay=1e-3,
            weights=rng.exponential(
                scale,
                (
                    net[pre if isinstance(pre, str) else pre.name].n,
                    net[post if isinstance(post, str) else post.name].n,
                ),
            ),
            receptor="exc" if pre == "input" else None,
        )
    currents = {name: rng.normal(0.2, 0.3, (3, 30, net[name].n)) for name in ("D", "C", "A")}
    trace = bs.run(net, spikes(), currents=currents)
    assert all(trace.counts[name].sum() > 3 for name in "ABCD")
    assert gradcheck.relative_error(net, spikes(), loss_of(), currents) < 1e-6


def test_a_wrong_adjoint_is_caught(monkeypatch):
    """The check itself can fail: without the reset's gradient it must."""
    true = trials.gradient
    monkeypatch.setattr(
        trials, "gradient", lambda *a, **k: true(*a, **(k | {"differentiate_reset": False}))
    )
    assert gradcheck.relative_error(circuit(), spikes(), loss_of()) > 1e-4


@pytest.mark.parametrize(
    "table, integrator, reset, refractory, per_neuron, options",
    [
        ("ei_lif", "exact", 0.0, 3e-3, False, {}),
        ("ei_lif", "exponential_euler", "subtract", 0.0, True, {}),
        ("lif", "exact", -0.2, 0.0, True, {}),
        ("lif", "exponential_euler", 0.0, 2e-3, False, {"bounds": (-0.3, 1.0)}),
        ("conductance_lif", "exponential_euler", 0.0, 3e-3, True, {}),
        ("alpha_conductance_lif", "exponential_euler", "subtract", 0.0, False, {}),
        ("conductance_lif", "exponential_euler", 0.0, 0.0, False, {"bounds": (-0.1, 0.9)}),
        (
            "adaptive_lif",
            "exact",
            0.0,
            0.0,
            True,
            {"jump_delay": 2e-3, "surrogate": bs.TruncatedSuperSpike(3, 0.4)},
        ),
        ("ei_adaptive_lif", "exact", -0.2, 2e-3, False, {"bounds": (-0.2, np.inf)}),
        (
            "ei_adaptive_lif",
            "exponential_euler",
            "subtract",
            0.0,
            True,
            {"jump_delay": 1e-3, "learn": {"jump": "population"}},
        ),
        ("ampa_nmda_gaba", "exact", 0.0, 2e-3, True, {}),
        (
            "ampa_nmda_gaba",
            "exponential_euler",
            "subtract",
            0.0,
            False,
            {"bounds": (-0.5, 0.9), "surrogate": bs.Triangular(2.0)},
        ),
    ],
)
def test_against_the_naive_reference(table, integrator, reset, refractory, per_neuron, options):
    net, trains = (
        circuit(table, integrator, reset, refractory, per_neuron=per_neuron, **options),
        spikes(),
    )
    for p in net.parameters.values():
        p += 0.4
    currents = {"A": np.random.default_rng(5).normal(0.3, 0.2, (3, 30, 5))}
    names = [
        "A.U_star",
        *(f"{p}.{state}" for p in "AB" for state in net["A"].neuron.states),
        "out.U",
        "out.I",
    ]
    trace = bs.run(net, trains, record=names, currents=currents, tape=True)
    grad = np.random.default_rng(6).normal(size=(3, 30, 3))
    got = bs.gradient(trace, states={"out.U": grad}, counts={"A": np.ones((3, 5))})
    dense, total = bs.bin_spikes(trains, DT).dense(), {name: 0.0 for name in net.weights}
    assert trace.counts["A"].sum() > 3 and trace.counts["B"].sum() > 3
    for b in range(3):
        inputs, one = {"input": dense[b]}, {"A": currents["A"][b]}
        expected = naive.run(net, inputs, one)
        for population in ("A", "B"):
            ours = bs.bin_spikes(trace.spikes[population][b], DT).dense()[0]
            assert np.array_equal(ours, expected["spikes"][population])
        np.testing.assert_allclose(trace.states["A.U_star"][b], expected["u_star"]["A"], atol=1e-12)
        for name in names[1:]:
            np.testing.assert_allclose(
                trace.states[name][b], expected["states"][tuple(name.split("."))], atol=1e-12
            )
        slopes = naive.gradient(
            net, inputs, expected, {("out", "U"): grad[b]}, {"A": np.ones(5)}, one
        )
        for name in total:
            total[name] = total[name] + slopes["weights"][name]
        np.testing.assert_allclose(got.currents["A"][b], slopes["currents"]["A"], atol=1e-10)
    for name, expected in total.items():
        np.testing.assert_allclose(
            got.weights[name], expected, atol=1e-10 * max(1, np.abs(expected).max())
        )


def test_truncated_gradient_is_that_of_each_window_alone():
    """Linear in the derivatives of the loss: at a step of a window, the gradient of the loss at the steps of this window."""
    net, trains = circuit(delays=(0, 1, 4), refractory=3e-3), spikes()
    currents = {"A": np.full((3, 30, 5), 0.3), "B": np.full((3, 30, 4), 0.2)}
    trace = bs.run(net, trains, currents=currents, tape=True)
    grad = np.random.default_rng(0).normal(size=(3, 30, 3))
    got, whole = (
        bs.gradient(trace, states={"out.U": grad}, truncate=seconds) for seconds in (7e-3, None)
    )
    for first in range(0, 30, 7):
        window = slice(first, first + 7)
        alone = np.zeros_like(grad)
        alone[:, window] = grad[:, window]
        expected = bs.gradient(trace, states={"out.U": alone})
        for name in currents:
            np.testing.assert_allclose(
                got.currents[name][:, window], expected.currents[name][:, window], atol=1e-13
            )
            assert (
                first == 28 or np.abs(expected.currents[name][:, window]).max() > 1e-5
            )  # the last window has two steps
    assert not np.allclose(got.weights["A->out"], whole.weights["A->out"], rtol=0.1)
    one = bs.gradient(trace, states={"out.U": grad}, truncate=1.0)
    assert all(np.array_equal(one.weights[name], whole.weights[name]) for name in net.weights)
    with pytest.raises(ValueError, match="truncate is 0.0001"):
        bs.gradient(trace, states={"out.U": grad}, truncate=1e-4)


@pytest.mark.parametrize("table", ["ei_lif", "ei_adaptive_lif", "conductance_lif"])
def test_the_adjoint_begins_where_the_loss_ends(table):
    """Trials whose derivatives end early, or that have none, beside others: by linearity, all derivatives less the late ones."""
    trains, learn = spikes(n_trials=15), {"mem": "neuron"}
    currents = {"A": np.full((15, 30, 5), 0.3)}
    trace = bs.run(
        circuit(table, learn=learn, delays=(0, 1, 4)), trains, currents=currents, tape=True
    )
    every = np.random.default_rng(0).normal(size=(15, 30, 3))
    early, last = (
        every.copy(),
        np.array([0, 3, 12, 5, 8, 12, 0, 0, 0, 0, 0, 0, 2, 30, 1]),
    )  # tiles of six trials
    for b, n in enumerate(last):
        early[b, n:] = 0
    got, whole, late = (
        bs.gradient(trace, states={"out.U": slopes}, record=["A.U"])
        for slopes in (early, every, every - early)
    )
    for kind in ("weights", "currents", "time_constants", "states"):
        for name, value in getattr(got, kind).items():
            expected = getattr(whole, kind)[name] - getattr(late, kind)[name]
            np.testing.assert_allclose(
                value, expected, rtol=1e-9, atol=1e-12 * np.abs(getattr(whole, kind)[name]).max()
            )
            assert np.any(value)
    for b, n in enumerate(last):
        assert not np.any(got.states["A.U"][b, n:]) and not np.any(got.currents["A"][b, n:])
    counts = bs.gradient(trace, counts={"A": np.eye(15, 5, -3)})
    one = bs.gradient(trace, spikes={"A": np.repeat(np.eye(15, 5, -3)[:, None], 30, axis=1)})
    for name, value in counts.weights.items():
        np.testing.assert_allclose(value, one.weights[name], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("table", ["ei_lif", "conductance_lif"])
def test_same_bits_on_any_number_of_threads(table):
    trains, net = spikes(n_trials=70), circuit(table)
    results = []
    for threads in (1, 2, 3):
        trace = bs.run(net, trains, record=["A.U"], tape=True, threads=threads)
        grad = np.random.default_rng(1).normal(size=trace.states["out.U"].shape)
        results.append(
            (
                trace.states["A.U"],
                *bs.gradient(trace, states={"out.U": grad}, threads=threads).weights.values(),
            )
        )
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other))


@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: type(s).__name__)
def test_twin_is_the_antiderivative(surrogate):
    x = np.array([-2.0, -0.9, -0.3, -0.01, 0.02, 0.4, 1.1])
    slope = (surrogate.twin(x + 1e-6) - surrogate.twin(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, surrogate.derivative(x), atol=1e-8)
    assert surrogate.twin(np.array(-1e9)) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize(
    "n_pre, n_post, trials", [(7, 5, 8), (13, 9, 3), (16, 70, 24), (5, 64, 6), (40, 1, 11)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pulls_are_matrix_products(n_pre, n_post, trials, dtype):
    rng = np.random.default_rng(0)
    w, states = rng.normal(size=(n_pre, n_post)).astype(dtype), np.zeros((24, n_post + 3), dtype)
    states[:trials] = rng.normal(size=(trials, n_post + 3))
    listed = np.flatnonzero(np.arange(n_pre) % 3)
    near = arrays.Events(
        np.tile([0, listed.size], (trials, 1)), listed.astype(np.int32), np.empty(0, dtype)
    )
    expected, tolerance = (
        1 - states[:trials, 2 : 2 + n_post] @ w.T,
        1e-4 if dtype == np.float32 else 1e-12,
    )
    dense, compact = (np.ones((24, n_pre + 18), dtype) for _ in range(2))
    panels = np.concatenate([panel.ravel() for panel in passes.panels_of(w)])
    projection_kernels.pull_dense(panels, n_pre, n_post, dtype(-1), trials, states, 2, dense, 1)
    np.testing.assert_allclose(dense[:trials, 1 : 1 + n_pre], expected, atol=tolerance)
    assert np.all(dense[:, 0] == 1) and np.all(dense[:, 1 + n_pre :] == 1)
    projection_kernels.pull_near(
        w.ravel(), n_post, dtype(-1), trials, states, 2, near, 0, 0, compact, 1
    )
    np.testing.assert_allclose(
        compact[:trials, 1 : 1 + n_pre],
        np.where(np.isin(np.arange(n_pre), listed), expected, 1),
        atol=tolerance,
    )


@pytest.mark.parametrize("share", [0.2, 0.5, 0.6, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_of_rows_and_their_plain_version(dtype, share):
    """At most half a span of columns: half of one is added, else a whole one."""

    @numba.njit
    def sums(rows, offset, stride, size, index, first, last, out, at):
        _vector.sum_rows(rows, offset, stride, size, index, first, last, out, at)

    span = _vector.SPAN_BYTES // np.dtype(dtype).itemsize
    size, written, stride = int(share * span), span if share > 0.5 else span // 2, span + 6
    rows, index = (
        np.random.default_rng(0).normal(size=20 * stride).astype(dtype),
        np.array([3, 0, 17, 17, 4], np.int32),
    )
    for first, last in ((0, 5), (1, 4), (2, 2)):
        ours, plain = np.full(span + 2, 7, dtype), np.full(span + 2, 7, dtype)
        sums(rows, 5, stride, size, index, first, last, ours, 1)
        _vector._sum_rows_python(rows, 5, stride, size, index, first, last, plain, 1)
        expected = rows.reshape(20, stride)[index[first:last], 5 : 5 + written].sum(axis=0)
        np.testing.assert_array_equal(ours, plain)
        np.testing.assert_allclose(ours[1 : 1 + written], expected, rtol=1e-5, atol=1e-6)
        assert ours[0] == 7 and np.all(ours[1 + written :] == 7)


@pytest.mark.parametrize("refractory, reset", [(0.0, 0.0), (3e-3, 0.0), (0.0, "subtract")])
@pytest.mark.parametrize("differentiate", [False, True])
def test_lists_of_neurons_near_threshold_give_the_gradient_of_all_of_them(
    refractory, reset, differentiate
):
    net = circuit(refractory=refractory, reset=reset, surrogate=bs.TruncatedSuperSpike(3, 0.4))
    trace = bs.run(net, spikes(), tape=True)
    packed, drive, recording = trace.tape
    near = np.diff(recording.near.pointers[:, [0, -1]])
    assert near.sum() == np.sum(np.abs(recording.margin) <= 0.4) < recording.margin.size / 2
    rng, n_trials = np.random.default_rng(0), len(spikes())
    start = dict(
        states={"out.U": rng.normal(size=trace.states["out.U"].shape)},
        counts={"A": rng.normal(size=(n_trials, 5))},
        spikes={"B": rng.normal(size=(n_trials, trace.n_steps, 4))},
        differentiate_reset=differentiate,
    )
    listed = bs.gradient(trace, **start)
    everywhere = recording._replace(near=recording.near._replace(units=recording.near.units[:0]))
    full = bs.gradient(replace(trace, tape=(packed, drive, everywhere)), **start)
    for name in listed.weights:
        np.testing.assert_allclose(listed.weights[name], full.weights[name], rtol=1e-12, atol=1e-14)
        assert np.any(full.weights[name])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponential_for_vector_units(dtype):
    """To 2 units in the last place over the range, 1 at 0, NaN stays, and the ends of the range beyond it."""

    @numba.njit
    def exponential(x, out):
        for i in range(x.size):
            out[i] = _vector.exp(x[i])

    low, high = (-87, 88) if dtype == np.float32 else (-708, 709)
    x = np.concatenate(
        [np.random.default_rng(0).uniform(low, high, 10000), np.linspace(-1, 1, 1001)]
    ).astype(dtype)
    found, extreme = np.empty_like(x), np.empty(5, dtype)
    exponential(x, found)
    exact = np.exp(x.astype(np.longdouble))
    assert np.max(np.abs(found / exact - 1)) < 2 * np.finfo(dtype).eps
    exponential(np.array([0, -0.0, np.nan, -np.inf, np.inf], dtype), extreme)
    assert extreme[0] == extreme[1] == 1 and np.isnan(extreme[2])
    np.testing.assert_allclose(
        extreme[3:], np.exp(np.array([low, high], np.float64)), rtol=4 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vector_intrinsics_and_their_plain_versions(dtype):
    rng = np.random.default_rng(1)
    x = rng.normal(size=2 + _vector.LANES).astype(dtype)
    x[3:6] = -np.inf, np.nan, np.inf

    @numba.njit
    def bits(x, bound):
        return _vector.at_least(x, 2, bound), _vector.lowest_bit(_vector.at_least(x, 2, bound))

    found, lowest = bits(x, dtype(0.3))
    part = x[2 : 2 + _vector.LANES]
    assert (
        found
        == sum(1 << int(k) for k in np.flatnonzero(part >= 0.3))
        == _vector._at_least_python(x, 2, 0.3)
    )
    assert lowest == np.flatnonzero(part >= 0.3)[0] == _vector._lowest_bit_python(found)
    n, width = 5, _vector.BLOCK_BYTES // np.dtype(dtype).itemsize
    a, b, plain = (
        rng.normal(size=(8, 9)).astype(dtype),
        rng.normal(size=n * width).astype(dtype),
        np.ones((8, width + 3), dtype),
    )
    _vector._multiply_block_python(a, 1, 2, n, b, 0, dtype(2), plain, 3)
    np.testing.assert_allclose(
        plain[1 : 1 + _vector.BLOCK_ROWS, 3:],
        1 + 2 * a[1 : 1 + _vector.BLOCK_ROWS, 2 : 2 + n] @ b.reshape(n, width),
        rtol=1e-4,
    )
    assert np.all(plain[0] == 1) and np.all(plain[:, :3] == 1)


def test_delta_synapses_have_no_gradient_yet():
    net = bs.Network(DT)
    a = net.population(2, bs.lif_delta(), name="A")
    net.connect(net.input(3), a, weights=np.full((3, 2), 0.1))
    net.connect(a, net.readout(2), weights=np.ones((2, 2)))
    data = spikes(3)
    with pytest.raises(ValueError, match="'A' has delta synapses.*no gradients yet"):
        bs.gradient(bs.run(net, data, tape=True), states={"readout.U": 1.0})
    with pytest.raises(ValueError, match="'A' has delta synapses.*no gradients yet"):
        bs.train(net, data, epochs=1, progress=False)
