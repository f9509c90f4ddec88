"""Balance of the excitatory and inhibitory input of neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.spike_base import in_trial
from ..support import checks
from ..support.show import About, Shows
from ..support.tables import Table, number

if TYPE_CHECKING:
    from .signal import Signal


@dataclass(frozen=True, eq=False, repr=False)
class EIBalance(Shows):
    """Balance of the excitatory input E and the inhibitory input I of each neuron.

    Parameters
    ----------
    net_over_excitatory
        (neuron,) (<E> - <I>) / <E>: 0 if they cancel, 1 without inhibition, negative if inhibition
        dominates.
    ratio
        (neuron,) <E> / <I>: 1 if they cancel, infinite without inhibition.
    correlation
        (neuron,) Pearson correlation of E and I over time and trials: positive if I tracks E.

    Examples
    --------
    See `ei_balance`.
    """

    net_over_excitatory: NDArray[np.float64]
    ratio: NDArray[np.float64]
    correlation: NDArray[np.float64]

    def _about(self) -> About:
        rows = []
        for name, values in vars(self).items():
            known = values[np.isfinite(values)]
            quartiles = np.quantile(known, [0.25, 0.5, 0.75]) if known.size else [np.nan] * 3
            rows.append([name.replace("_", " "), *map(number, quartiles), f"{known.size}"])
        headings = "", "25 %", "median", "75 %", "neurons"
        return About(f"EIBalance of {self.ratio.size} neurons", table=Table("", headings, rows))


def ei_balance(
    excitatory: ArrayLike | Signal,
    inhibitory: ArrayLike | Signal,
    *,
    own_steps: ArrayLike | None = None,
) -> EIBalance:
    """Return the balance of excitatory and inhibitory input.

    Parameters
    ----------
    excitatory, inhibitory
        Arrays (trial, step, neuron) in the same unit, both as magnitudes >= 0, such as the states
        "E.I_exc" and "E.I_inh" of a trace, or signals, as `signals.synaptic_currents` returns them.
    own_steps
        (trial,) number of steps that each trial has, `own_steps` of a trace whose trials end at
        different times. Default: all.

    Returns
    -------
    An `EIBalance` with one value per neuron. Means and the correlation are over trials and steps. A
    value is NaN where it does not exist: the correlation if an input is constant, ratios 0 / 0.

    Raises
    ------
    ValueError
        If the shapes differ, or values are negative or not finite.

    See Also
    --------
    signals.balance_over_time, signals.detailed_balance, signals.inhibition_lag

    References
    ----------
    van Vreeswijk & Sompolinsky (1996), Science 274:1724-1726 (balance of means); Okun & Lampl
    (2008), Nat. Neurosci. 11:535-537 (correlation of E and I).

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> e = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1)
    >>> balance = bs.stats.ei_balance(e, 0.5 * e)
    >>> balance.ratio, balance.correlation
    (array([2.]), array([1.]))
    """
    e, i = _checked_input("excitatory", excitatory), _checked_input("inhibitory", inhibitory)
    if e.shape != i.shape:
        raise ValueError(
            f"excitatory has shape {e.shape} and inhibitory {i.shape}; they must be of the same "
            "trials, steps and neurons."
        )
    if own_steps is not None:
        trials, steps = e.shape[:2]
        own = checks.wholes(own_steps, "own_steps", 1, steps, shape=(trials,))
        e, i = e[in_trial(own, steps)][None], i[in_trial(own, steps)][None]
    over = 0, 1
    mean_e, mean_i = e.mean(axis=over), i.mean(axis=over)
    varies = (np.ptp(e, axis=over) > 0) & (np.ptp(i, axis=over) > 0)
    e, i = e - mean_e, i - mean_i
    covariance, variance_e, variance_i = (
        (a * b).mean(axis=over) for a, b in ((e, i), (e, e), (i, i))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.clip(covariance / np.sqrt(variance_e * variance_i), -1.0, 1.0)
        return EIBalance(
            net_over_excitatory=(mean_e - mean_i) / mean_e,
            ratio=mean_e / mean_i,
            correlation=np.where(varies, correlation, np.nan),
        )


def _checked_input(name, values):
    """An input as an array of numbers >= 0 with at least one trial and one step."""
    from .signal import Signal  # here: `import biosnn` stays quick

    values = values.values if isinstance(values, Signal) else values
    values = checks.reals(values, f"{name} input")
    if values.ndim != 3 or 0 in values.shape[:2]:
        raise ValueError(
            f"{name} has shape {values.shape}; it must be (trial, step, neuron), with at least one "
            "trial and one step."
        )
    check_magnitudes(values, name)
    return values


def check_magnitudes(values: NDArray, name: str) -> None:
    """ValueError unless an input (trial, step, neuron) is >= 0."""
    wrong = values < 0
    if np.any(wrong):
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(
            f"{name} input at (trial, step, neuron) = {at} is {values[at]:g}; both inputs are "
            "given as magnitudes >= 0: the sign of inhibition is not part of it."
        )
