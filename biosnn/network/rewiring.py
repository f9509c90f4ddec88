"""Other pairs of neurons for some synapses of a projection; degrees stay as they are."""

import numpy as np
from numpy.typing import NDArray

from .synapses import Synapses, target_type

_ROUNDS = 500  # in which pairs that exist already are drawn anew


def rewired(
    synapses: Synapses,
    moved: NDArray[np.int64],
    preserve: str,
    same: bool,
    rng: np.random.Generator,
    what: str,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return source and target of all synapses, some of which connect other neurons.

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
    taken = pre[fixed] * synapses.n_post + post[fixed]  # ascending, as rows are
    a, b, again = pre[moved], post[moved], np.arange(moved.size)
    for _ in range(_ROUNDS):
        if preserve == "both":
            b[again] = b[rng.permutation(again)]
            wrong = np.flatnonzero(rules.broken(a, b, taken))
            # with as many others, to which they can give their targets
            others = rng.integers(moved.size, size=wrong.size + 1) if wrong.size else wrong
            again = np.union1d(wrong, others)
        else:
            end, n = (a, synapses.n_pre) if preserve == "in-degree" else (b, synapses.n_post)
            end[again] = rng.integers(n, size=again.size)
            wrong = rules.broken(a[again], b[again], taken)
            right, again = again[~wrong], again[wrong]
            taken = np.concatenate([taken, np.sort(a[right] * synapses.n_post + b[right])])
            taken.sort(kind="stable")  # two ascending parts
        if not again.size:
            pre[moved], post[moved] = a, b
            return pre, post
    raise ValueError(
        f"{what}: hardly any pairs are free that keep {preserve}s; give a smaller fraction."
    )


class _Rules:
    """Which pairs may have a synapse."""

    def __init__(self, several, loops, n_post):
        self.several, self.loops, self.n_post = several, loops, n_post

    def broken(self, pre, post, taken):
        """(pairs,) which may not be; taken: pairs that stay, ascending."""
        wrong = np.zeros(pre.size, bool) if self.loops else pre == post
        if not self.several:
            pairs, first = np.unique(pre * self.n_post + post, return_index=True)
            place = np.searchsorted(taken, pairs)  # quick, as both ascend
            free = np.append(taken, -1)[place] != pairs
            repeated = np.ones(pre.size, bool)
            repeated[first[free]] = False
            wrong |= repeated
        return wrong


def in_rows(pre: NDArray[np.int64], post: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order of synapses by source, and by target within a row; ties stay as they are.

    Small integers are sorted digit by digit, several times as fast as others.
    """
    n = 1 + max(pre.max(initial=0), post.max(initial=0))
    small = target_type(int(n))
    by_post = np.argsort(post.astype(small), kind="stable")
    return by_post[np.argsort(pre[by_post].astype(small), kind="stable")]
