"""Mean-field theory beside a simulation: predicted and measured rate, irregularity and membrane, and what is unusual, in words.

python -m models.examples.theory
"""

import biosnn as bs


def circuit(g):
    """800 excitatory and 200 inhibitory neurons (delta synapses, volts from rest) of 10 % connectivity; inhibition is g times stronger."""
    net, neuron = (
        bs.Network(dt=1e-4),
        bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3),
    )
    E, I = (
        net.population(800, neuron, "excitatory", name="E"),
        net.population(200, neuron, "inhibitory", name="I"),
    )
    for post in (E, I):
        net.connect(E, post, delay=1.5e-3, weights=0.4e-3, synapses=bs.FixedInDegree(80), seed=1)
        net.connect(
            I, post, delay=1.5e-3, weights=g * 0.4e-3, synapses=bs.FixedInDegree(20), seed=1
        )
    return net


def main():
    result = {}
    for name, g, rate in (("irregular", 6.0, 2.4e3), ("silent", 6.0, 0.5e3)):
        net, background = (
            circuit(g),
            [bs.PoissonInput("E", rate, 0.4e-3), bs.PoissonInput("I", rate, 0.4e-3)],
        )
        run = bs.simulate(net, 1.0, background=background, seed=1, progress=False)
        result[name] = bs.regime(net, background, run)
        print(f"{name}: Poisson input of {rate:g} Hz")
        print(result[name])
    return result


if __name__ == "__main__":
    main()
