"""Warnings of biosnn: their classes, and where they point."""

import sys
import warnings
from typing import Any

import numpy as np

_PACKAGE = __name__.partition(".")[0]
_IMPORTING = "importlib._bootstrap"  # frames of `import`, which warnings.warn does not count


class UnitWarning(UserWarning):
    """A number that can hardly be meant in the unit in which it was taken, such as a membrane time constant of 20 s."""


class RoundingWarning(UserWarning):
    """A time that is no multiple of the time step, and was rounded to one."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the caller outside of this package, which is the one that the user can change."""
    frame, level = sys._getframe(1), 2
    while frame is not None and (
        (module := frame.f_globals.get("__name__", "")).partition(".")[0]
        == _PACKAGE  # also what dataclasses write
        or module.startswith(_IMPORTING)
    ):
        frame, level = frame.f_back, level + (not module.startswith(_IMPORTING))
    warnings.warn(message, category, stacklevel=level)


def warn_if_implausible(times: Any, name: str, most: float) -> None:
    """UnitWarning where the longest of times (s, one or an array) is so long that it can hardly be meant in seconds."""
    longest = float(np.max(times, initial=0.0))
    if longest > most:
        given, in_ms = f"{longest:g}", f"{longest:g}e-3" if longest < 1e5 else f"{longest * 1e-3:g}"
        warn(
            f"{name} is {given} s. Times are in seconds: were {given} ms meant? Then give {in_ms}.",
            UnitWarning,
        )
