"""The state of a simulation: what it must be before another one goes on from it.

Arrays: x, clock, held and ring (stream_tables.Memory), those of plasticity (plasticity.py), values
and places of Ornstein-Uhlenbeck sources, the key of the random numbers, and recent_steps,
recent_populations and recent_units: the spikes that may not have arrived.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import schema
from .plasticity import PARTS
from .state import State
from .stream_layout import StreamLayout
from .trial_state import KEY, number_of

_NAMES = ("x", "clock", "held", "ring")


def check_any(arrays: dict[str, NDArray], step: Any, where: str) -> None:
    """Raise a ValueError unless these can be the arrays of a simulation of any network."""
    schema.check_step(step, where)
    number = number_of(arrays, "x")
    whole = schema.Rule(np.int64, (None,), 0)
    real = schema.Rule(np.float64, (None,))
    known = {
        name: schema.Rule(np.int32, (None,), 0) if name == "clock" else schema.Rule(number, (None,))
        for name in _NAMES
    }
    known |= {f"plastic/{name}": whole if kind == "step" else real for name, kind in PARTS.items()}
    known |= {name: schema.Rule(number, (None,)) for name in arrays if name.startswith("weight/")}
    known |= {
        "plastic/released": schema.Rule(number, (None,), 0),
        "ou": schema.Rule(number, (None,)),
        "key": KEY,
        "ou_sources": schema.Rule(np.int64, (None, 2), 0),
    }
    schema.check(
        arrays,
        known | _recent(np.size(arrays.get("recent_steps", ())), 0, schema.MOST_STEPS),
        where,
    )


def check_spikes(state: State, layout: StreamLayout, longest: int) -> None:
    """Raise a ValueError unless step, key and recent spikes of a state are possible.

    It is the first of all checks; longest: steps that a spike may be on its way.
    """
    arrays, step = state.arrays, schema.check_step(state.step, "state")
    n = layout.n
    recent = _recent(np.size(arrays.get("recent_steps", ())), max(0, step - longest), step - 1) | {
        "key": KEY
    }
    schema.check({name: arrays[name] for name in recent if name in arrays}, recent, "state")
    steps, populations, units = (
        arrays[f"recent_{what}"] for what in ("steps", "populations", "units")
    )
    spiking = np.array([p.kind != "readout" for p in layout.populations])
    wrong = (
        (populations >= n.size)
        | ~spiking[populations.clip(0, n.size - 1)]
        | (units >= n[populations.clip(0, n.size - 1)])
    )
    if wrong.any():
        k = int(np.argmax(wrong))
        raise ValueError(
            f"state: recent spike {k} is of unit {units[k]} of population {populations[k]}; the "
            "populations that spike have "
            + ", ".join(
                f"{n[p]} units ({p}: {layout.populations[p].name})" for p in np.flatnonzero(spiking)
            )
            + "."
        )
    # inputs may spike several times a step
    once = np.array([p.kind != "input" for p in layout.populations])[populations]
    schema.check_order((populations, steps, units), once, "state: 'recent_units'")


def check_memory(
    state: State, memory: dict[str, NDArray], limits: NDArray, ou: NDArray, sources: NDArray
) -> None:
    """Raise a ValueError unless states, clocks and arrivals of a state fit the arrays `memory`.

    Parameters
    ----------
    state
        Of an earlier simulation.
    memory
        Name -> array of the network.
    limits
        The largest clocks.
    ou, sources
        Values and places of Ornstein-Uhlenbeck sources.
    """
    values: Any = state.arrays.get("ou")
    places: Any = state.arrays.get("ou_sources")
    if np.shape(values) != ou.shape or not np.array_equal(places, sources):
        raise ValueError(
            "this state was reached with another background: Ornstein-Uhlenbeck sources differ."
        )
    known = {
        name: schema.Rule(
            array.dtype,
            array.shape,
            0 if name == "clock" else None,
            limits if name == "clock" else None,
        )
        for name, array in memory.items()
    }
    known |= {
        "ou": schema.Rule(ou.dtype, ou.shape),
        "ou_sources": schema.Rule(np.int64, sources.shape),
        "key": KEY,
    }
    others = ("plastic/", "weight/", "recent_")
    schema.check(
        {name: array for name, array in state.arrays.items() if not name.startswith(others)},
        known,
        "state",
    )


def _recent(size, low, high):
    """The schema of that many recent spikes, of steps within bounds."""
    return {
        "recent_steps": schema.Rule(np.int64, (size,), low, high),
        "recent_populations": schema.Rule(np.int64, (size,), 0),
        "recent_units": schema.Rule(np.int32, (size,), 0),
    }
