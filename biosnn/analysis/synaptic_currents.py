"""The excitatory and the inhibitory synaptic current of a population, as two signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import checks
from .balance import check_magnitudes
from .protocols import PopulationLike, is_run
from .signal import Signal, SignalLike, recorded, same_signals


def synaptic_currents(run: Any, population: PopulationLike | str) -> tuple[Signal, Signal]:
    """Return the excitatory and the inhibitory current into a population, both as magnitudes.

    Parameters
    ----------
    run
        What `biosnn.run` or `biosnn.simulate` returns, with the currents recorded, of neurons or as
        means: `record={"E.I_exc": "mean", "E.I_inh": "mean"}`. Conductances need
        `record=["E.U", "E.g_exc", "E.g_inh"]`, of the same neurons.
    population
        The population or its name. Excitation and inhibition must be separate states of its
        neurons, as in `ei_lif`, `ampa_nmda_gaba` and `conductance_lif`.

    Returns
    -------
    excitatory
        A signal: the sum of all excitatory currents.
    inhibitory
        A signal: the sum of all inhibitory currents, positive where they inhibit.

    Raises
    ------
    ValueError
        If the neurons have no separate currents, or they were not recorded.

    Notes
    -----
    In the equation tau_mem dU/dt = -U + sum_s g_s I_s the currents are |g_s I_s|, of positive gains
    g_s (excitatory) and negative ones (inhibitory). Through conductances they are g (E - U) and
    g (U - E): a product, whose mean is not that of the means, so that neurons are needed.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(10, bs.ei_lif(), "excitatory", name="E")
    >>> noise = [bs.PoissonInput("E", 500.0, 0.1)]
    >>> record = {"E.I_exc": "mean", "E.I_inh": "mean"}
    >>> done = bs.simulate(net, 0.2, background=noise, record=record, progress=False)
    >>> excitatory, inhibitory = bs.signals.synaptic_currents(done, "E")
    >>> bool(excitatory.values.mean() > 0), float(inhibitory.values.max())
    (True, 0.0)
    """
    name = checks.instance(
        getattr(population, "name", population), "population", str, "a population or its name"
    )
    if not is_run(run):
        why = "of what was read from a file, bs.signals.recorded gives each current"
        checks.refuse("run", run, "what bs.run or bs.simulate returns", why)
    cells = run.network[name]
    names = current_states(cells)
    groups = getattr(run, "groups", {})
    if len(getattr(cells.neuron, "reversal", ())) and (
        averaged := [state for state in names if f"{name}.{state}" in groups]
    ):
        raise ValueError(
            f"{name}.{averaged[0]} was recorded as a mean, and the mean of g (E - U) is not the "
            f"product of means; record neurons, such as {{'{name}.{averaged[0]}': range(100)}}."
        )
    parts = {state: recorded(run, f"{name}.{state}") for state in names}
    first = parts[names[0]]
    columns = [_columns(run, f"{name}.{state}", parts[state]) for state in names]
    if any(other != columns[0] for other in columns):
        raise ValueError(
            f"{', '.join(f'{name}.{state}' for state in names)} were recorded of different "
            "neurons; record the same of each."
        )
    e, i = currents_of(cells, {state: part.values for state, part in parts.items()})
    return Signal(e, first.dt, first.start), Signal(i, first.dt, first.start)


def _columns(run, state, signal):
    """Which neurons or groups the columns of a recorded state are."""
    known = run.neurons.get(state, run.groups.get(state, ()))
    return signal.values.shape, list(known)


def current_states(cells: Any) -> list[str]:
    """Return the states of a population that its synaptic currents follow from.

    Raises
    ------
    ValueError
        If its neurons have no separate excitatory and inhibitory current.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> current_states(net.population(2, bs.conductance_lif(), "excitatory", name="E"))
    ['U', 'g_exc', 'g_inh']
    """
    neuron = getattr(cells, "neuron", None)
    gains = {} if neuron is None else _gains(neuron)
    signs = {np.sign(gain) for gain in gains.values()}
    if neuron is None or not {1, -1} <= signs:
        raise ValueError(
            f"population {cells.name!r} has no separate excitatory and inhibitory current: its "
            f"states are {', '.join(cells.states) or 'none'}. Neurons such as ei_lif, "
            "ampa_nmda_gaba and conductance_lif have them."
        )
    return ["U", *gains] if neuron.reversal else list(gains)


def currents_of(cells: Any, states: Mapping[str, NDArray]) -> tuple[NDArray, NDArray]:
    """Return excitation and inhibition as magnitudes, of arrays of the states that they need."""
    neuron = cells.neuron
    sums = {1: 0.0, -1: 0.0}
    for state, gain in _gains(neuron).items():
        sign = 1 if gain > 0 else -1
        drive = abs(gain)
        if neuron.reversal:
            drive = sign * (_potential(cells, state, states) - states["U"])
        if state in neuron.magnesium:
            eta, gamma = neuron.magnesium[state]
            drive = drive / (1 + eta * np.exp(-gamma * states["U"]))
        sums[sign] = sums[sign] + drive * states[state]
    return sums[1], sums[-1]  # type: ignore[return-value]


def _potential(cells, state, states):
    """The reversal potential of a conductance, one or that of every recorded neuron."""
    potential = cells.neuron.reversal[state]
    if np.ndim(potential) and states["U"].shape[-1] != cells.n:
        raise ValueError(
            f"population {cells.name!r}: the reversal potential of {state} differs from neuron to "
            "neuron; record all of them."
        )
    return potential


def _gains(neuron):
    """State that is a current -> its gain in the equation of the membrane.

    Of a conductance it is 1 or -1, as its reversal potential lies above the threshold or not.
    """
    if neuron.reversal:
        threshold = np.mean(neuron.threshold)
        above = {g: np.mean(reversal) >= threshold for g, reversal in neuron.reversal.items()}
        return {g: 1.0 if excites else -1.0 for g, excites in above.items()}
    signs: dict[str, set] = {}
    for receptor in neuron.receptors.values():
        signs.setdefault(receptor.state, set()).add(receptor.sign)
    # currents that follow those of receptors, as NMDA follows AMPA
    currents = set(signs) | {to for to, by in neuron.gains if by in signs and to != "U"}
    return {
        state: gain
        for (to, state), gain in neuron.gains.items()
        if to == "U" and state in currents and not {1, -1} <= signs.get(state, set())
    }


def two_currents(
    excitatory: SignalLike, inhibitory: SignalLike, dt: float | None
) -> tuple[Signal, Signal]:
    """Return two currents as signals; ValueError unless they are >= 0 and of the same neurons."""
    e, i = same_signals(excitatory, inhibitory, dt, ("excitatory", "inhibitory"))
    if e.n_channels != i.n_channels:
        raise ValueError(
            f"excitatory has {e.n_channels} channels and inhibitory {i.n_channels}; both must be "
            "of the same neurons, or both means over them."
        )
    check_magnitudes(e.values, "excitatory")
    check_magnitudes(i.values, "inhibitory")
    return e, i
