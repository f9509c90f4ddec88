"""Other pairs of neurons for some synapses of a projection, whose degrees stay as they are."""

import numpy as np
from numpy.typing import NDArray

from .synapses import Synapses

_ROUNDS = 500  # in which pairs that exist already are drawn anew


def rewired(
    synapses: Synapses,
    moved: NDArray[np.int64],
    preserve: str,
    same: bool,
    rng: np.random.Generator,
    what: str,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return source and target of all synapses, of which some join other neurons.

    Parameters
    ----------
    synapses
        Of the projection.
    moved
        Indices of those that change.
    preserve
        "in-degree", "out-degree" or "both".
    same
        Whether both populations are one.
    rng
        Where the random numbers come from.
    what
        Whose synapses, for messages.

    Raises
    ------
    ValueError
        If there are hardly any other pairs.
    """
    pre, post = synapses.sources.astype(np.int64), synapses.target.astype(np.int64)
    rules = _Rules(
        several=synapses.multiplicity > 1,
        loops=not same or bool(np.any(pre == post)),
        n_post=synapses.n_post,
    )
    fixed = np.ones(pre.size, bool)
    fixed[moved] = False
    taken = np.sort(pre[fixed] * synapses.n_post + post[fixed])
    a, b, again = pre[moved], post[moved], np.arange(moved.size)
    for _ in range(_ROUNDS):
        if preserve == "both":
            b[again] = b[rng.permutation(again)]
        elif preserve == "in-degree":
            a[again] = rng.integers(synapses.n_pre, size=again.size)
        else:
            b[again] = rng.integers(synapses.n_post, size=again.size)
        again = rules.broken(a, b, taken)
        if not again.size:
            pre[moved], post[moved] = a, b
            return pre, post
        if preserve == "both":  # with as many others, to which they can give their targets
            again = np.union1d(again, rng.integers(moved.size, size=again.size + 1))
    raise ValueError(
        f"{what}: hardly any pairs are free that keep {preserve}s; give a smaller fraction."
    )


class _Rules:
    """Which pairs may have a synapse."""

    def __init__(self, several, loops, n_post):
        self.several, self.loops, self.n_post = several, loops, n_post

    def broken(self, pre, post, taken):
        """Indices of the pairs that may not be; taken: pairs that stay, sorted."""
        wrong = np.zeros(pre.size, bool) if self.loops else pre == post
        if not self.several:
            pairs = pre * self.n_post + post
            place = np.searchsorted(taken, pairs)
            inside = place < taken.size
            wrong[inside] |= taken[place[inside]] == pairs[inside]
            first = np.zeros(pre.size, bool)
            first[np.unique(pairs, return_index=True)[1]] = True
            wrong |= ~first
        return np.flatnonzero(wrong)
