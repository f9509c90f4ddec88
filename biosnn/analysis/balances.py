"""Balance of excitation and inhibition in time, and in detail: from neuron to neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..support import timegrid
from ..support.show import About, Shows
from ..support.tables import number
from .balance import ei_balance
from .figures import EXCITATORY, INHIBITORY
from .places import label, one_panel
from .signal import SignalLike
from .style import pt
from .synaptic_currents import two_currents
from .windows import checked_width

if TYPE_CHECKING:
    from .places import Ax, Drawn


# ------------------------------------------------------------------------------------------ in time


@dataclass(frozen=True, eq=False, repr=False)
class BalanceOverTime(Shows):
    """Excitation and inhibition in windows of time, averaged over trials and neurons.

    Parameters
    ----------
    times
        (windows,) seconds of their middle.
    excitatory, inhibitory
        (windows,) mean input, as magnitudes.

    Examples
    --------
    See `balance_over_time`.
    """

    times: NDArray[np.float64]
    excitatory: NDArray[np.float64]
    inhibitory: NDArray[np.float64]

    @property
    def net(self) -> NDArray[np.float64]:
        """(windows,) excitation minus inhibition."""
        return self.excitatory - self.inhibitory

    @property
    def net_over_excitatory(self) -> NDArray[np.float64]:
        """(windows,) (E - I) / E: 0 where they cancel; NaN without excitation."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.excitatory > 0, self.net / self.excitatory, np.nan)

    @property
    def ratio(self) -> NDArray[np.float64]:
        """(windows,) E / I: 1 where they cancel; NaN without inhibition."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.inhibitory > 0, self.excitatory / self.inhibitory, np.nan)

    def plot(self, ax: Ax | None = None, *, width: float | None = None) -> Drawn:
        """Draw excitation (up), inhibition (down) and their sum over time.

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
        >>> e = np.random.default_rng(1).random((200, 5))
        >>> found = bs.signals.balance_over_time(e, e, 1e-3, window=10e-3)
        >>> found.plot().axes[0].get_xlabel()
        'time (s)'
        """
        return one_panel(self._draw, ax=ax, width=width)

    def _draw(self, axis):
        """Draw on Axes."""
        for values, words, line, points in (
            (self.excitatory, "excitatory", EXCITATORY, 1.8),
            (-self.inhibitory, "inhibitory", INHIBITORY, 1.8),
            (self.net, "net", "black", 0.9),
        ):
            axis.plot(self.times, values, color=line, linewidth=pt(points), label=words)
        axis.axhline(0, color="black", linewidth=pt(0.5), zorder=1)
        low, high = axis.get_ylim()
        axis.set_ylim(low, high + 0.2 * (high - low))  # room for the legend
        axis.legend(frameon=False, ncols=3, loc="upper center")
        label(axis, "time (s)", "mean synaptic input")

    def _about(self) -> About:
        rows = [
            ("windows", f"{self.times.size:,}, {self.times[0]:g} .. {self.times[-1]:g} s"),
            ("excitatory", number(float(self.excitatory.mean()))),
            ("inhibitory", number(float(self.inhibitory.mean()))),
            ("net", number(float(self.net.mean()))),
        ]
        return About("BalanceOverTime", rows)


def balance_over_time(
    excitatory: SignalLike,
    inhibitory: SignalLike,
    dt: float | None = None,
    *,
    window: float,
) -> BalanceOverTime:
    """Return the balance of excitation and inhibition in windows of time.

    Parameters
    ----------
    excitatory, inhibitory
        Input of neurons (or its mean), both as magnitudes >= 0: signals or arrays of the same
        trials and steps, as `synaptic_currents` returns them.
    dt
        Seconds of a step of arrays.
    window
        Seconds of a window, rounded to steps. What is left at the end of a trial is left out.

    Returns
    -------
    A `BalanceOverTime`, the mean over trials and neurons.

    Raises
    ------
    ValueError
        If the shapes differ, values are negative, or the window is longer than a trial.

    See Also
    --------
    stats.ei_balance : of each neuron, over all steps.

    References
    ----------
    Haider et al. (2006), J. Neurosci. 26:4535-4545.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> e = np.linspace(1, 2, 100)
    >>> bs.signals.balance_over_time(e, np.ones(100), 1e-3, window=50e-3).ratio.round(2)
    array([1.25, 1.75])
    """
    e, i = two_currents(excitatory, inhibitory, dt)
    steps = max(1, timegrid.nearest_steps(checked_width("window", window, e.duration), e.dt))
    windows = e.n_steps // steps
    means = [
        each.values[:, : windows * steps].mean(axis=(0, 2)).reshape(windows, steps).mean(axis=1)
        for each in (e, i)
    ]
    middles = e.start + ((np.arange(windows) + 0.5) * steps - 0.5) * e.dt
    return BalanceOverTime(middles, *means)


# ---------------------------------------------------------------------------------------- in detail


@dataclass(frozen=True, eq=False, repr=False)
class DetailedBalance(Shows):
    """How well inhibition matches excitation from neuron to neuron, and from time to time.

    Parameters
    ----------
    excitatory, inhibitory
        (neurons,) mean input over trials and steps.
    across_neurons
        Pearson correlation of the two over neurons; NaN if one does not vary.
    slope
        Of inhibition against excitation over neurons, through 0: 1 where they cancel.
    across_time
        (neurons,) correlation of excitation and inhibition over steps and trials.

    Examples
    --------
    See `detailed_balance`.
    """

    excitatory: NDArray[np.float64]
    inhibitory: NDArray[np.float64]
    across_neurons: float
    slope: float
    across_time: NDArray[np.float64]

    def plot(self, ax: Ax | None = None, *, width: float | None = None) -> Drawn:
        """Draw the mean inhibition of every neuron against its mean excitation.

        Parameters
        ----------
        ax
            Where to draw. Default: a new figure.
        width
            Width of a new figure on paper in cm. Default: a figure for the screen.

        Returns
        -------
        The figure, or with `ax` the axes. The dashed line is where both cancel.

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> e = np.random.default_rng(1).random((200, 5))
        >>> bs.signals.detailed_balance(e, e).plot().axes[0].get_xlabel()
        'mean excitatory input'
        """
        return one_panel(self._draw, ax=ax, width=width, screen=(4.2, 3.8))

    def _draw(self, axis):
        """Draw on Axes."""
        top = 1.05 * max(self.excitatory.max(), self.inhibitory.max(), 1e-12)
        axis.plot([0, top], [0, top], "--", color="0.6", linewidth=pt(1.0))
        axis.plot(
            self.excitatory,
            self.inhibitory,
            "o",
            color="black",
            markersize=pt(3.0),
            alpha=0.6,
            rasterized=self.excitatory.size > 1000,
        )
        axis.set_xlim(0, top)
        axis.set_ylim(0, top)
        label(axis, "mean excitatory input", "mean inhibitory input")

    def _about(self) -> About:
        known = self.across_time[np.isfinite(self.across_time)]
        rows = [
            ("neurons", f"{self.excitatory.size:,}"),
            ("correlation across neurons", number(self.across_neurons)),
            ("slope", number(self.slope)),
            ("correlation across time", f"median {number(np.median(known))}" if known.size else ""),
        ]
        return About("DetailedBalance", [row for row in rows if row[1]])


def detailed_balance(
    excitatory: SignalLike, inhibitory: SignalLike, dt: float | None = None
) -> DetailedBalance:
    """Return how well inhibition matches excitation, neuron by neuron and in time.

    Parameters
    ----------
    excitatory, inhibitory
        Input of at least two neurons, both as magnitudes >= 0: signals or arrays (step, neuron) or
        (trial, step, neuron).
    dt
        Seconds of a step; it changes nothing here and need not be given.

    Returns
    -------
    A `DetailedBalance`.

    Raises
    ------
    ValueError
        If the shapes differ, values are negative, or there is one neuron only.

    See Also
    --------
    stats.ei_balance : ratios of each neuron.

    Notes
    -----
    A network is balanced globally if the means of excitation and inhibition cancel, and in detail
    if they do so in each neuron, input by input: neurons with more excitation then have more
    inhibition. The slope is sum_i E_i I_i / sum_i E_i².

    References
    ----------
    Vogels & Abbott (2009), Nat. Neurosci. 12:483-491; Hennequin, Agnes & Vogels (2017), Annu. Rev.
    Neurosci. 40:557-579.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> e = np.random.default_rng(1).random((1000, 10)) * np.arange(1, 11)
    >>> found = bs.signals.detailed_balance(e, 0.8 * e)
    >>> round(found.across_neurons, 3), round(found.slope, 3)
    (1.0, 0.8)
    """
    given = hasattr(excitatory, "dt") or hasattr(inhibitory, "dt")
    e, i = two_currents(excitatory, inhibitory, dt if dt is not None or given else 1.0)
    if e.n_channels < 2:
        raise ValueError(
            f"the signals have shape {e.values.shape}, (trial, step, neuron): there is one neuron, "
            "or a mean over neurons. Record several neurons."
        )
    mean_e, mean_i = (each.values.mean(axis=(0, 1)) for each in (e, i))
    varies = np.ptp(mean_e) > 0 and np.ptp(mean_i) > 0
    square = float(mean_e @ mean_e)
    return DetailedBalance(
        excitatory=mean_e,
        inhibitory=mean_i,
        across_neurons=float(np.corrcoef(mean_e, mean_i)[0, 1]) if varies else np.nan,
        slope=float(mean_e @ mean_i) / square if square > 0 else np.nan,
        across_time=ei_balance(e, i).correlation,
    )
