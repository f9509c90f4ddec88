"""How signals flow in a graph of NIR: from what spikes or integrates to what integrates."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import refuse

#: What a spike may be in a graph.
SPIKES = ("step", "impulse")
#: Nodes that spikes come from, that integrate, and that a path leads through.
SOURCES = ("Input", "LIF", "CubaLIF")
INTEGRATORS = ("LIF", "CubaLIF", "LI", "CubaLI")
_THROUGH = ("Linear", "Affine", "Scale", "Delay", "Identity")
#: Other nodes, and why biosnn does not run them.
_REFUSED = {
    "IF": "neurons without a leak",
    "I": "integrators without a leak",
    "Threshold": "a threshold without dynamics",
    "Conv1d": "convolutions; as a Linear they can be run",
    "Conv2d": "convolutions; as a Linear they can be run",
    "SumPool2d": "sums over pixels",
    "AvgPool2d": "means over pixels",
    "Flatten": "signals with several axes",
}
_MOST_NODES = 1000  # of a path, which then is a loop


@dataclass(frozen=True)
class Path:
    """One way from a node to an integrator.

    Parameters
    ----------
    source
        Name of the node that it comes from.
    weight
        (post, pre) matrix, (n,) factors of a one-to-one path, or None for 1.
    before, after
        Delays in seconds of the source, and of the target: one number or one for each.
    bias
        (n,) what Affine nodes on the way add, or 0.
    name
        Name of the last Linear on the way, or None.
    """

    source: str
    weight: NDArray | None = None
    before: Any = 0.0
    after: Any = 0.0
    bias: Any = 0.0
    name: str | None = None

    @property
    def elementwise(self) -> bool:
        """Whether it leads from each neuron to its own."""
        return self.weight is None or self.weight.ndim == 1


def area(spike: str, dt: float) -> float:
    """Return the area of a spike: that of 1 during a step of dt (s), or that of an impulse."""
    return dt if spike == "step" else 1.0


def flattened(graph: Any, prefix: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return nodes and edges of a graph and of the graphs within it.

    Parameters
    ----------
    graph
        A NIRGraph.
    prefix
        What the names of its nodes begin with.
    """
    nodes: dict[str, Any] = {}
    ends: dict[str, tuple[str, str]] = {}
    edges: list[tuple[str, str]] = []
    for key, node in graph.nodes.items():
        name = prefix + key
        if type(node).__name__ != "NIRGraph":
            nodes[name] = node
            ends[key] = (name, name)
            continue
        inner, inner_edges = flattened(node, f"{name}_")
        doors = [
            [n for n, each in inner.items() if type(each).__name__ == kind]
            for kind in ("Input", "Output")
        ]
        if any(len(door) != 1 for door in doors):
            raise ValueError(f"the graph {name!r} within the graph must have one input and output.")
        for door in doors:
            inner[door[0]] = _Door()
        nodes |= inner
        edges += inner_edges
        ends[key] = (doors[0][0], doors[1][0])
    for pre, post in graph.edges:
        edges.append((ends[pre][1], ends[post][0]))
    return nodes, edges


class _Door:
    """Input or Output of a graph within a graph: signals pass."""


_Door.__name__ = "Identity"


def free_name(name: str, taken: Container[str]) -> str:
    """Return a name, with a number after it where it is taken.

    Examples
    --------
    >>> free_name("E", {"E", "E_1"})
    'E_2'
    """
    free, k = name, 1
    while free in taken:
        free, k = f"{name}_{k}", k + 1
    return free


def kind_of(nodes: dict[str, Any], name: str) -> str:
    """Return the kind of a node; ValueError for one that biosnn does not run."""
    kind = type(nodes[name]).__name__
    if kind in (*SOURCES, *INTEGRATORS, *_THROUGH, "Output"):
        return kind
    why = _REFUSED.get(kind, "nodes of this kind")
    raise ValueError(f"node {name!r} is a {kind}: biosnn does not have {why}.")


def paths_to(nodes: dict[str, Any], edges: list[tuple[str, str]], target: str) -> list[Path]:
    """Return all paths to a node from the nearest nodes that spike or integrate.

    Parameters
    ----------
    nodes, edges
        Those of `flattened`.
    target
        Name of the node.
    """
    waiting = [(pre, Path(pre)) for pre, post in edges if post == target]
    found, steps = [], 0
    while waiting:
        name, path = waiting.pop(0)
        kind = kind_of(nodes, name)
        if kind in (*SOURCES, *INTEGRATORS):
            found.append(replace(path, source=name))
            continue
        steps += 1
        if steps > _MOST_NODES * len(nodes):
            raise ValueError(f"the way to {target!r} is a loop without a neuron.")
        path = _through(nodes[name], kind, name, path)
        before = [pre for pre, post in edges if post == name]
        if not before:
            raise ValueError(f"node {name!r} ({kind}) gets no signal.")
        waiting += [(pre, path) for pre in before]
        if len(before) > 1 and np.any(path.bias):  # it is added once
            plain = replace(path, bias=0.0)
            waiting[-len(before) + 1 :] = [(pre, plain) for pre in before[1:]]
    return found


def _through(node, kind, name, path):
    """The path that leads through one more node, upstream."""
    if kind == "Identity":
        return path
    if kind == "Delay":
        return _delayed(np.asarray(node.delay, float), name, path)
    if kind == "Scale":
        factor = np.asarray(node.scale, float)
        return replace(path, weight=_product(path.weight, factor, name))
    matrix = np.asarray(node.weight)
    if matrix.ndim != 2:
        raise ValueError(
            f"node {name!r}: weights have shape {matrix.shape}; they must be (post, pre)."
        )
    if np.ptp(path.before) > 0:
        raise ValueError(f"node {name!r}: different delays lie between two matrices.")
    bias = path.bias
    if kind == "Affine":
        bias = bias + _applied(path.weight, np.asarray(node.bias, float))
    label = path.name or (node.metadata or {}).get("name", name)
    weight = _product(path.weight, matrix, name)
    return replace(path, weight=weight, bias=bias, name=str(label))


def _delayed(delay, name, path):
    """The path with a delay more."""
    if delay.ndim > 1 or np.any(delay < 0) or not np.all(np.isfinite(delay)):
        refuse(f"node {name!r}: delay", delay, "seconds >= 0, one for each neuron")
    if np.ptp(delay) == 0:
        return replace(path, after=path.after + delay.flat[0])
    if path.elementwise:
        return replace(path, after=path.after + delay)
    return replace(path, before=path.before + delay)


def _product(weight, more, name):
    """What two nodes do one after the other: vectors are one-to-one."""
    if weight is None:
        return more
    try:
        if weight.ndim == 1:
            return weight * more if more.ndim == 1 else weight[:, None] * more
        return weight * more if more.ndim == 1 else weight @ more
    except ValueError:
        raise ValueError(f"node {name!r}: its shape does not fit the node that follows.") from None


def _applied(weight, bias):
    """What a bias becomes on the rest of the way."""
    if weight is None:
        return bias
    return weight * bias if weight.ndim == 1 else weight @ bias
