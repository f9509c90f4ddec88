"""What a neuron table must be: checks that run when a `Neuron` is made, and leave plain numbers."""

from typing import Any

import numpy as np

from ..support import checks, plausible
from ..support.checks import real, reals, refuse, shown
from ..support.units import seconds
from ..support.warn import warn_if_implausible

_DICTS = (
    "states",
    "gains",
    "receptors",
    "time_constants",
    "reversal",
    "magnesium",
    "spike_jumps",
)
#: Parts of a table that are one number or an array (n,), and those that are so by name.
NUMBERS = ("threshold", "reset", "refractory", "low", "high")
NUMBERS_BY_NAME = ("time_constants", "reversal", "spike_jumps")
#: What training calls other parameters than time constants.
LEARNED = ("threshold", "jump", "bias")
_EITHER = "a number, one for all neurons or one per neuron"
INTEGRATORS = ("exact", "exponential_euler", "euler")


def check(neuron: Any) -> None:
    """Check a table and turn what was given into plain numbers and arrays.

    Parameters
    ----------
    neuron
        The `Neuron` that is being made.

    Raises
    ------
    ValueError
        If a value is not possible, or a part names what the table does not have.

    Warns
    -----
    UnitWarning
        Where a time is too long to be meant in seconds.
    """
    _check_kinds(neuron)
    _check_numbers(neuron)
    _check_times(neuron)
    _check_time_constants(neuron)
    _check_receptors(neuron)
    _check_names(neuron)
    _check_magnesium(neuron)
    _check_spike_jumps(neuron)
    _check_sizes(neuron)
    _check_threshold(neuron)
    _check_integrator(neuron)
    _check_bounds(neuron)


def _check_kinds(neuron):
    """Every part is of its kind: texts, dicts, a drive."""
    checks.texts([neuron.model], "model", "'lif'")
    for name in _DICTS:
        checks.instance(getattr(neuron, name), f"{neuron.model}: {name}", dict, "a dict")
    if not neuron.states:
        refuse(f"{neuron.model}: states", neuron.states, "a dict with the membrane, 'U', first")
    for pair in neuron.gains:
        if not isinstance(pair, tuple) or len(pair) != 2:
            refuse(f"{neuron.model}: a key of gains", pair, "a pair of states")
    for tau in neuron.states.values():
        checks.instance(tau, f"{neuron.model}: a value of states", str, "a time constant's name")
    if not (neuron.nonlinear_drive is None or hasattr(neuron.nonlinear_drive, "square")):
        what = f"{neuron.model}: nonlinear_drive"
        refuse(what, neuron.nonlinear_drive, "a NonlinearDrive, as adex has, or None")


def _check_numbers(neuron):
    """Values of U, gains and reversal potentials become numbers, also where they have units."""
    reset, what = neuron.reset, f"{neuron.model}: "
    if isinstance(reset, str) and reset == "subtract":
        checks.keep(neuron, reset="subtract")
    else:
        allowed = "a value of U, one number or one per neuron, or 'subtract'"
        checks.keep(neuron, reset=_kept(reset, what + "reset", allowed))
    for name in ("threshold", "low", "high"):
        value = _kept(getattr(neuron, name), what + name, infinite=True)
        checks.keep(neuron, **{name: value})
    reversal = {
        key: _kept(value, f"{what}reversal[{key!r}]") for key, value in neuron.reversal.items()
    }
    gains = {
        key: real(unitless(gain), f"{what}gains[{key!r}]") for key, gain in neuron.gains.items()
    }
    checks.keep(neuron, reversal=reversal, gains=gains)


def _kept(value, what, allowed=_EITHER, infinite=False):
    """A number as a float; numbers of many neurons, all of them finite, as a read-only array."""
    value = unitless(value)
    if checks.has_axes(value):
        return _read_only(reals(value, what), what)
    number = _number(value)
    if np.isnan(number) or (np.isinf(number) and not infinite):
        refuse(what, value, allowed)
    return number


def _read_only(values, what):
    """A copy that nobody can change."""
    if values.ndim != 1 or not values.size:
        refuse(what, values, _EITHER)
    values = np.array(values, float)
    values.flags.writeable = False
    return values


def _check_sizes(neuron):
    """All that differs from neuron to neuron is there for the same number of neurons."""
    sizes = {".".join(key): value.size for key, value in neuron.per_neuron.items()}
    if len(set(sizes.values())) > 1:
        each = ", ".join(f"{name} of {size}" for name, size in sizes.items())
        raise ValueError(f"{neuron.model}: values of different numbers of neurons: {each}.")


def _check_threshold(neuron):
    """The threshold lies above the value after a spike."""
    if neuron.subtracts:
        return
    wrong = neuron.reset >= np.asarray(neuron.threshold)
    if np.any(wrong):
        threshold, where = _first(wrong, neuron.threshold)
        raise ValueError(
            f"{neuron.model}: threshold {threshold!r}{where} must be a number above the reset "
            f"value {_first(wrong, neuron.reset)[0]!r}; otherwise a neuron would spike at every "
            "step."
        )


def _first(wrong, values):
    """The value of the first neuron for which something is wrong, and which neuron it is."""
    if not np.ndim(wrong):
        return values, ""
    k = int(np.argmax(wrong))
    return float(np.broadcast_to(values, wrong.shape)[k]), f" of neuron {k}"


def _check_integrator(neuron):
    """An integrator that exists, and that can run what is not linear in U."""
    if not isinstance(neuron.integrator, str) or neuron.integrator not in INTEGRATORS:
        raise ValueError(
            f"{neuron.model}: integrator {shown(neuron.integrator)} is not one of "
            f"{', '.join(INTEGRATORS)}."
        )
    if neuron.nonlinear_drive is None:
        return
    if neuron.integrator != "euler" or neuron.subtracts or not neuron.spiking:
        raise ValueError(
            f"{neuron.model}: a drive that is not linear in U needs integrator 'euler' (not "
            f"{neuron.integrator!r}), a finite peak (not {shown(neuron.threshold)}) and a reset "
            f"to a value (not {shown(neuron.reset)})."
        )


def _check_times(neuron):
    """Periods and delays become seconds; there is one jump delay for all neurons."""
    what, most = f"{neuron.model}: refractory", plausible.REFRACTORY
    refractory = _seconds(neuron.refractory, what, most, low=0)
    what, most = f"{neuron.model}: jump_delay", plausible.DELAY
    given = seconds(neuron.jump_delay, what)
    if checks.has_axes(given):
        refuse(what, given, "one number for all neurons", "make a population for each value")
    delay = checks.time(given, what, 0, plausible=most)
    checks.keep(neuron, refractory=refractory, jump_delay=delay)


def _check_time_constants(neuron):
    """Time constants become seconds, one number or one per neuron."""
    if taken := [name for name in LEARNED if name in neuron.time_constants]:
        raise ValueError(
            f"{neuron.model}: a time constant cannot be called {taken[0]!r}, which names another "
            "parameter that training may change."
        )
    taus = {
        name: _seconds(tau, f"{neuron.model}: time constant {name}", _longest(neuron, name))
        for name, tau in neuron.time_constants.items()
    }
    checks.keep(neuron, time_constants=taus)


def _seconds(value, what, longest, low=None):
    """A time as a float, those of many neurons as a read-only array; > 0, or from `low` on."""
    value = seconds(value, what)
    bounds = {"above": 0} if low is None else {"low": low}
    if not checks.has_axes(value):
        why = "seconds, one number or one per neuron"
        return checks.time(value, what, plausible=longest, why=why, **bounds)
    value = _read_only(reals(value, what, **bounds), what)
    warn_if_implausible(value, what, longest)
    return value


def _longest(neuron, name):
    """Seconds above which a time constant can hardly be meant."""
    membrane = name == neuron.membrane_tau
    if name == "adapt" or (membrane and not neuron.spiking):
        return plausible.SLOW
    return plausible.MEMBRANE if neuron.spiking else plausible.READOUT_SYNAPSE


def _check_names(neuron):
    """Every part of the table names states and time constants that it has."""
    states, taus = list(neuron.states), list(neuron.time_constants)
    for state, tau in neuron.states.items():
        if tau not in taus:
            raise ValueError(
                f"{neuron.model}: state {state!r} has the time constant {tau!r}; there are "
                f"{', '.join(taus)}."
            )
    named = [(f"receptor {name!r} points", r.state) for name, r in neuron.receptors.items()]
    named += [(f"the gain {pair!r} points", state) for pair in neuron.gains for state in pair]
    named += [("a reversal potential points", state) for state in neuron.reversal]
    for what, state in named:
        if state not in states:
            raise ValueError(
                f"{neuron.model}: {what} at the state {state!r}; there are {', '.join(states)}."
            )


def _check_receptors(neuron):
    """Jumps are numbers, signs are signs."""
    for name, receptor in neuron.receptors.items():
        if not all(hasattr(receptor, part) for part in ("state", "jump", "sign")):
            refuse(f"{neuron.model}: receptor {name!r}", receptor, "a bs.Receptor")
        checks.instance(receptor.state, f"{neuron.model}: state of {name!r}", str, "a state's name")
        if _number(receptor.sign) not in (-1, 0, 1) or not np.isfinite(_number(receptor.jump)):
            raise ValueError(
                f"{neuron.model}: receptor {name!r} has jump {shown(receptor.jump)} and sign "
                f"{shown(receptor.sign)}; a jump is a finite number, a sign -1, 0 or 1."
            )


def _check_magnesium(neuron):
    """A magnesium block is that of a conductance, and a pair of numbers."""
    kept = {}
    for state, given in neuron.magnesium.items():
        what = f"{neuron.model}: magnesium[{state!r}]"
        if state not in neuron.reversal:
            raise ValueError(
                f"{what}: the block is one of a conductance; those with a reversal potential are "
                f"{', '.join(neuron.reversal) or 'none'}."
            )
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            refuse(what, given, "a pair (eta, gamma) of B = 1 / (1 + eta exp(-gamma U))")
        eta, gamma = (unitless(each) for each in given)
        kept[state] = (real(eta, f"{what}: eta", 0), real(gamma, f"{what}: gamma", 0))
    checks.keep(neuron, magnesium=kept)


def _check_spike_jumps(neuron):
    """What a spike adds becomes numbers, one or one per neuron, and not to U."""
    others = list(neuron.states)[1:]
    kept = {}
    for state, given in neuron.spike_jumps.items():
        jump = _numbers(given)
        possible = jump.ndim <= 1 and jump.size and np.all(np.isfinite(jump))
        if state not in others or not possible:
            raise ValueError(
                f"{neuron.model}: a spike adds {shown(given)} to {state}; it must be finite, one "
                "number or one per neuron, and add to one of "
                f"{', '.join(others) or 'no states (there is only U)'}."
            )
        kept[state] = _read_only(jump, "") if jump.ndim else float(jump)
    checks.keep(neuron, spike_jumps=kept)


def _check_bounds(neuron):
    """Bounds of U leave room for the threshold and for the value after a spike."""
    if not neuron.bounded:
        return
    after_spike = 0.0 if neuron.subtracts else neuron.reset
    low, high, threshold = (
        np.asarray(getattr(neuron, name)) for name in ("low", "high", "threshold")
    )
    wrong = ~(np.isfinite(threshold) & (low <= after_spike) & (threshold < high))
    if np.any(wrong):
        names, where = ("low", "high", "threshold"), _first(wrong, low)[1]
        low, high, threshold = (_first(wrong, getattr(neuron, name))[0] for name in names)
        raise ValueError(
            f"{neuron.model}: U{where} is to be held between {low!r} and {high!r}; the lower bound "
            f"must not lie above {_first(wrong, after_spike)[0]!r}, where a spike leaves U, and "
            f"the upper bound must lie above the threshold {threshold!r}, which must be finite."
        )


# ------------------------------------------------------------------------------- used by models


def check_finite(model: str, **values: Any) -> None:
    """Raise a ValueError where a parameter of a model is not a finite number.

    Parameters
    ----------
    model
        Name of the model, for the message.
    **values
        Parameters by their names.

    Examples
    --------
    >>> check_finite("adex", a=0.1, b=0.2)
    """
    for name, value in values.items():
        if not np.isfinite(_number(value)):
            refuse(f"{model}: {name}", value, "a finite number")


def check_values(model: str, **values: Any) -> None:
    """Raise a ValueError where a parameter is no finite number, nor an array of one per neuron.

    Parameters
    ----------
    model
        Name of the model, for the message.
    **values
        Parameters by their names.

    Examples
    --------
    >>> check_values("nmda_lif", reversal_exc=[0.06, 0.07], reversal_inh=0.0)
    """
    for name, value in values.items():
        _kept(value, f"{model}: {name}")


def unitless(value: Any) -> Any:
    """Return a quantity of Brian2 as the number that it stores, in base units.

    Parameters
    ----------
    value
        Anything; what is not such a quantity is returned as it is.

    Examples
    --------
    >>> unitless(3.0)
    3.0
    """
    return np.asarray(value) if isinstance(value, np.ndarray) and hasattr(value, "dim") else value


def _number(value):
    """Return a float, NaN where `value` is not a real number."""
    try:
        return real(unitless(value), "", infinite=True)
    except ValueError:
        return np.nan


def _numbers(values):
    """Return an array of floats, NaN where `values` are not real numbers."""
    try:
        return reals(unitless(values), "", infinite=True)
    except ValueError:
        return np.array(np.nan)
