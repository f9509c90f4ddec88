"""Training: one plain loop over epochs and batches, which can be stopped and resumed at any batch."""
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from . import arrays, checkpoint, dale, passes
from .augmentation import augmented_events, checked
from .events import bin_events
from .loss import MaxOverTimeCrossEntropy
from .optim import Adam, Constant
from .pack import check_differentiable, pack, pack_model
from .progress import graceful_interrupt, progress_bar
from .regularize import SpikeCount, WeightPenalty
from .trials import NO_CURRENT, all_states, bin_inputs, input_trains, side_by_side, state_layout, tau_gradients

_SERIES = ("loss", "accuracy", "regularizer", "validation_loss", "validation_accuracy", "learning_rate", "seconds")


@dataclass(frozen=True, eq=False)
class History:
    """What happened in each epoch, arrays of equal length.

    loss, accuracy        means over the training batches of the epoch (as the weights changed)
    regularizer           mean of the regularizing terms
    validation_loss, validation_accuracy   after the epoch; NaN without validation
    learning_rate         at the end of the epoch
    seconds               wall time of the epoch
    best_epoch            the epoch (0, 1, …) with the lowest validation loss (training loss without validation)
    interrupted           True if Ctrl-C ended the training
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
        """The loss that decides what is best: validation if there is one, else training."""
        return self.loss if np.all(np.isnan(self.validation_loss)) else self.validation_loss

    @property
    def best_epoch(self):
        return int(np.argmin(self.watched)) if self.loss.size else -1

    def as_dict(self):
        """For JSON: lists, with None where a value is missing."""
        return {name: [None if np.isnan(v) else float(v) for v in getattr(self, name)] for name in _SERIES}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Loss and accuracy on a data set, the prediction of each trial, and mean rates (Hz) by population."""
    loss: float
    accuracy: float
    predictions: np.ndarray
    rates: dict


def train(network, spikes, targets=None, mask=None, *, epochs, loss=MaxOverTimeCrossEntropy(), optimizer=Adam(2e-3),
          schedule=Constant(), regularizers=(), batch=250, validation=None, validation_targets=None, validation_mask=None,
          augment=(), readout=None, early_stopping=None, seed=0, out=None, start="new", threads=None, differentiate_reset=False,
          progress=True):
    """Train the weights (and learned time constants) of `network` in place. Returns a History.

    spikes, targets, mask   training data; targets default to the labels of the spike trains (see the losses)
    validation    SpikeTrains, or the share of the training data to keep for it, such as 0.1
    augment       augmentations (augmentation.py) that change every presentation of a training trial, in their order
    readout       name of the readout that the loss looks at; default: the only one
    early_stopping  stop when the best epoch is that many epochs old, and go back to its weights
    seed          int or numpy Generator: order of the trials and split. Same seed, same bits, on any number of threads
    out           folder for checkpoints: last.npz after every epoch, best.npz after each that is the best so far
    start         "new" (refuses a folder with a checkpoint), "resume" (goes on from last.npz, with the bits of an
                  uninterrupted run; starts anew where there is none) or "overwrite"
    Ctrl-C ends the training after the running batch, with a checkpoint to resume from; a second one ends it at once.
    A loss or gradient that is not finite is a ValueError that names the projection; the last good checkpoint stays.
    """
    session = _Session(network, loss, optimizer, schedule, tuple(regularizers), readout, seed, threads, differentiate_reset,
                       checked(augment))
    check_differentiable(network)
    session.load(spikes, targets, mask, validation, validation_targets, validation_mask, batch)
    _check_counts(epochs, batch, early_stopping)
    folder = None if out is None else Path(out)
    _prepare_folder(folder, start)
    if folder is not None and start == "resume" and (folder / "last.npz").exists():
        session.resume(folder / "last.npz")
    n_batches = session.n_batches
    with graceful_interrupt() as interrupted, progress_bar(epochs * n_batches, "training", progress,
                                                           session.epoch * n_batches + session.batch) as advance:
        while session.epoch < epochs and not session.stale(early_stopping):
            session.run_epoch(epochs, interrupted, advance)
            if folder is not None:
                session.save(folder / "last.npz")
                if session.batch == 0 and session.history().best_epoch == session.epoch - 1:
                    session.save(folder / "best.npz")
            if interrupted():
                break
    if early_stopping is not None and not interrupted():
        session.restore_best()
    session.write_back()
    return session.history(bool(interrupted()))


def evaluate(network, spikes, targets=None, mask=None, *, loss=MaxOverTimeCrossEntropy(), readout=None, batch=250,
             threads=None):
    """Loss, accuracy, predictions and rates of `network` on a data set, without changing it."""
    session = _Session(network, loss, None, None, (), readout, 0, threads, False)
    return session.evaluate(_Data(session, spikes, targets, mask), batch)


def _check_counts(epochs, batch, early_stopping):
    for name, value in (("epochs", epochs), ("batch", batch), ("early_stopping", early_stopping)):
        if not (isinstance(value, (int, np.integer)) and value >= 1 or value is None and name == "early_stopping"):
            raise ValueError(f"{name} is {value!r}; it must be a whole number >= 1.")


def _prepare_folder(folder, start):
    if start not in ("new", "resume", "overwrite"):
        raise ValueError(f"start is {start!r}; it must be 'new', 'resume' or 'overwrite'.")
    if folder is None and start == "resume":
        raise ValueError("start='resume' needs the folder of the checkpoint: give out=….")
    if folder is not None and start == "new" and (folder / "last.npz").exists():
        raise ValueError(f"{folder} holds a checkpoint already. Give start='resume' to go on with it, start='overwrite' to "
                         "begin anew, or another folder.")
    if folder is not None and start == "overwrite":
        for name in ("last.npz", "best.npz"):
            (folder / name).unlink(missing_ok=True)


class _Data:
    """A data set as kernels read it: binned events, targets and mask."""

    def __init__(self, session, spikes, targets, mask):
        network = session.network
        trains = input_trains(network, spikes)
        self.trains = trains
        self.events, self.steps = bin_inputs(network, spikes)
        self.targets = trains[0].labels if targets is None else np.asarray(targets)
        self.mask = None if mask is None else np.asarray(mask, float)
        n_trials = self.events.pointers.shape[0]
        if n_trials == 0:
            raise ValueError("the data set has no trials.")
        session.loss.check(self.targets, n_trials, self.steps, network[session.readout].n)
        if self.mask is not None and self.mask.shape[:2] != (n_trials, self.steps):
            raise ValueError(f"mask has shape {self.mask.shape}; it must begin with (trial, step) = {(n_trials, self.steps)}.")
        self.rows = np.arange(n_trials)

    def part(self, rows):
        other = object.__new__(_Data)
        vars(other).update(vars(self), rows=rows)
        return other

    def target(self, rows):
        return self.targets[rows], None if self.mask is None else self.mask[rows]


class _Session:
    """The state of a training: parameters in one vector, optimizer state, position, history so far."""

    def __init__(self, network, loss, optimizer, schedule, regularizers, readout, seed, threads, differentiate_reset, augment=()):
        self.augment, self.network, self.loss, self.optimizer, self.schedule = augment, network, loss, optimizer, schedule
        self.readout = _readout_name(network, readout)
        self.regularizers = _checked_regularizers(regularizers, network)
        self.seed = int(seed.integers(2 ** 62)) if isinstance(seed, np.random.Generator) else seed
        self.threads = passes.checked_threads(threads)
        self.differentiate_reset = differentiate_reset
        packed = pack(network)
        self.taus = list(network.tau_parameters)
        tail = [np.ravel(network.tau_parameters[key]).astype(network.dtype) for key in self.taus]
        self.parameters = arrays.aligned_copy(np.concatenate([packed.weight, *tail]))
        self.packed = replace(packed, weight=self.parameters[:packed.weight.size])
        self.state = optimizer.start(self.parameters.size, network.dtype) if optimizer else {}
        self.epoch = self.batch = 0
        self.series = {name: [] for name in _SERIES}
        self.sums, self.best, self._known, self._spare = np.zeros(4), None, None, []

    # ------------------------------------------------------------------------------------------ data

    def load(self, spikes, targets, mask, validation, validation_targets, validation_mask, batch):
        self.data, self.validation, self.batch_size = _Data(self, spikes, targets, mask), None, batch
        if isinstance(validation, (float, int)):
            if not 0 < validation < 1:
                raise ValueError(f"validation is {validation!r}; as a number it is the share of the data to keep, in (0, 1).")
            order = np.random.default_rng([self.seed, 1]).permutation(self.data.rows.size)
            n = max(1, int(round(validation * order.size)))
            if n == order.size:
                raise ValueError(f"a validation share of {validation} leaves nothing of {order.size} trials to train on.")
            self.validation, self.data = self.data.part(np.sort(order[:n])), self.data.part(np.sort(order[n:]))
        elif validation is not None:
            self.validation = _Data(self, validation, validation_targets, validation_mask)
            if self.validation.steps != self.data.steps:
                raise ValueError(f"validation trials have {self.validation.steps} steps, training trials {self.data.steps}; "
                                 "they must have the same duration.")

    @property
    def n_batches(self):
        return -(-self.data.rows.size // self.batch_size)

    def _forward(self, data, rows):
        """A forward pass without what gradients need; the arrays are kept for the next one."""
        drive = arrays.Drive(data.events, rows, NO_CURRENT, np.empty((rows.size, 0, 0), self.network.dtype))
        layout, known = state_layout(self.packed, [f"{self.readout}.U"]), self._known
        if known is None or known.counts.shape[0] != rows.size or known.states.shape[1] != data.steps:
            self._known = known = passes.new_recording(self.packed, rows.size, data.steps, layout.blocks, layout.width)
        passes.forward(self.packed, drive, known, data.steps, self.threads)
        return known

    # ------------------------------------------------------------------------------------------ one step

    def gradient(self, data, rows):
        """Loss, score, regularizers and the gradient of a batch with respect to the parameter vector."""
        target, mask = data.target(rows)
        readout = state_layout(self.packed, [f"{self.readout}.U"])
        recorded = all_states(self.packed) if self.packed.needs_states else readout
        columns = recorded.columns[f"{self.readout}.U"]
        total = self.loss.total_weight((rows.size, data.steps, readout.width), mask)

        def derive(recording, first, last):
            part, trials = recording.states[..., columns], slice(first, last)
            given = target[trials], None if mask is None else mask[trials]
            value, slope = self.loss.value_and_gradient(part, *given, total)
            terms, grad_counts = self._count_terms(recording.counts, (last - first) / rows.size)
            start = arrays.LossGradient(readout.blocks, np.ascontiguousarray(slope, self.network.dtype),
                                        np.empty((last - first, 0, 0), self.network.dtype), grad_counts)
            return (value, self.loss.score(part, *given).sum() / rows.size, terms), start

        def inputs(first, last):
            part = rows[first:last]
            return self._augmented(data, part, first) if self.augment else (data.events, part)
        results, gradient = passes.chunked_gradient(self.packed, inputs, rows.size, data.steps, recorded.blocks, recorded.width, derive,
                                                   self.threads, self._spare, self.differentiate_reset, bool(self.taus))
        value, score, terms = np.sum(results, axis=0)
        by_tau = tau_gradients(self.packed, gradient) if self.taus else {}
        flat = np.concatenate([gradient.weight, *[np.ravel(by_tau[key]).astype(self.network.dtype) for key in self.taus]])
        return value, score, terms + self._weight_terms(flat), flat

    def _augmented(self, data, rows, first):
        """Events of some trials, changed for this presentation; `first` tells the parts of a batch apart."""
        binned = []
        for q, train in enumerate(data.trains):
            part = train[rows]
            changed = augmented_events(part, self.augment, [self.seed, 2, self.epoch, self.batch, first, q])
            binned.append(bin_events(*changed, rows.size, part.n_units, part.duration, self.network.dt))
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
                if isinstance(term, WeightPenalty) and term.applies_to(name):
                    value, slope = term.value_and_gradient(self.packed.weight_matrix(name))
                    total += value
                    self.packed.weight_matrix(name, gradient)[:] += slope
        return total

    def _update(self, gradient, rate):
        self.optimizer.step(self.parameters, gradient, self.state, rate)
        dale.project(self.parameters, self.packed.non_negative)
        if self.taus:
            self._write_taus()
            self.packed = replace(self.packed, model=pack_model(self.network))

    def _check_finite(self, value, gradient):
        if np.isfinite(value) and np.all(np.isfinite(gradient)):
            return
        wrong = [name for name in self.packed.places if not np.all(np.isfinite(self.packed.weight_matrix(name, gradient)))]
        where = f"the gradient of projection {', '.join(map(repr, wrong))}" if wrong else "the loss or a time-constant gradient"
        self.write_back()
        raise ValueError(f"epoch {self.epoch}, batch {self.batch}: {where} is not finite (loss {value}). Training stopped; the "
                         "network holds the last finite weights and the last checkpoint stays. A smaller learning rate, or "
                         "weights and inputs of smaller scale, usually help.")

    # ------------------------------------------------------------------------------------------ one epoch

    def run_epoch(self, epochs, interrupted, advance):
        begin, order = time.perf_counter(), np.random.default_rng([self.seed, 0, self.epoch]).permutation(self.data.rows)
        if self.batch == 0:
            self.sums[:] = 0
        for start in range(self.batch * self.batch_size, order.size, self.batch_size):
            rows = order[start:start + self.batch_size]
            value, score, terms, gradient = self.gradient(self.data, rows)
            self._check_finite(value + terms, gradient)
            progress = (self.epoch + self.batch / self.n_batches) / epochs
            factor = self.schedule.factor(progress, self.history().watched)
            self._update(gradient, self.optimizer.learning_rate * factor)
            self.sums += rows.size * np.array([value, score, terms, 1.0])
            self.batch += 1
            advance(1, self._note(epochs))
            if interrupted() and self.batch < self.n_batches:
                return
        self._close_epoch(begin, self.optimizer.learning_rate * factor)

    def _close_epoch(self, begin, rate):
        loss, accuracy, terms = self.sums[:3] / self.sums[3]
        check = self.evaluate(self.validation, self.batch_size) if self.validation else None
        values = (loss, accuracy, terms, check.loss if check else np.nan, check.accuracy if check else np.nan, rate,
                  time.perf_counter() - begin)
        for name, value in zip(_SERIES, values):
            self.series[name].append(float(value))
        self.epoch, self.batch = self.epoch + 1, 0
        if self.history().best_epoch == self.epoch - 1:
            self.best = self.parameters.copy()

    def _note(self, epochs):
        loss, accuracy = self.sums[:2] / self.sums[3]
        what = f"accuracy {accuracy:.3f}" if self.loss.classifies else f"error {-accuracy:.4g}"
        check = self.series["validation_accuracy"][-1:] if self.validation else []
        return f"epoch {self.epoch + 1}/{epochs}  loss {loss:.4g}  {what}" + "".join(f"  validation {v:.3f}" for v in check)

    def stale(self, patience):
        history = self.history()
        return patience is not None and self.epoch - 1 - history.best_epoch >= patience

    def evaluate(self, data, batch):
        if not isinstance(data, _Data):
            raise TypeError("evaluate needs prepared data")
        values, scores, predictions, counts = [], [], [], 0
        for start in range(0, data.rows.size, batch):
            rows = data.rows[start:start + batch]
            recording = self._forward(data, rows)
            readout = recording.states
            target, mask = data.target(rows)
            values.append(self.loss.value_and_gradient(readout, target, mask)[0] * rows.size)
            scores.append(self.loss.score(readout, target, mask))
            predictions.append(self.loss.predict(readout))
            counts = counts + recording.counts.sum(axis=0, dtype=np.float64)
        seconds = data.rows.size * data.steps * self.network.dt
        rates = {p.name: float(counts[self.packed.neurons(p.name)].mean() / seconds) for p in self.network.spiking}
        return Evaluation(float(sum(values) / data.rows.size), float(np.concatenate(scores).mean()),
                          np.concatenate(predictions), rates)

    # ------------------------------------------------------------------------------------------ state

    def history(self, interrupted=False):
        return History(**{name: np.array(values) for name, values in self.series.items()}, interrupted=interrupted)

    def _write_taus(self):
        at = self.packed.weight.size
        for key in self.taus:
            shape = self.network.tau_parameters[key].shape
            size = int(np.prod(shape))
            self.network.tau_parameters[key] = self.parameters[at:at + size].astype(np.float64).reshape(shape)
            at += size

    def write_back(self):
        """Put the parameters into the network."""
        for projection in self.network.projections:
            self.network.set_weights(projection.name, self.packed.weight_matrix(projection.name))
        self._write_taus()

    def restore_best(self):
        if self.best is not None:
            self.parameters[:] = self.best

    def save(self, path):
        self.write_back()
        arrays = {f"weight/{name}": weights for name, weights in self.network.weights.items()}
        arrays |= {f"tau/{population}/{name}": p for (population, name), p in self.network.tau_parameters.items()}
        arrays |= {f"optimizer/{name}": value for name, value in self.state.items()}
        arrays |= {f"history/{name}": np.array(values) for name, values in self.series.items()}
        arrays |= {"best": self.best if self.best is not None else np.empty(0, self.network.dtype), "sums": self.sums}
        checkpoint.write(path, arrays, {"fingerprint": self.network.fingerprint(), "epoch": self.epoch, "batch": self.batch,
                                        "recipe": self._recipe()})

    def _recipe(self):
        """What must be the same for a resumed run to have the bits of an uninterrupted one."""
        return {"seed": self.seed, "batch": self.batch_size, "trials": int(self.data.rows.size), "loss": repr(self.loss),
                "optimizer": repr(self.optimizer), "regularizers": repr(self.regularizers),
                "augment": repr(self.augment)}

    def resume(self, path):
        arrays, meta = checkpoint.read(path)
        checkpoint.restore(self.network, arrays, meta, path)
        changed = [f"{key} {meta['recipe'][key]} there, {value} here" for key, value in self._recipe().items()
                   if meta["recipe"][key] != value]
        if changed:
            raise ValueError(f"{path} belongs to another training: {'; '.join(changed)}. Resume with the same recipe, or start "
                             "anew in another folder.")
        tail = [np.ravel(self.network.tau_parameters[key]).astype(self.network.dtype) for key in self.taus]
        self.parameters[:] = np.concatenate([pack(self.network).weight, *tail])
        self.packed = replace(self.packed, model=pack_model(self.network))
        self.state = {name: arrays[f"optimizer/{name}"] for name in self.state}
        self.series = {name: arrays[f"history/{name}"].tolist() for name in _SERIES}
        self.best = arrays["best"] if arrays["best"].size else None
        self.sums, self.epoch, self.batch = arrays["sums"], meta["epoch"], meta["batch"]


def _readout_name(network, readout):
    names = [p.name for p in network.readouts]
    if readout is None and len(names) == 1:
        return names[0]
    if readout not in names:
        raise ValueError(f"readout is {readout!r}; the network has " + (", ".join(map(repr, names)) or "none")
                         + ". The loss needs one: net.readout(n_classes).")
    return readout


def _checked_regularizers(regularizers, network):
    for term in regularizers:
        known = [p.name for p in network.spiking] if isinstance(term, SpikeCount) else [p.name for p in network.projections]
        named = term.populations if isinstance(term, SpikeCount) else getattr(term, "projections", None)
        if not isinstance(term, (SpikeCount, WeightPenalty)):
            raise ValueError(f"{term!r} is not a regularizer; use upper_bound, lower_bound or WeightPenalty.")
        if set(named or ()) - set(known):
            raise ValueError(f"regularizer for {', '.join(named)}: the network has only {', '.join(known)}.")
    return regularizers
