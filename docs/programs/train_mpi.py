"""mpiexec -n 4 python train_mpi.py: four processes train one network."""

from mpi4py import MPI

import biosnn as bs

data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=200, smoothness=2.0, seed=1)
train, test = bs.data.split(data, (0.75, 0.25), seed=1)

net = bs.Network(dt=2e-3)
hidden = bs.layer(net, net.input(20), 64, recurrent=False, neuron=bs.lif(tau_mem=20e-3))
net.connect(hidden, net.readout(2, tau_mem=100e-3))
bs.fluctuation_driven(net, train, sigma_u=1.0, seed=1, progress=False)

options = {"epochs": 20, "batch": 50, "optimizer": bs.Adam(5e-3), "seed": 1}
bs.train(net, train, out="run", start="resume", communicator=MPI.COMM_WORLD, **options)
if MPI.COMM_WORLD.rank == 0:
    print(f"{bs.evaluate(net, test).accuracy:.0%}")
