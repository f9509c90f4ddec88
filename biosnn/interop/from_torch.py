"""Weights of a layer of PyTorch, in the layout of biosnn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import reals


def from_torch(weight: Any) -> NDArray[Any]:
    """Return the weights of a layer of PyTorch as `connect` and `set_weights` take them.

    Parameters
    ----------
    weight
        A tensor or array (post, pre), such as `layer.weight`. Gradients and the device where it
        lies do not matter. PyTorch is not imported.

    Returns
    -------
    A copy, (pre, post).

    Raises
    ------
    ValueError
        If it does not have two axes, or has values that are not finite numbers.

    Notes
    -----
    PyTorch stores what `torch.nn.Linear` and the recurrent layers multiply with as (post, pre), one
    row for each *target*; biosnn has one row for each *source*. The two cannot be told apart where
    a matrix is square, hence this function: it transposes. The values stay as they are, with their
    signs: a population that obeys Dale's law takes non-negative weights only, whose sign lies in
    the receptor.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.interop.from_torch(
    ...     [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    ... ).shape  # two targets, three sources
    (3, 2)
    """
    if hasattr(weight, "detach"):
        weight = weight.detach().cpu()
        weight = weight.numpy() if hasattr(weight, "numpy") else weight
    weight = reals(weight, "from_torch: weight, (post, pre),", shape=(None, None))
    return np.ascontiguousarray(weight.T).copy()
