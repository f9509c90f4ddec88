"""Units that pool spikes in Brian2's words.

A spike sets `pooled` of the units that look at its neuron, and units above threshold spike. All of
it happens within Brian2's slot of synapses, before other synapses act: units have negative orders
there, and those that pool other units later ones, so that their spikes exist in the step of the
neuron's spike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..network.network import Network
from ..network.population import Population

MODEL = {"model": "pooled : 1", "threshold": "pooled > 0", "reset": "pooled = 0"}
ON_PRE = "pooled_post = 1"


def order_of(network: Network, population: Population) -> int:
    """Return the order in the slot of synapses of the windows of a population.

    That of the threshold is one more, that of a monitor of spikes two more.
    """
    names = [p.name for p in network.pooling]
    return -3 * (len(names) - names.index(population.name))


def pairs(population: Population) -> tuple[np.ndarray, np.ndarray]:
    """Return (neuron, unit) of every neuron of every window."""
    pooling: Any = population.pooling
    windows = pooling.windows
    return windows.ravel(), np.repeat(np.arange(len(windows)), windows.shape[1])


def objects(
    brian2: Any,
    network: Network,
    population: Population,
    source: Any,
    clock: Any,
    names: Mapping[tuple[str, Any], str],
) -> tuple[Any, Any]:
    """Return (NeuronGroup, Synapses from the group `source`) of a population of units."""
    name = names["population", population.name]
    group = brian2.NeuronGroup(population.n, name=name, clock=clock, **MODEL)
    order, (j, i) = order_of(network, population), pairs(population)
    group.thresholder["spike"].when = "synapses"
    group.thresholder["spike"].order = order + 1
    windows = brian2.Synapses(
        source, group, on_pre=ON_PRE, name=names["windows", population.name], clock=clock
    )
    windows.pre.order = order
    windows.connect(i=j, j=i)
    return group, windows


def program(
    network: Network,
    population: Population,
    names: Mapping[tuple[str, Any], str],
    arrays: dict[str, Any],
) -> str:
    """Return the same as text; index arrays go into `arrays`."""
    source = names["population", str(population.source)]
    name, windows = names["population", population.name], names["windows", population.name]
    order = order_of(network, population)
    arrays[f"{name}_neurons"], arrays[f"{name}_units"] = pairs(population)
    options = ", ".join(f"{key}='{value}'" for key, value in MODEL.items())
    lines = [
        f"{name} = NeuronGroup({population.n}, {options}, name='{name}')"
        "    # spikes in the step in which a neuron of its window does",
        f"{name}.thresholder['spike'].when, {name}.thresholder['spike'].order = "
        f"'synapses', {order + 1}",
        f"{windows} = Synapses({source}, {name}, on_pre='{ON_PRE}', name='{windows}')",
        f"{windows}.pre.order = {order}",
        f"{windows}.connect(i=data['{name}_neurons'], j=data['{name}_units'])",
    ]
    return "\n".join(lines) + "\n"
