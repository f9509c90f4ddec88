"""How the time of a training step of biosnn grows with the network, the trial, the batch, the firing rate and the threads.

One panel each, everything else as in the base point, with the floor: the least time that this machine needs for the same work.
Per trial of T steps, with E input events, R recurrent spikes and N spiking neurons,

    deliver      (E + R) N additions, each reads a weight (4 bytes)
    accumulate   (E + R) N additions, each reads and writes a gradient (8 bytes)
    integrate    20 operations per neuron and step, with the adjoint
    pull         2 T N^2 operations with a dense surrogate; with a compact one those of the neuron-steps near threshold only

The bytes pass at the measured bandwidth between a core and its caches, the operations at the measured rate of matrix products,
and threads share both without loss.
"""

import json
from dataclasses import asdict, dataclass, replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import biosnn as bs

from . import measure
from .programs import DT, Ours, Size, load, set_weights

SURROGATES = {"SuperSpike": bs.SuperSpike(), "TruncatedSuperSpike": bs.TruncatedSuperSpike()}


@dataclass(frozen=True)
class Point:
    """neurons: E and I together, a fifth of them I. rate: Hz of the recurrent neurons that the inputs are scaled for, or None."""

    neurons: int = 512
    steps: int = 350
    batch: int = 96
    rate: float | None = None
    threads: int = 1


#: Panel -> (values, values with --quick).
PANELS = {
    "neurons": ((100, 200, 400, 800, 1600, 4000), (100, 200, 400)),
    "steps": ((50, 100, 200, 400, 800, 1600), (50, 100, 200)),
    "batch": ((1, 4, 16, 64, 256), (1, 4, 16)),
    "rate": ((0.1, 0.5, 2.0, 5.0, 15.0, 50.0), (0.5, 5.0, 50.0)),
}
_LABELS = {
    "neurons": "neurons (4/5 E, 1/5 I)",
    "steps": "time steps",
    "batch": "trials of a batch",
    "rate": "rate of recurrent neurons (Hz)",
    "threads": "threads",
}


def floor(point, input_events, recurrent_spikes, near_threshold, machine):
    """Least seconds of a training step.

    input_events, recurrent_spikes   per trial
    near_threshold   share of neuron-steps where the surrogate is not zero: 1 for a dense one
    machine          measure.Machine, of one core
    """
    n, steps = point.neurons, point.steps
    bytes_moved = 12 * (input_events + recurrent_spikes) * n
    operations = 20 * steps * n + 2 * steps * n**2 * near_threshold
    return (
        point.batch
        * (bytes_moved / machine.cache_bandwidth + operations / machine.flops)
        / point.threads
    )


def points(quick, threads):
    """(panel, Point) of all measurements."""
    base = Point(128, 100, 16, threads=threads) if quick else Point(threads=threads)
    counts = sorted({2**k for k in range(threads.bit_length()) if 2**k <= threads} | {threads})
    panels = {name: values[quick] for name, values in PANELS.items()} | {"threads": counts}
    return [
        (panel, replace(base, **{panel: value}))
        for panel, values in panels.items()
        for value in values
    ]


def build(point, data, surrogate):
    """The Dalian network of `validation.speed`; its input weights are scaled until it fires at the rate of the point."""
    inhibitory = max(1, point.neurons // 5)
    size = Size(1, point.neurons - inhibitory, inhibitory, True, point.batch)
    net = bs.Network(DT)
    e, _ = bs.dalian_layer(
        net, net.input(data.n_units), size.neurons, size.inhibitory, surrogate=surrogate
    )
    net.connect(e, net.readout(10, tau_mem=0.7))
    set_weights(net, data[:64], 0)
    if point.rate is not None:
        _scale_inputs(net, data[:4], point.rate)
    return net


def _scale_inputs(net, data, rate, rounds=12):
    """Bisect the logarithm of a common factor of the input weights; rates grow with it."""
    inputs = {
        name: weights.copy() for name, weights in net.weights.items() if name.startswith("input->")
    }
    low, high = np.log(0.05), np.log(50.0)
    for _ in range(rounds):
        middle = (low + high) / 2
        for name, weights in inputs.items():
            net.set_weights(name, weights * np.exp(middle))
        low, high = (
            (middle, high)
            if activity(net, data)[0] / (data.duration * _n_neurons(net)) < rate
            else (low, middle)
        )


def _n_neurons(net):
    return sum(p.n for p in net.spiking)


def activity(net, data):
    """Recurrent spikes per trial, and the share of neuron-steps within the cutoff (0.2) of the threshold.

    A neuron that spikes counts as near: its U is that after the reset.
    """
    trace = bs.run(net, data, record=[f"{p.name}.U" for p in net.spiking])
    spikes = sum(trace.spikes[p.name].times.size for p in net.spiking) / len(data)
    cutoff = SURROGATES["TruncatedSuperSpike"].cutoff
    near = sum(
        np.count_nonzero(np.abs(trace.states[f"{p.name}.U"] - 1) <= cutoff) for p in net.spiking
    ) / len(data)
    steps = trace.states[f"{net.spiking[0].name}.U"].shape[1]
    return spikes, (near + spikes) / (steps * _n_neurons(net))


def measure_point(panel, point, machine, repeats):
    """Rows of both surrogates."""
    data = load(None, max(point.batch, 64), duration=point.steps * DT)
    net = build(point, data, SURROGATES["SuperSpike"])
    weights, rows = net.weights, []
    spikes, near = activity(net, data[:4])
    events = bs.bin_spikes(data[:4], DT).units.size / 4
    for name, surrogate in SURROGATES.items():
        net = build(replace(point, rate=None), data, surrogate)
        for projection, values in weights.items():
            net.set_weights(projection, values)
        job = Ours(net, data[: point.batch], point.threads)
        job.step()
        times = np.array([job.step() for _ in range(repeats)])
        forward, adjoint, optimizer, step = np.median(times, axis=0).tolist()
        rows.append(
            {"panel": panel, "implementation": "biosnn", "surrogate": name}
            | asdict(point)
            | {
                "forward_s": forward,
                "adjoint_s": adjoint,
                "optimizer_s": optimizer,
                "step_s": step,
                "step_min_s": float(times[:, 3].min()),
                "step_max_s": float(times[:, 3].max()),
                "floor_s": floor(
                    point, events, spikes, near if name == "TruncatedSuperSpike" else 1.0, machine
                ),
                "input_events_per_trial": events,
                "recurrent_spikes_per_trial": spikes,
                "share_near_threshold": near,
                "measured_rate_hz": spikes / (point.steps * DT * point.neurons),
                "core_gflops": machine.flops / 1e9,
                "core_cache_gb_per_s": machine.cache_bandwidth / 1e9,
            }
        )
    return rows


def scaling(args):
    machine, rows = measure.machine(), []
    print(
        f"one core: {machine.flops / 1e9:.0f} GFLOP/s (float32 matrix product), {machine.cache_bandwidth / 1e9:.0f} GB/s (L2)"
    )
    for panel, point in points(args.quick, args.threads):
        rows += measure_point(panel, point, machine, 2 if args.quick else 3)
        for r in rows[-2:]:
            value = r["measured_rate_hz"] if panel == "rate" else r[panel]
            print(
                f"{panel:8} {value:7.4g}  {r['surrogate']:20} {r['step_s']:8.4f} s   floor {r['floor_s']:8.4f} s",
                flush=True,
            )
        if args.json:
            with open(args.json, "w") as file:
                json.dump(rows, file, indent=1)
    if args.figure:
        figure(rows).savefig(args.figure, dpi=150)


def figure(rows):
    """Time of a training step against each quantity; dashed: the floor."""
    panels = list(dict.fromkeys(r["panel"] for r in rows))
    result = Figure(figsize=(9.0, 5.6), layout="constrained")
    axes = result.subplots(2, 3, sharey=True).ravel()
    for panel, axis in zip(panels, axes):
        _panel(axis, panel, [r for r in rows if r["panel"] == panel])
    for axis in axes[::3]:
        axis.set_ylabel("time of a step (s)")
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    axes[-1].legend(
        *axes[0].get_legend_handles_labels(),
        loc="center left",
        frameon=False,
        title=_caption(rows),
        alignment="left",
    )
    return result


def _panel(axis, panel, rows):
    for surrogate, colour, mark, label in (
        ("SuperSpike", "#000000", "o", "dense SuperSpike"),
        ("TruncatedSuperSpike", "#E69F00", "s", "compact SuperSpike"),
    ):
        part = [r for r in rows if r["surrogate"] == surrogate]
        x = [r["measured_rate_hz"] if panel == "rate" else r[panel] for r in part]
        axis.plot(
            x, [r["step_s"] for r in part], mark + "-", color=colour, markersize=4, label=label
        )
        axis.plot(
            x,
            [r["floor_s"] for r in part],
            "--",
            color=colour,
            linewidth=1,
            label=f"{label}: floor",
        )
    axis.set_xscale("log", base=2 if panel == "threads" else 10)
    axis.set_yscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    if panel == "threads":
        axis.set_xticks(
            sorted({r["threads"] for r in rows}),
            [str(t) for t in sorted({r["threads"] for r in rows})],
        )
        axis.minorticks_off()
    axis.set_xlabel(_LABELS[panel])
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color="#DDDDDD", linewidth=0.6)
    axis.set_axisbelow(True)


def _caption(rows):
    """The base point: what most rows share."""

    def common(key):
        values = [r[key] for r in rows if r["panel"] != key]
        return max(set(values), key=values.count)

    return (
        f"Elsewhere {common('neurons')} neurons, {common('steps')} steps,\n{common('batch')} trials, {common('threads')} threads, "
        f"{np.median([r['measured_rate_hz'] for r in rows if r['panel'] == 'batch']):.0f} Hz"
    )
