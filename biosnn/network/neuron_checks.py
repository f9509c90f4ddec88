"""What a neuron table must be: checks that run when a `Neuron` is made, and leave plain numbers."""

from typing import Any

import numpy as np

from ..support import checks, plausible
from ..support.checks import real, reals, refuse, shown
from ..support.units import seconds
from ..support.warn import warn_if_implausible

_DICTS = ("states", "gains", "receptors", "time_constants", "reversal", "spike_jumps")
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
    _check_threshold(neuron)
    _check_integrator(neuron)
    _check_times(neuron)
    _check_time_constants(neuron)
    _check_receptors(neuron)
    _check_names(neuron)
    _check_spike_jumps(neuron)
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
    """Bounds, gains and reversal potentials become numbers, also where they have units."""
    for name in ("low", "high"):
        what = f"{neuron.model}: {name}"
        checks.keep(neuron, **{name: real(unitless(getattr(neuron, name)), what, infinite=True)})
    for name in ("gains", "reversal"):
        values = getattr(neuron, name).items()
        each = {key: real(unitless(v), f"{neuron.model}: {name}[{key!r}]") for key, v in values}
        checks.keep(neuron, **{name: each})


def _check_threshold(neuron):
    """Threshold and reset become numbers, also where they have units; a reset may be "subtract"."""
    for name in ("reset", "threshold"):
        _one_for_all(neuron, name, getattr(neuron, name))
    subtract = isinstance(neuron.reset, str) and neuron.reset == "subtract"
    reset = "subtract" if subtract else _number(neuron.reset)
    threshold = _number(neuron.threshold)
    if not subtract and not np.isfinite(reset):
        raise ValueError(
            f"{neuron.model}: reset is {shown(neuron.reset)}; it must be a value of U or "
            "'subtract'."
        )
    if np.isnan(threshold) or (not subtract and reset >= threshold):
        raise ValueError(
            f"{neuron.model}: threshold {shown(neuron.threshold)} must be a number above the reset "
            f"value {shown(neuron.reset)}; otherwise a neuron would spike at every step."
        )
    checks.keep(neuron, threshold=threshold, reset=reset)


def _one_for_all(neuron, name, given):
    """Raise a ValueError where a value that all neurons share was given for each of them."""
    if checks.has_axes(given):
        refuse(
            f"{neuron.model}: {name}",
            given,
            "one number for all neurons",
            "make a population for each value",
        )


def _check_integrator(neuron):
    """An integrator that exists, and that can run what is not linear in U."""
    if not isinstance(neuron.integrator, str) or neuron.integrator not in INTEGRATORS:
        raise ValueError(
            f"{neuron.model}: integrator {shown(neuron.integrator)} is not one of "
            f"{', '.join(INTEGRATORS)}."
        )
    if neuron.nonlinear_drive is None:
        return
    if neuron.integrator != "euler" or neuron.reset == "subtract" or not neuron.spiking:
        raise ValueError(
            f"{neuron.model}: a drive that is not linear in U needs integrator 'euler' (not "
            f"{neuron.integrator!r}), a finite peak (not {neuron.threshold!r}) and a reset to a "
            f"value (not {neuron.reset!r})."
        )


def _check_times(neuron):
    """Periods and delays become seconds."""
    for name, most in (("refractory", plausible.REFRACTORY), ("jump_delay", plausible.DELAY)):
        what = f"{neuron.model}: {name}"
        given = seconds(getattr(neuron, name), what)
        _one_for_all(neuron, name, given)
        checks.keep(neuron, **{name: checks.time(given, what, 0, plausible=most)})


def _check_time_constants(neuron):
    """Time constants become seconds, one number or one per neuron."""
    taus = {name: _time_constant(neuron, name) for name in neuron.time_constants}
    checks.keep(neuron, time_constants=taus)


def _time_constant(neuron, name):
    """One checked time constant."""
    what = f"{neuron.model}: time constant {name}"
    tau = seconds(neuron.time_constants[name], what)
    longest = _longest(neuron, name)
    if not checks.has_axes(tau):
        why = "seconds, one number or one per neuron"
        return checks.time(tau, what, above=0, plausible=longest, why=why)
    tau = reals(tau, what, above=0, shape=(None,))
    if not tau.size:
        refuse(what, tau, "one number or one per neuron, in seconds")
    warn_if_implausible(tau, what, longest)
    return tau


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
        kept[state] = np.array(given, float) if np.ndim(given) else float(given)
    checks.keep(neuron, spike_jumps=kept)


def _check_bounds(neuron):
    """Bounds of U leave room for the threshold and for the value after a spike."""
    if not neuron.bounded:
        return
    after_spike = 0.0 if neuron.reset == "subtract" else neuron.reset
    if not (neuron.spiking and neuron.low <= after_spike and neuron.threshold < neuron.high):
        raise ValueError(
            f"{neuron.model}: U is to be held between {neuron.low!r} and {neuron.high!r}; the "
            f"lower bound must not lie above {after_spike!r}, where a spike leaves U, and the "
            f"upper bound must lie above the threshold {neuron.threshold!r}, which must be finite."
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
