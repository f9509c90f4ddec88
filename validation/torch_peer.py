"""The networks of `validation.speed` in PyTorch, written twice; needs torch.

The same discrete-time model as biosnn (integrate, threshold, synapses, reset), SuperSpike, no gradient through the reset, delay 0,
no refractory period. Inputs and readouts are (step, trial, unit): time first, so that each step is one contiguous piece.

    plain   as most code for spiking networks is written: populations and projections of their own, step by step
    fused   as an expert would for this one circuit: input currents of all steps and the readout from one matrix product each, both
            populations of the Dalian circuit in one state, projections with a common source in one product

`compiled=True` gives the time step of the fused one to torch.compile (the loop over 350 steps as a whole would be unrolled, and
compile for minutes).
"""
import numpy as np
import torch

from biosnn.neuron import step_matrix


class SuperSpikeFunction(torch.autograd.Function):
    """Heaviside function of x, with the derivative 1 / (beta |x| + 1)^2 for |x| <= cutoff."""

    @staticmethod
    def forward(context, x, beta, cutoff):
        context.save_for_backward(x)
        context.beta, context.cutoff = beta, cutoff
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(context, gradient):
        x, = context.saved_tensors
        result = gradient / (context.beta * x.abs() + 1) ** 2
        if context.cutoff != np.inf:
            result = result * (x.abs() <= context.cutoff)
        return result, None, None


class TorchNetwork(torch.nn.Module):
    """Weights of a biosnn network as parameters, by the name of the projection."""

    def __init__(self, net):
        super().__init__()
        self.weights = torch.nn.ParameterDict({name: torch.from_numpy(w.copy()) for name, w in net.weights.items()})
        self.coefficients = {p.name: tuple(map(tuple, step_matrix(p.neuron, net.dt)[0].tolist())) for p in net.spiking + net.readouts}
        surrogate = net.spiking[0].surrogate
        self.beta, self.cutoff = surrogate.steepness, getattr(surrogate, "cutoff", np.inf)
        self.populations = [p.name for p in net.spiking]

    def spike(self, x):
        return SuperSpikeFunction.apply(x, self.beta, self.cutoff)

    def readout(self, currents):
        """U of the readout from its synaptic input (step, trial, unit)."""
        (uu, ui), (_, ii) = self.coefficients["readout"]
        u = i = torch.zeros_like(currents[0])
        trace = []
        for current in currents.unbind(0):
            u, i = uu * u + ui * i, ii * i + current
            trace.append(u)
        return torch.stack(trace)

    def gradients(self, net):
        """Gradients of the last backward pass by projection, (pre, post)."""
        return {name: self.weights[name].grad.numpy() for name in net.weights}


class PlainDalian(TorchNetwork):
    def forward(self, inputs):
        (uu, ue, ui), (_, ee, _), (_, _, ii) = self.coefficients["E"]
        (ru, rs), (_, ss) = self.coefficients["readout"]
        w = self.weights
        u_e = exc_e = inh_e = inputs.new_zeros(inputs.shape[1], w["E->E"].shape[1])
        u_i = exc_i = inh_i = inputs.new_zeros(inputs.shape[1], w["I->I"].shape[1])
        r = i = inputs.new_zeros(inputs.shape[1], w["E->readout"].shape[1])
        trace = []
        for x in inputs.unbind(0):
            u_e, u_i = uu * u_e + ue * exc_e + ui * inh_e, uu * u_i + ue * exc_i + ui * inh_i
            s_e, s_i = self.spike(u_e - 1), self.spike(u_i - 1)
            r = ru * r + rs * i
            exc_e = ee * exc_e + x @ w["input->E"] + s_e @ w["E->E"]
            exc_i = ee * exc_i + x @ w["input->I"] + s_e @ w["E->I"]
            inh_e, inh_i = ii * inh_e + s_i @ w["I->E"], ii * inh_i + s_i @ w["I->I"]
            i = ss * i + s_e @ w["E->readout"]
            u_e, u_i = u_e * (1 - s_e.detach()), u_i * (1 - s_i.detach())
            trace.append(r)
        return torch.stack(trace)


class FusedDalian(TorchNetwork):
    def __init__(self, net, compiled=False):
        super().__init__(net)
        self.n_exc = net["E"].n
        self.step = torch.compile(self._step) if compiled else self._step

    def _step(self, u, exc, inh, current, from_exc, from_inh):
        (uu, ue, ui), (_, ee, _), (_, _, ii) = self.coefficients["E"]
        u = uu * u + ue * exc + ui * inh
        s = self.spike(u - 1)
        exc = torch.addmm(ee * exc + current, s[:, :self.n_exc], from_exc)
        inh = torch.addmm(ii * inh, s[:, self.n_exc:], from_inh)
        return u * (1 - s.detach()), exc, inh, s

    def forward(self, inputs):
        w = self.weights
        currents = inputs.flatten(0, 1) @ torch.cat([w["input->E"], w["input->I"]], 1)
        from_exc, from_inh = torch.cat([w["E->E"], w["E->I"]], 1), torch.cat([w["I->E"], w["I->I"]], 1)
        u = exc = inh = inputs.new_zeros(inputs.shape[1], from_exc.shape[1])
        spikes = []
        for current in currents.unflatten(0, inputs.shape[:2]).unbind(0):
            u, exc, inh, s = self.step(u, exc, inh, current, from_exc, from_inh)
            spikes.append(s[:, :self.n_exc])
        return self.readout(torch.stack(spikes) @ w["E->readout"])


class PlainLayers(TorchNetwork):
    """LIF layers, with or without recurrence, step by step."""

    def forward(self, inputs):
        names, w = self.populations, self.weights
        states = {name: (inputs.new_zeros(inputs.shape[1], w[f"{name}->{after}"].shape[0]),) * 2
                  for name, after in zip(names, names[1:] + ["readout"])}
        (ru, ri), (_, rr) = self.coefficients["readout"]
        r = i_r = inputs.new_zeros(inputs.shape[1], w[f"{names[-1]}->readout"].shape[1])
        trace = []
        for x in inputs.unbind(0):
            source, before = x, "input"
            for name in names:
                (uu, ui), (_, ii) = self.coefficients[name]
                u, i = states[name]
                u = uu * u + ui * i
                s = self.spike(u - 1)
                i = ii * i + source @ w[f"{before}->{name}"]
                if f"{name}->{name}" in w:
                    i = i + s @ w[f"{name}->{name}"]
                states[name] = u * (1 - s.detach()), i
                source, before = s, name
            r, i_r = ru * r + ri * i_r, rr * i_r + source @ w[f"{before}->readout"]
            trace.append(r)
        return torch.stack(trace)


class FusedLayers(TorchNetwork):
    """LIF layers, layer by layer, the feed-forward input of all steps from one product."""

    def __init__(self, net, compiled=False):
        super().__init__(net)
        self.step = torch.compile(self._step) if compiled else self._step

    def _step(self, u, i, current, recurrent):
        (uu, ui), (_, ii) = self.coefficients[self.populations[0]]     # the layers have the same time constants
        u, i = uu * u + ui * i, ii * i + current
        s = self.spike(u - 1)
        if recurrent is not None:
            i = torch.addmm(i, s, recurrent)
        return u * (1 - s.detach()), i, s

    def forward(self, inputs):
        source, before = inputs, "input"
        for name in self.populations:
            currents = (source.flatten(0, 1) @ self.weights[f"{before}->{name}"]).unflatten(0, inputs.shape[:2])
            recurrent = self.weights[f"{name}->{name}"] if f"{name}->{name}" in self.weights else None
            u = i = torch.zeros_like(currents[0])
            spikes = []
            for current in currents.unbind(0):
                u, i, s = self.step(u, i, current, recurrent)
                spikes.append(s)
            source, before = torch.stack(spikes), name
        return self.readout(source @ self.weights[f"{before}->readout"])


def plain(net):
    """A torch.nn.Module with the weights of a biosnn network: `dalian_layer`, or layers of `lif`, and a readout."""
    return PlainDalian(net) if "E->I" in net.weights else PlainLayers(net)


def fused(net, compiled=False):
    """As `plain`, for speed."""
    return FusedDalian(net, compiled) if "E->I" in net.weights else FusedLayers(net, compiled)


def compiled(net):
    """As `fused`, with a compiled time step."""
    return fused(net, compiled=True)
