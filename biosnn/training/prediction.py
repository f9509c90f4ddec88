"""`predict`: what a network says of data whose labels nobody knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.spike_trains import SpikeTrains
from ..engine.background_tables import Source
from ..engine.layouts import state_layout
from ..engine.perturbed import perturbed
from ..network.network import Network
from ..network.perturb_neurons import Perturbation
from ..support.checks import flag
from ..support.show import About, Shows
from ..support.tables import Table, number
from .cross_entropy import MaxOverTimeCrossEntropy
from .dataset import Given, load
from .evaluation import Evaluator
from .loss_terms import mask_of
from .objective import Objective, make_objective
from .parameters import Parameters
from .presentation import make_presentation
from .protocols import Loss


@dataclass(frozen=True, eq=False, repr=False)
class Predictions(Shows):
    """What `predict` returns.

    Parameters
    ----------
    predictions
        Prediction of the loss for every trial, such as its class; with several losses a dict by
        readout.
    probabilities
        (trial, class) probabilities, None where the loss has none; with several losses a dict by
        readout.
    traces
        Readout -> (trial, step, unit) values of U, if they were asked for.
    rates
        Population -> mean rate in hertz.

    Examples
    --------
    >>> found = Predictions(
    ...     np.array([1, 0]), np.array([[0.2, 0.8], [0.9, 0.1]]), {}, {"E": 5.0}
    ... )
    >>> found
    Predictions
      trials         2
      probabilities  yes
      traces         none
    <BLANKLINE>
    population  rate (Hz)
    ─────────────────────
    E                   5
    """

    predictions: Any
    probabilities: Any
    traces: dict[str, NDArray[Any]]
    rates: dict[str, float]

    def _about(self) -> About:
        """Trials, what there is, and rates."""
        several = isinstance(self.predictions, dict)
        first = next(iter(self.predictions.values())) if several else self.predictions
        some = any(p is not None for p in self.probabilities.values()) if several else None
        known = some if several else self.probabilities is not None
        rows = [
            ("trials", f"{len(first):,}"),
            ("probabilities", "yes" if known else "none"),
            ("traces", ", ".join(self.traces) or "none"),
        ]
        if several:
            rows.insert(1, ("readouts", ", ".join(self.predictions)))
        rates = [(name, number(rate)) for name, rate in self.rates.items()]
        return About("Predictions", rows, Table("", ("population", "rate (Hz)"), rates))


def predict(
    network: Network,
    spikes: SpikeTrains | dict[str, SpikeTrains] | None,
    mask: Any = None,
    *,
    loss: Loss | dict[str, Any] = MaxOverTimeCrossEntropy(),
    readout: str | None = None,
    traces: bool = False,
    batch: int = 250,
    threads: int | None = None,
    seed: int | np.random.Generator = 0,
    background: Sequence[Source] = (),
    initial: Mapping[str, Any] | None = None,
    currents: Mapping[str, ArrayLike] | None = None,
    stateful: bool = False,
    perturbations: Sequence[Perturbation] = (),
) -> Predictions:
    """Predict the class, or the trace, of every trial, without labels.

    Parameters
    ----------
    network
        A network with weights.
    spikes
        Spike trains of the input, or a dict of input -> spike trains. Labels are not looked at, nor
        are the steps after the end of a trial. None for a network without inputs.
    mask
        Weights of steps, as for `train`.
    loss
        The loss that the network was trained with, which says how a readout is read: a loss, or a
        dict of readout -> loss or (loss, weight).
    readout
        What a single loss looks at: a readout (default: the only one) or a spiking population.
    traces
        Whether to keep the U of all readouts: trials · steps · units numbers.
    batch
        Trials that are simulated at a time.
    threads
        Default: all processors.
    seed
        Seed of background, escape noise and initial states that are drawn. The random numbers of a
        trial follow from the seed and its place in the data.
    background, initial, currents
        As for `train`; values per trial are those of these trials.
    stateful
        True: trial k of a batch goes on from trial k of the batch before, as for `train`.
    perturbations
        A list of what is done to neurons and synapses in every trial (`biosnn.perturb`).

    Returns
    -------
    Predictions, probabilities, traces and rates.

    Raises
    ------
    ValueError
        If an argument is not what it should be; if a state of the network is not finite.

    See Also
    --------
    biosnn.evaluate : loss and score, with labels.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> _ = net.connect(net.input(2), net.readout(2), weights=np.eye(2))
    >>> data = bs.SpikeTrains.from_dense(np.eye(2)[:, None].repeat(9, axis=1), 1e-3)
    >>> found = bs.predict(net, data, traces=True)
    >>> found.predictions, found.traces["readout"].shape
    (array([0, 1]), (2, 9, 2))
    >>> found.probabilities.sum(axis=1).round(6)
    array([1., 1.])
    """
    if loss is None:
        raise ValueError("loss is None, so there is nothing to predict; see bs.run for traces.")
    presentation = make_presentation(network, batch, seed, threads, stateful=stateful)
    objective = make_objective(network, loss, readout)
    given = Given(spikes, background=background, initial=initial, currents=currents)
    data = load(network, (), given)
    shape = data.rows.size, data.steps, data.own_steps
    masks = [mask_of(term, objective.terms, mask, *shape) for term in objective.terms]
    change = perturbed(network, perturbations)
    return _predict(change, objective, presentation, data, masks, flag(traces, "traces"))


def _predict(change, objective, presentation, data, masks, traces):
    """Forward passes over all batches, put together."""
    network = change.network
    names = [f"{p.name}.U" for p in network.readouts] if traces else []
    watched = _Watched(objective.loss, objective.terms, names=tuple(names))
    evaluator = Evaluator(Parameters(network), watched, presentation, change)
    presentation.check_whole_batches(data.rows, data.own_steps)
    packed = evaluator.parameters.packed
    columns = state_layout(packed, watched.seen).columns
    found, counts = [], np.zeros(1)
    for rows, recording, spikes in evaluator.batches(data):
        each = [
            _of_term(term, term.seen(packed, recording, columns), mask, rows)
            for term, mask in zip(objective.terms, masks)
        ]
        kept = [recording.states[..., columns[name]].copy() for name in names]
        found.append((each, kept))
        counts = counts + spikes
    terms = range(len(objective.terms))
    predictions = [np.concatenate([each[k][0] for each, _ in found]) for k in terms]
    probabilities = [_joined([each[k][1] for each, _ in found]) for k in terms]
    return Predictions(
        objective.by_readout(predictions),
        objective.by_readout(probabilities),
        {
            name.removesuffix(".U"): np.concatenate([kept[k] for _, kept in found])
            for k, name in enumerate(names)
        },
        evaluator.rates(counts, data.n_steps * network.dt),
    )


def _of_term(term, seen, mask, rows):
    """Predictions and probabilities (None without) of the trials of a batch."""
    mask = None if mask is None else mask[rows]
    probabilities = getattr(term.loss, "probabilities", None)
    # a copy, since the next batch writes over what was seen
    return (
        np.array(term.loss.predict(seen, mask)),
        None if probabilities is None else probabilities(seen, mask),
    )


def _joined(parts):
    """Probabilities of all batches, or None."""
    return None if parts[0] is None else np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class _Watched(Objective):
    """Losses, and readouts whose traces are kept although no loss may look at them."""

    names: tuple[str, ...] = ()

    @property
    def seen(self) -> list[str]:
        """Names of the states that are recorded."""
        return list(dict.fromkeys([*super().seen, *self.names]))
