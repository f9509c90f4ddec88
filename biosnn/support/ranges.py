"""Ranges of whole numbers, one after the other in one array."""

import numpy as np

__all__ = ["ranges"]


def ranges(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return first[k], first[k] + 1, …, first[k] + count[k] - 1 for every k, as one array.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])
    """
    return np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
