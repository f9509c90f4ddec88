"""Schedules: how the learning rate changes in the course of a training."""

from dataclasses import dataclass

import numpy as np

from ..support.checks import keep, real, reals, whole


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
