"""Background input: Poisson input, currents, noisy currents.

Descriptions are frozen dataclasses. Random numbers are counter-based: they depend on the seed, the
place in the list, the neuron and the step, and on nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..network.population import Population
from ..support import checks, plausible, timegrid
from ..support.checks import instance, keep, real, reals
from ..support.show import plural
from ..support.units import hertz, seconds

#: One number, one per neuron, or (times, values) of what changes with time.
Piecewise = ArrayLike | tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True, eq=False, repr=False)
class _Source:
    """Background, which shows itself in one line: of arrays the shape, of a population the name."""

    def __repr__(self) -> str:
        parts = (f"{each.name}={_words(getattr(self, each.name))}" for each in fields(self))
        return f"{type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True, eq=False, repr=False)
class PoissonInput(_Source):
    """Independent Poisson spike trains, one for every neuron of a population.

    Parameters
    ----------
    population
        The population, or its name.
    rate
        Hertz: one number, an array of one per neuron, or (times, rates) with rates (pieces,) or
        (pieces, neurons): rates[k] holds from times[k] on. Times are seconds, ascending from 0,
        rounded to the nearest step with a RoundingWarning. What differs between trials has an axis
        of them before: (trials, neurons or 1), or rates (trials, pieces, neurons or 1).
    weight
        Weight of an event, like that of a synapse: non-negative where the receptor has a sign.
    receptor
        Default: "exc", or "syn" where there is none.

    Raises
    ------
    ValueError
        If a number is not finite, or of another kind.

    Notes
    -----
    In every step, receptor state += jump * weight * count. The number of events in a step is drawn
    with a resolution of 2^-32 of its cumulative distribution.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.PoissonInput("E", rate=1000.0, weight=0.1).rate
    1000.0
    """

    population: str | Population
    rate: Piecewise
    weight: float
    receptor: str | None = None

    def __post_init__(self):
        _check_population(self)
        keep(
            self,
            rate=_numbers(self.rate, "PoissonInput: rate", "rates", hertz),
            weight=real(self.weight, "PoissonInput: weight"),
        )
        if self.receptor is not None:
            example = "the name of a receptor, such as 'exc'"
            instance(self.receptor, "PoissonInput: receptor", str, example)


@dataclass(frozen=True, eq=False, repr=False)
class Current(_Source):
    """A current that is added to the right-hand side of the membrane equation.

    Parameters
    ----------
    population
        The population, or its name.
    values
        In the unit of U: one number, an array of one per neuron, or (times, values) with values
        (pieces,) or (pieces, neurons): values[k] holds from times[k] on. Times are seconds,
        ascending from 0, rounded to the nearest step with a RoundingWarning. What differs between
        trials has an axis of them before: (trials, neurons or 1), or values (trials, pieces,
        neurons or 1).

    Raises
    ------
    ValueError
        If a number is not finite, or of another kind.

    Notes
    -----
    tau_mem dU/dt = -U + … + current.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.Current("E", ([0.0, 0.5], [0.0, 1.2])).values
    (array([0. , 0.5]), array([0. , 1.2]))
    """

    population: str | Population
    values: Piecewise

    def __post_init__(self):
        _check_population(self)
        keep(self, values=_numbers(self.values, "Current: values", "values"))


@dataclass(frozen=True, eq=False, repr=False)
class OrnsteinUhlenbeck(_Source):
    """A current with independent Ornstein-Uhlenbeck noise for every neuron of a population.

    Parameters
    ----------
    population
        The population, or its name.
    mean, sd
        Mean and standard deviation of the current, in the unit of U: numbers, or arrays of one per
        neuron, or (trials, neurons or 1).
    tau
        Correlation time in seconds.

    Raises
    ------
    ValueError
        If a number is not finite, or tau is not above 0.

    Notes
    -----
    tau dx/dt = -(x - mean) + sqrt(2 tau) sd (white noise), exact from step to step:
    x <- mean + a (x - mean) + sd sqrt(1 - a^2) z with a = exp(-dt / tau). It is stationary from the
    start, and added to the membrane as `Current` is.

    References
    ----------
    Gillespie (1996), Physical Review E 54:2084-2091.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.OrnsteinUhlenbeck("E", mean=0.8, sd=0.2, tau=5e-3).tau
    0.005
    """

    population: str | Population
    mean: ArrayLike
    sd: ArrayLike
    tau: float

    def __post_init__(self):
        _check_population(self)
        keep(
            self,
            mean=_numbers(self.mean, "OrnsteinUhlenbeck: mean", "values"),
            sd=_numbers(self.sd, "OrnsteinUhlenbeck: sd", "values"),
            tau=checks.time(self.tau, "OrnsteinUhlenbeck: tau", above=0, plausible=plausible.NOISE),
        )


def _words(value):
    """A value in a few words, whatever the number of its elements."""
    if isinstance(value, Population):
        return repr(value.name)
    if isinstance(value, tuple):
        return f"<{plural(value[0].size, 'piece')}, values {value[1].shape}>"
    return f"<array {value.shape}>" if isinstance(value, np.ndarray) else repr(value)


def _check_population(source):
    """ValueError unless the population of a source is one, or a name."""
    instance(
        source.population,
        f"{type(source).__name__}: population",
        (str, Population),
        "a population, or its name",
    )


def _numbers(value, what, second, convert=lambda value, name: value):
    """A number as a float, or an array, or (times, values) as two of them."""
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ValueError(
                f"{what}: got a tuple of {len(value)}; what changes with time is a pair (times, "
                f"{second}), one value per neuron an array."
            )
        return reals(seconds(value[0], "times"), f"{what}: times"), reals(
            convert(value[1], second), f"{what}: {second}"
        )
    value = reals(convert(value, what), what)
    return value if value.ndim else float(value)


def pieces_by_trial(value: Any, n: int, dt: float, what: str) -> tuple[NDArray[np.int64], NDArray]:
    """Return the pieces of what may change with time and from trial to trial.

    Parameters
    ----------
    value
        A number, an array (n,) or (trials, n or 1), or (times, values) with values (pieces,),
        (pieces, n or 1) or (trials, pieces, n or 1).
    n
        Neurons of the population.
    dt
        Seconds of a step.
    what
        For messages.

    Returns
    -------
    The steps from which pieces hold, and their values (1 or trials, pieces, 1 or n).

    Raises
    ------
    ValueError
        If times do not ascend from 0, or values have another shape.

    Examples
    --------
    >>> pieces_by_trial(([0.0, 0.1], [1.0, 2.0]), 3, 1e-3, "rate")[1].shape
    (1, 2, 1)
    >>> pieces_by_trial(np.ones((5, 1)), 3, 1e-3, "rate")[1].shape
    (5, 1, 1)
    """
    varies = isinstance(value, tuple)
    times, values = value if varies else ([0.0], value)
    times, values = checks.reals(times, f"{what}: times"), np.asarray(values, float)
    if times.ndim != 1 or not times.size or times[0] != 0 or np.any(np.diff(times) <= 0):
        raise ValueError(f"{what}: times must be an ascending array of seconds that begins with 0.")
    given = values.shape
    if not varies:  # (), (n,) or (trials, n or 1)
        values = values.reshape(1, 1, -1) if values.ndim < 2 else values[:, None]
    elif values.ndim < 3:  # (pieces,) or (pieces, n or 1)
        values = values.reshape(1, *values.shape, *[1] * (2 - values.ndim))
    if (
        values.ndim != 3
        or values.shape[1] != times.size
        or values.shape[2] not in (1, n)
        or not values.size
        or not np.all(np.isfinite(values))
    ):
        raise ValueError(
            f"{what}: values have shape {given}; they must be finite numbers, one or {n} (one per "
            f"neuron), for each of the {times.size} pieces, and for each trial if they differ "
            f"between trials: (trials, {f'{times.size}, ' if varies else ''}1 or {n})."
        )
    starts = timegrid.nearest_steps(times, dt)
    timegrid.warn_if_rounded(times, starts, dt, f"{what}: times")
    return starts, values


def trials_of(source: Any) -> int:
    """Return for how many trials a source has values; 1 where they are the same for all."""
    parts = [getattr(source, name, None) for name in ("rate", "values", "mean", "sd")]
    each = [(p[1], 3) if isinstance(p, tuple) else (p, 2) for p in parts if p is not None]
    return max([1, *(np.shape(v)[0] for v, axes in each if np.ndim(v) == axes)])


def of_trials(source: Any, choose: Callable[[NDArray], NDArray]) -> Any:
    """Return a source whose values by trial are others; one without stays as it is.

    Parameters
    ----------
    source
        A description.
    choose
        Values by trial -> other values: `lambda values: values[rows]`, or their mean.
    """
    changed = {}
    for name in ("rate", "values", "mean", "sd"):
        given = getattr(source, name, None)
        times, values = given if isinstance(given, tuple) else (None, given)
        if np.ndim(values) == (2 if times is None else 3) and np.shape(values)[0] > 1:
            changed[name] = choose(values) if times is None else (times, choose(values))
    return replace(source, **changed) if changed else source


def pieces(value: Any, n: int, dt: float, what: str) -> tuple[NDArray[np.int64], NDArray]:
    """Return the pieces of what may change with time, on the grid of steps, of one trial.

    Parameters
    ----------
    value, n, dt, what
        As for `pieces_by_trial`.

    Returns
    -------
    The steps from which pieces hold, and their values (pieces, 1 or n).

    Raises
    ------
    ValueError
        As `pieces_by_trial`; or if values differ between trials.

    Examples
    --------
    >>> pieces(([0.0, 0.1], [1.0, 2.0]), 3, 1e-3, "rate")
    (array([  0, 100]), array([[1.],
           [2.]]))
    """
    starts, values = pieces_by_trial(value, n, dt, what)
    if len(values) > 1:
        raise ValueError(
            f"{what}: values are given for {len(values)} trials; here there is one network and no "
            "trials. `run`, `train` and `evaluate` take them."
        )
    return starts, values[0]
