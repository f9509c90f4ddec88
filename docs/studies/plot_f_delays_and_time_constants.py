"""
F. Do delays and learned time constants help?
=============================================

Classes of spike trains that differ in *when* units fire. The network gets delays of several
lengths, and membrane time constants that are fixed or learned, one for each neuron. Six
conditions, two seeds each.
"""

import biosnn as bs

data = bs.data.randman(
    n_classes=4, n_units=30, samples_per_class=100, duration=0.2, smoothness=1.0, seed=3
)
train, test = bs.data.split(data, (2 / 3, 1 / 3), seed=1)


# %%
# All that differs between two networks is in the arguments of this function.


def learn(delay, time_constants, seed):
    """Accuracy on the test data, and the spread of the time constants after training."""
    net = bs.Network(dt=2e-3)
    learned = {"mem": "neuron"} if time_constants == "learned" else None
    E, I = bs.dalian_layer(net, net.input(train.n_units), 64, 16, delay=delay, learn=learned)
    net.connect(E, net.readout(4, tau_mem=train.duration))
    bs.fluctuation_driven(net, train, sigma_u=1.0, seed=seed, progress=False)
    optimizer = bs.Adam(5e-3)
    bs.train(net, train, epochs=15, batch=50, optimizer=optimizer, seed=seed, progress=False)
    return {"accuracy": bs.evaluate(net, test).accuracy}


grid = {"delay": [0.0, 10e-3, 30e-3], "time_constants": ["fixed", "learned"]}
sweep = bs.sweep(learn, grid, seeds=2, executor=1, progress=False)
sweep.plot(x="delay", y="accuracy", hue="time_constants")

# %%
# The same as a table (means over the seeds):

frame = sweep.to_frame().groupby(["delay", "time_constants"])["accuracy"]
print(frame.agg(["mean", "std"]).round(3))
