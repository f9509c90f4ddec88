"""Layers: populations with the projections that drive them, dense or convolutional."""

from collections.abc import Sequence
from math import prod
from typing import TypeAlias

from ..support.checks import flag, instance, whole
from ..support.checks import network as checked_network
from ..support.units import Seconds
from .convolution import Convolution, Sizes
from .network import Network
from .neuron import Neuron
from .neuron_models import ei_lif, lif
from .population import Population
from .surrogate import SuperSpike, Surrogate

_SUPERSPIKE = SuperSpike()

#: A population or its name, or a list of them.
Sources: TypeAlias = Population | str | Sequence[Population | str]


def layer(
    network: Network,
    source: Sources,
    n: int,
    *,
    name: str | None = None,
    neuron: Neuron | None = None,
    recurrent: bool = False,
    delay: Seconds = 0.0,
    surrogate: Surrogate = _SUPERSPIKE,
    learn: dict[str, str] | None = None,
) -> Population:
    """Add a population with weights of either sign, and the projections that drive it.

    Parameters
    ----------
    network
        What it is added to.
    source
        A population or its name, or a list of them; each projects onto the new one.
    n
        Number of neurons.
    name
        Name of the population.
    neuron
        Its model; default lif().
    recurrent
        Whether it projects onto itself.
    delay
        Delay of all projections, in seconds.
    surrogate
        Surrogate gradient of its spikes.
    learn
        What training may change besides weights, such as {"mem": "neuron"} (see
        `Network.population`).

    Returns
    -------
    The population.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> hidden = bs.layer(net, net.input(10), 20, name="hidden", recurrent=True)
    >>> [p.name for p in net.projections]
    ['input->hidden', 'hidden->hidden']
    """
    sources = _sources(network, source)
    recurrent = flag(recurrent, "recurrent")
    neuron = lif() if neuron is None else neuron
    with network.all_or_nothing():
        population = network.population(
            n, neuron, "unsigned", name=name, surrogate=surrogate, learn=learn
        )
        for pre in sources + ([population] if recurrent else []):
            network.connect(pre, population, delay=delay)
    return population


def dalian_layer(
    network: Network,
    source: Sources,
    n_exc: int,
    n_inh: int,
    *,
    name: str = "",
    neuron: Neuron | None = None,
    recurrent_excitation: bool = True,
    delay: Seconds = 0.0,
    surrogate: Surrogate = _SUPERSPIKE,
    learn: dict[str, str] | None = None,
) -> tuple[Population, Population]:
    """Add an excitatory and an inhibitory population that obey Dale's law, and their projections.

    From `source` to E and I, from E to E and I, and from I to E and I. Between layers E projects:
    give the E of the layer below as the source.

    Parameters
    ----------
    network
        What they are added to.
    source
        A population or its name, or a list of them.
    n_exc, n_inh
        Numbers of neurons.
    name
        Follows E and I in the names of the populations.
    neuron
        Their model; default ei_lif().
    recurrent_excitation
        Whether E projects onto E and I.
    delay
        Delay of all projections, in seconds.
    surrogate
        Surrogate gradient of their spikes.
    learn
        What training may change besides weights, such as {"mem": "neuron"} (see
        `Network.population`).

    Returns
    -------
    exc, inh
        The two populations.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> exc, inh = bs.dalian_layer(net, net.input(10), 80, 20)
    >>> len(net.projections)
    6
    """
    neuron = ei_lif() if neuron is None else neuron
    sources = _sources(network, source)
    recurrent_excitation = flag(recurrent_excitation, "recurrent_excitation")
    instance(name, "name", str, "a text, which follows E and I")
    for what, n in (("n_exc", n_exc), ("n_inh", n_inh)):
        whole(n, f"dalian_layer: {what}", 1)
    with network.all_or_nothing():
        e, i = _exc_and_inh(
            network, (n_exc, n_inh), name, neuron=neuron, surrogate=surrogate, learn=learn
        )
        pairs = [(pre, post) for pre in sources for post in (e, i)]
        pairs += [(e, e), (e, i)] if recurrent_excitation else []
        for pre, post in [*pairs, (i, e), (i, i)]:
            network.connect(pre, post, delay=delay)
    return e, i


def convolutional_layer(
    network: Network,
    source: Population | str,
    shape: tuple[int, ...],
    filters: int,
    kernel: Sizes,
    *,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    recurrent_kernel: Sizes | None = None,
    name: str | None = None,
    neuron: Neuron | None = None,
    delay: Seconds = 0.0,
    surrogate: Surrogate = _SUPERSPIKE,
    learn: dict[str, str] | None = None,
) -> tuple[Population, tuple[int, ...]]:
    """Add a population of feature maps with weights of either sign, driven by a convolution.

    Parameters
    ----------
    network
        What it is added to.
    source
        A population of feature maps, or its name.
    shape
        (channels, length) or (channels, height, width) of the source.
    filters, kernel, stride, padding
        Of the convolution (see `Convolution`).
    recurrent_kernel
        Odd kernel size of a convolution of the layer with itself; None: there is no such
        convolution.
    name
        Name of the population.
    neuron
        Its model; default lif().
    delay
        Delay of all projections, in seconds.
    surrogate
        Surrogate gradient of its spikes.
    learn
        What training may change besides weights, such as {"mem": "neuron"} (see
        `Network.population`).

    Returns
    -------
    population
        The feature maps.
    shape
        Their shape.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> maps, shape = bs.convolutional_layer(net, net.input(2 * 8 * 8), (2, 8, 8), 4, 3)
    >>> shape
    (4, 6, 6)
    """
    checked_network(network)
    rule = Convolution(shape, filters, kernel, stride=stride, padding=padding)
    neuron = lif() if neuron is None else neuron
    n = prod(rule.output_shape)
    with network.all_or_nothing():
        maps = network.population(
            n, neuron, "unsigned", name=name, surrogate=surrogate, learn=learn
        )
        network.connect(source, maps, delay=delay, synapses=rule)
        if recurrent_kernel is not None:
            recurrent = _recurrent(rule, filters, recurrent_kernel)
            network.connect(maps, maps, delay=delay, synapses=recurrent)
    return maps, rule.output_shape


def dalian_convolutional_layer(
    network: Network,
    source: Population | str,
    shape: tuple[int, ...],
    exc_filters: int,
    inh_filters: int,
    kernel: Sizes,
    *,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    recurrent_kernel: Sizes = 1,
    name: str = "",
    neuron: Neuron | None = None,
    recurrent_excitation: bool = True,
    delay: Seconds = 0.0,
    surrogate: Surrogate = _SUPERSPIKE,
    learn: dict[str, str] | None = None,
) -> tuple[Population, Population, tuple[int, ...]]:
    """Add excitatory and inhibitory feature maps: `dalian_layer` with convolutions.

    Parameters
    ----------
    network
        What they are added to.
    source
        A population of feature maps, or its name.
    shape
        (channels, length) or (channels, height, width) of the source.
    exc_filters, inh_filters
        Numbers of feature maps.
    kernel, stride, padding
        Of the convolutions from the source to E and I (see `Convolution`).
    recurrent_kernel
        Odd kernel size of those from E and I to E and I; 1 joins neurons at the same position.
    name
        Follows E and I in the names of the populations.
    neuron
        Their model; default ei_lif().
    recurrent_excitation
        Whether E projects onto E and I.
    delay
        Delay of all projections, in seconds.
    surrogate
        Surrogate gradient of their spikes.
    learn
        What training may change besides weights, such as {"mem": "neuron"} (see
        `Network.population`).

    Returns
    -------
    exc, inh
        The two populations.
    shape
        That of E's feature maps.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> exc, inh, shape = bs.dalian_convolutional_layer(
    ...     net, net.input(64), (1, 8, 8), 4, 1, 3
    ... )
    >>> shape, inh.n
    ((4, 6, 6), 36)
    """
    checked_network(network)
    neuron = ei_lif() if neuron is None else neuron
    recurrent_excitation = flag(recurrent_excitation, "recurrent_excitation")
    instance(name, "name", str, "a text, which follows E and I")
    into_e = Convolution(shape, exc_filters, kernel, stride=stride, padding=padding)
    into_i = Convolution(shape, inh_filters, kernel, stride=stride, padding=padding)
    with network.all_or_nothing():
        numbers = (prod(into_e.output_shape), prod(into_i.output_shape))
        e, i = _exc_and_inh(network, numbers, name, neuron=neuron, surrogate=surrogate, learn=learn)
        network.connect(source, e, delay=delay, synapses=into_e)
        network.connect(source, i, delay=delay, synapses=into_i)
        for pre, maps in ((e, into_e), (i, into_i)):
            if pre is i or recurrent_excitation:
                for post, filters in ((e, exc_filters), (i, inh_filters)):
                    rule = _recurrent(maps, filters, recurrent_kernel)
                    network.connect(pre, post, delay=delay, synapses=rule)
    return e, i, into_e.output_shape


def _exc_and_inh(network, numbers, name, **options):
    """Add the two populations of a layer with Dale's law."""
    e, i = (
        network.population(n, sign=sign, name=f"{letter}{name}", **options)
        for n, sign, letter in zip(numbers, ("excitatory", "inhibitory"), "EI")
    )
    return e, i


def _recurrent(rule, filters, kernel):
    """The convolution of the feature maps that `rule` leads to with others of the same size."""
    return Convolution(rule.output_shape, filters, kernel, padding="same")


def _sources(network, source):
    """A list of populations of the network, checked before anything is added to it."""
    checked_network(network)
    several = isinstance(source, (list, tuple))
    return [network.own(each, "source") for each in (source if several else [source])]
