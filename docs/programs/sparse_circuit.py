import biosnn as bs

neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3)
net = bs.Network(dt=1e-4)
E = net.population(800, neuron, "excitatory", name="E")
I = net.population(200, neuron, "inhibitory", name="I")
for post in (E, I):
    rule = bs.FixedInDegree(80)
    net.connect(E, post, synapses=rule, weights=0.4e-3, delay=1.5e-3, seed=1)
    rule = bs.FixedInDegree(20)
    net.connect(I, post, synapses=rule, weights=2e-3, delay=1.5e-3, seed=1)
background = [bs.PoissonInput(name, 2400.0, 0.4e-3) for name in ("E", "I")]
done = bs.simulate(net, 1.0, background=background, seed=1, progress=False)
print(f"{done.mean_rates['E']:.0f} Hz")
