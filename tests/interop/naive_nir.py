"""Forward Euler of a graph of NIR, node by node from its equations. A spike is 1 for one step."""

import numpy as np

LEAKY = ("LI", "LIF", "CubaLI", "CubaLIF")


class Naive:
    """States and delay lines of all nodes.

    Each step: membranes move by the currents of the step before and meet the threshold; then
    currents, and membranes on which spikes act directly, take the spikes of this step.
    """

    def __init__(self, graph, dt):
        self.graph, self.dt = graph, dt
        self.kind = {name: type(node).__name__ for name, node in graph.nodes.items()}
        self.before = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
        n = {k: np.prod(node.output_type["output"]) for k, node in graph.nodes.items()}
        self.v = {k: np.zeros(n[k]) for k, kind in self.kind.items() if kind in LEAKY}
        self.i = {k: np.zeros(n[k]) for k in self.v if self.kind[k].startswith("Cuba")}
        self.spikes = {k: np.zeros(n[k]) for k in graph.nodes}
        self.lines = {k: [] for k, kind in self.kind.items() if kind == "Delay"}

    def signal(self, name, part):
        """What leaves a node: `part` of it that is made of "spikes" or of old "currents"."""
        node, kind = self.graph.nodes[name], self.kind[name]
        if kind in ("Input", "LIF", "CubaLIF"):
            return self.spikes[name] * (part == "spikes")
        if kind in ("LI", "CubaLI"):
            return self.old[name] * (part == "currents")
        if kind == "Delay":
            steps = np.rint(node.delay / self.dt).astype(int)
            line = self.lines[name]
            late = [line[-1 - d][k] if d < len(line) else 0.0 for k, d in enumerate(steps)]
            return np.array(late) * (part == "spikes")
        given = self.arriving(name, part)
        if kind == "Scale":
            return node.scale * given
        bias = node.bias * (part == "currents") if kind == "Affine" else 0.0
        return np.asarray(node.weight, float) @ given + bias

    def arriving(self, name, part):
        return sum(self.signal(pre, part) for pre in self.before[name])

    def step(self, inputs):
        """The spikes and potentials of one step, for the spikes of the inputs."""
        dt, nodes = self.dt, self.graph.nodes
        self.old = {name: v.copy() for name, v in self.v.items()}
        old_i = {name: i.copy() for name, i in self.i.items()}
        for name, kind in self.kind.items():
            if kind == "Input":
                self.spikes[name] = inputs[name]
        fired = {}
        for name, v in self.v.items():
            node, cuba = nodes[name], name in self.i
            current = old_i[name] if cuba else self.arriving(name, "currents")
            v += dt / (node.tau_mem if cuba else node.tau) * (node.v_leak - v + node.r * current)
            if self.kind[name] in ("LIF", "CubaLIF"):
                fired[name] = (v > node.v_threshold).astype(float)
        self.spikes |= fired
        for name, line in self.lines.items():
            (source,) = self.before[name]
            line.append(np.array(self.signal(source, "spikes"), float))
        for name, node in nodes.items():
            if name in self.i:
                drive = self.arriving(name, "spikes") + self.arriving(name, "currents")
                self.i[name] += dt / node.tau_syn * (node.w_in * drive - self.i[name])
            elif name in self.v:
                self.v[name] += dt / node.tau * node.r * self.arriving(name, "spikes")
        for name, spikes in fired.items():
            self.v[name] = np.where(spikes > 0, nodes[name].v_reset, self.v[name])
        return fired, {name: v.copy() for name, v in self.v.items()}


def run(graph, inputs, dt):
    """Spikes and potentials, node -> (steps, neurons), for inputs of that form."""
    naive = Naive(graph, dt)
    steps = len(next(iter(inputs.values())))
    found = [naive.step({name: x[n] for name, x in inputs.items()}) for n in range(steps)]
    return tuple(
        {k: np.array([f[part][k] for f in found]) for k in found[0][part]} for part in (0, 1)
    )
