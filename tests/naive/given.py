"""What is given to a run, as plain arrays for each trial."""

from dataclasses import dataclass, field

import numpy as np

import biosnn as bs


def handed_over(background, realizations):
    """Arguments of `run` for a background as numbers.

    realizations: of `biosnn.engine.realization.realize`, one, or a list of one for each trial.
    Counts of a PoissonInput and currents alone are taken from them; weights and receptors are read
    from the background.
    """
    several = isinstance(realizations, list | tuple)
    rows = list(realizations) if several else [realizations]
    poisson = [source for source in background if isinstance(source, bs.PoissonInput)]
    arrivals = []
    for k, source in enumerate(poisson):
        counts = np.stack([row.arrivals[k].counts for row in rows])
        arrivals.append((source, counts if several else counts[0]))
    noise = {}
    for name in rows[0].currents:
        values = np.stack([row.currents[name] for row in rows])
        noise[name] = values if several else values[0]
    return {"arrivals": arrivals, "noise": noise}


@dataclass
class Given:
    """What is given to one trial. Arrays are (step, neuron)."""

    steps: int
    inputs: dict = field(default_factory=dict)
    currents: dict = field(default_factory=dict)
    arrivals: list = field(default_factory=list)  # (population, state, weight times jump, counts)
    initial: dict = field(default_factory=dict)  # (population, state) -> (n,)
    uniform: dict = field(default_factory=dict)
    drawn: dict = field(default_factory=dict)
    held: dict = field(default_factory=dict)


class Batch:
    """What is given to all trials: `trial(b)` is that of one."""

    def __init__(self, network, steps, trials, merge, **arguments):
        self.network, self.arguments = network, {k: v or {} for k, v in arguments.items()}
        self.arguments["inputs"] = self._inputs(arguments["inputs"], merge)
        dense = ("inputs", "currents", "noise", "uniform", "drawn", "held")
        arrays = [array for name in dense for array in self.arguments[name].values()]
        arrays += [counts for _, counts in self.arguments["arrivals"]]
        several = [len(a) for a in arrays if np.ndim(a) == 3]
        self.has_trials = bool(several) or trials is not None
        self.trials = trials or max(several, default=1)
        self.steps = steps or max(np.shape(a)[-2] for a in arrays)

    def _inputs(self, inputs, merge):
        """Input -> counts; SpikeTrains become (trial, step, unit)."""
        if isinstance(inputs, bs.SpikeTrains):
            inputs = {self.network.inputs[0].name: inputs}
        dense = {}
        for name, given in (inputs or {}).items():
            if isinstance(given, bs.SpikeTrains):
                given = bs.bin_spikes(given, self.network.dt, merge=merge).dense()
            dense[name] = np.asarray(given, float)
        return dense

    def trial(self, b):
        """What is given to trial b."""
        given = Given(self.steps)
        for p in self.network.inputs:
            given.inputs[p.name] = np.zeros((self.steps, p.n))
            if p.name in self.arguments["inputs"]:
                counts = self.arguments["inputs"][p.name]
                counts = (counts if counts.ndim == 2 else counts[b])[: self.steps]
                given.inputs[p.name][: len(counts)] = counts
        for name in ("currents", "noise"):
            for population, values in self.arguments[name].items():
                total = given.currents.get(population, 0.0)
                given.currents[population] = total + self._of(population, values, b)
        for name in ("uniform", "drawn", "held"):
            for population, values in self.arguments[name].items():
                getattr(given, name)[population] = self._of(population, values, b)
        given.arrivals = [self._arriving(*pair, b) for pair in self.arguments["arrivals"]]
        for name, values in self.arguments["initial"].items():
            population, _, state = name.partition(".")
            values = values[b] if np.ndim(values) == 2 else values
            given.initial[population, state] = values
        return given

    def _of(self, population, values, b):
        """(step, neuron) the values of trial b."""
        shape = (self.trials, self.steps, self.network[population].n)
        return np.broadcast_to(values, shape)[b]

    def _arriving(self, source, counts, b):
        """Where the events of a PoissonInput arrive, what each of them adds, and how many."""
        population = self.network[getattr(source.population, "name", source.population)]
        receptors = population.neuron.receptors
        name = source.receptor or ("exc" if "exc" in receptors else "syn")
        size = source.weight * receptors[name].jump
        return population.name, receptors[name].state, size, self._of(population.name, counts, b)
