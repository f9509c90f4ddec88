"""Points for sweeps of many parameters, where a full grid would have too many."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..support import checks
from ..support.seeds import stream, whole_seed

_METHODS = ("sobol", "halton", "latin_hypercube", "random")
_MOST = 21_201  # dimensions of Sobol's sequence in scipy


def design(
    ranges: Mapping[str, Sequence[float]],
    n: int,
    *,
    method: str = "sobol",
    log: Collection[str] = (),
    whole: Collection[str] = (),
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return points that fill ranges of parameters evenly, or at random.

    Parameters
    ----------
    ranges
        Parameter -> (lowest, highest) value.
    n
        Number of points; for "sobol" best a power of 2.
    method
        "sobol" (scrambled), "halton" (scrambled), "latin_hypercube", all of which fill the space
        more evenly than "random".
    log
        Names of parameters whose logarithm is spread evenly.
    whole
        Names of parameters that are whole numbers, both ends included.
    seed
        The same seed gives the same points; "sobol", "halton" and "random" begin with the same
        points, whatever n.

    Returns
    -------
    One dict for each point, for `bs.sweep`.

    Raises
    ------
    ValueError
        If a range is empty, or begins at or below 0 where its logarithm is asked for.

    Examples
    --------
    >>> import biosnn as bs
    >>> points = bs.experiments.design(
    ...     {"g": (3.0, 8.0), "tau": (1e-3, 0.1)}, 8, log=["tau"]
    ... )
    >>> len(points), sorted(points[0])
    (8, ['g', 'tau'])
    >>> bool(min(point["tau"] for point in points) < 4e-3)
    True
    """
    if not isinstance(ranges, Mapping) or not ranges:
        checks.refuse("ranges", ranges, 'a dict, such as {"g": (3.0, 8.0)}')
    n, root = checks.whole(n, "n", 1), whole_seed(seed)
    checks.choice(method, "method", _METHODS)
    logs, wholes = (
        checks.texts(names, what, "'g'") for names, what in ((log, "log"), (whole, "whole"))
    )
    for names, what in ((logs, "log"), (wholes, "whole")):
        for name in names:
            checks.choice(name, f"one of {what}", ranges)
    unit = _unit_points(len(ranges), n, method, root)
    columns = {
        str(name): _stretched(unit[:, k], name, ends, name in logs, name in wholes)
        for k, (name, ends) in enumerate(ranges.items())
    }
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _unit_points(dimensions, n, method, seed):
    """(n, dimensions) points between 0 and 1."""
    rng = stream(seed, "design", method)
    if method == "random":
        return rng.random((n, dimensions))
    from scipy.stats import qmc

    if method == "sobol":
        checks.whole(dimensions, "the number of ranges", 1, _MOST)
        sampler = qmc.Sobol(dimensions, rng=rng)
        return sampler.random_base2(max(0, int(n - 1).bit_length()))[:n]
    kind = {"halton": qmc.Halton, "latin_hypercube": qmc.LatinHypercube}[method]
    return kind(dimensions, rng=rng).random(n)


def _stretched(unit, name, ends, log, whole):
    """Values of one parameter from numbers between 0 and 1."""
    low, high = checks.reals(ends, f"ranges[{name!r}]", shape=(2,)).tolist()
    if not low < high:
        raise ValueError(f"ranges[{name!r}] is ({low:g}, {high:g}); it must rise.")
    if log and low <= 0:
        raise ValueError(f"ranges[{name!r}] begins at {low:g}; a logarithm needs numbers above 0.")
    if whole:
        if low != int(low) or high != int(high):
            raise ValueError(
                f"ranges[{name!r}] is ({low:g}, {high:g}); both must be whole numbers."
            )
        first, last = (low - 0.5, high + 0.5) if not log else (low, high + 1)
        values = _between(unit, first, last, log)
        found = np.floor(values) if log else np.rint(values)
        return np.clip(found, low, high).astype(np.int64).tolist()
    return np.clip(_between(unit, low, high, log), low, high).tolist()


def _between(unit, low, high, log):
    """Numbers between two ends, evenly or by their logarithm."""
    return low * (high / low) ** unit if log else low + (high - low) * unit
