"""NIR, read: a network of a graph of linear maps, leaky integrators and thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..network.connectivity import OneToOne, Pairs
from ..network.network import Network
from ..network.population import SIGNS, Population
from ..network.surrogate import SuperSpike
from ..support import checks
from ..support.optional import optional
from .nir_paths import INTEGRATORS, SPIKES, Path, area, flattened, free_name, kind_of
from .nir_tables import SIGN, Table, Tables, full, neuron_of, one, plain_name

_INTEGRATORS = ("exact", "exponential_euler", "euler")


def from_nir(
    graph: Any,
    dt: float | None = None,
    *,
    spike: str | None = None,
    integrator: str | None = None,
    dtype: DTypeLike | None = None,
) -> Network:
    """Return the network of a graph of the Neuromorphic Intermediate Representation.

    It needs the package nir, which `pip install "biosnn[nir]"` brings.

    Parameters
    ----------
    graph
        A nir.NIRGraph of Input, Linear, Affine, Scale, Delay, LIF, CubaLIF, LI, CubaLI and Output;
        `nir.read("net.nir")` reads one from a file.
    dt
        Time step in seconds. Default: the dt in the metadata of a graph of `to_nir`. A graph of
        snnTorch or SpikingJelly belongs to the dt with which it was made, 1e-4 unless it was given.
    spike
        What a spike is in the graph: "step", 1 during one time step, or "impulse", a delta function
        in seconds (see `to_nir`). Default: that in the metadata, else "step".
    integrator
        "exact", "exponential_euler" or "euler". Default: that in the metadata, else "exact".
    dtype
        float32 or float64. Default: that in the metadata, else float32.

    Returns
    -------
    A Network with weights. Populations, inputs and readouts have the names of their nodes.

    Raises
    ------
    ImportError
        If nir is not installed.
    ValueError
        If the graph has something that biosnn cannot run. The message says which node, and why.

    See Also
    --------
    to_nir : the other way.

    Notes
    -----
    A LIF becomes a population, with every LI before it as one of its synaptic currents; where one
    current takes positive and another one negative weights, the neurons are those of `ei_lif`. An
    LI or CubaLI that leads to an Output becomes a readout. A spike moves a state by r dt / tau, or,
    if it is an impulse, by r / tau. A v_leak other than 0 and the constants of Affine
    nodes become a bias. Membranes start at v_leak unless metadata say where, and currents at what
    their constant inputs keep up. Populations are unsigned unless the metadata
    of their nodes have a sign, and all their weights have it.

    Programs order the parts of a step differently. In snnTorch and Norse a spike acts on the
    membrane in its own step, in biosnn in the next one: with integrator="euler" CubaLIF neurons
    have the same spikes as there, one step later for each layer. Spikes that move a membrane itself
    (a Linear before a LIF) are lost in biosnn where they meet a reset.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> projection = net.connect(
    ...     net.input(3, name="x"), cells, weights=[[0.5, 0.5]] * 3
    ... )
    >>> again = bs.interop.from_nir(bs.interop.to_nir(net))  # needs biosnn[nir]
    >>> [p.name for p in again.populations], again.weights["x->E"].shape
    (['x', 'E'], (3, 2))
    """
    nir = optional("nir", "nir", "from_nir")
    checks.instance(graph, "graph", nir.NIRGraph, "a nir.NIRGraph, such as nir.read(path) returns")
    about = graph.metadata or {}
    dt = _dt(about, dt)
    if integrator is not None:
        integrator = checks.choice(integrator, "integrator", _INTEGRATORS)
    spike = checks.choice(about.get("spike", "step") if spike is None else spike, "spike", SPIKES)
    net = Network(dt=dt, dtype=about.get("dtype", np.float32) if dtype is None else dtype)
    nodes, edges = flattened(graph)
    maker = Tables(nodes, edges, area(spike, dt))
    tables = [maker.make(name) for name in _membranes(nodes, edges)]
    names, signs = _names(nodes, tables), _signs(tables)
    for name, node in nodes.items():
        if kind_of(nodes, name) == "Input":
            net.input(_size(name, node), name=names[name])
    for table in tables:
        _add_population(net, table, nodes, integrator, signs)
    for table in tables:
        for state, paths in table.afferents.items():
            for path in paths:
                _connect(net, table, state, path, names, signs)
    return net


def _dt(about, dt):
    """The time step, that is given or in the metadata."""
    if dt is None and "dt" not in about:
        raise ValueError(
            "from_nir: give dt, the time step in seconds; NIR has continuous time, and the "
            "metadata of this graph do not say it."
        )
    return checks.time(about["dt"] if dt is None else dt, "dt", above=0)


def _size(name, node):
    """Number of units of an Input."""
    shape = np.ravel(node.input_type["input"])
    if shape.size != 1:
        raise ValueError(
            f"node {name!r}: its signal has the shape {shape.tolist()}; biosnn has inputs with one "
            "axis. Flatten it before."
        )
    return int(shape[0])


def _membranes(nodes, edges):
    """Nodes that become populations: all that spike, and integrators that an Output follows."""
    found = []
    for name in nodes:
        kind = kind_of(nodes, name)
        followers = [kind_of(nodes, post) for pre, post in edges if pre == name]
        if kind in ("LIF", "CubaLIF") or (kind in INTEGRATORS and "Output" in followers):
            found.append(name)
        if kind == "Output":
            before = [pre for pre, post in edges if post == name]
            if any(kind_of(nodes, pre) not in (*INTEGRATORS, "Identity") for pre in before):
                raise ValueError(
                    f"node {name!r} gets a signal that is neither spikes nor that of an "
                    "integrator: the outputs of biosnn are spikes, and leaky readouts."
                )
    if not found:
        raise ValueError("the graph has neither neurons nor readouts.")
    return found


def _names(nodes, tables):
    """Node -> name of its population, each once."""
    names, taken = {table.node: table.name for table in tables}, set()
    for name, node in nodes.items():
        if kind_of(nodes, name) == "Input":
            names[name] = plain_name((node.metadata or {}).get("name", name))
    for node, name in names.items():
        names[node] = free_name(name, taken)
        taken.add(names[node])
    for table in tables:
        table.name = names[table.node]
    return names


def _signs(tables):
    """Node -> sign of its population: that of its metadata where all its weights have it."""
    signs = {table.node: table.sign if table.sign in SIGNS else "unsigned" for table in tables}
    for table in tables:
        for path in (path for paths in table.afferents.values() for path in paths):
            sign = SIGN.get(signs.get(path.source, ""))
            if sign and table.spiking and np.any(sign * full(path, table.n) < 0):
                signs[path.source] = "unsigned"
    return signs


def _add_population(net, table, nodes, integrator, signs):
    """Add the population of a table."""
    about = nodes[table.node].metadata or {}
    said = about.get("integrator", "exact")
    chosen = integrator or (said if said in _INTEGRATORS else "exact")
    rest = np.broadcast_to(table.bias, table.n)  # before currents get their names
    initial = about.get("initial")
    if initial is None:
        initial = one(nodes[table.node].v_leak, table.node, "v_leak, where neurons start,")
    population = Population(
        name=table.name,
        n=table.n,
        kind="spiking" if table.spiking else "readout",
        sign=signs[table.node] if table.spiking else "unsigned",
        neuron=neuron_of(table, nodes, chosen, signs),
        surrogate=SuperSpike() if table.spiking else None,
        initial=float(initial),
        learn={},
        bias=bool(np.any(rest)),
    )
    net.add(population, rest if population.bias else None)


def _connect(net: Network, table: Table, state: str, path: Path, names: Any, signs: Any) -> None:
    """Add the projection of a path."""
    pre, post = net[names[path.source]], net[table.name]
    weights = full(path, table.n)
    receptor = _receptor(post, state, signs.get(path.source, "unsigned"))
    assert post.neuron is not None
    found = post.neuron.receptors[receptor]
    weights = (weights if found.sign >= 0 else -weights).T
    options: dict[str, Any] = {"weights": weights, "delay": path.before + path.after}
    shape = (pre.n, post.n)
    if weights.ndim == 1:
        options["synapses"] = OneToOne()
        options["delay"] = _shared(np.broadcast_to(path.before + path.after, post.n))
    elif weights.shape != shape:
        raise ValueError(
            f"the way from {path.source!r} to {table.node!r} has weights (post, pre) = "
            f"{weights.shape[::-1]} between {pre.n} and {post.n} neurons."
        )
    elif np.ndim(options["delay"]) or np.ndim(path.before):
        delays = np.add.outer(
            np.broadcast_to(path.before, pre.n), np.broadcast_to(path.after, post.n)
        )
        options["synapses"] = Pairs(*np.indices(shape).reshape(2, -1))
        options |= {"weights": weights.ravel(), "delay": delays.ravel()}
    known = {projection.name for projection in net.projections}
    name = free_name(path.name or f"{pre.name}->{post.name}", known)
    net.connect(pre, post, receptor=receptor, name=name, **options)


def _shared(delays):
    """One number where all delays are equal."""
    return float(delays[0]) if np.ptp(delays) == 0 else np.array(delays)


def _receptor(post, state, sign):
    """The receptor of a state that takes weights of this sign."""
    mine = {name: r for name, r in post.neuron.receptors.items() if r.state == state}
    if len(mine) == 1:
        return next(iter(mine))
    wanted = 0 if post.kind == "readout" else SIGN.get(sign, 0)
    return next(name for name, receptor in mine.items() if receptor.sign == wanted)
