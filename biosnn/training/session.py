"""A training between two batches: parameters, optimizer, data, and how far it has come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.finite import NotFinite
from ..network.network import Network
from ..support.checks import whole
from ..support.code_cache import clock
from ..support.fingerprint import digest_of
from ..support.ranks import ALONE, Ranks
from .batch_gradient import BatchGradient, GradientPass
from .dataset import TrainingData
from .evaluation import Evaluation, Evaluator
from .history import SERIES, History
from .objective import Objective
from .parameters import Parameters
from .presentation import Presentation
from .protocols import started
from .silence import SilenceWatch
from .update import UpdateRule, update

_SAME_STEPS = (
    "They had the same gradients, but their optimizers or constraints have made different weights "
    "of them: a part of your own that draws at random needs a seed, and processors of different "
    "kinds do not round alike."
)


@dataclass
class Progress:
    """How far a training has come: with parameters and optimizer, all that a checkpoint needs.

    Parameters
    ----------
    epoch, batch
        Of the next batch, both from 0.
    sums
        Over the batches of this epoch: loss, scores, regularizers (each times trials), trials,
        trials with a score.
    curves
        Name -> one number per epoch that has ended.
    best
        Parameters after the best epoch, or None.
    state
        Where the trials of the last batch stand, if the next one goes on from there, or None.
    """

    epoch: int = 0
    batch: int = 0
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(5))
    curves: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SERIES})
    best: NDArray[Any] | None = None
    state: Any = None

    def means(self) -> tuple[float, float, float]:
        """Return loss, score (NaN if no trial has one) and regularizers of the epoch so far."""
        loss, score, terms, trials, scored = self.sums
        return loss / trials, (score / scored if scored else np.nan), terms / trials


class Session:
    """A training that can be stopped after any batch and go on from there.

    Parameters
    ----------
    network
        It holds the parameters again after `write_back`.
    objective, rule, presentation
        What is minimized, how parameters change, and how trials are presented.
    data
        Training and validation.
    epochs
        Number of epochs of the whole training.
    ranks
        The processes that train together.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        rule: UpdateRule,
        presentation: Presentation,
        data: TrainingData,
        epochs: int,
        ranks: Ranks = ALONE,
    ) -> None:
        self.network = network
        self.objective = objective
        self.rule = rule
        self.presentation = presentation
        self.data = data
        self.epochs = whole(epochs, "epochs", 1)
        self.ranks = ranks
        self.parameters = Parameters(network)
        size = self.parameters.vector.size
        self.optimizer_state = started(rule.optimizer, size, network.dtype)
        self.progress = Progress()
        self.gradient = GradientPass(self.parameters, objective, presentation, data.pool, ranks)
        self._evaluate = Evaluator(self.parameters, objective, presentation, ranks=ranks)
        self._silence = SilenceWatch(network, [term.loss for term in objective.terms])

    @property
    def n_batches(self) -> int:
        """Batches of an epoch."""
        return self.presentation.batches(self.data.training.rows)

    # ------------------------------------------------------------------------------------ one epoch

    def run_epoch(self, interrupted: Callable[[], bool], advance: Callable[..., None]) -> None:
        """Run the rest of an epoch, or what there is of it before Ctrl-C."""
        begin, progress, size = clock(), self.progress, self.presentation.batch_size
        order = self.presentation.order(self.data.training.rows, progress.epoch)
        if progress.batch == 0:
            progress.sums[:], progress.state = 0, None
            self._silence.begin()
        for start in range(progress.batch * size, order.size, size):
            if not self._run_batch(order[start : start + size]):
                return
            advance(1, self._note())
            if interrupted() and progress.batch < self.n_batches:
                return
        validation = None
        if self.data.validation is not None:
            held = self.data.validation
            validation = self.ranks.unless_interrupted(lambda: self._evaluate(held))
            if validation is None:  # the checkpoint goes on with the validation
                return
        self._close_epoch(begin, validation)

    def _run_batch(self, rows):
        """One step of the optimizer; False, without a trace, if Ctrl-C came before it."""
        progress = self.progress
        try:
            found = self.ranks.unless_interrupted(
                lambda: self.gradient(self.data.training, rows, progress.epoch, progress.state)
            )
            if found is None:
                return False
            progress.state = found.state
            self._silence.see(self.parameters.packed, found.fired, found.weight_gradient)
            self._check_finite(found)
            rate = self._rate(progress.batch)
            update(self.parameters, found.gradient, self.rule, self.optimizer_state, rate)
        except NotFinite as error:
            self._stop(str(error))
        n, terms = rows.size, found.regularizer
        progress.sums += [n * found.loss, found.score, n * terms, n, found.scored]
        progress.batch += 1
        return True

    def _rate(self, batch):
        """The learning rate of a batch of this epoch."""
        share = (self.progress.epoch + batch / self.n_batches) / self.epochs
        return self.rule.rate(share, self.history().watched)

    def _close_epoch(self, begin: float, validation: Evaluation | None) -> None:
        """Put down what the epoch was like, and remember its parameters if it is the best."""
        progress, rate = self.progress, self._rate(self.n_batches - 1)
        self._silence.warn(progress.epoch)
        loss, score, terms = self._means()
        values = {
            "loss": loss,
            "score": score,
            "regularizer": terms,
            "validation_loss": validation.loss if validation else np.nan,
            "validation_score": validation.score if validation else np.nan,
            "learning_rate": rate,
            "seconds": self._agreed_on(clock() - begin),
        }
        for name, value in values.items():
            progress.curves[name].append(float(value))
        progress.epoch += 1
        progress.batch = 0
        if self.ended_with_the_best():
            progress.best = self.parameters.vector.copy()

    def _agreed_on(self, seconds):
        """The seconds of the first process; ValueError unless all have the same parameters."""
        if self.ranks.size > 1:
            weights = digest_of([self.parameters.vector])
            told = {f"the weights after epoch {self.progress.epoch}": weights}
            self.ranks.check_same(told, _SAME_STEPS)
        return self.ranks.on_first(lambda: seconds)

    # ----------------------------------------------------------------------------- if it goes wrong

    def _check_finite(self, found: BatchGradient) -> None:
        """Raise NotFinite, which names projections, if loss or gradient is not finite."""
        loss = found.loss + found.regularizer
        if np.isfinite(loss) and np.all(np.isfinite(found.gradient)):
            return
        packed = self.parameters.packed
        wrong = [
            repr(name)
            for name in packed.wires.places
            if not np.all(np.isfinite(packed.weight_matrix(name, found.gradient)))
        ]
        what = "the loss or a time-constant gradient"
        what = f"the gradient of projection {', '.join(wrong)}" if wrong else what
        raise NotFinite(f"{what} (loss {loss}) is not finite.")

    def _stop(self, what):
        """End the training with an error; the network holds the last finite parameters."""
        self.write_back()
        raise ValueError(
            f"epoch {self.progress.epoch}, batch {self.progress.batch}: {what} Training stopped; "
            "the network holds the last finite weights and the last checkpoint stays. A smaller "
            "learning rate, or weights and inputs of smaller scale, usually help."
        ) from None

    # ----------------------------------------------------------------------------- what it has done

    def history(self, interrupted: bool = False) -> History:
        """Return the learning curves of the epochs that have ended."""
        curves = {name: np.array(values) for name, values in self.progress.curves.items()}
        return History(**curves, interrupted=interrupted, score_name=self.objective.score_name)

    def is_stale(self, patience: int | None) -> bool:
        """Return whether the best epoch is `patience` epochs old (None: never)."""
        age = self.progress.epoch - 1 - self.history().best_epoch
        return patience is not None and age >= patience

    def ended_with_the_best(self) -> bool:
        """Return whether the epoch before was the best so far."""
        return self.history().best_epoch == self.progress.epoch - 1

    def write_back(self) -> None:
        """Put the parameters into the network."""
        self.parameters.write_back()

    def restore_best(self) -> None:
        """Go back to the parameters of the best epoch, if there is one."""
        if self.progress.best is not None:
            self.parameters.vector[:] = self.progress.best

    def _means(self):
        """Loss (NaN without one), score and regularizers of the epoch so far."""
        loss, score, terms = self.progress.means()
        return (loss if self.objective.terms else np.nan), score, terms

    def _note(self):
        """What the progress bar says."""
        loss, score, terms = self._means()
        epoch = f"epoch {self.progress.epoch + 1}/{self.epochs}"
        if not self.objective.terms:
            return f"{epoch}  regularizer {terms:.4g}"
        note = f"{epoch}  loss {loss:.4g}  {self._score_note(score)}"
        if self.data.validation is not None and self.progress.epoch:
            note += f"  validation {self._score_note(self.progress.curves['validation_score'][-1])}"
        return note

    def _score_note(self, score):
        """A score in few words."""
        accuracy = self.objective.score_name == "accuracy"
        return f"accuracy {score:.3f}" if accuracy else f"error {-score:.4g}"
