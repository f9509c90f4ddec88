"""What neurons do between spikes, and what their numbers are, one for each neuron."""

import numpy as np
from scipy.linalg import expm


def each(value, n):
    """A number of the description as one number for each of n neurons."""
    return np.array(np.broadcast_to(np.asarray(value, float), n))


def _of_neuron(value, i):
    """Number i of one for each neuron, or that of all."""
    return float(np.asarray(value, float).ravel()[i if np.ndim(value) else 0])


def step_matrix(neuron, dt, i=0, time_constants=None):
    """M and the gain of a current, for neuron i of a population, state by state from the
    differential equations.
    """
    names = list(neuron.states)
    taus = time_constants or neuron.time_constants
    tau = [_of_neuron(taus[name], i) for name in neuron.states.values()]
    gains = np.zeros((len(names), len(names)))
    for (state, other), gain in neuron.gains.items():
        gains[names.index(state), names.index(other)] = _of_neuron(gain, i)
    if neuron.integrator == "exact":
        return _exact_step(gains, tau, dt)
    n = len(names)
    matrix, drive = np.zeros((n, n)), np.zeros(n)
    for s in range(n):
        decay = 1 - dt / tau[s] if neuron.integrator == "euler" else np.exp(-dt / tau[s])
        matrix[s] = (1 - decay) * gains[s]
        matrix[s, s] += decay
        if s == 0:
            drive[s] = 1 - decay
    return matrix, drive


def _exact_step(gains, tau, dt):
    """The matrix exponential; the current is one more state, which is constant."""
    n = len(gains)
    a = np.zeros((n + 1, n + 1))
    for s in range(n):
        a[s, :n] = gains[s] / tau[s]
        a[s, s] -= 1 / tau[s]
    a[0, n] = 1 / tau[0]
    m = expm(a * dt)
    return m[:n, :n], m[:n, n]


class Cells:
    """The neurons of a population: their numbers, and a step between spikes."""

    def __init__(self, network, population):
        neuron, n, self.dt = population.neuron, population.n, network.dt
        self.name, self.n, self.states = population.name, n, list(neuron.states)
        taus = network.time_constants(population)
        alike = not any(np.ndim(value) for value in [*taus.values(), *neuron.gains.values()])
        steps = [step_matrix(neuron, network.dt, i, taus) for i in range(1 if alike else n)]
        steps = steps * n if alike else steps
        self.matrix = np.array([matrix for matrix, _ in steps])  # (neuron, state, other state)
        self.drive = np.array([drive for _, drive in steps])  # (neuron, state)
        self.rate = network.dt / each(taus[neuron.states[self.states[0]]], n)
        self.initial, self.bias = each(population.initial, n), each(network.bias(population), n)
        self.reversal = {state: each(e, n) for state, e in neuron.reversal.items()}
        self.magnesium = getattr(neuron, "magnesium", None) or {}
        self.nonlinear = neuron.nonlinear_drive
        self.low, self.high = each(neuron.low, n), each(neuron.high, n)
        self._read_spikes(network, population)

    def _read_spikes(self, network, population):
        """Threshold, reset, refractoriness and jumps."""
        neuron, n = population.neuron, population.n
        self.threshold = each(neuron.threshold, n)
        if "threshold" in population.learn:
            self.threshold = self.threshold + network.parameters[population.name, "threshold"]
        self.subtracts = isinstance(neuron.reset, str)
        self.reset = None if self.subtracts else each(neuron.reset, n)
        refractory = np.floor(each(neuron.refractory, n) / network.dt + 1e-3).astype(int)
        self.clamped_steps = np.maximum(refractory - 1, 0)
        self.jump_delay = int(neuron.jump_delay / network.dt + 0.5)
        factor = 1.0
        if "jump" in population.learn:
            factor = np.exp(network.parameters[population.name, "jump"])
        self.jumps = {state: each(jump * factor, n) for state, jump in neuron.spike_jumps.items()}

    @property
    def is_linear(self):
        """Whether a step is a matrix."""
        return not self.reversal and self.nonlinear is None

    def at(self, state):
        """Which column of x a state is."""
        return self.states.index(state)

    def start(self):
        """(neuron, state) U as the population says, all else 0."""
        x = np.zeros((self.n, len(self.states)))
        x[:, 0] = self.initial
        return x

    def integrate(self, x, current):
        """(neuron, state) after a step from x, before bounds and threshold. x may be complex."""
        new = np.einsum("isq,iq->is", self.matrix, x) + self.drive * current[:, None]
        if self.reversal:
            new[:, 0] = self._conduct(x, current)
        if self.nonlinear is not None:
            new[:, 0] = new[:, 0] + self._nonlinear_drive(x[:, 0])
        return new

    def _conduct(self, x, current):
        """U relaxes to U_inf while the conductances are held."""
        u, total, inflow = x[:, 0], 1.0, current
        for state, potential in self.reversal.items():
            g = x[:, self.at(state)]
            if state in self.magnesium:
                eta, gamma = self.magnesium[state]
                g = g / (1 + eta * np.exp(-gamma * u))
            total = total + g
            inflow = inflow + g * potential
        limit = inflow / total
        return limit + (u - limit) * np.exp(-self.rate * total)

    def _nonlinear_drive(self, u):
        """dt / tau_mem (square U^2 + constant + slope exp((U - onset) / slope))."""
        square, constant = self.nonlinear.square, self.nonlinear.constant
        slope, onset = self.nonlinear.slope, self.nonlinear.onset
        exponential = slope * np.exp((u - onset) / slope) if slope else 0.0
        return self.rate * (square * u**2 + constant + exponential)

    def slopes(self, x, current):
        """Derivatives of `integrate` (neuron, state, other state) by the old states and (neuron,
        state) by the current, by a complex step: exact to rounding.
        """
        if self.is_linear:
            return self.matrix, self.drive
        by_state, tiny = np.zeros_like(self.matrix), 1e-20
        for k in range(len(self.states)):
            shifted = x.astype(complex)
            shifted[:, k] += 1j * tiny
            by_state[:, :, k] = self.integrate(shifted, current).imag / tiny
        return by_state, self.integrate(x + 0j, current + 1j * tiny).imag / tiny

    def probability(self, noise, margin):
        """(neuron,) of a spike by escape noise; 0 where the margin is minus infinity."""
        hazard = np.exp(noise.steepness * margin)
        if hasattr(noise, "rate"):
            return 1 - np.exp(-self.dt * noise.rate * hazard)
        return hazard / (1 + hazard)
