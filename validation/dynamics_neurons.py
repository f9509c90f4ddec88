"""The first rung of the ladder: every table of neurons, with all that it can have."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

import biosnn as bs

from .dynamics_cases import UPSTROKE, Case

INTEGRATORS = ("exact", "exponential_euler", "euler")
REFRACTORY = (0.0, 1e-3, 2e-3, 5e-3)  # seconds
TABLES: tuple[Any, ...] = (
    bs.lif,
    bs.ei_lif,
    bs.lif_delta,
    bs.adaptive_lif,
    bs.ei_adaptive_lif,
    bs.ampa_nmda_gaba,
)


def neurons() -> Iterator[Case]:
    """Every table, integrator, reset and refractory period, driven by spikes and a current."""
    spikes = bs.data.poisson(20, 20, 2.0, seed=1)
    yield from linear(spikes)
    yield from options(spikes)
    yield from of_each_neuron(spikes)
    yield from conductances(spikes)
    yield from block(spikes)
    yield from upstrokes()


def linear(spikes: bs.SpikeTrains) -> Iterator[Case]:
    """The tables without conductances."""
    current = {"A": np.full((2000, 3), 0.3)}
    for table, integrator, reset, refractory in product(
        TABLES, INTEGRATORS, (0.0, "subtract"), REFRACTORY
    ):
        if table is bs.lif_delta and reset == "subtract" and refractory > 0:
            continue  # not a model: spikes that arrive with the reset would be lost
        net, rng = bs.Network(1e-3), np.random.default_rng(0)
        inputs = net.input(20)
        neuron = table(reset=reset, refractory=refractory, integrator=integrator)
        a = net.population(3, neuron, name="A")
        net.connect(inputs, a, receptor="exc", weights=rng.exponential(0.35, (20, 3)))
        net.connect(a, net.readout(2, integrator=integrator), weights=rng.normal(size=(3, 2)))
        words = reset if reset == "subtract" else "to 0"
        name = f"{table.__name__}, {integrator}, reset {words}, refractory {1e3 * refractory:g} ms"
        yield Case(1, name, net, spikes, current)


def options(spikes: bs.SpikeTrains) -> Iterator[Case]:
    """Jumps after a delay and one for every neuron, bounds of U, time constants of every neuron."""
    tables = (bs.adaptive_lif, bs.ei_adaptive_lif, bs.ampa_nmda_gaba)
    current = {"A": np.full((2000, 3), 0.3)}
    for table, integrator, refractory in product(tables, INTEGRATORS, (0.0, 3e-3)):
        name = f"{table.__name__}, {integrator}, refractory {1e3 * refractory:g} ms"
        for option, neuron in variants(table, integrator, refractory).items():
            net = two_receptors(neuron, 1e-3, 0.6, 0.2)
            yield Case(1, f"{name}, {option}", net, spikes, current)


def variants(table: Any, integrator: str, refractory: float) -> dict[str, bs.Neuron]:
    """The other options of a table; refractory: seconds."""
    shared = {"refractory": refractory, "integrator": integrator}
    plain = table(**shared)
    taus = {
        f"tau_{name}": np.multiply(tau, [0.8, 1.0, 1.3])
        for name, tau in plain.time_constants.items()
    }
    found = {
        "a time constant for every neuron": table(**shared, **taus),
        "U from -0.1 to 1.01": bs.bounded(plain, -0.1, 1.01),
    }
    if plain.spike_jumps:
        jump = np.array([0.05, 0.1, 0.3])
        for steps in (0, 2, 15):
            neuron = table(jump=jump, jump_delay=steps * 1e-3, **shared)
            found[f"a jump for every neuron, after {steps} ms"] = neuron
    return found


#: One number for each of three neurons, times what a table has.
SPREAD = np.array([0.8, 1.0, 1.3])


def of_each_neuron(spikes: bs.SpikeTrains) -> Iterator[Case]:
    """Threshold, reset, refractory period and bounds of every neuron, alone and together."""
    current = {"A": np.full((2000, 3), 0.3)}
    for table, integrator, subtracts in product(TABLES, INTEGRATORS, (False, True)):
        own: dict[str, dict[str, Any]] = {
            "a threshold": {"threshold": SPREAD},
            "a reset": {"reset": "subtract" if subtracts else SPREAD - 1.1},
            "a refractory period": {"refractory": np.array([0.0, 2e-3, 5e-3])},
        }
        if subtracts:  # theta of each neuron; of delta synapses what arrives with it would be lost
            own |= {name: own["a reset"] | values for name, values in own.items()}
            if table is bs.lif_delta:
                own.pop("a refractory period")
        together = {k: v for each in own.values() for k, v in each.items()}
        own = (own if integrator == "exact" else {}) | {"bounds and all of these": together}
        for option, values in own.items():
            neuron = table(integrator=integrator, **values)
            means = 0.6, 0.2
            if option.startswith("bounds"):
                neuron = bs.bounded(neuron, -0.4 * SPREAD, 1.02 * SPREAD)
                # so that membranes reach the lower bounds, and all neurons spike
                means = (1.2 if table is bs.ampa_nmda_gaba else 0.6), 0.35
            net = two_receptors(neuron, 1e-3, *means)
            words = f"{table.__name__}, {integrator}, {'subtract, ' * subtracts}{option}"
            yield Case(1, f"{words} for every neuron", net, spikes, current)


def block(spikes: bs.SpikeTrains) -> Iterator[Case]:
    """NMDA with its magnesium block: alone, with numbers of every neuron, and saturating."""
    current = {"A": np.full((2000, 3), 12e-3)}
    own: dict[str, Any] = {
        "threshold": 18e-3 * SPREAD,
        "reset": 12e-3 * SPREAD,
        "reversal_exc": 70e-3 * SPREAD,
        "reversal_inh": -5e-3 * SPREAD,
        "tau_nmda": 80e-3 * SPREAD,
        "tau_mem": 20e-3 / SPREAD,
    }
    options: dict[str, dict[str, Any]] = {"": {}, ", all for every neuron": own}
    for refractory, magnesium in product(REFRACTORY, (0.0, 1.0)):
        name = f"nmda_lif, {magnesium:g} mM, refractory {1e3 * refractory:g} ms"
        plain: dict[str, Any] = {"refractory": refractory, "magnesium": magnesium}
        for option, values in options.items():
            neuron = bs.nmda_lif(**plain, **values)
            net = two_receptors(neuron, 5e-4, 0.1, 0.1, receptors=("nmda", "inh"))
            yield Case(1, name + option, net, spikes, {"A": np.full((1, 3), 12e-3)})
        # inhibition pulls membranes to the lower bounds
        bounded = bs.nmda_lif(**plain, reversal_inh=-40e-3)
        bounded = bs.bounded(bounded, -1e-3 * SPREAD, 20e-3 + 1e-4 * SPREAD)
        net = two_receptors(bounded, 1e-3, 0.04 + 0.4 * magnesium, 1.0, receptors=("nmda", "inh"))
        yield Case(1, f"{name}, bounds of every neuron", net, spikes, current)
        rule, neuron = bs.SaturatingGating(tau_decay=0.1), bs.nmda_lif(**plain)
        net = two_receptors(neuron, 1e-3, 0.3, 0.1, receptors=("nmda", "inh"), plasticity=rule)
        yield Case(1, f"{name}, saturating", net, spikes, current)


def conductances(spikes: bs.SpikeTrains) -> Iterator[Case]:
    """Exponential and alpha conductances."""
    current = {"A": np.full((2000, 3), 2e-3)}
    tables: Any = ((bs.conductance_lif, 0.15), (bs.alpha_conductance_lif, 0.06))
    resets: Any = (0.0, 5e-3, "subtract")
    for (table, peak), reset, refractory in product(tables, resets, REFRACTORY):
        neuron = table(reset=reset, refractory=refractory)
        net = two_receptors(neuron, 1e-3, peak, peak / 1.5)
        words = reset if reset == "subtract" else f"to {1e3 * reset:g} mV"
        name = f"{table.__name__}, reset {words}, refractory {1e3 * refractory:g} ms"
        yield Case(1, name, net, spikes, current)


def upstrokes() -> Iterator[Case]:
    """AdEx, exponential and Izhikevich neurons; the same with peaks and resets of every neuron."""
    spikes = bs.data.poisson(50, 20, 1.0, seed=1)
    tables: Any = (
        (bs.adex, 8e-3, 0.0, {"peak": 90.6e-3 * SPREAD, "reset": -2e-3 * SPREAD}),
        (bs.exponential_lif, 4e-3, 0.0, {"peak": 35e-3 * SPREAD, "reset": -3e-3 * SPREAD}),
        (bs.izhikevich, 2.0, -65.0, {"peak": 30.0 * SPREAD, "c": -65.0 + 5 * SPREAD}),
    )
    for (table, excitation, initial, own), refractory, each in product(
        tables, REFRACTORY, (False, True)
    ):
        neuron = table(refractory=refractory * (SPREAD if each else 1.0), **(own if each else {}))
        net = two_receptors(neuron, 1e-4, excitation, excitation / 4, initial)
        name, current = (
            f"{table.__name__}, refractory {1e3 * refractory:g} ms{', of every neuron' * each}",
            {"A": np.full((1, 3), excitation)},
        )
        yield Case(1, name, net, spikes, current, tolerance=UPSTROKE)


def two_receptors(
    neuron: bs.Neuron,
    dt: float,
    excitation: float,
    inhibition: float,
    initial: float = 0.0,
    receptors: tuple[str, str] = ("exc", "inh"),
    plasticity: Any = None,
) -> bs.Network:
    """Three neurons with 20 inputs each, on two of their receptors.

    Weights are exponential, of these means; plasticity: of the first projection.
    """
    net, rng = bs.Network(dt), np.random.default_rng(0)
    inputs, a = net.input(20), net.population(3, neuron, name="A", initial=initial)
    weights = rng.exponential(excitation, (20, 3))
    net.connect(inputs, a, receptor=receptors[0], weights=weights, plasticity=plasticity)
    net.connect(
        inputs,
        a,
        receptor=receptors[1],
        delay=2e-3,
        weights=rng.exponential(inhibition, (20, 3)),
        name="inhibition",
    )
    return net
