"""A short hash of descriptions: equal ones share it, whatever the types of their numbers."""

import hashlib
import json
from dataclasses import fields, is_dataclass

import numpy as np


def digest(values):
    """16 hexadecimal digits of what JSON can hold (see `plain`)."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def plain(value):
    """For JSON: descriptions and numbers that are equal look the same, whatever the types of their numbers."""
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
