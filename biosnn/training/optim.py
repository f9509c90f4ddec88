"""Optimizers: SGD, Adam, AdamW and SMORMS3 on one flat vector of parameters; clipping.

An optimizer is a frozen description (the protocol `Optimizer`): `start` gives its state, a dict of
arrays that checkpoints store, and `step` updates parameters and state in place. The compiled loops
are in kernels/optimizer.py.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..kernels import optimizer as kernels
from ..support.checks import keep, real


@dataclass(frozen=True)
class _Optimizer:
    """What the optimizers share: checked numbers, and a state of arrays by name."""

    learning_rate: float = 1e-3

    arrays: ClassVar[tuple[str, ...]] = ()
    #: The least values of arrays of a state, where there are such; checkpoints are checked for it.
    lowest: ClassVar[dict[str, float]] = {"steps": 0, "square": 0, "memory": 0}

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            below = 1 if name in ("momentum", "beta1", "beta2") else None
            keep(self, **{name: real(value, f"{type(self).__name__}: {name}", 0, below=below)})

    def start(self, n: int, dtype: Any) -> dict[str, NDArray[Any]]:
        """Return the state before the first step, for `n` parameters."""
        state = {name: np.zeros(n, dtype) for name in self.arrays}
        return state | {"steps": np.zeros((), np.int64)}

    def step(
        self,
        parameters: NDArray[Any],
        gradient: NDArray[Any],
        state: dict[str, NDArray[Any]],
        rate: float,
    ) -> None:
        """Update parameters and state in place, with the learning rate `rate`."""
        state["steps"] += 1
        self._step(int(state["steps"]), parameters, gradient, state, rate)

    def _step(self, t, parameters, gradient, state, rate):
        """Step number t, which counts from 1."""
        raise NotImplementedError(f"{type(self).__name__} has no _step()")


@dataclass(frozen=True)
class SGD(_Optimizer):
    """Stochastic gradient descent with momentum.

    Parameters
    ----------
    learning_rate
        >= 0.
    momentum
        Share of the last step that is kept, 0 <= momentum < 1.

    Notes
    -----
    v <- momentum v + g;  w <- w - rate v.

    Examples
    --------
    >>> w, optimizer = np.zeros(1), SGD(0.5)
    >>> optimizer.step(w, np.array([2.0]), optimizer.start(1, np.float64), rate=0.5)
    >>> w
    array([-1.])
    """

    learning_rate: float = 1e-2
    _: KW_ONLY
    momentum: float = 0.0

    arrays = ("velocity",)

    def _step(self, t, parameters, gradient, state, rate):
        """One pass of the compiled loop."""
        number = parameters.dtype.type
        momentum = number(self.momentum)
        kernels.sgd(parameters, gradient, state["velocity"], momentum, number(rate))


@dataclass(frozen=True)
class Adam(_Optimizer):
    """Adam, with decoupled weight decay if asked.

    Parameters
    ----------
    learning_rate
        >= 0.
    beta1, beta2
        Memory of the mean gradient and of its square, 0 <= beta < 1.
    epsilon
        Added to the root of the mean square.
    weight_decay
        Rate at which weights decay, in units of the learning rate.

    Notes
    -----
    m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;
    w <- w - rate [ (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay w ].

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, algorithm 1.

    Examples
    --------
    >>> w, optimizer = np.zeros(1), Adam(0.5)
    >>> optimizer.step(w, np.array([2.0]), optimizer.start(1, np.float64), rate=0.5)
    >>> w.round(6)
    array([-0.5])
    """

    learning_rate: float = 1e-3
    _: KW_ONLY
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    arrays = ("mean", "square")

    def _step(self, t, parameters, gradient, state, rate):
        """One pass of the compiled loop."""
        number = parameters.dtype.type
        kernels.adam(
            parameters,
            gradient,
            state["mean"],
            state["square"],
            number(1 - self.beta1),
            number(1 - self.beta2),
            number(np.sqrt(1 - self.beta2**t)),
            number(self.epsilon),
            number(1 - rate * self.weight_decay),
            number(rate / (1 - self.beta1**t)),
        )


def AdamW(learning_rate: float = 1e-3, *, weight_decay: float = 1e-2, **options: float) -> Adam:
    """Return Adam with decoupled weight decay.

    Parameters
    ----------
    learning_rate, weight_decay
        As for `Adam`.
    **options
        The other numbers of `Adam`.

    Returns
    -------
    An `Adam` with weight decay.

    References
    ----------
    Loshchilov & Hutter (2019), Decoupled weight decay regularization.

    Examples
    --------
    >>> AdamW(weight_decay=0.1)
    Adam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.1)
    """
    return Adam(learning_rate, weight_decay=weight_decay, **options)


@dataclass(frozen=True)
class SMORMS3(_Optimizer):
    """SMORMS3, in which each parameter has a memory of its own length.

    Parameters
    ----------
    learning_rate
        The most that a step may be, >= 0.
    epsilon
        Added to the mean square.

    Notes
    -----
    r = 1 / (memory + 1);  m <- (1 - r) m + r g;  v <- (1 - r) v + r g^2;  x = m^2 / (v + epsilon);
    w <- w - g min(rate, x) / (sqrt(v) + epsilon);  memory <- 1 + memory (1 - x).

    References
    ----------
    Funk (2015), RMSprop loses to SMORMS3.

    Examples
    --------
    >>> w, optimizer = np.zeros(1), SMORMS3(0.5)
    >>> optimizer.step(w, np.array([2.0]), optimizer.start(1, np.float64), rate=0.5)
    >>> w.round(3)
    array([-0.707])
    """

    learning_rate: float = 1e-3
    _: KW_ONLY
    epsilon: float = 1e-16

    arrays = ("memory", "mean", "square")

    def start(self, n: int, dtype: Any) -> dict[str, NDArray[Any]]:
        """Return the state before the first step, for `n` parameters."""
        return super().start(n, dtype) | {"memory": np.ones(n, dtype)}

    def _step(self, t, parameters, gradient, state, rate):
        """One pass of the compiled loop."""
        number = parameters.dtype.type
        kernels.smorms3(
            parameters,
            gradient,
            state["memory"],
            state["mean"],
            state["square"],
            number(self.epsilon),
            number(rate),
        )


def clip_norm(gradient: NDArray[Any], most: float | None) -> None:
    """Scale a gradient in place so that its Euclidean norm is at most `most` (None: any).

    Examples
    --------
    >>> gradient = np.array([3.0, -4.0])
    >>> clip_norm(gradient, 1.0)
    >>> gradient
    array([ 0.6, -0.8])
    """
    if most is None:
        return
    norm = float(np.sqrt(np.square(gradient, dtype=np.float64).sum()))
    if norm > most:
        gradient *= most / norm
