"""Gradients of runs that go on from others, by states and by step."""

import numpy as np
import pytest

import biosnn as bs
import tests.kernels.circuit as dense
import tests.network.test_projections as sparse
from biosnn.engine import contributions
from biosnn.engine.packed import pack
from tests import gradcheck
from tests.engine.pieces import (
    DELAYS,
    DT,
    IDS,
    RULES,
    TABLES,
    cut,
    pieces,
)


@pytest.mark.parametrize("table, options", TABLES, ids=IDS)
def test_smooth_twin_from_given_states(table, options):
    learn = {"mem": "neuron"} | ({"jump": "neuron"} if "adaptive" in table else {})
    net = dense.circuit(table, delays=DELAYS, learn=learn, **options)
    trains = dense.spikes(duration=0.05, seed=4)
    currents = {"A": np.random.default_rng(0).normal(0.3, 0.3, (3, 30, 5))}
    state = bs.run(net, cut(trains, 0, 20)).state
    loss, rest = dense.loss_of(), cut(trains, 20, 50)
    assert gradcheck.relative_error(net, rest, loss, currents, state=state) < 1e-6
    assert not np.allclose(
        gradcheck.twin(net, rest).states["out.U"],
        gradcheck.twin(net, rest, state=state).states["out.U"],
    )


@pytest.mark.parametrize("name, n_post, delay", RULES)
def test_smooth_twin_of_sparse_projections_from_given_states(name, n_post, delay):
    net = sparse.circuit(sparse.rule_of(name, n_post), n_post, delay=delay, bias=0.1)
    trains = sparse.spikes(duration=0.05)
    state = bs.run(net, cut(trains, 0, 20)).state
    assert gradcheck.relative_error(net, cut(trains, 20, 50), sparse.loss, state=state) < 1e-6


@pytest.mark.parametrize(
    "make",
    [
        lambda: dense.circuit(delays=DELAYS, refractory=3e-3),
        lambda: dense.circuit(
            "conductance_lif", delays=DELAYS, surrogate=bs.TruncatedSuperSpike(3, 0.4)
        ),
        lambda: dense.circuit("ei_adaptive_lif", delays=DELAYS, jump_delay=5e-3),
        lambda: sparse.circuit(bs.Convolution((2, 4), 2, 2), 6, delay=3 * DT),
    ],
)
@pytest.mark.parametrize("window", [15, 5])
def test_gradients_of_two_runs_are_the_truncated_one_of_a_long_run(make, window):
    """Where no gradient flows over the border, weights get theirs from both sides: also from spikes
    that cross it.
    """
    net = make()
    n = net.inputs[0].n
    trains = bs.data.poisson(150.0, n, 0.03, 3, seed=3, labels=np.arange(3))
    grad = np.random.default_rng(0).normal(size=(3, 30, 3))
    expected = bs.gradient(
        bs.run(net, trains, tape=True), states={"out.U": grad}, truncate=window * DT
    ).weights
    parts = [
        bs.gradient(
            trace, states={"out.U": grad[:, k * 15 : k * 15 + 15]}, truncate=window * DT
        ).weights
        for k, trace in enumerate(pieces(net, trains, (0, 15, 30), tape=True))
    ]
    for name, slope in expected.items():
        np.testing.assert_allclose(
            parts[0][name] + parts[1][name], slope, rtol=1e-10, atol=1e-12 * np.abs(slope).max()
        )
        # short windows end before spikes reach the readout
        assert np.any(parts[1][name]) or (window == 5 and name != "A->out")


#: Projections of one unit that pokes at a receptor, and the state that it moves.
POKED = (("B", "exc", "B.I_exc"), ("B", "inh", "B.I_inh"), ("out", "syn", "out.I"))


def poked_circuit():
    """The dense circuit with an input of one unit, that arrives without a delay."""
    net = dense.circuit(delays=(0, 1, 3), refractory=3e-3)
    poke = net.input(1, name="poke")
    for name, receptor, _ in POKED:
        net.connect(
            poke,
            name,
            delay=0.0,
            weights=np.full((1, net[name].n), 0.1),
            receptor=receptor,
            name=f"{name} {receptor}",
        )
    return net


def spikes_with_a_poke(step):
    """Three trials of the dense circuit, and one spike of the other input in each."""
    once = bs.SpikeTrains.from_events(
        np.full(3, (step + 0.5) * DT),
        np.zeros(3, int),
        np.arange(3),
        n_trials=3,
        n_units=1,
        duration=30 * DT,
    )
    return {"input": dense.spikes(), "poke": once}


def slope_along(values, key, direction, loss):
    """Central difference of loss() along a direction of a value of a dict."""
    before, found = values[key], []
    for sign in (1, -1):
        values[key] = before + sign * 1e-5 * direction
        found.append(loss())
    values[key] = before
    return (found[0] - found[1]) / 2e-5


@pytest.mark.parametrize("step", [0, 7, 28])
def test_recorded_gradients_are_those_of_a_small_change(step):
    """dL/dU*[n], dL/dI[n], dL/dU[n] beside central differences of the smooth twin with something
    added at step n.
    """
    net, both, rng = poked_circuit(), spikes_with_a_poke(step), np.random.default_rng(1 + step)
    loss = dense.loss_of(terms=[bs.upper_bound(0.3, 0.5)])
    currents = {"A": np.full((3, 30, 5), 0.2)}
    trace = gradcheck.twin(net, both, currents)
    _, states, counts, _ = loss(trace)
    record = ["A.U_star", *(state for _, _, state in POKED)]
    got = bs.gradient(trace, states=states, counts=counts, differentiate_reset=True, record=record)
    assert list(got.states) == ["A.U_star", "B.I_exc", "B.I_inh", "out.I"]

    def value():
        return loss(gradcheck.twin(net, both, currents))[0]

    for name, receptor, state in POKED:
        projection = f"{name} {receptor}"
        direction = rng.normal(size=net.weights[projection].shape)
        expected = (
            np.sum(got.states[state][:, step] * direction)
            * net[name].neuron.receptors[receptor].jump
        )
        found = slope_along(net.weights, projection, direction, value)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9) and expected != 0
    direction = np.zeros((3, 30, 5))
    direction[:, step] = rng.normal(size=(3, 5))
    # a clamped neuron takes no current
    free = trace.tape[2].margin[:, step, pack(net).neurons("A")] > -np.inf
    gain = -np.expm1(-DT / 12e-3)  # of the exact step
    expected = np.sum((gain * free * got.states["A.U_star"][:, step]) * direction[:, step])
    found = slope_along(currents, "A", direction, value)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_recorded_gradients_obey_the_chain_rule_of_a_step():
    """dL/dU[n-1] = dL/dU[n-1] of the loss + M_UU dL/dU*[n] in a readout, and what comes from the
    reset in a spiking neuron.
    """
    net, trains = dense.circuit(delays=(0, 1, 3)), dense.spikes()
    trace = bs.run(net, trains, tape=True)
    grad = np.random.default_rng(0).normal(size=(3, 30, 3))
    got = bs.gradient(
        trace, states={"out.U": grad}, record=["out.U", "out.U_star", "A.U", "A.U_star"]
    ).states
    np.testing.assert_allclose(
        got["out.U"][:, :-1],
        np.exp(-DT / 20e-3) * got["out.U_star"][:, 1:] + grad[:, :-1],
        atol=1e-13,
    )
    np.testing.assert_allclose(
        got["A.U"][:, :-1], np.exp(-DT / 12e-3) * got["A.U_star"][:, 1:], atol=1e-13
    )
    assert (
        np.array_equal(got["out.U"][:, -1], grad[:, -1])
        and np.all(got["A.U"][:, -1] == 0)
        and np.any(got["A.U"][:, 0])
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: dense.circuit(delays=DELAYS, refractory=3e-3),
        lambda: dense.circuit("conductance_lif", delays=DELAYS),
        *(
            lambda name=name, n=n, delay=delay: sparse.circuit(
                sparse.rule_of(name, n), n, delay=delay, bias=0.2
            )
            for name, n, delay in RULES
        ),
    ],
)
def test_contributions_of_the_steps_add_up_to_the_gradient(make):
    """Also of a run that goes on from another; the norms are theirs."""
    net = make()
    trains = bs.data.poisson(150.0, net.inputs[0].n, 0.03, 3, seed=3)
    grad = np.random.default_rng(0).normal(size=(3, 15, 3))
    for trace in pieces(net, trains, (0, 15, 30), tape=True):
        names = [p.name for p in net.projections]
        got = bs.gradient(trace, states={"out.U": grad}, per_step=names, truncate=8e-3)
        packed, drive, recording, _ = trace.tape
        for p in net.projections:
            state = f"{p.post}.{net[p.post].neuron.receptors[p.receptor].state}"
            adjoint = bs.gradient(
                trace, states={"out.U": grad}, record=[state], truncate=8e-3
            ).states[state]
            each = list(contributions.by_step(packed, drive, recording, p, adjoint))
            np.testing.assert_allclose(sum(each), got.weights[p.name], rtol=1e-10, atol=1e-13)
            np.testing.assert_allclose(
                got.per_step[p.name], [np.linalg.norm(one) for one in each], rtol=1e-12
            )
            assert got.per_step[p.name].shape == (15,)
        assert got.per_step["A->out"].max() > 1e-3
    with pytest.raises(ValueError, match="no projection 'x->y'"):
        bs.gradient(trace, states={"out.U": grad}, per_step=["x->y"])
    with pytest.raises(ValueError, match="no state 'A.V'"):
        bs.gradient(trace, states={"out.U": grad}, record=["A.V"])
