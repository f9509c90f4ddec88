"""Convolution: projections between feature maps whose synapses share weights, layers of such maps, and pooling of their spikes.

Neurons of a population of feature maps lie as (channel, position) or (channel, row, column) in C order: neuron
(c * height + y) * width + x. Everything here is for one dimension (length) or two (height, width).
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from ..data.spike_trains import SpikeTrains, check_trains
from ..support.checks import flag, has_axes, instance, refuse, whole
from ..support.checks import network as checked_network
from ..support.memory import check_room
from .neuron import ei_lif, lif
from .surrogate import SuperSpike
from .synapses import Shared, target_type

_MOST = 2**31 - 1  # of neurons in a dimension


def _sizes(what, name, value, n, least):
    """A whole number, or one for each dimension, as a tuple."""
    allowed = f"a whole number >= {least}" + (f", or {n} of them" if n > 1 else "")
    values = (
        tuple(value)
        if isinstance(value, (tuple, list, np.ndarray)) and has_axes(value)
        else (value,) * n
    )
    if len(values) != n:
        refuse(f"{what}: {name}", value, allowed)
    return tuple(whole(v, f"{what}: {name}", least, _MOST) for v in values)


def _shape(what, shape):
    if (
        not isinstance(shape, (tuple, list, np.ndarray))
        or not has_axes(shape)
        or len(shape) not in (2, 3)
    ):
        refuse(f"{what}: shape", shape, "(channels, length) or (channels, height, width)")
    return tuple(
        whole(n, f"{what}: shape, (channels, length) or (channels, height, width),", 1, _MOST)
        for n in shape
    )


@dataclass(frozen=True)
class Convolution:
    """A target neuron sums over the kernel of its filter: current[f, y] += sum_{c, k} w[f, c, k] S[c, y stride + k - padding].

    shape      (channels, length) or (channels, height, width) of the presynaptic population
    filters    number of feature maps of the postsynaptic population
    kernel, stride, padding   whole numbers, or one for each dimension; beyond the edges there are no spikes. padding="same" (odd
               kernels): as many positions as before, divided by the stride and rounded up
    Weights of the projection are the kernels, (filters, channels, length) or (filters, channels, height, width).
    """

    shape: tuple
    filters: int
    kernel: object
    stride: object = 1
    padding: object = 0
    random = False

    def __post_init__(self):
        shape = _shape("Convolution", self.shape)
        n = len(shape) - 1
        kernel, stride = (
            _sizes("Convolution", name, getattr(self, name), n, 1) for name in ("kernel", "stride")
        )
        if isinstance(self.padding, str) and self.padding == "same":
            if any(k % 2 == 0 for k in kernel):
                raise ValueError(
                    f"Convolution: padding='same' needs an odd kernel, whose middle is a neuron; kernel is {self.kernel!r}."
                )
            padding = tuple(k // 2 for k in kernel)
        else:
            padding = _sizes("Convolution", "padding", self.padding, n, 0)
        for name, value in (
            ("shape", shape),
            ("kernel", kernel),
            ("stride", stride),
            ("padding", padding),
            ("filters", _sizes("Convolution", "filters", self.filters, 1, 1)[0]),
        ):
            object.__setattr__(self, name, value)
        if min(self.output_shape) < 1:
            raise ValueError(
                f"Convolution: a kernel of {kernel} does not fit into {shape[1:]} with padding {padding}."
            )

    @property
    def output_shape(self):
        """(filters, length) or (filters, height, width) of the postsynaptic population."""
        return (
            self.filters,
            *(
                (n + 2 * p - k) // s + 1
                for n, k, s, p in zip(self.shape[1:], self.kernel, self.stride, self.padding)
            ),
        )

    @property
    def in_degree(self):
        """Synapses of a postsynaptic neuron away from the edges."""
        return self.shape[0] * prod(self.kernel)

    def build(self, n_pre, n_post, same, rng):
        for what, n, shape in (("pre", n_pre, self.shape), ("post", n_post, self.output_shape)):
            if n != prod(shape):
                raise ValueError(
                    f"{self}: the {what}synaptic population has {n} neurons; {what}synaptic feature maps of shape {shape} "
                    f"have {prod(shape)}."
                )
        check_room(self, self.in_degree * prod(self.output_shape), 24)
        source, target, element = self._positions()  # within one map, and within one kernel
        n_source, n_target, n_kernel = (
            int(np.prod(shape)) for shape in (self.shape[1:], self.output_shape[1:], self.kernel)
        )
        channel, filter_ = np.arange(self.shape[0])[:, None, None], np.arange(self.filters)[:, None]
        full = (self.shape[0], self.filters, source.size)
        pre = np.broadcast_to(channel * n_source + source, full).ravel()
        post = np.broadcast_to(filter_ * n_target + target, full).ravel()
        index = np.broadcast_to(
            (filter_ * self.shape[0] + channel) * n_kernel + element, full
        ).ravel()
        order = np.lexsort((post, pre))
        first = np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=n_pre))]).astype(np.int64)
        return (
            first,
            post[order].astype(target_type(n_post)),
            Shared(index[order], (self.filters, self.shape[0], *self.kernel)),
        )

    def _positions(self):
        """(source position, target position, element of the kernel) of all pairs of one map and one filter, flat."""
        source = target = element = np.zeros(1, np.int64)
        for n, out, k, s, p in zip(
            self.shape[1:], self.output_shape[1:], self.kernel, self.stride, self.padding
        ):
            y, e = (
                grid.ravel() for grid in np.meshgrid(np.arange(out), np.arange(k), indexing="ij")
            )
            x = y * s + e - p
            inside = (x >= 0) & (x < n)
            x, y, e = x[inside], y[inside], e[inside]
            source, target, element = (
                np.add.outer(before * size, new).ravel()
                for before, size, new in ((source, n, x), (target, out, y), (element, k, e))
            )
        return source, target, element


@dataclass(frozen=True)
class MaxPool:
    """Windows of neighbours in every feature map, for network.pool: S[c, y] = max over k of S[c, y stride + k], 0 <= k < size.

    shape      (channels, length) or (channels, height, width) of the population whose spikes are pooled
    size, stride   of the windows: whole numbers, or one for each dimension. stride: default size, windows side by side
    What is left at the end of a dimension, too short for a window, is in none (as in PyTorch).
    """

    shape: tuple
    size: object
    stride: object = None

    def __post_init__(self):
        shape = _shape("MaxPool", self.shape)
        n = len(shape) - 1
        size = _sizes("MaxPool", "size", self.size, n, 1)
        stride = size if self.stride is None else _sizes("MaxPool", "stride", self.stride, n, 1)
        for name, value in (("shape", shape), ("size", size), ("stride", stride)):
            object.__setattr__(self, name, value)
        if any(k > m for k, m in zip(size, shape[1:])):
            raise ValueError(
                f"MaxPool: a window of {size} is larger than feature maps of {shape[1:]}."
            )

    @property
    def output_shape(self):
        """(channels, length) or (channels, height, width) of what pools."""
        return (
            self.shape[0],
            *((n - k) // s + 1 for n, k, s in zip(self.shape[1:], self.size, self.stride)),
        )

    @property
    def windows(self):
        """(units, neurons of a window): which neurons each unit looks at, ascending."""
        source, target, _ = Convolution(
            (1, *self.shape[1:]), 1, self.size, self.stride
        )._positions()
        one = source[np.lexsort((source, target))].reshape(-1, int(np.prod(self.size)))
        return (
            np.arange(self.shape[0])[:, None, None] * int(np.prod(self.shape[1:])) + one
        ).reshape(-1, one.shape[1])


# ------------------------------------------------------------------------------------------- layers


def convolutional_layer(
    network,
    source,
    shape,
    filters,
    kernel,
    *,
    stride=1,
    padding=0,
    recurrent_kernel=None,
    name=None,
    neuron=None,
    delay=0.0,
    surrogate=SuperSpike(),
):
    """A population of feature maps with weights of either sign, driven by `source`, whose maps have `shape`. Returns (it, their shape).

    recurrent_kernel: odd, of a convolution of the layer with itself; None: there is none. neuron: default lif().
    """
    checked_network(network)
    rule = Convolution(shape, filters, kernel, stride, padding)
    population = network.population(
        int(np.prod(rule.output_shape)),
        lif() if neuron is None else neuron,
        "unsigned",
        name=name,
        surrogate=surrogate,
    )
    network.connect(source, population, delay=delay, synapses=rule)
    if recurrent_kernel is not None:
        network.connect(
            population,
            population,
            delay=delay,
            synapses=Convolution(rule.output_shape, filters, recurrent_kernel, padding="same"),
        )
    return population, rule.output_shape


def dalian_convolutional_layer(
    network,
    source,
    shape,
    exc_filters,
    inh_filters,
    kernel,
    *,
    stride=1,
    padding=0,
    recurrent_kernel=1,
    name="",
    neuron=None,
    recurrent_excitation=True,
    delay=0.0,
    surrogate=SuperSpike(),
):
    """Excitatory and inhibitory feature maps that obey Dale's law: `dalian_layer` with convolutions. Returns (E, I, shape of E's maps).

    From `source`, whose maps have `shape`, to E and I by `kernel`; E to E and I (unless recurrent_excitation=False) and I to E and I
    by `recurrent_kernel` (odd; 1: neurons of the same position). Populations are called "E" + name and "I" + name.
    """
    checked_network(network)
    neuron, recurrent_excitation = (
        ei_lif() if neuron is None else neuron,
        flag(recurrent_excitation, "recurrent_excitation"),
    )
    instance(name, "name", str, "a text, which follows E and I")
    rules = [
        Convolution(shape, filters, kernel, stride, padding)
        for filters in (exc_filters, inh_filters)
    ]
    e, i = (
        network.population(
            int(np.prod(rule.output_shape)),
            neuron,
            sign,
            name=f"{sign[0].upper()}{name}",
            surrogate=surrogate,
        )
        for rule, sign in zip(rules, ("excitatory", "inhibitory"))
    )
    for post, rule in zip((e, i), rules):
        network.connect(source, post, delay=delay, synapses=rule)
    for pre, maps in zip((e, i), rules):
        for post, filters in (
            ((e, exc_filters), (i, inh_filters)) if pre is i or recurrent_excitation else ()
        ):
            network.connect(
                pre,
                post,
                delay=delay,
                synapses=Convolution(maps.output_shape, filters, recurrent_kernel, padding="same"),
            )
    return e, i, rules[0].output_shape


# ------------------------------------------------------------------------------------------ pooling


def max_pool(spikes, shape, kernel):
    """Spike trains of units of shape (channels, …), pooled: a unit spikes whenever one of its neighbourhood of `kernel` spikes.

    Neighbourhoods do not overlap, and what is left at the end of a dimension makes a smaller one. Spikes of one neighbourhood that
    fall into one time step count once wherever spikes are merged (the default of `run` and `train`). Returns (SpikeTrains, new shape).
    For the data of an input; network.pool pools the spikes of populations.
    """
    check_trains(spikes, "max_pool: spikes")
    shape = _shape("max_pool", shape)
    kernel = _sizes("max_pool", "kernel", kernel, len(shape) - 1, 1)
    if spikes.n_units != np.prod(shape):
        raise ValueError(
            f"max_pool: the spike trains have {spikes.n_units} units; shape {shape} has {int(np.prod(shape))}."
        )
    place, pooled = (
        np.unravel_index(spikes.units, shape),
        (shape[0], *(-(-n // k) for n, k in zip(shape[1:], kernel))),
    )
    units = np.ravel_multi_index((place[0], *(x // k for x, k in zip(place[1:], kernel))), pooled)
    return SpikeTrains(
        spikes.times, units, spikes.offsets, int(np.prod(pooled)), spikes.duration, spikes.labels
    ), pooled
