"""Local field potentials of networks of point neurons: by a proxy, and by kernels of spikes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..data.spike_parts import check_same_trials
from ..data.spike_trains import SpikeTrains
from ..support import checks, timegrid
from ..support.memory import check_room
from .field_kernels import AlphaKernel, GaussianKernel
from .signal import Signal, SignalLike
from .synaptic_currents import two_currents
from .windows import check_trials, checked_width


def local_field_potential(
    excitatory: SignalLike,
    inhibitory: SignalLike,
    dt: float | None = None,
    *,
    alpha: float = 1.65,
    excitatory_delay: float = 6e-3,
    inhibitory_delay: float = 0.0,
    normalised: bool = True,
) -> Signal:
    """Return a proxy of the local field potential: the reference weighted sum of currents.

    Parameters
    ----------
    excitatory, inhibitory
        Synaptic currents of the *excitatory* (pyramidal) population, both as magnitudes >= 0:
        signals or arrays of the same trials and steps, of neurons or their mean, as
        `synaptic_currents` returns them. Published for AMPA and GABA currents.
    dt
        Seconds of a step of arrays.
    alpha
        Weight of the inhibitory currents.
    excitatory_delay, inhibitory_delay
        Seconds by which the currents are late in the field, rounded to steps.
    normalised
        Whether to give it mean 0 and standard deviation 1, over all trials, as published: the proxy
        tells the time course and not the size.

    Returns
    -------
    A signal of one channel. It begins where both delayed currents are known.

    Raises
    ------
    ValueError
        If the currents differ in trials, steps or channels, are negative, or do not vary, or a
        trial is not longer than the delays.

    See Also
    --------
    kernel_field_potential : from spikes alone.

    Notes
    -----
        RWS(t) = Norm[ sum_i |I_AMPA,i(t - 6 ms)| + 1.65 sum_i |I_GABA,i(t)| ]

    The paper writes -1.65 before GABA, because its currents have signs: both add, since a sink in
    the apical dendrite and a source at the soma make dipoles of one direction. It was fitted to
    pyramidal cells of a cortical network with 3-D morphology, where it explains about 90 % of the
    variance of the field.

    References
    ----------
    Mazzoni et al. (2015), PLoS Comput. Biol. 11(12):e1004584.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> e = np.abs(np.random.default_rng(1).normal(size=(1000, 20)))
    >>> field = bs.signals.local_field_potential(e, 0.5 * e, 1e-3)
    >>> field.values.shape, field.start, round(float(field.values.std()), 6)
    ((1, 994, 1), 0.006, 1.0)
    """
    e, i = two_currents(excitatory, inhibitory, dt)
    alpha = checks.real(alpha, "alpha", 0)
    normalised = checks.flag(normalised, "normalised")
    late = _delay_steps(excitatory_delay, "excitatory_delay", e)
    later = _delay_steps(inhibitory_delay, "inhibitory_delay", e)
    first = max(late, later)
    field = e.values[:, first - late : e.n_steps - late].sum(
        axis=2, keepdims=True
    ) + alpha * i.values[:, first - later : e.n_steps - later].sum(axis=2, keepdims=True)
    return Signal(_normalised(field) if normalised else field, e.dt, e.start + first * e.dt)


def _delay_steps(delay, name, signal):
    """Steps of a delay."""
    delay = checks.time(delay, name, 0)
    steps = timegrid.nearest_steps(delay, signal.dt)
    timegrid.warn_if_rounded(np.array([delay]), np.array([steps]), signal.dt, name)
    if steps >= signal.n_steps:
        raise ValueError(
            f"{name} is {delay:g} s, and a trial lasts {signal.duration:g} s; nothing of it would "
            "be left."
        )
    return steps


def _normalised(field):
    """With mean 0 and standard deviation 1."""
    deviation = field.std()
    if not deviation > 0:
        raise ValueError(
            "the currents do not vary, so their sum cannot be given a standard deviation of 1; "
            "normalised=False returns it as it is."
        )
    return (field - field.mean()) / deviation


# -------------------------------------------------------------------------------------- from spikes


def kernel_field_potential(
    spikes: Mapping[str, SpikeTrains],
    kernels: Mapping[str, GaussianKernel | AlphaKernel],
    dt: float,
) -> Signal:
    """Return the local field potential as the sum of a kernel around every spike.

    Parameters
    ----------
    spikes
        Population -> spike trains of the same trials, such as the `spikes` of a run.
    kernels
        Population -> what a spike of it adds to the field, with one amplitude and delay, or one for
        each neuron (its distance to the electrode, `unitary_field_potential`). Populations without
        a kernel add nothing.
    dt
        Seconds from one value of the field to the next.

    Returns
    -------
    A signal of one channel, in the unit of the amplitudes. Spikes before and after the trial are
    not known, so that the first and last span of a kernel are incomplete. Trials that end at
    different times are cut to the shortest.

    Raises
    ------
    ValueError
        If a population of `kernels` has no spikes, trials differ, or a kernel has another number of
        neurons.

    Notes
    -----
        field(t) = sum_p sum_i sum_s k_p,i(t - t_s),

    over populations p, neurons i and their spikes s. A spike between two values of time counts for
    both, in proportion. Independent Poisson neurons with rates r_i give the spectrum
    2 sum_i r_i |K_i(f)|², with the Fourier transform K_i of their kernel (`transfer`).

    References
    ----------
    Teleńczuk, Teleńczuk & Destexhe (2020), J. Neurosci. Methods 344:108871; Hagen et al. (2022),
    PLoS Comput. Biol. 18(8):e1010353 (kernels from biophysical models).

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = {"E": bs.SpikeTrains.from_units([[0.05]], duration=0.2)}
    >>> kernel = bs.signals.GaussianKernel(amplitude=1e-6, delay=10e-3, sd=3e-3)
    >>> field = bs.signals.kernel_field_potential(spikes, {"E": kernel}, 1e-3)
    >>> float(field.times[field.values[0, :, 0].argmax()])
    0.06
    """
    trains = _checked_trains(spikes, kernels)
    first = next(iter(trains.values()))
    shortest = float(first.durations.min())
    dt = checked_width("dt", dt, shortest)
    n_steps = timegrid.covering_windows(shortest, dt)
    field = np.zeros((len(first), n_steps, 1))
    for name, train in trains.items():
        field[..., 0] += _field_of(train, kernels[name], dt, n_steps, name)
    return Signal(field, dt)


def _checked_trains(spikes, kernels):
    """Population -> spike trains of those that have a kernel."""
    if not isinstance(spikes, Mapping) or not isinstance(kernels, Mapping) or not kernels:
        raise ValueError(
            "spikes and kernels must be dicts of populations, such as trace.spikes and "
            '{"E": bs.signals.GaussianKernel(1e-6, 10e-3, 3e-3)}.'
        )
    for what, given in (("spikes", spikes), ("kernels", kernels)):
        checks.texts(tuple(given), f"the names in {what}", "'E'")
    checks.check_names("kernels", kernels, spikes, owner="the dict of spikes")
    trains = {name: spikes[name] for name in kernels}
    for name, train in trains.items():
        check_trials(train, f"spikes of {name}")
        checks.instance(
            kernels[name],
            f"the kernel of {name!r}",
            (GaussianKernel, AlphaKernel),
            "a GaussianKernel or an AlphaKernel",
        )
    check_same_trials(list(trains.values()), "spikes")
    return trains


def _field_of(train, kernel, dt, n_steps, name):
    """(trial, step) of one population."""
    from scipy.signal import oaconvolve  # here: `import biosnn` stays quick

    amplitude, delay = (
        _of_spikes(values, train, name) for values in (kernel.amplitude, kernel.delay)
    )
    first, last = (np.ceil(abs(end) / dt) for end in kernel.span)
    check_room(f"the kernel of {name!r}", int(first + last) + n_steps, 40 * len(train), "steps")
    before, after = int(first), int(last)
    shape = kernel.shape(np.arange(-before, after + 1) * dt)
    # weights of spikes on a grid that begins `after` steps early and ends `before` steps late
    length = after + n_steps + before
    place = (train.times + delay) / dt + after
    left = np.floor(place + 1e-6).astype(np.int64)
    share = np.maximum(place - left, 0.0)
    weights = np.zeros(len(train) * length)
    for at, part in ((left, 1 - share), (left + 1, share)):
        inside = (at >= 0) & (at < length)
        where = (train.trials * length + at)[inside]
        weights += np.bincount(where, (part * amplitude)[inside], minlength=weights.size)
    return oaconvolve(weights.reshape(-1, length), shape[None], mode="valid", axes=1)


def _of_spikes(values, train, name):
    """What belongs to the neuron of each spike."""
    if not np.ndim(values):
        return np.full(train.units.size, values)
    if values.size != train.n_units:
        raise ValueError(
            f"the kernel of {name!r} has numbers for {values.size} neurons; {name} has "
            f"{train.n_units}."
        )
    return values[train.units]
