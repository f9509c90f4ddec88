"""What losses look at, as arrays (trial, step, unit), and masks that weight their steps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import reals


def as_readout(readout: Any, what: str = "readout") -> NDArray[np.floating]:
    """Return what a loss looks at as floats (trial, step, unit).

    An array of this kind is returned as it is. Its values are not checked, since there may be many.

    Parameters
    ----------
    what
        Its name in messages.

    Raises
    ------
    ValueError
        If it is no array of real numbers with three axes.

    Examples
    --------
    >>> as_readout([[[0, 1]]])
    array([[[0., 1.]]])
    """
    if type(readout) is np.ndarray and readout.ndim == 3 and readout.dtype.kind == "f":
        return readout
    return reals(readout, f"{what} (trial, step, unit)", shape=(None, None, None), flags=True)


def of_one_shape(readout: Any, target: Any) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return a readout and a target as two arrays (trial, step, unit).

    Raises
    ------
    ValueError
        If their shapes differ.

    Examples
    --------
    >>> readout, target = of_one_shape([[[0, 1]]], [[[1, 1]]])
    >>> readout - target
    array([[[-1.,  0.]]])
    """
    readout, target = as_readout(readout), as_readout(target, "target")
    if readout.shape != target.shape:
        raise ValueError(
            f"readout has shape {readout.shape} and target {target.shape}; "
            "both must be (trial, step, unit)."
        )
    return readout, target


def full_mask(mask: Any, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Return the weight of every element of an array of `shape`: the mask, or ones without one.

    Parameters
    ----------
    mask
        Weights (trial, step) or (trial, step, unit), or None.
    shape
        (trial, step), or (trial, step, unit).

    Raises
    ------
    ValueError
        If the mask has another shape.

    Examples
    --------
    >>> full_mask([[0, 1]], (1, 2, 3)).sum(axis=2)
    array([[0., 3.]])
    """
    if mask is None:
        return np.ones(shape)
    mask = reals(mask, "mask", flags=True)
    if mask.shape not in (shape[: mask.ndim], shape[:2]):
        raise ValueError(
            f"mask has shape {mask.shape}; it must be (trial, step) or (trial, step, unit), "
            f"here {shape}."
        )
    return np.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)), shape)


def counted(mask: Any, readout: NDArray[Any]) -> NDArray[np.bool_]:
    """Return (trial, step) which steps a loss of whole trials looks at: those of weight above 0.

    Parameters
    ----------
    mask
        (trial, step), such as the steps until the end of each trial.
    readout
        (trial, step, unit).

    Examples
    --------
    >>> counted([[1, 0.5, 0]], np.zeros((1, 3, 2)))
    array([[ True,  True, False]])
    """
    return full_mask(mask, readout.shape[:2]) > 0


def mask_sum(mask: Any, shape: tuple[int, ...]) -> float:
    """Return the sum of the weights of all trials, steps and units.

    Parameters
    ----------
    mask, shape
        As for `full_mask`.

    Raises
    ------
    ValueError
        If a weight is negative, or none is positive.

    Examples
    --------
    >>> mask_sum(None, (4, 5, 2)), mask_sum([[0, 1]], (1, 2, 3))
    (40.0, 3.0)
    """
    weight = full_mask(mask, shape)
    if (weight.size and weight.min() < 0) or not weight.sum() > 0:
        raise ValueError(
            "a mask holds weights >= 0 with at least one above 0; otherwise no step counts "
            "towards the loss."
        )
    return float(weight.sum())
