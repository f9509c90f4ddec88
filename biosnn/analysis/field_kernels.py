"""Kernels: the field potential around a spike, and published ones (Teleńczuk et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks, plausible
from ..support.units import seconds

_SPAN = 7.0  # standard deviations of a Gaussian that are kept: beyond it is 1e-11 of the peak
_TAIL = 30.0  # time constants of an alpha function that are kept: beyond it is 1e-11 of the peak


@dataclass(frozen=True, eq=False)
class GaussianKernel:
    """A field potential of Gaussian shape.

    Parameters
    ----------
    amplitude
        Peak, in the unit of the field potential: a number or (neurons,).
    delay
        Seconds from the spike to the peak: a number or (neurons,).
    sd
        Standard deviation in seconds.

    Raises
    ------
    ValueError
        If a number is not finite, or `sd` is not above 0.

    See Also
    --------
    unitary_field_potential : published numbers.

    Notes
    -----
    k(t) = amplitude exp(-(t - delay)² / (2 sd²)); its Fourier transform is
    K(f) = amplitude sd sqrt(2 pi) exp(-2 pi² f² sd²) exp(-2 pi i f delay).

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.signals.GaussianKernel(amplitude=0.48e-6, delay=10.4e-3, sd=3.15e-3).delay
    0.0104
    """

    amplitude: ArrayLike
    delay: ArrayLike
    sd: float

    def __post_init__(self) -> None:
        _check_common(self)
        checks.keep(self, sd=_width(self.sd, "GaussianKernel: sd"))

    @property
    def span(self) -> tuple[float, float]:
        """Seconds after the delay from which to which the shape is not 0."""
        return -_SPAN * self.sd, _SPAN * self.sd

    def shape(self, times: ArrayLike) -> NDArray[np.float64]:
        """Return the shape, with a peak of 1.

        Parameters
        ----------
        times
            Seconds after the delay.

        Returns
        -------
        An array of the shape of `times`.

        Examples
        --------
        >>> import biosnn as bs
        >>> bs.signals.GaussianKernel(1.0, 0.0, 1e-3).shape([0.0, 1e-3]).round(3)
        array([1.   , 0.607])
        """
        return np.exp(-((checks.reals(times, "times") / self.sd) ** 2) / 2)

    def transfer(self, frequencies: ArrayLike) -> NDArray[np.complex128]:
        """Return the Fourier transform of the kernel.

        Parameters
        ----------
        frequencies
            (frequencies,) hertz.

        Returns
        -------
        (frequencies,), or (neurons, frequencies), in the unit of the amplitude times seconds.

        Examples
        --------
        >>> import biosnn as bs
        >>> kernel = bs.signals.GaussianKernel(1.0, 0.0, 1e-3)
        >>> float(abs(kernel.transfer([0.0])[0]).round(6))  # its area
        0.002507
        """
        f = checks.reals(frequencies, "frequencies")
        area = self.sd * np.sqrt(2 * np.pi)
        return _shifted(self, f, area * np.exp(-2 * (np.pi * f * self.sd) ** 2))


@dataclass(frozen=True, eq=False)
class AlphaKernel:
    """A field potential that rises and falls as an alpha function.

    Parameters
    ----------
    amplitude
        Peak, in the unit of the field potential: a number or (neurons,).
    delay
        Seconds from the spike to the onset: a number or (neurons,).
    tau
        Seconds from the onset to the peak.

    Raises
    ------
    ValueError
        If a number is not finite, or `tau` is not above 0.

    Notes
    -----
    k(t) = amplitude (s / tau) exp(1 - s / tau) with s = t - delay >= 0; its Fourier transform is
    K(f) = amplitude e tau / (1 + 2 pi i f tau)² exp(-2 pi i f delay).

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.signals.AlphaKernel(amplitude=1e-6, delay=1e-3, tau=5e-3).tau
    0.005
    """

    amplitude: ArrayLike
    delay: ArrayLike
    tau: float

    def __post_init__(self) -> None:
        _check_common(self)
        checks.keep(self, tau=_width(self.tau, "AlphaKernel: tau"))

    @property
    def span(self) -> tuple[float, float]:
        """Seconds after the delay from which to which the shape is not 0."""
        return 0.0, _TAIL * self.tau

    def shape(self, times: ArrayLike) -> NDArray[np.float64]:
        """Return the shape, with a peak of 1.

        Parameters
        ----------
        times
            Seconds after the delay.

        Returns
        -------
        An array of the shape of `times`.

        Examples
        --------
        >>> import biosnn as bs
        >>> bs.signals.AlphaKernel(1.0, 0.0, 1e-3).shape([-1e-3, 0.0, 1e-3])
        array([0., 0., 1.])
        """
        s = np.maximum(checks.reals(times, "times"), 0) / self.tau
        return s * np.exp(1 - s)

    def transfer(self, frequencies: ArrayLike) -> NDArray[np.complex128]:
        """Return the Fourier transform of the kernel.

        Parameters
        ----------
        frequencies
            (frequencies,) hertz.

        Returns
        -------
        (frequencies,), or (neurons, frequencies), in the unit of the amplitude times seconds.

        Examples
        --------
        >>> import biosnn as bs
        >>> kernel = bs.signals.AlphaKernel(1.0, 0.0, 1e-3)
        >>> float(abs(kernel.transfer([0.0])[0]).round(6))  # its area
        0.002718
        """
        f = checks.reals(frequencies, "frequencies")
        return _shifted(self, f, np.e * self.tau / (1 + 2j * np.pi * f * self.tau) ** 2)


def _check_common(kernel):
    """Amplitude and delay of a kernel as numbers or arrays (neurons,)."""
    name = type(kernel).__name__
    amplitude = checks.reals(kernel.amplitude, f"{name}: amplitude")
    delay = checks.reals(seconds(kernel.delay, f"{name}: delay"), f"{name}: delay")
    sizes = {each.size for each in (amplitude, delay) if each.ndim}
    if max(amplitude.ndim, delay.ndim) > 1 or len(sizes) > 1:
        raise ValueError(
            f"{name}: amplitude has shape {amplitude.shape} and delay {delay.shape}; each must be "
            "a number or (neurons,)."
        )
    checks.keep(kernel, amplitude=_plain(amplitude), delay=_plain(delay))


def _width(value, name):
    """Seconds above 0, and in seconds indeed."""
    return checks.time(value, name, above=0, plausible=plausible.MEMBRANE)


def _plain(values):
    """A number without axes as a float."""
    return values if values.ndim else float(values)


def _shifted(kernel, frequencies, transform):
    """The Fourier transform with amplitude and delay."""
    amplitude, delay = (np.asarray(x)[..., None] for x in (kernel.amplitude, kernel.delay))
    return amplitude * transform * np.exp(-2j * np.pi * frequencies * delay)


# ---------------------------------------------------------------------------------------- published

#: Peaks in volts beside a neuron, excitatory and inhibitory, by where the electrode is.
_PEAKS = {
    "soma": (0.48e-6, 3.0e-6),
    "deep": (-0.16e-6, -0.2e-6),
    "superficial": (0.24e-6, -1.2e-6),
    "surface": (-0.08e-6, 0.3e-6),
}
_LATENCY, _SPEED, _REACH = 10.4e-3, 0.2, 0.2e-3  # s; m/s; m
_SDS = 1.5 * 2.1e-3, 2.1e-3  # s, excitatory and inhibitory


def unitary_field_potential(
    sign: Literal["excitatory", "inhibitory"],
    distance: ArrayLike,
    *,
    layer: Literal["soma", "deep", "superficial", "surface"] = "soma",
) -> GaussianKernel:
    """Return the kernels of Teleńczuk et al. (2020) for neurons at some distance of an electrode.

    Parameters
    ----------
    sign
        "excitatory" or "inhibitory", such as `network["E"].sign`.
    distance
        Metres between neuron and electrode: a number or (neurons,).
    layer
        Where the electrode is: in the layer of the somata, or deep, superficial, at the surface.

    Returns
    -------
    A `GaussianKernel` in volts: one number, or one for each neuron, of amplitude and delay.

    Raises
    ------
    ValueError
        If the sign or the layer is not known, or a distance is negative or above 0.1 m.

    Notes
    -----
    The peak decays as exp(-distance / 0.2 mm), the delay is 10.4 ms + distance / (0.2 m/s), and the
    standard deviation 2.1 ms (inhibitory) or 3.15 ms (excitatory). In the layer of the somata the
    peaks are 0.48 and 3 µV. The kernels were fitted to the hippocampus; the peak of one neuron is
    larger for inhibition, which makes its spikes dominate the field.

    References
    ----------
    Teleńczuk, Teleńczuk & Destexhe (2020), J. Neurosci. Methods 344:108871, and its program,
    ModelDB 266508.

    Examples
    --------
    >>> import biosnn as bs
    >>> kernel = bs.signals.unitary_field_potential("excitatory", [0.0, 0.2e-3])
    >>> kernel.delay
    array([0.0104, 0.0114])
    """
    excitatory = checks.choice(sign, "sign", ("excitatory", "inhibitory")) == "excitatory"
    peaks = _PEAKS[checks.choice(layer, "layer", _PEAKS)]
    distance = checks.reals(distance, "distance, in metres,", 0, 0.1)
    return GaussianKernel(
        amplitude=peaks[0 if excitatory else 1] * np.exp(-distance / _REACH),
        delay=_LATENCY + distance / _SPEED,
        sd=_SDS[0 if excitatory else 1],
    )
