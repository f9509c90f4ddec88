"""What cases share: small inputs, a run with its gradients, and the values of both."""

import numpy as np

import biosnn as bs

DT = 1e-3
UNITS = 12

#: Three trials of 12 units that fire at 60 Hz for 80 ms.
SPIKES = bs.data.poisson(60.0, UNITS, 0.08, 3, seed=1, labels=[0, 1, 0])


def positive(*shape, mean=0.3, seed=2):
    """Exponential weights of that mean."""
    return np.random.default_rng(seed).exponential(mean, shape)


def signed(*shape, sd=0.4, seed=3):
    """Normal weights around 0."""
    return np.random.default_rng(seed).normal(0.0, sd, shape)


def fill(net, scale=0.3, seed=4):
    """Draw weights for all projections that have none; those that Dale's law asks for are >= 0."""
    rng = np.random.default_rng(seed)
    for projection in net.projections:
        if projection.name not in net.weights:
            weights = rng.normal(0.0, scale, net.weight_shape(projection))
            onto_readout = projection.post in [p.name for p in net.readouts]
            weights = np.abs(weights) if projection.non_negative and not onto_readout else weights
            net.set_weights(projection.name, weights)
    return net


def single(neuron, scale=0.3, dtype=np.float32, **options):
    """Input, a population A of 6 neurons with that table, and two readouts."""
    net = bs.Network(DT, dtype)
    x = net.input(UNITS)
    a = net.population(6, neuron, "inhibitory", name="A", **options)
    net.connect(x, a, delay=1e-3, weights=positive(UNITS, 6, mean=scale), receptor="exc")
    net.connect(
        a,
        a,
        delay=2e-3,
        weights=positive(6, 6, mean=0.2 * scale, seed=5),
        receptor="inh",
        name="inhibition",
    )
    net.connect(a, net.readout(2, tau_mem=40e-3), weights=signed(6, 2))
    return net


def states_of(net, *more):
    """Names of all states of the spiking populations, and of `more`, such as "U_star"."""
    return [f"{p.name}.{state}" for p in net.spiking for state in (*p.states, *more)]


def run_values(trace):
    """Spikes, states and moments of a trace."""
    values = {"spikes": trace.spikes, "states": trace.states}
    return values | {"mean": trace.mean, "variance": trace.variance}


def gradient_values(gradients):
    """All that a Gradients holds."""
    return {
        "gradient by weights of": gradients.weights,
        "gradient by current of": gradients.currents,
        "gradient by parameter": gradients.parameters,
        "gradient by state": gradients.states,
        "gradient norms per step of": gradients.per_step,
    }


def run_and_gradient(net, spikes=SPIKES, run=None, **options):
    """Values of a run that records all states, and of gradients of a cross-entropy and of counts.

    run: further options of bs.run; options: of bs.gradient.
    """
    trace = bs.run(net, spikes, record=states_of(net, "U_star"), tape=True, **(run or {}))
    readout = trace.states["readout.U"]
    _, slope = bs.MeanOverTimeCrossEntropy().value_and_gradient(readout, trace.labels)
    counts = {p.name: np.full_like(trace.counts[p.name], 0.01, net.dtype) for p in net.spiking}
    gradients = bs.gradient(trace, states={"readout.U": slope}, counts=counts, **options)
    return run_values(trace) | gradient_values(gradients)


def simulation_values(done):
    """Spikes, binned counts, states and weights of a Simulation."""
    values = {"spikes": done.spikes, "binned": done.binned, "states": done.states}
    return values | {"weights of": done.weights}
