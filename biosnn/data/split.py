"""Random parts of a data set: training, validation, test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..support import checks, seeds
from .spike_trains import SpikeTrains, check_trains


def split(
    spikes: SpikeTrains,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    *,
    seed: int | np.random.Generator = 0,
) -> tuple[SpikeTrains, ...]:
    """Divide the trials at random into parts that share none.

    Parameters
    ----------
    spikes
        Spike trains.
    fractions
        Share of the trials in each part: positive numbers with a sum of at most 1. What is left is
        in no part.
    seed
        Seed or numpy Generator. The same seed gives the same parts.

    Returns
    -------
    One SpikeTrains per fraction.

    Raises
    ------
    ValueError
        If the fractions are not as above, or leave a part without trials.

    Notes
    -----
    With F_k = f_1 + … + f_k and n trials, part k ends at trial floor(n F_k + 1/2) of the shuffled
    order. So every size is right within one trial, and fractions that sum to 1 use every trial.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(5.0, 10, 0.1, 50, seed=1)
    >>> [len(part) for part in bs.data.split(spikes, (0.8, 0.1, 0.1), seed=2)]
    [40, 5, 5]
    """
    check_trains(spikes)
    shares = checks.reals(fractions, "fractions")
    if shares.ndim != 1 or shares.size == 0 or not np.all(shares > 0) or shares.sum() > 1 + 1e-9:
        raise ValueError(
            f"fractions are {fractions!r}; they must be a sequence of positive numbers with a sum "
            "of at most 1, as each is the share of the trials in one part and no trial is in two."
        )
    # rounded first: 0.1 + 0.2 is a little more than 0.3, and must not decide where a half goes
    ends = np.floor(np.round(np.cumsum(shares) * len(spikes), 6) + 0.5).astype(np.int64)
    parts = np.split(seeds.generator(seed).permutation(len(spikes))[: ends[-1]], ends[:-1])
    for share, trials in zip(shares, parts):
        if not trials.size:
            raise ValueError(
                f"the fraction {share:g} of {len(spikes)} trials rounds to no trial at all; give "
                "larger fractions or more trials."
            )
    return tuple(spikes[trials] for trials in parts)
