"""Gradients of every neuron model against the smooth twin and the naive reference; numbers of each
neuron, learned thresholds, delta synapses, escape noise.
"""

import inspect
from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs
from biosnn.network import (
    adaptive_models,
    conductance_models,
    neuron,
    neuron_models,
    nonlinear_models,
    plasticity,
)
from tests import gradcheck, naive
from tests.kernels.circuit import DT
from tests.kernels.features import (
    NEURONS,
    PLASTICITY,
    SURROGATES,
    error,
    mixed,
    network,
    of_neuron,
    spikes,
    table,
)

SPREAD = np.array([0.8, 0.9, 1.0, 1.1, 1.2])
REFRACTORY = np.array([0, 1, 2, 3, 5]) * DT
#: Those whose reset may be a subtraction; an upstroke overshoots, by how much depends on the step.
SUBTRACT = [name for name in NEURONS if table(name).nonlinear_drive is None]


def test_no_neuron_and_no_plasticity_escapes():
    modules = (adaptive_models, conductance_models, neuron_models, nonlinear_models)
    factories = {
        name
        for module in modules
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if made.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(made).return_annotation is neuron.Neuron
    }
    assert factories - {"leaky_readout", "pooling_unit"} == set(NEURONS) - {"mixed"}
    short = {
        kind
        for _, kind in inspect.getmembers(plasticity, inspect.isclass)
        if issubclass(kind, plasticity.ShortTerm) and kind is not plasticity.ShortTerm
    }
    assert short == {type(rule) for rule in PLASTICITY.values()}
    assert set(plasticity.Plasticity.__args__) == {*short, bs.InhibitorySTDP}  # see run's refusal


@pytest.mark.parametrize(
    "surrogate, reset, refractory", [("full", 0.0, 0.0), ("full", -0.2, 3e-3), ("near", 0.0, 3e-3)]
)
@pytest.mark.parametrize("name", NEURONS)
def test_every_table(name, surrogate, reset, refractory):
    made = replace(table(name, refractory=refractory), reset=reset)
    net = network(made, *NEURONS[name][1:3], surrogate=SURROGATES[surrogate])
    assert error(net) < 1e-6


@pytest.mark.parametrize("name", SUBTRACT)
def test_reset_by_subtraction(name):
    net = network(replace(table(name), reset="subtract"), *NEURONS[name][1:3])
    assert error(net) < 1e-6


@pytest.mark.parametrize("shared, bounds", [("population", None), ("neuron", (-0.1, 1.6))])
@pytest.mark.parametrize(
    "name, reset", [(n, r) for n in NEURONS for r in (0.0, "subtract") if r == 0 or n in SUBTRACT]
)
def test_all_that_can_be_learned(name, shared, reset, bounds):
    """Time constants, jumps and thresholds together, away from where they began."""
    _, scale, receptors, names = NEURONS[name]
    made = replace(table(name), reset=reset)
    made = bs.bounded(made, *bounds) if bounds else made
    learn = dict.fromkeys([*names, "threshold"], shared)
    net = network(made, scale, receptors, learn=learn, bias=0.05 * SPREAD)
    rng = np.random.default_rng(0)
    for key, p in net.parameters.items():
        net.parameters[key] = p + rng.uniform(-0.1, 0.1, np.shape(p))
    assert {name for _, name in net.parameters} == {*learn, "bias"}
    assert error(net) < 1e-6


def of_each(name, refractory, **more):
    """A table of the registry in which everything that may be is one per neuron."""
    made = table(name, refractory=refractory)
    return replace(
        made,
        threshold=made.threshold * SPREAD,
        reset=0.2 * (SPREAD - 1),
        low=-SPREAD,
        high=1.5 + SPREAD,
        time_constants={k: v * SPREAD[::-1] for k, v in made.time_constants.items()},
        reversal={k: v * SPREAD for k, v in made.reversal.items()},
        spike_jumps={k: v * SPREAD for k, v in made.spike_jumps.items()},
        **more,
    )


@pytest.mark.parametrize("refractory", [0.0, REFRACTORY], ids=["not refractory", "refractory"])
@pytest.mark.parametrize("name", NEURONS)
def test_numbers_of_each_neuron(name, refractory):
    for reset in (0.2 * (SPREAD - 1), *(["subtract"] if name in SUBTRACT else [])):
        made = replace(of_each(name, refractory), reset=reset)
        _, scale, receptors, names = NEURONS[name]
        learn = dict.fromkeys(names, "neuron")
        net = network(made, scale, receptors, learn=learn, bias=0.1 * SPREAD)
        assert error(net) < 1e-6


def test_bounds_of_each_neuron_that_membranes_meet():
    low, high = -0.05 * SPREAD, 1 + 0.05 * SPREAD
    net = network(bs.bounded(bs.ei_lif(), low, high), 3.0, ("exc", "inh"), learn={"mem": "neuron"})
    star = bs.run(net, spikes(), record=["A.U_star"]).states["A.U_star"]
    assert np.mean(star == low) > 0.01 and np.mean(star == high) > 0.01
    assert error(net) < 1e-6


@pytest.mark.parametrize("integrator", ["exact", "exponential_euler", "euler"])
def test_delta_synapses_beside_currents(integrator):
    """Inputs by both, feedback onto U itself, and a readout that spikes reach at once."""
    made = mixed(integrator=integrator, refractory=2e-3)
    net = network(made, 1.0, ("exc", "delta"), recurrent="delta", delays=(DT, 0.0))
    direct = replace(bs.leaky_readout(integrator=integrator), states={"U": "mem", "I": "syn"})
    direct = replace(direct, receptors={"syn": bs.Receptor("U", 0.5, 0)})
    net.add(replace(net["out"], name="direct", neuron=direct))
    net.connect("A", "direct", delay=DT, weights=np.random.default_rng(0).normal(size=(5, 3)))
    assert error(net) < 1e-6

    def loss(trace):
        u = trace.states["direct.U"]
        return np.sum(u**2), {"direct.U": 2 * u}, None, {}

    assert gradcheck.relative_error(net, spikes(), loss) < 1e-6


# ------------------------------------------------------------ resets that are not differentiated


def differences(net, trains, currents, noise=False):
    """The largest difference of states and gradients from the naive reference, relative to the
    largest value.
    """
    names = [f"A.{state}" for state in net["A"].neuron.states]
    trace = bs.run(net, trains, record=[*names, "A.U_star"], currents=currents, tape=True, seed=7)
    grad = np.random.default_rng(6).normal(size=(3, trace.n_steps, 3))
    counts = np.random.default_rng(7).normal(size=(3, 5))
    grad[1], counts[1] = 0, 0
    got = bs.gradient(trace, states={"out.U": grad}, counts={"A": counts})
    dense, total, worst = bs.bin_spikes(trains, DT).dense(), dict.fromkeys(net.weights, 0.0), []
    assert trace.counts["A"].sum() > 3
    for b in (0, 2):
        given, one = {"input": dense[b]}, {"A": currents["A"][b]}
        ours = bs.bin_spikes(trace.spikes["A"][b], DT).dense()[0]
        drawn = {"drawn": {"A": ours}} if noise else {}
        expected = naive.run(net, given, one, **drawn)
        assert np.array_equal(ours, expected["spikes"]["A"])
        for name in names:
            value = expected["states"][tuple(name.split("."))]
            worst.append(np.abs(trace.states[name][b] - value).max() / np.abs(value).max())
        slopes = naive.gradient(
            net, given, expected, {("out", "U"): grad[b]}, {"A": counts[b]}, one
        )
        total = {name: total[name] + slopes["weights"][name] for name in total}
        worst.append(apart(got.currents["A"][b], slopes["currents"]["A"]))
    return max(worst + [apart(got.weights[name], value) for name, value in total.items()])


def apart(value, expected):
    """The largest difference, relative to the largest value."""
    return np.abs(value - expected).max() / max(1, np.abs(expected).max())


CURRENTS = {"A": np.random.default_rng(5).normal(0.2, 0.2, (3, 30, 5))}


@pytest.mark.parametrize(
    "refractory, surrogate", [(0.0, "full"), (REFRACTORY, "near")], ids=["plain", "refractory"]
)
@pytest.mark.parametrize("name", NEURONS)
def test_resets_that_are_not_differentiated(name, refractory, surrogate):
    """As training has it, against the naive adjoint: also of neurons that differ."""
    scale, receptors = NEURONS[name][1:3]
    net = network(of_each(name, refractory), scale, receptors, surrogate=SURROGATES[surrogate])
    assert differences(net, spikes(), CURRENTS) < 1e-10


@pytest.mark.parametrize("noise", [bs.SigmoidEscape(8.0), bs.ExponentialEscape(6.0, 300.0)])
@pytest.mark.parametrize("name", NEURONS)
def test_escape_noise(name, noise):
    """The adjoint is that of the spikes that were drawn, with the surrogate at U* - theta."""
    scale, receptors = NEURONS[name][1:3]
    for surrogate in SURROGATES.values():
        net = network(of_each(name, REFRACTORY), scale, receptors, surrogate=surrogate, noise=noise)
        assert differences(net, spikes(), CURRENTS, noise=True) < 1e-10


def test_no_gradient_through_the_reset_of_escape_noise():
    net = of_neuron("lif", noise=bs.SigmoidEscape(8.0))
    trace = bs.run(net, spikes(), tape=True)
    with pytest.raises(ValueError, match="There is no gradient through their reset"):
        bs.gradient(trace, counts={"A": np.ones((3, 5))}, differentiate_reset=True)
