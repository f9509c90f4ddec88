"""What parts of a JSON text must be: records of named values, lists of them, numbers and texts.

A checker is a function (value, name) that returns the value as a plain Python one, or raises a
ValueError with the name in it. `record` and `each` make checkers of checkers.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from . import checks

Checker: TypeAlias = Callable[[Any, str], Any]

_INFINITE = {"infinity": np.inf, "-infinity": -np.inf}


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: no numpy types, lists for tuples, infinity in words.

    Parameters
    ----------
    value
        None, a flag, number or text, or a tuple or list of such values.

    Examples
    --------
    >>> plain((np.float64(0.5), -np.inf, np.int32(3), None))
    [0.5, '-infinity', 3, None]
    """
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, np.bool_)):
        return value if value is None else bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    number = float(value)
    return number if np.isfinite(number) else ("infinity" if number > 0 else "-infinity")


def text(value: Any, name: str) -> str:
    """Return a text that files can hold.

    Examples
    --------
    >>> text("E", "name")
    'E'
    """
    if not checks.is_text(value):
        checks.refuse(name, value, "a text")
    return str(value)


def number(value: Any, name: str) -> float:
    """Return a number, where "infinity" and "-infinity" count as numbers.

    Examples
    --------
    >>> number("infinity", "threshold")
    inf
    """
    if isinstance(value, str) and value in _INFINITE:
        return _INFINITE[value]
    return checks.real(value, name)


def count(value: Any, name: str) -> int:
    """Return a whole number >= 0.

    Examples
    --------
    >>> count(3, "n")
    3
    """
    return checks.whole(value, name, 0)


def scalar(value: Any, name: str) -> Any:
    """Return a number, flag or text, or a tuple of whole numbers: what options of a class are.

    Examples
    --------
    >>> scalar([2, 3], "kernel")
    (2, 3)
    """
    if isinstance(value, list):
        return tuple(count(each, name) for each in value)
    if isinstance(value, bool) or (isinstance(value, str) and value not in _INFINITE):
        return value
    if isinstance(value, int):
        return checks.whole(value, name)
    return number(value, name)


def maybe(checker: Checker) -> Checker:
    """Return a checker for null and what another one takes.

    Examples
    --------
    >>> maybe(number)(None, "delay") is None
    True
    """
    return lambda value, name: None if value is None else checker(value, name)


def each(checker: Checker) -> Checker:
    """Return a checker for lists.

    Examples
    --------
    >>> each(count)([1, 2], "shape")
    [1, 2]
    """

    def check(values: Any, name: str) -> list[Any]:
        if not isinstance(values, list):
            checks.refuse(name, values, "a list")
        return [checker(value, f"{name}[{k}]") for k, value in enumerate(values)]

    return check


def record(**fields: Checker) -> Checker:
    """Return a checker for records that have exactly these fields.

    Examples
    --------
    >>> record(name=text, n=count)({"name": "E", "n": 3}, "population")
    {'name': 'E', 'n': 3}
    """

    def check(value: Any, name: str) -> dict[str, Any]:
        check_names(value, fields, name)
        return {key: checker(value[key], f"{name}: {key}") for key, checker in fields.items()}

    return check


def check_names(value: Any, names: Any, what: str) -> None:
    """Raise a ValueError unless a value is a record with exactly these names.

    Parameters
    ----------
    value
        As JSON holds it.
    names
        Names of the fields.
    what
        Which record, for messages.

    Examples
    --------
    >>> check_names({"n": 3}, ["n"], "population")
    """
    if not isinstance(value, dict):
        checks.refuse(what, value, f"a record with {', '.join(names)}")
    if set(value) != set(names):
        raise ValueError(
            f"{what} has {', '.join(sorted(value)) or 'nothing'}; it must have exactly "
            f"{', '.join(names)}."
        )
