"""The circuit, and what it is trained for."""

import biosnn as bs

N_EXC, N_INH, DT, BATCH = 80, 20, 2e-3, 50
LOSS = bs.EveryStepCrossEntropy()

#: Bounds on the spikes of a trial: of a population's mean, and (homeostasis) of every neuron.
BOUNDS = (bs.upper_bound(0.1, 14),)
HOMEOSTASIS = (bs.lower_bound(0.1, 2, per="neuron"), bs.upper_bound(0.003, 20, per="neuron"))


def build(task: bs.data.Task) -> bs.Network:
    """Build the circuit and its readout of two choices, without weights."""
    net = bs.Network(DT)
    inputs = net.input(task.spikes.n_units)
    neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=100e-3, tau_inh=10e-3)
    excitatory, _ = bs.dalian_layer(net, inputs, N_EXC, N_INH, neuron=neuron)
    net.connect(excitatory, net.readout(task.n_choices, tau_mem=0.1))
    return net
