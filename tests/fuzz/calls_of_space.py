"""Calls of networks in space: positions, rules and functions of distance (registry.py)."""

import numpy as np

import biosnn as bs

from .objects import STEP, shown

SIDE = 1e-3


def _sheet():
    return bs.space.torus((2, 3), SIDE)


def _network():
    net = bs.Network(STEP)
    net.population(6, bs.ei_lif(), "excitatory", name="E", positions=_sheet())
    return net


def placed(c, positions):
    """Positions as those of a population that is connected by distance."""
    net = bs.Network(STEP)
    E = net.population(positions.n, bs.ei_lif(), "excitatory", name="E", positions=positions)
    rule = bs.space.FixedInDegree(1, bs.space.Gaussian(SIDE))
    net.connect(E, E, synapses=rule, weights=0.1, seed=1)
    return bs.space.distances(net, "E->E"), repr(positions)


def wires(c, rule):
    """A rule in a network."""
    net = _network()
    net.connect("E", "E", synapses=rule, weights=0.1, seed=1)
    return net.indices("E->E")


def by_distance(c, profile):
    """A function of distance as a weight."""
    net = _network()
    net.connect("E", "E", synapses=bs.OneToOne(), weights=profile)
    return net.weights["E->E"]


def delays(c, profile):
    """A function of distance as a delay."""
    net = _network()
    net.connect("E", "E", synapses=bs.FixedInDegree(2), weights=0.1, delay=profile, seed=1)
    return net.indices("E->E")


def _connected():
    net = _network()
    net.connect("E", "E", synapses=bs.FixedInDegree(2), weights=0.1, seed=1)
    return net


SPACE = {
    "plot.positions": lambda c: (
        bs.plot.positions,
        {"network": _network(), "values": {"E": np.arange(6)}, "width": 8.5},
        shown,
    ),
    "space.Positions": lambda c: (
        bs.space.Positions,
        {"coordinates": np.eye(3, 2) * 1e-4, "extent": SIDE, "periodic": False},
        placed,
    ),
    "space.Positions.in_words": lambda c: (_sheet().in_words, {}),
    "space.grid": lambda c: (
        bs.space.grid,
        {"shape": (2, 3), "extent": (SIDE, SIDE), "periodic": True},
        placed,
    ),
    "space.random": lambda c: (
        bs.space.random,
        {"n": 6, "extent": (SIDE, SIDE), "periodic": False, "seed": 1},
        placed,
    ),
    "space.ring": lambda c: (bs.space.ring, {"n": 6, "length": SIDE}, placed),
    "space.torus": lambda c: (bs.space.torus, {"shape": (2, 3), "extent": SIDE}, placed),
    "space.distances": lambda c: (
        bs.space.distances,
        {"network": _connected(), "projection": "E->E"},
    ),
    "space.Gaussian": lambda c: (
        bs.space.Gaussian,
        {"sigma": 2e-4, "peak": 0.5, "radius": np.inf, "wrapped": True},
        by_distance,
    ),
    "space.Exponential": lambda c: (
        bs.space.Exponential,
        {"scale": 2e-4, "peak": 0.5, "radius": SIDE},
        by_distance,
    ),
    "space.Box": lambda c: (bs.space.Box, {"radius": 2e-4, "peak": 0.5}, by_distance),
    "space.OfDistance": lambda c: (
        bs.space.OfDistance,
        {"function": lambda d: np.exp(-d / SIDE)},
        by_distance,
    ),
    "space.Conduction": lambda c: (
        bs.space.Conduction,
        {"velocity": 0.3, "offset": STEP},
        delays,
    ),
    "space.Bernoulli": lambda c: (
        bs.space.Bernoulli,
        {"p": bs.space.Gaussian(4e-4, peak=0.5), "self_connections": True},
        wires,
    ),
    "space.FixedInDegree": lambda c: (
        bs.space.FixedInDegree,
        {
            "k": 2,
            "profile": bs.space.Gaussian(4e-4),
            "self_connections": True,
            "multiple": True,
        },
        wires,
    ),
    "space.FixedOutDegree": lambda c: (
        bs.space.FixedOutDegree,
        {
            "k": 2,
            "profile": bs.space.Exponential(4e-4),
            "self_connections": True,
            "multiple": True,
        },
        wires,
    ),
}
