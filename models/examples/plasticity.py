"""Plasticity in `simulate`: short-term depression, and inhibitory plasticity that holds neurons at a target rate.

python -m models.examples.plasticity
"""

import numpy as np

import biosnn as bs


def released(rule, rate, seconds=3.0):
    """u x of the last spike of a regular train of `rate` Hz: the synaptic current that it adds, in units of the weight."""
    net = bs.Network(dt=1e-3)
    net.connect(
        net.input(1),
        net.population(1, bs.lif(tau_syn=3e-3, threshold=1e9), name="A"),
        weights=1.0,
        receptor="exc",
        synapses=bs.OneToOne(),
        plasticity=rule,
    )
    times = np.arange(0.1, seconds, 1 / rate)
    spikes = bs.SpikeTrains.from_events(
        times,
        np.zeros(times.size, int),
        np.zeros(times.size, int),
        n_trials=1,
        n_units=1,
        duration=seconds,
    )
    current = bs.simulate(net, seconds, spikes, record={"A.I": [0]}, progress=False).states["A.I"][
        :, 0
    ]
    last = round(times[-1] / net.dt)
    return float(current[last] - np.exp(-net.dt / 3e-3) * current[last - 1])


def inhibitory_plasticity(target):
    """Rates of E (Hz) in the first and in the last second; the mean inhibitory weight at the start and at the end."""
    net = bs.Network(dt=1e-3)
    neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=5e-3)
    E, I = (
        net.population(100, neuron, "excitatory", name="E"),
        net.population(50, neuron, "inhibitory", name="I"),
    )
    net.connect(
        I,
        E,
        delay=1e-3,
        weights=0.02,
        synapses=bs.Bernoulli(1.0),
        seed=1,
        plasticity=bs.InhibitorySTDP(eta=0.01, target_rate=target, w_max=2.0),
    )
    drive = [bs.PoissonInput("E", 3000.0, 0.12), bs.PoissonInput("I", 3000.0, 0.08)]
    run, rates, weights = None, [], [0.02]
    for seconds in (1.0, 20.0, 1.0):
        run = bs.simulate(
            net, seconds, background=drive, state=None if run is None else run.state, progress=False
        )
        rates.append(run.mean_rates["E"])
        weights.append(float(np.mean(run.weights["I->E"])))
    return (rates[0], rates[-1]), (weights[0], weights[-1])


def main():
    rule = bs.TsodyksMarkram(utilization=0.5, tau_rec=0.8)
    steady = {
        rate: (released(rule, rate), float(rule.steady_state(rate)[2]))
        for rate in (5.0, 10.0, 20.0)
    }
    for rate, (measured, expected) in steady.items():
        print(f"depressing synapse at {rate:g} Hz: u x = {measured:.4f}, in theory {expected:.4f}")
    rates, weights = inhibitory_plasticity(target=5.0)
    print(
        f"inhibitory plasticity, target 5 Hz: E from {rates[0]:.1f} to {rates[1]:.1f} Hz, mean weight from {weights[0]:.3f} to {weights[1]:.3f}"
    )
    return {"steady": steady, "rates": rates, "weights": weights}


if __name__ == "__main__":
    main()
