"""Figure of the power spectra of population rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.spike_trains import SpikeTrains
from .figures import note, side
from .places import place
from .plot_rates import with_dashes
from .protocols import PopulationLike, SimulationLike, TraceLike
from .rates import firing_rates
from .runs import groups, longest, window
from .spectra import FEWEST_STEPS, LONGEST, power_spectrum
from .style import bare, drawing, pt, size
from .windows import checked_width

if TYPE_CHECKING:
    from .places import Ax, Drawn


@drawing
def spectrum(
    recording: TraceLike | SimulationLike | SpikeTrains | Mapping[str, SpikeTrains],
    populations: Sequence[PopulationLike | str] | PopulationLike | str | None = None,
    *,
    start: float = 0.0,
    stop: float | None = None,
    rate_bin: float = 1e-3,
    segment: float | None = None,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw the power spectra of the mean rates of populations.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns, SpikeTrains, or a dict of names and
        SpikeTrains, such as a `biosnn.data.Recording`.
    populations
        One name or several. Default: all of which spikes were kept, without inputs.
    start, stop
        What to take of the time, in seconds; leave out the start of a simulation, which is no
        stationary state. Default: all of it.
    rate_bin
        Width in seconds of the bins in which spikes are counted. Frequencies end at half of its
        inverse.
    segment
        Seconds of the segments that are averaged; frequencies are multiples of its inverse.
        Default: 1 s, or a quarter of a trial if that is shorter.
    ax
        The Axes to draw into. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes. Dotted lines are the spectra of independent Poisson neurons
    of the same number and rate.

    Raises
    ------
    ValueError
        If there is no such population or time, or a segment has fewer than eight bins.

    See Also
    --------
    signals.power_spectrum : the equation, and spectra of other signals.

    References
    ----------
    Welch (1967), IEEE Trans. Audio Electroacoust. 15:70-73.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, n_units=50, duration=4.0, seed=1)
    >>> bs.plot.spectrum(spikes).axes[0].get_xlabel()
    'frequency (Hz)'
    """
    from matplotlib.lines import Line2D

    found, origin = groups(recording, populations)
    time = window(start, stop, longest(found), origin)
    rate_bin = checked_width("rate_bin", rate_bin, time.length)
    segment = _fitting_segment(rate_bin, time.length) if segment is None else segment
    trains = [time.cut(group.spikes) for group in found]
    spectra = [power_spectrum(spikes, rate_bin, segment=segment) for spikes in trains]
    densities = [(each.frequencies, each.power) for each in spectra]
    where = place(ax, (6.0, 3.6), width)
    (axis,) = where.axes
    curves, lines = with_dashes(found, densities), []
    for curve, spikes in zip(curves, trains):
        look = {"color": curve.colour, "linestyle": curve.dashes, "linewidth": pt(1.3)}
        shown = np.where(curve.y > 0, curve.y, np.nan)[1:]  # 0 has no place on these axes
        lines += axis.plot(curve.x[1:], shown, **look)
        if rate := firing_rates(spikes).mean():
            look = {"color": curve.colour, "linestyle": ":", "linewidth": pt(1.0)}
            axis.axhline(2 * rate / spikes.n_units, **look)
    _axes(axis, curves[0].x)
    handles, names = (lines, [curve.name for curve in curves]) if found[0].name else ([], [])
    if any(spikes.times.size for spikes in trains):
        handles = [*handles, Line2D([], [], color="0.4", linestyle=":", linewidth=pt(1.0))]
        names = [*names, "independent Poisson"]
    else:
        note(axis, "no spikes")
    where.legend(handles, names)
    return where.done()


def _axes(axis, frequencies):
    """Logarithmic axes with their labels; frequencies are written out."""
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    axis.set_xscale("log")
    if any(np.any(line.get_ydata() > 0) for line in axis.lines):
        axis.set_yscale("log")
    else:
        axis.set_yticks([])
    axis.set_xlim(frequencies[1], frequencies[-1])
    narrow = frequencies[-1] < 300 * frequencies[1]
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("frequency (Hz)", fontsize=size())
    side(axis, "power of the rate (Hz²/Hz)")
    bare(axis)


def _fitting_segment(rate_bin, duration):
    """Seconds of a segment, by default: 1 s, or a quarter of a trial, if that has enough bins."""
    return min(LONGEST, max(duration / 4, min(FEWEST_STEPS * rate_bin, duration)))
