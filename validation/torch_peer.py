"""The Dalian network of biosnn in PyTorch, written twice: what `validation.speed` compares with.

The same discrete-time model (integrate, threshold, synapses, reset), SuperSpike, no gradient through the reset, delay 0, no
refractory period, maximum-over-time cross-entropy.

    plain   as most code for spiking networks is written: populations and projections of their own, step by step
    fused   as an expert would for this one circuit: the input currents of all steps and the readout from one matrix product each,
            both populations in one state, projections with a common source in one product
"""
import numpy as np

from biosnn.neuron import step_matrix


def require_torch():
    """torch, or an ImportError that says how to get it."""
    try:
        import torch
    except ImportError:
        raise ImportError("this comparison needs PyTorch: pip install 'biosnn[speed]'.") from None
    return torch


def make_network(net, fused=False):
    """A torch.nn.Module with the weights of a biosnn network from `dalian_layer` and a readout; calling it gives U of the readout."""
    torch = require_torch()

    class SuperSpikeFunction(torch.autograd.Function):
        @staticmethod
        def forward(context, x, beta):
            context.save_for_backward(x)
            context.beta = beta
            return (x > 0).to(x.dtype)

        @staticmethod
        def backward(context, gradient):
            x, = context.saved_tensors
            return gradient / (context.beta * x.abs() + 1) ** 2, None

    class Dalian(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name, key in (("input->E", "xe"), ("input->I", "xi"), ("E->E", "ee"), ("E->I", "ei"), ("I->E", "ie"), ("I->I", "ii"),
                              ("E->readout", "eo")):
                setattr(self, key, torch.nn.Parameter(torch.from_numpy(net.weights[name].copy())))
            self.matrix = step_matrix(net["E"].neuron, net.dt)[0]
            self.readout_matrix = step_matrix(net["readout"].neuron, net.dt)[0]
            self.beta, self.n_exc = net["E"].surrogate.steepness, net["E"].n

        def forward(self, inputs):
            return self.fused(inputs) if fused else self.plain(inputs)

        def plain(self, inputs):
            n_trials, steps, _ = inputs.shape
            (uu, ue, ui), (_, ee, _), (_, _, ii) = (tuple(float(v) for v in row) for row in self.matrix)
            (ru, rs), (_, ss) = (tuple(float(v) for v in row) for row in self.readout_matrix)

            def zeros(n):
                return torch.zeros(n_trials, n, dtype=inputs.dtype)
            u_e, exc_e, inh_e = (zeros(self.n_exc) for _ in range(3))
            u_i, exc_i, inh_i = (zeros(self.xi.shape[1]) for _ in range(3))
            r = i = zeros(self.eo.shape[1])
            trace = []
            for n in range(steps):
                u_e, u_i = uu * u_e + ue * exc_e + ui * inh_e, uu * u_i + ue * exc_i + ui * inh_i
                s_e, s_i = SuperSpikeFunction.apply(u_e - 1, self.beta), SuperSpikeFunction.apply(u_i - 1, self.beta)
                r = ru * r + rs * i
                exc_e = ee * exc_e + inputs[:, n] @ self.xe + s_e @ self.ee
                exc_i = ee * exc_i + inputs[:, n] @ self.xi + s_e @ self.ei
                inh_e, inh_i = ii * inh_e + s_i @ self.ie, ii * inh_i + s_i @ self.ii
                i = ss * i + s_e @ self.eo
                u_e, u_i = u_e * (1 - s_e.detach()), u_i * (1 - s_i.detach())
                trace.append(r)
            return torch.stack(trace, 1)

        def fused(self, inputs):
            n_trials, steps, n_inputs = inputs.shape
            from_input = (inputs.reshape(-1, n_inputs) @ torch.cat([self.xe, self.xi], 1)).view(n_trials, steps, -1).unbind(1)
            from_exc, from_inh = torch.cat([self.ee, self.ei], 1), torch.cat([self.ie, self.ii], 1)
            (uu, ue, ui), (_, ee, _), (_, _, ii) = (tuple(float(v) for v in row) for row in self.matrix)
            u = exc = inh = torch.zeros(n_trials, from_exc.shape[1], dtype=inputs.dtype)
            spikes_of_e = []
            for n in range(steps):
                u = uu * u + ue * exc + ui * inh
                s = SuperSpikeFunction.apply(u - 1, self.beta)
                exc = torch.addmm(ee * exc + from_input[n], s[:, :self.n_exc], from_exc)
                inh = torch.addmm(ii * inh, s[:, self.n_exc:], from_inh)
                u = u * (1 - s.detach())
                spikes_of_e.append(s[:, :self.n_exc])
            to_readout = (torch.stack(spikes_of_e, 1) @ self.eo).unbind(1)
            (ru, rs), (_, ss) = (tuple(float(v) for v in row) for row in self.readout_matrix)
            r = i = torch.zeros(n_trials, self.eo.shape[1], dtype=inputs.dtype)
            trace = []
            for n in range(steps):
                r, i = ru * r + rs * i, ss * i + to_readout[n]
                trace.append(r)
            return torch.stack(trace, 1)
    return Dalian()


#: Attribute of the module for each projection of biosnn.
PROJECTIONS = {"input->E": "xe", "input->I": "xi", "E->E": "ee", "E->I": "ei", "I->E": "ie", "I->I": "ii", "E->readout": "eo"}


def gradients(net, dense, labels, fused=False):
    """Loss and gradients by projection (pre, post) of one batch; dense: (trial, step, unit)."""
    torch = require_torch()
    module = make_network(net, fused)
    inputs = torch.from_numpy(np.ascontiguousarray(dense, net.dtype))
    loss = torch.nn.functional.cross_entropy(module(inputs).max(1).values, torch.from_numpy(labels))
    loss.backward()
    return loss.item(), {name: getattr(module, key).grad.numpy() for name, key in PROJECTIONS.items()}
