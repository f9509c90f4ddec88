"""Convolution: projections between feature maps with shared weights, and pooling.

Neurons of a population of feature maps lie as (channel, position) or (channel, row, column) in C
order: neuron (c * height + y) * width + x. Everything here is for one dimension (length) or two
(height, width). Layers of feature maps are in layers.py.
"""

from dataclasses import KW_ONLY, dataclass
from math import prod
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data.spike_trains import SpikeTrains, check_trains
from ..support.checks import has_axes, keep, refuse, whole
from ..support.memory import check_room
from .connectivity import first_of_rows
from .synapses import Rows, Shared, target_type

_MOST = 2**31 - 1  # of neurons in a dimension

#: A whole number for all dimensions, or one for each.
Sizes: TypeAlias = int | tuple[int, ...]


@dataclass(frozen=True)
class Convolution:
    """A rule for `connect`: every target neuron sums over the kernel of its filter.

    Parameters
    ----------
    shape
        (channels, length) or (channels, height, width) of the presynaptic population.
    filters
        Number of feature maps of the postsynaptic population.
    kernel, stride, padding
        Whole numbers, or one for each dimension; beyond the edges there are no spikes.
        padding="same" (odd kernels): as many positions as before, divided by the stride and
        rounded up.

    Raises
    ------
    ValueError
        If the kernel does not fit into the feature maps.

    Notes
    -----
    current[f, y] += sum_{c, k} w[f, c, k] S[c, y stride + k - padding]. Weights of the projection
    are the kernels, (filters, channels, length) or (filters, channels, height, width).

    Examples
    --------
    >>> Convolution((2, 8, 8), filters=4, kernel=3).output_shape
    (4, 6, 6)
    """

    shape: tuple[int, ...]
    filters: int
    kernel: Any
    _: KW_ONLY
    stride: Any = 1
    padding: Any = 0
    random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        shape = _shape("Convolution", self.shape)
        n = len(shape) - 1
        kernel = _sizes("Convolution", "kernel", self.kernel, n, 1)
        stride = _sizes("Convolution", "stride", self.stride, n, 1)
        padding = self._padding(kernel, n)
        filters = _sizes("Convolution", "filters", self.filters, 1, 1)[0]
        keep(self, shape=shape, kernel=kernel, stride=stride, padding=padding, filters=filters)
        if min(self.output_shape) < 1:
            raise ValueError(
                f"Convolution: a kernel of {kernel} does not fit into {shape[1:]} with padding "
                f"{padding}."
            )

    def _padding(self, kernel, n):
        """Padding in each dimension."""
        if not (isinstance(self.padding, str) and self.padding == "same"):
            return _sizes("Convolution", "padding", self.padding, n, 0)
        if any(k % 2 == 0 for k in kernel):
            raise ValueError(
                "Convolution: padding='same' needs an odd kernel, whose middle is a neuron; kernel "
                f"is {self.kernel!r}."
            )
        return tuple(k // 2 for k in kernel)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(filters, length) or (filters, height, width) of the postsynaptic population."""
        dimensions = zip(self.shape[1:], self.kernel, self.stride, self.padding, strict=True)
        return (self.filters, *((n + 2 * p - k) // s + 1 for n, k, s, p in dimensions))

    @property
    def in_degree(self) -> int:
        """Synapses of a postsynaptic neuron away from the edges."""
        return self.shape[0] * prod(self.kernel)

    def build(self, n_pre: int, n_post: int, same: bool, rng: Any) -> Rows:
        """Build the synapses (see `Rule`)."""
        for what, n, shape in (("pre", n_pre, self.shape), ("post", n_post, self.output_shape)):
            if n != prod(shape):
                raise ValueError(
                    f"{self}: the {what}synaptic population has {n} neurons; {what}synaptic "
                    f"feature maps of shape {shape} have {prod(shape)}."
                )
        check_room(self, self.in_degree * prod(self.output_shape), 24)
        source, target, element = self._positions()
        n_source, n_target = prod(self.shape[1:]), prod(self.output_shape[1:])
        channel = np.arange(self.shape[0])[:, None, None]
        filter_ = np.arange(self.filters)[:, None]
        full = (self.shape[0], self.filters, source.size)
        pre = np.broadcast_to(channel * n_source + source, full).ravel()
        post = np.broadcast_to(filter_ * n_target + target, full).ravel()
        index = (filter_ * self.shape[0] + channel) * prod(self.kernel) + element
        index = np.broadcast_to(index, full).ravel()
        order = np.lexsort((post, pre))
        return Rows(
            first_of_rows(pre, n_pre),
            post[order].astype(target_type(n_post)),
            Shared(index[order], (self.filters, self.shape[0], *self.kernel)),
        )

    def _positions(self):
        """Source, target and element of the kernel of all pairs of one map and one filter."""
        source = target = element = np.zeros(1, np.int64)
        dimensions = zip(
            self.shape[1:],
            self.output_shape[1:],
            self.kernel,
            self.stride,
            self.padding,
            strict=True,
        )
        for n, out, k, s, p in dimensions:
            y, e = np.meshgrid(np.arange(out), np.arange(k), indexing="ij")
            y, e = y.ravel(), e.ravel()
            x = y * s + e - p
            inside = (x >= 0) & (x < n)
            source = np.add.outer(source * n, x[inside]).ravel()
            target = np.add.outer(target * out, y[inside]).ravel()
            element = np.add.outer(element * k, e[inside]).ravel()
        return source, target, element


@dataclass(frozen=True)
class MaxPool:
    """Windows of neighbours in every feature map, for `Network.pool`.

    Parameters
    ----------
    shape
        (channels, length) or (channels, height, width) of the population whose spikes are pooled.
    size, stride
        Size and stride of the windows: whole numbers, or one for each dimension. The default stride
        is the size: windows lie side by side. What is left at the end of a dimension, too short for
        a window, belongs to none (as in PyTorch).

    Notes
    -----
    S[c, y] = max over k of S[c, y stride + k], 0 <= k < size.

    Examples
    --------
    >>> MaxPool((4, 8, 8), size=2).output_shape
    (4, 4, 4)
    """

    shape: tuple[int, ...]
    size: Any
    _: KW_ONLY
    stride: Any = None

    def __post_init__(self) -> None:
        shape = _shape("MaxPool", self.shape)
        n = len(shape) - 1
        size = _sizes("MaxPool", "size", self.size, n, 1)
        stride = size if self.stride is None else _sizes("MaxPool", "stride", self.stride, n, 1)
        keep(self, shape=shape, size=size, stride=stride)
        if any(k > m for k, m in zip(size, shape[1:], strict=True)):
            raise ValueError(
                f"MaxPool: a window of {size} is larger than feature maps of {shape[1:]}."
            )

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(channels, length) or (channels, height, width) of the pooling units."""
        dimensions = zip(self.shape[1:], self.size, self.stride, strict=True)
        return (self.shape[0], *((n - k) // s + 1 for n, k, s in dimensions))

    @property
    def windows(self) -> NDArray[np.int64]:
        """(units, neurons of a window): which neurons each unit looks at, ascending."""
        one_map = Convolution((1, *self.shape[1:]), 1, self.size, stride=self.stride)
        source, target, _ = one_map._positions()
        one = source[np.lexsort((source, target))].reshape(-1, prod(self.size))
        channel = np.arange(self.shape[0])[:, None, None]
        return (channel * prod(self.shape[1:]) + one).reshape(-1, one.shape[1])


def max_pool(
    spikes: SpikeTrains, shape: tuple[int, ...], kernel: Sizes
) -> tuple[SpikeTrains, tuple[int, ...]]:
    """Pool spike trains of feature maps, for the data of an input.

    A unit spikes whenever one of its neighbourhood spikes. `Network.pool` pools the spikes of
    populations.

    Parameters
    ----------
    spikes
        Trains of units of shape `shape`.
    shape
        (channels, length) or (channels, height, width).
    kernel
        Size of the neighbourhoods, a whole number or one for each dimension. They do not overlap;
        what is left at the end of a dimension makes a smaller one.

    Returns
    -------
    spikes
        The pooled trains. Spikes of one neighbourhood that fall into one time step count once
        wherever spikes are merged (the default of `run` and `train`).
    shape
        The new shape.

    Raises
    ------
    ValueError
        If the trains have another number of units.

    Examples
    --------
    >>> import biosnn as bs
    >>> trains = bs.data.poisson(
    ...     rates=20.0, n_units=64, n_trials=2, duration=0.1, seed=1
    ... )
    >>> pooled, shape = bs.max_pool(trains, (1, 8, 8), 2)
    >>> shape, pooled.n_units
    ((1, 4, 4), 16)
    """
    check_trains(spikes, "max_pool: spikes")
    shape = _shape("max_pool", shape)
    sizes = _sizes("max_pool", "kernel", kernel, len(shape) - 1, 1)
    if spikes.n_units != prod(shape):
        raise ValueError(
            f"max_pool: the spike trains have {spikes.n_units} units; shape {shape} has "
            f"{prod(shape)}."
        )
    channel, *position = np.unravel_index(spikes.units, shape)
    pooled = (shape[0], *(-(-n // k) for n, k in zip(shape[1:], sizes, strict=True)))
    position = [x // k for x, k in zip(position, sizes, strict=True)]
    units = np.ravel_multi_index((channel, *position), pooled)
    trains = SpikeTrains(
        times=spikes.times,
        units=units,
        offsets=spikes.offsets,
        n_units=prod(pooled),
        duration=spikes.duration,
        ends=spikes.ends,
        labels=spikes.labels,
    )
    return trains, pooled


# ------------------------------------------------------------------------------------------- checks


def _sizes(what, name, value, n, least):
    """A whole number, or one for each dimension, as a tuple."""
    several = isinstance(value, (tuple, list, np.ndarray)) and has_axes(value)
    values = tuple(value) if several else (value,) * n
    if len(values) != n:
        allowed = f"a whole number >= {least}" + (f", or {n} of them" if n > 1 else "")
        refuse(f"{what}: {name}", value, allowed)
    return tuple(whole(v, f"{what}: {name}", least, _MOST) for v in values)


def _shape(what, shape):
    """(channels, length) or (channels, height, width) as plain numbers."""
    allowed = "(channels, length) or (channels, height, width)"
    several = isinstance(shape, (tuple, list, np.ndarray)) and has_axes(shape)
    if not several or len(shape) not in (2, 3):
        refuse(f"{what}: shape", shape, allowed)
    return tuple(whole(n, f"{what}: shape, {allowed},", 1, _MOST) for n in shape)
