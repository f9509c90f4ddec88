"""Rows of tables (kernels/arrays.py) from dictionaries, and the vector of numbers they point to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from ..kernels.arrays import BLOCK
from ..kernels.room import aligned

_LINE = 16  # numbers of a cache line: every vector begins at one


def table(dtype: np.dtype, rows: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
    """Return rows as a structured array; fields that a row does not name are 0."""
    result = np.zeros(len(rows), dtype)
    for k, row in enumerate(rows):
        for name, value in row.items():
            result[name][k] = value
    return as_rows(result)


def as_rows(array: NDArray[Any]) -> NDArray[Any]:
    """Return a structured array whose rows have their fields as attributes, compiled or not."""
    named = numba.config.DISABLE_JIT and array.dtype.names
    return array.view(np.recarray) if named else array


class Numbers:
    """Numbers of neurons in one vector: one for each neuron, or BLOCK equal ones.

    Parameters
    ----------
    dtype
        Type of the numbers.
    """

    def __init__(self, dtype: np.dtype):
        self._parts: list[NDArray] = []
        self._known: dict[tuple, int] = {}
        self._size, self._dtype = 0, dtype

    def add(self, values: Any, n: int, own: bool = False) -> tuple[int, int]:
        """Return (first element, step) of numbers: step 0 if one number serves all n neurons.

        Parameters
        ----------
        values
            One number, or an array (n,).
        n
            Number of neurons.
        own
            Whether the place must not be shared with other numbers, nor among neurons: gradients by
            it are wanted.
        """
        values = np.asarray(values, float)
        if values.ndim and not own and n and np.all(values == values.flat[0]):
            values = values.flat[0]
        if np.ndim(values) == 0 and not own:
            key = (float(values), min(n, BLOCK))
            if key not in self._known:
                self._known[key] = self._append(np.full(min(n, BLOCK), values))
            return self._known[key], 0
        return self._append(np.broadcast_to(values, n)), 1

    def _append(self, values):
        """The first element of numbers behind all others."""
        first = self._size
        self._parts.append(values)
        self._size += -(-values.size // _LINE) * _LINE
        return first

    def joined(self) -> NDArray[Any]:
        """Return the vector."""
        result = aligned(self._size, self._dtype)
        result[:] = 0
        at = 0
        for part in self._parts:
            result[at : at + part.size] = part
            at += -(-part.size // _LINE) * _LINE
        return result
