"""
Plasticity
==========

Short-term depression, and inhibitory plasticity that holds neurons at a target rate, in
``bs.simulate``::

    python -m models.examples.plasticity
"""

from typing import Any

import numpy as np

import biosnn as bs


def released(rule: bs.TsodyksMarkram, rate: float, seconds: float = 3.0) -> float:
    """u x of the last spike of a regular train of `rate` Hz: its current in units of the weight."""
    net = bs.Network(dt=1e-3)
    neuron = net.population(1, bs.lif(tau_syn=3e-3, threshold=1e9), name="A")
    net.connect(
        net.input(1),
        neuron,
        weights=1.0,
        receptor="exc",
        synapses=bs.OneToOne(),
        plasticity=rule,
    )
    times = np.arange(0.1, seconds, 1 / rate)
    zeros = np.zeros(times.size, int)
    spikes = bs.SpikeTrains.from_events(
        times, zeros, zeros, n_trials=1, n_units=1, duration=seconds
    )
    done = bs.simulate(net, seconds, spikes, record={"A.I": [0]}, progress=False)
    current, last = done.states["A.I"][:, 0], round(times[-1] / net.dt)
    return float(current[last] - np.exp(-net.dt / 3e-3) * current[last - 1])


def inhibitory_plasticity(target: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Let inhibition learn to hold E at a target rate (Hz).

    Returns
    -------
    Rates of E (Hz) in the first and in the last second, and mean inhibitory weights at the start
    and at the end.
    """
    net = bs.Network(dt=1e-3)
    neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=5e-3)
    E = net.population(100, neuron, "excitatory", name="E")
    I = net.population(50, neuron, "inhibitory", name="I")
    rule = bs.InhibitorySTDP(eta=0.01, target_rate=target, w_max=2.0)
    every_pair = bs.Bernoulli(1.0)
    net.connect(I, E, delay=1e-3, weights=0.02, synapses=every_pair, seed=1, plasticity=rule)
    drive = [bs.PoissonInput("E", 3000.0, 0.12), bs.PoissonInput("I", 3000.0, 0.08)]
    state, rates, weights = None, [], [0.02]
    for seconds in (1.0, 20.0, 1.0):
        done = bs.simulate(net, seconds, background=drive, state=state, progress=False)
        state = done.state
        rates.append(done.mean_rates["E"])
        weights.append(float(np.mean(done.weights["I->E"])))
    return (rates[0], rates[-1]), (weights[0], weights[-1])


def main() -> dict[str, Any]:
    """Print steady states next to theory, and what inhibitory plasticity does."""
    rule, steady = bs.TsodyksMarkram(utilization=0.5, tau_rec=0.8), {}
    for rate in (5.0, 10.0, 20.0):
        measured, expected = released(rule, rate), float(rule.steady_state(rate)[2])
        steady[rate] = (measured, expected)
        print(f"depressing synapse at {rate:g} Hz: u x = {measured:.4f}, in theory {expected:.4f}")
    rates, weights = inhibitory_plasticity(target=5.0)
    print("inhibitory plasticity, target 5 Hz:")
    print(f"    E from {rates[0]:.1f} to {rates[1]:.1f} Hz")
    print(f"    mean weight from {weights[0]:.3f} to {weights[1]:.3f}")
    return {"steady": steady, "rates": rates, "weights": weights}


if __name__ == "__main__":
    main()
