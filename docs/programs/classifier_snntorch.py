import numpy as np
import snntorch as snn
import torch
from snntorch import surrogate

# x: spikes (step, trial, unit), y: classes
torch.manual_seed(1)
x, y = (torch.from_numpy(a) for a in np.load("train.npz").values())
x_test, y_test = (torch.from_numpy(a) for a in np.load("test.npz").values())

dt = 2e-3
alpha, beta, slow = (float(np.exp(-dt / tau)) for tau in (10e-3, 20e-3, 100e-3))
spike = surrogate.fast_sigmoid(slope=20)
fc1, fc2 = torch.nn.Linear(20, 64, bias=False), torch.nn.Linear(64, 2, bias=False)
hidden = snn.Synaptic(alpha, beta, spike_grad=spike, reset_mechanism="zero")
readout = snn.Synaptic(alpha, slow, spike_grad=spike, reset_mechanism="none")
optimizer = torch.optim.Adam([*fc1.parameters(), *fc2.parameters()], lr=5e-3)


def forward(x):
    """The maximum of the readout over time."""
    syn1, mem1 = hidden.reset_mem()
    syn2, mem2 = readout.reset_mem()
    membranes = []
    for step in x:
        spikes, syn1, mem1 = hidden(fc1(step), syn1, mem1)
        _, syn2, mem2 = readout(fc2(spikes), syn2, mem2)
        membranes.append(mem2)
    return torch.stack(membranes).amax(0)


for _ in range(20):
    for batch in torch.randperm(len(y)).split(50):
        loss = torch.nn.functional.cross_entropy(forward(x[:, batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print(f"{(forward(x_test).argmax(1) == y_test).float().mean():.0%}")
