"""
G. A long run, and what is in it
================================

Twenty seconds of a sparse circuit of 2000 neurons in the asynchronous irregular state. Spikes go to
a file as they come; population means of the synaptic currents are recorded without storing those
of single neurons. Then the usual questions: regularity, variability, correlations, dimensionality,
the field potential and its spectrum.
"""

import tempfile

import biosnn as bs

# %%
# The circuit, and the run.

net = bs.Network(dt=1e-4)
neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=2e-3, tau_inh=5e-3, refractory=2e-3)
E = net.population(1600, neuron, "excitatory", name="E")
I = net.population(400, neuron, "inhibitory", name="I")
for post in (E, I):
    net.connect(E, post, synapses=bs.FixedInDegree(160), weights=0.2, delay=1.5e-3, seed=1)
    net.connect(I, post, synapses=bs.FixedInDegree(40), weights=1.0, delay=1.5e-3, seed=1)
noise = [bs.PoissonInput(name, 4000.0, 0.3, receptor="exc") for name in "EI"]
path = f"{tempfile.mkdtemp()}/spikes.h5"
means = {"E.I_exc": "mean", "E.I_inh": "mean"}
done = bs.simulate(net, 20.0, background=noise, record=means, out=path, seed=1)

# %%
# The last 19 seconds of the excitatory neurons:

spikes = bs.read_spikes(path)["E"].select(start=1.0)
print(f"CV of intervals   {bs.stats.isi_cv(spikes).mean():.2f}")
print(f"Fano factor       {bs.stats.fano_factor(spikes, 0.1).mean():.2f}")
print(f"correlation       {bs.stats.correlations(spikes, 20e-3).mean():.4f}")
print(f"dimensionality    {bs.signals.dimensionality(spikes, 20e-3):.0f} of {spikes.n_units}")

# %%
# Figures: activity, distributions, and the spectrum of the field potential.

bs.plot.activity(done)

# %%
bs.plot.distributions(done)

# %%
field = bs.signals.local_field_potential(*bs.signals.synaptic_currents(done, "E"))
bs.signals.power_spectrum(field).plot()
