"""Units that pool spikes in Brian2's words: a spike sets `pooled` of the units that look at its neuron, and those above threshold spike.

All of it happens within Brian2's slot of synapses, before other synapses act: units have negative orders there, those that pool other
units later ones, so that their spikes exist in the step of the neuron's spike.
"""

import numpy as np

MODEL = {"model": "pooled : 1", "threshold": "pooled > 0", "reset": "pooled = 0"}
ON_PRE = "pooled_post = 1"


def order_of(network, population):
    """Orders in the slot of synapses: of the windows (this), of the threshold (one more), and of a monitor of spikes (two more)."""
    names = [p.name for p in network.pooling]
    return -3 * (len(names) - names.index(population.name))


def pairs(population):
    """(neuron, unit) of every neuron of every window."""
    windows = population.pooling.windows
    return windows.ravel(), np.repeat(np.arange(len(windows)), windows.shape[1])


def objects(b2, network, population, source, clock, names):
    """(NeuronGroup, Synapses from the group `source`) of a population of units."""
    group = b2.NeuronGroup(
        population.n, name=names["population", population.name], clock=clock, **MODEL
    )
    order, (j, i) = order_of(network, population), pairs(population)
    group.thresholder["spike"].when, group.thresholder["spike"].order = "synapses", order + 1
    windows = b2.Synapses(
        source, group, on_pre=ON_PRE, name=names["windows", population.name], clock=clock
    )
    windows.pre.order = order
    windows.connect(i=j, j=i)
    return group, windows


def program(network, population, names, arrays):
    """The same as text; index arrays go into `arrays`."""
    source, name, windows = (
        names["population", population.source],
        names["population", population.name],
        names["windows", population.name],
    )
    order, (arrays[f"{name}_neurons"], arrays[f"{name}_units"]) = (
        order_of(network, population),
        pairs(population),
    )
    options = ", ".join(f"{key}='{value}'" for key, value in MODEL.items())
    return (
        "\n".join(
            [
                f"{name} = NeuronGroup({population.n}, {options}, name='{name}')    # spikes in the step in which a neuron of its window does",
                f"{name}.thresholder['spike'].when, {name}.thresholder['spike'].order = 'synapses', {order + 1}",
                f"{windows} = Synapses({source}, {name}, on_pre='{ON_PRE}', name='{windows}')",
                f"{windows}.pre.order = {order}",
                f"{windows}.connect(i=data['{name}_neurons'], j=data['{name}_units'])",
            ]
        )
        + "\n"
    )
