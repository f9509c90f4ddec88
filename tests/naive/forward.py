"""One step of a network after the other, trial by trial."""

import numpy as np

from .cells import Cells
from .given import Batch
from .synapses import Wire, windows


def run(
    network,
    inputs=None,
    currents=None,
    smooth=False,
    held=None,
    *,
    noise=None,
    arrivals=None,
    initial=None,
    uniform=None,
    drawn=None,
    steps=None,
    trials=None,
    merge=True,
):
    """All trials of a network; every argument is optional, and arrays without the axis of trials
    (or any axis that broadcasts) serve all trials.

    inputs: SpikeTrains, or input -> SpikeTrains or counts (trial, step, unit).
    currents, noise: population -> (trial, step, neuron), added; noise is that of Current and
    Ornstein-Uhlenbeck sources.
    arrivals: pairs of a PoissonInput and its counts (trial, step, neuron).
    initial: state such as "E.U" -> a number, (n,) or (trial, n).
    held: population -> (trial, step, neuron) values at which U is held, NaN where it is free.
    uniform: population -> (trial, step, neuron); with escape noise S = u < probability.
    drawn: population -> (trial, step, neuron) the spikes of escape noise themselves.
    smooth: S = sigma(U* - theta), the smooth twin.
    steps, trials: where nothing else says how many.

    Returns a dict of dicts of arrays (trial, step, neuron), without the first axis where nothing
    had one. u_star, spikes, clamped: by population; states: by (population, state), at the end of
    each step; winner: by population that pools; weights: by projection that learns (trial,
    synapse); start: by population (trial, neuron, state).
    """
    given = {"inputs": inputs, "currents": currents, "noise": noise, "arrivals": arrivals}
    given |= {"initial": initial, "uniform": uniform, "drawn": drawn, "held": held}
    batch = Batch(network, steps, trials, merge, **given)
    cells = {p.name: Cells(network, p) for p in network.spiking + network.readouts}
    done = [Trial(network, cells, batch.trial(b), smooth).go() for b in range(batch.trials)]
    if not batch.has_trials:
        return done[0]
    return {
        what: {name: np.stack([one[what][name] for one in done]) for name in done[0][what]}
        for what in done[0]
    }


class Trial:
    """One trial: where it stands, and what it has done."""

    def __init__(self, network, cells, given, smooth):
        self.network, self.cells, self.given, self.smooth = network, cells, given, smooth
        self.x = {name: each.start() for name, each in cells.items()}
        for (name, state), values in given.initial.items():
            self.x[name][:, cells[name].at(state)] = values
        self.start = {name: x.copy() for name, x in self.x.items()}
        self.clock = {name: np.zeros(each.n, int) for name, each in cells.items()}
        self.wires = [Wire(network, projection) for projection in network.projections]
        sizes = {p.name: (given.steps, p.n) for p in network.populations}
        self.u_star = {name: np.zeros(sizes[name]) for name in cells}
        self.margin = {p.name: np.zeros(sizes[p.name]) for p in network.firing}
        self.clamped = {name: np.zeros(sizes[name], bool) for name in cells}
        self.spikes = {p.name: np.zeros(sizes[p.name]) for p in network.firing} | given.inputs
        self.winner = {p.name: np.zeros(sizes[p.name], int) for p in network.pooling}
        self.states = {
            (name, state): np.zeros(sizes[name])
            for name, each in cells.items()
            for state in each.states
        }

    def go(self):
        """All steps; what they were."""
        for n in range(self.given.steps):
            for name in self.cells:
                self._integrate(name, n)
            for p in self.network.spiking:
                self._spike(p, n)
            for p in self.network.pooling:
                self._pool(p, n)
            self._deliver(n)
            for p in self.network.spiking:
                self._reset(p, n)
                self._jump(p.name, n)
            for (name, state), values in self.states.items():
                values[n] = self.x[name][:, self.cells[name].at(state)]
        return {
            "u_star": self.u_star,
            "spikes": self.spikes,
            "clamped": self.clamped,
            "states": self.states,
            "winner": self.winner,
            "weights": {w.name: w.weights() for w in self.wires if w.learning},
            "start": self.start,
        }

    def _integrate(self, name, n):
        """x* = M x and what is not linear; bounds; a clamped neuron keeps its U."""
        cells, x, clock = self.cells[name], self.x[name], self.clock[name]
        hold = np.full(cells.n, np.nan)
        if name in self.given.held:
            hold = self.given.held[name][n]
        x[:, 0] = np.where(np.isnan(hold), x[:, 0], hold)
        current = cells.bias.copy()
        if name in self.given.currents:
            current = current + self.given.currents[name][n]
        new = cells.integrate(x, current)
        bounded = np.minimum(np.maximum(new[:, 0], cells.low), cells.high)
        clamped = (clock > 0) | ~np.isnan(hold)
        new[:, 0] = np.where(clamped, x[:, 0], bounded)
        self.clock[name] = np.maximum(clock - 1, 0)
        self.x[name], self.u_star[name][n], self.clamped[name][n] = new, new[:, 0], clamped

    def _spike(self, p, n):
        """S from the margin U* - theta, which is minus infinity for clamped neurons."""
        cells, clamped = self.cells[p.name], self.clamped[p.name][n]
        margin = np.where(clamped, -np.inf, self.u_star[p.name][n] - cells.threshold)
        if self.smooth:
            free = np.where(clamped, 0.0, margin)
            spikes = np.where(clamped, 0.0, p.surrogate.twin(free))
        elif p.name in self.given.drawn:
            spikes = self.given.drawn[p.name][n].astype(float)
            if spikes[clamped].any():
                raise ValueError(f"{p.name} was handed spikes of clamped neurons at step {n}")
        elif p.name in self.given.uniform:
            spikes = self.given.uniform[p.name][n] < cells.probability(p.noise, margin)
        elif p.noise:
            raise ValueError(f"{p.name} has escape noise: give uniform, or drawn")
        else:
            spikes = margin > 0
        self.margin[p.name][n], self.spikes[p.name][n] = margin, spikes
        crossed = margin > 0 if self.smooth else self.spikes[p.name][n] > 0
        self.clock[p.name][crossed] = cells.clamped_steps[crossed]

    def _pool(self, p, n):
        """The largest spike of a window; of equal ones, that with the largest margin."""
        spikes, margin = self.spikes[p.source][n], self.margin[p.source][n]
        for g, members in enumerate(windows(p.pooling)):
            chosen = max(members, key=lambda i: (spikes[i], margin[i]))
            self.winner[p.name][n, g] = chosen
            self.spikes[p.name][n, g] = spikes[chosen]
            self.margin[p.name][n, g] = margin[chosen]

    def _deliver(self, n):
        """What arrives at step n; what arrives at a clamped U is lost."""
        for name, state, size, counts in self.given.arrivals:
            self.x[name][:, self.cells[name].at(state)] += size * counts[n]
        for wire in self.wires:
            wire.emit(self.spikes[wire.pre][n], self.smooth)
            fired = self.spikes[wire.post][n] if wire.learning else None
            at = self.cells[wire.post].at(wire.state)
            self.x[wire.post][:, at] += wire.bring(n, fired)
        for name, clamped in self.clamped.items():
            self.x[name][clamped[n], 0] = self.u_star[name][n][clamped[n]]

    def _reset(self, p, n):
        """U = U + S (U_reset - U), or U -= theta S, with what delta synapses just brought."""
        cells, x, s = self.cells[p.name], self.x[p.name], self.spikes[p.name][n]
        x[:, 0] += -cells.threshold * s if cells.subtracts else s * (cells.reset - x[:, 0])

    def _jump(self, name, n):
        """What a neuron's own spikes of some steps ago add to its other states."""
        cells, m = self.cells[name], n - self.cells[name].jump_delay
        if m < 0:
            return
        for state, jump in cells.jumps.items():
            self.x[name][:, cells.at(state)] += jump * self.spikes[name][m]
