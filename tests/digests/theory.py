"""Theory, the regime of a circuit, Dale's law, and the same network as a program for Brian2."""

import tempfile
from pathlib import Path

import numpy as np

import biosnn as bs

from .common import DT, SPIKES, UNITS, fill, positive, single
from .registry import case
from .simulations import circuit

TABLES = {
    "lif": (bs.lif(), "syn"),
    "lif, exponential Euler": (bs.lif(integrator="exponential_euler"), "syn"),
    "lif_delta": (bs.lif_delta(), "exc"),
    "ei_lif": (bs.ei_lif(), "inh"),
    "ampa_nmda_gaba": (bs.ampa_nmda_gaba(), "exc"),
    "of each neuron": (bs.lif(tau_mem=np.linspace(10e-3, 30e-3, 4)), "syn"),
}


@case("moments of postsynaptic potentials")
def psp_moments():
    return {
        name: {
            "psp": bs.theory.psp(neuron, DT, receptor, 50),
            "integrals": np.array(bs.theory.psp_integrals(neuron, DT, receptor)),
            "integrals over 50 ms": np.array(
                bs.theory.psp_integrals(neuron, DT, receptor, duration=50e-3)
            ),
        }
        for name, (neuron, receptor) in TABLES.items()
    }


#: Resets and refractory periods, of thresholds of 1.
RESETS: dict[str, dict] = {
    "plain": {},
    "refractory": {"reset": 0.1, "refractory_steps": 3},
    "subtract": {"reset": "subtract", "refractory_steps": 2},
}


@case("firing rates of theory")
def rates():
    mu, sigma = (0.2, 0.6, 0.9, 1.2), 0.3
    stationary = {
        name: np.array([bs.theory.stationary_rate(m, sigma, 20e-3, 8e-3, DT, **more) for m in mu])
        for name, more in RESETS.items()
    }
    siegert = [
        bs.theory.siegert_rate(m, sigma, 20e-3, threshold=1.0, reset=0.2, refractory=2e-3)
        for m in mu
    ]
    return {"Siegert": np.array(siegert), "stationary": stationary}


def _cells(neuron, weight):
    """An excitatory and an inhibitory population with a Poisson drive."""
    result = []
    for name in ("E", "I"):
        drive = bs.theory.Input("exc", 1.0, weight, weight**2, None, 4000.0)
        e = bs.theory.Input("exc", 80.0, weight, 1.5 * weight**2, "E")
        i = bs.theory.Input("inh", 20.0, 5 * weight, 30 * weight**2, "I")
        result.append(bs.theory.Cell(name, neuron, (drive, e, i), 0.1 * weight, ()))
    return result


@case("mean-field rates of circuits")
def fixed_points():
    options = {"reversal_exc": 6.0, "reversal_inh": -2.0, "threshold": 1.0}
    neurons = {
        "delta": (bs.lif_delta(refractory=2e-3), 0.015),
        "short currents": (
            bs.ei_lif(tau_mem=20e-3, tau_exc=1e-3, tau_inh=2e-3, refractory=2e-3),
            0.3,
        ),
        "long currents": (
            bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=2e-3),
            0.05,
        ),
        "conductances": (bs.conductance_lif(refractory=2e-3, **options), 0.02),
    }
    result = {}
    for name, (neuron, weight) in neurons.items():
        cells = _cells(neuron, weight)
        point = bs.theory.fixed_point(cells, dt=DT)
        free = [bs.theory.membrane(cell, point.rates) for cell in cells]
        cv = [bs.theory.interval_cv(neuron, m) for m in free]
        free = {c.name: np.array([m.mu, m.sigma, m.tau]) for c, m in zip(cells, free, strict=True)}
        result[name] = {"rate of": point.rates, "membrane of": free, "CV": np.array(cv)}
        result[name]["converged"] = np.bool_(point.converged)
    return result


def _regime_values(found):
    rows = {}
    for row in found.populations:
        p, m, known, u = row.predicted, row.measured, row.at_rates, row.recorded
        rate_error, cv_error, chi_error = np.inf, np.inf, np.inf
        if m.errors is not None:
            rate_error, cv_error, chi_error = m.errors.rate, m.errors.cv, m.errors.synchrony
        numbers = [row.threshold, p.tau, p.rate, p.cv, p.mu, p.sigma, p.ei_ratio, row.cancelled]
        numbers += [m.rate, rate_error, m.cv, cv_error, m.synchrony, chi_error, m.mu, m.sigma]
        numbers += [known.mu, known.sigma, known.ei_ratio, u.mu, u.sigma]
        rows[row.name] = np.array(numbers, float)
    return {"report": str(found), "numbers of": rows}


@case("regime: theory, and theory beside a simulation", 0.02)
def regime():
    net, background = circuit(), [bs.PoissonInput("E", 2500.0, 0.1), bs.Current("I", 0.9)]
    done = bs.simulate(net, 1.2, background=background, seed=3, progress=False)
    plastic = circuit()
    rule = {"plasticity": bs.TsodyksMarkram(0.5, 0.2), "name": "plastic"}
    plastic.connect("E", "I", delay=2e-3, weights=0.2, synapses=bs.Bernoulli(0.5), seed=2, **rule)
    return {
        "theory": _regime_values(bs.regime(net, background)),
        "measured": _regime_values(bs.regime(net, background, done)),
        "plastic": _regime_values(bs.regime(plastic, background)),
    }


@case("Dale's law: audit")
def audit():
    net = circuit()
    net.connect("E", net.readout(2), weights=positive(24, 2))
    mixed = single(bs.lif())
    result = {}
    for name, each in {"circuit": net, "with an input": mixed}.items():
        found = bs.audit(each)
        result[name] = {"signs of": found.signs, "violations": found.violations}
        result[name]["report"] = str(found)
    return result


def _program(net, spikes, **options):
    """The program for Brian2, and its arrays."""
    with tempfile.TemporaryDirectory() as folder:
        path = bs.brian.script(net, spikes, Path(folder) / "network.py", **options)
        with np.load(path.with_suffix(".npz")) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return {"program": path.read_text(encoding="utf-8"), "array": arrays}


@case("programs for Brian2: tables")
def brian_tables():
    options = {"reversal_exc": 6.0, "reversal_inh": -2.0, "threshold": 1.0}
    neurons = {
        "lif": bs.lif(),
        "lif, exponential Euler": bs.lif(integrator="exponential_euler", reset="subtract"),
        "lif_delta": bs.lif_delta(refractory=2e-3),
        "ei_lif": bs.bounded(bs.ei_lif(refractory=2e-3), -0.5, 1.5),
        "ei_adaptive_lif": bs.ei_adaptive_lif(jump_delay=2e-3),
        "ampa_nmda_gaba": bs.ampa_nmda_gaba(tau_mem=np.linspace(12e-3, 30e-3, 6)),
        "conductance_lif": bs.conductance_lif(**options),
        "alpha_conductance_lif": bs.alpha_conductance_lif(**options),
        "adex": bs.adex(),
        "izhikevich": bs.izhikevich(),
    }
    return {name: _program(single(neuron), SPIKES[0:1]) for name, neuron in neurons.items()}


@case("programs for Brian2: projections, background, plasticity")
def brian_networks():
    net = circuit()
    sparse = {"synapses": bs.Bernoulli(0.5), "seed": 2}
    short_term, stdp = bs.TsodyksMarkram(0.5, 0.2), bs.InhibitorySTDP(0.05, 5.0)
    net.connect(
        "E", "I", delay=3e-3, weights=0.2, name="depressing", plasticity=short_term, **sparse
    )
    net.connect("I", "E", delay=2e-3, weights=0.2, name="learning", plasticity=stdp, **sparse)
    background = [
        bs.PoissonInput("E", 2000.0, 0.12),
        bs.Current("I", 0.9),
        bs.OrnsteinUhlenbeck("E", 0.2, 0.1, 5e-3),
    ]
    initial = {"E.U": bs.Normal(0.3, 0.1)}
    convolved = bs.Network(DT)
    layer, shape = bs.convolutional_layer(convolved, convolved.input(UNITS), (1, UNITS), 2, 3)
    convolved.connect(convolved.pool(layer, bs.MaxPool(shape, 3)), convolved.readout(2, bias=0.1))
    options = {"duration": 0.02, "background": background, "initial": initial, "seed": 1}
    return {
        "circuit": _program(net, None, **options),
        "convolution": _program(fill(convolved), SPIKES[0:1]),
    }
