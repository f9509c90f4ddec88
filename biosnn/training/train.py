"""Training: one plain loop over epochs and batches, which can be stopped and resumed at any batch."""

from dataclasses import dataclass, replace

import numpy as np

from ..data.augmentation import Blend, augmented_events, checked
from ..data.spike_trains import SpikeTrains, bin_events
from ..engine import chunks, trial_state
from ..engine.buffers import new_recording
from ..engine.finite import NotFinite, check_batch
from ..engine.gradient import window_steps
from ..engine.inputs import bin_inputs, input_trains, labels_of, side_by_side
from ..engine.layouts import NO_CURRENT, all_states, state_layout
from ..engine.parameter_gradients import parameter_gradients
from ..engine.trial_neurons import pack_model
from ..engine.trial_tables import check_differentiable, check_reset_is_differentiable, pack
from ..kernels import arrays
from ..network import dale
from ..network.escape import chance, checked_dropout, with_dropout
from ..network.network import Network
from ..support.checks import flag, instance, path, real, refuse, several, shown, whole
from ..support.code_cache import clock
from ..support.progress import ThrownAway, at_once, graceful_interrupt, progress_bar
from ..support.seeds import whole_seed
from ..support.tables import Table, number, printed
from ..support.threads import checked_threads
from . import checkpoint as standing
from .constraint import checked_constraints
from .loss import MaxOverTimeCrossEntropy
from .loss_terms import (
    joint_score,
    loss_gradient,
    make_heads,
    make_targets,
    mean_of_finite,
    select,
    total_weights,
    value_and_gradient,
)
from .optim import Adam, clip_norm
from .regularize import SpikeCount, WeightPenalty, checked_regularizers
from .schedules import Constant
from .silence import SilenceWatch

_SERIES = (
    "loss",
    "accuracy",
    "regularizer",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
    "seconds",
)


@dataclass(frozen=True, eq=False)
class History:
    """What happened in each epoch, arrays of equal length.

    loss, accuracy        means over the training batches of the epoch (as the weights changed)
    regularizer           mean of the regularizing terms
    validation_loss, validation_accuracy   after the epoch; NaN without validation
    learning_rate         at the end of the epoch
    seconds               wall time of the epoch, without compiling
    best_epoch            the epoch (0, 1, …) with the lowest validation loss (training loss without validation)
    interrupted           True if Ctrl-C ended the training: a script that trains in a loop leaves it then
    """

    loss: np.ndarray
    accuracy: np.ndarray
    regularizer: np.ndarray
    validation_loss: np.ndarray
    validation_accuracy: np.ndarray
    learning_rate: np.ndarray
    seconds: np.ndarray
    interrupted: bool = False

    @property
    def watched(self):
        """The loss that decides what is best: validation if there is one, else training (the regularizer if there is no loss)."""
        known = [
            series for series in (self.validation_loss, self.loss) if not np.all(np.isnan(series))
        ]
        return known[0] if known else self.regularizer

    @property
    def best_epoch(self):
        return (
            int(np.nanargmin(self.watched))
            if self.loss.size and not np.all(np.isnan(self.watched))
            else -1
        )

    def as_dict(self):
        """For JSON: lists, with None where a value is missing."""
        return {
            name: [None if np.isnan(v) else float(v) for v in getattr(self, name)]
            for name in _SERIES
        }

    def __str__(self):
        """A line for the first, the best and the last epoch."""
        epochs = sorted({0, max(self.best_epoch, 0), self.loss.size - 1}) if self.loss.size else []
        shown = [
            name
            for name in _SERIES[:5]
            if np.any(np.isfinite(getattr(self, name)))
            and (name != "regularizer" or np.any(self.regularizer))
        ]
        rows = [
            [
                f"{k + 1}{' (best)' * (k == self.best_epoch)}",
                *(number(getattr(self, name)[k]) for name in shown),
            ]
            for k in epochs
        ]
        n, took = self.loss.size, np.nansum(self.seconds)
        return printed(
            Table(
                f"{n} epoch{'s' * (n != 1)} in {took:.3g} s{', interrupted' * self.interrupted}",
                ("epoch", *(name.replace("_", " ") for name in shown)),
                rows,
            )
        ).rstrip()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Loss and accuracy on a data set, the prediction of each trial, and mean rates (Hz) by population."""

    loss: float
    accuracy: float
    predictions: np.ndarray
    rates: dict

    def __str__(self):
        return printed(
            Table(
                f"loss {number(self.loss) or '-'}, accuracy {number(self.accuracy) or '-'}",
                ("population", "rate (Hz)"),
                [(name, number(rate)) for name, rate in self.rates.items()],
            )
        ).rstrip()


def train(
    network,
    spikes,
    targets=None,
    mask=None,
    *,
    epochs,
    loss=MaxOverTimeCrossEntropy(),
    optimizer=Adam(2e-3),
    schedule=Constant(),
    regularizers=(),
    batch=250,
    validation=None,
    validation_targets=None,
    validation_mask=None,
    augment=(),
    dropout=0.0,
    clip=None,
    constraints=(),
    readout=None,
    early_stopping=None,
    seed=0,
    out=None,
    start="new",
    threads=None,
    differentiate_reset=False,
    truncate=None,
    stateful=False,
    progress=True,
):
    """Train the weights (and learned time constants and biases) of `network` in place. Returns a History.

    spikes, targets, mask   training data; targets default to the labels of the spike trains (see the losses)
    loss          of one readout; or a dict name -> loss or (loss, weight) for several, whose weighted sum counts: targets and mask
                  may then be dicts too. None: regularizers alone (`prime`)
    validation    SpikeTrains, or the share of the training data to keep for it, such as 0.1
    augment       augmentations (augmentation.py) that change every presentation of a training trial, in their order
    dropout       probability that a neuron is silent for a whole trial, of all populations or name -> probability; the synapses of the
                  others count 1 / (1 - probability) times as much. For inputs use augment=[Drop(…)]
    truncate      seconds: gradients flow back within windows of this length only (see `gradient`). For losses that look at every step: a
                  window may not reach from the readout's maximum back to the spikes
    stateful      True: trial k of a batch goes on from trial k of the batch before, with its states, refractory clocks and spikes on their
                  way, as one long recording that is cut into pieces: give the first pieces of `batch` recordings, then their second
                  pieces, and so on. Trials are not shuffled; every epoch (and validation) begins at the initial state. Gradients do not
                  flow back over the border
    clip          largest Euclidean norm of the gradient of a batch; a longer one is scaled to it
    constraints   WeightConstraints, applied after every optimizer step
    readout       name of the readout that the loss looks at; default: the only one. Or of a spiking population, whose spikes it then sees
    early_stopping  stop when the best epoch is that many epochs old, and go back to its weights
    seed          int or numpy Generator: order of the trials and split. Same seed, same bits, on any number of threads
    out           folder for checkpoints: last.npz after every epoch, best.npz after each that is the best so far; of one training at a time.
                  OSError, before the first epoch, where nothing can be written
    start         "new" (refuses a folder with a checkpoint), "resume" (goes on from last.npz, with the bits of an
                  uninterrupted run; starts anew where there is none) or "overwrite". Resumed with more epochs, a schedule that
                  counts shares of the training (Cosine, Step) goes on at the share of the new number
    Ctrl-C ends the training at once: the network holds the weights after the last whole batch, a checkpoint (`out`) goes on from
    there with the bits of an uninterrupted run, and the History of the whole epochs says `interrupted`
    (before the first batch, it is a KeyboardInterrupt). A script that trains in a loop
    leaves it with `if history.interrupted: break`. A second Ctrl-C within three seconds, in this training or the next, is a
    KeyboardInterrupt, so that two always end a script.
    A loss or gradient that is not finite is a ValueError that names the projection; the last good checkpoint stays.
    """
    instance(network, "network", Network, "a Network")
    session = _Session(
        network,
        loss,
        optimizer,
        schedule,
        regularizers,
        readout,
        seed,
        threads,
        differentiate_reset,
        checked(augment),
        checked_dropout(network, dropout),
        clip,
        window_steps(truncate, network.dt),
        constraints,
        stateful,
    )
    check_differentiable(network)
    if differentiate_reset:
        check_reset_is_differentiable(network)
    for name, part, example in (
        ("optimizer", optimizer, "Adam(5e-3)"),
        ("schedule", schedule, "Constant()"),
    ):
        if part is None:
            refuse(name, part, f"a description such as {example}")
    epochs, batch, progress = (
        whole(epochs, "epochs", 1),
        whole(batch, "batch", 1),
        flag(progress, "progress"),
    )
    early_stopping = (
        None
        if early_stopping is None
        else whole(early_stopping, "early_stopping", 1, why="a number of epochs")
    )
    session.load(spikes, targets, mask, validation, validation_targets, validation_mask, batch)
    if not session.heads and not session.regularizers:
        raise ValueError(
            f"loss is {shown(loss)} and there are no regularizers, so there is nothing to minimize."
        )
    folder = None if out is None else path(out, "out")
    with standing.reserved(folder, start):
        if folder is not None and start == "resume" and (folder / "last.npz").exists():
            standing.resume(session, folder / "last.npz")
        n_batches = session.n_batches
        with (
            graceful_interrupt() as interrupted,
            progress_bar(
                epochs * n_batches, "training", progress, session.epoch * n_batches + session.batch
            ) as advance,
        ):
            while session.epoch < epochs and not session.stale(early_stopping):
                session.run_epoch(epochs, interrupted, advance)
                if folder is not None:
                    # the best one first: killed in between, a resumed training writes it once more
                    if (
                        session.batch == 0
                        and session.epoch
                        and session.history().best_epoch == session.epoch - 1
                    ):
                        standing.save(session, folder / "best.npz")
                    standing.save(session, folder / "last.npz")
                if interrupted():
                    break
    if early_stopping is not None and not interrupted():
        session.restore_best()
    session.write_back()
    return session.history(bool(interrupted()))


def prime(network, spikes, *, epochs, regularizers, **options):
    """Bring activity into bounds before learning: `train` with loss=None, so with the regularizers alone. Returns a History.

    regularizers   such as [lower_bound(100, 1e-3, per="neuron"), upper_bound(0.1, 4)]
    options        of `train`: optimizer, batch, seed, …
    """
    regularizers = several(regularizers, "regularizers", "lower_bound(100, 1e-3)")
    if not regularizers:
        raise ValueError(
            "prime needs regularizers, such as lower_bound(100, 1e-3); without them there is nothing to minimize."
        )
    return train(network, spikes, epochs=epochs, loss=None, regularizers=regularizers, **options)


def evaluate(
    network,
    spikes,
    targets=None,
    mask=None,
    *,
    loss=MaxOverTimeCrossEntropy(),
    readout=None,
    batch=250,
    threads=None,
    seed=0,
    stateful=False,
):
    """Loss, accuracy, predictions and rates of `network` on a data set, without changing it.

    loss, targets, mask, readout, stateful as for `train`; with several losses, predictions are a dict by name. seed: of escape noise.
    """
    instance(network, "network", Network, "a Network")
    batch = whole(batch, "batch", 1)
    if loss is None:
        raise ValueError(
            "loss is None, so there is nothing to evaluate; rates alone are in bs.run(network, spikes).counts."
        )
    session = _Session(
        network, loss, None, None, (), readout, seed, threads, False, stateful=stateful
    )
    return session.evaluate(_Data(session, spikes, targets, mask), batch)


def _check_parts(optimizer, schedule):
    for name, part, methods, example in (
        ("optimizer", optimizer, ("start", "step"), "Adam(5e-3)"),
        ("schedule", schedule, ("factor",), "Cosine(0.02)"),
    ):
        if part is not None and (
            isinstance(part, type)
            or not all(callable(getattr(part, method, None)) for method in methods)
        ):
            refuse(name, part, f"a description such as {example}")


class _Data:
    """A data set as kernels read it: binned events; a target and mask for every head."""

    def __init__(self, session, spikes, targets, mask):
        network = session.network
        trains = input_trains(network, spikes)
        self.trains = trains
        self.events, self.steps = bin_inputs(network, spikes)
        n_trials = self.events.pointers.shape[0]
        if n_trials == 0:
            raise ValueError("the data set has no trials.")
        labels = labels_of(network, trains)
        self.given = make_targets(
            session.heads, network, labels, targets, mask, n_trials, self.steps
        )
        self.rows, self.digest = np.arange(n_trials), None
        self.ends = np.array(
            [
                np.searchsorted(row, row[0] + 0.99 * (row[-1] - row[0]))
                for row in self.events.pointers
            ]
        )

    def part(self, rows):
        other = object.__new__(_Data)
        vars(other).update(vars(self), rows=rows)
        return other

    def by_length(self, rows):
        """The same rows, those first whose input ends last: trials side by side then have adjoints for about as many steps."""
        return rows[np.argsort(-self.ends[rows], kind="stable")]

    def target(self, rows):
        return select(self.given, rows)


class _Session:
    """The state of a training: parameters in one vector, optimizer state, position, history so far."""

    def __init__(
        self,
        network,
        loss,
        optimizer,
        schedule,
        regularizers,
        readout,
        seed,
        threads,
        differentiate_reset,
        augment=(),
        dropout=None,
        clip=None,
        window=0,
        constraints=(),
        stateful=False,
    ):
        _check_parts(optimizer, schedule)
        self.constraints = checked_constraints(constraints, network)
        self.augment, self.network, self.loss, self.optimizer, self.schedule = (
            augment,
            network,
            loss,
            optimizer,
            schedule,
        )
        self.heads, self.dropout = make_heads(network, loss, readout), dropout or {}
        self.clip = (
            None
            if clip is None
            else real(clip, "clip", above=0, why="the largest norm of a gradient")
        )
        self.window, self.stateful, self.past = (
            window,
            flag(stateful, "stateful"),
            None,
        )  # past: what the next batch goes on from
        self.seen = [f"{head.name}.U" for head in self.heads if not head.spikes]
        self.regularizers = checked_regularizers(regularizers, network)
        self.seed = whole_seed(seed)
        self.threads = checked_threads(threads)
        self.differentiate_reset = flag(differentiate_reset, "differentiate_reset")
        self.take_parameters()
        self.silence = SilenceWatch(network, [head.loss for head in self.heads])
        self.learns = any(p.learn for p in network.populations)  # whose gradients need all states
        self.state = optimizer.start(self.parameters.size, network.dtype) if optimizer else {}
        self.epoch = self.batch = 0
        self.series = {name: [] for name in _SERIES}
        self.sums, self.best, self._known, self._pool, self._spare = (
            np.zeros(5),
            None,
            None,
            None,
            [],
        )

    def take_parameters(self):
        """Weights and learned time constants as the network has them now."""
        network, packed = self.network, pack(self.network)
        self.taus = list(network.parameters)
        tail = [np.ravel(network.parameters[key]).astype(network.dtype) for key in self.taus]
        self.parameters = arrays.aligned_copy(np.concatenate([packed.weight, *tail]))
        self.packed = replace(packed, weight=self.parameters[: packed.weight.size])
        self.frozen = [
            (place, packed.weight[place].copy())
            for place in packed.slices(p for p in network.projections if p.frozen)
        ]

    # ----------------------------------------------------------------------------------------- data

    def load(self, spikes, targets, mask, validation, validation_targets, validation_mask, batch):
        self.data, self.validation, self.batch_size = (
            _Data(self, spikes, targets, mask),
            None,
            batch,
        )
        if validation is not None and not self.heads:
            raise ValueError(
                "there is no loss, so there is nothing to validate; leave validation out."
            )
        share = not (validation is None or isinstance(validation, (SpikeTrains, dict)))
        if (share or validation is None) and not (
            validation_targets is None and validation_mask is None
        ):
            raise ValueError(
                "validation_targets and validation_mask are those of validation=SpikeTrains; a share of the training data has its own."
            )
        if share:
            validation = real(
                validation,
                "validation",
                above=0,
                below=1,
                why="as a number it is the share of the data to keep; else SpikeTrains",
            )
            if self.stateful:
                raise ValueError(
                    f"validation is {validation!r}, a share of trials at random, but with stateful=True trials go on from each "
                    "other: give SpikeTrains of their own."
                )
            order = np.random.default_rng([self.seed, 1]).permutation(self.data.rows.size)
            n = max(1, int(round(validation * order.size)))
            if n == order.size:
                raise ValueError(
                    f"a validation share of {validation} leaves nothing of {order.size} trials to train on."
                )
            self.validation, self.data = (
                self.data.part(np.sort(order[:n])),
                self.data.part(np.sort(order[n:])),
            )
        elif validation is not None:
            self.validation = _Data(self, validation, validation_targets, validation_mask)
            if self.validation.steps != self.data.steps:
                raise ValueError(
                    f"validation trials have {self.validation.steps} steps, training trials {self.data.steps}; "
                    "they must have the same duration."
                )

        self.check_whole_batches(self.data, batch)
        if self.validation:
            self.check_whole_batches(self.validation, batch)
        if any(isinstance(each, Blend) for each in self.augment):
            if len(self.data.trains) != 1:
                raise ValueError(
                    f"Blend mixes the trials of one input; the network has {len(self.data.trains)}."
                )
            self._pool = self.data.trains[0][
                self.data.rows
            ]  # training trials alone, none of the validation

    def check_whole_batches(self, data, batch):
        if self.stateful and data.rows.size % batch:
            raise ValueError(
                f"{data.rows.size} trials are no whole number of batches of {batch}: with stateful=True trial k of a batch goes on "
                "from trial k of the batch before, so batch must divide the number of trials."
            )

    @property
    def n_batches(self):
        return -(-self.data.rows.size // self.batch_size)

    def _forward(self, data, rows, before=None):
        """A forward pass without what gradients need, and where it ends if stateful; the arrays are kept for the next one."""
        noise = chance(self.packed.order, self.network.dt, [self.seed, 4], rows)
        drive = arrays.Drive(
            data.events,
            rows,
            NO_CURRENT,
            np.empty((rows.size, 0, 0), self.network.dtype),
            noise,
            before,
        )
        layout, known = state_layout(self.packed, self.seen), self._known
        if (
            known is None
            or known.counts.shape[0] != rows.size
            or known.states.shape[1] != data.steps
        ):
            self._known = known = new_recording(
                self.packed, rows.size, data.steps, layout.blocks, layout.width, end=True
            )
        chunks.forward(self.packed, drive, known, data.steps, self.threads)
        check_batch(self.packed, drive, known, data.steps, all_states)
        return known, trial_state.after(
            self.packed, drive, known, data.steps
        ) if self.stateful else None

    # ------------------------------------------------------------------------------------- one step

    def gradient(self, data, rows):
        """Loss, sum of scores and of how many trials, regularizers, and the gradient of a batch by the parameter vector."""
        rows = rows if self.stateful else data.by_length(rows)
        given, packed = data.target(rows), with_dropout(self.packed, self.dropout)
        readout = state_layout(self.packed, self.seen)
        recorded = all_states(self.packed) if self.packed.needs_states else readout
        totals = total_weights(self.heads, self.network, given, rows.size, data.steps)
        noise = chance(
            self.packed.order, self.network.dt, [self.seed, 3, self.epoch], rows, self.dropout
        )
        fired = np.zeros(packed.n_spiking, bool)  # threads write True alone

        def derive(recording, first, last):
            value, scores, by_state, by_spike = value_and_gradient(
                self.heads,
                self.packed,
                recording,
                recorded.columns,
                select(given, slice(first, last)),
                totals,
            )
            fired[np.any(recording.counts, axis=0)] = True
            terms, grad_counts = self._count_terms(recording.counts, (last - first) / rows.size)
            slopes = loss_gradient(
                self.packed, readout, by_state, by_spike, grad_counts, data.steps, self.window
            )
            return (value, np.nansum(scores), np.sum(np.isfinite(scores)), terms), slopes

        def inputs(first, last):
            part = rows[first:last]
            return self._augmented(data, part) if self.augment else (data.events, part)

        if self.stateful and self.past is None:
            self.past = trial_state.at_rest(packed, rows.size)

        def check(packed, drive, recording, first):
            check_batch(packed, drive, recording, data.steps, all_states, rows[first:])

        try:
            results, gradient, self.past = chunks.chunked_gradient(
                packed,
                inputs,
                rows.size,
                data.steps,
                recorded.blocks,
                recorded.width,
                derive,
                check,
                self.threads,
                self._spare,
                self.differentiate_reset,
                self.learns,
                noise,
                self.past,
            )
        except NotFinite as error:
            self._stop(str(error))
        value, score, scored, terms = np.sum(results, axis=0)
        self.silence.see(packed, fired, gradient.weight)
        by_tau = parameter_gradients(self.packed, gradient) if self.taus else {}
        flat = np.concatenate(
            [
                gradient.weight,
                *[np.ravel(by_tau[key]).astype(self.network.dtype) for key in self.taus],
            ]
        )
        return value, score, scored, terms + self._weight_terms(flat), flat

    def _augmented(self, data, rows):
        """Events of some trials, changed for the presentation in this epoch (alike in all inputs)."""
        binned = []
        for train in data.trains:
            changed = augmented_events(
                train, self.augment, [self.seed, 2, self.epoch], self._pool, rows
            )
            binned.append(bin_events(changed, train.n_units, train.duration, self.network.dt))
        return side_by_side(binned, self.network.dtype), np.arange(rows.size)

    def _count_terms(self, counts, share):
        """Regularizers of a part of a batch with that share of its trials, and their derivatives by each count."""
        total, gradient = 0.0, np.zeros_like(counts)
        for term in self.regularizers:
            for population in self.network.spiking:
                if isinstance(term, SpikeCount) and term.applies_to(population.name):
                    columns = self.packed.neurons(population.name)
                    value, slope = term.value_and_gradient(counts[:, columns])
                    total += share * value
                    gradient[:, columns] += share * slope
        return total, gradient

    def _weight_terms(self, gradient):
        total = 0.0
        for term in self.regularizers:
            for name in self.packed.places:
                if (
                    isinstance(term, WeightPenalty)
                    and term.applies_to(name)
                    and not self.network.projection(name).frozen
                ):
                    value, slope = term.value_and_gradient(self.packed.weight_matrix(name))
                    total += value
                    self.packed.weight_matrix(name, gradient)[...] += slope
        return total

    def _update(self, gradient, rate):
        before = self.parameters.copy()
        self.optimizer.step(self.parameters, gradient, self.state, rate)
        if not np.all(np.isfinite(self.parameters)):
            self.parameters[:] = before
            self._stop(
                f"what {self.optimizer!r} makes of the weights at the learning rate {rate:g} is not finite."
            )
        dale.project(self.parameters, self.packed.non_negative)
        for constraint in self.constraints:
            for name in self.packed.places:
                if constraint.applies_to(name):
                    constraint.apply(
                        self.packed.weight_matrix(name), self.network.synapses.get(name)
                    )
        for place, weights in self.frozen:  # weight decay and constraints leave them alone, too
            self.parameters[place] = weights
        if self.taus:
            self._hold_taus()
            self._write_taus()
            self.packed = replace(self.packed, model=pack_model(self.network))

    def _check_finite(self, value, gradient):
        if np.isfinite(value) and np.all(np.isfinite(gradient)):
            return
        wrong = [
            name
            for name in self.packed.places
            if not np.all(np.isfinite(self.packed.weight_matrix(name, gradient)))
        ]
        self._stop(
            (
                f"the gradient of projection {', '.join(map(repr, wrong))}"
                if wrong
                else "the loss or a time-constant gradient"
            )
            + f" (loss {value}) is not finite."
        )

    def _stop(self, what):
        self.write_back()
        raise ValueError(
            f"epoch {self.epoch}, batch {self.batch}: {what} Training stopped; the network holds the last "
            "finite weights and the last checkpoint stays. A smaller learning rate, or weights and inputs of smaller "
            "scale, usually help."
        )

    # ------------------------------------------------------------------------------------ one epoch

    def run_epoch(self, epochs, interrupted, advance):
        """The rest of an epoch, or what there is of it before Ctrl-C."""
        begin, order = clock(), self.data.rows
        if not self.stateful:
            order = np.random.default_rng([self.seed, 0, self.epoch]).permutation(order)
        if self.batch == 0:
            self.sums[:], self.past = 0, None
            self.silence.begin()
        for start in range(self.batch * self.batch_size, order.size, self.batch_size):
            rows = order[start : start + self.batch_size]
            found = self._unless_interrupted(lambda: self.gradient(self.data, rows))
            if found is None:
                return
            value, score, scored, terms, gradient = found
            self._check_finite(value + terms, gradient)
            clip_norm(gradient, self.clip)
            self._update(gradient, self._rate(epochs, self.batch))
            self.sums += [rows.size * value, score, rows.size * terms, rows.size, scored]
            self.batch += 1
            advance(1, self._note(epochs))
            if interrupted() and self.batch < self.n_batches:
                return
        check = None
        if self.validation:
            check = self._unless_interrupted(
                lambda: self.evaluate(self.validation, self.batch_size)
            )
            if check is None:  # the checkpoint goes on with the validation
                return
        self._close_epoch(begin, check, self._rate(epochs, self.n_batches - 1))

    def _unless_interrupted(self, work):
        """work(), or None if the first Ctrl-C came before its end: it has left no trace then."""
        before = self.past
        try:
            with at_once():
                return work()
        except ThrownAway:
            self.past = before

    def _rate(self, epochs, batch):
        """The learning rate of a batch of this epoch."""
        progress = (self.epoch + batch / self.n_batches) / epochs
        return self.optimizer.learning_rate * self.schedule.factor(progress, self.history().watched)

    def _close_epoch(self, begin, check, rate):
        self.silence.warn(self.epoch)
        loss, accuracy, terms = self._means()
        values = (
            loss,
            accuracy,
            terms,
            check.loss if check else np.nan,
            check.accuracy if check else np.nan,
            rate,
            clock() - begin,
        )
        for name, value in zip(_SERIES, values):
            self.series[name].append(float(value))
        self.epoch, self.batch = self.epoch + 1, 0
        if self.history().best_epoch == self.epoch - 1:
            self.best = self.parameters.copy()

    def _means(self):
        """Loss, score and regularizers of the epoch so far."""
        value, score, terms, trials, scored = self.sums
        return (
            (value / trials if self.heads else np.nan),
            (score / scored if scored else np.nan),
            terms / trials,
        )

    def _note(self, epochs):
        loss, accuracy, terms = self._means()
        if not self.heads:
            return f"epoch {self.epoch + 1}/{epochs}  regularizer {terms:.4g}"
        what = (
            f"accuracy {accuracy:.3f}"
            if any(h.loss.classifies for h in self.heads)
            else f"error {-accuracy:.4g}"
        )
        check = self.series["validation_accuracy"][-1:] if self.validation else []
        return f"epoch {self.epoch + 1}/{epochs}  loss {loss:.4g}  {what}" + "".join(
            f"  validation {v:.3f}" for v in check
        )

    def stale(self, patience):
        history = self.history()
        return patience is not None and self.epoch - 1 - history.best_epoch >= patience

    def evaluate(self, data, batch):
        if not isinstance(data, _Data):
            raise TypeError("evaluate needs prepared data")
        values, scores, predictions, counts, columns, before = (
            [],
            [],
            [],
            0,
            state_layout(self.packed, self.seen).columns,
            None,
        )
        self.check_whole_batches(data, batch)
        totals = total_weights(
            self.heads, self.network, data.target(data.rows), data.rows.size, data.steps
        )
        for start in range(0, data.rows.size, batch):
            rows = data.rows[start : start + batch]
            recording, before = self._forward(data, rows, before)
            seen = [
                (head, head.seen(self.packed, recording, columns), *pair)
                for head, pair in zip(self.heads, data.target(rows))
            ]
            found = [h.assess(*each, total) for (h, *each), total in zip(seen, totals)]
            values.append(sum(h.weight * value for h, (value, _, _) in zip(self.heads, found)))
            scores.append(joint_score(self.heads, [score for _, _, score in found]))
            predictions.append(
                [np.array(h.loss.predict(each[0], each[2])) for h, *each in seen]
            )  # `seen` is written anew by the next batch
            counts = counts + recording.counts.sum(axis=0, dtype=np.float64)
        seconds = data.rows.size * data.steps * self.network.dt
        rates = {
            p.name: float(counts[self.packed.neurons(p.name)].mean() / seconds)
            for p in self.network.firing
        }
        predictions = {
            head.name: np.concatenate(parts) for head, parts in zip(self.heads, zip(*predictions))
        }
        return Evaluation(
            float(sum(values)),
            mean_of_finite(np.concatenate(scores)),
            predictions if isinstance(self.loss, dict) else next(iter(predictions.values())),
            rates,
        )

    # ---------------------------------------------------------------------------------------- state

    def history(self, interrupted=False):
        return History(
            **{name: np.array(values) for name, values in self.series.items()},
            interrupted=interrupted,
        )

    def _hold_taus(self):
        """No learned time constant falls below dt, which steps could not resolve: 2 tau_0 sigmoid(p) >= dt (1 + 1e-5)."""
        at, dt = self.packed.weight.size, self.network.dt * (1 + 1e-5)
        for population, name in self.taus:
            size, tau = (
                self.network.parameters[population, name].size,
                self.network[population].neuron.time_constants.get(name),
            )
            if tau is not None:
                p = self.parameters[at : at + size]
                least = np.log(dt / np.maximum(2 * np.asarray(tau, float) - dt, 1e-3 * dt))
                np.maximum(p, least if size > 1 else np.max(least), out=p, casting="same_kind")
            at += size

    def _write_taus(self):
        at = self.packed.weight.size
        for key in self.taus:
            shape = self.network.parameters[key].shape
            size = int(np.prod(shape))
            self.network.parameters[key] = (
                self.parameters[at : at + size].astype(np.float64).reshape(shape)
            )
            at += size

    def write_back(self):
        """Put the parameters into the network."""
        for projection in self.network.projections:
            self.network.set_weights(projection.name, self.packed.weight_matrix(projection.name))
        self._write_taus()

    def restore_best(self):
        if self.best is not None:
            self.parameters[:] = self.best
