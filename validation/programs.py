"""What `validation.speed training` compares: one training step of each program."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

import biosnn as bs

from .internals import Times, TrainingStep
from .networks import DENSE, Size, Surrogate, dense_inputs, describe, start


class TorchStep:
    """A training step of a torch.nn.Module; dense inputs are made beforehand."""

    def __init__(
        self,
        make: Callable[[bs.Network], Any],
        net: bs.Network,
        data: bs.SpikeTrains,
        threads: int,
    ) -> None:
        import torch

        torch.set_num_threads(threads)
        self.torch, self.module = torch, make(net)
        begin = time.perf_counter()
        self.inputs = self.module.inputs(torch.from_numpy(dense_inputs(data, net.dtype)))
        self.data_s = time.perf_counter() - begin
        self.labels = torch.from_numpy(data.labels)
        self.optimizer = torch.optim.Adam(self.module.parameters(), 2e-3, fused=True)

    def loss(self) -> Any:
        """Maximum over time, cross-entropy."""
        scores = self.module(self.inputs).max(0).values
        return self.torch.nn.functional.cross_entropy(scores, self.labels)

    def step(self) -> Times:
        """Take a step."""
        begin = time.perf_counter()
        self.optimizer.zero_grad()
        loss = self.loss()
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        self.optimizer.step()
        end = time.perf_counter()
        return Times(
            forward=forward - begin,
            adjoint=backward - forward,
            optimizer=end - backward,
            step=end - begin,
        )


class JaxStep:
    """A training step of JAX: one compiled function, whose parts have no times of their own."""

    def __init__(self, net: bs.Network, data: bs.SpikeTrains, threads: int) -> None:
        begin = time.perf_counter()
        inputs = dense_inputs(data, net.dtype)
        made = time.perf_counter() - begin
        self.job = import_module("validation.jax_peer").Job(net, inputs, data.labels)
        self.data_s = made + self.job.data_s

    def step(self) -> Times:
        """Take a step."""
        step = self.job.step()
        return Times(forward=np.nan, adjoint=np.nan, optimizer=np.nan, step=step)


def from_module(module: str, name: str, net: bs.Network) -> Any:
    """The network of `validation.<module>.<name>`, which is imported only now."""
    return getattr(import_module(f"validation.{module}"), name)(net)


@dataclass(frozen=True)
class Program:
    """One line of the comparison.

    Attributes
    ----------
    package
        What must be installed, or "".
    make
        Makes a torch.nn.Module of a network; for biosnn the one that its gradients are compared
        with.
    dalian
        False: it is written for LIF layers only.
    """

    name: str
    package: str
    make: Callable[[bs.Network], Any]
    surrogate: Surrogate = DENSE
    dalian: bool = True

    @property
    def key(self) -> str:
        """A name for it, its surrogate and all."""
        return f"{self.name}, {type(self.surrogate).__name__}"

    @property
    def ours(self) -> bool:
        """Whether it is biosnn."""
        return self.name == "biosnn"

    @property
    def in_jax(self) -> bool:
        """Whether it is JAX."""
        return self.name == "JAX"

    def job(self, net: bs.Network, data: bs.SpikeTrains, threads: int) -> Any:
        """Its training step on a batch."""
        if self.ours:
            return TrainingStep(net, data, threads)
        if self.in_jax:
            return JaxStep(net, data, threads)
        return TorchStep(self.make, net, data, threads)

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """What it imports, besides numpy and biosnn."""
        if self.ours:
            return ()
        return ("jax", "optax") if self.in_jax else ("torch", self.package)

    @cached_property
    def absent(self) -> str:
        """Why it cannot run here, or ""."""
        try:
            for name in self.packages:
                import_module(name)
        # a package that is installed but does not load, for whatever reason, is absent, too
        except Exception as error:  # noqa: BLE001
            return f"{type(error).__name__}: {error}"
        return ""

    def versions(self) -> dict[str, str]:
        """Of biosnn and what it needs, or of the other program."""
        if self.ours:
            own = {"biosnn": bs.__version__}
            return own | {name: version(name) for name in ("numpy", "numba")}
        return {name: version(name) for name in sorted({p.split(".")[0] for p in self.packages})}


_PLAIN = partial(from_module, "torch_peer", "plain")
PROGRAMS = [
    Program("biosnn", "", _PLAIN),
    Program("biosnn", "", _PLAIN, bs.TruncatedSuperSpike()),
    Program("PyTorch", "torch", _PLAIN),
    Program("PyTorch, fused", "torch", partial(from_module, "torch_peer", "fused")),
    Program("PyTorch, compiled", "torch", partial(from_module, "torch_peer", "compiled")),
    Program("JAX", "jax", _PLAIN),
    Program("snnTorch", "snntorch", partial(from_module, "peers", "SnnTorch"), dalian=False),
    Program("Norse", "norse.torch", partial(from_module, "peers", "Norse"), dalian=False),
    Program(
        "SpikingJelly",
        "spikingjelly.activation_based.neuron",
        partial(from_module, "peers", "SpikingJelly"),
        dalian=False,
    ),
]

#: What was chosen for each program, and so why it is its best.
CHOSEN = {
    "biosnn": "the path that bs.train uses",
    "PyTorch": "populations and projections of their own, step by step, as most code for spiking "
    "networks is written; fused Adam",
    "PyTorch, fused": "inputs as a sparse CSR matrix, input currents and readout of all steps from "
    "one product each, populations in one state, projections with a common source in one product; "
    "fused Adam",
    "PyTorch, compiled": "as fused, with torch.compile over ten steps at a time (all 350 would be "
    "unrolled, and compile for minutes)",
    "JAX": "the whole training step (loss, gradient, Adam of optax) is one jitted function with "
    "lax.scan over time, as Spyx trains; input currents and readout of all steps from one product, "
    "arguments donated",
    "snnTorch": "its Synaptic and RSynaptic neurons in a loop over steps, as in its tutorials",
    "Norse": "its SequentialState of LIFRecurrent, LIF and LI modules over whole sequences",
    "SpikingJelly": "its multi-step mode, in which layers without recurrence see all steps at once",
}


def gradient_difference(program: Program, size: Size, data: bs.SpikeTrains) -> float | None:
    """Largest difference between biosnn's gradient and a program's, in float64.

    Relative to the largest gradient of its projection. Both have the program's model
    (`peers.COUNTERPARTS`). None without PyTorch.
    """
    try:
        from .peers import COUNTERPARTS
    except ImportError:
        return None
    counterpart: Any = COUNTERPARTS.get(program.name, ({}, (False, False)))
    options, differentiated = counterpart
    options = {"surrogate": program.surrogate, "dtype": np.float64, **options}
    net = start(describe(size, data.n_units, **options), data)
    trace = bs.run(net, data, tape=True)
    loss = bs.MaxOverTimeCrossEntropy()
    _, slope = loss.value_and_gradient(trace.states["readout.U"], data.labels)
    through_reset = differentiated[0 if size.recurrent else 1]
    ours = bs.gradient(
        trace, states={"readout.U": slope}, differentiate_reset=through_reset
    ).weights
    theirs = _their_gradients(program, net, data)
    return max(
        float(np.abs(ours[name] - theirs[name]).max() / np.abs(theirs[name]).max()) for name in ours
    )


def _their_gradients(
    program: Program, net: bs.Network, data: bs.SpikeTrains
) -> dict[str, np.ndarray]:
    """By projection, in biosnn's units."""
    if program.in_jax:
        inputs = dense_inputs(data, net.dtype)
        return import_module("validation.jax_peer").gradients(net, inputs, data.labels)
    job = TorchStep(program.make, net, data, 1)
    job.loss().backward()
    return job.module.gradients(net)
