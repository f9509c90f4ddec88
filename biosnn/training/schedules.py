"""Schedules: how the learning rate changes in the course of a training (`bs.schedules`)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..support.checks import keep, real, reals, whole

__all__ = ["Constant", "Cosine", "OnPlateau", "Step"]


@dataclass(frozen=True)
class Constant:
    """The learning rate stays as it is.

    Examples
    --------
    >>> Constant().factor(0.5, [])
    1.0
    """

    def factor(self, progress: float, losses: Iterable[float]) -> float:
        """Return 1."""
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from 1 to a final share over the whole training, after a linear warm-up.

    Parameters
    ----------
    final
        What the learning rate is multiplied by at the end, >= 0.
    warmup
        Share of the training in which the learning rate rises from almost 0, 0 to 1.

    Examples
    --------
    >>> round(float(Cosine(final=0.1).factor(0.5, [])), 3)
    0.55
    """

    final: float = 0.0
    warmup: float = 0.0

    def __post_init__(self) -> None:
        keep(
            self,
            final=real(self.final, "Cosine: final", 0),
            warmup=real(self.warmup, "Cosine: warmup", 0, 1),
        )

    def factor(self, progress: float, losses: Iterable[float]) -> float:
        """Return what the learning rate is multiplied by at a share of the training, 0 to 1."""
        if progress < self.warmup:
            return (progress + 1e-3) / (self.warmup + 1e-3)
        phase = (progress - self.warmup) / max(1 - self.warmup, 1e-12)
        return self.final + (1 - self.final) * 0.5 * (1 + np.cos(np.pi * min(phase, 1.0)))


@dataclass(frozen=True)
class Step:
    """The learning rate is multiplied by a number at given shares of the training.

    Parameters
    ----------
    at
        Shares of the training, each 0 to 1; one number will do, too.
    decay
        What the learning rate is multiplied by at each, >= 0.

    Examples
    --------
    >>> schedule = Step(at=(0.5, 0.75), decay=0.5)
    >>> [schedule.factor(progress, []) for progress in (0.4, 0.5, 0.8)]
    [1.0, 0.5, 0.25]
    """

    at: tuple[float, ...] = (0.5, 0.75)
    decay: float = 0.1

    def __post_init__(self) -> None:
        at = reals(self.at, "Step: at, shares of the training,", 0, 1)
        keep(self, at=tuple(np.ravel(at).tolist()), decay=real(self.decay, "Step: decay", 0))

    def factor(self, progress: float, losses: Iterable[float]) -> float:
        """Return what the learning rate is multiplied by at a share of the training, 0 to 1."""
        return self.decay ** sum(progress >= share for share in self.at)


@dataclass(frozen=True)
class OnPlateau:
    """The learning rate falls whenever the loss has not improved for a number of epochs.

    The loss is that of the validation, or of the training if there is no validation.

    Parameters
    ----------
    patience
        Epochs since the best one, >= 1.
    decay
        What the learning rate is then multiplied by, 0 to 1.

    Examples
    --------
    >>> OnPlateau(patience=2, decay=0.5).factor(0.0, [3.0, 2.0, 2.5, 2.5])
    0.5
    """

    patience: int = 10
    decay: float = 0.5

    def __post_init__(self) -> None:
        why = "a number of epochs"
        keep(
            self,
            patience=whole(self.patience, "OnPlateau: patience", 1, why=why),
            decay=real(self.decay, "OnPlateau: decay", 0, 1),
        )

    def factor(self, progress: float, losses: Iterable[float]) -> float:
        """Return what the learning rate is multiplied by after epochs with these losses."""
        drops, best, waited = 0, np.inf, 0
        for value in losses:
            if np.isnan(value):  # an epoch without validation
                continue
            best, waited = (value, 0) if value < best else (best, waited + 1)
            if waited >= self.patience:
                drops, waited = drops + 1, 0
        return self.decay**drops
