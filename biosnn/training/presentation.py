"""How trials are presented to a network: in batches, augmented, with dropout, from which seed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data.augmentation import checked
from ..engine.gradient import window_steps
from ..engine.packed import check_reset_is_differentiable
from ..network.escape import checked_dropout
from ..network.network import Network
from ..support.checks import flag, instance, whole
from ..support.seeds import TrainingStream, whole_seed
from ..support.threads import checked_threads


@dataclass(frozen=True, eq=False)
class Presentation:
    """Options of forward and backward passes.

    Parameters
    ----------
    batch_size
        Trials of a batch.
    seed, threads
        Seed of the random numbers, and number of threads.
    augment
        Augmentations of every presentation of a training trial.
    dropout
        Population -> probability that a neuron is silent for a trial.
    window
        Steps of a window that no gradient leaves backwards in time; 0: gradients flow to the start.
    stateful
        Whether trial k of a batch goes on from trial k of the batch before.
    differentiate_reset
        Whether gradients flow through the reset.
    """

    batch_size: int
    seed: int
    threads: int
    augment: tuple[Any, ...] = ()
    dropout: dict[str, float] = field(default_factory=dict)
    window: int = 0
    stateful: bool = False
    differentiate_reset: bool = False

    def key(self, stream: TrainingStream, *epoch: int) -> list[int]:
        """Return the key of a stream of random numbers, of an epoch where one is given."""
        return [self.seed, int(stream), *epoch]

    def order(self, rows: np.ndarray, epoch: int) -> np.ndarray:
        """Return the order of trials in an epoch: at random, or as they are if `stateful`."""
        if self.stateful:
            return rows
        return np.random.default_rng(self.key(TrainingStream.ORDER, epoch)).permutation(rows)

    def batches(self, rows: np.ndarray) -> int:
        """Return the number of batches of these trials."""
        return -(-rows.size // self.batch_size)

    def check_whole_batches(self, rows: np.ndarray, own_steps: np.ndarray | None = None) -> None:
        """Raise ValueError if trials are to go on from each other, but do not fill batches."""
        if self.stateful and own_steps is not None:
            raise ValueError(
                f"with stateful=True trials go on from each other, but they end after "
                f"{own_steps.min()} to {own_steps.max()} steps; cut the recordings into pieces of "
                "one length."
            )
        if self.stateful and rows.size % self.batch_size:
            raise ValueError(
                f"{rows.size} trials are not a whole number of batches of {self.batch_size}: with "
                "stateful=True trial k of a batch goes on from trial k of the batch before, so "
                "batch must divide the number of trials."
            )


def make_presentation(
    network: Network,
    batch: Any,
    seed: Any,
    threads: Any,
    *,
    augment: Any = (),
    dropout: Any = None,
    truncate: Any = None,
    stateful: Any = False,
    differentiate_reset: Any = False,
) -> Presentation:
    """Return the options of `train` or `evaluate` that say how trials are presented, checked."""
    instance(network, "network", Network, "a Network")
    differentiate_reset = flag(differentiate_reset, "differentiate_reset")
    if differentiate_reset:
        check_reset_is_differentiable(network)
    return Presentation(
        batch_size=whole(batch, "batch", 1),
        seed=whole_seed(seed),
        threads=checked_threads(threads),
        augment=checked(augment),
        dropout=checked_dropout(network, dropout),
        window=window_steps(truncate, network.dt),
        stateful=flag(stateful, "stateful"),
        differentiate_reset=differentiate_reset,
    )
