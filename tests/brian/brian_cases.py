"""Networks and checks of agreement that tests beside Brian2 share."""

import copy
import io
import runpy
import sys
from contextlib import redirect_stdout

import numpy as np

import biosnn as bs


def one(neuron, dt=1e-3, seed=0):
    rng, net = np.random.default_rng(seed), bs.Network(dt)
    x, a = net.input(20), net.population(3, neuron, name="A")
    net.connect(x, a, receptor="exc", weights=rng.exponential(0.35, (20, 3)))
    net.connect(a, a, receptor="inh", delay=2e-3, weights=rng.exponential(0.3, (3, 3)))
    net.connect(a, net.readout(2), delay=3e-3, weights=rng.normal(size=(3, 2)))
    return net


def agree(report, tolerance=1e-12):
    assert report.identical and report.divergence is None, str(report)
    assert all(ours == theirs and ours > 0 for ours, theirs in report.spike_counts.values())
    for name, (difference, scale) in report.states.items():
        assert difference <= tolerance * scale, (name, difference, scale)


def circuit():
    net = bs.Network(2e-3)
    e, i = bs.dalian_layer(
        net,
        net.input(100),
        32,
        8,
        neuron=bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=15e-3, refractory=4e-3),
        delay=4e-3,
    )
    net.connect(e, net.readout(3))
    bs.fluctuation_driven(net, assumed_rates=10.0, closed_loop=False, seed=3)
    return net


def changed(net, **weights):
    other = copy.copy(net)
    other.weights = net.weights | weights
    return other


def printed_by(path, *arguments):
    """What a program for Brian2 prints, run in this process: a new one imports for seconds.

    That programs need nothing of it is shown by
    test_circuits.py::test_script_of_a_trained_network_runs_alone.
    """
    from brian2 import defaultclock

    step, words, text = defaultclock.dt, sys.argv, io.StringIO()
    try:
        sys.argv = [str(path), *map(str, arguments)]
        with redirect_stdout(text):
            runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv, defaultclock.dt = words, step
    return text.getvalue()
