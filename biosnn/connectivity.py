"""Who connects to whom: the usual motifs, and which projections are recurrent."""
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .neuron import ei_lif, lif
from .surrogate import SuperSpike


def dalian_layer(network, source, n_exc, n_inh, name="", neuron=None, recurrent_excitation=True, delay=0.0,
                 surrogate=SuperSpike()):
    """An excitatory and an inhibitory population that obey Dale's law, with the projections between them.

    From `source` (a population or a list of them) to E and I; E to E and I (unless recurrent_excitation=False); I to E and I.
    Populations are called "E" + name and "I" + name. An inhibitory source is not connected: between layers E projects.
    delay: seconds, of the projections within the layer and into it. neuron: default ei_lif(). Returns (E, I).
    """
    neuron = ei_lif() if neuron is None else neuron
    e = network.population(n_exc, neuron, "excitatory", f"E{name}", surrogate)
    i = network.population(n_inh, neuron, "inhibitory", f"I{name}", surrogate)
    pairs = [(pre, post) for pre in _sources(source) for post in (e, i)]
    pairs += [(e, e), (e, i)] if recurrent_excitation else []
    for pre, post in pairs + [(i, e), (i, i)]:
        network.connect(pre, post, delay)
    return e, i


def layer(network, source, n, name=None, neuron=None, recurrent=False, delay=0.0, surrogate=SuperSpike()):
    """A population of n neurons with weights of either sign, driven by `source`. neuron: default lif(). Returns it."""
    population = network.population(n, lif() if neuron is None else neuron, "unsigned", name, surrogate)
    for pre in _sources(source) + ([population] if recurrent else []):
        network.connect(pre, population, delay)
    return population


def _sources(source):
    return list(source) if isinstance(source, (list, tuple)) else [source]


def recurrent_projections(network):
    """Names of the projections whose target can reach their source again: those within a strongly connected component."""
    names = [p.name for p in network.populations]
    pairs = np.array([(names.index(p.pre), names.index(p.post)) for p in network.projections]).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), (len(names),) * 2)
    _, component = connected_components(graph, directed=True, connection="strong")
    return {p.name for p in network.projections if component[names.index(p.pre)] == component[names.index(p.post)]}
