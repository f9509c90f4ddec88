"""Values drawn at random: what a distribution is, weights and delays from one; delays in steps.

Random numbers belong to chunks of values, each with a generator of its own, so that the result
does not depend on the number of threads.
"""

import inspect
from collections.abc import Callable
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


def draw_weights(values: Any, size: int, key: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return weights from a distribution.

    Parameters
    ----------
    values
        A distribution or a function (rng, size) -> values.
    size
        How many.
    key
        A whole number that the random numbers depend on.
    dtype
        Type of the weights.

    Returns
    -------
    (size,) weights.

    Examples
    --------
    >>> draw_weights(lambda rng, size: np.ones(size), 3, 1, np.float32)
    array([1., 1., 1.], dtype=float32)
    """
    result = np.empty(size, dtype)

    def work(chunk, start):
        stop = min(start + _CHUNK, size)
        drawn = draw(values, np.random.default_rng([key, chunk]), stop - start)
        result[start:stop] = reals(drawn, f"values drawn from {shown(values)}", dtype=dtype)

    on_threads(work, list(enumerate(range(0, size, _CHUNK))))
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


def draw_delays(values: Any, size: int, key: int, dt: float, what: str) -> NDArray[Any]:
    """Return delays in steps from a distribution in seconds.

    Parameters
    ----------
    values
        A distribution or a function (rng, size) -> seconds.
    size
        How many.
    key
        A whole number that the random numbers depend on.
    dt
        The time step in seconds.
    what
        Whose delays, for messages.

    Returns
    -------
    (size,) steps, as uint8 if they fit, else as uint16.

    Examples
    --------
    >>> draw_delays(lambda rng, size: np.full(size, 2e-3), 2, 1, 1e-3, "A->B")
    array([2, 2], dtype=uint8)
    """
    for kind in (np.uint8, np.uint16):
        result = np.empty(size, kind)
        if _draw_delays_into(result, values, key, dt, what):
            return result
    raise AssertionError("delay_steps lets no longer delay pass")


def _draw_delays_into(result, values, key, dt, what):
    """Fill an array with steps; returns whether they all fit into its type."""
    fits, most = [], np.iinfo(result.dtype).max

    def work(chunk, start):
        stop = min(start + _CHUNK, result.size)
        drawn = draw(values, np.random.default_rng([key, chunk]), stop - start)
        steps = delay_steps(drawn, dt, what)
        fits.append(steps.max() <= most)
        result[start:stop] = steps

    on_threads(work, list(enumerate(range(0, result.size, _CHUNK))))
    return all(fits)


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
    return steps.astype(np.uint8 if not steps.size or steps.max() <= 255 else np.uint16)
