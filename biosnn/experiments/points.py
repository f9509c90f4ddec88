"""The points of a sweep: every combination of parameters with every seed, and the key of each."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ..support import checks, fingerprint
from ..support.seeds import stream, whole_seed

#: Arguments of a function that get the seed of a point.
SEEDED = ("seed", "rng")
_PLAIN = "numbers, texts, True, False, None, or tuples of these"
_WHY = (
    "they are columns of the table of results, and tell points apart. Give a name, or a number, "
    "of what the function then builds"
)


class Job(NamedTuple):
    """What is computed for one point."""

    parameters: dict[str, Any]
    seed: int | None
    key: str


def combinations(grid: Any) -> list[dict[str, Any]]:
    """Return all combinations of parameters.

    Parameters
    ----------
    grid
        A dict of name -> values, of which every combination is taken (the last name varies
        fastest), or a list of dicts, each of which is one combination.

    Raises
    ------
    ValueError
        If it is neither, or a value is not plain.

    Examples
    --------
    >>> combinations({"g": [3, 4], "scale": 0.1})
    [{'g': 3, 'scale': 0.1}, {'g': 4, 'scale': 0.1}]
    """
    if isinstance(grid, Mapping):
        axes = {_name(name): _axis(name, values) for name, values in grid.items()}
        return [dict(zip(axes, values)) for values in product(*axes.values())]
    rows = checks.several(grid, "grid", '{"g": [3, 4]}, which is a dict of lists')
    if not rows:
        raise ValueError("grid has no points; give a dict of lists, or a list of dicts.")
    for row in rows:
        if not isinstance(row, Mapping):
            checks.refuse("a point of grid", row, 'a dict, such as {"g": 3.0}')
        if set(row) != set(rows[0]):
            raise ValueError(
                f"points of grid have different parameters: {', '.join(map(str, rows[0]))}, and "
                f"{', '.join(map(str, row))}; all must have the same."
            )
    return [{_name(name): plain_value(row[name], f"{name}") for name in rows[0]} for row in rows]


def _name(name):
    """The name of a parameter."""
    if not isinstance(name, str) or not name.isidentifier():
        checks.refuse("a parameter of grid", name, "the name of an argument of the function")
    if name in SEEDED:
        raise ValueError(f"{name} cannot be a parameter of grid: give seeds=… in its place.")
    return name


def _axis(name, values):
    """All values of a parameter; one number or text is a list of one."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        return [plain_value(values, f"grid[{name!r}]")]
    if isinstance(values, np.ndarray) and values.ndim != 1:
        checks.refuse(f"grid[{name!r}]", values, "a list of values, or an array with one axis")
    found = [plain_value(value, f"a value of grid[{name!r}]") for value in values]
    if not found:
        raise ValueError(f"grid[{name!r}] is empty; it must have at least one value.")
    return found


def plain_value(value: Any, name: str, depth: int = 4) -> Any:
    """Return a value as plain Python: what JSON can hold, and tables show.

    Parameters
    ----------
    value
        A number, text, flag, None, or a list or tuple of them.
    name
        For messages.
    depth
        How many lists may be within each other.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) and not np.isnan(value):
        return value
    if isinstance(value, str) and checks.is_text(value):
        return str(value)
    if isinstance(value, (list, tuple)) and depth:
        return tuple(plain_value(each, name, depth - 1) for each in value)
    return checks.refuse(name, value, _PLAIN, _WHY)


# -------------------------------------------------------------------------------------------- seeds


def jobs(
    function: Callable[..., Any],
    described: tuple[str, str],
    parameters: list[dict[str, Any]],
    seeds: Any,
    seed: Any,
    paired: Any,
) -> list[Job]:
    """Return all points, checked against the arguments of the function.

    Parameters
    ----------
    function
        What is computed.
    described
        Its name and version.
    parameters
        One dict for each combination.
    seeds, seed, paired
        As for `sweep`.

    Raises
    ------
    ValueError
        If the function does not take these arguments, or two points are equal.
    """
    accepted = seed_arguments(function)
    numbers, root, paired = _numbers(seeds), whole_seed(seed), checks.flag(paired, "paired")
    if not accepted and len(numbers) > 1:
        raise ValueError(
            f"there are {len(numbers)} seeds, and {described[0]} takes no argument named seed or "
            "rng: every seed would give the same. Let it take one."
        )
    _check_arguments(function, described[0], parameters[0], accepted)
    found = []
    for point in parameters:
        for number in numbers:
            value = _seed(number, root, None if paired else point) if accepted else None
            found.append(Job(point, value, key_of(described, point, value)))
    _check_distinct(found)
    return found


def seed_arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return which of the arguments `seed` and `rng` a function takes."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return ()
    if any(each.kind is each.VAR_KEYWORD for each in known.values()):
        return tuple(name for name in SEEDED if name in known) or ("seed",)
    return tuple(name for name in SEEDED if name in known)


def arguments(job: Job, accepted: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments that a function gets for a point."""
    given = dict(job.parameters)
    if "seed" in accepted:
        given["seed"] = job.seed
    if "rng" in accepted:
        # beside a seed, from which the function makes random numbers of its own, they are others
        apart = job.seed if "seed" in accepted else None
        given["rng"] = np.random.default_rng(job.seed) if apart is None else stream(apart, "rng")
    return given


def _numbers(seeds):
    """Which seeds there are: ("stream", index) or ("given", seed)."""
    if not checks.has_axes(seeds) and not isinstance(seeds, range):
        return [("stream", k) for k in range(checks.whole(seeds, "seeds", 1))]
    given = [whole_seed(each, "one of seeds") for each in checks.several(seeds, "seeds", "1, 2, 3")]
    if not given or len(set(given)) < len(given):
        checks.refuse("seeds", seeds, "a number of seeds, or a list of different whole numbers")
    return [("given", each) for each in given]


def _seed(number, root, point):
    """The seed of a point: as it was given, or drawn from the stream of (seed, index)."""
    kind, value = number
    if kind == "given" and point is None:
        return value
    names = [] if point is None else [fingerprint.digest(_ordered(point))]
    return int(stream(root, "sweep", kind, str(value), *names).integers(2**53))


def key_of(described: Any, point: dict[str, Any], seed: int | None) -> str:
    """Return what a point is known by: of the function, its version, parameters and seed."""
    return fingerprint.digest([*described, _ordered(point), str(seed)])


def _ordered(point):
    """Parameters by name, whatever their order."""
    return [[name, fingerprint.plain(point[name])] for name in sorted(point)]


def _check_arguments(function, name, point, accepted):
    """ValueError unless a function takes these arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # compiled functions do not say
        return
    given = [*point, *accepted]
    try:
        signature.bind(**dict.fromkeys(given))
    except TypeError as error:
        raise ValueError(
            f"{name}{signature} cannot be called with the parameters of grid, "
            f"{', '.join(given) or 'of which there are none'}: {error}."
        ) from None


def _check_distinct(found):
    """ValueError where two points are equal."""
    seen: dict[str, Job] = {}
    for job in found:
        if job.key in seen:
            words = ", ".join(f"{name}={value!r}" for name, value in job.parameters.items())
            raise ValueError(f"grid has the point {words or '()'} twice; each must differ.")
        seen[job.key] = job
