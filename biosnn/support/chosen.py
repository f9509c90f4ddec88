"""Which of n things: indices, a slice, a mask or None for all; and a random share of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import as_array, refuse, shown, whole, wholes


def chosen(given: Any, n: int, what: str, also: str = "") -> NDArray[np.int64]:
    """Return the indices of what was chosen of n neurons.

    Parameters
    ----------
    given
        None for all, a slice, an index, a list of indices, or a mask of length `n`.
    n
        How many there are.
    what
        Name of the argument, for messages.
    also
        What else the caller takes, for messages.

    Raises
    ------
    ValueError
        If an index is not in -n .. n - 1.

    Examples
    --------
    >>> chosen(slice(0, 10, 4), 10, "neurons"), chosen([-1], 10, "neurons")
    (array([0, 4, 8]), array([9]))
    """
    allowed = f"neurons of 0 .. {n - 1}: a list, a slice, a mask, or None for all{also}"
    if given is None:
        return np.arange(n)
    if isinstance(given, slice):
        return np.arange(n)[_whole_slice(given, what)]
    array = as_array(given, what, allowed)
    if array.dtype == bool and array.shape == (n,):
        return np.flatnonzero(array)
    if array.dtype == bool:
        raise ValueError(f"{what}: a mask of shape {array.shape}; there are {n} neurons.")
    if array.ndim > 1 or (array.dtype.kind not in "iu" and array.size):
        refuse(what, given, allowed)
    if np.any((array < -n) | (array >= n)):
        raise ValueError(f"{what} is {shown(given)}; it must be {allowed}.")
    return np.atleast_1d(wholes(array, what)) % n


def _whole_slice(given, what):
    """The slice with plain whole numbers as its ends."""
    start, stop, step = (
        None if end is None else whole(end, f"{what}: the slice")
        for end in (given.start, given.stop, given.step)
    )
    if step == 0:
        refuse(what, given, "a slice with a step")
    return slice(start, stop, step)


def share(of: NDArray[Any], fraction: float, rng: np.random.Generator) -> NDArray[Any]:
    """Return a random share of an array, in its order.

    With one stream of random numbers, a larger share has all of a smaller one.

    Parameters
    ----------
    of
        An array with one axis.
    fraction
        How much of it, from 0 to 1; its number is rounded to the nearest.
    rng
        Where the random numbers come from.

    Examples
    --------
    >>> share(np.arange(100), 0.25, np.random.default_rng(1)).size
    25
    """
    n = share_size(of.size, fraction)
    if n == of.size:
        return of
    marks = np.zeros(of.size, bool)
    marks[np.argpartition(rng.random(of.size), n)[:n]] = True
    return of[marks]


def share_size(size: int, fraction: float) -> int:
    """Return how many a share of `size` things are, rounded to the nearest.

    Examples
    --------
    >>> share_size(10, 0.25)
    3
    """
    return int(fraction * size + 0.5)
