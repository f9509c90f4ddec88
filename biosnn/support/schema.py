"""What arrays that come from a file must be: said once for each kind, checked before use.

A schema is a dict name -> Rule. `check` compares all arrays with it: which there are, their types
and shapes, the range of their values. What relates several arrays (`check_rising`, `check_order`)
follows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .checks import whole

#: More steps than any run has; that many fit next to the number of a neuron in 64 bits.
MOST_STEPS = 1 << 40


@dataclass(frozen=True, eq=False)
class Rule:
    """What an array must be.

    Parameters
    ----------
    dtype
        Its type.
    shape
        Its shape; None for axes of any length.
    low, high
        Bounds: numbers, or arrays that broadcast to it.
    missing
        Whether NaN may mark values that are missing. Infinity never passes.

    Examples
    --------
    >>> check(
    ...     {"w": np.array([0.1, 0.2])},
    ...     {"w": Rule(np.float64, (None,), low=0)},
    ...     "this file",
    ... )
    """

    dtype: Any
    shape: tuple[int | None, ...]
    low: Any = None
    high: Any = None
    missing: bool = False


def check(arrays: dict[str, Any], rules: dict[str, Rule], where: str) -> None:
    """Raise a ValueError unless there are exactly the arrays of `rules`, and each obeys its own.

    Parameters
    ----------
    arrays
        Name -> array.
    rules
        Name -> Rule.
    where
        The file, for messages.
    """
    if absent := [name for name in rules if name not in arrays]:
        raise ValueError(f"{where} lacks {_listed(absent)}.")
    if unknown := [name for name in arrays if name not in rules]:
        raise ValueError(f"{where} has {_listed(unknown)}, which do not belong there.")
    for name, rule in rules.items():
        _check_array(np.asarray(arrays[name]), rule, f"{where}: {name!r}")


def check_step(step: Any, where: str) -> int:
    """Return a number of steps as an int.

    Parameters
    ----------
    step
        As it was read.
    where
        The file, for messages.
    """
    return whole(step, f"{where}: the step", 0, MOST_STEPS)


def check_rising(values: np.ndarray, last: int, where: str) -> None:
    """Raise a ValueError unless values begin at 0, never fall, and end at `last`.

    Parameters
    ----------
    values
        An array, seen as one vector.
    last
        The number of entries.
    where
        The file and the array, for messages.
    """
    flat = np.ravel(values)
    if flat.size and (flat[0] != 0 or flat[-1] != last or np.any(flat[1:] < flat[:-1])):
        raise ValueError(
            f"{where} must rise from 0 to {last}, the number of entries; it runs from {flat[0]} to "
            f"{flat[-1]}" + (", and falls in between." if np.any(flat[1:] < flat[:-1]) else ".")
        )


def check_order(keys: tuple[np.ndarray, ...], distinct: np.ndarray | bool, where: str) -> None:
    """Raise a ValueError unless entries are sorted.

    Parameters
    ----------
    keys
        By what they are sorted; the first key counts most.
    distinct
        Where no two entries may be equal.
    where
        The file and the array, for messages.
    """
    equal, fall = np.ones(max(keys[0].size - 1, 0), bool), np.zeros(max(keys[0].size - 1, 0), bool)
    for key in keys:
        fall |= equal & (key[1:] < key[:-1])
        equal &= key[1:] == key[:-1]
    twice = equal & (distinct[1:] if isinstance(distinct, np.ndarray) else distinct)
    if fall.any():
        raise ValueError(f"{where}: entry {int(np.argmax(fall)) + 1} is not in order.")
    if twice.any():
        raise ValueError(f"{where}: entry {int(np.argmax(twice)) + 1} is there twice.")


def _check_array(array, rule, name):
    """ValueError unless an array obeys its rule."""
    if array.dtype != rule.dtype:
        raise ValueError(f"{name} has the type {array.dtype}; it must be {np.dtype(rule.dtype)}.")
    shape = rule.shape
    if array.ndim != len(shape) or any(
        want not in (None, have) for have, want in zip(array.shape, shape)
    ):
        wanted = ", ".join("any" if n is None else str(n) for n in shape) + (
            "," if len(shape) == 1 else ""
        )
        raise ValueError(f"{name} has shape {array.shape}; it must be ({wanted}).")
    with np.errstate(all="ignore"):
        suspect = array.dtype.kind == "f" and not np.isfinite(array.sum())
    if suspect:  # so that where all is well there is one pass and no copy
        wrong = np.isinf(array) if rule.missing else ~np.isfinite(array)
        _refuse(
            wrong, array, name, "it must be a finite number" + (", or NaN" if rule.missing else "")
        )
    for bound, outside, sign in ((rule.low, np.less, ">="), (rule.high, np.greater, "<=")):
        if bound is not None and array.size:
            wrong = outside(array, bound)
            if np.any(wrong):
                _refuse(
                    wrong, array, name, f"it must be {sign} ", np.broadcast_to(bound, array.shape)
                )


def _refuse(wrong, array, name, allowed, bound=None):
    """ValueError that names the first wrong element."""
    if not np.any(wrong):
        return
    at = tuple(int(k) for k in np.argwhere(wrong)[0])
    where = f"[{', '.join(map(str, at))}]" if at else ""
    limit = "" if bound is None else f"{bound[at]}"
    raise ValueError(f"{name}{where} is {array[at]}; {allowed}{limit}.")


def _listed(names):
    """The first names of arrays in words."""
    shown = ", ".join(repr(name) for name in names[:5])
    return (
        f"the array {shown}"
        if len(names) == 1
        else f"the arrays {shown}" + (" …" if len(names) > 5 else "")
    )
