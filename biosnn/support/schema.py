"""What arrays that come from a file must be, said once for each kind of file and checked before anything is used.

A schema is a dict name -> Rule. `check` compares all arrays with it: which there are, their types
and shapes, the range of their values. What relates several arrays (`check_rising`, `check_places`)
follows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .checks import whole

#: More steps than any run has; so many fit beside the number of a neuron in 64 bits.
MOST_STEPS = 1 << 40


@dataclass(frozen=True, eq=False)
class Rule:
    """An array of one dtype. shape: None for axes of any length. low, high: numbers, or arrays that broadcast to it.

    missing: whether NaN may stand for values that there are not; infinity never passes.
    """

    dtype: Any
    shape: tuple
    low: Any = None
    high: Any = None
    missing: bool = False


def check(arrays: dict, rules: dict, where: str) -> None:
    """ValueError unless there are exactly the arrays of `rules` and each obeys its Rule. where: for messages, the file."""
    if absent := [name for name in rules if name not in arrays]:
        raise ValueError(f"{where} lacks {_listed(absent)}.")
    if unknown := [name for name in arrays if name not in rules]:
        raise ValueError(f"{where} has {_listed(unknown)}, which do not belong there.")
    for name, rule in rules.items():
        _check_array(np.asarray(arrays[name]), rule, f"{where}: {name!r}")


def check_step(step: Any, where: str) -> int:
    """A number of steps as an int."""
    return whole(step, f"{where}: the step", 0, MOST_STEPS)


def check_rising(values: np.ndarray, last: int, where: str) -> None:
    """ValueError unless values (as one vector) begin at 0, never fall, and end at `last`."""
    flat = np.ravel(values)
    if flat.size and (flat[0] != 0 or flat[-1] != last or np.any(flat[1:] < flat[:-1])):
        raise ValueError(
            f"{where} must rise from 0 to {last}, the number of entries; it runs from {flat[0]} to "
            f"{flat[-1]}" + (", and falls in between." if np.any(flat[1:] < flat[:-1]) else ".")
        )


def check_order(keys: tuple, distinct: np.ndarray | bool, where: str) -> None:
    """ValueError unless entries are sorted by `keys`, the first of which counts most, without equal ones where `distinct`."""
    equal, fall = np.ones(max(keys[0].size - 1, 0), bool), np.zeros(max(keys[0].size - 1, 0), bool)
    for key in keys:
        fall |= equal & (key[1:] < key[:-1])
        equal &= key[1:] == key[:-1]
    twice = equal & (distinct if np.ndim(distinct) == 0 else distinct[1:])
    if fall.any():
        raise ValueError(f"{where}: entry {int(np.argmax(fall)) + 1} is not in order.")
    if twice.any():
        raise ValueError(f"{where}: entry {int(np.argmax(twice)) + 1} is there twice.")


def _check_array(array, rule, name):
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
    if not np.any(wrong):
        return
    at = tuple(int(k) for k in np.argwhere(wrong)[0])
    where = f"[{', '.join(map(str, at))}]" if at else ""
    limit = "" if bound is None else f"{bound[at]}"
    raise ValueError(f"{name}{where} is {array[at]}; {allowed}{limit}.")


def _listed(names):
    shown = ", ".join(repr(name) for name in names[:5])
    return (
        f"the array {shown}"
        if len(names) == 1
        else f"the arrays {shown}" + (" …" if len(names) > 5 else "")
    )
