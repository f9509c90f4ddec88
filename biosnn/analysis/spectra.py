"""Power spectra of signals: averages over segments and trials (Welch's method)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.spike_trains import SpikeTrains
from ..support import checks, timegrid
from ..support.show import About, Shows
from ..support.tables import number
from .figures import RUNS
from .places import label, one_panel
from .signal import Signal, SignalLike, as_signal
from .style import pt

if TYPE_CHECKING:
    from .places import Ax, Drawn

FEWEST_STEPS = 8  # of a segment
MOST_CHANNELS = 50  # that are drawn
LONGEST = 1.0  # seconds of a segment, unless it is given


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(Shows):
    """Power spectral density of a signal.

    Parameters
    ----------
    frequencies
        (frequencies,) hertz, from 0 to half the sampling rate.
    power
        (frequencies,), or (frequencies, channels) of several channels: the one-sided density, in
        the unit of the signal squared per hertz.
    segments
        Number of segments that were averaged, over all trials.

    Examples
    --------
    See `power_spectrum`.
    """

    frequencies: NDArray[np.float64]
    power: NDArray[np.float64]
    segments: int

    def in_band(self, low: float, high: float) -> Any:
        """Return the power between two frequencies: the variance that they contribute.

        Parameters
        ----------
        low, high
            Hertz; frequencies of the spectrum with low <= f <= high count.

        Returns
        -------
        A number, or (channels,), in the unit of the signal squared: the sum of the density times
        the distance of frequencies.

        Raises
        ------
        ValueError
            If there is no frequency of the spectrum in the band.

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> wave = np.sin(2 * np.pi * 40 * np.arange(4000) * 1e-3)  # variance 1/2
        >>> float(bs.signals.power_spectrum(wave, 1e-3).in_band(30, 50).round(3))
        0.5
        """
        inside = self._band(low, high)
        return self.power[inside].sum(axis=0) * self.frequencies[1]

    def peak(self, low: float = 0.0, high: float = np.inf) -> Any:
        """Return the frequency in hertz of the largest density between two frequencies.

        Parameters
        ----------
        low, high
            Hertz. The mean of the signal, at 0, never counts.

        Returns
        -------
        A number, or (channels,).

        Raises
        ------
        ValueError
            If there is no frequency of the spectrum in the band.

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> wave = np.sin(2 * np.pi * 40 * np.arange(4000) * 1e-3)
        >>> float(bs.signals.power_spectrum(wave, 1e-3).peak())
        40.0
        """
        inside = self._band(low, high) & (self.frequencies > 0)
        return self.frequencies[inside][self.power[inside].argmax(axis=0)]

    def _band(self, low, high):
        """Which frequencies are in a band; ValueError if none."""
        low = checks.rate(low, "low")
        high = checks.real(high, "high", low, infinite=True, unit="hertz")
        inside = (self.frequencies >= low) & (self.frequencies <= high)
        if not inside.any():
            raise ValueError(
                f"no frequency is in {low:g} .. {high:g} Hz; the spectrum runs from 0 to "
                f"{self.frequencies[-1]:g} Hz in steps of {self.frequencies[1]:g} Hz."
            )
        return inside

    def plot(self, ax: Ax | None = None, *, width: float | None = None) -> Drawn:
        """Draw the density against frequency, both on logarithmic axes.

        Parameters
        ----------
        ax
            Where to draw. Default: a new figure.
        width
            Width of a new figure on paper in cm. Default: a figure for the screen.

        Returns
        -------
        The figure, or with `ax` the axes. Several channels are drawn as their mean, with the
        channels behind it in grey.

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> noise = np.random.default_rng(1).normal(size=4000)
        >>> bs.signals.power_spectrum(noise, 1e-3).plot().axes[0].get_xlabel()
        'frequency (Hz)'
        """
        return one_panel(self._draw, ax=ax, width=width)

    def _draw(self, axis):
        """Draw on Axes."""
        # 0 has no place on a logarithmic axis, and the last density is not that of two sides
        shown = slice(1, -1)
        f, power = self.frequencies[shown], self.power[shown]
        if power.ndim == 2:
            axis.loglog(f, power[:, :MOST_CHANNELS], color="0.8", linewidth=pt(0.7))
            power = power.mean(axis=1)
        axis.loglog(f, power, color=RUNS[0], linewidth=pt(1.5))
        label(axis, "frequency (Hz)", "power density (signal² / Hz)")

    def _about(self) -> About:
        top = self.frequencies[-1]
        rows = [
            ("frequencies", f"0 .. {top:g} Hz in steps of {self.frequencies[1]:g} Hz"),
            ("channels", f"{1 if self.power.ndim == 1 else self.power.shape[1]:,}"),
            ("segments", f"{self.segments:,}"),
            ("largest at", ", ".join(number(f) for f in np.atleast_1d(self.peak())[:5]) + " Hz"),
        ]
        return About("Spectrum", rows)


def power_spectrum(
    signal: SignalLike, dt: float | None = None, *, segment: float | None = None
) -> Spectrum:
    """Return the power spectral density of a signal, by Welch's method.

    Parameters
    ----------
    signal
        A `Signal`, an array (step,), (step, channel) or (trial, step, channel), or SpikeTrains, of
        which the rate of the population is taken.
    dt
        Seconds of a step of an array, or of the bins of spikes. A `Signal` has its own.
    segment
        Seconds of the segments that are averaged; frequencies are multiples of 1 / segment.
        Default: 1 s, or the trial if that is shorter.

    Returns
    -------
    A `Spectrum`, the mean over segments and trials, of each channel. Spike trains that end at
    different times count until the end of each; those shorter than a segment do not.

    Raises
    ------
    ValueError
        If the segment is longer than a trial or shorter than eight steps.

    See Also
    --------
    coherence, spectrogram

    Notes
    -----
    Segments overlap by half. Of each the mean is removed, and it is weighted with Hann's window w:

        S(f) = 2 dt |sum_n w_n (x_n - mean) exp(-2 pi i f n dt)|² / sum_n w_n²,

    without the factor 2 at 0 and at half the sampling rate. It is one-sided: its integral over
    f >= 0 is the variance. The rate of N independent Poisson trains of rate r has the density
    2 r / N. Frequencies below about 2 / segment suffer from the removal of the mean.

    References
    ----------
    Welch (1967), IEEE Trans. Audio Electroacoust. 15:70-73.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, n_units=100, duration=50.0, seed=1)
    >>> density = bs.signals.power_spectrum(spikes, 1e-3).power[2:].mean()
    >>> bool(abs(density / (2 * 20.0 / 100) - 1) < 0.03)
    True
    """
    parts = _trials(signal, dt)
    steps = segment_steps(max(parts, key=lambda part: part.n_steps), segment)
    parts = [part for part in parts if part.n_steps >= steps]
    counts = [n_segments(part, steps) for part in parts]
    found = [densities(part.values, part.values, part.dt, steps) for part in parts]
    power = sum(count * power.real for count, (_, power) in zip(counts, found)) / sum(counts)
    return Spectrum(
        frequencies=found[0][0], power=without_axis(np.asarray(power)), segments=sum(counts)
    )


def _trials(signal, dt):
    """Signals of all trials, each as long as it is: one signal where all are equally long."""
    if isinstance(signal, SpikeTrains) and signal.ends is not None:
        return [as_signal(signal[k], dt) for k in range(len(signal))] or [as_signal(signal, dt)]
    return [as_signal(signal, dt)]


def densities(
    first: NDArray, second: NDArray, dt: float, steps: int
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return frequencies and the cross spectral density (frequency, channel).

    It is the mean over segments of this many steps and over trials of values (trial, step,
    channel).
    """
    from scipy import signal as scipy_signal  # here: `import biosnn` stays quick

    frequencies, density = scipy_signal.csd(
        first, second, fs=1 / dt, window="hann", nperseg=steps, noverlap=steps // 2, axis=1
    )
    return frequencies, density.mean(axis=0)


def without_axis(values: NDArray) -> NDArray:
    """Return (frequencies,) of one channel, (frequencies, channels) of several."""
    return values[..., 0] if values.shape[-1] == 1 else values


def n_segments(signal: Signal, steps: int) -> int:
    """Return how many segments of this many steps, which overlap by half, all trials have."""
    return signal.n_trials * (1 + (signal.n_steps - steps) // (steps - steps // 2))


def segment_steps(signal: Signal, segment: float | None) -> int:
    """Return the steps of a segment; ValueError unless a trial holds one."""
    if segment is None:
        seconds = min(LONGEST, signal.duration)
    else:
        seconds = checks.time(segment, "segment", above=0)
    steps = timegrid.nearest_steps(seconds, signal.dt)
    if not FEWEST_STEPS <= steps <= signal.n_steps:
        raise ValueError(
            f"segment is {seconds:g} s, {steps} steps of {signal.dt:g} s; it must have at least "
            f"{FEWEST_STEPS} steps, and at most the {signal.n_steps} steps of a trial. The signal "
            f"has shape {signal.values.shape}: (trial, step, channel)."
        )
    return steps
