"""Arrays in signatures as `NDArray[float64]` and `ArrayLike`, not as what these stand for.

numpy's names are aliases of long unions, which signatures would spell out. It must be imported
before biosnn.
"""

from typing import Generic, TypeVar

import numpy.typing

Scalar = TypeVar("Scalar")


class NDArray(Generic[Scalar]):
    """An array."""

    __module__ = "numpy.typing"


class ArrayLike:
    """What becomes an array."""

    __module__ = "numpy.typing"


numpy.typing.NDArray = NDArray
numpy.typing.ArrayLike = ArrayLike
