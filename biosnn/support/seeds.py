"""Seeds, and the streams of random numbers that follow from them.

A stream belongs to a seed *and to the names of what it is for*: two projections with one seed are
drawn independently, and so are the targets, weights and delays of one of them. What kernels draw
(background, escape noise, dropout) is counter-based, from the same seeds: kernels/random.py.
"""

import hashlib
from enum import IntEnum
from typing import Any

import numpy as np

from .checks import refuse, whole


def whole_seed(seed: Any, name: str = "seed") -> int:
    """Return a seed as an `int`.

    Parameters
    ----------
    seed
        A whole number >= 0, or a numpy Generator, from which one is drawn.
    name
        Name of the argument, for messages.

    Examples
    --------
    >>> whole_seed(np.int8(3))
    3
    """
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**62))
    try:
        return whole(seed, name, 0)
    except ValueError:
        refuse(
            name,
            seed,
            "a whole number >= 0, or a numpy Generator",
            "the same seed gives the same result",
        )


def generator(seed: Any, name: str = "seed") -> np.random.Generator:
    """Return the numpy Generator of a seed, or the Generator that was given.

    Parameters
    ----------
    seed
        A whole number >= 0 or a numpy Generator.
    name
        Name of the argument, for messages.

    Examples
    --------
    >>> bool(generator(3).random() == generator(3).random())
    True
    """
    return (
        seed
        if isinstance(seed, np.random.Generator)
        else np.random.default_rng(whole_seed(seed, name))
    )


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the Generator of a whole seed and of names.

    Parameters
    ----------
    seed
        A whole number >= 0.
    *names
        What the random numbers are for; others give other numbers, whatever the seed.

    Examples
    --------
    >>> bool(
    ...     stream(1, "A->B", "weights").random()
    ...     == stream(1, "A->B", "delays").random()
    ... )
    False
    """
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=16).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, "<u4").tolist()])


class TrainingStream(IntEnum):
    """The streams of random numbers of a training, each keyed by its seed and one of these."""

    ORDER = 0  # of the trials in an epoch
    SPLIT = 1  # of the validation from the training data
    AUGMENTATION = 2
    NOISE = 3  # background, escape noise, dropout, initial states
    EVALUATION = 4  # the same, where nothing is learned
