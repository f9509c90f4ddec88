"""
A. Is this network stabilized by inhibition?
============================================

In a network whose recurrent excitation alone is unstable, inhibitory neurons that are driven *more*
fire *less*: the paradoxical effect (Tsodyks et al. 1997). Here synapses among excitatory neurons
become stronger step by step, in five realizations each, until the effect is there.
"""

import biosnn as bs

NEURON = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3)

# %%
# The circuit, with the strength of its recurrent excitation in units of the other excitatory
# synapses. Potentials are in volts from rest.


def network(recurrence, seed):
    """1000 neurons, of which 160 excitatory and 40 inhibitory ones project onto each."""
    net = bs.Network(dt=1e-4)
    E = net.population(800, NEURON, "excitatory", name="E")
    I = net.population(200, NEURON, "inhibitory", name="I")
    for pre, number, weight in ((E, 160, 0.4e-3), (I, 40, 2e-3)):
        for post in (E, I):
            strength = recurrence * weight if pre is post is E else weight
            rule = bs.FixedInDegree(number)
            net.connect(pre, post, synapses=rule, weights=strength, delay=1.5e-3, seed=seed)
    return net


# %%
# One call gives more current to all inhibitory neurons, and says what became of the rates.

noise = [bs.PoissonInput(name, rate=2500.0, weight=0.4e-3) for name in "EI"]
effect = bs.experiments.paradoxical_effect(network(1.0, 1), 1e-3, background=noise, progress=False)
print(effect)
effect.plot()

# %%
# The sweep: rates of the inhibitory neurons before and during the drive.


def change(recurrence, seed):
    """Rates of I in hertz."""
    options = {"background": noise, "duration": 1.0, "seed": seed, "progress": False}
    found = bs.experiments.paradoxical_effect(network(recurrence, seed), 1e-3, **options)
    return {"before_hz": found.before["I"], "change_hz": found.during["I"] - found.before["I"]}


grid = {"recurrence": [0.0, 0.25, 0.5, 0.75, 1.0]}
sweep = bs.sweep(change, grid, seeds=5, executor=1, progress=False)
sweep.plot(x="recurrence", y="change_hz")

# %%
# Weak recurrent excitation: the drive raises the rate of I. Strong: it lowers it, because the
# excitatory neurons, which drive I, fall further than the drive lifts.
