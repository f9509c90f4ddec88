"""Every public name with arguments that are right, on networks of a few neurons.

CALLS: name -> function of Objects that returns (function, arguments by name) or (function,
arguments, what to do with the result, so that descriptions meet what they are for). Objects
are made anew for every case.
"""

import numpy as np

import biosnn as bs

from .calls_of_data import DATA
from .calls_of_networks import NETWORKS
from .calls_of_neurons import NEURONS
from .calls_of_runs import RUNS
from .objects import Objects, shown  # noqa: F401

CALLS = NETWORKS | NEURONS | RUNS | DATA

CALLS_OF_BRIAN2 = {
    "brian.compare": lambda c: (
        bs.brian.compare,
        {
            "network": c.net,
            "spikes": c.spikes[:1],
            "record": ["E.U"],
            "currents": {"E": np.ones(3)},
            "progress": False,
            "against": None,
            "target": "numpy",
            "background": (),
            "initial": {"E.U": 0.1},
            "seed": 0,
        },
    ),
    "brian.to_brian2": lambda c: (
        bs.brian.to_brian2,
        {
            "network": c.net,
            "spikes": c.spikes[:1],
            "record": ["E.U"],
            "currents": {"E": np.ones(3)},
        },
    ),
    "brian.script": lambda c: (
        bs.brian.script,
        {
            "network": c.net,
            "spikes": c.spikes[:1],
            "path": str(c.folder / "script.py"),
            "currents": None,
        },
    ),
    "plot.comparison": lambda c: (
        bs.plot.comparison,
        {"report": c.comparison, "population": "E", "neuron": 0},
        shown,
    ),
}

#: Public names without a call of their own, and why.
LEFT_OUT = {
    "Simulation": "made by simulate",
    "History": "made by train",
    "Evaluation": "made by evaluate",
    "Constraint": "a protocol",
    "Loss": "a protocol",
    "Optimizer": "a protocol",
    "Regularizer": "a protocol",
    "Schedule": "a protocol",
    "RoundingWarning": "a warning",
    "UnitWarning": "a warning",
    "data.Task": "made by the tasks",
    "data.Events": "given to augmentations",
    **{
        f"data.Events.{name}": "called by augmentations (tests/data/test_augmentation.py)"
        for name in ("columns", "sizes", "moved", "replaced")
    },
    "data.TrialRandom": "given to augmentations",
    **{
        f"data.TrialRandom.{name}": "called by augmentations (tests/data/test_augmentation.py)"
        for name in ("each", "normal", "uniform", "random", "poisson")
    },
    "Augmentation": "a protocol",
    "stats.EIBalance": "made by ei_balance",
    "brian.BrianNetwork": "made by to_brian2",
    "brian.Comparison": "made by compare",
    "brian.Divergence": "made by compare",
    "brian.require_brian2": "takes nothing",
    "data.fetch_shd": "downloads",
    "brian": "a module",
    "interop": "a module",
    "data": "a module",
    "plot": "a module",
    "stats": "a module",
}
