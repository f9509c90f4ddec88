"""Optimizers and learning-rate schedules on one flat vector of parameters.

An optimizer is a frozen description. `start(n, dtype)` gives its state, a dict of arrays (which checkpoints store), and
`step(parameters, gradient, state, rate)` updates parameters and state in place. `rate` is the learning rate times the
schedule's factor.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels import optimizer as kernels
from ..support.checks import keep, real


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
