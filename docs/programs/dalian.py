import biosnn as bs

data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=200, smoothness=2.0, seed=1)
train, test = bs.data.split(data, (0.75, 0.25), seed=1)

net = bs.Network(dt=2e-3)
neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=20e-3)
E, I = bs.dalian_layer(net, net.input(20), 64, 16, neuron=neuron)
net.connect(E, net.readout(2, tau_mem=train.duration))

bs.fluctuation_driven(net, train, sigma_u=1.0, alpha=0.9, seed=1, progress=False)
bs.train(
    net,
    train,
    epochs=20,
    batch=50,
    loss=bs.MaxOverTimeCrossEntropy(),
    optimizer=bs.SMORMS3(5e-3),
    regularizers=[bs.upper_bound(0.1, 7)],
    seed=1,
    progress=False,
)
print(f"{bs.evaluate(net, test).accuracy:.0%}, {bs.audit(net).violations} violations")
