"""Every feature, with a small circuit that has it."""

from dataclasses import dataclass, field

import numpy as np

import biosnn as bs

from . import without
from .circuits import MODELS, Circuit

#: Use -> heading of its column.
USES = {
    "simulate": "`simulate`",
    "run": "`run`",
    "gradient": "`gradient`",
    "brian": "`brian`",
    "initializer": "`fluctuation_driven`",
    "theory": "`regime`",
}


@dataclass(frozen=True)
class Feature:
    """A row of the matrix.

    without: use -> why it makes no sense there. checks: use -> name of a function of special.py
    that tests it, in place of the common one.
    """

    name: str
    group: str
    circuit: Circuit
    without: dict = field(default_factory=dict)
    checks: dict = field(default_factory=dict)


def spread(n, low=0.9, high=1.1):
    """One number for each of n neurons."""
    return np.linspace(low, high, n)


def _ei(**numbers):
    """A table of ei_lif; functions of n are called with it."""
    return lambda n: bs.ei_lif(
        **{name: each(n) if callable(each) else each for name, each in numbers.items()}
    )


def _models():
    """All neuron models, and integrators."""
    group = "Neuron models"
    for name in MODELS:
        nmda = {"joined": lambda n: {"receptor": "nmda"}, "gain": 0.1} if name == "nmda_lif" else {}
        shown = "a table of one's own (`Neuron`)" if name == "own" else f"`{name}`"
        yield Feature(shown, group, Circuit(name, **nmda))
    for method in ("exponential_euler", "euler"):
        circuit = Circuit(neuron=_ei(integrator=method))
        yield Feature(f'`integrator="{method}"`', group, circuit)


def _numbers():
    """What may differ from neuron to neuron."""
    group = "A number of its own for every neuron"
    for name, circuit in {
        "thresholds": Circuit(neuron=_ei(threshold=spread)),
        "resets": Circuit(neuron=_ei(reset=lambda n: spread(n, -0.3, 0.2))),
        "refractory periods": Circuit(neuron=_ei(refractory=lambda n: np.arange(n) % 4 * 1e-3)),
        "bounds": Circuit(
            neuron=lambda n: bs.bounded(bs.ei_lif(), spread(n, -1.2, -0.8), spread(n, 1.5, 2.5))
        ),
        "time constants": Circuit(
            neuron=_ei(tau_mem=lambda n: 20e-3 * spread(n), tau_exc=lambda n: 5e-3 * spread(n))
        ),
        "jumps": Circuit(
            "adaptive_lif",
            neuron=lambda n: bs.adaptive_lif(jump=0.1 * spread(n, 0.5, 1.5)),
        ),
        "reversal potentials": Circuit(
            "conductance_lif",
            neuron=lambda n: MODELS["conductance_lif"].make(reversal_exc=6.0 * spread(n)),
        ),
    }.items():
        yield Feature(name, group, circuit)


def _learned():
    """What training may change, moved away from the table."""
    group = "Learned numbers"
    for name, learn, value, model in (
        ("time constants", {"mem": "neuron", "exc": "population"}, 0.2, "ei_lif"),
        ("thresholds", {"threshold": "neuron"}, 0.1, "ei_lif"),
        ("jumps", {"jump": "population"}, 0.3, "adaptive_lif"),
    ):
        circuit = Circuit(
            model,
            population=lambda n, learn=learn: {"learn": learn},
            learned=dict.fromkeys(learn, value),
        )
        yield Feature(name, group, circuit)
    biased = Circuit(population=lambda n: {"bias": 0.2 * spread(n)})
    yield Feature("biases", group, biased)


def _spikes():
    """Threshold, reset, and what a spike does."""
    group = "Spikes"
    noisy = Circuit(population=lambda n: {"noise": bs.SigmoidEscape(20.0)})
    checks = {"gradient": "of_what_was_run"}  # the smooth twin has no noise
    yield Feature("escape noise", group, noisy, checks=checks)
    for name, circuit in {
        "reset by subtraction": Circuit(neuron=_ei(reset="subtract")),
        "refractoriness": Circuit(neuron=_ei(refractory=4e-3)),
        "bounds of the membrane": Circuit(neuron=lambda n: bs.bounded(bs.ei_lif(), -1.0, 2.0)),
        "jumps of adaptation with a delay": Circuit(
            "ei_adaptive_lif", neuron=lambda n: bs.ei_adaptive_lif(jump=0.1, jump_delay=3e-3)
        ),
        "units that pool spikes": Circuit(pooled=True),
    }.items():
        yield Feature(name, group, circuit)
    for name, circuit in {
        "gradients through the reset": Circuit(neuron=_ei(reset=-0.2)),
        "gradients through the reset, with escape noise": noisy,
    }.items():
        yield Feature(name, group, circuit, without.of_gradients, {"gradient": "through_the_reset"})


def _projections():
    """Kinds of projections, delays, and what training does with them."""
    group = "Projections"
    delays = bs.Uniform(0, 8e-3)
    for name, options in {
        "dense": {},
        "sparse": {"synapses": bs.Bernoulli(0.5)},
        "one to one": {"synapses": bs.OneToOne()},
        "a convolution": None,
        "no delay": {"delay": 0.0},
        "a delay for every synapse": {"synapses": bs.Bernoulli(1.0), "delay": delays},
        "a delay for every synapse, sparse": {"synapses": bs.FixedInDegree(3), "delay": delays},
        "frozen": {"frozen": True},
        "no gradient to the source": {"gradient_to_source": False},
    }.items():
        circuit = Circuit(
            joined=lambda n, options=options: dict(_kernels(n) if options is None else options)
        )
        checks = {"gradient": "of_what_was_run"} if name == "no gradient to the source" else {}
        yield Feature(name, group, circuit, checks=checks)


def _kernels(n):
    """A convolution of a population with itself."""
    return {"synapses": bs.Convolution((1, n), 1, 3, padding="same"), "shared": True}


def _plasticity():
    """Synapses that change."""
    group = "Plasticity"
    for name, circuit in {
        "`TsodyksMarkram`": Circuit(
            joined=lambda n: {"plasticity": bs.TsodyksMarkram(0.4, 0.1, 0.05)}, gain=2.0
        ),
        "`SaturatingGating`": Circuit(
            "nmda_lif",
            joined=lambda n: {"plasticity": bs.SaturatingGating(), "receptor": "nmda"},
            gain=0.1,
        ),
        "`InhibitorySTDP`": Circuit(
            inhibition=lambda n: {
                "plasticity": bs.InhibitorySTDP(0.02, 8.0, w_max=5.0),
                "synapses": bs.Bernoulli(1.0),
            }
        ),
    }.items():
        yield Feature(name, group, circuit)


def _backgrounds():
    """Sources, and what their values may depend on."""
    group = "Background"
    times, two = np.array([0.0, 0.05]), np.array([[0.3], [0.5]])
    cases = {
        "constant": lambda n: 0.3,
        "for every neuron": lambda n: 0.3 * spread(n, 0.5, 1.5),
        "over time": lambda n: (times, np.array([0.2, 0.4])),
        "for every trial": lambda n: two,
    }
    for kind in ("PoissonInput", "Current", "OrnsteinUhlenbeck"):
        for how, values in cases.items():
            if kind == "OrnsteinUhlenbeck" and how == "over time":
                continue
            circuit = Circuit(background=lambda n, k=kind, v=values: [_source(k, v(n))])
            words = without.of_trials if how == "for every trial" else {}
            yield Feature(f"`{kind}`, {how}", group, circuit, words)


def _source(kind, values):
    """A source with some values."""
    if kind == "PoissonInput":
        scaled = (values[0], 400 * values[1]) if isinstance(values, tuple) else 400 * values
        return bs.PoissonInput("E", scaled, 0.3)
    if kind == "Current":
        return bs.Current("E", values)
    return bs.OrnsteinUhlenbeck("E", values, 0.3, 5e-3)


def _starts():
    """Initial states, and currents that are injected."""
    group = "Initial states and currents"
    for name, values, words in (
        ("a number", lambda n: 0.4, without.of_starts),
        ("for every neuron", lambda n: spread(n, 0.0, 0.8), without.of_starts),
        ("a distribution", lambda n: bs.Normal(0.4, 0.2), without.of_starts),
        ("for every trial", lambda n: np.outer([0.2, 0.8], np.ones(n)), without.of_trial_starts),
    ):
        circuit = Circuit(initial=lambda n, v=values: {"E.U": v(n), "E.I_exc": 0.1})
        yield Feature(f"`initial`: {name}", group, circuit, words)
    for name, shape in (("over time", (1, -1, 1)), ("for every trial", (2, -1, 1))):
        circuit = Circuit(
            currents=lambda n, steps, shape=shape: {
                "E": np.random.default_rng(4).uniform(0, 0.6, (shape[0], steps, n))
            }
        )
        yield Feature(f"`currents`, {name}", group, circuit, without.of_currents)


def _runs():
    """What is asked of a run."""
    group = "Runs"
    plain = Circuit()
    for name, check in {
        "`record` of states, chosen neurons": "chosen",
        '`record` of "mean" and `Means`': "means",
        "moments over time": "moments",
        "every k-th step": "every",
        "`state`: a run goes on": "goes_on",
    }.items():
        words = dict(without.of_runs)
        uses = ["run", "simulate"]
        if check == "goes_on":
            uses.append("gradient")
            del words["gradient"]
        if check == "moments":
            words["simulate"] = without.NO_MOMENTS
        if check == "every":
            words["run"] = without.NO_EVERY
        checks = {use: f"{check}_by_{use}" for use in uses if use not in words}
        yield Feature(name, group, plain, words, checks)
    for name, of in {
        "`perturb.Stimulate`": lambda n: bs.perturb.Stimulate("E", 0.5, start=0.02, stop=0.05),
        "`perturb.Silence`, whole run": lambda n: bs.perturb.Silence("I", neurons=[1, 3]),
        "`perturb.Clamp`, a part of the run": lambda n: bs.perturb.Clamp(
            "E", 0.5, neurons=[0, 2], start=0.02, stop=0.05
        ),
        "`perturb.Lesion`": lambda n: bs.perturb.Lesion("E", neurons=[1]),
        "`perturb.Scale`": lambda n: bs.perturb.Scale("EE", 0.5),
    }.items():
        circuit = Circuit(options=lambda n, of=of: {"perturbations": [of(n)]})
        words = dict(without.of_perturbations)
        if "Silence" in name or "Clamp" in name:
            words["brian"] = without.NO_HOLDS
        checks = {"gradient": "of_what_was_run"} if "Scale" in name or "Lesion" in name else {}
        if "Stimulate" in name:
            checks["gradient"] = "stimulated"
        yield Feature(name, group, circuit, words, checks)
    unequal = Circuit(trains=shortened)
    yield Feature("trials of unequal length", group, unequal, without.of_unequal)
    several = Circuit(options=lambda n: {"merge": False}, trains=crowded)
    yield Feature(
        "several spikes of an input in a step (`merge=False`)", group, several, without.of_merge
    )


def shortened(trains):
    """The same trials, of which every second ends earlier."""
    n, ends = len(trains), np.full(len(trains), trains.duration)
    ends[1::2] *= 2 / 3
    trial = np.repeat(np.arange(n), np.diff(trains.offsets))
    kept = trains.times < ends[trial]
    events = trains.times[kept], trains.units[kept], trial[kept]
    return bs.SpikeTrains.from_events(
        *events, n_trials=n, n_units=trains.n_units, ends=ends, labels=trains.labels
    )


def crowded(trains):
    """The same trials, with every spike twice."""
    trial = np.repeat(np.arange(len(trains)), np.diff(trains.offsets))
    events = [np.repeat(part, 2) for part in (trains.times, trains.units, trial)]
    return bs.SpikeTrains.from_events(
        *events,
        n_trials=len(trains),
        n_units=trains.n_units,
        duration=trains.duration,
        labels=trains.labels,
    )


FEATURES = [
    *_models(),
    *_numbers(),
    *_learned(),
    *_spikes(),
    *_projections(),
    *_plasticity(),
    *_backgrounds(),
    *_starts(),
    *_runs(),
]
