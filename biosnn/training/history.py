"""The learning curves of a training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..support.optional import optional
from ..support.show import About, Shows, plural
from ..support.tables import Table, number

if TYPE_CHECKING:
    import pandas

Curve = NDArray[np.float64]

#: What is kept of every epoch, in the order of `History`.
SERIES = (
    "loss",
    "score",
    "regularizer",
    "validation_loss",
    "validation_score",
    "learning_rate",
    "seconds",
)


@dataclass(frozen=True, eq=False, repr=False)
class History(Shows):
    """What happened in each epoch: arrays with one number per epoch.

    Parameters
    ----------
    loss, score
        Means over the training batches of the epoch, while the weights changed.
    regularizer
        Mean of the regularizing terms.
    validation_loss, validation_score
        After the epoch; NaN without validation.
    learning_rate
        At the end of the epoch.
    seconds
        Wall time of the epoch, without compiling.
    interrupted
        True if Ctrl-C ended the training: a script that trains in a loop should then leave the
        loop.
    score_name
        What the score is, such as "accuracy" or "negative squared error". Larger is better.

    Examples
    --------
    >>> loss, score, none = np.array([1, 0.5]), np.array([0.4, 0.8]), np.full(2, np.nan)
    >>> History(loss, score, none, none, none, none, seconds=np.ones(2))
    History of 2 epochs in 2 s
    <BLANKLINE>
    epoch     loss  accuracy
    ────────────────────────
    1            1       0.4
    2 (best)   0.5       0.8
    """

    loss: Curve
    score: Curve
    regularizer: Curve
    validation_loss: Curve
    validation_score: Curve
    learning_rate: Curve
    seconds: Curve
    interrupted: bool = False
    score_name: str = "accuracy"

    @property
    def accuracy(self) -> Curve:
        """The score of a training that classifies; AttributeError of any other."""
        return of_classification(self, self.score, "score")

    @property
    def validation_accuracy(self) -> Curve:
        """The validation score of a training that classifies; AttributeError of any other."""
        return of_classification(self, self.validation_score, "validation_score")

    @property
    def watched(self) -> Curve:
        """The losses that decide which epoch is best.

        They are those of the validation; without validation those of the training, and without a
        loss the regularizer.
        """
        for series in (self.validation_loss, self.loss):
            if not np.all(np.isnan(series)):
                return series
        return self.regularizer

    @property
    def best_epoch(self) -> int:
        """The epoch (0, 1, …) with the lowest watched loss; -1 if there is none."""
        if not self.loss.size or np.all(np.isnan(self.watched)):
            return -1
        return int(np.nanargmin(self.watched))

    def as_dict(self) -> dict[str, list[float | None]]:
        """Return lists by name, for JSON, with None where a value is missing."""
        return {
            name: [None if np.isnan(v) else float(v) for v in getattr(self, name)]
            for name in SERIES
        }

    def to_frame(self) -> "pandas.DataFrame":
        """Return a pandas data frame: a row for each epoch, from 1, and a column for each curve.

        The score has its own name, such as "accuracy". Needs `pip install "biosnn[pandas]"`.

        Raises
        ------
        ImportError
            Without pandas.

        Examples
        --------
        >>> loss, score, none = np.array([1, 0.5]), np.array([0.4, 0.8]), np.full(2, np.nan)
        >>> history = History(loss, score, none, none, none, none, seconds=np.ones(2))
        >>> history.to_frame()["accuracy"].tolist()
        [0.4, 0.8]
        """
        pandas = optional("pandas", "pandas", "History.to_frame")
        score = self.score_name.replace(" ", "_")
        columns = {name.replace("score", score): getattr(self, name) for name in SERIES}
        index = pandas.RangeIndex(1, self.loss.size + 1, name="epoch")
        return pandas.DataFrame(columns, index=index)

    def _about(self) -> About:
        """The first, the best and the last epoch."""
        n, took = self.loss.size, np.nansum(self.seconds)
        known = self._known()
        rows = [
            [
                f"{k + 1}{' (best)' if k == self.best_epoch else ''}",
                *(number(series[k]) for series in known.values()),
            ]
            for k in (sorted({0, max(self.best_epoch, 0), n - 1}) if n else [])
        ]
        title = f"History of {plural(n, 'epoch')} in {took:.3g} s"
        title += ", interrupted" if self.interrupted else ""
        return About(title, table=Table("", ["epoch", *known], rows))

    def _known(self):
        """Words -> series, of those that say something."""
        return {
            name.replace("_", " ").replace("score", self.score_name): getattr(self, name)
            for name in SERIES[:5]
            if self._is_known(name)
        }

    def _is_known(self, name):
        """Whether a series has numbers that say something."""
        series = getattr(self, name)
        return bool(np.any(np.isfinite(series)) and (name != "regularizer" or np.any(series)))


@dataclass(frozen=True, eq=False, repr=False)
class Epoch(Shows):
    """A training after an epoch: what the `callback` of `train` is called with.

    Parameters
    ----------
    network
        The network that is trained, with the weights after this epoch. A callback may read and
        evaluate it, but what it changes there is undone.
    history
        The learning curves so far.
    epochs
        Number of epochs that were asked for.

    Examples
    --------
    A log in a file of comma-separated values:

    >>> import csv
    >>> def log(epoch):
    ...     with open("log.csv", "a", newline="") as file:
    ...         csv.writer(file).writerow([epoch.number, epoch.history.loss[-1]])

    Use it as `bs.train(net, spikes, epochs=10, callback=log)`.
    """

    network: Network
    history: "History"
    epochs: int

    @property
    def number(self) -> int:
        """Number of epochs that have ended, from 1."""
        return self.history.loss.size

    def _about(self) -> About:
        known = self.history._known().items()
        rows = [(words, number(series[-1])) for words, series in known if series.size]
        return About(f"Epoch {self.number} of {self.epochs}", rows)


#: What `train(callback=…)` takes: a function of an Epoch, which may return True to end there.
Callback = Callable[[Epoch], Any]


def of_classification(result: Any, value: Any, name: str) -> Any:
    """Return a score that is an accuracy.

    Raises
    ------
    AttributeError
        If the score of `result` is something else.
    """
    if result.score_name != "accuracy":
        raise AttributeError(
            f"there is no accuracy, because no loss classifies; the {result.score_name} is "
            f"in .{name}"
        )
    return value
