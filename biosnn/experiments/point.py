"""One point of a sweep: its parameters, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..support import checks
from ..support.show import About, Shows
from ..support.tables import number
from . import point_file
from .worker import Outcome


@dataclass(frozen=True, eq=False, repr=False)
class Point(Shows):
    """What came of one point of a sweep.

    Indexing gives a result: `point["rate_hz"]`. Arrays and spike trains are read from the file of
    the point when they are asked for.

    Attributes
    ----------
    parameters
        Name -> value, as in the grid.
    seed
        The seed that the function got, or None.
    key
        What the point is known by; the name of its file.
    numbers
        Name -> number, text, flag or None.
    error
        Traceback of the exception with which it failed, or None.
    seconds
        Seconds that the function took, without compiling.
    compiled
        Number of kernels that were compiled for it.

    Examples
    --------
    >>> import biosnn as bs
    >>> def square(x):
    ...     return {"y": x * x, "powers": [x, x * x]}
    >>> done = bs.sweep(square, {"x": [1, 3]}, executor=1, progress=False)
    >>> done.points[1].parameters, done.points[1]["y"], done.points[1]["powers"]
    ({'x': 3}, 9, array([3, 9]))
    """

    parameters: dict[str, Any]
    seed: int | None
    key: str
    numbers: dict[str, Any]
    error: str | None
    seconds: float
    compiled: int
    _objects: dict[str, Any] = field(default_factory=dict)
    _content: str = ""
    _arrays: dict[str, np.ndarray] | None = None
    _path: Path | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all results."""
        return (*self.numbers, *self._objects)

    def __getitem__(self, name: str) -> Any:
        if name in self.numbers:
            return self.numbers[name]
        if not isinstance(name, str) or name not in self._objects:
            checks.refuse("a result of the point", name, f"one of {', '.join(self.names) or '()'}")
        return point_file.unpack(name, self._objects[name], self._read())

    def _read(self):
        """The arrays of the point."""
        if self._path is None:
            return self._arrays
        head, arrays = point_file.read(self._path)
        if head["content"] != self._content:
            raise OSError(f"{self._path} holds other results than when the sweep was made.")
        return arrays

    def _about(self) -> About:
        """Parameters, numbers, and names of the rest."""
        rows = [(name, f"{value}") for name, value in self.parameters.items()]
        rows += [] if self.seed is None else [("seed", f"{self.seed}")]
        rows += [(name, cell(value)) for name, value in self.numbers.items()]
        rows += [(name, f"({each['kind']})") for name, each in self._objects.items()]
        if self.error is not None:
            rows.append(("failed", self.error.strip().splitlines()[-1]))
        return About("Point of a sweep", rows)


def point_of(outcome: Outcome, home: Path | None) -> Point:
    """Return the point of an outcome whose arrays are in memory, or in a folder."""
    head = outcome.head
    error = head["error"]
    path = None
    if outcome.arrays is None and home is not None:
        path = point_file.path_of(home, head["key"])
    return Point(
        parameters=_values(head["parameters"]),
        seed=head["seed"],
        key=head["key"],
        numbers=head["numbers"],
        error=None if error is None else f"{error.get('traceback')}",
        seconds=float(head["seconds"]),
        compiled=head["compiled"],
        _objects=head["objects"],
        _content=head["content"],
        _arrays=outcome.arrays,
        _path=path,
    )


def _values(parameters):
    """Parameters as they were given: lists of JSON were tuples."""
    return {name: _tuples(value) for name, value in parameters.items()}


def _tuples(value):
    """Lists within a value as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def cell(value: Any) -> str:
    """Return a number or text as tables show it."""
    return number(value) if isinstance(value, float) else f"{value}"
