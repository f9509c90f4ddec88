"""Optimizers and learning-rate schedules on one flat vector of parameters.

An optimizer is a frozen description. `start(n, dtype)` gives its state, a dict of arrays (which checkpoints store), and
`step(parameters, gradient, state, rate)` updates parameters and state in place. `rate` is the learning rate times the
schedule's factor.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels import optimizer as kernels
from ..support.checks import keep, real, reals, whole


@dataclass(frozen=True)
class _Optimizer:
    lowest = {
        "steps": 0,
        "square": 0,
        "memory": 0,
    }  # of the arrays of a state, where there is such a bound

    def __post_init__(self):
        for name, value in vars(self).items():
            keep(
                self,
                **{
                    name: real(
                        value,
                        f"{type(self).__name__}: {name}",
                        0,
                        below=1 if name in ("momentum", "beta1", "beta2") else None,
                    )
                },
            )

    def start(self, n, dtype):
        """The state before the first step."""
        return {name: np.zeros(n, dtype) for name in self.arrays} | {
            "steps": np.zeros((), np.int64)
        }

    def step(self, parameters, gradient, state, rate):
        """Update parameters and state in place."""
        state["steps"] += 1
        self._step(
            int(state["steps"]),
            (parameters, gradient, *(state[name] for name in self.arrays)),
            parameters.dtype.type,
            rate,
        )


@dataclass(frozen=True)
class SGD(_Optimizer):
    """v <- momentum v + g;  w <- w - rate v."""

    learning_rate: float = 1e-2
    momentum: float = 0.0
    arrays = ("velocity",)

    def _step(self, t, arrays, number, rate):
        kernels.sgd(*arrays, number(self.momentum), number(rate))


@dataclass(frozen=True)
class Adam(_Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1), with decoupled weight decay if asked (AdamW).

    m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;
    w <- w - rate [ (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay w ]
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    arrays = ("mean", "square")

    def _step(self, t, arrays, number, rate):
        kernels.adam(
            *arrays,
            number(1 - self.beta1),
            number(1 - self.beta2),
            number(np.sqrt(1 - self.beta2**t)),
            number(self.epsilon),
            number(1 - rate * self.weight_decay),
            number(rate / (1 - self.beta1**t)),
        )


def AdamW(learning_rate=1e-3, weight_decay=1e-2, **options):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""
    return Adam(learning_rate, weight_decay=weight_decay, **options)


@dataclass(frozen=True)
class SMORMS3(_Optimizer):
    """SMORMS3 (Funk 2015): each parameter has its own memory.

    r = 1 / (memory + 1);  g1 <- (1 - r) g1 + r g;  g2 <- (1 - r) g2 + r g^2;  x = g1^2 / (g2 + epsilon);
    w <- w - g min(rate, x) / (sqrt(g2) + epsilon);  memory <- 1 + memory (1 - x)
    """

    learning_rate: float = 1e-3
    epsilon: float = 1e-16
    arrays = ("memory", "mean", "square")

    def start(self, n, dtype):
        return super().start(n, dtype) | {"memory": np.ones(n, dtype)}

    def _step(self, t, arrays, number, rate):
        kernels.smorms3(*arrays, number(self.epsilon), number(rate))


def clip_norm(gradient, most):
    """Scale a gradient in place so that its Euclidean norm is at most `most` (None: any)."""
    if (
        most is not None
        and (norm := float(np.sqrt(np.square(gradient, dtype=np.float64).sum()))) > most
    ):
        gradient *= most / norm


# ---------------------------------------------------------------------------------------- schedules


@dataclass(frozen=True)
class Constant:
    """The learning rate stays."""

    def factor(self, progress, validation):
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """From 1 to `final` along half a cosine over the whole training, after a linear warm-up of the share `warmup`."""

    final: float = 0.0
    warmup: float = 0.0

    def __post_init__(self):
        keep(
            self,
            final=real(self.final, "Cosine: final", 0),
            warmup=real(self.warmup, "Cosine: warmup", 0, 1),
        )

    def factor(self, progress, validation):
        """progress: the share of the training that is done, 0 to 1."""
        if progress < self.warmup:
            return (progress + 1e-3) / (self.warmup + 1e-3)
        phase = (progress - self.warmup) / max(1 - self.warmup, 1e-12)
        return self.final + (1 - self.final) * 0.5 * (1 + np.cos(np.pi * min(phase, 1.0)))


@dataclass(frozen=True)
class Step:
    """Multiplied by `decay` at each of the given shares of the training (for instance 0.5, 0.75)."""

    at: tuple = (0.5, 0.75)
    decay: float = 0.1

    def __post_init__(self):
        at = reals(self.at, "Step: at, shares of the training,", 0, 1)
        keep(self, at=tuple(np.ravel(at).tolist()), decay=real(self.decay, "Step: decay", 0))

    def factor(self, progress, validation):
        return self.decay ** sum(progress >= share for share in self.at)


@dataclass(frozen=True)
class OnPlateau:
    """Multiplied by `decay` whenever the best validation loss (training loss without validation) is `patience` epochs old."""

    patience: int = 10
    decay: float = 0.5

    def __post_init__(self):
        keep(
            self,
            patience=whole(self.patience, "OnPlateau: patience", 1, why="a number of epochs"),
            decay=real(self.decay, "OnPlateau: decay", 0, 1),
        )

    def factor(self, progress, validation):
        """validation: the losses of all epochs so far."""
        drops, best, waited = 0, np.inf, 0
        for value in validation:
            if np.isnan(value):  # an epoch without
                continue
            best, waited = (value, 0) if value < best else (best, waited + 1)
            if waited >= self.patience:
                drops, waited = drops + 1, 0
        return self.decay**drops
