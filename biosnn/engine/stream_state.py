"""What the state of a simulation must be before another one goes on from it: its schema, for any network and for a given one.

Arrays: x, clock, held and ring (engine.Memory), those of plasticity (plastic_engine.py), values and places of Ornstein-Uhlenbeck
sources, the key of the random numbers, and recent_steps, recent_populations and recent_units: the spikes that may not have arrived.
"""

import numpy as np

from ..support import schema
from . import plasticity as plastic_engine
from .state import KEY, number_of

_NAMES = ("x", "clock", "held", "ring")


def check_any(arrays, step, where):
    """ValueError unless these are the arrays of the state of a simulation, of whatever network."""
    schema.check_step(step, where)
    number, whole, real = (
        number_of(arrays, "x"),
        schema.Rule(np.int64, (None,), 0),
        schema.Rule(np.float64, (None,)),
    )
    known = {
        name: schema.Rule(np.int32, (None,), 0) if name == "clock" else schema.Rule(number, (None,))
        for name in _NAMES
    }
    known |= {
        f"plastic/{name}": whole if kind == "step" else real
        for name, kind in plastic_engine.PARTS.items()
    }
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


def check_spikes(state, place, longest):
    """ValueError unless the step, the key and the recent spikes of a state can be; the first of all checks.

    place: engine.Place of the network; longest: steps that a spike may be on its way.
    """
    arrays, step = state.arrays, schema.check_step(state.step, "state")
    n = place.n
    recent = _recent(np.size(arrays.get("recent_steps", ())), max(0, step - longest), step - 1) | {
        "key": KEY
    }
    schema.check({name: arrays[name] for name in recent if name in arrays}, recent, "state")
    steps, populations, units = (
        arrays[f"recent_{what}"] for what in ("steps", "populations", "units")
    )
    spiking = np.array([p.kind != "readout" for p in place.populations])
    wrong = (
        (populations >= n.size)
        | ~spiking[populations.clip(0, n.size - 1)]
        | (units >= n[populations.clip(0, n.size - 1)])
    )
    if wrong.any():
        k = int(np.argmax(wrong))
        raise ValueError(
            f"state: recent spike {k} is of unit {units[k]} of population {populations[k]}; the populations that spike have "
            + ", ".join(
                f"{n[p]} units ({p}: {place.populations[p].name})" for p in np.flatnonzero(spiking)
            )
            + "."
        )
    once = np.array([p.kind != "input" for p in place.populations])[
        populations
    ]  # inputs may spike several times a step
    schema.check_order((populations, steps, units), once, "state: 'recent_units'")


def check_memory(state, memory, limits, ou, sources):
    """ValueError unless states, clocks and arrivals of a state fit arrays `memory` (name -> array); limits: the largest clocks."""
    if np.shape(state.arrays.get("ou")) != ou.shape or not np.array_equal(
        state.arrays.get("ou_sources"), sources
    ):
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
    return {
        "recent_steps": schema.Rule(np.int64, (size,), low, high),
        "recent_populations": schema.Rule(np.int64, (size,), 0),
        "recent_units": schema.Rule(np.int32, (size,), 0),
    }
