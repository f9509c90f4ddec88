"""Plain LIF layers in snnTorch, Norse and SpikingJelly, as their users write them.

Each needs its package. These packages integrate a step's input before they integrate the membrane,
where biosnn lets it act from the next step on. The models are the same after a shift of one step
per layer; `delayed` undoes it. Their step is `U <- a U + gain I`, `I <- b I + input`; biosnn's
`exponential_euler` integrator is that with a = exp(-dt / tau_mem), b = exp(-dt / tau_syn) and gain
1 - a. Where a package has gain 1 its weights are (1 - a) times ours, and so is our gradient in
units of theirs.

What else differs, and what makes biosnn's gradient the same number (`COUNTERPARTS`):

snnTorch
    Resets in the step after the spike and skips that step's input: a refractory period of 2 steps
    here.
Norse
    Its SuperSpike has the steepness 1 whatever `alpha` says; layers without recurrence
    differentiate the reset.
SpikingJelly
    Its SuperSpike has the steepness 1 (`alpha` is a factor).
"""

from collections.abc import Sequence
from typing import Any

import torch

import biosnn as bs

#: Program -> (arguments of `networks.describe`, differentiate_reset for recurrent and for other
#: layers).
COUNTERPARTS: dict[str, tuple[dict[str, Any], tuple[bool, bool]]] = {
    "snnTorch": ({"refractory_steps": 2}, (False, False)),
    "Norse": ({"surrogate": bs.SuperSpike(1.0)}, (False, True)),
    "SpikingJelly": ({"surrogate": bs.SuperSpike(1.0)}, (False, False)),
}


def decays(net: bs.Network, name: str) -> tuple[float, float]:
    """Factors by which membrane and current of a population decay in a step."""
    population: Any = net[name]
    matrix = bs.theory.step_matrix(population.neuron, net.dt)[0]
    return float(matrix[0, 0]), float(matrix[1, 1])


def delayed(readout: torch.Tensor, steps: int) -> torch.Tensor:
    """The readout's U, later by some steps, and of the same length."""
    return torch.cat([torch.zeros_like(readout[:steps]), readout[: readout.shape[0] - steps]])


class PeerNetwork(torch.nn.Module):
    """Layers of a biosnn network, for a subclass to build.

    Attributes
    ----------
    places
        Where the weights of each projection are: the parameter (post, pre), the first column, and
        the factor by which they exceed biosnn's.
    """

    def __init__(self, net: bs.Network) -> None:
        super().__init__()
        self.places: dict[str, tuple[torch.nn.Parameter, int, float]] = {}
        names = [p.name for p in net.spiking]
        self.lag = len(names) + 1
        self.dtype = torch.from_numpy(net.weights[f"{names[-1]}->readout"]).dtype
        self.chain = list(zip(["input"] + names, names + ["readout"]))

    def inputs(self, dense: torch.Tensor) -> Any:
        """What `forward` reads, from (step, trial, unit)."""
        return dense

    def linear(
        self, net: bs.Network, projections: Sequence[str], factor: float = 1.0
    ) -> torch.nn.Linear:
        """A layer with the weights of projections with a common target, side by side."""
        parts = [torch.from_numpy(net.weights[name].T * factor) for name in projections]
        weight = torch.cat(parts, 1).to(self.dtype).contiguous()
        result = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=self.dtype)
        result.weight = torch.nn.Parameter(weight)
        self.place(result.weight, net, projections, factor)
        return result

    def place(
        self,
        parameter: torch.nn.Parameter,
        net: bs.Network,
        projections: Sequence[str],
        factor: float = 1.0,
    ) -> None:
        """Note where the weights of projections are."""
        first = 0
        for name in projections:
            self.places[name] = parameter, first, factor
            first += net.weights[name].shape[0]

    def gradients(self, net: bs.Network) -> dict[str, Any]:
        """Gradients of the last backward pass by projection, (pre, post), in biosnn's units."""
        return {
            name: parameter.grad[:, first : first + net.weights[name].shape[0]].T.numpy() * factor
            for name, (parameter, first, factor) in self.places.items()
        }


class SnnTorch(PeerNetwork):
    """A loop over steps with snnTorch's Synaptic and RSynaptic neurons."""

    def __init__(self, net: bs.Network) -> None:
        import snntorch

        super().__init__(net)
        self.linears, self.neurons = torch.nn.ModuleList(), torch.nn.ModuleList()
        surrogate: Any = net.spiking[0].surrogate
        spike = snntorch.surrogate.fast_sigmoid(surrogate.steepness)
        double = self.dtype is torch.float64  # it returns float32
        options = {"spike_grad": (lambda x: spike(x).to(x.dtype)) if double else spike}
        for pre, post in self.chain:
            mem, syn = (torch.tensor(d, dtype=self.dtype) for d in decays(net, post))
            self.linears.append(self.linear(net, [f"{pre}->{post}"], 1 - float(mem)))
            if post == "readout":
                neuron = snntorch.Synaptic(syn, mem, reset_mechanism="none", **options)
            elif f"{post}->{post}" in net.weights:
                neuron = snntorch.RSynaptic(
                    syn, mem, linear_features=net[post].n, reset_mechanism="zero", **options
                )
                # without its bias
                neuron.recurrent = self.linear(net, [f"{post}->{post}"], 1 - float(mem))
            else:
                neuron = snntorch.Synaptic(syn, mem, reset_mechanism="zero", **options)
            self.neurons.append(neuron)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """U of the readout."""
        states, trace = [neuron.reset_mem() for neuron in self.neurons], []
        for x in inputs:
            for k, (linear, neuron) in enumerate(zip(self.linears, self.neurons)):
                result = neuron(linear(x), *states[k])
                # Synaptic's states are all but the first, RSynaptic's all three
                states[k] = result[-len(states[k]) :]
                x = result[0]
            trace.append(states[-1][-1])
        return delayed(torch.stack(trace), self.lag)


class Norse(PeerNetwork):
    """norse.torch.SequentialState of LIFRecurrent (or Linear and LIF), Linear and LI."""

    def __init__(self, net: bs.Network) -> None:
        import norse.torch as norse

        super().__init__(net)
        parts = []
        for pre, post in self.chain:
            mem, syn = (torch.tensor((1 - d) / net.dt, dtype=self.dtype) for d in decays(net, post))
            if f"{post}->{post}" in net.weights:
                weights = [
                    torch.nn.Parameter(torch.from_numpy(net.weights[f"{source}->{post}"].T.copy()))
                    for source in (pre, post)
                ]
                for source, weight in zip((pre, post), weights):
                    self.place(weight, net, [f"{source}->{post}"])
                parts.append(
                    norse.LIFRecurrent(
                        *weights[0].shape[::-1],
                        p=norse.LIFParameters(syn, mem),
                        dt=net.dt,
                        autapses=True,
                        input_weights=weights[0],
                        recurrent_weights=weights[1],
                    )
                )
            else:
                parts.append(self.linear(net, [f"{pre}->{post}"]))
                parts.append(
                    norse.LI(norse.LIParameters(syn, mem), dt=net.dt)
                    if post == "readout"
                    else norse.LIF(norse.LIFParameters(syn, mem), dt=net.dt)
                )
        self.network = norse.SequentialState(*parts)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """U of the readout."""
        return delayed(self.network(inputs)[0], self.lag)


class SpikingJelly(PeerNetwork):
    """CUBALIFNode in multi-step mode, or in a LinearRecurrentContainer."""

    def __init__(self, net: bs.Network) -> None:
        from spikingjelly.activation_based import functional, layer, neuron, surrogate

        super().__init__(net)
        self.reset_net, parts = functional.reset_net, []
        for pre, post in self.chain:
            mem, syn = decays(net, post)
            node = neuron.CUBALIFNode(
                syn, mem, float("inf") if post == "readout" else 1.0, 0.0, surrogate.SuperSpike(1.0)
            )
            node.detach_reset = True
            if f"{post}->{post}" in net.weights:
                container = layer.LinearRecurrentContainer(
                    node, net[pre].n, net[post].n, bias=False, step_mode="m"
                )
                both = [f"{pre}->{post}", f"{post}->{post}"]  # onto the neurons at once
                container.rc = self.linear(net, both, 1 - mem)
                parts.append(container)
            else:
                node.step_mode = "m"
                parts += [self.linear(net, [f"{pre}->{post}"], 1 - mem), node]
        self.readout = parts[-1]
        self.readout.store_v_seq = True
        self.network = torch.nn.Sequential(*parts)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """U of the readout."""
        self.reset_net(self.network)
        self.network(inputs)
        return delayed(self.readout.v_seq, self.lag)
