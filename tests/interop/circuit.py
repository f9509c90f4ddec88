"""A small circuit whose runs and simulations go on from earlier ones."""

from functools import cache

import numpy as np

import biosnn as bs

DT = 1e-3


@cache
def network():
    rng, net = np.random.default_rng(0), bs.Network(DT)
    x = net.input(6, name="x")
    E = net.population(8, bs.ei_lif(), "excitatory", name="E")
    I = net.population(3, bs.ei_lif(), "inhibitory", name="I")
    for pre, post in ((x, E), (x, I), (E, I), (E, E), (I, E)):
        net.connect(pre, post, delay=2e-3, weights=rng.exponential(0.5, (pre.n, post.n)))
    return net


@cache
def trace():
    """The second run of four trials with labels, with two of the neurons recorded."""
    spikes = bs.data.poisson(80.0, 6, 0.3, 4, seed=1, labels=[1, 0, 2, 1])
    first = bs.run(network(), spikes)
    return bs.run(network(), spikes, record={"E.U": [5, 2], "I.I_exc": None}, state=first.state)


@cache
def simulation():
    """The second part of a simulation, recorded every third step, whose spikes are in memory."""
    spikes = bs.data.poisson(80.0, 6, 0.25, 1, seed=2)
    options = dict(progress=False, threads=1)
    first = bs.simulate(network(), 0.25, spikes, **options)
    record = {"E.U": [5, 2]}
    return bs.simulate(
        network(), 0.25, spikes, record=record, every=3, state=first.state, **options
    )


def off_grid():
    """Spike trains of three trials with times of their own, and a silent unit."""
    trains = bs.data.poisson(30.0, 5, 0.4, 3, seed=3)
    return bs.SpikeTrains(trains.times, trains.units, trains.offsets, 6, 0.4, [2, 0, 1])


def assert_same_spikes(found, wanted):
    """Bit for bit, with numbers of units, durations and labels."""
    assert set(found) == set(wanted)
    for name in wanted:
        for part in ("times", "units", "offsets"):
            np.testing.assert_array_equal(getattr(found[name], part), getattr(wanted[name], part))
        assert found[name].n_units == wanted[name].n_units
        assert found[name].duration == wanted[name].duration
        np.testing.assert_array_equal(found[name].labels, wanted[name].labels)


def assert_same_states(recording, source, states):
    """Bit for bit, with their neurons and times. `states`: name -> (trial, time, neuron)."""
    assert set(recording.states) == set(states)
    for name, values in states.items():
        np.testing.assert_array_equal(recording.states[name], values)
        np.testing.assert_array_equal(recording.neurons[name], source.neurons[name])
