"""
Conductance-based synapses
==========================

Shunting inhibition divides, and networks with conductances are trained. Potentials are in units of
the distance from rest to threshold::

    python -m models.examples.conductances
"""

from typing import Any

import biosnn as bs


def neuron(reversal_inh: float, refractory: float) -> bs.Neuron:
    """Make a neuron with conductances; refractory: seconds."""
    return bs.conductance_lif(
        tau_mem=20e-3,
        tau_exc=5e-3,
        tau_inh=10e-3,
        reversal_exc=6.0,
        reversal_inh=reversal_inh,
        threshold=1.0,
        refractory=refractory,
    )


def effect_of_inhibition(current: float) -> tuple[float, float]:
    """U before an inhibitory spike and 5 ms after it; inhibition reverses at rest."""
    net = bs.Network(dt=1e-3)
    source = net.input(1, sign="inhibitory")
    target = net.population(1, neuron(0.0, 2e-3), name="A", initial=current)
    net.connect(source, target, weights=[[2.0]])
    spike = bs.SpikeTrains.from_events([10e-3], [0], [0], n_trials=1, n_units=1, duration=50e-3)
    u = bs.run(net, spike, currents={"A": current}, record=["A.U"]).states["A.U"][0, :, 0]
    return float(u[9]), float(u[15])


def trained() -> tuple[float, int]:
    """Train a Dalian network with conductances on spike trains that only timing tells apart.

    Returns
    -------
    The accuracy, and the number of violations of Dale's law.
    """
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    net = bs.Network(dt=2e-3)
    E, _ = bs.dalian_layer(net, net.input(20), 32, 8, neuron=neuron(-2.0, 4e-3))
    net.connect(E, net.readout(2, tau_mem=0.2))
    bs.fluctuation_driven(net, data, sigma_u=0.6, seed=1, progress=False)
    bs.train(net, data, epochs=30, batch=50, optimizer=bs.Adam(5e-3), seed=1, progress=False)
    return bs.evaluate(net, data).accuracy, bs.audit(net).violations


def main() -> dict[str, Any]:
    """Print what inhibition does at rest and near threshold, and train a network."""
    at_rest, depolarized = effect_of_inhibition(0.0), effect_of_inhibition(0.9)
    print("shunting inhibition:")
    print(f"    U {at_rest[0]:.2f} -> {at_rest[1]:.2f} at rest")
    print(f"    U {depolarized[0]:.2f} -> {depolarized[1]:.2f} near threshold")
    accuracy, violations = trained()
    print(
        f"a network with conductances classifies {accuracy:.0%} of its training trials; "
        f"{violations} violations of Dale's law"
    )
    return {
        "at_rest": at_rest,
        "depolarized": depolarized,
        "accuracy": accuracy,
        "violations": violations,
    }


if __name__ == "__main__":
    main()
