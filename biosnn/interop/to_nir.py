"""NIR, written: a network as a graph of linear maps, leaky integrators and thresholds."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..network.network_checks import check_complete
from ..network.population import Population
from ..network.projection import Projection
from ..support import checks
from ..support.memory import check_room
from ..support.optional import optional
from .nir_paths import SPIKES, area, free_name


def to_nir(network: Network, *, spike: str = "step") -> Any:
    """Return a network as a graph of the Neuromorphic Intermediate Representation.

    It needs the package nir, which `pip install "biosnn[nir]"` brings; `nir.write("net.nir",
    graph)` writes the graph to a file.

    Parameters
    ----------
    network
        A network with inputs and weights, of neurons that NIR knows: linear current-based ones
        without adaptation, refractoriness, bounds or escape noise, which are reset to a value.
    spike
        What a spike is in the graph: "step", 1 during one time step, as for snnTorch and
        SpikingJelly; or "impulse", a delta function in seconds, as in the definition of NIR.

    Returns
    -------
    A nir.NIRGraph. Sparse projections become dense matrices. Surrogates and what training may
    change are not in it.

    Raises
    ------
    ImportError
        If nir is not installed.
    ValueError
        If the network has something that NIR cannot say. The message says what, and where.

    See Also
    --------
    from_nir : the other way.

    Notes
    -----
    Inputs become Input, projections Linear (post, pre), behind a Delay where they have one, and
    readouts CubaLI with an Output. Neurons with one synaptic current (`lif`) become CubaLIF; those
    with several (`ei_lif`) an LI for each current and a LIF. Weights onto inhibitory receptors are
    negative there. A bias is the v_leak of its neurons.

    A spike moves a state by r a / tau, where its area a is dt for "step" and 1 for "impulse". So
    that a spike of weight w moves a current by w, r (or w_in) is tau / a. NIR defines spikes as
    impulses; the exporters of frameworks that go step by step mean steps, and their graphs depend
    on dt. The metadata of the graph have dt, spike, names, signs and integrators, for `from_nir`.

    References
    ----------
    .. [1] Pedersen et al. (2024), Neuromorphic intermediate representation: a unified instruction
       set for interoperable brain-inspired computing, Nat Commun 15: 8122.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> projection = net.connect(
    ...     net.input(3, name="x"), cells, weights=[[0.5, 0.5]] * 3
    ... )
    >>> sorted(bs.interop.to_nir(net).nodes)
    ['E', 'E_I_exc', 'E_output', 'x', 'x_to_E']
    """
    nir = optional("nir", "nir", "to_nir")
    checks.instance(network, "network", Network, "a Network")
    spike = checks.choice(spike, "spike", SPIKES)
    check_complete(network)
    check_sayable(network)
    graph = _Graph(nir, network, area(spike, network.dt))
    for population in network.inputs:
        graph.add(population.name, nir.Input(np.array([population.n])))
    for population in [*network.spiking, *network.readouts]:
        graph.add_neurons(population)
    for projection in network.projections:
        graph.add_projection(projection)
    graph.add_outputs()
    about = {"dt": network.dt, "dtype": str(network.dtype), "spike": spike, "program": "biosnn"}
    return nir.NIRGraph(graph.nodes, graph.edges, metadata=about)


# ----------------------------------------------------------------------------------- what it cannot


def check_sayable(network: Network) -> None:
    """Raise a ValueError that names everything in a network which NIR cannot say."""
    problems = [
        f"{p.name!r}: {what}" for p in network.populations for what in _unsayable(p, network)
    ]
    for projection in network.projections:
        if projection.plasticity is not None:
            problems.append(f"{projection.name!r}: plasticity")
        if projection.delay is None and np.ptp(network.delay_steps(projection)) > 0:
            problems.append(f"{projection.name!r}: a delay for every synapse")
    if not network.inputs:
        problems.append("a network without inputs: a graph begins with an Input")
    if problems:
        raise ValueError(f"NIR cannot say this network. {'; '.join(problems)}.")


def _unsayable(population: Population, network: Network) -> list[str]:
    """What NIR cannot say of a population."""
    name, neuron = population.name, population.neuron
    if population.kind == "input":
        used = any(p.pre == name for p in network.projections)
        return [] if used else ["an input that projects to nothing"]
    if population.kind == "pooling" or neuron is None:
        return ["units that pool spikes"]
    never = population.kind == "spiking" and not neuron.spiking
    reached = any(p.post == name for p in network.projections)
    problems = {
        "conductances with reversal potentials": neuron.reversal,
        "a nonlinear drive": neuron.nonlinear_drive is not None,
        "adaptation": neuron.spike_jumps,
        "bounds of the membrane": neuron.bounded,
        "escape noise": population.noise is not None,
        "a refractory period": bool(np.any(neuron.refractory_steps(network.dt) > 1)),
        "a reset by subtraction": neuron.subtracts,
        "an initial potential other than 0": bool(np.any(population.initial)),
        "neurons without a threshold, other than readouts": never,
        "neurons that receive no projection": not reached,
    }
    return [what for what, there in problems.items() if there]


# ---------------------------------------------------------------------------------------- the graph


class _Graph:
    """Nodes and edges while they are made.

    Parameters
    ----------
    nir
        The package.
    network
        The network.
    area
        Of a spike, in seconds.
    """

    def __init__(self, nir: Any, network: Network, area: float) -> None:
        self.nir, self.network, self.area = nir, network, area
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        #: (population, state) -> (name of the node that spikes onto it enter, factor of weights)
        self.entry: dict[tuple[str, str], tuple[str, NDArray | float]] = {}
        self.of_population: dict[str, str] = {}

    def add(self, name: str, node: Any, **metadata: Any) -> str:
        """Add a node under a name that all frameworks take; returns that name."""
        plain = re.sub(r"\W+", "_", name.replace("->", "_to_")).strip("_") or "node"
        free = free_name(plain, self.nodes)
        node.metadata = {"name": name, **metadata}
        self.nodes[free] = node
        self.of_population.setdefault(name, free)
        return free

    def add_neurons(self, population: Population) -> None:
        """Add the nodes of a population: fused, or a node for each state."""
        neuron = population.neuron
        assert neuron is not None  # it is no input
        states = list(neuron.states)
        fused = len(states) == 2 and neuron.gains == {(states[0], states[1]): 1.0}
        if fused and all(r.state == states[1] for r in neuron.receptors.values()):
            self._add_fused(population, states)
        else:
            self._add_apart(population, states)

    def _common(self, population):
        """(arrays of one value per neuron, metadata of the membrane)."""
        neuron, n = population.neuron, population.n
        values = {"v_leak": np.array(self.network.bias(population), float)}
        if neuron.spiking:
            values["v_threshold"] = np.full(n, self.network.thresholds(population))
            values["v_reset"] = np.full(n, neuron.reset)
        about = {"sign": population.sign, "integrator": neuron.integrator, "initial": 0.0}
        return values, about

    def _taus(self, population):
        """State -> (n,) time constants."""
        taus = self.network.time_constants(population)
        return {
            state: np.broadcast_to(np.asarray(taus[name], float), population.n).copy()
            for state, name in population.neuron.states.items()
        }

    def _add_fused(self, population, states):
        """Add a CubaLIF, or the CubaLI of a readout."""
        values, about = self._common(population)
        taus, (membrane, current) = self._taus(population), states
        kind = self.nir.CubaLIF if population.neuron.spiking else self.nir.CubaLI
        node = kind(
            tau_mem=taus[membrane],
            tau_syn=taus[current],
            r=np.ones(population.n),
            w_in=taus[current] / self.area,
            **values,
        )
        self.entry[population.name, current] = self.add(population.name, node, **about), 1.0

    def _add_apart(self, population, states):
        """Add an LI for each current that something reaches, and a LIF."""
        neuron, taus = population.neuron, self._taus(population)
        reached = self._reached(population)
        values, about = self._common(population)
        names = {}
        for state in states:
            if state not in reached:
                continue
            driven = any(row == state and column in reached for row, column in neuron.gains)
            jump = taus[state] / self.area
            r = np.ones(population.n) if driven else jump
            if state == states[0]:
                kind = self.nir.LIF if neuron.spiking else self.nir.LI
                names[state] = self.add(population.name, kind(taus[state], r, **values), **about)
            else:
                leak = np.zeros(population.n)
                node = self.nir.LI(tau=taus[state], r=r, v_leak=leak)
                names[state] = self.add(f"{population.name}_{state}", node, state=state)
            self.entry[population.name, state] = names[state], jump if driven else 1.0
        for (row, column), gain in neuron.gains.items():
            if column in reached:
                held = gain * self._sign(population, column)
                self._add_gain(names[column], names[row], held, population.n)

    def _reached(self, population):
        """States that a projection moves, or another state that one moves, and the membrane."""
        neuron = population.neuron
        found = {next(iter(neuron.states))}
        for projection in self.network.projections:
            if projection.post == population.name:
                found.add(neuron.receptors[projection.receptor].state)
        for _ in neuron.states:
            found |= {row for row, column in neuron.gains if column in found}
        return found

    def _add_gain(self, source, target, gain, n):
        """Lead a state to another one."""
        if gain == 1.0:
            self.edges.append((source, target))
            return
        scale = self.add(f"{source}_scale", self.nir.Scale(np.full(n, gain)))
        self.edges += [(source, scale), (scale, target)]

    def _sign(self, population, state):
        """-1 for a current that U loses and nothing else sees: its node has it with this sign."""
        gains = population.neuron.gains
        of_it = {key: gain for key, gain in gains.items() if state in key}
        alone = list(of_it) == [(next(iter(population.neuron.states)), state)]
        return -1.0 if alone and next(iter(of_it.values())) == -1.0 else 1.0

    def add_projection(self, projection: Projection) -> None:
        """Add a Linear, behind a Delay if there is one."""
        post = self.network[projection.post]
        assert post.neuron is not None
        receptor = post.neuron.receptors[projection.receptor]
        entry, factor = self.entry[post.name, receptor.state]
        jump = receptor.jump * self._sign(post, receptor.state)
        weight = jump * _matrix(self.network, projection).T
        if np.ndim(factor):
            weight = weight * np.asarray(factor)[:, None]
        linear = self.nir.Linear(np.ascontiguousarray(weight, self.network.dtype))
        steps = np.max(self.network.delay_steps(projection), initial=0)
        source = self.of_population[projection.pre]
        if steps:
            seconds = np.full(self.network[projection.pre].n, steps * self.network.dt)
            delay = self.add(f"{projection.name} delay", self.nir.Delay(seconds))
            self.edges.append((source, delay))
            source = delay
        name = self.add(projection.name, linear)
        self.edges += [(source, name), (name, entry)]

    def add_outputs(self) -> None:
        """Add an Output to readouts, and to populations that project to nothing, or to all."""
        network = self.network
        ends = [p for p in network.spiking if not any(q.pre == p.name for q in network.projections)]
        for population in [*network.readouts, *ends] or network.spiking:
            node = self.nir.Output(np.array([population.n]))
            name = self.add(f"{population.name} output", node)
            self.edges.append((self.of_population[population.name], name))


def _matrix(network: Network, projection: Projection) -> NDArray[np.float64]:
    """(pre, post) weights of a projection; several synapses of one pair add up."""
    if projection.name not in network.synapses:
        return np.asarray(network.weights[projection.name], float)
    shape = network[projection.pre].n, network[projection.post].n
    check_room(f"projection {projection.name!r} as a matrix", shape[0] * shape[1], 8, "weights")
    matrix = np.zeros(shape)
    j, i, w, _ = network.indices(projection)
    np.add.at(matrix, (j, i), w)
    return matrix
