"""Numbers on command lines."""

import argparse

import numpy as np


def positive(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not (np.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0.")
    return value


def count(text: str) -> int:
    """Read a whole number >= 1, such as 2 or 1e6."""
    value = positive(text)
    if value != round(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number.")
    return round(value)
