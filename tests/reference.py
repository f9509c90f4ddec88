"""The networks behind tests/data/*.npz, as biosnn describes them."""

from pathlib import Path

import numpy as np

from biosnn.data.spike_trains import SpikeTrains
from biosnn.network.adaptive_models import adaptive_lif
from biosnn.network.network import Network
from biosnn.network.neuron_models import ampa_nmda_gaba, ei_lif, lif
from biosnn.network.surrogate import SuperSpike

DATA = Path(__file__).parent / "data"
ONE, TWO = 2e-3, 4e-3  # delays of one and two steps, in seconds


def load(name):
    with np.load(DATA / f"{name}.npz") as z:
        return {key: z[key] for key in z.files}


def _finish(net, z, last, spiking):
    out = net.readout(
        5,
        tau_mem=float(z["tau_readout_mem"]),
        tau_syn=float(z["tau_readout_syn"]),
        initial=float(z["readout_initial"]),
        integrator="exponential_euler",
        name="out",
    )
    for pre, post, key in spiking:
        net.connect(pre, post, delay=TWO, weights=z[f"weight.{key}"].T, name=key)
    net.connect(last[0], out, delay=ONE, weights=z[f"weight.{last[1]}"].T, name=last[1])
    return net, SpikeTrains.from_dense(z["inputs"], float(z["dt"]), labels=z["labels"])


def dalian_ei_lif(dtype=np.float64):
    z = load("dalian_ei_lif")
    return _dalian(
        z,
        dtype,
        ei_lif(
            tau_mem=float(z["tau_mem"]),
            tau_exc=float(z["tau_exc"]),
            tau_inh=float(z["tau_inh"]),
            refractory=TWO,
            integrator="exponential_euler",
        ),
    )


def dalian_ampa_nmda_gaba(dtype=np.float64):
    z = load("dalian_ampa_nmda_gaba")
    return _dalian(
        z,
        dtype,
        ampa_nmda_gaba(
            **{f"tau_{name}": float(z[f"tau_{name}"]) for name in ("mem", "ampa", "nmda", "gaba")},
            refractory=TWO,
            integrator="exponential_euler",
        ),
    )


def _dalian(z, dtype, neuron):
    net = Network(float(z["dt"]), dtype)
    x = net.input(20, name="X", sign="excitatory")
    e = net.population(12, neuron, "excitatory", name="E", surrogate=SuperSpike(float(z["beta"])))
    i = net.population(3, neuron, "inhibitory", name="I", surrogate=SuperSpike(float(z["beta"])))
    spiking = [(x, e, "XE"), (x, i, "XI"), (e, e, "EE"), (e, i, "EI"), (i, e, "IE"), (i, i, "II")]
    return *_finish(net, z, (e, "EO"), spiking), z


def feedforward_lif(dtype=np.float64):
    z = load("feedforward_lif")
    net = Network(float(z["dt"]), dtype)
    x = net.input(20, name="X")
    neuron = lif(
        tau_mem=float(z["tau_mem"]),
        tau_syn=float(z["tau_syn"]),
        refractory=TWO,
        integrator="exponential_euler",
    )
    h1 = net.population(12, neuron, name="h1", surrogate=SuperSpike(float(z["beta"])))
    h2 = net.population(12, neuron, name="h2", surrogate=SuperSpike(float(z["beta"])))
    return *_finish(net, z, (h2, "out"), [(x, h1, "ff1"), (h1, h2, "ff2")]), z


def recurrent_adaptive_lif(dtype=np.float64):
    """The numbers have a gain adapt_a of w and jumps of 1: the same as jumps of adapt_a."""
    z = load("recurrent_adaptive_lif")
    net = Network(float(z["dt"]), dtype)
    x = net.input(20, name="X")
    neuron = adaptive_lif(
        tau_mem=float(z["tau_mem"]),
        tau_syn=float(z["tau_syn"]),
        tau_adapt=float(z["tau_ada"]),
        jump=float(z["adapt_a"]),
        refractory=TWO,
        integrator="exponential_euler",
        jump_delay=TWO,
    )
    h1 = net.population(12, neuron, name="h1", surrogate=SuperSpike(float(z["beta"])))
    h2 = net.population(12, neuron, name="h2", surrogate=SuperSpike(float(z["beta"])))
    return *_finish(
        net, z, (h2, "out"), [(x, h1, "ff1"), (h1, h1, "rec1"), (h1, h2, "ff2"), (h2, h2, "rec2")]
    ), z
