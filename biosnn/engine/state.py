"""The state of neurons and delays at the end of a run or simulation, to go on from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from ..support.show import About, Shows, nbytes, plural


@dataclass(frozen=True, eq=False, repr=False)
class State(Shows):
    """Where a run (of all its trials) or a simulation stands: `trace.state`, `simulation.state`.

    Go on with `run(network, …, state=state)` or `simulate(network, …, state=state)`. `save_state`
    and `load_state` keep it in a file.

    Attributes
    ----------
    whose
        Fingerprint of the network that it belongs to, or what gives it: `fingerprint`.
    step
        How many steps there have been.
    arrays
        Name -> array: states, refractory clocks, spikes still on their way, random numbers.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> first = bs.run(net, duration=0.02, currents={"E": 3.0})
    >>> second = bs.run(net, duration=0.02, currents={"E": 3.0}, state=first.state)
    >>> second.start, second.state.step
    (0.02, 40)
    """

    whose: str | Callable[[], str]
    step: int
    arrays: dict[str, NDArray]

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint of the network that it belongs to."""
        return self.whose if isinstance(self.whose, str) else self.whose()

    def __reduce__(self) -> Any:
        return State, (self.fingerprint, self.step, self.arrays)

    def _about(self) -> About:
        """Of what, when, and how large."""
        size = sum(array.nbytes for array in self.arrays.values())
        rows = [("step", f"{self.step:,}"), ("size", nbytes(size)), ("network", self.fingerprint)]
        if "states" in self.arrays:
            rows.insert(0, ("of", plural(len(self.arrays["states"]), "trial")))
        return About("State", rows)
