"""A short hash of descriptions: equal ones share it, whatever the types of their numbers."""

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def digest(values: Any) -> str:
    """Return a short hash of values.

    Parameters
    ----------
    values
        What JSON can hold (see `plain`).

    Returns
    -------
    16 hexadecimal digits.

    Examples
    --------
    >>> digest([1.0, "a"]) == digest([1.0, "a"])
    True
    """
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def digest_of(found: Any) -> str:
    """Return a digest of arrays, of their bytes one after the other."""
    state = hashlib.blake2b(digest_size=8)
    for array in found:
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def plain(value: Any) -> Any:
    """Return a description as JSON can hold it.

    Equal descriptions and numbers look the same, whatever the types of their numbers.

    Parameters
    ----------
    value
        A number, text, array, list, dict or dataclass; of anything else the repr counts. A class of
        the user counts as the one of biosnn that it derives from.

    Examples
    --------
    >>> plain({"n": 3, "tau": (0.02,)})
    {'n': 3.0, 'tau': [0.02]}
    """
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if is_dataclass(value):
        kind = _described_as(type(value))
        return [
            kind.__name__,
            {each.name: plain(getattr(value, each.name)) for each in fields(kind)},
        ]
    if isinstance(value, (float, int, np.number)) and not isinstance(value, bool):
        return float(value)
    return value if value is None or isinstance(value, (bool, str)) else repr(value)


def _described_as(kind):
    """The first dataclass of biosnn among a class and those that it derives from, or itself."""
    package = __name__.partition(".")[0]
    return next(
        (
            each
            for each in kind.__mro__
            if each.__module__.partition(".")[0] == package and is_dataclass(each)
        ),
        kind,
    )
