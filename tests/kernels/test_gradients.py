"""Gradients: the adjoint against central differences of the smooth twin, over registries."""

import itertools

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import gradient as backward
from biosnn.engine.layouts import all_states
from biosnn.network.surrogate import Surrogate
from biosnn.training import loss_terms
from tests import gradcheck
from tests.kernels.circuit import (
    CONDUCTANCES,
    DT,
    LOSSES,
    OWN_LOOP,
    REGULARIZERS,
    SPIKE_LOSSES,
    SURROGATES,
    TABLES,
    circuit,
    loss_of,
    spikes,
)


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
    """With two of the surrogates that have loops of their own.

    Over all cases every one of them meets every table with every reset, and with every integrator.
    """
    rank = ("exact", "exponential_euler", "euler").index(integrator)
    rank += (0.0, -0.2, "subtract").index(reset) + (refractory > 0)
    for surrogate in OWN_LOOP[rank % 2 :: 2]:
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
        packed, _, recording, _ = trace.tape
        columns = all_states(packed).columns
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
        u = trace.states["A.U"]
        i = trace.states[state]
        s = trace.states["out.U"]
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
    true = backward.gradient
    monkeypatch.setattr(
        backward, "gradient", lambda *a, **k: true(*a, **(k | {"differentiate_reset": False}))
    )
    assert gradcheck.relative_error(circuit(), spikes(), loss_of()) > 1e-4
