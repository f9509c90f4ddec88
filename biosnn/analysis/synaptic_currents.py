"""The excitatory and the inhibitory synaptic current of a population, as two signals."""

from __future__ import annotations

from typing import Any

from ..support import checks
from .balance import check_magnitudes
from .protocols import PopulationLike
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
    if isinstance(run, type) or not hasattr(run, "network"):
        checks.refuse("run", run, "what bs.run or bs.simulate returns")
    cells = run.network[name]
    neuron = getattr(cells, "neuron", None)
    if getattr(neuron, "reversal", None):
        return _through_conductances(run, name, neuron)
    gains = {} if neuron is None else _gains(neuron)
    sides = [[s for s, g in gains.items() if sign * g > 0] for sign in (1, -1)]
    if not all(sides):
        raise ValueError(
            f"{name} has no separate excitatory and inhibitory current: its states are "
            f"{', '.join(cells.states) or 'none'}. Neurons such as ei_lif, ampa_nmda_gaba and "
            "conductance_lif have them."
        )
    excitatory, inhibitory = (
        _sum([(abs(gains[s]), recorded(run, f"{name}.{s}")) for s in side]) for side in sides
    )
    return excitatory, inhibitory


def _gains(neuron):
    """State of a receptor's current -> its gain in the equation of the membrane."""
    membrane = next(iter(neuron.states))
    signed = {receptor.state for receptor in neuron.receptors.values()}
    currents = {to for (to, by) in neuron.gains if by in signed and to != membrane} | signed
    return {
        state: gain
        for (to, state), gain in neuron.gains.items()
        if to == membrane and state in currents and _has_one_sign(neuron, state)
    }


def _has_one_sign(neuron, state):
    """Whether no receptors of both signs move a state."""
    signs = {receptor.sign for receptor in neuron.receptors.values() if receptor.state == state}
    return not {1, -1} <= signs


def _sum(parts):
    """The sum of signals with their gains."""
    first = parts[0][1]
    for _, signal in parts:
        _check_same(first, signal)
    return Signal(sum(gain * signal.values for gain, signal in parts), first.dt, first.start)


def _check_same(one, other):
    """ValueError unless two signals are of the same neurons."""
    if one.values.shape != other.values.shape:
        raise ValueError(
            "the currents of a population were recorded of different neurons; record the same of "
            "each state."
        )


def _through_conductances(run, name, neuron):
    """Currents g (E - U) and g (U - E), of each neuron."""
    membrane = next(iter(neuron.states))
    states = [membrane, *neuron.reversal]
    if averaged := [s for s in states if f"{name}.{s}" in getattr(run, "groups", {})]:
        raise ValueError(
            f"{name}.{averaged[0]} was recorded as a mean, and the mean of g (E - U) is not the "
            f"product of means; record neurons, such as {{'{name}.{averaged[0]}': range(100)}}."
        )
    u, *conductances = (recorded(run, f"{name}.{state}") for state in states)
    threshold, parts = neuron.threshold, {1: [], -1: []}
    for g, reversal in zip(conductances, neuron.reversal.values(), strict=True):
        sign = 1 if reversal >= threshold else -1
        _check_same(u, g)
        current = g.values * (reversal - u.values)
        parts[sign].append((sign, Signal(current, g.dt, g.start)))
    if not (parts[1] and parts[-1]):
        raise ValueError(
            f"the reversal potentials of {name}, {neuron.reversal}, are all on one side of the "
            f"threshold, {threshold:g}."
        )
    return _sum(parts[1]), _sum(parts[-1])


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
