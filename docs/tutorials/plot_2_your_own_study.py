"""
A study of your own
===================

How does the balance of excitation and inhibition at the start change what a network learns? This
page asks the question as an experiment: several starts, several seeds, one table. It takes the
steps that most studies take: a task, a network, a start that is known in numbers, a manipulation,
a measurement, and a look inside.
"""

import numpy as np
from matplotlib.figure import Figure

import biosnn as bs

# %%
# A task
# ------
# Three classes of spike trains, 150 trials each, and a third of them for the test.

data = bs.data.randman(n_classes=3, n_units=30, samples_per_class=150, smoothness=2.0, seed=1)
train, test = bs.data.split(data, (2 / 3, 1 / 3), seed=1)

# %%
# A network, and a start in numbers
# ---------------------------------
# The function of the experiment: all that differs between two networks is in its arguments. The
# target of the start is the free membrane (the membrane without its threshold), in units of the
# threshold: a mean of 0 and a standard deviation `sigma_u`. With `sigma_u` = 1 the threshold is
# one standard deviation away.


def network(sigma_u, seed):
    """A Dalian network that starts with fluctuations of this size, and the report on it."""
    net = bs.Network(dt=2e-3)
    E, I = bs.dalian_layer(net, net.input(train.n_units), 64, 16, neuron=bs.ei_lif())
    net.connect(E, net.readout(3, tau_mem=train.duration))
    report = bs.fluctuation_driven(net, train, sigma_u=sigma_u, seed=seed, progress=False)
    return net, report


net, report = network(sigma_u=1.0, seed=1)
print(report)

# %%
# The report has a line for each population: what was asked for, what theory predicts for
# independent Poisson inputs, and what a simulation of the training data measured after the
# weights were corrected. :doc:`/generated/howto/plot_report` reads it line by line. Here are the
# membrane and its target density:

trace = bs.run(net, train[:20], record=["E.U", "E.I_exc", "E.I_inh"])
bs.plot.membrane(trace, "E")

# %%
# The manipulation
# ----------------
# Three sizes of fluctuations and two seeds. In a paper you would take more of both, and more
# epochs.

sizes, seeds = (0.5, 1.0, 2.0), (1, 2)
scores = np.zeros((len(sizes), len(seeds)))
rates = np.zeros_like(scores)
for row, sigma_u in enumerate(sizes):
    for column, seed in enumerate(seeds):
        net, report = network(sigma_u, seed)
        rates[row, column] = bs.stats.firing_rates(bs.run(net, test).spikes["E"]).mean()
        bs.train(
            net, train, epochs=20, batch=50, optimizer=bs.Adam(5e-3), seed=seed, progress=False
        )
        scores[row, column] = bs.evaluate(net, test).accuracy
        print(f"sigma_U = {sigma_u}, seed {seed}: {scores[row, column]:.0%}")

# %%
# A figure
# --------

figure = Figure(figsize=(8, 3), layout="constrained")
left, right = figure.subplots(1, 2)
left.plot(sizes, 100 * scores, "o", color=bs.plot.EXCITATORY)
left.set(xlabel=r"$\sigma_U$ at the start", ylabel="test accuracy (%)", ylim=(0, 102))
right.plot(sizes, rates, "o", color=bs.plot.EXCITATORY)
right.set(xlabel=r"$\sigma_U$ at the start", ylabel="rate of E at the start (Hz)")

# %%
# A look inside
# -------------
# Does the trained network depend on its inhibition? A lesion: all synapses from I lose their
# weight.

before = bs.evaluate(net, test).accuracy
for post in ("E", "I"):
    name = f"I->{post}"
    net.set_weights(name, 0 * net.weights[name])
print(f"with inhibition {before:.0%}, without {bs.evaluate(net, test).accuracy:.0%}")

# %%
# The same questions at the size of a paper: :source:`models/rossbroich_2022/__main__.py` for the
# size of fluctuations, and :source:`models/perceptual_decision` for lesions.
