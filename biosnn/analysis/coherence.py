"""Coherence of two signals: the share of one that follows linearly from the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..support import checks
from ..support.show import About, Shows
from ..support.tables import number
from .figures import RUNS
from .places import label, one_panel
from .signal import SignalLike, same_signals
from .spectra import LONGEST, MOST_CHANNELS, densities, n_segments, segment_steps, without_axis
from .style import pt

if TYPE_CHECKING:
    from .places import Ax, Drawn


_INDEPENDENT = 1 / (1 + 2 / 36)  # share of segments: neighbours' windows have a correlation of 1/6


@dataclass(frozen=True, eq=False, repr=False)
class Coherence(Shows):
    """Coherence of two signals.

    Parameters
    ----------
    frequencies
        (frequencies,) hertz.
    coherence
        (frequencies,), or (frequencies, channels): from 0 to 1, the share of the power of one
        signal that follows linearly from the other.
    phase
        The same shape: radians by which the second signal is behind the first, from -pi to pi. A
        delay d gives 2 pi f d.
    segments
        Number of segments that were averaged, over all trials.

    Examples
    --------
    See `coherence`.
    """

    frequencies: NDArray[np.float64]
    coherence: NDArray[np.float64]
    phase: NDArray[np.float64]
    segments: int

    def significance(self, level: float = 0.95) -> float:
        """Return the coherence that independent signals exceed with probability 1 - level.

        Parameters
        ----------
        level
            Between 0 and 1.

        Returns
        -------
        1 - (1 - level)^(1 / (L - 1)), at each frequency, where L = segments / (1 + 2 / 36) counts
        segments that overlap by half, under Hann's window, as independent ones.

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.

        References
        ----------
        Halliday et al. (1995), Prog. Biophys. Mol. Biol. 64:237-278; Welch (1967), IEEE Trans.
        Audio Electroacoust. 15:70-73 (segments that overlap).

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> one, other = np.random.default_rng(1).normal(size=(2, 20000))
        >>> round(bs.signals.coherence(one, other, 1e-3).significance(), 3)
        0.08
        """
        level = checks.real(level, "level", above=0, below=1)
        return float(1 - (1 - level) ** (1 / (self.segments * _INDEPENDENT - 1)))

    def plot(self, ax: Ax | None = None, *, width: float | None = None) -> Drawn:
        """Draw the coherence against frequency, with its 95 % level of significance.

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
        >>> one, other = np.random.default_rng(1).normal(size=(2, 20000))
        >>> bs.signals.coherence(one, other, 1e-3).plot().axes[0].get_ylabel()
        'coherence'
        """
        return one_panel(self._draw, ax=ax, width=width)

    def _draw(self, axis):
        """Draw on Axes."""
        shown = slice(1, None)
        values = self.coherence[shown]
        if values.ndim == 2:
            axis.semilogx(
                self.frequencies[shown], values[:, :MOST_CHANNELS], color="0.8", linewidth=pt(0.7)
            )
            values = values.mean(axis=1)
        axis.semilogx(self.frequencies[shown], values, color=RUNS[0], linewidth=pt(1.5))
        axis.axhline(self.significance(), color="0.5", linestyle="--", linewidth=pt(1.0))
        axis.set_ylim(0, 1.02)
        label(axis, "frequency (Hz)", "coherence")

    def _about(self) -> About:
        largest = float(self.coherence[1:].max())
        rows = [
            ("frequencies", f"0 .. {self.frequencies[-1]:g} Hz"),
            ("segments", f"{self.segments:,}"),
            ("largest", number(largest)),
            ("significant from", f"{self.significance():.3g} on (95 %, at one frequency)"),
        ]
        return About("Coherence", rows)


def coherence(
    first: SignalLike,
    second: SignalLike,
    dt: float | None = None,
    *,
    segment: float | None = None,
) -> Coherence:
    """Return the coherence of two signals, and how far the second is behind the first.

    Parameters
    ----------
    first, second
        Signals of the same trials and steps, as for `power_spectrum`. They have the same number of
        channels, or one of them has one.
    dt
        Seconds of a step of arrays, or of the bins of spikes.
    segment
        Seconds of the segments that are averaged. Default: 1 s, or an eighth of all trials together
        if that is shorter.

    Returns
    -------
    A `Coherence`, of each channel.

    Raises
    ------
    ValueError
        If the signals differ in trials, steps or channels, or there are fewer than two segments:
        the coherence of one segment is 1, whatever the signals.

    Notes
    -----
    With the cross spectrum S_xy and the spectra S_xx, S_yy, averaged over segments that overlap by
    half and over trials,

        C(f) = |S_xy(f)|² / (S_xx(f) S_yy(f)).

    Independent signals have a coherence of about 1 / segments, not 0. Where a signal has no power
    the coherence is 0.

    References
    ----------
    Carter, Knapp & Nuttall (1973), IEEE Trans. Audio Electroacoust. 21:337-344.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> noise = np.random.default_rng(1).normal(size=10005)
    >>> late = noise[:-5] + 0.1 * np.random.default_rng(2).normal(size=10000)  # by 5 ms
    >>> found = bs.signals.coherence(noise[5:], late, 1e-3)
    >>> bool(found.coherence[10] > 0.9), round(float(found.phase[10]) / (20 * np.pi), 3)
    (True, 0.005)
    """
    one, other = same_signals(first, second, dt, ("first", "second"))
    if one.n_channels != other.n_channels and 1 not in (one.n_channels, other.n_channels):
        raise ValueError(
            f"first has {one.n_channels} channels and second {other.n_channels}; they must have as "
            "many, or one of them one."
        )
    if segment is None:
        segment = min(LONGEST, one.duration, one.duration * one.n_trials / 8)
    steps = segment_steps(one, segment)
    segments = n_segments(one, steps)
    if segments < 2:
        raise ValueError(
            f"segment is {steps * one.dt:g} s and there is one such segment in the signals, whose "
            "coherence is 1 whatever they are; give a shorter segment or more trials."
        )
    frequencies, cross = densities(one.values, other.values, one.dt, steps)
    powers = [densities(each.values, each.values, one.dt, steps)[1].real for each in (one, other)]
    product = powers[0] * powers[1]
    share = np.divide(np.abs(cross) ** 2, product, out=np.zeros_like(product), where=product > 0)
    return Coherence(
        frequencies=frequencies,
        coherence=without_axis(np.minimum(share, 1.0)),
        phase=without_axis(-np.angle(cross)),
        segments=segments,
    )
