"""
E. A network that decides
=========================

A Dalian network learns which of two pools of inputs fires more, as in the task with random dots
(Roitman & Shadlen 2002). Its choices on new trials give a psychometric curve, and silencing a part
of its inhibition shows what inhibition does for the decision.
"""

import numpy as np
from matplotlib.figure import Figure

import biosnn as bs

task, probe = (bs.data.perceptual_decision(n, seed=seed) for n, seed in ((2000, 1), (1500, 2)))

# %%
# The network: slow excitation, a readout of two choices, and a start with fluctuations.

net = bs.Network(dt=2e-3)
neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=100e-3, tau_inh=10e-3)
E, I = bs.dalian_layer(net, net.input(task.spikes.n_units), 80, 20, neuron=neuron)
net.connect(E, net.readout(2, tau_mem=0.1))
bs.fluctuation_driven(net, task.spikes, sigma_u=1.0, seed=1, progress=False)

# %%
# Training counts only the response window, which the mask of the task selects.

loss, options = bs.EveryStepCrossEntropy(), {"epochs": 10, "batch": 50, "progress": False}
bs.train(net, task.spikes, mask=task.mask, loss=loss, optimizer=bs.Adam(2e-3), **options)

# %%
# Choices by coherence, with all neurons and with a part of the inhibitory ones silent.

figure = Figure(figsize=(5, 3.5), layout="constrained")
axis, coherence = figure.subplots(), probe.conditions["coherence"]
for fraction in (0.0, 0.2, 0.4):
    silent = [bs.perturb.Silence("I", fraction=fraction, seed=1)] if fraction else []
    found = bs.predict(net, probe.spikes, probe.mask, loss=loss, perturbations=silent)
    share = [np.mean(found.predictions[coherence == c] == 0) for c in np.unique(coherence)]
    axis.plot(100 * np.unique(coherence), 100 * np.array(share), "o-", label=f"{fraction:.0%}")
axis.set(xlabel="coherence (%)", ylabel="choices of pool 0 (%)")
axis.legend(title="of I silent")
figure
