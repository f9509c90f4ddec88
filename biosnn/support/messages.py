"""The words of messages: what was given, what is allowed, and why."""

import reprlib
from typing import Any, NoReturn

import numpy as np

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def shown(value: Any) -> str:
    """Return a few words for any value, for messages.

    Short reprs are shown as they are, arrays and other large objects by their kind.

    Examples
    --------
    >>> shown(np.zeros((2, 3))), shown("a")
    ('an array of shape (2, 3) and type float64', "'a'")
    """
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, np.generic):
        return f"{value!s}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    try:
        text = _SHORT.repr(value)
    except Exception:  # noqa: BLE001 - the repr of somebody else's object may fail
        text = ""
    if not text or "\n" in text or text.startswith("<") or len(text) > 80:
        return f"of type {type(value).__name__}"
    return text


def refuse(name: str, value: Any, allowed: str, why: str = "") -> NoReturn:
    """Raise a ValueError: `name` is `value`; it must be `allowed`, for the reason `why`."""
    raise ValueError(f"{name} is {shown(value)}; it must be {allowed}{': ' + why if why else ''}.")


def type_of(array: np.ndarray) -> str:
    """Return the type of an array in words."""
    return {
        "b": "flags",
        "c": "complex numbers",
        "U": "texts",
        "S": "texts",
        "f": "floating-point numbers",
    }.get(array.dtype.kind, f"of type {array.dtype}")


def bounds(
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> str:
    """Return bounds in words, with a leading space; nothing without bounds."""
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
