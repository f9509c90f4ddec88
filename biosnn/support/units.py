"""What users give: times and rates with units.

Quantities may come from Brian2 (`10*ms`), pint or the package quantities. None of them is imported.
Plain numbers and arrays are seconds and hertz.

Objects are told apart by their attributes: Brian2's quantities have `dim` with `get_dimension`,
those of quantities `rescale` and `magnitude`, those of pint `to` and `magnitude`. Anything else
stays as it is, for `support.checks` to judge.
"""

from typing import Any, TypeAlias

import numpy as np

#: A time: a number of seconds, or a quantity of Brian2, pint or quantities.
Seconds: TypeAlias = float | Any
#: One time or number for a population, or an array (n,) of one per neuron.
PerNeuron: TypeAlias = float | Any

#: Brian2 names the exponents of its seven base units.
_BASE = ("metre", "kilogram", "second", "ampere", "kelvin", "mole", "candle")


def seconds(value: Any, name: str = "this") -> Any:
    """Return a time in seconds, as a plain number or array.

    Parameters
    ----------
    value
        A number, an array, a quantity, or a list of them.
    name
        Name of the argument, for messages.

    Raises
    ------
    ValueError
        If it is a quantity, but not a time.

    Examples
    --------
    >>> seconds(np.float32(0.002))
    0.002
    """
    return _plain(value, name, "time", "second", "s", +1, "10*ms")


def hertz(value: Any, name: str = "this") -> Any:
    """Return a rate in hertz, as a plain number or array.

    Parameters
    ----------
    value, name
        As for `seconds`.

    Raises
    ------
    ValueError
        If it is a quantity, but not a rate.
    """
    return _plain(value, name, "rate", "hertz", "Hz", -1, "5*Hz")


def _plain(value, name, kind, unit, symbol, power, example):
    """A quantity as a plain number, of a unit to a power; what has no unit as it is."""
    if type(value) is np.ndarray and value.ndim == 0 and value.dtype != object:
        value = value[()]
    if (
        value is None
        or isinstance(value, (float, int))
        or (type(value) is np.ndarray and value.dtype != object)
    ):
        return value
    if isinstance(value, np.floating):
        return float(str(value))  # float32(0.002) means 0.002, not 0.0020000000949949026
    if isinstance(value, (list, tuple)):
        return (
            [_plain(element, name, kind, unit, symbol, power, example) for element in value]
            if _has_quantities(value)
            else value
        )
    if not is_quantity(value):
        return value
    try:
        if hasattr(value, "dim"):
            return _of_brian2(value, power)
        return _number(
            (value.rescale(symbol) if hasattr(value, "rescale") else value.to(unit)).magnitude
        )
    except Exception:  # noqa: BLE001 - each package has words of its own where dimensions differ
        units = "hertz" if unit == "hertz" else f"{unit}s"
        raise ValueError(
            f"{name} is {value}, which is not a {kind}; give a number of {units}, or a quantity "
            f"such as {example}."
        ) from None


def is_quantity(value: Any) -> bool:
    """Return whether something is a number or array with a unit of one of the three packages.

    Tensors have `dim` and `to` as well, and are not taken for quantities.

    Parameters
    ----------
    value
        Anything.
    """
    if isinstance(value, type):
        return False
    return hasattr(getattr(value, "dim", None), "get_dimension") or (
        hasattr(value, "magnitude") and (hasattr(value, "rescale") or hasattr(value, "to"))
    )


def _has_quantities(values, depth=3):
    """Whether a list has some, also in lists within it."""
    return any(
        is_quantity(v)
        or (depth > 0 and isinstance(v, (list, tuple)) and _has_quantities(v, depth - 1))
        for v in values
    )


def _of_brian2(value, power):
    """The number of a quantity of Brian2, ValueError for another dimension."""
    exponents = [value.dim.get_dimension(base) for base in _BASE]
    if exponents != [power * (base == "second") for base in _BASE]:
        raise ValueError
    return _number(np.asarray(value))  # Brian2 stores numbers in base units


def _number(value):
    """A float or an array of floats."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value)
