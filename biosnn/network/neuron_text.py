"""A neuron table in words: what a `Neuron` prints."""

from typing import Any

import numpy as np

from ..support.show import milliseconds


def rows(neuron: Any) -> list[tuple[str, str]]:
    """Return the labelled values of a table.

    Parameters
    ----------
    neuron
        The `Neuron`.
    """
    receptors = [_receptor(name, receptor) for name, receptor in neuron.receptors.items()]
    found = [("states", neuron.states_text()), ("receptors", ", ".join(receptors) or "none")]
    found.append(("threshold", _threshold(neuron)))
    if np.any(neuron.refractory):
        found.append(("refractory", time(neuron.refractory)))
    found.append(("integrator", neuron.integrator))
    if neuron.reversal:
        reversal = [f"{state} {value(v)}" for state, v in neuron.reversal.items()]
        found.append(("reversal", ", ".join(reversal)))
    for state, (eta, gamma) in neuron.magnesium.items():
        found.append(("magnesium", f"{state} / (1 + {eta:.4g} exp(-{gamma:.4g} U))"))
    if neuron.spike_jumps:
        jumps = [f"{state} += {value(jump)}" for state, jump in neuron.spike_jumps.items()]
        found.append(("after a spike", ", ".join(jumps)))
    if neuron.nonlinear_drive is not None:
        found.append(("nonlinear drive", repr(neuron.nonlinear_drive)))
    if neuron.bounded:
        found.append(("U within", _bounds(neuron.low, neuron.high)))
    return found


def time(seconds: Any) -> str:
    """Return one time, or the range of those of many neurons, in words.

    Examples
    --------
    >>> time(0.02), time(np.array([0.01, 0.02]))
    ('20 ms', '10 ms to 20 ms')
    """
    return _range(seconds, milliseconds)


def value(given: Any) -> str:
    """Return one number, or the range of those of many neurons, in words.

    Examples
    --------
    >>> value(0.5), value(np.array([1.0, 2.0]))
    ('0.5', '1 to 2')
    """
    return _range(given, lambda one: f"{one:g}")


def _range(values, words):
    """One number in words, or the least and the largest."""
    if np.ndim(values) == 0:
        return words(float(values))
    return f"{words(float(np.min(values)))} to {words(float(np.max(values)))}"


def _threshold(neuron):
    """Say where it spikes, and what follows."""
    if not neuron.spiking:
        return "none"
    after = "by subtraction" if neuron.subtracts else f"to {value(neuron.reset)}"
    return f"{value(neuron.threshold)}, reset {after}"


def _bounds(low, high):
    """The bounds of U."""
    if np.ndim(low) or np.ndim(high):
        return f"{value(low)} and {value(high)}"
    return f"{low:g} to {high:g}"


def _receptor(name, receptor):
    """What a spike of weight w does at a receptor."""
    sign = "-" if receptor.jump < 0 else "+"
    factor = "" if abs(receptor.jump) == 1 else f"{abs(receptor.jump):.4g} "
    return f"{name}: {receptor.state} {sign}= {factor}w"
