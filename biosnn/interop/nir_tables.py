"""Neuron tables of a graph of NIR: each LIF or readout with the currents that lead to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.neuron import Neuron, Receptor
from .nir_paths import SOURCES, Path, kind_of, paths_to

_CLOSE = 1e-9  # relative: values that rounding alone has made different
#: Sign of a population -> sign of the weights onto its targets.
SIGN = {"excitatory": +1, "inhibitory": -1}


@dataclass
class Table:
    """What becomes a population.

    Parameters
    ----------
    node
        Name of its membrane in the graph.
    name, n, sign
        Of the population.
    spiking
        Whether it has a threshold.
    states
        State -> (n,) time constants in seconds, the membrane first.
    gains
        (state, state that acts on it) -> (n,) gains.
    afferents
        State -> paths from what spikes, with the weights that a spike has.
    constants
        State -> (n,) constant input.
    """

    node: str
    name: str
    n: int
    sign: str
    spiking: bool
    states: dict[str, NDArray] = field(default_factory=dict)
    gains: dict[tuple[str, str], NDArray] = field(default_factory=dict)
    afferents: dict[str, list[Path]] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)

    @property
    def bias(self) -> Any:
        """(n,) constant drive of U: its own, and that of currents at their constant inputs."""
        steady = dict(self.constants)
        for _ in self.states:  # currents that act on each other have no loop
            steady = {state: self._drive(state, steady) for state in self.states}
        return steady["U"]

    def _drive(self, state, steady):
        """The constant input of a state, with that through the states that act on it."""
        through = [
            gain * steady.get(other, 0.0)
            for (row, other), gain in self.gains.items()
            if row == state and other != "U"
        ]
        return self.constants.get(state, 0.0) + sum(through)


class Tables:
    """Makes the tables of a graph.

    Parameters
    ----------
    nodes, edges
        Those of `flattened`.
    area
        Of a spike, in seconds.
    """

    def __init__(self, nodes: dict[str, Any], edges: list[tuple[str, str]], area: float) -> None:
        self.nodes, self.edges, self.area = nodes, edges, area

    def make(self, node: str) -> Table:
        """Return the table of a membrane.

        Parameters
        ----------
        node
            Name of a LIF, CubaLIF, or an LI or CubaLI that is a readout.
        """
        found = self.nodes[node]
        fused = kind_of(self.nodes, node).startswith("Cuba")
        about = found.metadata or {}
        tau = _values(found.tau_mem if fused else found.tau, node, "tau")
        table = Table(
            node=node,
            name=plain_name(about.get("name", node)),
            n=tau.size,
            sign=str(about.get("sign", "unsigned")),
            spiking=hasattr(found, "v_threshold"),
        )
        table.states["U"] = tau
        r = _values(found.r, node, "r", tau.size)
        table.constants["U"] = _values(found.v_leak, node, "v_leak", tau.size)
        if fused:
            syn = _values(found.tau_syn, node, "tau_syn", tau.size)
            table.states["I"] = syn
            table.gains["U", "I"] = r
            self._enter(table, node, "I", _values(found.w_in, node, "w_in", tau.size))
        else:
            self._enter(table, node, "U", r)
        return table

    def _enter(self, table, node, state, r):
        """Take all that leads to a state: spikes, and currents with what leads to them."""
        tau = table.states[state]
        for path in paths_to(self.nodes, self.edges, node):
            if kind_of(self.nodes, path.source) in SOURCES:
                factor = _rounded(r * self.area / tau)
                weighted = Path(
                    path.source,
                    _weighted(path.weight, factor),
                    path.before,
                    path.after,
                    name=path.name,
                )
                table.afferents.setdefault(state, []).append(weighted)
            else:
                self._current(table, node, state, r, path)
            if np.any(path.bias):
                table.constants[state] = table.constants.get(state, 0.0) + r * path.bias

    def _current(self, table, node, state, r, path):
        """Take a leaky integrator that acts on a state as a state of the same neurons."""
        source, found = path.source, self.nodes[path.source]
        if kind_of(self.nodes, source) != "LI":
            raise ValueError(
                f"node {source!r} acts on {node!r} by its potential: in biosnn currents that are "
                "one LI do, and all others by spikes."
            )
        if not path.elementwise or np.any(path.before) or np.any(path.after):
            raise ValueError(
                f"node {source!r} acts on {node!r} through a matrix or a delay: in biosnn a "
                "current belongs to its neuron. Put both before the LI: the current is the same."
            )
        known = self._name(source)
        gain = r * (1.0 if path.weight is None else path.weight)
        if (state, known) in table.gains:
            gain = gain + table.gains[state, known]
        table.gains[state, known] = np.broadcast_to(gain, table.n)
        if known not in table.states:
            table.states[known] = _values(found.tau, source, "tau", table.n)
            table.constants[known] = _values(found.v_leak, source, "v_leak", table.n)
            self._enter(table, source, known, _values(found.r, source, "r", table.n))

    def _name(self, source):
        """The name of a current as a state."""
        about = self.nodes[source].metadata or {}
        return plain_name(about.get("state", source))


def neuron_of(
    table: Table, nodes: dict[str, Any], integrator: str, signs: dict[str, str]
) -> Neuron:
    """Return the neuron table of a population.

    Parameters
    ----------
    table
        Its description.
    nodes
        Those of the graph.
    integrator
        Of the neurons.
    signs
        Node -> sign of its population.
    """
    node = nodes[table.node]
    if pair := _opposed(table, signs):
        table.states = _renamed(table, pair)
    gains = {
        key: one(gain, table.node, f"the gain of {key[1]}") for key, gain in table.gains.items()
    }
    more: dict[str, Any] = {"threshold": np.inf}
    if table.spiking:
        for part, name in (("threshold", "v_threshold"), ("reset", "v_reset")):
            values = _values(getattr(node, name), table.node, name, table.n)
            more[part] = _compact(values)
    taus = {_tau_name(state): _compact(tau) for state, tau in table.states.items()}
    return Neuron(
        model=_model(table, pair),
        states={state: _tau_name(state) for state in table.states},
        gains=gains,
        receptors=_receptors(table, pair),
        time_constants=taus,
        integrator=integrator,
        **more,
    )


def _model(table, pair):
    """The name of the model."""
    if pair:
        return "ei_lif"
    if list(table.states) == ["U", "I"]:
        return "lif" if table.spiking else "readout"
    return "lif_delta" if list(table.states) == ["U"] else "nir"


def _tau_name(state):
    """The name of a time constant, as the models of biosnn have it."""
    return {"U": "mem", "I": "syn"}.get(state, state.removeprefix("I_"))


def _receptors(table, pair):
    """Receptor -> where it leads."""
    if pair:
        return {
            "exc": Receptor("I_exc", 1.0, +1),
            "inh": Receptor("I_inh", 1.0, -1),
        }
    found = {}
    for state in table.afferents:
        after = "" if len(table.afferents) == 1 else f" {state}"
        for name, jump, sign in (("syn", 1.0, 0), ("exc", 1.0, +1), ("inh", -1.0, -1)):
            found[name + after] = Receptor(state, jump, sign)
    return found


def _opposed(table, signs):
    """(excitatory, inhibitory) current of a table that has one of each and no other; or None."""
    states = [state for state in table.states if state != "U"]
    direct = all(row == "U" for row, _ in table.gains)
    if len(states) != 2 or set(table.afferents) != set(states) or not direct or not table.spiking:
        return None
    if not all(np.all(table.gains["U", state] > 0) for state in states):
        return None
    fits = {
        (state, sign): all(
            np.all(sign * full(path, table.n) >= 0)
            and SIGN.get(signs.get(path.source, ""), sign) == sign
            for path in table.afferents[state]
        )
        for state in states
        for sign in (+1, -1)
    }
    pairs = [states, states[::-1]] if "inh" in states[1] else [states[::-1], states]
    return next((tuple(p) for p in pairs if fits[p[0], +1] and fits[p[1], -1]), None)


def _renamed(table, pair):
    """The states of an E/I neuron under the names of `ei_lif`; its gains and paths, likewise."""
    names = {pair[0]: "I_exc", pair[1]: "I_inh"}
    table.afferents = {names[state]: table.afferents[state] for state in pair}
    exc, inh = (table.gains["U", state] for state in pair)
    table.gains = {("U", "I_exc"): exc, ("U", "I_inh"): -inh}
    return {"U": table.states["U"], **{names[state]: table.states[state] for state in pair}}


# ------------------------------------------------------------------------------------------- values


def full(path: Path, n: int) -> NDArray:
    """Return the weights of a path, a matrix or one factor for each neuron.

    Parameters
    ----------
    path
        The path.
    n
        Neurons at its end.
    """
    return np.ones(n) if path.weight is None else path.weight


def one(values: Any, node: str, what: str) -> float:
    """Return the number that all neurons share; ValueError where they differ.

    Parameters
    ----------
    values
        (n,) numbers.
    node, what
        What they are, for messages.
    """
    array = np.asarray(values, float)
    if np.ptp(array) > _CLOSE * np.max(np.abs(array)):
        raise ValueError(
            f"node {node!r}: {what} runs from {array.min():g} to {array.max():g}; in biosnn all "
            "neurons of a population share it. Make a node of each group of neurons."
        )
    return float(array.flat[0])


def plain_name(name: Any) -> str:
    """Return a name that populations and states can have.

    Parameters
    ----------
    name
        That of a node.
    """
    return re.sub(r"->|[./]", "_", str(name)) or "node"


def _values(values, node, what, n=None):
    """(n,) finite numbers of a node."""
    array = np.asarray(values, np.float64)
    if array.ndim > 1 or not array.size or not np.all(np.isfinite(array)):
        raise ValueError(
            f"node {node!r}: {what} has shape {array.shape}; it must hold a finite number for each "
            "neuron, along one axis."
        )
    array = array.ravel()
    if n is not None and array.size != n:
        if array.size != 1:
            raise ValueError(f"node {node!r}: {what} has {array.size} values for {n} neurons.")
        array = np.full(n, array[0])
    return array


def _weighted(weight, factor):
    """Weights times a factor of each target."""
    if weight is None:
        return factor
    return weight * factor if weight.ndim == 1 else weight * factor[:, None]


def _rounded(factor):
    """Factors that differ from 1 by rounding alone are 1."""
    return np.where(np.abs(factor - 1) < _CLOSE, 1.0, factor)


def _compact(values):
    """One number where all are equal."""
    return float(values[0]) if np.ptp(values) == 0 else values
