"""What a run happens in, beside its inputs: background, initial states, random numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..network.drawing import draw, is_random
from ..network.families import refuse_family
from ..support.checks import instance, reals
from ..support.seeds import stream, whole_seed
from .background_tables import PackedBackground, pack_background
from .layout import Layout
from .standing import at_start
from .state import State
from .wire_tables import WireTables

_NEXT_TRIAL = np.uint64(0x9E3779B97F4A7C15)


def random_key(seed: Any, state: State | None) -> tuple[int | None, int]:
    """Return the whole seed and the key of random numbers of a run.

    The seed is None where the random numbers go on from `state`; a seed in addition to a state
    makes a branch.
    """
    if state is not None and seed is None:
        return None, int(state.arrays["key"])
    seed = whole_seed(0 if seed is None else seed)
    if state is None:
        rng = np.random.default_rng(seed)
    else:
        rng = stream(seed, "branch", str(state.step))
    return seed, int(rng.integers(2**64, dtype=np.uint64))


def trial_keys(key: int, trials: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the key of the random numbers of each trial; trial 0 has that of one network."""
    with np.errstate(over="ignore"):
        return np.uint64(key) + trials.astype(np.uint64) * _NEXT_TRIAL


def find_state(layout: Layout, name: Any) -> tuple[int, int]:
    """Return the first element and the size of a state such as "E.U".

    Raises
    ------
    ValueError
        If there is no such state.
    """
    example = "a text, such as 'E.U'"
    population, _, state = instance(name, "a state", str, example).partition(".")
    p = layout.network[population]
    if state not in p.states:
        raise ValueError(f"there is no state {name!r}; {population} has {p.known_states()}.")
    return layout.state(population, state)


@dataclass(frozen=True, eq=False)
class Conditions:
    """Background and initial states of a number of trials.

    Parameters
    ----------
    layout, wires
        Of the network.
    background
        As kernels read it.
    initial
        State name -> a number, an array (n,) or (trials, n), or a distribution.
    """

    layout: Layout
    wires: WireTables
    background: PackedBackground
    initial: Mapping[str, Any]

    @property
    def _differs(self) -> bool:
        """Whether trials start differently."""
        return any(is_random(v) or np.ndim(v) > 1 for v in self.initial.values())

    def start(self, seed: int | None, trials: NDArray[np.int64]) -> arrays.Standing:
        """Return where some trials start: one row for all, or one for each.

        Parameters
        ----------
        seed
            Of initial states that are drawn; each trial draws its own.
        trials
            Their numbers in the data set.
        """
        start = at_start(self.layout, self.wires, self.background.n_ou)
        if self._differs:
            start = arrays.Standing(*(np.repeat(a, trials.size, axis=0) for a in start))
        for name, values in self.initial.items():
            first, n = find_state(self.layout, name)
            place = start.states[:, first : first + n]
            if is_random(values):
                for row, trial in zip(place, trials):
                    more = [str(trial)] if trial else []
                    given = draw(values, stream(seed or 0, name, "initial", *more), n)
                    row[:] = reals(given, f"initial {name!r}", dtype=self.layout.network.dtype)
            else:
                place[:] = values[trials] if np.ndim(values) > 1 else values
        return start


def make_conditions(
    layout: Layout, wires: WireTables, background: Any, initial: Any, n_trials: int = 1
) -> Conditions:
    """Return background and initial states, checked.

    Parameters
    ----------
    layout, wires
        Of the network.
    background, initial
        As the user gave them.
    n_trials
        Number of trials; values of a background, and initial states, may differ between them.

    Raises
    ------
    ValueError
        If something does not fit the network.
    """
    example = "a dict of states, such as {'E.U': 0.5}"
    instance({} if initial is None else initial, "initial", dict, example)
    checked = {}
    for name, values in (initial or {}).items():
        _, n = find_state(layout, name)
        refuse_family(values, f"initial {name!r}")
        if not is_random(values):
            values = reals(values, f"initial {name!r}", dtype=layout.network.dtype)
            if values.shape not in ((), (n,), *([(n_trials, n)] if n_trials > 1 else [])):
                raise ValueError(
                    f"initial {name!r} has shape {values.shape}; it must be one number, or {n}, "
                    f"one per neuron{f', or ({n_trials}, {n}), one per trial' * (n_trials > 1)}."
                )
        checked[name] = values
    packed = pack_background(layout, background, n_trials)
    return Conditions(layout, wires, packed, checked)
