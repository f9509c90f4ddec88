"""What users may write themselves: losses, regularizers, constraints, optimizers and schedules.

Each protocol lists the methods that training calls. Any object with these methods will do: there is
nothing to inherit from. An object that lacks one is refused before training begins, with a message
that names it. Give the class a `repr` that shows its numbers (a dataclass has one): a checkpoint is
resumed only where the `repr` of each part is the same.
"""

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..support.checks import shown


class Loss(Protocol):
    """A loss on a readout (trial, step, unit), or on the spikes of a population.

    Optional attributes: `needs_spikes = True` refuses readouts, `takes_mask = False` refuses masks,
    `score_name` says what the score is. Optional methods: `for_step(dt)` returns the loss for a
    time step in seconds, and `as_target(target)` turns what the user gave as target into an array
    whose first axis counts trials.

    Where trials have `ends` of their own, the mask is 0 after the end of each trial. A loss that
    takes no masks of users, but reads this one, says `takes_ends = True`; others refuse such data.

    Examples
    --------
    The mean absolute error of the last step:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(frozen=True)
    ... class AbsoluteErrorAtTheEnd:
    ...     classifies = False
    ...     takes_mask = False
    ...
    ...     def check(self, target, n_trials, steps, n_units):
    ...         if np.shape(target) != (n_trials, n_units):
    ...             raise ValueError("the target must be (trial, unit).")
    ...
    ...     def total_weight(self, shape, mask=None):
    ...         return float(shape[0])
    ...
    ...     def value_and_gradient(self, readout, target, mask=None, total=None):
    ...         error = (readout[:, -1] - target) / (total or len(readout))
    ...         gradient = np.zeros_like(readout)
    ...         gradient[:, -1] = np.sign(error) / (total or len(readout))
    ...         return np.abs(error).sum(), gradient
    ...
    ...     def predict(self, readout, mask=None):
    ...         return readout[:, -1]
    ...
    ...     def score(self, readout, target, mask=None):
    ...         return -np.abs(readout[:, -1] - target).mean(axis=1)
    >>> loss, readout = AbsoluteErrorAtTheEnd(), np.ones((2, 5, 1))
    >>> value, gradient = loss.value_and_gradient(readout, [[0], [0.5]])
    >>> float(value), gradient[0].ravel().tolist()
    (0.75, [0.0, 0.0, 0.0, 0.0, 0.5])

    Use it as `bs.train(net, spikes, targets, loss=AbsoluteErrorAtTheEnd(), epochs=10)`.
    """

    @property
    def classifies(self) -> bool:
        """Whether predictions are classes, so that the mean score is an accuracy."""

    def check(self, target: Any, n_trials: int, steps: int, n_units: int) -> None:
        """Raise ValueError unless the target (None where there is none) fits such a readout."""

    def total_weight(self, shape: tuple[int, ...], mask: NDArray[Any] | None = None) -> float:
        """Return what the mean over trials of a readout of this shape divides by."""

    def value_and_gradient(
        self,
        readout: NDArray[Any],
        target: Any,
        mask: NDArray[Any] | None = None,
        total: float | None = None,
    ) -> tuple[float, NDArray[Any]]:
        """Return the mean loss and its derivative with respect to the readout.

        `readout` may hold a part of a batch; `total` is then `total_weight` of the whole batch,
        which the sum over these trials is divided by.
        """

    def predict(self, readout: NDArray[Any], mask: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the prediction for each trial."""

    def score(
        self, readout: NDArray[Any], target: Any, mask: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return (trial,) numbers, larger for better trials: 0 or 1, or a negative error."""


class Regularizer(Protocol):
    """A term that is added to the loss and depends on spike counts or on weights.

    Examples
    --------
    A pull of every neuron's mean count towards a target:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(frozen=True)
    ... class TargetCount:
    ...     strength: float
    ...     spikes: float
    ...     looks_at = "counts"
    ...
    ...     def applies_to(self, name):
    ...         return name == "E"
    ...
    ...     def value_and_gradient(self, counts):
    ...         error = counts - self.spikes
    ...         slope = 2 * self.strength * error / error.size
    ...         return self.strength * np.mean(error**2), slope
    >>> counts = np.array([[1.0, 3.0]])
    >>> TargetCount(0.1, 2.0).value_and_gradient(counts)[1].tolist()
    [[-0.1, 0.1]]

    Use it as `bs.train(net, spikes, regularizers=[TargetCount(0.1, 2.0)], epochs=10)`.
    """

    @property
    def looks_at(self) -> Literal["counts", "weights"]:
        """What it depends on: counts (trial, neuron) of a population or weights of a projection."""

    def applies_to(self, name: str) -> bool:
        """Return whether it is for this population ("counts") or projection ("weights")."""

    def value_and_gradient(self, values: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        """Return the term and its derivative with respect to each element of `values`.

        For counts, which are of the spikes until the end of each trial, the term is a mean over
        trials. It is also computed for parts of a batch, whose terms are averaged.
        """


class Constraint(Protocol):
    """What weights must obey after every optimizer step, besides their sign.

    Examples
    --------
    Weights that are multiples of 1/64, for digital hardware:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(frozen=True)
    ... class Quantized:
    ...     step: float = 1 / 64
    ...
    ...     def applies_to(self, projection):
    ...         return projection.endswith("->readout")
    ...
    ...     def apply(self, weights, synapses):
    ...         weights[...] = self.step * np.round(weights / self.step)
    >>> weights = np.array([0.1, 0.2])
    >>> Quantized(0.25).apply(weights, None)
    >>> weights.tolist()
    [0.0, 0.25]

    Use it as `bs.train(net, spikes, constraints=[Quantized()], epochs=10)`. Weights that must be
    non-negative by Dale's law are set to zero where a constraint leaves them below it.
    """

    def applies_to(self, projection: str) -> bool:
        """Return whether it is for this projection."""

    def apply(self, weights: NDArray[Any], synapses: Any) -> None:
        """Change the weights of a projection in place.

        They are (pre, post), or one per synapse of a sparse projection, whose `Synapses` are given;
        dense projections have None.
        """


class Optimizer(Protocol):
    """How a gradient changes the parameters.

    Examples
    --------
    The sign of the gradient alone:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(frozen=True)
    ... class SignDescent:
    ...     learning_rate: float = 1e-3
    ...
    ...     def start(self, n, dtype):
    ...         return {"steps": np.zeros((), np.int64)}
    ...
    ...     def step(self, parameters, gradient, state, rate):
    ...         state["steps"] += 1
    ...         parameters -= rate * np.sign(gradient)
    >>> parameters, optimizer = np.zeros(2), SignDescent()
    >>> state = optimizer.start(2, np.float64)
    >>> optimizer.step(parameters, np.array([3.0, -2.0]), state, 0.5)
    >>> parameters.tolist()
    [-0.5, 0.5]

    Use it as `bs.train(net, spikes, optimizer=SignDescent(1e-4), epochs=10)`.
    """

    @property
    def learning_rate(self) -> float:
        """The learning rate, before the schedule multiplies it."""

    def start(self, n: int, dtype: Any) -> dict[str, NDArray[Any]]:
        """Return the state before the first step: arrays by name, which checkpoints store."""

    def step(
        self,
        parameters: NDArray[Any],
        gradient: NDArray[Any],
        state: dict[str, NDArray[Any]],
        rate: float,
    ) -> None:
        """Update parameters (n,) and state in place, with the learning rate `rate`."""


class Schedule(Protocol):
    """How the learning rate changes in the course of a training.

    Examples
    --------
    A linear decay to a tenth:

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Linear:
    ...     final: float = 0.1
    ...
    ...     def factor(self, progress, losses):
    ...         return 1 + (self.final - 1) * progress
    >>> Linear().factor(0.5, [])
    0.55

    Use it as `bs.train(net, spikes, schedule=Linear(), epochs=10)`.
    """

    def factor(self, progress: float, losses: NDArray[np.float64]) -> float:
        """Return what the learning rate is multiplied by.

        Parameters
        ----------
        progress
            Share of the training that is done, 0 to 1.
        losses
            (epochs so far,) validation losses, or training losses without validation.
        """


#: What each protocol asks for: methods, then attributes.
_METHODS: dict[type, tuple[str, ...]] = {
    Loss: ("check", "total_weight", "value_and_gradient", "predict", "score"),
    Regularizer: ("applies_to", "value_and_gradient"),
    Constraint: ("applies_to", "apply"),
    Optimizer: ("start", "step"),
    Schedule: ("factor",),
}
_ATTRIBUTES: dict[type, tuple[str, ...]] = {
    Loss: ("classifies",),
    Regularizer: ("looks_at",),
    Optimizer: ("learning_rate",),
}


def checked_part(name: str, part: Any, protocol: type, example: str) -> Any:
    """Return `part` if it has what `protocol` asks for.

    Parameters
    ----------
    name
        Name of the argument, for messages.
    protocol
        One of the protocols of this module.
    example
        A call that makes one, such as "Adam(5e-3)".

    Raises
    ------
    ValueError
        If it is a class, or lacks methods or attributes, which are named.

    Examples
    --------
    >>> checked_part("schedule", 0.1, Schedule, "Cosine()")
    Traceback (most recent call last):
        ...
    ValueError: schedule is 0.1; it must be a description such as Cosine().
    """
    missing = [m for m in _METHODS[protocol] if not callable(getattr(part, m, None))]
    needed = len(missing) < len(_METHODS[protocol])  # it is meant to be one
    missing += [a for a in _ATTRIBUTES.get(protocol, ()) if not hasattr(part, a)]
    why = ""
    if isinstance(part, type):
        why = " Give an object, not its class."
    elif not missing:
        return part
    elif needed:
        lacks = " and ".join(missing) if len(missing) < 3 else ", ".join(missing)
        why = f" One of your own also needs {lacks} (see biosnn.{protocol.__name__})."
    raise ValueError(f"{name} is {shown(part)}; it must be a description such as {example}.{why}")


def checked_shape(part: Any, what: str, returned: Any, shape: tuple[int, ...]) -> Any:
    """Return what a method of `part` returned if it has the shape that it must have.

    Parameters
    ----------
    part
        A loss or a regularizer.
    what
        The method and what it returned, for messages.

    Raises
    ------
    ValueError
        If the shape is another: it would be broadcast, or fail far from here.

    Examples
    --------
    >>> checked_shape("Mine()", "score", np.zeros(3), (2,))
    Traceback (most recent call last):
        ...
    ValueError: 'Mine()': score has returned the shape (3,); it must be (2,).
    """
    if np.shape(returned) != shape:
        raise ValueError(
            f"{shown(part)}: {what} has returned the shape {np.shape(returned)}; it must be "
            f"{shape}."
        )
    return returned


def started(optimizer: Optimizer, n: int, dtype: Any) -> dict[str, NDArray[Any]]:
    """Return the state of an optimizer before its first step.

    Parameters
    ----------
    optimizer
        Ours, or one that a user has written.
    n
        Number of parameters.
    dtype
        Type of the parameters.

    Raises
    ------
    ValueError
        If it is not a dict of arrays by name, which checkpoints could not store.

    Examples
    --------
    >>> from biosnn import Adam
    >>> sorted(started(Adam(), 3, np.float32))
    ['mean', 'square', 'steps']
    """
    state = optimizer.start(n, dtype)
    given = state.items() if isinstance(state, dict) else [("", None)]
    if not all(isinstance(k, str) and isinstance(v, np.ndarray) for k, v in given):
        raise ValueError(
            f"{shown(optimizer)}: start has returned {shown(state)}; it must return a dict of "
            "name -> numpy array, which checkpoints store."
        )
    return state
