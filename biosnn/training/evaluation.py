"""`evaluate`: loss, score, predictions and rates of a network on a data set."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.spike_trains import SpikeTrains
from ..engine import chunks
from ..engine.background_tables import Source
from ..engine.buffers import Wanted, new_recording
from ..engine.conditions import trial_keys
from ..engine.layouts import state_layout
from ..engine.own_ends import counts_within
from ..engine.perturbed import Perturbed, Schedule, perturbed, silenced
from ..engine.perturbed_trials import forward_perturbed, holding, injected
from ..kernels import arrays
from ..network.network import Network
from ..network.perturb_neurons import Perturbation
from ..support.checks import shown
from ..support.ranks import ALONE, Ranks
from ..support.seeds import TrainingStream
from ..support.show import About, Shows
from ..support.tables import Table, number
from .cross_entropy import MaxOverTimeCrossEntropy
from .dataset import DataSet, Given, load
from .history import of_classification
from .loss_terms import joint_score, mean_of_finite, total_weights
from .objective import Objective, make_objective
from .parameters import Parameters
from .presentation import Presentation, make_presentation
from .protocols import Loss


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Shows):
    """How well a network does on a data set.

    Parameters
    ----------
    loss
        Mean over the trials; with several losses their weighted sum.
    score
        Mean over the trials: the accuracy, or a negative error (see `score_name`).
    predictions
        Predictions for every trial; with several losses a dict by readout.
    rates
        Population -> mean rate in hertz.
    score_name
        What the score is, such as "accuracy" or "negative squared error". Larger is better.
    labels
        The class of every trial where a loss classifies, else None; with several losses a dict by
        readout, like `predictions`.

    Examples
    --------
    >>> Evaluation(0.25, 0.9, np.zeros(10, int), {"E": 5.0, "I": 12.5})
    Evaluation
      loss      0.25
      accuracy  0.9
    <BLANKLINE>
    population  rate (Hz)
    ─────────────────────
    E                   5
    I                12.5
    """

    loss: float
    score: float
    predictions: Any
    rates: dict[str, float]
    score_name: str = "accuracy"
    labels: Any = None

    @property
    def accuracy(self) -> float:
        """The score if a loss classifies; AttributeError if the score is something else."""
        return of_classification(self, self.score, "score")

    def confusion(self, readout: str | None = None) -> NDArray[np.int64]:
        """Return the confusion matrix: trials of each class (row) by predicted class (column).

        Parameters
        ----------
        readout
            Whose classes; needed with several losses only.

        Returns
        -------
        (classes, classes) numbers of trials. Classes are 0 … the largest that occurs.

        Raises
        ------
        ValueError
            If the loss does not classify, or there is no such readout.

        Examples
        --------
        >>> predictions, labels = np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1])
        >>> found = Evaluation(0.25, 0.75, predictions, {}, labels=labels)
        >>> found.confusion()
        array([[1, 1],
               [0, 2]])
        >>> found.class_accuracy()
        array([0.5, 1. ])
        """
        labels, predictions = self._classes_of(readout)
        n = 1 + max(labels.max(initial=-1), predictions.max(initial=-1))
        return np.bincount(n * labels + predictions, minlength=n * n).reshape(n, n)

    def class_accuracy(self, readout: str | None = None) -> NDArray[np.float64]:
        """Return the share of right predictions among the trials of each class.

        Parameters
        ----------
        readout
            As for `confusion`.

        Returns
        -------
        (classes,) accuracies; NaN for a class without trials.

        See Also
        --------
        Evaluation.confusion : has an example.
        """
        matrix = self.confusion(readout)
        with np.errstate(invalid="ignore"):
            return np.diag(matrix) / matrix.sum(axis=1)

    def _classes_of(self, readout):
        """Labels and predictions of the only loss, or of that of a readout."""
        labels, predictions = self.labels, self.predictions
        if isinstance(predictions, dict):
            known = [name for name, each in labels.items() if each is not None]
            if readout not in known:
                raise ValueError(
                    f"readout is {shown(readout)}; losses that classify look at "
                    f"{', '.join(map(repr, known)) or 'none'}."
                )
            labels, predictions = labels[readout], predictions[readout]
        elif readout is not None:
            raise ValueError(f"readout is {shown(readout)}, but there is one loss: leave it out.")
        if labels is None:
            raise ValueError("no loss classifies, so there are no classes to compare.")
        return np.asarray(labels), np.asarray(predictions)

    def _about(self) -> About:
        """Loss, score and rates."""
        rows = [("loss", number(self.loss) or "-"), (self.score_name, number(self.score) or "-")]
        rates = [(name, number(rate)) for name, rate in self.rates.items()]
        return About("Evaluation", rows, Table("", ("population", "rate (Hz)"), rates))


def evaluate(
    network: Network,
    spikes: SpikeTrains | dict[str, SpikeTrains] | None,
    targets: Any = None,
    mask: Any = None,
    *,
    loss: Loss | dict[str, Any] = MaxOverTimeCrossEntropy(),
    readout: str | None = None,
    batch: int = 250,
    threads: int | None = None,
    seed: int | np.random.Generator = 0,
    background: Sequence[Source] = (),
    initial: Mapping[str, Any] | None = None,
    currents: Mapping[str, ArrayLike] | None = None,
    stateful: bool = False,
    perturbations: Sequence[Perturbation] = (),
) -> Evaluation:
    """Evaluate a network on a data set, without changing it.

    Parameters
    ----------
    network
        A network with weights.
    spikes
        Spike trains of the input, or a dict of input -> spike trains. Steps after the end of a
        trial count neither for the loss nor for scores, predictions and rates. None for a network
        without inputs.
    targets, mask
        What the losses compare with, as for `train`; by default the labels of the spike trains.
    loss
        A loss, or a dict of readout -> loss or (loss, weight).
    readout
        What a single loss looks at: a readout (default: the only one) or a spiking population.
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
        A list of what is done to neurons and synapses in every trial, such as
        [perturb.Lesion("E", fraction=0.2)] (`biosnn.perturb`).

    Returns
    -------
    Loss, score, predictions and rates.

    Raises
    ------
    ValueError
        If an argument is not what it should be; if a state of the network is not finite.

    See Also
    --------
    biosnn.predict : predictions without labels.
    biosnn.run : all that a network does in a batch of trials.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> _ = net.connect(net.input(2), net.readout(2), weights=np.eye(2))
    >>> data = bs.SpikeTrains.from_dense(
    ...     np.eye(2)[:, None].repeat(9, axis=1), 1e-3, labels=[0, 1]
    ... )
    >>> bs.evaluate(net, data).accuracy
    1.0
    """
    if loss is None:
        raise ValueError(
            "loss is None, so there is nothing to evaluate; rates alone are in "
            "bs.predict(network, spikes).rates."
        )
    presentation = make_presentation(network, batch, seed, threads, stateful=stateful)
    objective = make_objective(network, loss, readout)
    given = Given(spikes, targets, mask, background, initial, currents)
    data = load(network, objective.terms, given)
    change = perturbed(network, perturbations)
    return Evaluator(Parameters(change.network), objective, presentation, change)(data)


class Evaluator:
    """Forward passes over data sets, with their working memory."""

    def __init__(
        self,
        parameters: Parameters,
        objective: Objective,
        presentation: Presentation,
        change: Perturbed | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.parameters = parameters
        self.objective = objective
        self.presentation = presentation
        self.change = change
        self.ranks = ranks
        self._recording: Any = None

    def __call__(self, data: DataSet) -> Evaluation:
        """Return what the network does on the trials of `data`."""
        terms, packed = self.objective.terms, self.parameters.packed
        network = packed.network
        self.presentation.check_whole_batches(data.rows, data.own_steps)
        targets = data.targets_of(data.rows)
        totals = total_weights(terms, network, targets, data.rows.size, data.steps)
        shares = self.ranks.exchange(
            [
                (self._assess(data, rows, recording, totals), spikes)
                for rows, recording, spikes in self.batches(data, self._own(data))
            ]
        )
        found, spikes = zip(*(each for share in shares for each in share))
        counts = np.sum(spikes, axis=0)
        predictions = [np.concatenate([each[2][k] for each in found]) for k in range(len(terms))]
        labels = [t.values if term.loss.classifies else None for term, t in zip(terms, targets)]
        return Evaluation(
            float(sum(value for value, *_ in found)),
            mean_of_finite(np.concatenate([score for _, score, _ in found])),
            self.objective.by_readout(predictions),
            self.rates(counts, data.n_steps * network.dt),
            self.objective.score_name,
            self.objective.by_readout(labels),
        )

    def _own(self, data):
        """The batches that this process simulates, of those that do not go on from each other."""
        n, ranks = self.presentation.batches(data.rows), self.ranks
        if self.presentation.stateful:
            return range(n if ranks.is_first else 0)
        return range(ranks.rank * n // ranks.size, (ranks.rank + 1) * n // ranks.size)

    def batches(
        self, data: DataSet, own: range | None = None
    ) -> Iterator[tuple[NDArray[np.int64], Any, NDArray[np.float64]]]:
        """Yield the trials of each batch, their recording, and how often each neuron spiked.

        The next batch overwrites the recording.

        Parameters
        ----------
        data
            The trials.
        own
            Numbers of the batches; default: all.
        """
        size, state = self.presentation.batch_size, None
        schedule = Schedule(data.steps) if self.change is None else self.change.schedule(data.steps)
        packed = self.parameters.packed
        data = replace(data, events=silenced(packed.network, data.events, schedule.inputs))
        for k in range(self.presentation.batches(data.rows)) if own is None else own:
            rows = data.rows[k * size : (k + 1) * size]
            recording, state = self._forward(data, rows, state, schedule)
            within = counts_within(packed, recording, data.steps_of(rows))
            yield rows, recording, within.sum(axis=0, dtype=np.float64)

    def _assess(self, data, rows, recording, totals):
        """Share of the loss, joint score and predictions of one batch."""
        terms, packed = self.objective.terms, self.parameters.packed
        columns = state_layout(packed, self.objective.seen).columns
        value, scores, predictions = 0, [], []
        for term, target, total in zip(terms, data.targets_of(rows), totals):
            seen = term.seen(packed, recording, columns)
            part, _, score = term.assess(seen, target, total)
            value += term.weight * part
            scores.append(score)
            # a copy, since the next batch writes over what was seen
            predictions.append(np.array(term.loss.predict(seen, target.mask)))
        return value, joint_score(terms, scores), predictions

    def rates(self, counts: NDArray[Any], seconds: float) -> dict[str, float]:
        """Return mean rates in hertz from the spikes of every neuron in that many seconds."""
        packed = self.parameters.packed
        return {
            p.name: float(counts[packed.neurons(p.name)].mean() / seconds)
            for p in packed.network.firing
        }

    def _forward(self, data, rows, state, schedule):
        """A forward pass without what gradients need, and where its trials stand if stateful."""
        packed, options = holding(self.parameters.packed, schedule), self.presentation
        conditions, key = data.conditions, options.key(TrainingStream.EVALUATION)
        seed = int(np.random.default_rng(key).integers(2**62))
        given = {name: array[rows] for name, array in data.currents.items()}
        layout, current = injected(packed, given, schedule.pulses, rows.size, data.steps)
        drive = arrays.Drive(
            inputs=data.events,
            rows=rows,
            blocks=layout.blocks,
            current=current,
            background=conditions.background.table,
            key=trial_keys(seed, rows),
            trial=rows,
            start=conditions.start(seed, rows),
            first_step=0,
            random=any(p.noise for p in packed.network.spiking),
        )
        wanted = self._wanted(packed, drive, conditions)
        recording = self._room(rows.size, data.steps, wanted)
        ran = forward_perturbed(packed, drive, state, wanted, schedule, options.threads, recording)
        return ran.recording, ran.end() if options.stateful else None

    def _wanted(self, packed, drive, conditions):
        """What to record."""
        layout = state_layout(packed, self.objective.seen)
        return Wanted(
            layout.blocks,
            layout.width,
            end=True,
            currents=chunks.has_currents(packed, drive),
            n_ou=conditions.background.n_ou,
        )

    def _room(self, n_trials, steps, wanted):
        """A recording for that many trials: the one of the last batch, if it has the same shape."""
        known, packed = self._recording, self.parameters.packed
        fits = known is not None and known.counts.shape[0] == n_trials
        if packed.tables.shorts.size:
            return None
        if not fits or known.states.shape[1] != steps:
            known = new_recording(packed, n_trials, steps, wanted)
            self._recording = known
        return known
