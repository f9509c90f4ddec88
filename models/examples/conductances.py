"""Conductance-based synapses: shunting inhibition divides, and networks with conductances are trained.

    python -m models.examples.conductances

Potentials are in units of the distance from rest to threshold.
"""

import biosnn as bs


def effect_of_inhibition(current):
    """(U before, U 5 ms after) an inhibitory spike of a neuron without spikes, whose inhibition reverses at rest."""
    net = bs.Network(dt=1e-3)
    neuron = bs.conductance_lif(
        tau_mem=20e-3,
        tau_exc=5e-3,
        tau_inh=10e-3,
        reversal_exc=6.0,
        reversal_inh=0.0,
        threshold=1.0,
        refractory=2e-3,
    )
    net.connect(
        net.input(1, sign="inhibitory"),
        net.population(1, neuron, name="A", initial=current),
        weights=[[2.0]],
    )
    spike = bs.SpikeTrains.from_events([10e-3], [0], [0], n_trials=1, n_units=1, duration=50e-3)
    u = bs.run(net, spike, currents={"A": current}, record=["A.U"]).states["A.U"][0, :, 0]
    return float(u[9]), float(u[15])


def trained():
    """A Dalian network with conductances on two classes of spike trains that only timing tells apart."""
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
    net = bs.Network(dt=2e-3)
    neuron = bs.conductance_lif(
        tau_mem=20e-3,
        tau_exc=5e-3,
        tau_inh=10e-3,
        reversal_exc=6.0,
        reversal_inh=-2.0,
        threshold=1.0,
        refractory=4e-3,
    )
    E, I = bs.dalian_layer(net, net.input(20), 32, 8, neuron=neuron)
    net.connect(E, net.readout(2, tau_mem=0.2))
    bs.fluctuation_driven(net, data, sigma_u=0.6, seed=1, progress=False)
    bs.train(net, data, epochs=30, batch=50, optimizer=bs.Adam(5e-3), seed=1, progress=False)
    return bs.evaluate(net, data).accuracy, bs.audit(net).violations


def main():
    at_rest, depolarized = effect_of_inhibition(0.0), effect_of_inhibition(0.9)
    print(
        f"shunting inhibition: U {at_rest[0]:.2f} -> {at_rest[1]:.2f} at rest, {depolarized[0]:.2f} -> {depolarized[1]:.2f} near threshold"
    )
    accuracy, violations = trained()
    print(
        f"a network with conductances classifies {accuracy:.0%} of its training trials; {violations} violations of Dale's law"
    )
    return {
        "at_rest": at_rest,
        "depolarized": depolarized,
        "accuracy": accuracy,
        "violations": violations,
    }


if __name__ == "__main__":
    main()
