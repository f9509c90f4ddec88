"""Checks of what users give: each takes a value and the name of the argument, and returns a plain Python or numpy value.

What comes out is an `int`, `float`, `bool` or array of the wanted type within bounds, whatever
numpy scalar, list or quantity went in: no narrow integer overflows later, and no flag of 2 compiles
anew. Errors are ValueErrors that say what was given, what is allowed, and (`why`) the reason.
"""

import numbers
import os
import reprlib
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from .units import hertz, is_quantity, seconds
from .warn import warn_if_implausible

_INT64 = np.iinfo(np.int64)
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def shown(value: Any) -> str:
    """A few words for any value, for messages: short reprs as they are, arrays and other large objects by their kind."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, np.generic):
        return f"{value!s}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    try:
        text = _SHORT.repr(value)
    except Exception:  # the repr of somebody else's object may fail
        text = ""
    if not text or "\n" in text or text.startswith("<") or len(text) > 80:
        return f"of type {type(value).__name__}"
    return text


def refuse(name: str, value: Any, allowed: str, why: str = "") -> NoReturn:
    """ValueError: `name` is `value`; it must be `allowed`, for the reason `why`."""
    raise ValueError(f"{name} is {shown(value)}; it must be {allowed}{': ' + why if why else ''}.")


# ------------------------------------------------------------------------------------------ numbers


def whole(
    value: Any, name: str, low: int | None = None, high: int | None = None, *, why: str = ""
) -> int:
    """A whole number within bounds (inclusive; 64 bits in any case) as an `int`. Neither flags nor floats pass."""
    found = _scalar(value)
    if isinstance(found, numbers.Integral) and not isinstance(
        found, (bool, np.bool_, np.timedelta64)
    ):
        number = int(found)
        least, most = (_INT64.min if low is None else low), (_INT64.max if high is None else high)
        if least <= number <= most:
            return number
        if low is None and number < least or high is None and number > most:
            refuse(
                name,
                value,
                "a whole number of 64 bits"
                if low is None
                else f"a whole number from {low} to {most}",
                why,
            )
    refuse(name, value, "a whole number" + _range(low, high), why)


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
    """A real number as a `float`: low <= value <= high, above < value < below; finite unless `infinite`. NaN never passes."""
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
    refuse(
        name, value, kind + (f" in {unit}" if unit else "") + _range(low, high, above, below), why
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
    """One time in seconds, a number or a quantity of Brian2, pint or quantities. Above `plausible` seconds: a UnitWarning."""
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
    """One rate in hertz, a number or a quantity."""
    return real(hertz(value, name), name, low, high, unit="hertz")


def flag(value: Any, name: str) -> bool:
    """True or False (numpy's too) as a `bool`; no other number stands for one."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    refuse(name, value, "True or False")


def wholes(
    values: Any,
    name: str,
    low: int | None = None,
    high: int | None = None,
    *,
    shape: tuple | None = None,
) -> np.ndarray:
    """An array of whole numbers within bounds (inclusive) as int64. `shape`: the one it must have, None for axes of any length."""
    array = as_array(values, name, "whole numbers")
    if array.size and array.dtype.kind not in "iu":
        refuse(name, values, f"whole numbers, not {_type_of(array)}")
    _check_shape(array, name, shape)
    if array.size:
        least, most = int(array.min()), int(array.max())
        if least < (_INT64.min if low is None else low) or most > (
            _INT64.max if high is None else high
        ):
            raise ValueError(
                f"{name} run from {least} to {most}; they must be whole "
                f"numbers{_range(low, high) or ' of 64 bits'}."
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
    """An array of real numbers within bounds, finite unless `infinite`, as `dtype` (a copy only where the type changes).

    flags: True and False count as 1 and 0.
    """
    array = as_array(values, name, "real numbers")
    if array.dtype.kind not in ("iufb" if flags else "iuf") and array.size:
        refuse(name, values, f"real numbers, not {_type_of(array)}")
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
            f"{kind}{_range(low, high, above, below)}."
        )
    return array


def as_array(values: Any, name: str, what: str = "numbers") -> np.ndarray:
    """Anything that numpy reads as an array, but not as one of objects, for checks that follow. `what`: of which it should be."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        refuse(
            name,
            values,
            f"an array of {what} without masked elements",
            "what stands for the masked ones is not said",
        )
    if (
        isinstance(values, (bytes, bytearray)) or type(values).__module__.split(".")[0] == "biosnn"
    ):  # which numpy would read as sequences
        refuse(name, values, f"an array of {what}")
    if is_quantity(values) or isinstance(values, (list, tuple)) and any(map(is_quantity, values)):
        refuse(name, values, f"an array of {what} without a unit")
    try:
        array = np.asarray(values)
    except (
        Exception
    ):  # ragged lists, tensors on other devices or with gradients: each has words of its own
        refuse(name, values, f"an array of {what}")
    if array.dtype == object:
        refuse(name, values, f"an array of {what}")
    return array


def has_axes(values: Any) -> bool:
    """Whether something is a list or an array, and not one number; nothing is looked at."""
    ndim = getattr(values, "ndim", 0)
    return isinstance(values, (list, tuple)) or isinstance(ndim, int) and ndim > 0


# ------------------------------------------------------------------------------------- other things


def choice(value: Any, name: str, allowed: Any) -> Any:
    """One of a few values (texts, mostly)."""
    allowed = list(allowed)
    for each in allowed:
        if (
            type(each) is type(value) or isinstance(each, str) and isinstance(value, str)
        ) and each == value:
            return each
    refuse(name, value, "one of " + ", ".join(map(repr, allowed)))


def instance(value: Any, name: str, kind: type | tuple, what: str) -> Any:
    """An object of a class. `what` describes it: "SpikeTrains, such as bs.data.poisson(…)"."""
    return value if isinstance(value, kind) else refuse(name, value, what)


def network(value: Any, name: str = "network") -> Any:
    """A Network, told by its parts: what networks are made of cannot import the class."""
    if isinstance(value, type) or not all(
        hasattr(value, part) for part in ("populations", "projections", "sources", "weights")
    ):
        refuse(name, value, "a Network")
    return value


def path(value: Any, name: str) -> Path:
    """A path of a file or folder: a text or an os.PathLike."""
    if not isinstance(value, (str, os.PathLike)) or isinstance(os.fspath(value), bytes):
        refuse(name, value, "a path: a text or a pathlib.Path")
    if not os.fspath(value) or "\0" in os.fspath(value):
        refuse(name, value, "a path, so neither empty nor with a zero character")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        refuse(name, value, "a path", "file names have no such characters")
    return Path(value)


def is_text(value: Any) -> bool:
    """Whether something is a text that files and digests can hold: without a zero character and halves of surrogate pairs."""
    return (
        isinstance(value, str)
        and "\0" not in value
        and not any("\ud800" <= mark <= "\udfff" for mark in value)
    )


def texts(values: Any, name: str, example: str) -> tuple:
    """Texts, such as names, as a tuple of `str`; a single one stands for itself."""
    given = (values,) if isinstance(values, str) else several(values, name, example)
    for value in given:
        if not isinstance(value, str):
            refuse(f"one of {name}", value, f"a text, such as {example}")
    return tuple(map(str, given))


def several(values: Any, name: str, example: str) -> tuple:
    """A list (or another sequence) of things as a tuple; a single one, a text, a dict or None is refused."""
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


def _type_of(array):
    return {
        "b": "flags",
        "c": "complex numbers",
        "U": "texts",
        "S": "texts",
        "f": "floating-point numbers",
    }.get(array.dtype.kind, f"of type {array.dtype}")


def _check_shape(array, name, shape):
    if shape is not None and (
        array.ndim != len(shape)
        or any(want not in (None, have) for have, want in zip(array.shape, shape))
    ):
        wanted = (
            "("
            + ", ".join("any" if n is None else str(n) for n in shape)
            + ("," if len(shape) == 1 else "")
            + ")"
        )
        raise ValueError(f"{name} has shape {array.shape}; it must be {wanted}.")


def _range(low=None, high=None, above=None, below=None):
    """Bounds in words, with a leading blank."""
    if low is not None and high is not None:
        return (
            f" from {low:g} to {high:g}"
            if isinstance(low, float) or isinstance(high, float)
            else f" from {low} to {high}"
        )
    parts = [
        f"{sign} {bound}"
        for sign, bound in ((">=", low), (">", above), ("<=", high), ("<", below))
        if bound is not None
    ]
    return " " + " and ".join(parts) if parts else ""


def check_names(what, given, known, kind=""):
    """ValueError if the dict `given` has names that are not known. kind: of what the known ones are names."""
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise ValueError(
            f"{what} has {', '.join(unknown)}; the network has "
            + (f"only {kind}{', '.join(known)}." if known else "none of these.")
        )
