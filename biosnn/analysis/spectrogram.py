"""The power spectrum of a signal over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..support import checks, timegrid
from ..support.show import About, Shows
from .places import label, one_panel
from .signal import SignalLike, as_signal
from .spectra import segment_steps, without_axis
from .style import size

if TYPE_CHECKING:
    from .places import Ax, Drawn


@dataclass(frozen=True, eq=False, repr=False)
class Spectrogram(Shows):
    """Power spectral density of a signal over time.

    Parameters
    ----------
    times
        (times,) seconds of the middle of each segment.
    frequencies
        (frequencies,) hertz.
    power
        (frequencies, times), or (frequencies, times, channels): the one-sided density, in the unit
        of the signal squared per hertz.

    Examples
    --------
    See `spectrogram`.
    """

    times: NDArray[np.float64]
    frequencies: NDArray[np.float64]
    power: NDArray[np.float64]

    def plot(
        self,
        ax: Ax | None = None,
        *,
        highest: float | None = None,
        width: float | None = None,
    ) -> Drawn:
        """Draw the density as colours, in decibels, over time and frequency.

        Parameters
        ----------
        ax
            Where to draw. Default: a new figure.
        highest
            Draw up to this frequency in hertz. Default: all.
        width
            Width of a new figure on paper in cm. Default: a figure for the screen.

        Returns
        -------
        The figure, or with `ax` the axes. Of several channels the mean is drawn. Colours run over
        50 dB below the largest density.

        Raises
        ------
        ValueError
            If `highest` is below the second frequency.

        Examples
        --------
        >>> import numpy as np
        >>> import biosnn as bs
        >>> noise = np.random.default_rng(1).normal(size=4000)
        >>> bs.signals.spectrogram(noise, 1e-3).plot(highest=100).axes[0].get_ylabel()
        'frequency (Hz)'
        """
        top = self.frequencies[-1]
        if highest is not None:
            top = checks.real(highest, "highest", self.frequencies[1], unit="hertz")
        return one_panel(lambda axis: self._draw(axis, top), ax=ax, width=width)

    def _draw(self, axis, top):
        """Draw on Axes."""
        shown = self.frequencies <= top
        power = self.power[shown]
        power = power.mean(axis=2) if power.ndim == 3 else power
        largest = power.max() or 1.0
        decibels = 10 * np.log10(np.maximum(power, 1e-5 * largest))
        mesh = axis.pcolormesh(
            self.times, self.frequencies[shown], decibels, shading="nearest", rasterized=True
        )
        label(axis, "time (s)", "frequency (Hz)")
        bar = axis.get_figure().colorbar(mesh, ax=axis)
        bar.set_label("power density (dB)", fontsize=size())
        bar.ax.tick_params(labelsize=size(0.9))

    def _about(self) -> About:
        rows = [
            ("times", f"{self.times[0]:g} .. {self.times[-1]:g} s, {self.times.size:,}"),
            ("frequencies", f"0 .. {self.frequencies[-1]:g} Hz, {self.frequencies.size:,}"),
            ("channels", f"{1 if self.power.ndim == 2 else self.power.shape[2]:,}"),
        ]
        return About("Spectrogram", rows)


def spectrogram(
    signal: SignalLike,
    dt: float | None = None,
    *,
    segment: float = 0.2,
    every: float | None = None,
) -> Spectrogram:
    """Return the power spectrum of a signal over time, the mean over trials.

    Parameters
    ----------
    signal
        As for `power_spectrum`.
    dt
        Seconds of a step of an array, or of the bins of spikes.
    segment
        Seconds of a segment: the resolution in time. That in frequency is 1 / segment.
    every
        Seconds from one segment to the next. Default: an eighth of a segment.

    Returns
    -------
    A `Spectrogram`. Only whole segments are in it, so that it begins half a segment after the start
    of the signal.

    Raises
    ------
    ValueError
        If the segment is longer than a trial or shorter than eight steps, or `every` is longer than
        a segment or shorter than a step.

    See Also
    --------
    power_spectrum : the equation, of one segment.

    References
    ----------
    Gabor (1946), J. Inst. Electr. Eng. 93:429-457.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> wave = np.sin(2 * np.pi * 40 * np.arange(2000) * 1e-3)
    >>> found = bs.signals.spectrogram(wave, 1e-3)
    >>> float(found.frequencies[found.power[:, 10].argmax()])
    40.0
    """
    signal = as_signal(signal, dt)
    steps = segment_steps(signal, segment)
    hop = max(1, steps // 8) if every is None else _hop(every, steps, signal.dt)
    from scipy.signal import ShortTimeFFT  # here: `import biosnn` stays quick
    from scipy.signal.windows import hann

    transform = ShortTimeFFT(
        hann(steps, sym=False), hop, fs=1 / signal.dt, fft_mode="onesided2X", scale_to="psd"
    )
    first = transform.lower_border_end[1]
    last = transform.upper_border_begin(signal.n_steps)[1]
    power = transform.spectrogram(
        signal.values, detr="constant", p0=first, p1=max(last, first + 1), axis=1
    )  # (trial, frequency, channel, time)
    power = np.moveaxis(power.mean(axis=0), 2, 1)
    middles = transform.t(signal.n_steps, first, max(last, first + 1))
    return Spectrogram(
        times=signal.start + middles,
        frequencies=transform.f,
        power=without_axis(power),
    )


def _hop(every, steps, dt):
    """Steps from one segment to the next."""
    hop = timegrid.nearest_steps(checks.time(every, "every", above=0), dt)
    if not 1 <= hop <= steps:
        raise ValueError(
            f"every is {every:g} s, {hop} steps of {dt:g} s; it must have at least one step, and "
            f"at most the {steps} steps of a segment, so that nothing is left out."
        )
    return hop
