"""biosnn against PyTorch: time and memory of one training step, in one interleaved run.

    python -m validation.speed training [--sizes 128+32@400 …] [--repeats 5] [--threads 2] [--data FILE] [--json FILE]
"""
import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import biosnn as bs
from biosnn import passes
from biosnn.train import _Data, _Session

from .torch_peer import gradients, make_network, require_torch


def parse_size(text):
    """"128+32@400" -> (128, 32, 400): excitatory and inhibitory neurons, trials of a batch."""
    try:
        neurons, batch = text.split("@")
        exc, inh = neurons.split("+")
        size = int(exc), int(inh), int(batch)
    except ValueError:
        size = (0,)
    if min(size) < 1:
        raise argparse.ArgumentTypeError(f"size {text!r}: write n_exc+n_inh@batch with whole numbers >= 1, such as 128+32@400.")
    return size


def load(path, n_trials, seed=0):
    """Trials of 0.7 s: of an SHD-layout file, or Poisson spikes of 700 units at 9.1 Hz."""
    if path:
        data = bs.data.load_shd(path, duration=0.7)
        return data[np.arange(n_trials) % len(data)]
    return bs.data.poisson(9.1, 700, 0.7, n_trials, seed=seed, labels=np.arange(n_trials) % 10)


def build(size, data, dtype=np.float32, seed=0):
    """The network at its fluctuation-driven start."""
    net = bs.Network(2e-3, dtype)
    e, _ = bs.dalian_layer(net, net.input(data.n_units), size[0], size[1])
    net.connect(e, net.readout(10, tau_mem=0.7))
    bs.fluctuation_driven(net, data[:64], rates={"E": 8.0, "I": 8.0}, seed=seed, closed_loop=False)
    return net


class Ours:
    """A training step of biosnn, by the path that `train` uses."""

    def __init__(self, net, data, threads):
        self.session = _Session(net, bs.MaxOverTimeCrossEntropy(), bs.Adam(2e-3), bs.Constant(), (), None, 0, threads, False)
        self.data = self.session.data = _Data(self.session, data, None, None)

    def step(self):
        """Seconds of forward pass and adjoint (those of all threads, divided by their number), and of the whole step."""
        begin = time.perf_counter()
        with stopwatch("forward") as forward, stopwatch("adjoint") as adjoint:
            *_, gradient = self.session.gradient(self.data, self.data.rows)
        self.session._update(gradient, 2e-3)
        return sum(forward) / self.session.threads, sum(adjoint) / self.session.threads, time.perf_counter() - begin


@contextmanager
def stopwatch(name):
    """Seconds of each call of a kernel."""
    kernel, seconds = getattr(passes.kernels, name), []

    def timed(*arguments):
        begin = time.perf_counter()
        kernel(*arguments)
        seconds.append(time.perf_counter() - begin)
    setattr(passes.kernels, name, timed)
    try:
        yield seconds
    finally:
        setattr(passes.kernels, name, kernel)


class Theirs:
    """A training step of the same network in PyTorch; dense inputs are made beforehand."""

    def __init__(self, net, data, threads, fused=False):
        torch = require_torch()
        torch.set_num_threads(threads)
        self.torch, self.module = torch, make_network(net, fused)
        self.inputs = torch.from_numpy(bs.bin_spikes(data, net.dt).dense().astype(np.float32))
        self.labels = torch.from_numpy(data.labels)
        self.optimizer = torch.optim.Adam(self.module.parameters(), 2e-3)

    def step(self):
        begin = time.perf_counter()
        self.optimizer.zero_grad()
        loss = self.torch.nn.functional.cross_entropy(self.module(self.inputs).max(1).values, self.labels)
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        self.optimizer.step()
        return forward - begin, backward - forward, time.perf_counter() - begin


IMPLEMENTATIONS = {"biosnn": Ours, "PyTorch": Theirs, "PyTorch, fused": partial(Theirs, fused=True)}


def compare_gradients(net, data):
    """Largest difference of a gradient, relative to the largest gradient of its projection."""
    trace = bs.run(net, data, tape=True)
    _, grad = bs.MaxOverTimeCrossEntropy().value_and_gradient(trace.states["readout.U"], data.labels)
    ours = bs.gradient(trace, {"readout.U": grad}).weights
    difference = 0.0
    for fused in (False, True):
        _, theirs = gradients(net, bs.bin_spikes(data, net.dt).dense(), data.labels, fused)
        difference = max([difference] + [float(np.abs(ours[name] - theirs[name]).max() / np.abs(theirs[name]).max()) for name in ours])
    return difference


def peak_memory(name, size, path, threads):
    """Growth of the peak resident set (MB) by one step, in a process of its own, after a step with two trials."""
    command = [sys.executable, "-m", "validation.speed", "memory", name, f"{size[0]}+{size[1]}@{size[2]}", str(threads), path or ""]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def measure_memory(name, size, threads, path):
    data = load(path, size[2])
    net = build(size, data)
    IMPLEMENTATIONS[name](net, data[:2], threads).step()
    job = IMPLEMENTATIONS[name](net, data, threads)
    before = reset_peak()
    job.step()
    print(peak() - before)


def reset_peak():
    """Start to measure the peak resident set anew, where the system can (Linux); returns what is resident now, in MB."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass
    return peak()


def peak():
    """Peak resident set in MB since `reset_peak` (since the start, where that is not possible)."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) / 1e3 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def training(args):
    rows, console = [], Console()
    for size in args.sizes:
        data = load(args.data, size[2])
        net = build(size, data)
        difference = compare_gradients(build(size, data, np.float64), data[:min(20, size[2])])
        jobs = {name: make(net, data, args.threads) for name, make in IMPLEMENTATIONS.items()}
        times = {name: [] for name in jobs}
        for repeat in range(args.repeats + 1):
            for name, job in jobs.items():
                times[name].append(job.step())
        for name in jobs:
            each = np.array(times[name][1:])     # the first is a warm-up
            forward, adjoint, step = np.median(each, axis=0)
            rows.append({"size": f"{size[0]}+{size[1]}@{size[2]}", "implementation": name, "surrogate": "SuperSpike",
                         "forward_s": forward, "adjoint_s": adjoint, "step_s": step, "step_min_s": each[:, 2].min(),
                         "step_max_s": each[:, 2].max(), "peak_memory_mb": peak_memory(name, size, args.data, args.threads),
                         "gradient_difference": difference,
                         "times_biosnn": float(np.median(each[:, 2] / np.array(times["biosnn"])[1:, 2]))})
    console.print(table(rows))
    if args.json:
        machine = {"processor": platform.machine(), "system": platform.system(), "python": platform.python_version(),
                   "threads": args.threads, "numpy": np.__version__, "torch": require_torch().__version__}
        with open(args.json, "w") as file:
            json.dump({"rows": rows, "machine": machine}, file, indent=1)


def table(rows):
    result = Table(title="One training step (forward, loss, gradients, Adam); gradients in float64 differ by at most "
                   f"{max(r['gradient_difference'] for r in rows):.1e}", title_justify="left")
    for heading in ("size", "program", "forward (s)", "adjoint (s)", "step (s)", "range (s)", "time / ours", "memory (MB)"):
        result.add_column(heading, justify="left" if heading in ("size", "program") else "right")
    for r in rows:
        result.add_row(r["size"], r["implementation"], f"{r['forward_s']:.3f}", f"{r['adjoint_s']:.3f}", f"{r['step_s']:.3f}",
                       f"{r['step_min_s']:.2f}-{r['step_max_s']:.2f}", f"{r['times_biosnn']:.2f}", f"{r['peak_memory_mb']:.0f}")
    return result


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m validation.speed", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("training", help="time and memory of a training step")
    one.add_argument("--sizes", nargs="+", type=parse_size, default=[(128, 32, 400)], help="n_exc+n_inh@batch (default 128+32@400)")
    one.add_argument("--repeats", type=int, default=5)
    one.add_argument("--threads", type=int, default=passes.default_threads())
    one.add_argument("--data", help="SHD-layout file; default: Poisson spikes of the same shape")
    one.add_argument("--json")
    two = commands.add_parser("memory")
    for name, kind in (("name", str), ("size", parse_size), ("threads", int), ("path", str)):
        two.add_argument(name, type=kind)
    args = parser.parse_args(arguments)
    if args.command == "memory":
        measure_memory(args.name, args.size, args.threads, args.path)
    else:
        training(args)


if __name__ == "__main__":
    main()
