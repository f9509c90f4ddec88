"""The networks of `validation.speed` in PyTorch, written twice; needs torch.

The same discrete-time model as biosnn (integrate, threshold, synapses, reset), SuperSpike, no
gradient through the reset, delay 0, no refractory period. Inputs and readouts are (step, trial,
unit): time first, so that each step is one contiguous piece.

plain
    As most code for spiking networks is written: populations and projections of their own, step by
    step.
fused
    As an expert would for this one circuit: input currents of all steps from one product with
    sparse inputs, the readout from two products, both populations of the Dalian circuit in one
    state, projections with a common source in one product.

`compiled` gives the fused one's loop to torch.compile, ten steps at a time (the loop over 350 steps
as a whole would be unrolled, and compile for minutes). Adam is PyTorch's fused one.
"""

import warnings
from typing import Any

import numpy as np
import torch

import biosnn as bs


def step_matrices(net: bs.Network) -> dict[str, np.ndarray]:
    """The matrix of a step of every population and readout."""
    populations: list[Any] = [*net.spiking, *net.readouts]
    return {p.name: bs.theory.step_matrix(p.neuron, net.dt)[0] for p in populations}


class SuperSpikeFunction(torch.autograd.Function):
    """Heaviside function of x, with the derivative 1 / (beta |x| + 1)^2 for |x| <= cutoff."""

    @staticmethod
    def forward(context: Any, x: torch.Tensor, beta: float, cutoff: float) -> torch.Tensor:
        """1 where x > 0."""
        context.save_for_backward(x)
        context.beta, context.cutoff = beta, cutoff
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple:
        """The gradient by x."""
        (x,) = context.saved_tensors
        result = gradient / (context.beta * x.abs() + 1) ** 2
        if context.cutoff != np.inf:
            result = result * (x.abs() <= context.cutoff)
        return result, None, None


class TorchNetwork(torch.nn.Module):
    """Weights of a biosnn network as parameters, by the name of the projection."""

    def __init__(self, net: bs.Network) -> None:
        super().__init__()
        self.weights = torch.nn.ParameterDict(
            {name: torch.from_numpy(w.copy()) for name, w in net.weights.items()}
        )
        self.coefficients = {
            name: tuple(map(tuple, matrix.tolist())) for name, matrix in step_matrices(net).items()
        }
        surrogate: Any = net.spiking[0].surrogate
        self.beta, self.cutoff = surrogate.steepness, getattr(surrogate, "cutoff", np.inf)
        self.populations = [p.name for p in net.spiking]

    def spike(self, x: torch.Tensor) -> torch.Tensor:
        """Spikes of neurons that are x above threshold."""
        return SuperSpikeFunction.apply(x, self.beta, self.cutoff)

    def readout(self, currents: torch.Tensor) -> torch.Tensor:
        """U of the readout from its synaptic input (step, trial, unit)."""
        (uu, ui), (_, ii) = self.coefficients["readout"]
        u = i = torch.zeros_like(currents[0])
        trace = []
        for current in currents.unbind(0):
            u, i = uu * u + ui * i, ii * i + current
            trace.append(u)
        return torch.stack(trace)

    def inputs(self, dense: torch.Tensor) -> torch.Tensor:
        """What `forward` reads, from (step, trial, unit)."""
        return dense

    def gradients(self, net: bs.Network) -> dict[str, np.ndarray]:
        """Gradients of the last backward pass by projection, (pre, post)."""
        return {name: self.weights[name].grad.numpy() for name in net.weights}


class PlainDalian(TorchNetwork):
    """The Dalian circuit, step by step."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """U of the readout."""
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


class Fused(TorchNetwork):
    """As an expert would write such a network: products for all steps at once where they can be.

    Inputs are a sparse CSR matrix (step and trial, unit), of which a step of a trial has about 13
    entries in 700 columns; the readout, a linear filter, is one product with its response to an
    impulse. What is left for every step goes to `_step`, `steps_per_call` of which are one compiled
    function.
    """

    steps_per_call = 10

    def __init__(self, net: bs.Network, compiled: bool = False) -> None:
        super().__init__(net)
        self.advance = torch.compile(self._advance) if compiled else self._advance

    def inputs(self, dense: torch.Tensor) -> torch.Tensor:
        self.shape = dense.shape[:2]
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # that CSR is in beta
            return dense.flatten(0, 1).to_sparse_csr()

    def _advance(self, states, currents, *weights):
        """Some steps: the states after them, and their spikes."""
        spikes = []
        for current in currents.unbind(0):
            states, s = self._step(states, current, *weights)
            spikes.append(s)
        return states, torch.stack(spikes)

    def spikes(self, states: Any, currents: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        """Of all steps, from the input currents (step, trial, unit)."""
        parts = []
        for part in currents.split(self.steps_per_call):
            states, spikes = self.advance(states, part, *weights)
            parts.append(spikes)
        return torch.cat(parts)

    def readout(self, currents: torch.Tensor) -> torch.Tensor:
        """U of the readout, a product with its response to an impulse."""
        matrix, n = torch.tensor(self.coefficients["readout"], dtype=torch.float64), len(currents)
        state, response = torch.tensor([0.0, 1.0], dtype=torch.float64), []
        for _ in range(n):
            response.append(state[0].item())
            state = matrix @ state
        lag = torch.arange(n)[:, None] - torch.arange(n)
        filter_ = torch.tensor(response, dtype=currents.dtype)[lag.clamp(min=0)] * (lag > 0)
        return (filter_ @ currents.flatten(1)).unflatten(1, currents.shape[1:])


class FusedDalian(Fused):
    """Both populations in one state, projections with a common source in one product."""

    def __init__(self, net: bs.Network, compiled: bool = False) -> None:
        super().__init__(net, compiled)
        self.n_exc = net["E"].n

    def _step(self, states, current, from_exc, from_inh):
        """One step of both populations."""
        (uu, ue, ui), (_, ee, _), (_, _, ii) = self.coefficients["E"]
        u, exc, inh = states
        u = uu * u + ue * exc + ui * inh
        s = self.spike(u - 1)
        exc = torch.addmm(ee * exc + current, s[:, : self.n_exc], from_exc)
        inh = torch.addmm(ii * inh, s[:, self.n_exc :], from_inh)
        return (u * (1 - s.detach()), exc, inh), s

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """U of the readout."""
        w = self.weights
        currents = (inputs @ torch.cat([w["input->E"], w["input->I"]], 1)).unflatten(0, self.shape)
        from_exc, from_inh = (
            torch.cat([w["E->E"], w["E->I"]], 1),
            torch.cat([w["I->E"], w["I->I"]], 1),
        )
        spikes = self.spikes((torch.zeros_like(currents[0]),) * 3, currents, from_exc, from_inh)
        return self.readout(spikes[:, :, : self.n_exc] @ w["E->readout"])


class PlainLayers(TorchNetwork):
    """LIF layers, with or without recurrence, step by step."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """U of the readout."""
        names, w = self.populations, self.weights
        states = {
            name: (inputs.new_zeros(inputs.shape[1], w[f"{name}->{after}"].shape[0]),) * 2
            for name, after in zip(names, names[1:] + ["readout"])
        }
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


class FusedLayers(Fused):
    """Layer by layer."""

    def _step(self, states, current, recurrent=None):
        """One step of a layer."""
        (uu, ui), (_, ii) = self.coefficients[
            self.populations[0]
        ]  # the layers have the same time constants
        u, i = states
        u, i = uu * u + ui * i, ii * i + current
        s = self.spike(u - 1)
        if recurrent is not None:
            i = torch.addmm(i, s, recurrent)
        return (u * (1 - s.detach()), i), s

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """U of the readout."""
        source, before = inputs, "input"
        for name in self.populations:
            currents = source @ self.weights[f"{before}->{name}"]
            currents = currents.unflatten(0, self.shape) if before == "input" else currents
            weights = [self.weights[f"{name}->{name}"]] if f"{name}->{name}" in self.weights else []
            source, before = (
                self.spikes((torch.zeros_like(currents[0]),) * 2, currents, *weights),
                name,
            )
        return self.readout(source @ self.weights[f"{before}->readout"])


def plain(net: bs.Network) -> torch.nn.Module:
    """A module with the weights of a network: `dalian_layer` or layers of `lif`, and a readout."""
    return PlainDalian(net) if "E->I" in net.weights else PlainLayers(net)


def fused(net: bs.Network, compiled: bool = False) -> torch.nn.Module:
    """As `plain`, for speed."""
    return FusedDalian(net, compiled) if "E->I" in net.weights else FusedLayers(net, compiled)


def compiled(net: bs.Network) -> torch.nn.Module:
    """As `fused`, with a compiled time step."""
    return fused(net, compiled=True)
