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
    yield from conductances(spikes)
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
    """AdEx and Izhikevich neurons."""
    spikes = bs.data.poisson(50, 20, 1.0, seed=1)
    tables: Any = ((bs.adex, 8e-3, 0.0), (bs.izhikevich, 2.0, -65.0))
    for (table, excitation, initial), refractory in product(tables, REFRACTORY):
        neuron = table(refractory=refractory)
        net = two_receptors(neuron, 1e-4, excitation, excitation / 4, initial)
        name, current = (
            f"{table.__name__}, refractory {1e3 * refractory:g} ms",
            {"A": np.full((1, 3), excitation)},
        )
        yield Case(1, name, net, spikes, current, tolerance=UPSTROKE)


def two_receptors(
    neuron: bs.Neuron, dt: float, excitation: float, inhibition: float, initial: float = 0.0
) -> bs.Network:
    """Three neurons with 20 inputs each, on their receptors exc and inh.

    Weights are exponential, of these means.
    """
    net, rng = bs.Network(dt), np.random.default_rng(0)
    inputs, a = net.input(20), net.population(3, neuron, name="A", initial=initial)
    net.connect(inputs, a, receptor="exc", weights=rng.exponential(excitation, (20, 3)))
    net.connect(
        inputs,
        a,
        receptor="inh",
        delay=2e-3,
        weights=rng.exponential(inhibition, (20, 3)),
        name="inhibition",
    )
    return net
