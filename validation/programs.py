"""What `validation.speed` compares: sizes, data, and one training step of each program."""

import argparse
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from importlib.metadata import version
from typing import Callable, NamedTuple

import numpy as np

import biosnn as bs
from biosnn.initializer.fluctuation_driven import _Design
from biosnn.training.dataset import Given, TrainingData, load
from biosnn.training.objective import make_objective
from biosnn.training.presentation import make_presentation
from biosnn.training.session import Session
from biosnn.training.update import make_update_rule, update

DT, DURATION, N_CLASSES = 2e-3, 0.7, 10


@dataclass(frozen=True)
class Size:
    """A Dalian layer (inhibitory > 0), or unsigned LIF layers; and the trials of a batch."""

    layers: int
    neurons: int
    inhibitory: int
    recurrent: bool
    batch: int

    def __str__(self):
        inhibitory = f"+{self.inhibitory}" if self.inhibitory else ""
        layers = f"{self.layers}x" if self.layers > 1 else ""
        return f"{layers}{'r' * (self.recurrent and not self.inhibitory)}{self.neurons}{inhibitory}@{self.batch}"

    @property
    def dalian(self):
        return self.inhibitory > 0


def parse_size(text):
    """ "128+32@400" (E + I), "3x128@400" (LIF layers), "r128@400" (one recurrent LIF layer) -> Size; after the @: trials of a batch."""
    match = re.fullmatch(
        r"(?:([1-9]\d*)x)?(r?)([1-9]\d*)@([1-9]\d*)|([1-9]\d*)\+([1-9]\d*)@([1-9]\d*)", text
    )
    if match is None:
        raise argparse.ArgumentTypeError(
            f"size {text!r}: write n_exc+n_inh@batch, n@batch, layers x n@batch or rn@batch (recurrent) "
            "with whole numbers >= 1, such as 128+32@400, 3x128@400 or r128@400."
        )
    layers, recurrent, n, batch, exc, inh, dalian_batch = match.groups()
    if exc:
        return Size(1, int(exc), int(inh), True, int(dalian_batch))
    return Size(int(layers or 1), int(n), 0, bool(recurrent), int(batch))


# -------------------------------------------------------------------------------- data and networks


def load(path, n_trials, seed=0, duration=DURATION):
    """Trials of 0.7 s: of an SHD-layout file (again from its beginning, if it has fewer), or Poisson spikes of 700 units at 9.1 Hz."""
    if path:
        data = bs.data.load_shd(path, duration=duration)
        return data[np.arange(n_trials) % len(data)]
    return bs.data.poisson(
        9.1, 700, duration, n_trials, seed=seed, labels=np.arange(n_trials) % N_CLASSES
    )


def build(size, data, dtype=np.float32, surrogate=bs.SuperSpike(), refractory_steps=0, seed=0):
    """The network at its fluctuation-driven start. LIF layers: exponential Euler, which the other programs have."""
    net = bs.Network(DT, dtype)
    last = net.input(data.n_units)
    if size.dalian:
        last, _ = bs.dalian_layer(net, last, size.neurons, size.inhibitory, surrogate=surrogate)
        readout = net.readout(N_CLASSES, tau_mem=DURATION)
    else:
        neuron = bs.lif(integrator="exponential_euler", refractory=refractory_steps * DT)
        for k in range(size.layers):
            last = bs.layer(
                net,
                last,
                size.neurons,
                name=f"L{k + 1}",
                neuron=neuron,
                recurrent=size.recurrent,
                surrogate=surrogate,
            )
        readout = net.readout(N_CLASSES, tau_mem=DURATION, integrator="exponential_euler")
    net.connect(last, readout)
    set_weights(net, data[:64], seed)
    return net


def set_weights(net, data, seed):
    """What `fluctuation_driven(net, data, rates=8 Hz, closed_loop=False)` does, without its report, which takes seconds."""
    design = _Design(
        net,
        0.0,
        None,
        None,
        0.9,
        bs.families.Exponential(),
        None,
        "population",
        True,
        np.random.default_rng(seed),
    )
    design.assume_rates(data, {p.name: 8.0 for p in net.spiking}, False)
    design.draw()
    design.solve()


class Times(NamedTuple):
    """Seconds of one training step; adjoint: backward pass."""

    forward: float
    adjoint: float
    optimizer: float
    step: float


@contextmanager
def stopwatch(owner, name):
    """Seconds of each call of a function."""
    function, seconds = getattr(owner, name), []

    def timed(*arguments):
        begin = time.perf_counter()
        result = function(*arguments)
        seconds.append(time.perf_counter() - begin)
        return result

    setattr(owner, name, timed)
    try:
        yield seconds
    finally:
        setattr(owner, name, function)


# ----------------------------------------------------------------------------------------- programs


class Ours:
    """A training step of biosnn, by the path that `train` uses."""

    def __init__(self, net, data, threads):
        objective = make_objective(net, bs.MaxOverTimeCrossEntropy(), None)
        rule = make_update_rule(net, bs.Adam(2e-3), bs.schedules.Constant(), (), None)
        begin = time.perf_counter()
        self.data = load(net, objective.terms, Given(data))
        self.data_s = time.perf_counter() - begin
        presentation = make_presentation(net, self.data.rows.size, 0, threads)
        loaded = TrainingData(self.data)
        self.session = Session(net, objective, rule, presentation, loaded, epochs=1)

    def step(self):
        """Kernel times are those of all threads, divided by their number; the rest of the step is the loss and waiting."""
        begin = time.perf_counter()
        with (
            stopwatch(batch_forward, "forward") as forward,
            stopwatch(batch_adjoint, "adjoint") as adjoint,
        ):
            gradient = self.session.gradient(self.data, self.data.rows).gradient
        middle = time.perf_counter()
        session = self.session
        update(session.parameters, gradient, session.rule, session.optimizer_state, 2e-3)
        end = time.perf_counter()
        return Times(
            sum(forward) / self.session.presentation.threads,
            sum(adjoint) / self.session.presentation.threads,
            end - middle,
            end - begin,
        )


def dense_inputs(spikes, dtype=np.float32):
    """Counts (step, trial, unit), at most one per step, as every other program reads them."""
    binned = bs.bin_spikes(spikes, DT)
    result = np.zeros((binned.n_steps, len(binned), binned.n_units), dtype)
    trial, step = np.divmod(
        np.repeat(
            np.arange(len(binned) * binned.n_steps), np.diff(binned.pointers, axis=1).ravel()
        ),
        binned.n_steps,
    )
    result[step, trial, binned.units] = 1
    return result


class Theirs:
    """A training step of a torch.nn.Module; dense inputs are made beforehand."""

    def __init__(self, make, net, data, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch, self.module = torch, make(net)
        begin = time.perf_counter()
        self.inputs = self.module.inputs(torch.from_numpy(dense_inputs(data, net.dtype)))
        self.data_s = time.perf_counter() - begin
        self.labels = torch.from_numpy(data.labels)
        self.optimizer = torch.optim.Adam(self.module.parameters(), 2e-3, fused=True)

    def loss(self):
        """Maximum over time, cross-entropy."""
        return self.torch.nn.functional.cross_entropy(
            self.module(self.inputs).max(0).values, self.labels
        )

    def step(self):
        begin = time.perf_counter()
        self.optimizer.zero_grad()
        loss = self.loss()
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        self.optimizer.step()
        end = time.perf_counter()
        return Times(forward - begin, backward - forward, end - backward, end - begin)


class TheirsInJax:
    """A training step of JAX. It is one compiled function, and so forward, adjoint and optimizer have no times of their own."""

    def __init__(self, net, data, threads):
        begin = time.perf_counter()
        inputs = dense_inputs(data, net.dtype)
        made = time.perf_counter() - begin
        self.job = import_module("validation.jax_peer").Job(net, inputs, data.labels)
        self.data_s = made + self.job.data_s

    def step(self):
        return Times(np.nan, np.nan, np.nan, self.job.step())


def from_module(module, name, net):
    """The network of `validation.<module>.<name>`, which is imported now only."""
    return getattr(import_module(f"validation.{module}"), name)(net)


@dataclass(frozen=True)
class Program:
    """One line of the comparison.

    package      what must be installed, or ""
    make         net -> torch.nn.Module; for biosnn the module that its gradients are compared with
    dalian       False: it is written for LIF layers only
    """

    name: str
    package: str
    make: Callable
    surrogate: bs.SuperSpike | bs.TruncatedSuperSpike = bs.SuperSpike()
    dalian: bool = True

    @property
    def key(self):
        """A name for it, its surrogate and all."""
        return f"{self.name}, {type(self.surrogate).__name__}"

    @property
    def ours(self):
        return self.name == "biosnn"

    @property
    def in_jax(self):
        return self.name == "JAX"

    def job(self, net, data, threads):
        return (Ours if self.ours else TheirsInJax if self.in_jax else partial(Theirs, self.make))(
            net, data, threads
        )

    @cached_property
    def absent(self):
        """Why it cannot run here, or ""."""
        try:
            if not self.ours:
                for name in ("jax", "optax") if self.in_jax else ("torch", self.package):
                    import_module(name)
        except Exception as error:  # a package that is installed but does not load is absent, too
            return f"{type(error).__name__}: {error}"
        return ""

    def versions(self):
        names = (
            ["numpy", "numba"]
            if self.ours
            else ["jax", "optax"]
            if self.in_jax
            else sorted({"torch", self.package.split(".")[0]})
        )
        return ({"biosnn": bs.__version__} if self.ours else {}) | {
            name: version(name) for name in names
        }


PROGRAMS = [
    Program("biosnn", "", partial(from_module, "torch_peer", "plain")),
    Program("biosnn", "", partial(from_module, "torch_peer", "plain"), bs.TruncatedSuperSpike()),
    Program("PyTorch", "torch", partial(from_module, "torch_peer", "plain")),
    Program("PyTorch, fused", "torch", partial(from_module, "torch_peer", "fused")),
    Program("PyTorch, compiled", "torch", partial(from_module, "torch_peer", "compiled")),
    Program("JAX", "jax", partial(from_module, "torch_peer", "plain")),
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
    "PyTorch": "populations and projections of their own, step by step, as most code for spiking networks is written; fused Adam",
    "PyTorch, fused": "inputs as a sparse CSR matrix, input currents and readout of all steps from one product each, populations in one "
    "state, projections with a common source in one product; fused Adam",
    "PyTorch, compiled": "as fused, with torch.compile over ten steps at a time (all 350 would be unrolled, and compile for minutes)",
    "JAX": "the whole training step (loss, gradient, Adam of optax) is one jitted function with lax.scan over time, as Spyx trains; "
    "input currents and readout of all steps from one product, arguments donated",
    "snnTorch": "its Synaptic and RSynaptic neurons in a loop over steps, as in its tutorials",
    "Norse": "its SequentialState of LIFRecurrent, LIF and LI modules over whole sequences",
    "SpikingJelly": "its multi-step mode, in which layers without recurrence see all steps at once",
}


def gradient_difference(program, size, data):
    """Largest difference between biosnn's gradient and a program's (float64), relative to the largest of its projection.

    Both have the program's model (peers.COUNTERPARTS). None without PyTorch.
    """
    try:
        from .peers import COUNTERPARTS
    except ImportError:
        return None
    options, differentiated = COUNTERPARTS.get(program.name, ({}, (False, False)))
    net = build(size, data, np.float64, **({"surrogate": program.surrogate} | options))
    trace = bs.run(net, data, tape=True)
    _, grad = bs.MaxOverTimeCrossEntropy().value_and_gradient(
        trace.states["readout.U"], data.labels
    )
    ours = bs.gradient(
        trace,
        states={"readout.U": grad},
        differentiate_reset=differentiated[0 if size.recurrent else 1],
    ).weights
    if program.in_jax:
        theirs = import_module("validation.jax_peer").gradients(
            net, dense_inputs(data, net.dtype), data.labels
        )
    else:
        job = Theirs(program.make, net, data, 1)
        job.loss().backward()
        theirs = job.module.gradients(net)
    return max(
        float(np.abs(ours[name] - theirs[name]).max() / np.abs(theirs[name]).max()) for name in ours
    )
