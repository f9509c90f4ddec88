"""Small circuits with every kind of projection."""

import numpy as np

import biosnn as bs

DT = 1e-3


def spikes(n_units=8, n_trials=2, duration=0.03, seed=3, rate=100.0):
    return bs.data.poisson(
        rate, n_units, duration, n_trials, seed=seed, labels=np.arange(n_trials) % 3
    )


def loss(trace):
    readout = trace.states["out.U"]
    value, grad = bs.MaxOverTimeCrossEntropy().value_and_gradient(readout, trace.labels, None)
    return value, {"out.U": grad}, {}, {}
