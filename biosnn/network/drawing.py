"""Values drawn at random: what a distribution is, weights and delays from one; delays in steps.

Random numbers belong to chunks of values, each with a generator of its own, so that the result
does not depend on the number of threads.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..support import timegrid
from ..support.checks import has_axes, instance, reals, refuse, shown, whole
from ..support.memory import check_room
from ..support.threads import on_threads
from .profiles import Profile

_CHUNK = 1 << 16  # values that one generator draws: part of the result, so it never changes
_MOST_STEPS = 65535  # of a delay
_SHORT_STEPS = 255  # that a byte holds


@runtime_checkable
class Distribution(Protocol):
    """What weights, delays and initial states can be drawn from: anything with `draw`.

    `Normal`, `LogNormal` and their like are distributions; write your own as below. A function
    (rng, size) -> values will do, too.

    Examples
    --------
    Weights of which nine tenths are zero:

    >>> import biosnn as bs
    >>> class Sparse:
    ...     def __init__(self, weight):
    ...         self.weight = weight
    ...
    ...     def draw(self, rng, size):
    ...         return self.weight * (rng.random(size) < 0.1)
    >>> net = bs.Network(dt=1e-3)
    >>> a = net.population(100, bs.lif(), name="A")
    >>> projection = net.connect(a, a, weights=Sparse(0.3), seed=1)
    >>> round(float(net.weights["A->A"].mean()), 3)
    0.03
    """

    def draw(self, rng: np.random.Generator, size: Any) -> NDArray[Any]:
        """Draw values.

        Parameters
        ----------
        rng
            Where the random numbers come from; nothing else may be random.
        size
            A whole number or a shape. Weights and delays ask for a whole number.

        Returns
        -------
        Real numbers of that shape.
        """
        ...


#: A distribution, or a function (rng, size) -> values.
Random: TypeAlias = Distribution | Callable[[np.random.Generator, int], Any]


def is_random(values: Any) -> bool:
    """Return whether values are to be drawn: from a distribution or a function (rng, size).

    Parameters
    ----------
    values
        Anything.

    Examples
    --------
    >>> is_random(lambda rng, size: rng.random(size)), is_random(0.3)
    (True, False)
    """
    return hasattr(values, "draw") or (callable(values) and not isinstance(values, Profile))


def asked(rng: Any, size: Any) -> tuple[np.random.Generator, int | tuple[int, ...]]:
    """Return the checked generator and size of what is to be drawn.

    Parameters
    ----------
    rng
        A numpy Generator.
    size
        A whole number, or a tuple or list of them.

    Raises
    ------
    ValueError
        If they are something else, or there is no memory for that many values.

    Examples
    --------
    >>> asked(np.random.default_rng(1), [2, 3])[1]
    (2, 3)
    """
    instance(rng, "rng", np.random.Generator, "a numpy Generator, such as np.random.default_rng(1)")
    if has_axes(size):
        size = tuple(whole(n, "one of size", 0) for n in size)
    else:
        size = whole(size, "size", 0)
    check_room("draw", prod(size) if isinstance(size, tuple) else size, 8, "values")
    return rng, size


def draw(values: Any, rng: np.random.Generator, size: int) -> NDArray[Any]:
    """Return numbers from what `is_random`.

    Parameters
    ----------
    values
        A distribution or a function (rng, size) -> values.
    rng
        Where the random numbers come from.
    size
        How many.

    Returns
    -------
    (size,) real numbers.

    Raises
    ------
    ValueError
        If `values` is a class, cannot be called like this, or returns something else.

    Examples
    --------
    >>> draw(lambda rng, size: rng.random(size), np.random.default_rng(1), 3).shape
    (3,)
    """
    function = getattr(values, "draw", values)
    try:
        if isinstance(values, type):
            raise TypeError("a class")
        inspect.signature(function).bind(rng, size)
    except TypeError:
        refuse(
            "what values are to be drawn from",
            values,
            "a distribution, such as Normal(0.2, 0.02), a function (rng, size) -> values, or, of "
            "distance, bs.space.OfDistance(function)",
        )
    except ValueError:  # a function of compiled code, which does not tell
        pass
    drawn = reals(function(rng, size), f"values drawn from {shown(values)}")
    if drawn.shape != (size,):
        raise ValueError(
            f"{shown(values)} drew an array of shape {drawn.shape} where {size} values were asked "
            "for."
        )
    return drawn


@dataclass(frozen=True, eq=False)
class Drawn:
    """Values that can be drawn again and again, in pieces: chunks have generators of their own.

    Parameters
    ----------
    values
        A distribution or a function (rng, size) -> values.
    size
        How many.
    key
        A whole number that the random numbers depend on.
    kind
        Makes the values what they are for: checks them, and gives them their type.

    Examples
    --------
    >>> some = Drawn(lambda rng, size: rng.random(size), 200_000, 1, np.float32)
    >>> bool((some.part(70_000, 70_003) == some.part(0, 200_000)[70_000:70_003]).all())
    True
    """

    values: Any
    size: int
    key: int
    kind: Callable[[NDArray[Any]], NDArray[Any]]

    def chunks(self, begin: int, end: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first, values) of the chunks that the values begin .. end - 1 lie in."""
        for chunk in range(begin // _CHUNK, -(-end // _CHUNK)):
            first = chunk * _CHUNK
            rng = np.random.default_rng([self.key, chunk])
            yield first, self.kind(draw(self.values, rng, min(_CHUNK, self.size - first)))

    def part(self, begin: int, end: int) -> NDArray[Any]:
        """Return the values begin .. end - 1."""
        parts = [
            values[max(begin - first, 0) : end - first] for first, values in self.chunks(begin, end)
        ]
        return np.concatenate(parts) if parts else self.kind(np.empty(0))

    def jobs(self) -> list[tuple[int, int]]:
        """Return the ranges (begin, end) of all chunks, for threads."""
        begins = range(0, self.size, _CHUNK)
        return [(begin, min(begin + _CHUNK, self.size)) for begin in begins]


def drawn_weights(values: Any, size: int, key: int, dtype: DTypeLike) -> Drawn:
    """Return weights from a distribution, not drawn yet.

    Parameters
    ----------
    values, size, key
        As for `Drawn`.
    dtype
        Type of the weights.
    """
    what = f"values drawn from {shown(values)}"
    return Drawn(values, size, key, partial(reals, name=what, dtype=dtype))


def draw_all(drawn: Drawn, dtype: DTypeLike) -> NDArray[Any]:
    """Return all values.

    Parameters
    ----------
    drawn
        What is to be drawn.
    dtype
        Type of the values.

    Examples
    --------
    >>> draw_all(
    ...     drawn_weights(lambda rng, size: np.ones(size), 3, 1, np.float32), np.float32
    ... )
    array([1., 1., 1.], dtype=float32)
    """
    result = np.empty(drawn.size, dtype)

    def work(begin, end):
        result[begin:end] = drawn.part(begin, end)

    on_threads(work, drawn.jobs())
    return result


# ------------------------------------------------------------------------------------------ delays


def delay_steps(delays: Any, dt: float, what: str) -> Any:
    """Return delays in steps, the nearest.

    Parameters
    ----------
    delays
        Seconds, a number or an array.
    dt
        The time step in seconds.
    what
        Whose delays, for messages.

    Returns
    -------
    An int, or an array of int64.

    Raises
    ------
    ValueError
        If a delay is negative, not finite, or longer than 65 535 steps.

    Examples
    --------
    >>> delay_steps(1.5e-3, 1e-4, "A->B")
    15
    """
    delays = np.asarray(delays, float)
    wrong = ~(np.isfinite(delays) & (delays >= 0))
    if np.any(wrong):
        raise ValueError(
            f"{what}: delay is {float(delays[wrong].ravel()[0])!r} s; it must be finite and >= 0: "
            "an effect cannot precede its cause."
        )
    if delays.size and delays.max() / dt >= _MOST_STEPS + 0.5:
        raise ValueError(
            f"{what}: a delay of {delays.max():g} s is {delays.max() / dt:.0f} steps of dt = "
            f"{dt:g} s; it can be 65 535 steps at most. Delays are seconds."
        )
    return timegrid.nearest_steps(delays, dt)


def drawn_delays(values: Any, size: int, key: int, dt: float, what: str) -> Drawn:
    """Return delays in steps from a distribution in seconds, not drawn yet.

    Parameters
    ----------
    values, size, key
        As for `Drawn`.
    dt
        The time step in seconds.
    what
        Whose delays, for messages.
    """
    return Drawn(values, size, key, partial(delay_steps, dt=dt, what=what))


def range_of_delays(delays: Drawn) -> tuple[int, int]:
    """Return the shortest and the longest of delays in steps, which are drawn and forgotten.

    Examples
    --------
    >>> range_of_delays(
    ...     drawn_delays(lambda rng, size: np.full(size, 2e-3), 9, 1, 1e-3, "A->B")
    ... )
    (2, 2)
    """

    def work(begin, end):
        steps = delays.part(begin, end)
        return int(steps.min()), int(steps.max())

    found = on_threads(work, delays.jobs()) or [(0, 0)]
    return min(low for low, _ in found), max(high for _, high in found)


def draw_delays(delays: Drawn) -> NDArray[Any]:
    """Return all of them, as uint8 if they fit, else as uint16.

    Examples
    --------
    >>> draw_delays(
    ...     drawn_delays(lambda rng, size: np.full(size, 2e-3), 2, 1, 1e-3, "A->B")
    ... )
    array([2, 2], dtype=uint8)
    """
    try:
        return draw_all(replace(delays, kind=partial(_short_steps, delays.kind)), np.uint8)
    except OverflowError:
        return draw_all(delays, np.uint16)


def _short_steps(kind, values):
    """Delays in steps of one byte; OverflowError if they need two."""
    steps = kind(values)
    if steps.size and steps.max() > _SHORT_STEPS:
        raise OverflowError
    return steps.astype(np.uint8)


def compact_delays(steps: NDArray[Any]) -> NDArray[Any]:
    """Return delays in steps in the smallest type that holds them.

    Parameters
    ----------
    steps
        Whole numbers from 0 to 65 535.

    Examples
    --------
    >>> compact_delays(np.array([1, 300])).dtype
    dtype('uint16')
    """
    return steps.astype(type_of_delays(steps.max(initial=0)))


def type_of_delays(longest: int) -> type[np.uint8] | type[np.uint16]:
    """Return the smallest type that holds delays up to that many steps."""
    return np.uint8 if longest <= _SHORT_STEPS else np.uint16
