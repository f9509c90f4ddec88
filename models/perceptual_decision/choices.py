"""What is measured of choices: psychometric curves, the ideal observer, lesions, votes."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import ndtr
from scipy.stats import binomtest

import biosnn as bs

from .network import LOSS

SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of the inhibitory weights that a lesion leaves
BIN = 20e-3  # seconds

Row = dict[str, Any]


def ideal_observer(
    coherence: ArrayLike,
    n: int = 20,
    rate: float = 40.0,
    background: float = 1.0,
    seconds: float = 0.5,
) -> np.ndarray:
    """Probability of choice 0 for an observer who counts all spikes of both pools.

    The difference of two Poisson counts, which are large, is Gaussian:
    Phi(2 n rate T c / sqrt(2 n (rate + background) T)).
    """
    difference = 2 * n * rate * seconds * np.asarray(coherence)
    return ndtr(difference / np.sqrt(2 * n * (rate + background) * seconds))


def ideal_accuracy(task: bs.data.Task) -> float:
    """Expected share of right choices of the ideal observer, over trials with c other than 0."""
    coherence = np.abs(signed_coherences(task))
    return float(ideal_observer(coherence[coherence > 0]).mean())


def signed_coherences(task: bs.data.Task) -> np.ndarray:
    """Of every trial; positive: toward choice 0."""
    return np.round(task.conditions["coherence"], 6) + 0.0  # -0.0 becomes 0.0


def psychometric(coherence: np.ndarray, choices: np.ndarray) -> list[Row]:
    """A row for each signed coherence: trials, and the share that chose 0."""
    rows = []
    for c in np.unique(coherence):
        chosen = choices[coherence == c] == 0
        rows.append({"coherence": float(c), "trials": int(chosen.size), **share_of(chosen)})
    return rows


def share_of(outcomes: np.ndarray) -> dict[str, float]:
    """The share of true outcomes, and its 95 % interval (Wilson)."""
    test = binomtest(int(outcomes.sum()), int(outcomes.size))
    interval = test.proportion_ci(method="wilson")
    return {
        "share": float(outcomes.mean()),
        "low": float(interval.low),
        "high": float(interval.high),
    }


def fit_logistic(coherence: np.ndarray, choices: np.ndarray) -> dict[str, float | None]:
    """Fit P(choice 0) = 1 / (1 + exp(-(b + k c))) by maximum likelihood.

    Bounds (abs(b) <= 20, abs(k) <= 1000) make the estimate exist where one choice is always made,
    or all are right.

    Returns
    -------
    Bias b, slope k, and the threshold: the c at which 82 % would be right without bias.
    """
    scale, zero = 10.0, choices == 0  # so that both parameters are of order 1

    def cost(p: np.ndarray) -> tuple[float, np.ndarray]:
        z = p[0] + scale * p[1] * coherence
        error = 1 / (1 + np.exp(-np.clip(z, -500, 500))) - zero
        slopes = np.array([error.mean(), scale * (error * coherence).mean()])
        return (np.logaddexp(0, z) - zero * z).mean(), slopes

    bounds = [(-20, 20), (-100, 100)]
    bias, slope = minimize(cost, [0.0, 1.0], jac=True, method="L-BFGS-B", bounds=bounds).x
    slope *= scale
    return {
        "bias": float(bias),
        "slope": float(slope),
        "threshold": float(np.log(0.82 / 0.18) / slope) if slope > 0 else None,
    }


def measured(net: bs.Network, task: bs.data.Task, threads: int | None) -> Row:
    """Choices on the trials of a task, and what they and the rates are."""
    done = bs.evaluate(net, task.spikes, mask=task.mask, loss=LOSS, threads=threads)
    coherence, right = signed_coherences(task), done.predictions == task.spikes.labels
    strongest = np.abs(coherence) == np.abs(coherence).max()
    return {
        "accuracy": share_of(right[coherence != 0]),
        "accuracy_strongest": share_of(right[strongest]),
        "rates_hz": done.rates,
        "psychometric": psychometric(coherence, done.predictions),
        "fit": fit_logistic(coherence, done.predictions),
    }


def lesion(net: bs.Network, task: bs.data.Task, threads: int | None) -> list[Row]:
    """Measure with a share of every inhibitory weight; the network is left as it was."""
    inhibitory = [p.name for p in net.projections if net[p.pre].sign == "inhibitory"]
    intact = {name: net.weights[name] for name in inhibitory}
    rows = []
    for share in SHARES:
        for name, weights in intact.items():
            net.set_weights(name, share * weights)
        rows.append({"inhibition": share, **measured(net, task, threads)})
    for name, weights in intact.items():
        net.set_weights(name, weights)
    return rows


def votes_over_time(
    trace: bs.Trace, task: bs.data.Task
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rates of E neurons that vote for and against the direction shown (c = 0: the one drawn).

    A neuron votes for the choice to which its larger readout weight goes.

    Returns
    -------
    Coherences without sign; times (s) of bins; rates (Hz), (for or against, coherence, bin).
    """
    spikes, labels = trace.spikes["E"], np.asarray(task.spikes.labels)
    strength = np.abs(signed_coherences(task))
    vote = trace.network.weights["E->readout"].argmax(axis=1)
    bins, values = round(trace.duration / BIN), np.unique(strength)
    row = np.searchsorted(values, strength)
    against = (vote[spikes.units] != labels[spikes.trials]).astype(int)
    when = np.minimum((spikes.times / BIN + 1e-6).astype(int), bins - 1)
    counts, neurons = np.zeros((2, values.size, bins)), np.zeros((2, values.size))
    np.add.at(counts, (against, row[spikes.trials], when), 1)
    for side in (0, 1):
        np.add.at(neurons[side], row, np.bincount(vote, minlength=2)[labels ^ side])
    rates = counts / np.maximum(neurons, 1)[..., None] / BIN
    return values, (np.arange(bins) + 0.5) * BIN, rates
