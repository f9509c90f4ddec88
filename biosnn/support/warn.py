"""Warnings of biosnn: their classes, and where they point."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any

import numpy as np

_PACKAGE = __name__.partition(".")[0]
_IMPORTING = "importlib._bootstrap"  # frames of `import`, which warnings.warn does not count
_SILENT = ContextVar("silent", default=False)


class UnitWarning(UserWarning):
    """A number that is hardly plausible in the unit in which it was read.

    An example is a membrane time constant of 20 s.

    Examples
    --------
    >>> import warnings
    >>> import biosnn as bs
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     neuron = bs.lif(tau_mem=20)
    >>> caught[0].category.__name__
    'UnitWarning'
    """


class RoundingWarning(UserWarning):
    """A time that is not a multiple of the time step, and was rounded to one.

    Examples
    --------
    >>> import warnings
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     population = net.population(1, bs.lif(refractory=2.5e-3))
    >>> caught[0].category.__name__
    'RoundingWarning'
    """


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the caller outside of this package, which the user can change.

    Parameters
    ----------
    message
        The warning.
    category
        Its class.
    """
    if _SILENT.get():
        return
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and (
        (module := frame.f_globals.get("__name__", "")).partition(".")[0]
        == _PACKAGE  # also what dataclasses write
        or module.startswith(_IMPORTING)
    ):
        frame, level = frame.f_back, level + (not module.startswith(_IMPORTING))
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def silenced() -> Iterator[None]:
    """Return a context without warnings of biosnn, for what the user has been told before.

    Examples
    --------
    >>> with silenced():
    ...     warn("once more")
    """
    before = _SILENT.set(True)
    try:
        yield
    finally:
        _SILENT.reset(before)


def warn_if_implausible(times: Any, name: str, most: float) -> None:
    """Give a UnitWarning where times are so long that they can hardly be meant in seconds.

    Parameters
    ----------
    times
        Seconds, one or an array.
    name
        What they are, for the message.
    most
        The longest that can be meant.
    """
    longest = float(np.max(times, initial=0.0))
    if longest > most:
        given, in_ms = f"{longest:g}", f"{longest:g}e-3" if longest < 1e5 else f"{longest * 1e-3:g}"
        warn(
            f"{name} is {given} s. Times are in seconds: were {given} ms meant? Then give {in_ms}.",
            UnitWarning,
        )
