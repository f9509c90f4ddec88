"""The sum of losses that training minimizes: which readout or population each of them looks at."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.spike_base import in_trial
from ..engine.layouts import Layout, dense_spikes
from ..engine.own_ends import by_spike as within_trials
from ..kernels import arrays
from ..network.network import Network
from ..support.checks import as_array, real, reals, shown
from .classification import CrossEntropy
from .protocols import Loss, checked_part, checked_shape


class Target(NamedTuple):
    """The target of every trial for one loss, and the mask that weights its steps, or None.

    There is no target, None, where a loss needs none.
    """

    values: NDArray[Any] | None
    mask: NDArray[Any] | None


@dataclass(frozen=True)
class LossTerm:
    """A loss, the readout or spiking population that it looks at, and its weight in the sum."""

    name: str
    loss: Any
    weight: float
    spikes: bool

    def seen(self, packed: Any, recording: Any, columns: dict[str, slice]) -> NDArray[Any]:
        """Return what the loss looks at in recorded trials, (trial, step, unit)."""
        if self.spikes:
            return dense_spikes(packed, recording, self.name)
        return recording.states[..., columns[f"{self.name}.U"]]

    def assess(
        self, seen: NDArray[Any], target: Target, total: float | None = None
    ) -> tuple[float, NDArray[Any], NDArray[Any]]:
        """Return value, gradient with respect to `seen`, and score of each trial.

        A trial whose steps are all masked out is neither right nor wrong: its score is NaN.
        """
        values, mask = target
        value, slope, score = self._assess(seen, values, mask, total)
        if mask is not None:
            score = np.where(np.any(np.reshape(mask, (len(mask), -1)), axis=1), score, np.nan)
        return value, slope, score

    def _assess(self, seen, values, mask, total):
        """All three at once, but not where a subclass by a user has methods of its own."""
        kind = type(self.loss)
        own = (getattr(kind, "value_and_gradient", None), getattr(kind, "score", None))
        if own == (CrossEntropy.value_and_gradient, CrossEntropy.score):
            return self.loss.assess(seen, values, mask, total)
        value, slope = self.loss.value_and_gradient(seen, values, mask, total)
        checked_shape(self.loss, "value_and_gradient", slope, seen.shape)
        score = self.loss.score(seen, values, mask)
        return value, slope, checked_shape(self.loss, "score", score, (len(seen),))


# ------------------------------------------------------------------------------ from what was given


def make_terms(network: Network, loss: Any, readout: str | None) -> tuple[LossTerm, ...]:
    """Return the terms of a training.

    Parameters
    ----------
    loss
        A loss; a dict name -> loss or (loss, weight), one term for each; or None for no terms.
    readout
        What a single loss looks at; None: the only readout.

    Raises
    ------
    ValueError
        If something is not a loss, or the network does not have what it looks at.
    """
    if loss is None:
        return ()
    if not isinstance(loss, dict):
        return (_term(network, _only_readout(network) if readout is None else readout, loss),)
    if readout is not None:
        raise ValueError(
            f"readout is {shown(readout)}, but loss is a dict of readouts already; "
            "leave readout out."
        )
    return tuple(_term(network, name, *_pair(name, each)) for name, each in loss.items())


def _pair(name, each):
    """A loss and its weight, from either of the two forms of an entry."""
    if not isinstance(each, tuple):
        return each, 1.0
    if len(each) != 2:
        raise ValueError(
            f"the loss of {shown(name)} is {shown(each)}; it must be a loss, or a pair "
            "(loss, weight)."
        )
    return each


def _only_readout(network):
    """The name of the readout, if there is exactly one."""
    names = [p.name for p in network.readouts]
    if len(names) != 1:
        raise _unknown(network, None)
    return names[0]


def _unknown(network, name):
    """The error for a name that is no readout."""
    names = [p.name for p in network.readouts]
    return ValueError(
        f"readout is {shown(name)}; the network has "
        + (", ".join(map(repr, names)) or "none")
        + ". The loss needs one: net.readout(n_classes), or a spiking population."
    )


def _term(network, name, loss, weight=1.0):
    """One term, checked against the network."""
    kinds = {p.name: p.kind for p in network.readouts + network.firing}
    if not isinstance(name, str) or name not in kinds:
        raise _unknown(network, name)
    example = "MaxOverTimeCrossEntropy(), or a dict of them by readout"
    loss = checked_part("loss", loss, Loss, example)
    spikes = kinds[name] != "readout"
    if getattr(loss, "needs_spikes", False) and not spikes:
        raise ValueError(
            f"{type(loss).__name__} looks at spikes, and {name!r} is a readout: "
            "give readout=… the name of a spiking population."
        )
    weight = real(weight, f"the weight of the loss of {name!r}", 0)
    loss = loss.for_step(network.dt) if hasattr(loss, "for_step") else loss
    return LossTerm(name, loss, weight, spikes)


def make_targets(
    terms: tuple[LossTerm, ...],
    network: Network,
    labels: Any,
    targets: Any,
    mask: Any,
    n_trials: int,
    steps: int,
    own_steps: NDArray[np.int64] | None = None,
) -> tuple[Target, ...]:
    """Return the target of all trials for every term, checked.

    Parameters
    ----------
    labels
        Labels of the spike trains, for terms without a target, or None.
    targets, mask
        As given to `train`: one for all terms, or a dict by name.
    own_steps
        (trial,) steps of each trial, after which no step has a weight; None: all have `steps`.
    """
    result = []
    for term in terms:
        shape = (n_trials, steps, network[term.name].n)
        target = _of(targets, term, terms, "targets")
        target = labels if target is None else getattr(term.loss, "as_target", _as_target)(target)
        term.loss.check(target, *shape)
        weights = mask_of(term, terms, mask, n_trials, steps, own_steps)
        term.loss.total_weight(shape, weights)  # ValueError if no step of any trial counts
        result.append(Target(target, weights))
    return tuple(result)


def _as_target(target):
    """Targets of losses that say nothing of them."""
    return as_array(target, "targets")


def mask_of(
    term: LossTerm,
    terms: tuple[LossTerm, ...],
    masks: Any,
    n_trials: int,
    steps: int,
    own_steps: NDArray[np.int64] | None = None,
) -> NDArray[Any] | None:
    """Return the mask of one term, from one for all or a dict by name; None: there is none.

    Parameters
    ----------
    own_steps
        (trial,) steps of each trial, after which no step has a weight; None: all have `steps`.

    Raises
    ------
    ValueError
        If it does not fit the trials or the loss.
    """
    mask = _of(masks, term, terms, "mask")
    if mask is not None:
        mask = _checked_mask(mask, term, n_trials, steps)
    return mask if own_steps is None else _until_ends(mask, term, in_trial(own_steps, steps))


def _checked_mask(mask, term, n_trials, steps):
    """A mask as an array; ValueError if it does not fit the trials or the loss."""
    mask = reals(mask, "mask", flags=True)
    if mask.shape[:2] != (n_trials, steps):
        raise ValueError(
            f"mask has shape {mask.shape}; it must begin with (trial, step) = {(n_trials, steps)}."
        )
    if not getattr(term.loss, "takes_mask", True):
        raise ValueError(
            f"{type(term.loss).__name__} takes no mask: it looks at whole trials. Losses with masks"
            " are EveryStepCrossEntropy, MeanSquaredError and PatternRegression; with several "
            "losses, give a dict of masks by readout."
        )
    return mask


def _until_ends(mask, term, exists):
    """A mask without the steps after the end of each trial."""
    loss = term.loss
    if not (getattr(loss, "takes_mask", True) or getattr(loss, "takes_ends", False)):
        raise ValueError(
            f"{type(loss).__name__} takes no mask, and the trials end at different times: it would "
            "look at steps after their end. A loss of one's own that reads mask (trial, step), "
            "which is 0 there, says so with takes_ends = True."
        )
    if mask is None:
        return exists
    return mask * exists.reshape(exists.shape + (1,) * (mask.ndim - 2))


def _of(given, term, terms, what):
    """The target or mask of one term, from one for all or a dict by name."""
    if not isinstance(given, dict):
        return given
    known = [t.name for t in terms]
    if unknown := set(given) - set(known):
        raise ValueError(
            f"{what} for {', '.join(map(str, unknown))}: losses look at {', '.join(known)}."
        )
    return given.get(term.name)


# ----------------------------------------------------------------------------------- of some trials


def select(targets: tuple[Target, ...], rows: Any) -> tuple[Target, ...]:
    """Return the targets and masks of some trials."""
    return tuple(Target(*(None if a is None else a[rows] for a in each)) for each in targets)


def total_weights(
    terms: tuple[LossTerm, ...],
    network: Network,
    targets: tuple[Target, ...],
    n_trials: int,
    steps: int,
) -> list[float]:
    """Return what the mean of each term over a batch divides by.

    Where no step of the batch counts it is 1, so that the loss is 0.
    """
    totals = []
    for term, (_, mask) in zip(terms, targets):
        shape = (n_trials, steps, network[term.name].n)
        nothing = mask is not None and not np.any(mask)
        totals.append(1.0 if nothing else term.loss.total_weight(shape, mask))
    return totals


class SumOfLosses(NamedTuple):
    """Value and scores of some trials; by population, derivatives for states and for spikes."""

    value: float
    scores: NDArray[Any]
    by_state: dict[str, NDArray[Any]]
    by_spike: dict[str, NDArray[Any]]


def value_and_gradient(
    terms: tuple[LossTerm, ...],
    packed: Any,
    recording: Any,
    columns: dict[str, slice],
    targets: tuple[Target, ...],
    totals: list[float] | None = None,
) -> SumOfLosses:
    """Return the weighted sum of the losses of some recorded trials, and its derivatives."""
    value = 0.0
    scores = []
    by_state: dict[str, NDArray[Any]] = {}
    by_spike: dict[str, NDArray[Any]] = {}
    for k, (term, target) in enumerate(zip(terms, targets)):
        seen = term.seen(packed, recording, columns)
        part, slope, score = term.assess(seen, target, None if totals is None else totals[k])
        value += term.weight * part
        slope = slope if term.weight == 1 else slope * seen.dtype.type(term.weight)
        (by_spike if term.spikes else by_state)[term.name] = slope
        scores.append(score)
    return SumOfLosses(value, joint_score(terms, scores), by_state, by_spike)


def joint_score(terms: tuple[LossTerm, ...], scores: list[NDArray[Any]]) -> Any:
    """Return one score for each trial.

    It is the mean over the terms that classify; if none does, the weighted sum of all; NaN without
    terms.
    """
    if not terms:
        return np.nan
    classify = [score for term, score in zip(terms, scores) if term.loss.classifies]
    if classify:
        return np.mean(classify, axis=0)
    return sum(term.weight * score for term, score in zip(terms, scores))


def score_name(terms: tuple[LossTerm, ...]) -> str:
    """Return what the joint score is: "accuracy" where at least one term classifies.

    Examples
    --------
    >>> from biosnn import MeanSquaredError
    >>> score_name((LossTerm("out", MeanSquaredError(), 1.0, False),))
    'negative squared error'
    """
    if any(term.loss.classifies for term in terms):
        return "accuracy"
    names = {getattr(term.loss, "score_name", "negative error") for term in terms}
    return names.pop() if len(names) == 1 else "negative error" if names else "score"


def mean_of_finite(scores: NDArray[Any]) -> float:
    """Return the mean score of the trials that have one.

    Examples
    --------
    >>> mean_of_finite(np.array([1.0, np.nan, 0.0]))
    0.5
    """
    scores = scores[np.isfinite(scores)]
    return float(scores.mean()) if scores.size else np.nan


def loss_gradient(
    packed: Any,
    layout: Layout,
    by_state: dict[str, NDArray[Any]],
    by_spike: dict[str, NDArray[Any]],
    by_count: NDArray[Any],
    steps: int,
    window: int,
    own_steps: NDArray[np.int64] | None = None,
) -> arrays.LossGradient:
    """Return what the adjoint starts from, given derivatives for each population.

    Parameters
    ----------
    layout
        Columns of the readouts' states.
    by_count
        (trial, spiking neuron) derivatives with respect to spike counts.
    window
        Steps of a window that no gradient leaves backwards in time, or 0.
    own_steps
        (trial,) steps of each trial, in which spikes are counted; None: all have `steps`.
    """
    n_trials, dtype = len(by_count), packed.network.dtype
    within = own_steps if np.any(by_count) else None
    states = np.empty((n_trials, steps if layout.width else 0, layout.width), dtype)
    dense = steps if by_spike or within is not None else 0
    spikes = np.zeros((n_trials, dense, packed.n_spiking), dtype)
    for name, slope in by_state.items():
        states[..., layout.columns[f"{name}.U"]] = slope
    for name, slope in by_spike.items():
        spikes[..., packed.neurons(name)] = slope
    if within is not None:
        spikes += within_trials(by_count, within, steps)
        by_count = np.zeros_like(by_count)
    return arrays.LossGradient(layout.blocks, states, spikes, by_count, window)
