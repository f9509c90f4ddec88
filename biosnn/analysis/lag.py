"""By how much the inhibition of neurons is later than their excitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..support import checks, timegrid
from ..support.show import About, Shows
from ..support.tables import number
from .figures import INHIBITORY
from .places import label, one_panel
from .signal import SignalLike
from .style import pt
from .synaptic_currents import two_currents

if TYPE_CHECKING:
    from .places import Ax, Drawn


@dataclass(frozen=True, eq=False, repr=False)
class InhibitionLag(Shows):
    """By how much inhibition is later than excitation.

    Parameters
    ----------
    lag
        Seconds of the peak of the cross-correlation, finer than a step; positive if inhibition
        follows. NaN if the peak is at an end of the lags, or no neuron has both inputs.
    peak
        The correlation there.
    lags
        (lags,) seconds, from -reach to reach.
    correlation
        (lags,) mean over neurons.

    Examples
    --------
    See `inhibition_lag`.
    """

    lag: float
    peak: float
    lags: NDArray[np.float64]
    correlation: NDArray[np.float64]

    def plot(self, ax: Ax | None = None, *, width: float | None = None) -> Drawn:
        """Draw the cross-correlation of excitation and inhibition, and its peak.

        Parameters
        ----------
        ax
            Where to draw. Default: a new figure.
        width
            Width of a new figure on paper in cm. Default: a figure for the screen.

        Returns
        -------
        The figure, or with `ax` the axes.

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> e = np.random.default_rng(1).random((500, 5))
        >>> figure = bs.signals.inhibition_lag(e[3:], e[:-3], 1e-3).plot()
        >>> figure.axes[0].get_ylabel()
        'correlation of E and I'
        """
        return one_panel(self._draw, ax=ax, width=width)

    def _draw(self, axis):
        """Draw on Axes."""
        axis.axvline(0, color="0.8", linewidth=pt(0.8))
        axis.plot(self.lags * 1e3, self.correlation, color="black", linewidth=pt(1.5))
        if np.isfinite(self.lag):
            words = f"peak at {self.lag * 1e3:.2f} ms"
            axis.plot(
                self.lag * 1e3, self.peak, "o", color=INHIBITORY, markersize=pt(5.0), label=words
            )
            axis.legend(frameon=False)
        label(axis, "lag of inhibition behind excitation (ms)", "correlation of E and I")

    def _about(self) -> About:
        lag = f"{number(self.lag * 1e3)} ms" if np.isfinite(self.lag) else "none"
        rows = [
            ("lag", lag),
            ("correlation there", number(self.peak) or "none"),
            ("lags", f"{self.lags[0] * 1e3:g} .. {self.lags[-1] * 1e3:g} ms"),
        ]
        return About("InhibitionLag", rows)


def inhibition_lag(
    excitatory: SignalLike,
    inhibitory: SignalLike,
    dt: float | None = None,
    *,
    reach: float = 20e-3,
) -> InhibitionLag:
    """Return by how much inhibition is later than excitation.

    Parameters
    ----------
    excitatory, inhibitory
        Input of neurons, both as magnitudes >= 0: signals or arrays of the same trials and steps.
    dt
        Seconds of a step of arrays.
    reach
        Lags run from -reach to reach, in seconds, in steps.

    Returns
    -------
    An `InhibitionLag`.

    Raises
    ------
    ValueError
        If the shapes differ, values are negative, or `reach` is shorter than a step or not shorter
        than a trial.

    Notes
    -----
    Of each neuron the correlation at lag l is

        c(l) = <(E(t) - <E>) (I(t + l) - <I>)> / (sd(E) sd(I)),

    over the times of all trials at which both are known; c is averaged over the neurons whose
    inputs vary. The peak is that of the parabola through the largest value and its neighbours.

    References
    ----------
    Okun & Lampl (2008), Nat. Neurosci. 11:535-537.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> e = np.random.default_rng(1).random((5000, 5))
    >>> found = bs.signals.inhibition_lag(e[3:], e[:-3], 1e-3)  # 3 ms late
    >>> round(found.lag, 5)
    0.003
    """
    e, i = two_currents(excitatory, inhibitory, dt)
    most = timegrid.nearest_steps(checks.time(reach, "reach", above=0), e.dt)
    if not 1 <= most < e.n_steps:
        raise ValueError(
            f"reach is {reach:g} s, {most} steps of {e.dt:g} s; it must be at least one step, and "
            f"shorter than a trial of {e.duration:g} s."
        )
    varies = (np.ptp(e.values, axis=(0, 1)) > 0) & (np.ptp(i.values, axis=(0, 1)) > 0)
    lags = np.arange(-most, most + 1)
    correlation = np.full(lags.size, np.nan)
    if varies.any():
        first, second = (_standard(each.values[:, :, varies]) for each in (e, i))
        correlation = np.array([_at_lag(first, second, lag) for lag in lags])
    shift, peak = _parabola(correlation)
    return InhibitionLag((shift - most) * e.dt, peak, lags * e.dt, correlation)


def _standard(values):
    """Deviations from the mean of each channel, in standard deviations."""
    deviation = values - values.mean(axis=(0, 1))
    return deviation / np.sqrt((deviation**2).mean(axis=(0, 1)))


def _at_lag(e, i, lag):
    """Mean of e(t) i(t + lag) over trials, times and channels."""
    steps = e.shape[1]
    first, last = max(0, -lag), steps - max(0, lag)
    return np.vdot(e[:, first:last], i[:, first + lag : last + lag]) / e[:, first:last].size


def _parabola(values):
    """(place, height) of the peak of the parabola through the largest value and its neighbours."""
    if not np.all(np.isfinite(values)):
        return np.nan, np.nan
    k = int(values.argmax())
    if k in (0, values.size - 1):
        return np.nan, float(values[k])
    left, middle, right = values[k - 1 : k + 2]
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    return k + float(shift), float(middle - 0.25 * (left - right) * shift)
