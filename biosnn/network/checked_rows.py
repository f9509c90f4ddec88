"""What a rule has built, checked: rows of anybody's rule, as kernels need them."""

from typing import Any

import numpy as np

from .synapses import Rows, Shared, target_type

_CHECKED = 1 << 20  # synapses that are looked at together, so that a check takes little memory


def checked_rows(built: Any, n_pre: int, n_post: int, what: str) -> Rows:
    """Return what a rule has built, as kernels need it.

    Parameters
    ----------
    built
        `Rows`, or a tuple (first, target, shared) of anybody's rule.
    n_pre, n_post
        Numbers of neurons.
    what
        Whose rule, for messages.

    Returns
    -------
    Rows of the types that `Synapses` has.

    Raises
    ------
    ValueError
        If rows do not begin at 0 and follow each other, targets are not neurons of the population
        or not ascending, or weights lie outside of their array.

    Examples
    --------
    >>> checked_rows((np.array([0, 1, 2]), np.array([1, 0]), None), 2, 2, "A->B").target
    array([1, 0], dtype=uint16)
    """
    if not isinstance(built, tuple) or len(built) != 3:
        raise ValueError(f"{what}: build must return Rows(first, target, shared).")
    first, target, shared = built
    first = _whole_numbers(first, f"{what}: first")
    target = _whole_numbers(target, f"{what}: target")
    if first.shape != (n_pre + 1,) or first[0] != 0 or first[-1] != target.size:
        raise ValueError(
            f"{what}: first must have n_pre + 1 = {n_pre + 1} elements, from 0 to the number of "
            f"targets, {target.size}."
        )
    if np.any(first[1:] < first[:-1]):
        raise ValueError(f"{what}: first must not descend: row j ends where row j + 1 begins.")
    first = first.astype(np.int64, copy=False)
    _check_targets(first, target, n_post, what)
    if shared is not None:
        shared = _checked_shared(shared, target.size, what)
    return Rows(first, target.astype(target_type(n_post), copy=False), shared)


def _whole_numbers(values, what):
    """An array with one axis of whole numbers."""
    values = np.asarray(values)
    if values.ndim != 1 or (values.dtype.kind not in "iu" and values.size):
        raise ValueError(f"{what} must be an array of whole numbers with one axis.")
    return values if values.dtype.kind in "iu" else values.astype(np.int64)


def _check_targets(first, target, n_post, what):
    """Raise a ValueError unless targets are neurons and ascend within each row."""
    for start in range(0, target.size, _CHECKED):
        part = target[start : start + _CHECKED + 1]
        if part.min() < 0 or part.max() >= n_post:
            raise ValueError(
                f"{what}: targets run from {part.min()} to {part.max()}; the population has the "
                f"neurons 0 .. {n_post - 1}."
            )
        descends = np.flatnonzero(part[1:] < part[:-1]) + start + 1
        if not np.array_equal(first[np.searchsorted(first, descends)], descends):
            raise ValueError(f"{what}: targets must ascend within the row of a neuron; sort them.")


def _checked_shared(shared, size, what):
    """The places of weights, all within the array that they point into."""
    element, shape = shared
    element = _whole_numbers(element, f"{what}: shared.element").astype(np.int64, copy=False)
    most = int(np.prod(shape, dtype=np.int64))
    if element.size != size or (size and (element.min() < 0 or element.max() >= most)):
        raise ValueError(
            f"{what}: shared.element must have one element for each of the {size} synapses, from 0 "
            f"to {most - 1}: weights have the shape {tuple(shape)}."
        )
    return Shared(element, tuple(shape))
