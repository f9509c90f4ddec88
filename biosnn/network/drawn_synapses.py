"""Synapses and weights of large projections, which are drawn where they are needed.

A projection that a rule of biosnn draws, with weights and delays from distributions of biosnn, is
known by its rule and seed. Kernels of one large network have records of their own, and draw into
them a piece at a time; so nobody holds targets, weights and delays beside them, and each process of
several draws those of its own neurons. Who looks at them (`network.synapses`, `network.weights`)
gets them as arrays, which are then kept.
"""

import hashlib
from collections.abc import Iterator, Mapping, MutableMapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.fingerprint import digest, plain
from ..support.threads import default_threads, on_threads
from .drawing import Drawn, draw_all, draw_delays, range_of_delays, type_of_delays
from .pieces import Onto
from .random_rows import Draws
from .synapses import Synapses, target_type

_AT_ONCE = 1 << 20  # synapses of a piece


class DrawnSynapses(Synapses):
    """Synapses that are drawn when somebody looks at them.

    Parameters
    ----------
    draws
        Draws the rows.
    delay
        Steps: one number for all, or what draws them.
    n_post
        Number of postsynaptic neurons.
    recipe
        All that determines what is drawn.
    """

    _draws: Draws
    _delay: Any
    _recipe: Any

    def __init__(self, draws: Draws, delay: Any, n_post: int, recipe: Any) -> None:
        kept = {"_draws": draws, "_delay": delay, "n_post": n_post, "_recipe": recipe}
        for name, value in (kept | {"weight_index": None, "weight_shape": None}).items():
            object.__setattr__(self, name, value)

    @property
    def size(self) -> int:
        """Number of synapses."""
        return self._draws.size

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return self._draws.n_pre

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """(n_pre + 1,) the synapses of neuron j are first[j] .. first[j + 1] - 1."""
        return _fixed(self._draws.first)

    @cached_property
    def target(self) -> NDArray[Any]:
        """(synapses,) postsynaptic neurons, ascending within a row."""
        return _fixed(self._draws.rows().target)

    @cached_property
    def delay(self) -> Any:
        """Steps: one number for all, or (synapses,)."""
        return _fixed(draw_delays(self._delay)) if self.several_delays else self._delay

    @property
    def several_delays(self) -> bool:
        """Whether every synapse has a delay of its own."""
        return isinstance(self._delay, Drawn)

    @cached_property
    def delay_range(self) -> tuple[int, int]:
        """The shortest and the longest delay in steps."""
        return range_of_delays(self._delay) if self._draws_delays else super().delay_range

    @property
    def _draws_delays(self):
        """Whether there are delays that have not been drawn."""
        return self.several_delays and "delay" not in self.__dict__

    @property
    def nbytes(self) -> int:
        """Bytes of memory of what has been drawn and is kept; weights are apart."""
        kept = (self.__dict__.get(name, 0) for name in ("first", "target", "delay"))
        return sum(np.asarray(each).nbytes for each in kept)

    @property
    def nbytes_of_all(self) -> int:
        """Bytes of targets and delays, also of those that have not been drawn."""
        return self.size * (target_type(self.n_post)().itemsize + self.several_delays)

    @property
    def is_held(self) -> bool:
        """Whether targets and delays have been drawn, and are kept."""
        return "target" in self.__dict__ and not self._draws_delays

    def keep(self) -> None:
        """Draw targets and delays for good."""
        _ = self.target, self.delay

    def onto(self, low: int, high: int) -> Onto:
        """Return the synapses onto the targets low .. high - 1, and perhaps others."""
        return super().onto(low, high) if "target" in self.__dict__ else self._draws.onto(low, high)

    def delays_of(self, begin: int, end: int) -> NDArray[Any]:
        """Return the delays of the synapses begin .. end - 1, or the one of all."""
        if self._draws_delays:
            return self._delay.part(begin, end).astype(type_of_delays(self.delay_range[1]))
        return super().delays_of(begin, end)

    @property
    def identity(self) -> str:
        """A hash that tells different synapses apart, for which nothing has to be drawn."""
        return digest(plain(self._recipe))

    @cached_property
    def digest(self) -> str:
        """A hash of targets and delays, as that of synapses that lie in memory."""
        total = hashlib.blake2b(digest_size=8)
        total.update(self.first.data)
        for target in self._targets():
            total.update(np.ascontiguousarray(target).data)
        for delay in self._delays():
            total.update(np.ascontiguousarray(delay).data)
        return total.hexdigest()

    def _targets(self) -> Iterator[NDArray[Any]]:
        """All targets, a piece after the other."""
        if "target" in self.__dict__:
            yield self.target
            return
        onto, parts = self.onto(0, self.n_post), self.row_parts(_AT_ONCE)
        yield from _few_at_once(lambda begin, end: onto.piece(begin, end).target, parts)

    def _delays(self) -> Iterator[NDArray[Any]]:
        """All delays, a piece after the other."""
        if not self._draws_delays:
            yield np.asarray(self.delay)
            return
        kind = type_of_delays(self.delay_range[1])
        for steps in _few_at_once(self._delay.part, self._delay.jobs()):
            yield steps.astype(kind)

    def in_memory(self) -> Synapses:
        """Return synapses whose arrays lie in memory."""
        return Synapses(first=self.first, target=self.target, delay=self.delay, n_post=self.n_post)


def _few_at_once(work, jobs):
    """Results of jobs in their order, of which few are held together."""
    threads = default_threads()
    for k in range(0, len(jobs), threads):
        yield from on_threads(work, jobs[k : k + threads], threads)


def _fixed(array):
    """An array that nobody can change."""
    array.flags.writeable = False
    return array


# ----------------------------------------------------------------------------------------- weights


class Weights(MutableMapping[str, Any]):
    """Projection name -> weights; those that are not drawn yet are drawn when somebody looks.

    Parameters
    ----------
    weights
        A mapping of such weights.

    Examples
    --------
    >>> weights = Weights({"A->B": np.ones(3)})
    >>> weights["A->B"] *= 2
    >>> weights["A->B"].tolist(), weights
    ([2.0, 2.0, 2.0], Weights(A->B))
    """

    def __init__(self, weights: Mapping[str, Any] | None = None) -> None:
        self._kept: dict[str, Any] = {}
        self.update({} if weights is None else weights)

    def __getitem__(self, name: str) -> Any:
        kept = self._kept[name]
        if isinstance(kept, Drawn):
            kept = self._kept[name] = draw_all(kept, kept.part(0, 0).dtype)
        return kept

    def __setitem__(self, name: str, weights: Any) -> None:
        self._kept[name] = weights

    def __delitem__(self, name: str) -> None:
        del self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, name: Any) -> bool:
        return name in self._kept

    def __repr__(self) -> str:
        return f"Weights({', '.join(self._kept)})"

    def __or__(self, other: Mapping[str, Any]) -> "Weights":
        both = Weights(self)
        both.update(other)
        return both

    def update(self, *args: Any, **others: Any) -> None:
        """Take weights from another mapping; what it has not drawn stays so."""
        for other in (*args, others):
            self._kept.update(other._kept if isinstance(other, Weights) else other)

    def copy(self) -> "Weights":
        """Return a mapping of the same weights."""
        return Weights(self)

    def undrawn(self, name: str) -> Drawn | None:
        """Return what draws the weights of a projection, if they have not been drawn."""
        kept = self._kept.get(name)
        return kept if isinstance(kept, Drawn) else None

    def size(self, name: str) -> int:
        """Return the number of weights of a projection."""
        kept = self._kept[name]
        return kept.size if isinstance(kept, Drawn) else int(np.size(kept))

    def held(self) -> Iterator[Any]:
        """Iterate over the weights that lie in memory."""
        return (kept for kept in self._kept.values() if not isinstance(kept, Drawn))
