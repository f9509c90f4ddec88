"""
Mean-field theory beside a simulation
=====================================

Predicted and measured rate, irregularity and membrane, and what is unusual, in words::

    python -m models.examples.theory
"""

from typing import Any

import biosnn as bs


def circuit(g: float) -> bs.Network:
    """Build 800 excitatory and 200 inhibitory neurons, inhibition g times stronger.

    Delta synapses, volts from rest, 10 % connectivity.
    """
    net = bs.Network(dt=1e-4)
    neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3)
    E = net.population(800, neuron, "excitatory", name="E")
    I = net.population(200, neuron, "inhibitory", name="I")
    for pre, n, weight in ((E, 80, 0.4e-3), (I, 20, g * 0.4e-3)):
        for post in (E, I):
            rule = bs.FixedInDegree(n)
            net.connect(pre, post, delay=1.5e-3, weights=weight, synapses=rule, seed=1)
    return net


def main() -> dict[str, Any]:
    """Report on a circuit that fires irregularly, and on one that is silent."""
    result = {}
    for name, rate in (("irregular", 2.4e3), ("silent", 0.5e3)):
        net = circuit(g=6.0)
        background = [bs.PoissonInput(population, rate, 0.4e-3) for population in "EI"]
        run = bs.simulate(net, 1.0, background=background, seed=1, progress=False)
        result[name] = bs.regime(net, background, run)
        print(f"{name}: Poisson input of {rate:g} Hz")
        print(result[name])
    return result


if __name__ == "__main__":
    main()
