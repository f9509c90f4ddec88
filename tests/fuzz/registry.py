"""Every public name with arguments that are right, on networks of a few neurons.

CALLS: name -> function of Objects that returns (function, arguments by name) or (function,
arguments, what to do with the result, so that descriptions meet what they are for). Objects
are made anew for every case.
"""

import numpy as np

import biosnn as bs

from .calls_after_training import AFTER_TRAINING
from .calls_of_data import DATA
from .calls_of_encoding import ENCODING
from .calls_of_experiments import EXPERIMENTS
from .calls_of_interop import INTEROP, WITHOUT
from .calls_of_networks import NETWORKS
from .calls_of_neurons import NEURONS
from .calls_of_perturbations import PERTURBATIONS
from .calls_of_runs import RUNS
from .calls_of_signals import MADE, SIGNALS
from .calls_of_space import SPACE
from .calls_of_theory import THEORY
from .objects import Objects, shown  # noqa: F401

CALLS = (
    AFTER_TRAINING
    | DATA
    | ENCODING
    | EXPERIMENTS
    | INTEROP
    | NETWORKS
    | NEURONS
    | PERTURBATIONS
    | RUNS
    | SIGNALS
    | SPACE
    | THEORY
)

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
    **MADE,
    "Audit": "made by audit",
    "Epoch": "made by train",
    "Evaluation": "made by evaluate",
    "Gradients": "made by gradient",
    "History": "made by train",
    "History.to_frame": "takes nothing",
    "Predictions": "made by predict",
    "InitializerReport": "made by fluctuation_driven",
    "Population": "made by networks",
    "Population.known_states": "called by messages",
    "PopulationRegime": "made by regime",
    "PopulationReport": "made by fluctuation_driven",
    "Projection": "made by networks",
    "Projection.delay_text": "takes nothing",
    "Regime": "made by regime",
    "Simulation": "made by simulate",
    "State": "made by run and simulate",
    "Surrogate": "what surrogates derive from",
    "Synapses": "made by connect",
    **{
        f"Synapses.{name}": "called by networks, with weights that they have checked"
        for name in ("in_order_of_weights", "squares", "weight_of_each", "weight_places")
    },
    **{
        f"Synapses.{name}": "called by simulate, with ranges of synapses"
        for name in ("delays_of", "in_memory", "onto", "row_parts")
    },
    **{
        f"{rule}.draws": "called by connect, which has the populations"
        for rule in ("Bernoulli", "FixedInDegree", "FixedOutDegree", "FixedTotal")
    },
    "Trace": "made by run",
    "Network.all_or_nothing": "takes nothing",
    "Neuron.states_text": "takes nothing",
    **{
        f"Neuron.{name}": "called by networks, with their time step"
        for name in ("jump_delay_steps", "refractory_steps", "warn_if_rounded")
    },
    "Augmentation": "a protocol",
    "Constraint": "a protocol",
    "Distribution": "a protocol",
    "Loss": "a protocol",
    "Optimizer": "a protocol",
    "Regularizer": "a protocol",
    "Rule": "a protocol",
    "Schedule": "a protocol",
    "families.Family": "a protocol",
    **{
        f"perturb.{name}": "called by run and audit"
        for name in (
            "LesionSynapses.onto",
            "Rewire.onto",
            "Rewire.text",
            "Scale.onto",
            "Scale.text",
        )
    },
    "space.Profile": "a base",
    "RoundingWarning": "a warning",
    "UnitWarning": "a warning",
    "experiments.Point": "made by sweep",
    "experiments.Sweep": "made by sweep",
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
    "theory.FixedPoint": "made by fixed_point",
    "theory.Input.scaled": "called by membrane",
    **{f"theory.Moments.{name}": "called by reports" for name in ("but", "line", "moved", "rows")},
    "stats.EIBalance": "made by ei_balance",
    "brian.BrianNetwork": "made by to_brian2",
    "brian.Comparison": "made by compare",
    "brian.Divergence": "made by compare",
    "brian.require_brian2": "takes nothing",
    "data.fetch_shd": "downloads",
    **WITHOUT,
}
