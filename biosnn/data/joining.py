"""Spike trains joined from others."""

from __future__ import annotations

from collections.abc import Sequence

from ..support import checks
from .spike_parts import along_time, along_trials, along_units
from .spike_trains import SpikeTrains, check_trains

_AXES = {"trial": along_trials, "time": along_time, "unit": along_units}


def concatenate(parts: Sequence[SpikeTrains], *, axis: str = "trial") -> SpikeTrains:
    """Join spike trains along trials, time or units.

    Parameters
    ----------
    parts
        Spike trains.
    axis
        "trial": the trials of all parts, one after the other (as `a + b`); they may have different
        durations. "time": each trial is continued by that of the next part; times become float64.
        "unit": the units of all parts side by side, in the same trials. These are the axes of
        `to_dense`.

    Returns
    -------
    Spike trains.

    Raises
    ------
    ValueError
        If there are no parts; if they differ in units (along trials and time), in trials (along
        time and units) or their ends (along units); or if labels do not fit.

    See Also
    --------
    SpikeTrains.merge : the spikes of both in the same units.

    Examples
    --------
    >>> import biosnn as bs
    >>> a = bs.SpikeTrains.from_units([[0.1]], duration=0.25)
    >>> b = bs.SpikeTrains.from_units([[0.2]], duration=0.5)
    >>> len(bs.concatenate([a, b])), bs.concatenate([a, b], axis="time").times
    (2, array([0.1 , 0.45]))
    """
    parts = checks.several(parts, "parts", "first, second")
    for part in parts:
        check_trains(part, "one of parts")
    axis = checks.choice(axis, "axis", tuple(_AXES))
    if not parts:
        raise ValueError("parts are empty; give at least one SpikeTrains.")
    return _AXES[axis](parts)
