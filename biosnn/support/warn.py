"""Warnings of biosnn: their classes, and where they point."""
import sys
import warnings
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1])
_IMPORTING = "<frozen importlib"    # frames of `import`, which warnings.warn does not count


class UnitWarning(UserWarning):
    """A number that can hardly be meant in the unit in which it was taken, such as a membrane time constant of 20 s."""


class RoundingWarning(UserWarning):
    """A time that is no multiple of the time step, and was rounded to one."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the caller outside of this package, which is the one that the user can change."""
    frame, level = sys._getframe(1), 2
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, _IMPORTING)):
        frame, level = frame.f_back, level + (not frame.f_code.co_filename.startswith(_IMPORTING))
    warnings.warn(message, category, stacklevel=level)
