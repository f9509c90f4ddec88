"""The intrinsic time constant of activity: how fast its autocorrelation decays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..support import checks, timegrid
from ..support.show import About, Shows, milliseconds
from ..support.tables import number
from .figures import KINDS
from .places import label, one_panel
from .signal import SignalLike, as_signal
from .style import pt

if TYPE_CHECKING:
    from .places import Ax, Drawn

_FEWEST_LAGS = 4  # that three parameters are fitted to


@dataclass(frozen=True, eq=False, repr=False)
class Timescale(Shows):
    """Intrinsic time constant of activity, and the fit that it comes from.

    Parameters
    ----------
    tau
        Time constant in seconds. Infinite where the autocorrelation does not level off within the
        lags, NaN where it does not fall or does not exist.
    amplitude, offset
        Of the fit amplitude · (exp(-lag / tau) + offset).
    lags
        (lags,) seconds, without 0.
    autocorrelation
        (lags,) mean over channels.

    Examples
    --------
    See `intrinsic_timescale`.
    """

    tau: float
    amplitude: float
    offset: float
    lags: NDArray[np.float64]
    autocorrelation: NDArray[np.float64]

    @property
    def fit(self) -> NDArray[np.float64]:
        """(lags,) the fitted autocorrelation."""
        return self.amplitude * (np.exp(-self.lags / self.tau) + self.offset)

    def plot(self, ax: Ax | None = None, *, width: float | None = None) -> Drawn:
        """Draw the autocorrelation and its fit.

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
        >>> noise = np.random.default_rng(1).normal(size=4000)
        >>> slow = np.convolve(noise, np.exp(-np.arange(200) / 20))
        >>> bs.signals.intrinsic_timescale(slow, 1e-3).plot().axes[0].get_xlabel()
        'lag (ms)'
        """
        return one_panel(self._draw, ax=ax, width=width)

    def _draw(self, axis):
        """Draw on Axes."""
        lags = self.lags * 1e3
        axis.axhline(0, color="0.8", linewidth=pt(0.8))
        axis.plot(lags, self.autocorrelation, "o", color="black", markersize=pt(4.0))
        if np.isfinite(self.tau):
            words = f"exponential, {self.tau * 1e3:.3g} ms"
            axis.plot(lags, self.fit, color=KINDS["predicted"], linewidth=pt(2.0), label=words)
            axis.legend(frameon=False)
        label(axis, "lag (ms)", "autocorrelation")

    def _about(self) -> About:
        none = "none: the autocorrelation does not fall"
        tau = none if np.isnan(self.tau) else number(self.tau)
        rows = [
            ("time constant", milliseconds(self.tau) if np.isfinite(self.tau) else tau),
            ("amplitude", number(self.amplitude)),
            ("offset", number(self.offset)),
            ("lags", f"{milliseconds(self.lags[0])} .. {milliseconds(self.lags[-1])}"),
        ]
        return About("Timescale", [row for row in rows if row[1]])


def intrinsic_timescale(
    signal: SignalLike,
    dt: float | None = None,
    *,
    reach: float | None = None,
    across: Literal["time", "trials"] = "time",
) -> Timescale:
    """Return the time constant with which the autocorrelation of activity decays.

    Parameters
    ----------
    signal
        A `Signal`, an array (step,), (step, channel) or (trial, step, channel), or SpikeTrains, of
        which the counts of every unit are taken.
    dt
        Seconds of a step of an array, or of the bins of spikes (Murray et al. took 50 ms).
    reach
        The longest lag in seconds. Default: a fifth of a trial, or half of it across trials, and at
        most 100 steps.
    across
        What is correlated: "time" takes deviations from the mean of a channel over time and trials,
        for long recordings; "trials" takes deviations from the mean of trials at each step, so that
        what a stimulus does to all trials is not part of it, as in Murray et al.

    Returns
    -------
    A `Timescale`.

    Raises
    ------
    ValueError
        If there are fewer than four lags, `reach` is not shorter than a trial, or there are fewer
        than three trials to correlate across.

    Notes
    -----
    The autocorrelation at lag k is the mean over channels of

        R(k) = <d[n] d[n + k]> / <d²>                          (time),
        R(k) = <corr over trials of (x[n], x[n + k])>_n        (trials),

    and a A (exp(-k dt / tau) + B) is fitted to it by least squares from lag dt on. Lag 0 is left
    out, because it holds the variance of counts. Channels that do not vary do not count.

    References
    ----------
    Murray et al. (2014), Nat. Neurosci. 17:1661-1663.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> noise = np.random.default_rng(1).normal(size=(20000, 20))
    >>> decay, slow = np.exp(-1 / 20), np.zeros_like(noise)
    >>> for n in range(1, len(noise)):  # an Ornstein-Uhlenbeck process of 20 ms
    ...     slow[n] = decay * slow[n - 1] + noise[n]
    >>> round(bs.signals.intrinsic_timescale(slow, 1e-3).tau, 3)
    0.02
    """
    found = as_signal(signal, dt, units=True)
    by_trials = checks.choice(across, "across", ("time", "trials")) == "trials"
    if by_trials and found.n_trials < 3:
        raise ValueError(
            f"there are {found.n_trials} trials, and three are needed to correlate across trials; "
            'across="time" takes one long recording.'
        )
    n_lags = _lags(reach, found, 0.5 if by_trials else 0.2)
    correlate = _across_trials if by_trials else _over_time
    correlation = correlate(found.values, n_lags)
    lags = np.arange(1, n_lags + 1) * found.dt
    tau, amplitude, offset = _fitted(lags, correlation)
    return Timescale(tau, amplitude, offset, lags, correlation)


def _lags(reach, signal, share):
    """Number of lags."""
    if reach is None:
        n_lags = min(int(share * signal.n_steps), 100)
    else:
        n_lags = timegrid.nearest_steps(checks.time(reach, "reach", above=0), signal.dt)
    if not _FEWEST_LAGS <= n_lags < signal.n_steps:
        raise ValueError(
            f"reach gives {n_lags} lags of {signal.dt:g} s; there must be at least {_FEWEST_LAGS}, "
            f"and fewer than the {signal.n_steps} steps of a trial. The signal has shape "
            f"{signal.values.shape}: (trial, step, channel)."
        )
    return n_lags


def _over_time(values, n_lags):
    """(lags,) autocorrelation of deviations from the mean of each channel."""
    varies = np.ptp(values, axis=(0, 1)) > 0
    values = values[:, :, varies]
    deviation = values - values.mean(axis=(0, 1))
    variance = (deviation**2).mean(axis=(0, 1))
    products = [
        (deviation[:, k:] * deviation[:, :-k]).mean(axis=(0, 1)) / variance
        for k in range(1, n_lags + 1)
    ]
    return np.mean(products, axis=1) if varies.any() else np.full(n_lags, np.nan)


def _across_trials(values, n_lags):
    """(lags,) correlation over trials of pairs of steps, averaged over steps and channels."""
    deviation = values - values.mean(axis=0)
    size = np.sqrt((deviation**2).sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(np.ptp(values, axis=0) > 0, deviation / size, np.nan)
    result = np.full(n_lags, np.nan)
    for k in range(1, n_lags + 1):
        pairs = (score[:, k:] * score[:, :-k]).sum(axis=0)
        known = np.isfinite(pairs)
        if known.any():
            result[k - 1] = pairs[known].mean()
    return result


def _fitted(lags, correlation):
    """(tau, amplitude, offset) of the least squares fit; the latter two are linear."""
    known = np.isfinite(correlation)
    if not known.all() or not np.ptp(correlation) > 0:
        return np.nan, np.nan, np.nan
    from scipy.optimize import minimize_scalar  # here: `import biosnn` stays quick

    def solved(log_tau):
        """Coefficients of exp(-lag / tau) and 1, and the sum of squared errors."""
        columns = np.stack([np.exp(-lags / np.exp(log_tau)), np.ones_like(lags)], axis=1)
        found = np.linalg.lstsq(columns, correlation, rcond=None)[0]
        error = float(((correlation - columns @ found) ** 2).sum())
        return found, error if found[0] > 0 else np.inf  # what rises is no decay

    grid = np.log(np.geomspace(lags[0] / 5, 20 * lags[-1], 80))
    errors = [solved(each)[1] for each in grid]
    best = int(np.argmin(errors))
    if np.isinf(errors[best]):
        return np.nan, np.nan, np.nan
    if best == grid.size - 1:
        return np.inf, np.nan, np.nan
    around = grid[max(best - 1, 0)], grid[best + 1]
    options = {"xatol": 1e-8}
    log_tau = minimize_scalar(
        lambda each: solved(each)[1], bounds=around, method="bounded", options=options
    ).x
    (amplitude, constant), _ = solved(log_tau)
    return float(np.exp(log_tau)), float(amplitude), float(constant / amplitude)
