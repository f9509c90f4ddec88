"""The number of dimensions in which the activity of a population varies."""

from __future__ import annotations

import numpy as np

from ..data.spike_trains import SpikeTrains
from .signal import Signal, SignalLike, as_signal


def dimensionality(signal: SignalLike, dt: float | None = None) -> float:
    """Return the participation ratio: in how many dimensions a population varies.

    Parameters
    ----------
    signal
        A `Signal` or an array (step, neuron) or (trial, step, neuron), or SpikeTrains, of which the
        counts of every unit are taken.
    dt
        Seconds of the bins of spikes. Of arrays it changes nothing, and need not be given.

    Returns
    -------
    From 1, if all neurons do the same up to a factor, to the number of neurons, if they are
    independent with equal variances. NaN if nothing varies.

    Raises
    ------
    ValueError
        If there are fewer than two steps over all trials.

    Notes
    -----
    With the covariance matrix C of neurons over all steps of all trials, and its eigenvalues l,

        D = (tr C)² / tr(C²) = (sum_k l_k)² / sum_k l_k².

    Few samples give too small a value: n samples of N independent neurons about
    1 / (1 / N + 1 / n).

    References
    ----------
    Abbott, Rajan & Sompolinsky (2011), in The Dynamic Brain, Oxford University Press; Litwin-Kumar
    et al. (2017), Neuron 93:1153-1164.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> independent = np.random.default_rng(1).normal(size=(20000, 10))
    >>> round(bs.signals.dimensionality(independent, 1e-3), 1)
    10.0
    """
    if dt is None and not isinstance(signal, (Signal, SpikeTrains)):
        dt = 1.0
    values = as_signal(signal, dt, units=True).values
    samples = values.reshape(-1, values.shape[2])
    if len(samples) < 2:
        raise ValueError(
            f"the signal has shape {values.shape}, (trial, step, neuron), which is one sample; a "
            "covariance needs at least two."
        )
    deviation = samples - samples.mean(axis=0)
    # tr(C²) is the same for C = X'X and X X': take the smaller
    wide = deviation.shape[1] > deviation.shape[0]
    product = deviation @ deviation.T if wide else deviation.T @ deviation
    squares = float((product**2).sum())
    return float(np.trace(product) ** 2 / squares) if squares > 0 else np.nan
