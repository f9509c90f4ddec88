"""Calls of encoders and point processes (registry.py)."""

import numpy as np

import biosnn as bs

from .objects import STEP


def _values():
    return np.linspace(0.05, 0.95, 8).reshape(2, 4)


def _signal():
    return np.linspace(0.0, 1.0, 40).reshape(2, 5, 4)


def _curves():
    return {"n": 4, "low": 0.0, "high": 1.0, "width": 0.3, "max_rate": 80.0, "min_rate": 1.0}


def _trains(**more):
    return {"n_units": 3, "duration": 0.1, "n_trials": 2, "seed": 0, "labels": [0, 1], **more}


ENCODING = {
    "encode.rate": lambda c: (
        bs.encode.rate,
        {
            "values": _values(),
            "duration": 0.2,
            "max_rate": 80.0,
            "min_rate": 1.0,
            "kind": "poisson",
            "seed": 0,
            "labels": [0, 1],
        },
    ),
    "encode.rate of signals": lambda c: (
        bs.encode.rate,
        {"values": _signal(), "dt": 0.01, "kind": "regular"},
    ),
    "encode.decode_rate": lambda c: (
        bs.encode.decode_rate,
        {"spikes": c.spikes, "dt": 5e-3, "max_rate": 80.0, "min_rate": 1.0},
    ),
    "encode.latency": lambda c: (
        bs.encode.latency,
        {
            "values": _values(),
            "duration": 0.1,
            "scale": "log",
            "first": 0.01,
            "threshold": 0.01,
            "tau": 0.02,
            "labels": [0, 1],
        },
    ),
    "encode.decode_latency": lambda c: (
        bs.encode.decode_latency,
        {"spikes": c.spikes, "scale": "log", "first": 0.0, "threshold": 0.01, "tau": 0.02},
        lambda c, found: None,  # NaN where the first spike is too early
    ),
    "encode.delta": lambda c: (
        bs.encode.delta,
        {"values": _signal(), "dt": STEP, "threshold": 0.1, "off": True, "labels": [0, 1]},
    ),
    "encode.level_crossing": lambda c: (
        bs.encode.level_crossing,
        {"values": _signal(), "dt": STEP, "spacing": 0.1, "labels": [0, 1]},
    ),
    "encode.decode_level_crossing": lambda c: (
        bs.encode.decode_level_crossing,
        {"spikes": c.spikes, "dt": STEP, "spacing": 0.1, "start": [0.0, 0.5]},
    ),
    "encode.population": lambda c: (
        bs.encode.population,
        {
            "values": _values(),
            "duration": 0.1,
            "kind": "poisson",
            "seed": 0,
            "labels": [0, 1],
            **_curves(),
        },
    ),
    "encode.decode_population": lambda c: (
        bs.encode.decode_population,
        {"spikes": c.spikes, "dt": 0.01, **_curves()},
        lambda c, found: None,  # NaN where a population is silent
    ),
    "data.gamma_process": lambda c: (bs.data.gamma_process, _trains(rates=20.0, shape=2.0)),
    "data.refractory_poisson": lambda c: (
        bs.data.refractory_poisson,
        _trains(rates=[5.0, 10.0, 20.0], dead_time=2e-3),
    ),
    "data.inhomogeneous_poisson": lambda c: (
        bs.data.inhomogeneous_poisson,
        _trains(rates=np.full((10, 3), 20.0), dt=0.01),
    ),
    "data.inhomogeneous_poisson of a function": lambda c: (
        bs.data.inhomogeneous_poisson,
        _trains(rates=lambda t: 20 + 10 * np.sin(t), max_rate=30.0),
    ),
    "data.correlated_poisson": lambda c: (
        bs.data.correlated_poisson,
        _trains(rate=20.0, correlation=0.2, kind="MIP", jitter=1e-3),
    ),
    "data.markov_modulated_poisson": lambda c: (
        bs.data.markov_modulated_poisson,
        _trains(rates=[1.0, 50.0], transitions=[[0.0, 5.0], [9.0, 0.0]], common=True),
    ),
}
