"""The results of a sweep: columns, a table, and a digest of everything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..support import checks
from ..support.optional import optional
from ..support.show import About, Shows, plural
from .point import Point, cell
from .points import plain_value

if TYPE_CHECKING:
    import pandas

    from ..analysis.places import Ax, Drawn


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Shows):
    """What `bs.sweep` returns.

    Indexing gives a column, over all points: of a parameter, "seed", or a result. Results that are
    no numbers come as a list.

    Attributes
    ----------
    function
        Name of the function.
    points
        The points that are there, in the order of the grid, failed ones too.
    total
        Number of points that were asked for.
    computed
        Number of points that were computed by this call, and not found in the folder.
    interrupted
        Whether Ctrl-C ended it.

    Examples
    --------
    >>> import biosnn as bs
    >>> def square(x):
    ...     return {"y": x * x}
    >>> done = bs.sweep(square, {"x": [1, 3]}, executor=1, progress=False)
    >>> done["y"], done.failures
    (array([1, 9]), ())
    """

    function: str
    points: tuple[Point, ...]
    total: int
    computed: int
    interrupted: bool
    _names: tuple[str, ...] = ()  # of results that other points have

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(self.points[0].parameters) if self.points else ()

    @property
    def results(self) -> tuple[str, ...]:
        """Names of the results, of all points."""
        names = (name for point in self.points for name in point.names)
        return tuple(dict.fromkeys((*self._names, *names)))

    @property
    def failures(self) -> tuple[Point, ...]:
        """Points that failed, each with its traceback in `error`."""
        return tuple(point for point in self.points if point.error is not None)

    @property
    def digest(self) -> str:
        """A digest of all points and results: the same for equal ones, whatever computed them."""
        lines = sorted(
            f"{sorted(point.parameters.items())} {point.seed} {point._content} "
            f"{point.error is None}"
            for point in self.points
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, name: str) -> Any:
        found = self._columns().get(name) if isinstance(name, str) else None
        if found is not None:
            return _array(found)
        if name not in self.results:
            known = (*self.parameters, *(("seed",) if self._seeded() else ()), *self.results)
            checks.refuse("a column of the sweep", name, f"one of {', '.join(known) or '()'}")
        if self.points and all(point.error is not None for point in self.points):
            return np.full(len(self.points), np.nan)
        return [point[name] if name in point.names else None for point in self.points]

    def _seeded(self):
        """Whether the function gets seeds."""
        return any(point.seed is not None for point in self.points)

    def _columns(self):
        """Name -> values of all points, of what stands in the table."""
        columns = {name: [p.parameters[name] for p in self.points] for name in self.parameters}
        if self._seeded():
            columns["seed"] = [point.seed for point in self.points]
        numbers = dict.fromkeys(name for point in self.points for name in point.numbers)
        for name in numbers:
            key = f"result.{name}" if name in columns else name
            columns[key] = [point.numbers.get(name) for point in self.points]
        return columns

    def to_frame(self) -> pandas.DataFrame:
        """Return the table: one row for each point.

        Returns
        -------
        A DataFrame of pandas with a column for each parameter, "seed" where the function takes
        one, each result that is a number or text, and "error" where points failed: the last line
        of its traceback.

        Raises
        ------
        ImportError
            If pandas is missing: pip install "biosnn[sweep]" brings it.

        Examples
        --------
        >>> import biosnn as bs
        >>> def square(x):
        ...     return {"y": x * x}
        >>> done = bs.sweep(square, {"x": [1, 3]}, executor=1, progress=False)
        >>> list(done.to_frame().columns)
        ['x', 'y']
        """
        tables = optional("pandas", "sweep", "Sweep.to_frame")
        table = tables.DataFrame(self._columns())
        if self.failures:
            table["error"] = [
                None if point.error is None else point.error.strip().splitlines()[-1]
                for point in self.points
            ]
        return table

    def select(self, **values: Any) -> Sweep:
        """Return the points at which parameters have some values.

        Parameters
        ----------
        **values
            Parameter -> value, or a list of values.

        Returns
        -------
        A Sweep of these points.

        Raises
        ------
        ValueError
            If there is no such parameter, or no such point.

        Examples
        --------
        >>> import biosnn as bs
        >>> def product(x, y):
        ...     return {"xy": x * y}
        >>> done = bs.sweep(product, {"x": [1, 3], "y": [2, 5]}, executor=1, progress=False)
        >>> done.select(x=3)["xy"]
        array([ 6, 15])
        """
        checks.check_names("select", values, (*self.parameters, "seed"), owner="the sweep")
        wanted = {name: _wanted(name, value) for name, value in values.items()}
        points = [point for point in self.points if _fits(point, wanted)]
        if not points:
            words = ", ".join(f"{name}={checks.shown(value)}" for name, value in values.items())
            raise ValueError(f"the sweep has no point with {words}.")
        return Sweep(self.function, tuple(points), len(points), 0, self.interrupted, self.results)

    def plot(
        self,
        x: str,
        y: str,
        hue: str | None = None,
        *,
        ax: Ax | None = None,
        width: float | None = None,
    ) -> Drawn:
        """Draw a result against a parameter, or a map over two parameters.

        Parameters
        ----------
        x
            A parameter, or any column.
        y
            A result: curves. A parameter: a map, with the result `hue` as colour.
        hue
            For curves a parameter, with a curve for each of its values. For maps a result.
        ax
            The Axes to draw into. Default: a new figure.
        width
            Width of a new figure on paper in cm. Default: a figure for the screen.

        Returns
        -------
        The figure, or with `ax` the axes. Curves are means over seeds, with a shade of one standard
        deviation (n - 1 in its denominator) to either side; maps show means over seeds. Points that
        are no full grid are drawn as dots.

        Raises
        ------
        ValueError
            If there is no such column, or other parameters vary, too: choose one value of each by
            `select`.

        Examples
        --------
        >>> import biosnn as bs
        >>> def product(x, y):
        ...     return {"xy": x * y}
        >>> done = bs.sweep(product, {"x": [1, 3], "y": [2, 5]}, executor=1, progress=False)
        >>> done.plot("x", "xy", "y").axes[0].get_ylabel()
        'xy'
        """
        from .sweep_plot import draw

        return draw(self, x, y, hue, ax=ax, width=width)

    def _about(self) -> About:
        """How many points, their parameters and results."""
        failed = len(self.failures)
        rows = [
            ("points", f"{len(self.points)} of {self.total}, {self.computed} computed now"),
            *([("failed", f"{failed}: see failures")] if failed else []),
            *([("interrupted", "the same call, with a folder, goes on")] * self.interrupted),
        ]
        rows += [(name, _range(self[name])) for name in self.parameters]
        if self._seeded():
            rows.append(("seeds", f"{len({point.seed for point in self.points})}"))
        rows.append(("results", ", ".join(self.results) or "none"))
        if self.points:
            seconds = sum(point.seconds for point in self.points) / len(self.points)
            rows.append(("a point", f"{seconds:.3g} s"))
        if kernels := sum(point.compiled for point in self.points):
            rows.append(("compiled", plural(kernels, "kernel")))
        return About(f"Sweep of {self.function}", rows)


def _array(values):
    """Values as an array: of numbers where all are, NaN where there is none."""
    if any(isinstance(each, (str, tuple)) for each in values):
        found = np.empty(len(values), object)
        found[:] = values
        return found
    if any(each is None for each in values):
        return np.array([np.nan if each is None else float(each) for each in values])
    return np.array(values)


def _wanted(name, values):
    """The values that `select` looks for, as a list."""
    several = isinstance(values, (list, range)) or (type(values) is np.ndarray and values.ndim == 1)
    return [plain_value(value, f"{name} in select") for value in (values if several else [values])]


def _fits(point, wanted):
    """Whether a point has one of the values of each parameter, numbers up to rounding."""
    given = {**point.parameters, "seed": point.seed}
    return all(any(_same(given[name], each) for each in values) for name, values in wanted.items())


def _same(one, other):
    """Whether two values of a parameter are equal."""
    if isinstance(one, float) and isinstance(other, (int, float)):
        return bool(np.isclose(one, other, rtol=1e-9, atol=0))
    return bool(one == other)


def _range(values):
    """The values of a parameter in a few words."""
    different = list(dict.fromkeys(values.tolist()))
    if len(different) <= 4 or values.dtype.kind not in "iuf":
        shown = ", ".join(cell(each) for each in different[:4])
        return shown + (f" … ({len(different)} values)" if len(different) > 4 else "")
    return f"{values.min():.4g} … {values.max():.4g} ({len(different)} values)"
