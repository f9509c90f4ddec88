"""What Brian2 is told about a population, as text and numbers. Nothing here needs Brian2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..network.network import Network
from ..network.population import Population

#: Brian2's exact solution with a clamped U divides by the difference of its time constants, also
#: where they are equal.
_HOLD = "U = int(not_refractory)*U + (1 - int(not_refractory))*U_held"


def require_brian2() -> ModuleType:
    """Return the module brian2.

    Returns
    -------
    The module, imported.

    Raises
    ------
    ImportError
        If it cannot be imported; it says how to get Brian2.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.brian.require_brian2().__name__  # doctest: +SKIP
    'brian2'
    """
    try:
        import brian2
    except ImportError as error:
        raise ImportError(
            f"the comparison needs Brian2, which cannot be imported ({error}): pip install "
            "'biosnn[brian2]'."
        ) from None
    return brian2


@dataclass(frozen=True)
class Group:
    """What a NeuronGroup is made of: text, and arrays or numbers by name.

    Parameters
    ----------
    name, n
        Its name in Brian2, and the number of neurons.
    model
        The equations.
    options
        Method, threshold and reset.
    refractory
        Seconds as the user gave them, which Brian2 rounds itself; 0 if it needs none; the name of
        a parameter where they differ.
    constants
        Name to seconds, one number.
    parameters
        Name to array, one number per neuron; times (tau_…) in seconds.
    initial
        U at the start, one number or (n,).
    hold
        Statement after every update that clamps U, where Brian2's own way fails; or "".
    bounds
        Statement after that, which holds U between two values; or "".
    jumps
        What a spike of a neuron does to itself after a delay, as synapses say it; or "".
    jump_delay
        That delay in steps.
    """

    name: str
    n: int
    model: str
    options: dict[str, str]
    refractory: float | str
    constants: dict[str, float]
    parameters: dict[str, np.ndarray]
    initial: Any
    hold: str
    bounds: str
    jumps: str
    jump_delay: int


def describe(network: Network, population: Population, name: str, driven: bool) -> Group:
    """Return the Group of a population: equations from the rows of its table.

    Equal time constants get one symbol, because the exact solution divides by differences.

    Parameters
    ----------
    network, population
        A population with a membrane.
    name
        Its name in Brian2.
    driven
        Whether it receives an injected current J.
    """
    neuron: Any = population.neuron
    if population.noise:
        raise ValueError(
            f"population {population.name!r} has escape noise: its spikes are drawn at random, so "
            "there is nothing to compare with Brian2 spike by spike. Describe it with noise=None."
        )
    method, times = _method(network, population)
    taus = _time_constants(population.name, times, method)
    # one step clamps nothing
    clamps = population.kind == "spiking" and bool(np.any(neuron.refractory > network.dt))
    shared = len(set(taus.symbols.values())) < len(taus.symbols)
    hold = _HOLD if clamps and method == "exact" and shared else ""
    jumps, each = _jumps(network, population), _Each()
    lines = _equations(neuron, taus.symbols, each, driven, clamped=clamps and not hold)
    options = {"method": method} | _options(network, population, each, hold, jumps.at_once)
    refractory = each(neuron.refractory, "tau_refractory") if clamps else "0.0"
    several = refractory == "tau_refractory"
    bounds = f"U = clip(U, {each(neuron.low, 'U_low')}, {each(neuron.high, 'U_high')})"
    parameters = taus.parameters | each.parameters | jumps.each
    for parameter in parameters:
        lines.append(f"{parameter} : {unit_of(parameter) or '1'} (constant)")
    lines += ["J : 1"] if driven else []
    lines += ["U_held : 1"] if hold else []
    return Group(
        name=name,
        n=population.n,
        model="\n".join(lines),
        options=options,
        refractory=refractory if several else float(refractory),
        constants=taus.constants,
        parameters=parameters,
        initial=population.initial,
        hold=hold,
        bounds=bounds if neuron.bounded else "",
        jumps=jumps.later,
        jump_delay=neuron.jump_delay_steps(network.dt),
    )


def unit_of(parameter: str) -> str:
    """Return the unit of a parameter of a group: "second", or "" for a plain number.

    Examples
    --------
    >>> unit_of("tau_mem"), unit_of("U_threshold")
    ('second', '')
    """
    return "second" if parameter.startswith("tau_") else ""


class _Each:
    """What differs from neuron to neuron becomes a parameter with a name, the rest a number."""

    def __init__(self):
        self.parameters: dict[str, np.ndarray] = {}

    def __call__(self, value, name):
        """The text that stands for a value in equations and statements."""
        if not np.ndim(value):
            return repr(float(value))
        self.parameters[name] = np.asarray(value)
        return name


def _options(network, population, each, hold, at_once):
    """Threshold and reset; what a spike does at once follows the reset."""
    neuron, options = population.neuron, {}
    if population.kind == "spiking":
        threshold = each(network.thresholds(population), "U_threshold")
        options["threshold"] = f"U > {threshold}"
        subtracts = neuron.subtracts
        reset = f"U -= {threshold}" if subtracts else f"U = {each(neuron.reset, 'U_reset')}"
        options["reset"] = reset + ("; U_held = U" if hold else "") + at_once
    return options


class _Jumps(NamedTuple):
    at_once: str  # text to follow a reset
    later: str  # that of synapses from every neuron onto itself
    each: dict[str, np.ndarray]  # jumps that differ between neurons


def _jumps(network, population):
    """What a spike does to other states of its own neuron."""
    at_once, later, each = "", [], {}
    for state, jump in network.spike_jumps(population).items():
        size, where = (f"jump_{state}", "_post") if np.ndim(jump) else (repr(float(jump)), "")
        each |= {size: jump} if np.ndim(jump) else {}
        at_once += f"; {state} += {size}"
        later.append(f"{state}_post += {size}{where}")
    if population.neuron.jump_delay_steps(network.dt) > 0:
        return _Jumps(at_once="", later="; ".join(later), each=each)
    return _Jumps(at_once=at_once, later="", each=each)


# ---------------------------------------------------------------------------------------- equations


def _equations(neuron, symbols, each, driven, clamped):
    """One line for each state and each block; J and the clamp belong to U."""
    lines = []
    for state, tau in neuron.states.items():
        terms = _terms(neuron, state, each)
        right = f"-{state}{terms}{' + J' if driven and state == 'U' else ''}"
        held = " (unless refractory)" if clamped and state == "U" else ""
        lines.append(f"d{state}/dt = ({right})/{symbols[tau]} : 1{held}")
    for state, (eta, gamma) in neuron.magnesium.items():  # of U at the beginning of a step
        block = f"1/(1 + {eta!r}*exp(-{gamma!r}*U))"
        lines.append(f"{_open(state)} = {block} : 1 (constant over dt)")
    return lines


def _open(conductance):
    """The share of a conductance that magnesium does not block."""
    return f"open_{conductance}"


def _terms(neuron, state, each):
    """What other states, reversal potentials and a nonlinear drive add to the right-hand side."""
    terms = ""
    for (row, other), gain in neuron.gains.items():
        if row == state:
            size = "" if abs(gain) == 1 else f"{abs(float(gain))!r}*"
            terms += f" {'+' if gain >= 0 else '-'} {size}{other}"
    if state != "U":
        return terms
    for conductance, potential in neuron.reversal.items():
        share = f"{_open(conductance)}*" if conductance in neuron.magnesium else ""
        terms += f" + {share}{conductance}*({each(potential, f'E_{conductance}')} - U)"
    return terms + (_nonlinear_drive(neuron.nonlinear_drive) if neuron.nonlinear_drive else "")


def _nonlinear_drive(drive):
    """The terms of a NonlinearDrive."""
    text = f" + {drive.square!r}*U**2" if drive.square else ""
    text += f" + {drive.constant!r}" if drive.constant else ""
    if drive.slope:
        text += f" + {drive.slope!r}*exp((U - {drive.onset!r})/{drive.slope!r})"
    return text


class _TimeConstants(NamedTuple):
    symbols: dict[str, str]  # of each time constant
    constants: dict[str, float]  # symbol -> seconds, of those that are one number
    parameters: dict[str, np.ndarray]  # symbol -> seconds, of the others


def _method(network, population):
    """Brian2's method, and the time constants with which its steps are those of biosnn.

    Where there are conductances, U takes exponential Euler steps, and only the other states follow
    the integrator: exp(-dt / tau') = 1 - dt / tau makes forward Euler steps of the former.
    """
    neuron, taus = population.neuron, network.time_constants(population)
    if not neuron.reversal or neuron.integrator == "exponential_euler":
        return neuron.integrator, taus
    others = {name: tau for name, tau in taus.items() if name != neuron.states["U"]}
    exact, dt = neuron.integrator == "exact", network.dt
    coarse = not exact and any(np.min(tau) <= dt for tau in others.values())
    if neuron.nonlinear_drive or coarse or (exact and neuron.gains):
        raise ValueError(
            f"population {population.name!r}: no method of Brian2 takes the steps of "
            f"{neuron.model} with integrator {neuron.integrator!r}, because the U of conductances "
            "takes exponential Euler steps in biosnn. Choose integrator='exponential_euler'."
        )
    if not exact:
        taus = taus | {name: -dt / np.log1p(-dt / tau) for name, tau in others.items()}
    return "exponential_euler", taus


def _time_constants(name: str, taus: Mapping, method: str) -> _TimeConstants:
    """Symbols and values of the time constants of a population."""
    symbols: dict[str, str] = {}
    constants: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for tau, value in taus.items():
        value = np.asarray(value, float)
        known = constants if value.ndim == 0 else parameters
        same = [symbol for symbol, other in known.items() if np.array_equal(other, value)]
        symbols[tau] = same[0] if same else f"tau_{tau}"
        known.setdefault(symbols[tau], value if value.ndim else float(value))
    if method == "exact":
        _check_distinct(name, list((constants | parameters).items()))
    return _TimeConstants(symbols=symbols, constants=constants, parameters=parameters)


def _check_distinct(name, values):
    """ValueError for time constants whose difference Brian2's exact solution cannot divide by."""
    for k, (a, first) in enumerate(values):
        for b, second in values[k + 1 :]:
            near = np.atleast_1d(np.isclose(second, first, rtol=1e-6, atol=0))
            if near.any():
                several = np.ndim(first) or np.ndim(second)
                which = f" of neuron {int(np.flatnonzero(near)[0])}" if several else ""
                raise ValueError(
                    f"population {name!r}: {a} and {b}{which} are (nearly) equal, but not all of "
                    "them are the same numbers; Brian2's exact solution divides by their "
                    "difference. Change one of them a little, or make all equal."
                )
