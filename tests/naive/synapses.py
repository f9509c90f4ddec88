"""What spikes do through projections: weights by delay, pooling, plasticity."""

import numpy as np


def by_delay(network, projection):
    """Delay in steps -> weights (pre, post) of the synapses with that delay."""
    j, i, w, d = network.indices(projection)
    steps, result = np.rint(d / network.dt).astype(int), {}
    for delay in np.unique(steps):
        weights = np.zeros((network[projection.pre].n, network[projection.post].n))
        mine = steps == delay
        np.add.at(weights, (j[mine], i[mine]), w[mine].astype(float))
        result[int(delay)] = weights
    return result


def shared(network, projection, by_pair):
    """Gradient by the weights, from the gradients by delay and pair: each synapse adds to the
    weight that it has.
    """
    j, i, _, d = network.indices(projection)
    total = np.zeros(np.shape(network.weights[projection.name]))
    synapses = network.synapses.get(projection.name)
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
    corners = [(n - k) // s + 1 for n, k, s in zip(lengths, pooling.size, pooling.stride)]
    for c in range(channels):
        for corner in np.ndindex(*corners):
            window = tuple(
                slice(y * s, y * s + k) for y, k, s in zip(corner, pooling.size, pooling.stride)
            )
            yield neuron[c][window].ravel()


class Resources:
    """Tsodyks-Markram: u and x of every presynaptic neuron, advanced step by step."""

    def __init__(self, rule, dt, n):
        self.rule, self.dt, self.u, self.x = rule, dt, np.zeros(n), np.ones(n)

    def step(self, spikes, whole):
        """(pre,) releases of the spikes of a step. whole: they are counts, of one spike each;
        otherwise values of the smooth twin.
        """
        if self.rule.tau_facil:
            self.u = self.u * np.exp(-self.dt / self.rule.tau_facil)
        self.x = 1 - (1 - self.x) * np.exp(-self.dt / self.rule.tau_rec)
        if not whole:
            return self._use(spikes)
        released, left = np.zeros_like(self.x), np.array(spikes, float)
        while left.any():
            one = np.minimum(left, 1)
            released, left = released + self._use(one), left - one
        return released

    def _use(self, s):
        """(pre,) what S spikes release."""
        before, use = self.u if self.rule.tau_facil else 0.0, self.rule.utilization
        released = (before + use * (1 - before)) * self.x * s
        self.u = before + use * (1 - before) * s
        self.x = self.x - released
        return released


class Learning:
    """Inhibitory plasticity of one projection, synapse by synapse."""

    def __init__(self, network, projection):
        self.rule, self.dt = projection.plasticity, network.dt
        self.j, self.i, w, d = network.indices(projection)
        self.w = np.array(w, float)
        self.delay = int(np.rint(d[0] / network.dt)) if d.size else 0
        self.pre = np.zeros(network[projection.pre].n)
        self.post = np.zeros(network[projection.post].n)

    def step(self, arriving, fired):
        """(post,) what the spikes bring that arrive, (pre,) counts; then those of targets act."""
        rule, brought = self.rule, np.zeros_like(self.post)
        self.pre *= np.exp(-self.dt / rule.tau)
        self.post *= np.exp(-self.dt / rule.tau)
        alpha = 2 * rule.target_rate * rule.tau
        for j in np.repeat(np.arange(self.pre.size), np.asarray(arriving, int)):
            self.pre[j] += 1
            mine = np.flatnonzero(self.j == j)
            self._change(mine, self.post[self.i[mine]] - alpha)
            np.add.at(brought, self.i[mine], self.w[mine])
        for i in np.flatnonzero(fired):
            self.post[i] += 1
            mine = np.flatnonzero(self.i == i)
            self._change(mine, self.pre[self.j[mine]])
        return brought

    def _change(self, synapses, by):
        """w += eta times something, within 0 and w_max."""
        w = self.w[synapses] + self.rule.eta * by
        self.w[synapses] = np.minimum(np.maximum(w, 0), self.rule.w_max)


class Wire:
    """A projection in one trial: what it brings at each step."""

    def __init__(self, network, projection):
        self.pre, self.post = projection.pre, projection.post
        self.source_is_input = network[projection.pre].kind == "input"
        receptor = network[projection.post].neuron.receptors[projection.receptor]
        self.state, self.jump = receptor.state, receptor.jump
        self.name, self.synapses = projection.name, network.synapses.get(projection.name)
        rule = projection.plasticity
        self.learning = Learning(network, projection) if hasattr(rule, "target_rate") else None
        self.by_delay = {} if self.learning else by_delay(network, projection)
        self.resources = None
        if hasattr(rule, "utilization"):
            self.resources = Resources(rule, network.dt, network[projection.pre].n)
        self.released = []

    def emit(self, spikes, smooth):
        """Take the spikes (pre,) of a step: what they release travels."""
        if self.resources is not None:
            spikes = self.resources.step(spikes, whole=self.source_is_input or not smooth)
        self.released.append(np.array(spikes, float))

    def bring(self, n, fired):
        """(post,) what arrives at step n. fired: (post,) which targets spike at n."""
        if self.learning:
            m = n - self.learning.delay
            arriving = self.released[m] if m >= 0 else np.zeros(self.learning.pre.size)
            return self.jump * self.learning.step(arriving, fired)
        brought = 0.0
        for delay, weights in self.by_delay.items():
            if n >= delay:
                brought = brought + self.released[n - delay] @ weights
        return self.jump * brought

    def weights(self):
        """The weights that it has learned, in the order of the network's."""
        return self.synapses.in_order_of_weights(self.learning.w)
