"""Every neuron table: spikes, states and gradients of small populations."""

import numpy as np

import biosnn as bs

from .common import (
    DT,
    SPIKES,
    UNITS,
    positive,
    run_and_gradient,
    run_values,
    signed,
    simulation_values,
    single,
    states_of,
)
from .registry import case

INTEGRATORS = ("exact", "exponential_euler", "euler")

#: Table -> (scale of the weights, other options).
LINEAR = {
    bs.lif: (0.4, {}),
    bs.ei_lif: (0.4, {"refractory": 3e-3}),
    bs.adaptive_lif: (0.5, {"jump_delay": 2e-3}),
    bs.ei_adaptive_lif: (0.5, {}),
    bs.ampa_nmda_gaba: (0.8, {}),
}


def _linear(table, scale, options):
    """A case of one table in all integrators."""

    def values():
        return {
            integrator: run_and_gradient(
                single(table(integrator=integrator, **options), scale), run={"currents": {"A": 0.1}}
            )
            for integrator in INTEGRATORS
        }

    return values


for table, (scale, options) in LINEAR.items():
    case(f"neuron table {table.__name__}")(_linear(table, scale, options))


@case("neuron table lif_delta")
def lif_delta():
    result = {}
    for integrator in INTEGRATORS:
        net = single(bs.lif_delta(integrator=integrator), 0.3)
        options = {"currents": {"A": 0.1}, "record": states_of(net, "U_star")}
        result[integrator] = run_values(bs.run(net, SPIKES, **options))
    return result


def _conductances(table):
    return table(reversal_exc=6.0, reversal_inh=-2.0, threshold=1.0, refractory=2e-3)


@case("neuron table conductance_lif")
def conductance_lif():
    net = single(_conductances(bs.conductance_lif), 0.08)
    return run_and_gradient(net, run={"currents": {"A": 0.1}})


@case("neuron table alpha_conductance_lif")
def alpha_conductance_lif():
    net = single(_conductances(bs.alpha_conductance_lif), 0.05)
    return run_and_gradient(net, run={"currents": {"A": 0.1}})


def _nonlinear(neuron, scale, current, initial):
    """Values of a simulation of a table that has no gradient."""
    net = bs.Network(1e-4)
    a = net.population(6, neuron, "inhibitory", name="A", initial=initial.pop("U", 0.0))
    net.connect(
        net.input(UNITS), a, delay=1e-3, weights=positive(UNITS, 6, mean=scale), receptor="exc"
    )
    net.connect(
        a,
        a,
        delay=2e-3,
        weights=positive(6, 6, mean=0.1 * scale, seed=5),
        receptor="inh",
        name="inhibition",
    )
    record = {f"A.{state}": slice(None) for state in a.states}
    background = [bs.Current("A", current)]
    initial = {f"A.{state}": value for state, value in initial.items()}
    done = bs.simulate(
        net,
        SPIKES.duration,
        SPIKES[0:1],
        background=background,
        record=record,
        every=5,
        initial=initial,
        progress=False,
    )
    return simulation_values(done)


@case("neuron table adex")
def adex():
    return _nonlinear(bs.adex(), 8e-3, 25e-3, {})


@case("neuron table izhikevich")
def izhikevich():
    return _nonlinear(bs.izhikevich(), 3.0, 8.0, {"U": -65.0, "w_adapt": -13.0})


@case("leaky readout: integrators, initial value, bias, learned time constant")
def leaky_readout():
    result = {}
    for integrator in INTEGRATORS:
        net = bs.Network(DT)
        options = {"initial": 0.2, "bias": 0.1, "learn": {"mem": "neuron", "syn": "population"}}
        readout = net.readout(2, tau_mem=30e-3, tau_syn=5e-3, integrator=integrator, **options)
        net.connect(net.input(UNITS), readout, weights=signed(UNITS, 2))
        result[integrator] = run_and_gradient(net)
    return result


@case("resets: to a value, by subtraction, and their gradients")
def resets():
    return {
        f"{name}, {'differentiated' if through else 'plain'}": run_and_gradient(
            single(bs.lif(reset=reset, refractory=0.0), 0.6), differentiate_reset=through
        )
        for name, reset in {"to -0.3": -0.3, "subtract": "subtract"}.items()
        for through in (False, True)
    }


@case("refractory periods of 1, 2 and 5 steps")
def refractory():
    return {
        f"{steps} steps": run_and_gradient(single(bs.ei_lif(refractory=steps * DT), 0.8))
        for steps in (1, 2, 5)
    }


@case("bounded membranes")
def bounded():
    linear = bs.bounded(bs.ei_lif(), low=-0.1, high=1.01)
    conducting = bs.bounded(_conductances(bs.conductance_lif), low=-0.05, high=1.2)
    return {
        "ei_lif": run_and_gradient(single(linear, 0.6)),
        "conductance_lif": run_and_gradient(single(conducting, 0.1)),
    }


@case("time constants of each neuron, drawn")
def per_neuron():
    taus = {
        name: bs.log_normal_time_constants(mean, 0.3, 6, seed=7, name=name)
        for name, mean in {"mem": 20e-3, "syn": 8e-3, "adapt": 80e-3}.items()
    }
    jump = np.linspace(0.0, 0.3, 6)
    neuron = bs.adaptive_lif(
        tau_mem=taus["mem"],
        tau_syn=taus["syn"],
        tau_adapt=taus["adapt"],
        jump=jump,
        refractory=2e-3,
    )
    return {"time constants": taus} | run_and_gradient(single(neuron, 0.5))


@case("learned time constants, jumps and biases: their gradients")
def learned():
    result = {}
    kinds = {"each": ("neuron", "neuron"), "shared": ("population", "population")}
    for name, (one, other) in kinds.items():
        learn = {"mem": one, "syn": other, "adapt": one, "jump": other}
        net = single(bs.adaptive_lif(), 0.5, learn=learn, bias=0.05)
        for at, p in net.parameters.items():
            net.parameters[at] = p + 0.1
        result[name] = run_and_gradient(net)
    net = single(_conductances(bs.conductance_lif), 0.08, learn={"mem": "neuron", "exc": "neuron"})
    return result | {"conductances": run_and_gradient(net)}


@case("double precision")
def double():
    neurons = {
        "ei_adaptive_lif": (bs.ei_adaptive_lif(), 0.5),
        "ampa_nmda_gaba": (bs.ampa_nmda_gaba(), 0.8),
        "conductance_lif": (_conductances(bs.conductance_lif), 0.08),
    }
    return {
        name: run_and_gradient(single(neuron, scale, np.float64))
        for name, (neuron, scale) in neurons.items()
    }


@case("escape noise")
def escape_noise():
    noises = {"sigmoid": bs.SigmoidEscape(10), "exponential": bs.ExponentialEscape(10, rate=80.0)}
    result = {}
    for name, noise in noises.items():
        net = single(bs.lif(), 0.3, noise=noise)
        result[name] = run_and_gradient(net, run={"seed": 5})
        result[f"{name} probability"] = noise.probability(np.linspace(-0.5, 0.2, 8), DT)
    return result


SURROGATES = (
    bs.SuperSpike(20),
    bs.TruncatedSuperSpike(20, cutoff=0.2),
    bs.Sigmoid(10),
    bs.Triangular(2),
    bs.Gaussian(3),
    bs.Arctan(3),
    bs.MultiGaussian(2),
    bs.AsymptoticSuperSpike(20),
    bs.ExponentialSurrogate(5),
)


@case("surrogate derivatives")
def surrogates():
    result, x = {}, np.linspace(-1.0, 1.0, 21)
    for surrogate in SURROGATES:
        name = type(surrogate).__name__
        net = single(bs.ei_lif(), 0.4, surrogate=surrogate)
        gradients = run_and_gradient(net)["gradient by weights of"]
        result[name] = {"gradient by weights of": gradients}
        # whether exp is inlined depends on what the cache holds: the last bit of float64 shows it
        formulas = {"derivative": surrogate.derivative(x), "twin": surrogate.twin(x)}
        result[name] |= {what: values.astype(np.float32) for what, values in formulas.items()}
    return result
