"""Loss and gradient of one batch: what `train` computes between two steps of the optimizer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.augmentation import augmented_events
from ..data.binning import bin_events
from ..data.spike_trains import SpikeTrains
from ..engine import chunks, standing
from ..engine.ahead import compile_gradients_beside
from ..engine.buffers import Wanted, Workspace
from ..engine.conditions import trial_keys
from ..engine.finite import check_batch
from ..engine.inputs import side_by_side
from ..engine.layouts import Layout, all_states, current_layout, stack, state_layout
from ..engine.own_ends import counts_within
from ..kernels import arrays
from ..network.escape import with_dropout
from ..support.ranks import ALONE, Ranks
from ..support.seeds import TrainingStream
from .dataset import DataSet
from .loss_terms import loss_gradient, select, total_weights, value_and_gradient
from .objective import Objective
from .parameters import Parameters
from .presentation import Presentation


@dataclass(frozen=True, eq=False)
class BatchGradient:
    """What one batch gives.

    Parameters
    ----------
    loss
        Mean over the batch.
    score, scored
        Sum of the scores, and number of trials with a score.
    regularizer
        All terms, of counts and of weights.
    gradient
        (n,) gradient of loss and regularizers with respect to the vector of parameters.
    weight_gradient
        Its part for all weights, without the regularizers of weights.
    fired
        (spiking neuron,) whether any trial had a spike.
    state
        Where the trials stand at the end, if the next batch goes on from there, or None.
    """

    loss: float
    score: float
    scored: float
    regularizer: float
    gradient: NDArray[Any]
    weight_gradient: NDArray[Any]
    fired: NDArray[np.bool_]
    state: Any


class GradientPass:
    """Forward pass, loss and adjoint of batches of a training, with its working memory.

    Parameters
    ----------
    parameters, objective, presentation
        What is learned, what is minimized, and how trials are presented.
    pool
        Trains that `Blend` takes partners from, or None.
    ranks
        The processes that share the trials of a batch.
    """

    def __init__(
        self,
        parameters: Parameters,
        objective: Objective,
        presentation: Presentation,
        pool: SpikeTrains | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.parameters = parameters
        self.objective = objective
        self.presentation = presentation
        self.pool = pool
        self.ranks = ranks
        self._spare: list[Workspace] = []
        compile_gradients_beside(parameters.network.dtype)

    def __call__(
        self, data: DataSet, rows: np.ndarray, epoch: int = 0, state: Any = None
    ) -> BatchGradient:
        """Return loss and gradient of some trials.

        Parameters
        ----------
        state
            Where the trials stood at the end of the batch before, if they go on from it; None: at
            the initial state.

        Raises
        ------
        NotFinite
            If a state of the network is not finite at the end.
        """
        options, packed = self.presentation, self.parameters.packed
        rows = rows if options.stateful else data.by_length(rows)
        batch = self._batch(data, rows, epoch)
        given = batch.given(state)
        if options.stateful and state is None:
            state = standing.at_rest(packed.layout, packed.wires, given.start, rows.size)
            given = given._replace(earlier=state)
        results, found, state = chunks.chunked_gradient(
            batch.packed,
            given,
            rows.size,
            data.steps,
            batch.wanted(state),
            options.threads,
            self._spare,
            options.differentiate_reset,
            self.ranks,
        )
        numbers, fired = zip(*results)
        loss, score, scored, terms = np.sum(numbers, axis=0)
        gradient = self.parameters.gradient(found)
        terms = terms + self.objective.weight_terms(packed, gradient)
        fired = np.any(fired, axis=0)
        return BatchGradient(loss, score, scored, terms, gradient, found.weight, fired, state)

    def _batch(self, data, rows, epoch):
        """The batch, with all that its chunks share."""
        options, packed = self.presentation, self.parameters.packed
        readout = state_layout(packed, self.objective.seen)
        key = options.key(TrainingStream.NOISE, epoch)
        network, terms = packed.network, self.objective.terms
        targets = data.targets_of(rows)
        return _Batch(
            owner=self,
            packed=with_dropout(packed, options.dropout),
            data=data,
            rows=rows,
            epoch=epoch,
            targets=targets,
            totals=total_weights(terms, network, targets, rows.size, data.steps),
            readout=readout,
            recorded=all_states(packed) if packed.needs_states else readout,
            seed=int(np.random.default_rng(key).integers(2**62)),
        )


@dataclass(frozen=True, eq=False)
class _Batch:
    """One batch, and what its chunks of trials first … last - 1 ask of it, on several threads."""

    owner: GradientPass
    packed: Any
    data: DataSet
    rows: np.ndarray
    epoch: int
    targets: tuple
    totals: list[float]
    readout: Layout
    recorded: Layout
    seed: int  # of background, escape noise, dropout and initial states in this epoch

    def given(self, state: Any) -> chunks.Batch:
        """Return what its chunks read; state: where its trials stand, or None."""
        packed, data, rows = self.packed, self.data, self.rows
        layout = current_layout(packed, data.currents)
        noisy = any(p.noise for p in packed.network.spiking)

        def currents(first, last):
            """Injected currents of some trials."""
            given = {name: array[rows[first:last]] for name, array in data.currents.items()}
            return stack(layout, given, last - first, data.steps, packed.network.dtype, "currents")

        return chunks.Batch(
            inputs=self.inputs,
            derive=self.derive,
            check=self.check,
            background=data.conditions.background.table,
            blocks=layout.blocks,
            currents=currents,
            key=trial_keys(self.seed, rows),
            trial=rows,
            start=data.conditions.start(self.seed, rows),
            earlier=state,
            random=noisy or bool(self.owner.presentation.dropout),
        )

    def wanted(self, state: Any) -> Wanted:
        """Return what a forward pass is to record."""
        packed, data = self.packed, self.data
        background = data.conditions.background
        flows = data.currents or background.table.n_currents
        biased = np.any(packed.tables.cells["biased"])
        wanted = Wanted(
            self.recorded.blocks,
            self.recorded.width,
            tape=True,
            end=True,
            currents=bool(flows or biased),
            n_ou=background.n_ou,
        )
        if packed.tables.shorts.size:
            wanted = wanted._replace(inputs=int(np.ptp(data.events.pointers, axis=1).max()))
        if state is None:
            return wanted
        keep = packed.layout.longest_delay
        before = [int(np.ptp(e.pointers, axis=1).max()) for e in (state.inputs, state.spikes)]
        return wanted._replace(
            before=keep, earlier=before[1], inputs=wanted.inputs + before[0] * bool(wanted.inputs)
        )

    def inputs(self, first: int, last: int) -> tuple[arrays.Events, np.ndarray]:
        """Return input events, augmented if asked, and the rows of these trials in them."""
        rows, options = self.rows[first:last], self.owner.presentation
        if not options.augment:
            return self.data.events, rows
        network, binned = self.packed.network, []
        key = options.key(TrainingStream.AUGMENTATION, self.epoch)  # alike in all inputs
        for train in self.data.trains:
            changed = augmented_events(train, options.augment, key, self.owner.pool, rows)
            ends = None if train.ends is None else train.ends[rows]
            binned.append(bin_events(changed, train.n_units, train.duration, network.dt, ends=ends))
        return side_by_side(binned, network.dtype), np.arange(rows.size)

    def derive(self, recording: Any, first: int, last: int) -> tuple[Any, arrays.LossGradient]:
        """Return what a chunk adds to the numbers of its batch, and the derivatives.

        That is (loss, sum of scores, scored trials, regularizers), and which neurons fired.
        """
        objective, packed = self.owner.objective, self.owner.parameters.packed
        found = value_and_gradient(
            objective.terms,
            packed,
            recording,
            self.recorded.columns,
            select(self.targets, slice(first, last)),
            self.totals,
        )
        own_steps = self.data.steps_of(self.rows[first:last])
        counts = counts_within(packed, recording, own_steps)
        share = (last - first) / self.rows.size
        terms, by_count = objective.count_terms(packed, counts, share)
        slopes = loss_gradient(
            packed,
            self.readout,
            found.by_state,
            found.by_spike,
            by_count,
            self.data.steps,
            self.owner.presentation.window,
            own_steps,
        )
        scored = np.sum(np.isfinite(found.scores))
        numbers = (found.value, np.nansum(found.scores), scored, terms)
        return (numbers, np.any(counts, axis=0)), slopes

    def check(self, packed: Any, drive: Any, recording: Any, first: int) -> None:
        """Raise NotFinite if a state is not finite at the end."""
        wanted = self.wanted(None)._replace(before=recording.spikes.before)
        check_batch(
            packed, drive, recording, self.data.steps, all_states, wanted, self.rows[first:]
        )
