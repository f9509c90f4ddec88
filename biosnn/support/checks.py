"""Checks of what users give: each returns a plain Python or numpy value, or raises a ValueError.

Whatever numpy scalar, list or quantity went in, what comes out is an `int`, `float`, `bool` or
array of the wanted type within bounds: no narrow integer overflows later, and no flag of 2 makes a
kernel compile again. Messages say what was given, what is allowed, and why.

All checks take what was given first, and the name of the argument second, for the message. Bounds
are low <= value <= high and above < value < below; `why` is the reason that a message ends with,
and `shape` the one that an array must have, with None for axes of any length.
"""

import numbers
import os
from pathlib import Path
from typing import Any

import numpy as np

from .messages import bounds, type_of
from .messages import refuse as refuse
from .messages import shown as shown
from .units import hertz, is_quantity, seconds
from .warn import warn_if_implausible

_INT64 = np.iinfo(np.int64)


# ------------------------------------------------------------------------------------------ numbers


def whole(
    value: Any, name: str, low: int | None = None, high: int | None = None, *, why: str = ""
) -> int:
    """Return a whole number of at most 64 bits as an `int`. Neither flags nor floats pass.

    Examples
    --------
    >>> whole(np.int8(3), "n", low=1)
    3
    """
    found = _scalar(value)
    if isinstance(found, numbers.Integral) and not isinstance(
        found, (bool, np.bool_, np.timedelta64)
    ):
        number = int(found)
        least, most = (_INT64.min if low is None else low), (_INT64.max if high is None else high)
        if least <= number <= most:
            return number
        if (low is None and number < least) or (high is None and number > most):
            refuse(
                name,
                value,
                "a whole number of 64 bits"
                if low is None
                else f"a whole number from {low} to {most}",
                why,
            )
    return refuse(name, value, "a whole number" + bounds(low, high), why)


def real(
    value: Any,
    name: str,
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
    infinite: bool = False,
    unit: str = "",
    why: str = "",
) -> float:
    """Return a real number as a `float`, finite unless `infinite`. NaN never passes.

    Examples
    --------
    >>> real(np.float32(0.5), "p", 0, 1)
    0.5
    """
    number = _real_number(value)
    fits = (
        not np.isnan(number)
        and (infinite or np.isfinite(number))
        and (low is None or number >= low)
        and (high is None or number <= high)
        and (above is None or number > above)
        and (below is None or number < below)
    )
    if fits:
        return number + 0.0  # -0 is 0
    kind = "a number" if infinite else "a finite number"
    return refuse(
        name, value, kind + (f" in {unit}" if unit else "") + bounds(low, high, above, below), why
    )


def time(
    value: Any,
    name: str,
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
    infinite: bool = False,
    plausible: float | None = None,
    why: str = "",
) -> float:
    """Return one time in seconds, from a number or a quantity of Brian2, pint or quantities.

    Above `plausible` seconds there is a UnitWarning.
    """
    number = real(
        seconds(value, name),
        name,
        low,
        high,
        above=above,
        below=below,
        infinite=infinite,
        unit="seconds",
        why=why,
    )
    if plausible is not None:
        warn_if_implausible(number, name, plausible)
    return number


def rate(value: Any, name: str, low: float | None = 0.0, high: float | None = None) -> float:
    """Return one rate in hertz, from a number or a quantity."""
    return real(hertz(value, name), name, low, high, unit="hertz")


def flag(value: Any, name: str) -> bool:
    """Return True or False (numpy's too) as a `bool`; no other number counts as one."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return refuse(name, value, "True or False")


def wholes(
    values: Any,
    name: str,
    low: int | None = None,
    high: int | None = None,
    *,
    shape: tuple | None = None,
) -> np.ndarray:
    """Return an array of whole numbers as int64.

    Examples
    --------
    >>> wholes([1, 2], "units", low=0)
    array([1, 2])
    """
    array = as_array(values, name, "whole numbers")
    if array.size and array.dtype.kind not in "iu":
        refuse(name, values, f"whole numbers, not {type_of(array)}")
    _check_shape(array, name, shape)
    if array.size:
        least, most = int(array.min()), int(array.max())
        if least < (_INT64.min if low is None else low) or most > (
            _INT64.max if high is None else high
        ):
            raise ValueError(
                f"{name} run from {least} to {most}; they must be whole "
                f"numbers{bounds(low, high) or ' of 64 bits'}."
            )
    return array.astype(np.int64)


def reals(
    values: Any,
    name: str,
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
    shape: tuple | None = None,
    infinite: bool = False,
    flags: bool = False,
    dtype: Any = np.float64,
) -> np.ndarray:
    """Return an array of real numbers as `dtype`, a copy only where the type changes.

    They are finite unless `infinite`. With `flags`, True and False count as 1 and 0.

    Examples
    --------
    >>> reals([1, 2], "weights", above=0)
    array([1., 2.])
    """
    array = as_array(values, name, "real numbers")
    if array.dtype.kind not in ("iufb" if flags else "iuf") and array.size:
        refuse(name, values, f"real numbers, not {type_of(array)}")
    _check_shape(array, name, shape)
    given = array
    with np.errstate(over="ignore"):
        array = array.astype(dtype, copy=False)
    if (
        np.dtype(dtype).itemsize < given.dtype.itemsize
        and (beyond := np.isinf(array) & np.isfinite(given)).any()
    ):
        raise ValueError(
            f"{name} has the value {given[beyond].flat[0]:g}; {np.dtype(dtype)} holds numbers up "
            f"to {np.finfo(dtype).max:.3g}."
        )
    wrong = np.isnan(array) if infinite else ~np.isfinite(array)
    for bound, outside in (
        (low, np.less),
        (high, np.greater),
        (above, np.less_equal),
        (below, np.greater_equal),
    ):
        if bound is not None:
            wrong = wrong | outside(array, bound)
    if np.any(wrong):
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        where = f" at {at if len(at) > 1 else at[0]}" if at else ""
        kind = "numbers" if infinite else "finite numbers"
        raise ValueError(
            f"{name} has the value {array[at]:g}{where}; it must hold "
            f"{kind}{bounds(low, high, above, below)}."
        )
    return array


def as_array(values: Any, name: str, what: str = "numbers") -> np.ndarray:
    """Return what numpy reads as an array, but not as one of objects, for checks that follow.

    `what` says what it should hold.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        refuse(
            name,
            values,
            f"an array of {what} without masked elements",
            "it does not say what the masked ones are",
        )
    ours = type(values).__module__.split(".")[0] == "biosnn"
    if ours or isinstance(values, (bytes, bytearray)):  # numpy would read them as sequences
        refuse(name, values, f"an array of {what}")
    if is_quantity(values) or (isinstance(values, (list, tuple)) and any(map(is_quantity, values))):
        refuse(name, values, f"an array of {what} without a unit")
    try:
        array = np.asarray(values)
    except Exception:  # noqa: BLE001 - ragged lists, tensors elsewhere: each has words of its own
        refuse(name, values, f"an array of {what}")
    if array.dtype == object:
        refuse(name, values, f"an array of {what}")
    return array


def has_axes(values: Any) -> bool:
    """Return whether something is a list or an array, and not one number, without a look inside."""
    ndim = getattr(values, "ndim", 0)
    return isinstance(values, (list, tuple)) or (isinstance(ndim, int) and ndim > 0)


# ------------------------------------------------------------------------------------- other things


def choice(value: Any, name: str, allowed: Any) -> Any:
    """Return one of a few allowed values (texts, mostly)."""
    allowed = list(allowed)
    for each in allowed:
        if (
            type(each) is type(value) or (isinstance(each, str) and isinstance(value, str))
        ) and each == value:
            return each
    return refuse(name, value, "one of " + ", ".join(map(repr, allowed)))


def instance(value: Any, name: str, kind: type | tuple, what: str) -> Any:
    """Return an object of a class; `what` describes it: "SpikeTrains, such as …"."""
    return value if isinstance(value, kind) else refuse(name, value, what)


def network(value: Any, name: str = "network") -> Any:
    """Return a Network, which is known by its parts.

    What networks are made of cannot import the class.
    """
    if isinstance(value, type) or not all(
        hasattr(value, part) for part in ("populations", "projections", "sources", "weights")
    ):
        refuse(name, value, "a Network")
    return value


def path(value: Any, name: str) -> Path:
    """Return the path of a file or folder, from a text or an os.PathLike."""
    if not isinstance(value, (str, os.PathLike)) or isinstance(os.fspath(value), bytes):
        refuse(name, value, "a path: a text or a pathlib.Path")
    if not os.fspath(value) or "\0" in os.fspath(value):
        refuse(name, value, "a path, so neither empty nor with a null character")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        refuse(name, value, "a path", "file names have no such characters")
    return Path(value)


def is_text(value: Any) -> bool:
    """Return whether something is a text that files and digests can hold.

    It has no null character and no halves of surrogate pairs.
    """
    return (
        isinstance(value, str)
        and "\0" not in value
        and not any("\ud800" <= mark <= "\udfff" for mark in value)
    )


def texts(values: Any, name: str, example: str) -> tuple:
    """Return texts, such as names, as a tuple of `str`; a single one counts as a list of one."""
    given = (values,) if isinstance(values, str) else several(values, name, example)
    for value in given:
        if not isinstance(value, str):
            refuse(f"one of {name}", value, f"a text, such as {example}")
    return tuple(map(str, given))


def several(values: Any, name: str, example: str) -> tuple:
    """Return a list (or another sequence) of things as a tuple.

    A single one, a text, a dict or None is refused.
    """
    if (
        isinstance(values, (str, bytes, dict, type))
        or not hasattr(values, "__iter__")
        or (isinstance(values, np.ndarray) and not values.ndim)
    ):
        refuse(name, values, f"a list, such as [{example}]")
    return tuple(values)


def keep(description: Any, **values: Any) -> None:
    """Put checked values into a frozen dataclass."""
    for name, value in values.items():
        object.__setattr__(description, name, value)


# ------------------------------------------------------------------------------------------- inside


def _scalar(value):
    """What a numpy scalar or an array without axes holds; anything else as it is."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _real_number(value):
    """`value` as a float, NaN where it is no real number."""
    value = _scalar(value)
    if isinstance(value, (bool, np.bool_, np.timedelta64)) or not isinstance(
        value, (numbers.Real, np.floating, np.integer)
    ):
        return np.nan
    try:
        return float(value)
    except (OverflowError, ValueError, TypeError):
        return np.nan


def _check_shape(array, name, shape):
    """ValueError unless an array has a shape, where None is any length."""
    if shape is None:
        return
    fits = array.ndim == len(shape) and all(
        want in (None, have) for have, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        sizes = ", ".join("any" if n is None else str(n) for n in shape)
        wanted = f"({sizes},)" if len(shape) == 1 else f"({sizes})"
        raise ValueError(f"{name} has shape {array.shape}; it must be {wanted}.")


def check_names(
    what: str, given: Any, known: Any, kind: str = "", owner: str = "the network"
) -> None:
    """Raise a ValueError if a dict has names that are not known.

    `what` is whose dict it is, `kind` what the known names are names of, `owner` what has them.
    """
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise ValueError(
            f"{what} has {', '.join(unknown)}; {owner} has "
            + (f"only {kind}{', '.join(known)}." if known else "none of these.")
        )
