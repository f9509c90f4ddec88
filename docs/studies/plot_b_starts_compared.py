"""
B. Three starts compared
========================

The same Dalian network and the same data, from three initializations: fluctuation-driven, Kaiming's
(made for networks of rates), and strong weights without a plan. Several seeds of each, learning
curves with their spread, and the rates at the start, which explain them.
"""

import biosnn as bs

data = bs.data.randman(n_classes=4, n_units=30, samples_per_class=150, smoothness=2.0, seed=1)
train, test = bs.data.split(data, (2 / 3, 1 / 3), seed=1)
quiet = {"progress": False}

# %%
# A start is a function of a network and a seed.

starts = {
    "fluctuations": lambda net, k: bs.fluctuation_driven(net, train, sigma_u=1.0, seed=k, **quiet),
    "Kaiming": lambda net, k: bs.kaiming(net, seed=k),
    "exponential": lambda net, k: bs.random_weights(net, bs.Exponential(3.0), seed=k),
}


def learn(start, seed):
    """Train from a start, and say how fast E fired before."""
    net = bs.Network(dt=2e-3)
    E, I = bs.dalian_layer(net, net.input(train.n_units), 64, 16)
    net.connect(E, net.readout(4, tau_mem=train.duration))
    starts[start](net, seed)
    rate = bs.predict(net, test).rates["E"]
    return rate, bs.train(net, train, validation=test, epochs=15, batch=50, seed=seed, **quiet)


results = {start: [learn(start, seed) for seed in (1, 2, 3)] for start in starts}

# %%
# Kaiming's networks are silent, and say so. Rates at the start, and accuracy at the end:

for start, runs in results.items():
    scores = [f"{rate:.1f} Hz {history.validation_accuracy[-1]:.0%}" for rate, history in runs]
    print(f"{start:12}", ", ".join(scores))

# %%
# Learning curves: mean over the seeds, and its spread.

bs.plot.history({start: [history for _, history in runs] for start, runs in results.items()})
