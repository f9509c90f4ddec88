"""Gradients of short-term plasticity, delays of synapses, backgrounds, and runs that go on, against
the smooth twin; windows of truncated gradients.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs
from tests import gradcheck
from tests.kernels import features
from tests.kernels.circuit import DT
from tests.kernels.features import (
    NEURONS,
    PLASTICITY,
    RULES,
    SURROGATES,
    error,
    network,
    of_neuron,
    own_delays,
    spikes,
    table,
)


def plastic(rule, what, place="both", **more):
    """The circuit with short-term plasticity of inputs, of feedback, or of both."""
    given = PLASTICITY[what]
    at = {"input": (given, None), "feedback": (None, given), "both": (given, given)}[place]
    options = {"rule": RULES[rule], "plasticity": at} | more
    if what == "gating":
        neuron = bs.nmda_lif(threshold=1.0, unit=20e-3, reset=0.0, reversal_exc=3.5, refractory=0.0)
        scale = 20.0 if rule in ("one to one", "pairs twice") else 4.0
        return network(neuron, scale, ("nmda",), **options)
    return network(table("ei_lif"), 8.0, **options)


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("what", PLASTICITY)
@pytest.mark.parametrize("rule", RULES)
def test_short_term_plasticity(rule, what, surrogate):
    delays = (0.0, 2e-3) if surrogate == "full" else (DT, 0.0)
    net = plastic(rule, what, surrogate=SURROGATES[surrogate], delays=delays)
    assert error(net) < 1e-6


@pytest.mark.parametrize("place", ["input", "feedback"])
def test_short_term_plasticity_of_some(place):
    for rule in ("dense", "sparse"):
        assert error(plastic(rule, "facilitation", place)) < 1e-6


@pytest.mark.parametrize("what", [None, *PLASTICITY])
@pytest.mark.parametrize("rule", ["sparse", "one to one", "pairs twice"])
def test_delays_of_synapses(rule, what):
    """A delay of its own for every synapse: of none, and with short-term plasticity."""
    for surrogate, delays in zip(SURROGATES.values(), [(own_delays,) * 2, (DT, own_delays)]):
        if what is None:
            net = network(
                table("ei_lif"), 6.0, rule=RULES[rule], delays=delays, surrogate=surrogate
            )
        else:
            net = plastic(rule, what, delays=delays, surrogate=surrogate)
        assert np.ptp(net.synapses["feedback"].delay) > 0
        assert error(net) < 1e-6


@pytest.mark.parametrize("name", NEURONS)
def test_short_term_plasticity_onto_every_table(name):
    scale, receptors = NEURONS[name][1:3]
    rule = PLASTICITY["facilitation"]
    net = network(table(name, refractory=2e-3), 5 * scale, receptors, plasticity=(rule, rule))
    assert error(net) < 1e-6


def test_inhibitory_plasticity_has_no_gradient():
    net = bs.Network(DT, np.float64)
    x, a = net.input(5, sign="inhibitory"), net.population(5, bs.ei_lif())
    rule = bs.InhibitorySTDP(0.01, 5.0)
    net.connect(x, a, weights=0.1, synapses=bs.Bernoulli(1.0), seed=1, plasticity=rule)
    with pytest.raises(ValueError, match="a batch of trials has one set of weights"):
        bs.run(net, spikes(), tape=True)


# ------------------------------------------------------------------------------------- background

PER_TRIAL = np.array([0.5, 1.0, 1.5])[:, None]
TIMES = [0.0, 7e-3, 20e-3]
PIECES = np.array([1.0, 0.2, 1.6])


def backgrounds(receptor, weight):
    """Name -> sources that are constant, of each neuron, in pieces, of each trial."""
    shapes = {
        "constant": 1.0,
        "of each neuron": np.linspace(0.5, 1.5, 5),
        "in pieces": (TIMES, PIECES),
        "in pieces of each neuron": (TIMES, PIECES[:, None] * np.linspace(0.5, 1.5, 5)),
        "of each trial": PER_TRIAL,
        "of each trial in pieces": (TIMES, PIECES[:, None] * PER_TRIAL[:, None]),
    }

    def times(factor, value):
        return (value[0], factor * value[1]) if isinstance(value, tuple) else factor * value

    return {
        name: [
            bs.PoissonInput("A", times(400.0, value), weight, receptor),
            bs.Current("A", times(0.3, value)),
            bs.OrnsteinUhlenbeck("A", 0.1, 0.3, 5e-3),
        ]
        for name, value in shapes.items()
    }


@pytest.mark.parametrize("name", ["ei_lif", "mixed", "nmda_lif", "adex"])
@pytest.mark.parametrize("shape", backgrounds("exc", 0.1))
def test_backgrounds(name, shape):
    """Noise is a constant for the gradient; biases and injected currents have one beside it."""
    _, scale, receptors, names = NEURONS[name]
    learn = dict.fromkeys(names, "neuron")
    net = network(table(name), scale / 3, receptors, bias=np.linspace(0, 0.2, 5), learn=learn)
    source = backgrounds(receptors[-1] if name == "mixed" else "exc", scale / 6)[shape]
    currents = {"A": np.random.default_rng(0).normal(0.2, 0.3, (3, features.STEPS, 5))}
    initial = {"A.U": bs.Uniform(0.0, 0.6), "out.U": np.linspace(-0.2, 0.2, 9).reshape(3, 3)}
    assert error(net, background=source, currents=currents, initial=initial) < 1e-6


def test_noise_of_each_trial():
    net = of_neuron("ei_lif")
    noise = [bs.OrnsteinUhlenbeck("A", PER_TRIAL * 0.2, PER_TRIAL * 0.4, 5e-3)]
    assert error(net, background=noise) < 1e-6


def test_biases_beside_conductances():
    for name in ("conductance_lif", "alpha_conductance_lif", "nmda_lif"):
        net = of_neuron(name, bias=np.linspace(-0.2, 0.5, 5), learn={"mem": "population"})
        assert set(net.parameters) == {("A", "bias"), ("A", "mem")}
        assert error(net) < 1e-6


# --------------------------------------------------------------------------------- runs that go on

HALVES = (slice(0, 30), slice(30, 60))
GOING_ON = {
    "plain": lambda: network(table("ei_lif", refractory=3e-3), 2.0),
    "delta": lambda: of_neuron("lif_delta", options={"refractory": 4e-3}),
    "adex": lambda: of_neuron("adex"),
    "nmda": lambda: of_neuron("nmda_lif"),
    **{
        f"{what}, {rule}": lambda what=what, rule=rule: plastic(rule, what, delays=(4e-3, 2e-3))
        for what, rule in itertools.product(PLASTICITY, ("dense", "sparse"))
    },
    "own delays": lambda: plastic("sparse", "facilitation", delays=(own_delays, own_delays)),
}


@pytest.mark.parametrize("what", [what for what in GOING_ON if what != "own delays"])
def test_from_where_another_run_ended(what):
    """Spikes on their way, resources and clamped neurons count; they are constants."""
    net = GOING_ON[what]()
    source = [bs.OrnsteinUhlenbeck("A", 0.2, 0.3, 5e-3), bs.PoissonInput("A", 200.0, 0.2)]
    if what.startswith(("nmda", "gating")):
        source = source[:1]
    before = gradcheck.twin(net, spikes(seed=8), background=source).state
    later = spikes(seed=2)
    found = gradcheck.relative_error(net, later, features.loss, state=before, background=source)
    assert found < 1e-6
    on = gradcheck.twin(net, later, state=before, background=source)
    afresh = gradcheck.twin(net, later, background=source)
    assert np.abs(on.states["A.U"] - afresh.states["A.U"]).max() > 1e-3


@pytest.mark.parametrize("what", GOING_ON)
def test_two_runs_have_the_gradient_of_two_windows(what):
    """Spikes on their way count for weights, also of synapses with delays of their own."""
    net, rng = GOING_ON[what](), np.random.default_rng(4)
    dense, slopes = rng.random((3, 60, 5)) < 0.2, rng.normal(size=(3, 60, 3))
    trains = [bs.SpikeTrains.from_dense(dense[:, s], DT) for s in HALVES]
    whole = bs.run(net, bs.SpikeTrains.from_dense(dense, DT), tape=True)
    expected = bs.gradient(whole, states={"out.U": slopes}, truncate=30 * DT).weights
    first = bs.run(net, trains[0], tape=True)
    second = bs.run(net, trains[1], tape=True, state=first.state)
    np.testing.assert_array_equal(second.states["out.U"], whole.states["out.U"][:, 30:])
    found = [
        bs.gradient(trace, states={"out.U": slopes[:, half]}).weights
        for trace, half in zip((first, second), HALVES)
    ]
    for name, value in expected.items():
        assert np.any(found[1][name])
        both = found[0][name] + found[1][name]
        np.testing.assert_allclose(both, value, rtol=0, atol=1e-12 * np.abs(value).max())


# ----------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize("rule", ["dense", "sparse"])
@pytest.mark.parametrize("what", PLASTICITY)
def test_no_gradient_leaves_a_window(what, rule):
    """Linear in the derivatives of the loss: in a window the gradient is that of the loss there.

    What resources of a later window owe to spikes of an earlier one is left out, too.
    """
    net = plastic(rule, what, delays=(0.0, DT))
    currents = {"A": np.full((3, 30, 5), 0.3)}
    trace = bs.run(net, spikes(), currents=currents, tape=True)
    grad = np.random.default_rng(0).normal(size=(3, 30, 3))

    def current(slopes, **more):
        return bs.gradient(trace, states={"out.U": slopes}, **more).currents["A"]

    got, whole = current(grad, truncate=7e-3), current(grad)
    for first in range(0, 30, 7):
        window, alone = slice(first, first + 7), np.zeros_like(grad)
        alone[:, window] = grad[:, window]
        expected = current(alone)[:, window]
        np.testing.assert_allclose(got[:, window], expected, atol=1e-12 * np.abs(whole).max())
    assert not np.allclose(got, whole, rtol=0.05, atol=1e-3 * np.abs(whole).max())
    np.testing.assert_array_equal(current(grad, truncate=1.0), whole)


@pytest.mark.parametrize("what", PLASTICITY)
def test_near_lists_with_short_term_plasticity(what):
    """A surrogate that ends, by lists of the neurons near threshold, and neuron by neuron."""
    for rule, differentiate in itertools.product(("dense", "sparse"), (False, True)):
        net = plastic(rule, what, surrogate=bs.TruncatedSuperSpike(3, 0.4))
        trace = bs.run(net, spikes(), tape=True)
        packed, drive, recording, tables = trace.tape
        assert recording.near.units.size
        near = recording.near._replace(units=recording.near.units[:0])
        everywhere = recording._replace(near=near)
        full = replace(trace, tape=(packed, drive, everywhere, tables))
        start = {
            "states": {"out.U": np.random.default_rng(0).normal(size=(3, 30, 3))},
            "differentiate_reset": differentiate,
        }
        listed, each = (bs.gradient(t, **start).weights for t in (trace, full))
        for name, expected in each.items():
            np.testing.assert_allclose(listed[name], expected, rtol=1e-11, atol=1e-13)
            assert np.any(expected)
