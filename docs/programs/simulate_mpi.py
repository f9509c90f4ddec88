"""mpiexec -n 4 python simulate_mpi.py: four processes simulate one network."""

from mpi4py import MPI

import biosnn as bs

net = bs.Network(dt=1e-4)
e = net.population(8000, bs.lif_delta(tau_mem=20e-3), "excitatory", name="E")
i = net.population(2000, bs.lif_delta(tau_mem=20e-3), "inhibitory", name="I")
for pre, weight in ((e, 5e-3), (i, 25e-3)):
    for post in (e, i):
        rule = bs.FixedInDegree(pre.n // 10)
        net.connect(pre, post, delay=1.5e-3, weights=weight, synapses=rule, seed=1)

noise = [bs.PoissonInput(name, 20e3, 5e-3) for name in ("E", "I")]
done = bs.simulate(net, 1.0, background=noise, seed=1, communicator=MPI.COMM_WORLD)
if MPI.COMM_WORLD.rank == 0:
    print(f"{done.mean_rates['E']:.2f} Hz")
