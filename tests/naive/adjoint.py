"""The adjoint of one trial, step by step backwards, without a gradient through the reset."""

import numpy as np

from .cells import Cells
from .synapses import by_delay, shared


def gradient(network, inputs, result, grad_states, grad_counts=None, currents=None):
    """Gradients by weights and currents, from those by states and spike counts.

    result: of `run`, without trials. grad_states: (population, state) -> (T, n) dL/dstate at the
    end of each step; grad_counts: population -> (n,). Returns weight gradients by projection and
    current gradients by population. Inputs are among the spikes of the result.
    """
    return _Backward(network, result, grad_states, grad_counts or {}, currents or {}).go()


class _Backward:
    """One trial backwards."""

    def __init__(self, network, result, grad_states, grad_counts, currents):
        self.network, self.result, self.currents = network, result, currents
        self.grad_states, self.grad_counts = grad_states, grad_counts
        self.cells = {p.name: Cells(network, p) for p in network.spiking + network.readouts}
        self.steps = len(next(iter(result["u_star"].values())))
        self.weights = {p.name: by_delay(network, p) for p in network.projections}
        self.by_pair = {
            name: {delay: np.zeros(w.shape) for delay, w in weights.items()}
            for name, weights in self.weights.items()
        }
        # adjoint of the end of step n, and of what arrives at U before the reset; row -1 is spare
        self.lam, self.before_reset, self.grad_currents = {}, {}, {}
        for name, cells in self.cells.items():
            self.lam[name] = np.zeros((self.steps + 1, cells.n, len(cells.states)))
            self.before_reset[name] = np.zeros((self.steps, cells.n))
            self.grad_currents[name] = np.zeros((self.steps, cells.n))

    def go(self):
        """All steps, from the last to the first."""
        for (name, state), grad in self.grad_states.items():
            self.lam[name][: self.steps, :, self.cells[name].at(state)] += grad
        for n in range(self.steps - 1, -1, -1):
            for name in self.cells:
                self._undo_reset(name, n)
            grad_spike = self._of_spikes(n)
            for name in self.cells:
                self._undo_step(name, n, grad_spike.get(name, 0.0))
        by_weight = {
            p.name: shared(self.network, p, self.by_pair[p.name]) for p in self.network.projections
        }
        return {"weights": by_weight, "currents": self.grad_currents}

    def _undo_reset(self, name, n):
        """Forward: U = U + S (U_reset - U), or U -= theta S, of what is not clamped."""
        cells, d = self.cells[name], self.lam[name][n, :, 0].copy()
        if name in self.result["spikes"] and not cells.subtracts:
            d *= 1 - self.result["spikes"][name][n]
        d[self.result["clamped"][name][n]] = 0
        self.before_reset[name][n] = d

    def _of_spikes(self, n):
        """Population -> (n,) gradient by its spikes of step n; weights gather theirs."""
        grad_spike = {
            p.name: np.array(self.grad_counts.get(p.name, np.zeros(p.n)), float)
            for p in self.network.firing
        }
        for projection in self.network.projections:
            assert projection.plasticity is None
            for delay, matrix in self.weights[projection.name].items():
                if n + delay < self.steps:
                    arrived = self._arrived(projection, n + delay)
                    spikes = self.result["spikes"][projection.pre][n]
                    self.by_pair[projection.name][delay] += np.outer(spikes, arrived)
                    if projection.pre in grad_spike and projection.gradient_to_source:
                        grad_spike[projection.pre] += matrix @ arrived
        for p in reversed(self.network.pooling):
            np.add.at(grad_spike[p.source], self.result["winner"][p.name][n], grad_spike[p.name])
        for p in self.network.spiking:
            cells, m = self.cells[p.name], n + self.cells[p.name].jump_delay
            for state, jump in cells.jumps.items():
                if m < self.steps:
                    grad_spike[p.name] += jump * self.lam[p.name][m, :, cells.at(state)]
        return grad_spike

    def _arrived(self, projection, n):
        """(post,) gradient by what a projection brings at step n."""
        receptor = self.network[projection.post].neuron.receptors[projection.receptor]
        at = self.cells[projection.post].at(receptor.state)
        if at == 0:
            return receptor.jump * self.before_reset[projection.post][n]
        return receptor.jump * self.lam[projection.post][n, :, at]

    def _undo_step(self, name, n, grad_spike):
        """Forward: x* = M x + drive current, bounds, clamp, S = sigma(U* - theta)."""
        cells, population = self.cells[name], self.network[name]
        u, clamped = self.result["u_star"][name][n], self.result["clamped"][name][n]
        d = self.lam[name][n].copy()
        kept = np.where(clamped, d[:, 0], 0.0)
        d[:, 0] = self.before_reset[name][n]
        if population.kind == "spiking":
            slope = population.surrogate.derivative(u - cells.threshold)
            d[:, 0] += np.where(clamped, 0.0, grad_spike * slope)
        d[(u <= cells.low) | (u >= cells.high), 0] = 0
        matrix, drive = cells.slopes(*self._old(name, n))
        self.grad_currents[name][n] = np.sum(drive * d, axis=1)
        self.lam[name][n - 1] += np.einsum("isq,is->iq", matrix, d)
        self.lam[name][n - 1, :, 0] += kept

    def _old(self, name, n):
        """States before step n, and the current in it; None where the step is a matrix."""
        cells = self.cells[name]
        if cells.is_linear:
            return None, None
        x = self.result["start"][name]
        if n:
            x = np.stack([self.result["states"][name, s][n - 1] for s in cells.states], axis=1)
        current = cells.bias.copy()
        if name in self.currents:
            current = current + self.currents[name][n]
        return x, current
