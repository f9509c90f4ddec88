"""
Tsodyks, Pawelzik & Markram (1998): dynamic synapses
====================================================

Tsodyks M, Pawelzik K, Markram H (1998). Neural networks with dynamic synapses. Neural Computation
10, 821-835. https://doi.org/10.1162/089976698300017502 ::

    python -m models.tsodyks_markram_1998     steady states next to the analytic ones; a figure

A depressing synapse (U = 0.5, tau_rec = 800 ms, no facilitation) and a facilitating one (U = 0.03,
tau_rec = 130 ms, tau_facil = 530 ms), driven by regular trains. The analytic steady states are
those of ``bs.TsodyksMarkram.steady_state``; u x of the depressing synapse is 0.1051 at 10 Hz and
0.0571 at 20 Hz. Far above the limiting frequency 1 / (U tau_rec) depression makes u x fall as
1 / (rate tau_rec): the mean current saturates.
"""

import argparse
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import biosnn as bs

from . import command_line

SYNAPSES = {
    "depressing": bs.TsodyksMarkram(utilization=0.5, tau_rec=0.8, tau_facil=0.0),
    "facilitating": bs.TsodyksMarkram(utilization=0.03, tau_rec=0.13, tau_facil=0.53),
}
RATES = (1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 40.0, 50.0, 100.0)  # Hz, whole steps between spikes
TAU_MEM, TAU_SYN, DT = 40e-3, 3e-3, 1e-3  # seconds


def build(rule: bs.TsodyksMarkram, n: int) -> bs.Network:
    """Build `n` input units, each with one synapse onto a neuron of its own."""
    net = bs.Network(DT, np.float64)
    neuron = bs.lif(tau_mem=TAU_MEM, tau_syn=TAU_SYN, threshold=1e9)
    net.connect(
        net.input(n),
        net.population(n, neuron, name="A"),
        weights=1.0,
        receptor="exc",
        synapses=bs.OneToOne(),
        plasticity=rule,
    )
    return net


def responses(
    rule: bs.TsodyksMarkram, rates: tuple[float, ...], seconds: float
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Drive one synapse at each rate (Hz) with a regular train.

    Returns
    -------
    Times (s), u x at the spikes of every train, and membranes (step, rate) in units of the weight.
    """
    n = len(rates)
    net = build(rule, n)
    trains = [np.arange(0.1, seconds, 1 / rate) for rate in rates]
    times, units = np.concatenate(trains), np.repeat(np.arange(n), [train.size for train in trains])
    spikes = bs.SpikeTrains.from_events(
        times, units, np.zeros(times.size, int), n_trials=1, n_units=n, duration=seconds
    )
    record = {"A.I": slice(None), "A.U": slice(None)}
    done = bs.simulate(net, seconds, spikes, record=record, progress=False)
    current = done.states["A.I"]
    before = np.concatenate([np.zeros((1, n)), current[:-1]])
    jumps = current - np.exp(-DT / TAU_SYN) * before
    released = [jumps[np.round(train / DT).astype(int), k] for k, train in enumerate(trains)]
    return done.state_times, released, done.states["A.U"]


def figure(measured: dict[str, list[float]]) -> Figure:
    """Responses to 20 Hz, and the steady state over rates."""
    drawing = Figure(figsize=(11, 6.5), layout="constrained")
    axes = drawing.subplots(2, 2, width_ratios=(3, 2))
    for (left, right), (name, rule) in zip(axes, SYNAPSES.items()):
        times, _, membrane = responses(rule, (20.0,), 1.2)
        left.plot(1e3 * times, membrane[:, 0], color=bs.plot.EXCITATORY)
        left.set(title=f"{name}: 20 Hz from 0.1 s on", xlabel="time (ms)", xlim=(0, 1200))
        left.set(ylabel="U (units of weight)", ylim=(0, None))
        _steady_state(right, rule, measured[name])
    return drawing


def _steady_state(axis: Axes, rule: bs.TsodyksMarkram, measured: list[float]) -> None:
    """u x over rates, analytic and simulated, and the frequency that matters."""
    rates = np.geomspace(0.5, 150, 200)
    axis.loglog(rates, rule.steady_state(rates)[2], color="black", lw=1, label="analytic")
    axis.plot(RATES, measured, "o", color=bs.plot.EXCITATORY, label="simulated")
    if rule.tau_facil:
        frequency = 1 / np.sqrt(rule.utilization * rule.tau_rec * rule.tau_facil)
        label = "peak 1 / √(U τ_rec τ_facil)"
    else:
        axis.plot(rates, 1 / (rates * rule.tau_rec), "--", color="0.5", label="1 / (rate τ_rec)")
        frequency = 1 / (rule.utilization * rule.tau_rec)
        label = "limiting frequency 1 / (U τ_rec)"
    axis.axvline(frequency, color=bs.plot.INHIBITORY, ls=":", label=label)
    axis.set(title="steady state", xlabel="rate (Hz)", ylabel="u x")
    axis.legend(fontsize=8, framealpha=1, edgecolor="none")  # opaque: the line ends behind it


def measure(seconds: float) -> tuple[list[dict[str, Any]], dict[str, list[float]]]:
    """Steady states of all synapses and rates: rows of results, and u x by synapse."""
    rows, measured = [], {}
    for name, rule in SYNAPSES.items():
        _, released, _ = responses(rule, RATES, seconds)
        measured[name] = [float(train[-1]) for train in released]
        for rate, value in zip(RATES, measured[name]):
            rows.append(
                {
                    "synapse": name,
                    "rate_hz": rate,
                    "ux_analytic": float(rule.steady_state(rate)[2]),
                    "ux_simulated": value,
                }
            )
    return rows, measured


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_line.output_parser("tsodyks_markram_1998", __doc__ or "")
    text = "length of the trains (default 10)"
    parser.add_argument("--seconds", type=float, default=10.0, help=text)
    args = parser.parse_args(arguments)
    if not 3 <= args.seconds <= 1000:
        parser.error(
            f"--seconds {args.seconds:g} must lie in 3 .. 1000: the slowest train needs a few "
            "spikes to settle."
        )
    return args


def main(arguments: list[str] | None = None) -> None:
    """Measure the steady states from the command line."""
    args = options(arguments)
    rows, measured = measure(args.seconds)
    command_line.show(
        "Tsodyks, Pawelzik & Markram (1998): u x in the steady state of a regular train",
        ("synapse", "rate (Hz)", "analytic", "simulated"),
        [
            (
                row["synapse"],
                f"{row['rate_hz']:g}",
                f"{row['ux_analytic']:.4f}",
                f"{row['ux_simulated']:.4f}",
            )
            for row in rows
        ],
    )
    command_line.save(args, lambda: figure(measured), "synapses.png", rows)


if __name__ == "__main__":
    main()
