"""Seeds, and the streams of random numbers that follow from them.

A stream belongs to a seed *and to the names of what it is for*: two projections with one seed are
drawn independently, and so are the targets, weights and delays of one of them.
"""

import hashlib
from enum import IntEnum
from typing import Any

import numpy as np

from .checks import refuse, whole


def whole_seed(seed: Any, name: str = "seed") -> int:
    """A seed as an `int`: a whole number >= 0, or drawn from a numpy Generator."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**62))
    try:
        return whole(seed, name, 0)
    except ValueError:
        return refuse(
            name,
            seed,
            "a whole number >= 0, or a numpy Generator",
            "the same seed gives the same result",
        )


def generator(seed: Any, name: str = "seed") -> np.random.Generator:
    """The numpy Generator of a seed, or the Generator that was given."""
    return (
        seed
        if isinstance(seed, np.random.Generator)
        else np.random.default_rng(whole_seed(seed, name))
    )


def stream(seed: int, *names: str) -> np.random.Generator:
    """The Generator of a whole seed and of names: others for other names, whatever the seed."""
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=16).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, "<u4").tolist()])


class TrainingStream(IntEnum):
    """The streams of random numbers of a training, each keyed by its seed and one of these."""

    ORDER = 0  # of the trials in an epoch
    SPLIT = 1  # of the validation from the training data
    AUGMENTATION = 2
    NOISE = 3  # escape noise and dropout
    EVALUATION = 4  # escape noise, where nothing is learned
