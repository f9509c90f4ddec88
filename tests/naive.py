"""Slow, obvious references, written from the equations alone. They read a network's description,
never its packed arrays.
"""

import numpy as np
from scipy.linalg import expm


def step_matrix(neuron, dt, i=0, time_constants=None):
    """M and the gain of a current, for neuron i of a population, state by state from the
    differential equations.
    """
    names = list(neuron.states)
    taus = time_constants or neuron.time_constants
    tau = [
        float(np.atleast_1d(taus[t])[i if np.ndim(taus[t]) else 0]) for t in neuron.states.values()
    ]
    n = len(names)
    if neuron.integrator != "exact":
        matrix, drive = np.zeros((n, n)), np.zeros(n)
        for s in range(n):
            decay = (
                np.exp(-dt / tau[s])
                if neuron.integrator == "exponential_euler"
                else 1 - dt / tau[s]
            )
            matrix[s, s] = decay
            for q in range(n):
                matrix[s, q] += (1 - decay) * neuron.gains.get((names[s], names[q]), 0.0)
        drive[0] = (
            1 - np.exp(-dt / tau[0]) if neuron.integrator == "exponential_euler" else dt / tau[0]
        )
        return matrix, drive
    a = np.zeros((n + 1, n + 1))
    for s in range(n):
        a[s, s] = -1 / tau[s]
        for q in range(n):
            a[s, q] += neuron.gains.get((names[s], names[q]), 0.0) / tau[s]
    a[0, n] = 1 / tau[0]
    m = expm(a * dt)
    return m[:n, :n], m[:n, n]


def conductance_step(neuron, dt, x, current, i, time_constants):
    """U of neuron i after a step from its states x, in which the conductances are held."""
    total, inflow = 1.0, current
    for state, potential in neuron.reversal.items():
        g = x[list(neuron.states).index(state)]
        total, inflow = total + g, inflow + g * potential
    tau = float(np.atleast_1d(time_constants["mem"])[i if np.ndim(time_constants["mem"]) else 0])
    return inflow / total + (x[0] - inflow / total) * np.exp(-dt * total / tau)


def conductance_slopes(neuron, dt, x, current, i, time_constants):
    """Derivatives of `conductance_step` by each state and by the current, by a complex step (exact
    to rounding).
    """
    slopes = []
    for k in range(len(x) + 1):
        shift = 1e-20j * np.eye(len(x) + 1)[k]
        slopes.append(
            conductance_step(
                neuron, dt, x + shift[:-1], current + shift[-1], i, time_constants
            ).imag
            / 1e-20
        )
    return np.array(slopes[:-1]), slopes[-1]


def jumps(network, population):
    """State -> what a spike adds to it."""
    factor = (
        np.exp(network.parameters[population.name, "jump"]) if "jump" in population.learn else 1.0
    )
    return {state: jump * factor for state, jump in population.neuron.spike_jumps.items()}


def by_delay(network, projection):
    """Delay in steps -> weights (pre, post) of the synapses with that delay."""
    j, i, w, d = network.indices(projection)
    steps, result = np.rint(d / network.dt).astype(int), {}
    for delay in np.unique(steps):
        result[int(delay)] = np.zeros((network[projection.pre].n, network[projection.post].n))
        np.add.at(
            result[int(delay)],
            (j[steps == delay], i[steps == delay]),
            w[steps == delay].astype(float),
        )
    return result


def shared(network, projection, by_pair):
    """Gradient by the weights, from the gradients by delay and pair: each synapse adds to the
    weight that it has.
    """
    j, i, _, d = network.indices(projection)
    total, synapses = (
        np.zeros(np.shape(network.weights[projection.name])),
        network.synapses.get(projection.name),
    )
    at = np.arange(j.size) if total.ndim else np.zeros(j.size, int)
    if synapses is not None and synapses.weight_index is not None:
        at = synapses.weight_index
    for s in range(j.size):
        total.reshape(-1)[at[s]] += by_pair[int(np.rint(d[s] / network.dt))][j[s], i[s]]
    return total


def windows(pooling):
    """The neurons of each window, unit by unit."""
    channels, *lengths = pooling.shape
    neuron = np.arange(np.prod(pooling.shape)).reshape(pooling.shape)
    for c in range(channels):
        for corner in np.ndindex(
            *[(n - k) // s + 1 for n, k, s in zip(lengths, pooling.size, pooling.stride)]
        ):
            yield neuron[c][
                tuple(
                    slice(y * s, y * s + k) for y, k, s in zip(corner, pooling.size, pooling.stride)
                )
            ].ravel()


def run(network, inputs, currents=None, smooth=False, held=None):
    """DESIGN section 2, one trial. inputs: name -> (step, unit) counts. held: population -> (T, n)
    values at which U is held, NaN where it is free. Returns a dict of arrays (step, ...).

    U_star, spikes, clamped: population -> (T, n); states: (population, state) -> (T, n) at the end
    of each step.
    """
    steps = len(next(iter(inputs.values()))) if inputs else len(next(iter(currents.values())))
    populations = network.spiking + network.readouts
    matrices = {
        p.name: [
            step_matrix(p.neuron, network.dt, i, network.time_constants(p)) for i in range(p.n)
        ]
        for p in populations
    }
    x = {p.name: np.zeros((p.n, len(p.neuron.states))) for p in populations}
    for p in populations:
        x[p.name][:, 0] = p.initial
    clock = {p.name: np.zeros(p.n, int) for p in populations}
    u_star = {p.name: np.zeros((steps, p.n)) for p in populations}
    clamped = {p.name: np.zeros((steps, p.n), bool) for p in populations}
    emitted = {p.name: np.zeros((steps, p.n)) for p in populations} | dict(inputs)
    states = {(p.name, s): np.zeros((steps, p.n)) for p in populations for s in p.neuron.states}
    emitted |= {p.name: np.zeros((steps, p.n)) for p in network.pooling}
    winner = {p.name: np.zeros((steps, p.n), int) for p in network.pooling}
    for n in range(steps):
        for p in populations:
            for i in range(p.n):
                matrix, drive = matrices[p.name][i]
                hold = held[p.name][n, i] if held and p.name in held else np.nan
                if not np.isnan(hold):
                    x[p.name][i, 0] = hold
                old, before = x[p.name][i].copy(), x[p.name][i, 0]
                current = network.bias(p)[i] + (
                    currents[p.name][n, i] if currents and p.name in currents else 0.0
                )
                x[p.name][i] = matrix @ old + drive * current
                if p.neuron.reversal:
                    x[p.name][i, 0] = conductance_step(
                        p.neuron, network.dt, old, current, i, network.time_constants(p)
                    )
                x[p.name][i, 0] = min(max(x[p.name][i, 0], p.neuron.low), p.neuron.high)
                if clock[p.name][i] > 0:
                    clock[p.name][i] -= 1
                    clamped[p.name][n, i] = True
                    x[p.name][i, 0] = before
                if not np.isnan(hold):
                    clamped[p.name][n, i] = True
                    x[p.name][i, 0] = hold
            u_star[p.name][n] = x[p.name][:, 0]
            if p.kind == "spiking":
                margin = u_star[p.name][n] - p.neuron.threshold
                value = p.surrogate.twin(margin) if smooth else (margin > 0).astype(float)
                emitted[p.name][n] = np.where(clamped[p.name][n], 0, value)
        margin = {
            p.name: np.where(clamped[p.name][n], -np.inf, u_star[p.name][n] - p.neuron.threshold)
            for p in network.spiking
        }
        for p in (
            network.pooling
        ):  # the largest spike of a window and, of equal ones, that with the largest margin
            for g, members in enumerate(windows(p.pooling)):
                chosen = max(members, key=lambda i: (emitted[p.source][n, i], margin[p.source][i]))
                winner[p.name][n, g], emitted[p.name][n, g] = (
                    chosen,
                    max(emitted[p.source][n, members]),
                )
            margin[p.name] = margin[p.source][winner[p.name][n]]
        for projection in network.projections:
            for delay, matrix in by_delay(network, projection).items():
                if n >= delay:
                    post = network[projection.post]
                    receptor = post.neuron.receptors[projection.receptor]
                    x[post.name][:, list(post.neuron.states).index(receptor.state)] += (
                        receptor.jump * (emitted[projection.pre][n - delay] @ matrix)
                    )
        for p in network.spiking:
            s, u = emitted[p.name][n], x[p.name][:, 0]
            x[p.name][:, 0] = (
                u - p.neuron.threshold * s
                if p.neuron.reset == "subtract"
                else u + s * (p.neuron.reset - u)
            )
            crossed = (u_star[p.name][n] > p.neuron.threshold) & ~clamped[p.name][n]
            clock[p.name][crossed] = max(0, int(p.neuron.refractory / network.dt + 0.5) - 1)
            m = n - int(p.neuron.jump_delay / network.dt + 0.5)
            for state, jump in jumps(network, p).items():
                x[p.name][:, list(p.neuron.states).index(state)] += (
                    jump * emitted[p.name][m] if m >= 0 else 0
                )
        for p in populations:
            for k, s in enumerate(p.neuron.states):
                states[p.name, s][n] = x[p.name][:, k]
    return {
        "u_star": u_star,
        "spikes": emitted,
        "clamped": clamped,
        "states": states,
        "winner": winner,
    }


def gradient(network, inputs, result, grad_states, grad_counts=None, currents=None):
    """DESIGN section 4, one trial, no gradient through the reset.

    grad_states: (population, state) -> (T, n) dL/dstate at the end of each step; grad_counts:
    population -> (n,). Returns weight gradients by projection and current gradients by population.
    """
    populations = network.spiking + network.readouts
    steps = len(next(iter(result["u_star"].values())))
    lam = {
        p.name: np.zeros((steps + 1, p.n, len(p.neuron.states))) for p in populations
    }  # adjoint of the end of step n
    by_pair = {
        p.name: {delay: np.zeros(w.shape) for delay, w in by_delay(network, p).items()}
        for p in network.projections
    }
    grad_currents = {p.name: np.zeros((steps, p.n)) for p in populations}
    for n in range(steps - 1, -1, -1):
        for p in populations:
            for k, s in enumerate(p.neuron.states):
                lam[p.name][n, :, k] += grad_states.get((p.name, s), np.zeros((steps, p.n)))[n]
        grad_spike = {
            p.name: np.zeros(p.n)
            if grad_counts is None or p.name not in grad_counts
            else grad_counts[p.name].copy()
            for p in network.spiking + network.pooling
        }
        for projection in network.projections:
            for delay, matrix in by_delay(network, projection).items():
                if n + delay < steps:
                    post = network[projection.post]
                    receptor = post.neuron.receptors[projection.receptor]
                    arrived = (
                        receptor.jump
                        * lam[post.name][
                            n + delay, :, list(post.neuron.states).index(receptor.state)
                        ]
                    )
                    by_pair[projection.name][delay] += np.outer(
                        result["spikes"][projection.pre][n], arrived
                    )
                    if projection.pre in grad_spike and projection.gradient_to_source:
                        grad_spike[projection.pre] += matrix @ arrived
        for p in reversed(network.pooling):
            np.add.at(grad_spike[p.source], result["winner"][p.name][n], grad_spike[p.name])
        for p in network.spiking:
            m = n + int(p.neuron.jump_delay / network.dt + 0.5)
            for state, jump in jumps(network, p).items():
                grad_spike[p.name] += (
                    jump * lam[p.name][m, :, list(p.neuron.states).index(state)] if m < steps else 0
                )
        for p in populations:
            d = lam[p.name][n].copy()
            if p.kind == "spiking":
                s, free = result["spikes"][p.name][n], ~result["clamped"][p.name][n]
                if p.neuron.reset != "subtract":
                    d[:, 0] *= 1 - s
                margin = result["u_star"][p.name][n] - p.neuron.threshold
                d[:, 0] += np.where(free, grad_spike[p.name] * p.surrogate.derivative(margin), 0)
                u = result["u_star"][p.name][n]
                d[free & ((u <= p.neuron.low) | (u >= p.neuron.high)), 0] = 0
            for i in range(p.n):
                matrix, drive = step_matrix(p.neuron, network.dt, i, network.time_constants(p))
                kept, row = 0.0, d[i].copy()
                if result["clamped"][p.name][n, i]:
                    kept, row[0] = row[0], 0.0
                if p.neuron.reversal:
                    old = (
                        [result["states"][p.name, s][n - 1, i] for s in p.neuron.states]
                        if n
                        else [p.initial] + [0.0] * (len(p.neuron.states) - 1)
                    )
                    current = currents[p.name][n, i] if currents and p.name in currents else 0.0
                    matrix = matrix.copy()
                    matrix[0], drive[0] = conductance_slopes(
                        p.neuron, network.dt, np.array(old), current, i, network.time_constants(p)
                    )
                grad_currents[p.name][n, i] = drive @ row
                before = matrix.T @ row
                before[0] += kept
                lam[p.name][n - 1, i] += before  # n = 0 writes the spare last row
    grad_weights = {p.name: shared(network, p, by_pair[p.name]) for p in network.projections}
    return {"weights": grad_weights, "currents": grad_currents}
