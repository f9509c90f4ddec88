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


def plain(value: Any) -> Any:
    """Return a description as JSON can hold it.

    Equal descriptions and numbers look the same, whatever the types of their numbers.

    Parameters
    ----------
    value
        A number, text, array, list, dict or dataclass; of anything else the repr counts.

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
        return [
            type(value).__name__,
            {each.name: plain(getattr(value, each.name)) for each in fields(value)},
        ]
    if isinstance(value, (float, int, np.number)) and not isinstance(value, bool):
        return float(value)
    return value if value is None or isinstance(value, (bool, str)) else repr(value)
