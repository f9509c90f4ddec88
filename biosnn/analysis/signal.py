"""Signals: numbers over time of trials and channels, from states, spikes or arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.recording import Recording
from ..data.spike_trains import SpikeTrains
from ..support import checks, timegrid
from ..support.memory import check_room
from ..support.show import About, Shows, milliseconds, plural
from .places import label, one_panel
from .protocols import is_run
from .style import pt
from .windows import check_trials, checked_width

if TYPE_CHECKING:
    from .places import Ax, Drawn

#: How an array is read, for messages.
AXES = "(step,), (step, channel) or (trial, step, channel)"


@dataclass(frozen=True, eq=False, repr=False)
class Signal(Shows):
    """Numbers over time: of trials, at steps of equal length, in channels.

    Parameters
    ----------
    values
        (trial, step, channel); (step,) and (step, channel) are of one trial. Channels are neurons,
        groups of neurons, or what else was measured side by side. With two axes there are at least
        as many steps as channels, because (trial, step) is easily mistaken for it.
    dt
        Seconds from one step to the next.
    start
        Seconds of the first step.

    Raises
    ------
    ValueError
        If values are not finite numbers of one to three axes with at least one step, or `dt` is not
        above 0.

    See Also
    --------
    recorded, population_rate, synaptic_currents : where signals come from.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> signal = bs.signals.Signal(np.sin(np.arange(500) * 0.1), 1e-3)
    >>> signal.values.shape, signal.duration
    ((1, 500, 1), 0.5)
    """

    values: NDArray[np.float64]
    dt: float
    start: float = 0.0

    def __post_init__(self) -> None:
        checks.keep(
            self,
            values=_checked_values(self.values, "Signal: values"),
            dt=checks.time(self.dt, "Signal: dt", above=0),
            start=checks.time(self.start, "Signal: start"),
        )

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return self.values.shape[0]

    @property
    def n_steps(self) -> int:
        """Number of steps of a trial."""
        return self.values.shape[1]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.values.shape[2]

    @property
    def duration(self) -> float:
        """Seconds of a trial."""
        return self.n_steps * self.dt

    @property
    def times(self) -> NDArray[np.float64]:
        """(steps,) seconds."""
        return self.start + self.dt * np.arange(self.n_steps, dtype=np.float64)

    def mean(self) -> Signal:
        """Return the mean over channels, a signal of one channel.

        Examples
        --------
        >>> import biosnn as bs
        >>> bs.signals.Signal([[1.0, 2.0], [3.0, 6.0]], 1e-3).mean().values.ravel()
        array([1.5, 4.5])
        """
        return Signal(self.values.mean(axis=2, keepdims=True), self.dt, self.start)

    def plot(self, ax: Ax | None = None, *, trial: int = 0, width: float | None = None) -> Drawn:
        """Draw the signal of one trial over time.

        Parameters
        ----------
        ax
            Where to draw. Default: a new figure.
        trial
            Number of the trial.
        width
            Width of a new figure on paper in cm. Default: a figure for the screen.

        Returns
        -------
        The figure, or with `ax` the axes. Several channels are drawn as their mean, with up to 50
        channels behind it in grey.

        Raises
        ------
        ValueError
            If there is no such trial.

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> signal = bs.signals.Signal(np.sin(np.arange(500) * 0.1), 1e-3)
        >>> signal.plot().axes[0].get_xlabel()
        'time (s)'
        """
        values = self.values[checks.whole(trial, "trial", 0, self.n_trials - 1)]

        def draw(axis):
            """Draw on Axes."""
            if self.n_channels > 1:
                axis.plot(self.times, values[:, :50], color="0.8", linewidth=pt(0.7))
            axis.plot(self.times, values.mean(axis=1), color="black", linewidth=pt(1.2))
            label(axis, "time (s)", "signal")

        return one_panel(draw, ax=ax, width=width)

    def _about(self) -> About:
        rows = [
            ("trials", f"{self.n_trials:,}"),
            ("time", f"{milliseconds(self.duration)} in {self.n_steps:,} steps"),
            ("channels", f"{self.n_channels:,}"),
        ]
        return About("Signal", rows)


#: What functions of signals take: with arrays and SpikeTrains they need `dt`, too.
SignalLike = Signal | SpikeTrains | ArrayLike


def as_signal(signal: SignalLike, dt: Any, name: str = "signal", *, units: bool = False) -> Signal:
    """Return a signal of what a user gives.

    Parameters
    ----------
    signal
        A Signal, an array, or SpikeTrains.
    dt
        Seconds of a step, which a Signal has already. Spikes are counted in bins of that width.
    name
        The name of the argument, for messages.
    units
        Whether spikes become the counts of every unit, and not the rate of the population.

    Raises
    ------
    ValueError
        If it is none of these, or has no `dt`.

    Examples
    --------
    >>> as_signal([1.0, 2.0], 1e-3).values.shape
    (1, 2, 1)
    """
    if isinstance(signal, Signal):
        if dt is not None and abs(checks.time(dt, "dt") - signal.dt) > 1e-9 * signal.dt:
            raise ValueError(
                f"dt is {dt:g} s, and {name} is a Signal with steps of {signal.dt:g} s; leave dt "
                "out."
            )
        return signal
    if is_run(signal):
        _refuse_run(signal, name)
    if dt is None:
        raise ValueError(
            f"{name} is {checks.shown(signal)}, and there is no dt; give dt=…, the seconds from "
            "one step to the next, of spikes those of a bin, or a Signal, which has them "
            "(bs.signals.recorded)."
        )
    if isinstance(signal, SpikeTrains):
        return unit_counts(signal, dt) if units else population_rate(signal, dt)
    return Signal(_checked_values(signal, name), checks.time(dt, "dt", above=0))


def _refuse_run(run: Any, name: str) -> NoReturn:
    """ValueError for a Trace or a Simulation in place of one of its signals."""
    raise ValueError(
        f"{name} is a {type(run).__name__}, which holds many signals; take one of them: "
        'bs.signals.recorded(run, "E.U"), bs.signals.population_rate(run.spikes["E"], 1e-3).'
    )


def same_signals(
    first: SignalLike, second: SignalLike, dt: Any, names: tuple[str, str]
) -> tuple[Signal, Signal]:
    """Return two signals of the same trials and steps; ValueError if they are not."""
    one, other = (as_signal(each, dt, name) for each, name in zip((first, second), names))
    trials_and_steps = one.values.shape[:2], other.values.shape[:2]
    if trials_and_steps[0] != trials_and_steps[1] or abs(one.dt - other.dt) > 1e-9 * one.dt:
        raise ValueError(
            f"{names[0]} has {_extent(one)} and {names[1]} {_extent(other)}; they must be of the "
            f"same trials and steps. Arrays are {AXES}."
        )
    return one, other


def _extent(signal):
    """Trials and steps in words."""
    trials, steps = plural(signal.n_trials, "trial"), plural(signal.n_steps, "step")
    return f"{trials} of {steps} of {signal.dt:g} s"


def _checked_values(values, name):
    """(trial, step, channel) of finite numbers."""
    values = checks.reals(values, name)
    if not 1 <= values.ndim <= 3 or 0 in values.shape:
        raise ValueError(f"{name} has shape {values.shape}; it must be {AXES}, and not empty.")
    if values.ndim == 2 and values.shape[1] > values.shape[0]:
        raise ValueError(
            f"{name} has shape {values.shape}: as (step, channel) it has more channels than steps. "
            "If it is (trial, step), give values[..., None]; if it is (channel, step), values.T; "
            "if it is meant so, values[None]."
        )
    if values.ndim == 1:
        values = values[:, None]
    return values if values.ndim == 3 else values[None]


# ------------------------------------------------------------------------------------- their origin


def recorded(run: Any, name: str) -> Signal:
    """Return a recorded state of a run as a signal.

    Parameters
    ----------
    run
        What `biosnn.run` or `biosnn.simulate` returns, or a `biosnn.data.Recording`, as the readers
        of `biosnn.interop` return.
    name
        Name of the state, such as "E.U". It must be in the `record` of the run, of neurons or as a
        mean.

    Returns
    -------
    A signal with one channel for each recorded neuron or group, and with the steps of the
    recording: `every` steps of a simulation. Trials that end at different times are cut to the
    shortest.

    Raises
    ------
    ValueError
        If it is not a run, the state was not recorded, or a simulation has recorded it only once.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(10, bs.ei_lif(), "excitatory", name="E")
    >>> noise = [bs.OrnsteinUhlenbeck("E", mean=0.5, sd=0.3, tau=5e-3)]
    >>> done = bs.simulate(
    ...     net, 0.1, background=noise, record={"E.U": "mean"}, every=2, progress=False
    ... )
    >>> bs.signals.recorded(done, "E.U").dt
    0.002
    """
    states = _states(run)
    name = checks.instance(name, "name", str, "the name of a state, such as 'E.U'")
    if name not in states:
        there = ", ".join(states) or "none"
        raise ValueError(
            f"{name!r} was not recorded; the recorded states are: {there}. Run with "
            f'record={{"{name}": "mean"}}, or with record=["{name}"] for every neuron.'
        )
    values = states[name]
    if values.size == 0:
        raise ValueError(f"{name} was recorded of no neurons or at no step: {values.shape}.")
    if isinstance(run, Recording):
        return _of_recording(run, name)
    if values.ndim == 3:
        own = run.own_steps
        return Signal(values if own is None else values[:, : own.min()], run.dt, run.start)
    times = run.state_times
    if times.size < 2:
        raise ValueError(f"{name} was recorded at one step; a signal needs two at least.")
    dt = timegrid.nearest_steps(times[1] - times[0], run.network.dt) * run.network.dt
    return Signal(values, dt, run.start + times[0])


def _of_recording(recording, name):
    """A state of a Recording, whose trials may begin at any time and end at different ones."""
    times = np.asarray(recording.state_times)
    n_steps = recording.inside.sum(axis=1).min()
    if n_steps < 2:
        raise ValueError(f"{name} was recorded at {n_steps} steps; a signal needs two at least.")
    values = recording.states[name][:, :n_steps]
    return Signal(values, recording.sampling, float(recording.starts[0]) + times[0])


def _states(run):
    """The recorded states of a Trace, a Simulation or a Recording."""
    if isinstance(run, Recording):
        return run.states
    if not is_run(run):
        checks.refuse("run", run, "what bs.run or bs.simulate returns")
    return run.states


def population_rate(spikes: SpikeTrains, dt: float) -> Signal:
    """Return the rate of a population over time, of every trial.

    Parameters
    ----------
    spikes
        Spike trains of the population.
    dt
        Seconds of the bins in which spikes are counted. What is left at the end of a trial counts
        nowhere; trials that end at different times are cut to the shortest.

    Returns
    -------
    A signal of one channel in hertz: spikes of a bin / (units · dt).

    Raises
    ------
    ValueError
        If there are no trials or units, or `dt` is not within (0, duration].

    See Also
    --------
    stats.rate_over_time : the mean over trials.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], []], duration=0.5)
    >>> bs.signals.population_rate(spikes, 0.25).values.ravel()
    array([2., 2.])
    """
    windows, n_windows, dt = _binned(spikes, dt)
    at = (spikes.trials * n_windows + windows)[windows < n_windows]
    counts = np.bincount(at, minlength=len(spikes) * n_windows)
    return Signal(counts.reshape(len(spikes), n_windows, 1) / (spikes.n_units * dt), dt)


def unit_counts(spikes: SpikeTrains, dt: float) -> Signal:
    """Return the spike counts of every unit in bins of `dt` seconds, a channel each."""
    windows, n_windows, dt = _binned(spikes, dt)
    shape = len(spikes), n_windows, spikes.n_units
    check_room(f"a width of {dt:g} s", int(np.prod(shape, dtype=object)), 8, "counts")
    counts = np.zeros(shape)
    inside = windows < n_windows
    np.add.at(counts, (spikes.trials[inside], windows[inside], spikes.units[inside]), 1.0)
    return Signal(counts, dt)


def _binned(spikes, dt):
    """(bin of every spike, whole bins of a trial, seconds of a bin)."""
    check_trials(spikes)
    if not spikes.n_units:
        raise ValueError("the spike trains have no units, so they have no rate.")
    shortest = float(spikes.durations.min())
    dt = checked_width("dt", dt, shortest)
    n_windows = timegrid.whole_windows(shortest, dt)
    check_room(f"dt = {dt:g} s", n_windows * len(spikes), 16, "bins")
    return timegrid.windows_of(spikes.times, dt), n_windows, dt
