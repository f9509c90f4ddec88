"""Trains and times that tests of the time grid share."""

import numpy as np

import biosnn as bs


def one_unit(times, duration):
    times = np.sort(np.asarray(times))
    return bs.SpikeTrains(times, np.zeros(times.size, int), [0, times.size], 1, duration)


def lonely(dt=1e-3, **options):
    net = bs.Network(dt)
    net.population(1, bs.lif(**options), name="A")
    return net


EVENT = np.dtype([("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", bool)])
