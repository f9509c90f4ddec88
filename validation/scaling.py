"""`validation.speed scaling`: how the time of a training step of biosnn grows, beside its floor.

It grows with the network, the trial, the batch, the firing rate and the threads: one panel each,
everything else as in the base point. The floor is the least time that this machine needs for the
same work. Per trial of T steps, with E input events, R recurrent spikes and N spiking neurons,

    deliver      (E + R) N additions, each reads a weight (4 bytes)
    accumulate   (E + R) N additions, each reads and writes a gradient (8 bytes)
    integrate    20 operations per neuron and step, with the adjoint
    pull         2 T N^2 operations with a dense surrogate; with a compact one those of the
                 neuron-steps near threshold only

The bytes pass at the measured bandwidth between a core and its caches, the operations at the
measured rate of matrix products, and threads share both without loss.
"""

import argparse
from dataclasses import asdict, dataclass, replace

import numpy as np

import biosnn as bs
from models.command_line import write_json

from . import measure
from .internals import TrainingStep
from .markdown import Row
from .networks import DT, Size, Surrogate, describe, load, start

SURROGATES: dict[str, Surrogate] = {
    "SuperSpike": bs.SuperSpike(),
    "TruncatedSuperSpike": bs.TruncatedSuperSpike(),
}
CUTOFF = 0.2  # of the truncated one


@dataclass(frozen=True)
class Point:
    """What is measured.

    Attributes
    ----------
    neurons
        E and I together, a fifth of them I.
    rate
        Hz of the recurrent neurons that the inputs are scaled for, or None.
    """

    neurons: int = 512
    steps: int = 350
    batch: int = 96
    rate: float | None = None
    threads: int = 1

    @property
    def size(self) -> Size:
        """Of the network."""
        inhibitory = max(1, self.neurons // 5)
        return Size(1, self.neurons - inhibitory, inhibitory, True, self.batch)


#: Panel -> (values, values with --quick).
PANELS: dict[str, tuple[tuple, tuple]] = {
    "neurons": ((100, 200, 400, 800, 1600, 4000), (100, 200, 400)),
    "steps": ((50, 100, 200, 400, 800, 1600), (50, 100, 200)),
    "batch": ((1, 4, 16, 64, 256), (1, 4, 16)),
    "rate": ((0.1, 0.5, 2.0, 5.0, 15.0, 50.0), (0.5, 5.0, 50.0)),
}


def floor(
    point: Point,
    input_events: float,
    recurrent_spikes: float,
    near_threshold: float,
    machine: measure.Machine,
) -> float:
    """Least seconds of a training step.

    Parameters
    ----------
    input_events, recurrent_spikes
        Per trial.
    near_threshold
        Share of neuron-steps where the surrogate is not zero: 1 for a dense one.
    machine
        Of one core.
    """
    n, steps = point.neurons, point.steps
    bytes_moved = 12 * (input_events + recurrent_spikes) * n
    operations = 20 * steps * n + 2 * steps * n**2 * near_threshold
    trial = bytes_moved / machine.cache_bandwidth + operations / machine.flops
    return point.batch * trial / point.threads


def points(quick: bool, threads: int) -> list[tuple[str, Point]]:
    """(panel, point) of all measurements."""
    base = Point(128, 100, 16, threads=threads) if quick else Point(threads=threads)
    counts = sorted({2**k for k in range(threads.bit_length()) if 2**k <= threads} | {threads})
    panels = {name: values[quick] for name, values in PANELS.items()} | {"threads": tuple(counts)}
    return [
        (panel, replace(base, **{panel: value}))
        for panel, values in panels.items()
        for value in values
    ]


def build(point: Point, data: bs.SpikeTrains) -> bs.Network:
    """Build the Dalian network, with input weights with which it fires at the rate of the point."""
    net = start(describe(point.size, data.n_units), data)
    if point.rate is not None:
        _scale_inputs(net, data[:4], point.rate)
    return net


def _scale_inputs(net: bs.Network, data: bs.SpikeTrains, rate: float, rounds: int = 12) -> None:
    """Bisect the logarithm of a common factor of the input weights; rates grow with it."""
    inputs = [name for name in net.weights if name.startswith("input->")]
    before = {name: net.weights[name].copy() for name in inputs}
    low, high = np.log(0.05), np.log(50.0)
    for _ in range(rounds):
        middle = (low + high) / 2
        for name, weights in before.items():
            net.set_weights(name, weights * np.exp(middle))
        found = activity(net, data)[0] / (data.duration * _n_neurons(net))
        low, high = (middle, high) if found < rate else (low, middle)


def _n_neurons(net: bs.Network) -> int:
    """Spiking neurons."""
    return sum(p.n for p in net.spiking)


def activity(net: bs.Network, data: bs.SpikeTrains) -> tuple[float, float]:
    """Recurrent spikes per trial, and the share of neuron-steps near the threshold.

    A neuron that spikes counts as near: its U is that after the reset.
    """
    names = [p.name for p in net.spiking]
    trace = bs.run(net, data, record=[f"{name}.U" for name in names])
    spikes = sum(trace.spikes[name].times.size for name in names) / len(data)
    potentials = [trace.states[f"{name}.U"] for name in names]
    near = sum(np.count_nonzero(np.abs(u - 1) <= CUTOFF) for u in potentials) / len(data)
    return spikes, (near + spikes) / (potentials[0].shape[1] * _n_neurons(net))


def measure_point(panel: str, point: Point, machine: measure.Machine, repeats: int) -> list[Row]:
    """Rows of both surrogates."""
    data = load(None, max(point.batch, 64), duration=point.steps * DT)
    net = build(point, data)
    spikes, near = activity(net, data[:4])
    events = bs.bin_spikes(data[:4], DT).units.size / 4
    known = {
        "panel": panel,
        "implementation": "biosnn",
        **asdict(point),
        "input_events_per_trial": events,
        "recurrent_spikes_per_trial": spikes,
        "share_near_threshold": near,
        "measured_rate_hz": spikes / (point.steps * DT * point.neurons),
        "core_gflops": machine.flops / 1e9,
        "core_cache_gb_per_s": machine.cache_bandwidth / 1e9,
    }
    rows = []
    for name, surrogate in SURROGATES.items():
        other = describe(point.size, data.n_units, surrogate=surrogate)
        for projection, weights in net.weights.items():
            other.set_weights(projection, weights)
        pulled = near if name == "TruncatedSuperSpike" else 1.0
        least = floor(point, events, spikes, pulled, machine)
        times = _times(other, data[: point.batch], point.threads, repeats)
        rows.append(known | {"surrogate": name, "floor_s": least} | times)
    return rows


def _times(net: bs.Network, batch: bs.SpikeTrains, threads: int, repeats: int) -> Row:
    """Of a training step."""
    job = TrainingStep(net, batch, threads)
    job.step()
    times = np.array([job.step() for _ in range(repeats)])
    forward, adjoint, _, step = np.median(times, axis=0).tolist()
    return {
        "forward_s": forward,
        "adjoint_s": adjoint,
        "step_s": step,
        "step_min_s": float(times[:, 3].min()),
        "step_max_s": float(times[:, 3].max()),
    }


def scaling(args: argparse.Namespace) -> None:
    """Measure all points; print a line for each, and write the figure."""
    machine, rows = measure.machine(), []
    flops, bandwidth = machine.flops / 1e9, machine.cache_bandwidth / 1e9
    print(f"one core: {flops:.0f} GFLOP/s (float32 matrix product), {bandwidth:.0f} GB/s (L2)")
    for panel, point in points(args.quick, args.threads):
        found = measure_point(panel, point, machine, 2 if args.quick else 3)
        for r in found:
            value = r["measured_rate_hz"] if panel == "rate" else r[panel]
            times = f"{r['step_s']:8.4f} s   floor {r['floor_s']:8.4f} s"
            print(f"{panel:8} {value:7.4g}  {r['surrogate']:20} {times}", flush=True)
        rows += found
        if args.json:
            write_json(args.json, rows)
    if args.figure:
        from .scaling_figure import figure

        figure(rows).savefig(args.figure, dpi=150)
