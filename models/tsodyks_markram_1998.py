"""Tsodyks M, Pawelzik K, Markram H (1998). Neural networks with dynamic synapses.
Neural Computation 10, 821-835. https://doi.org/10.1162/089976698300017502

    python -m models.tsodyks_markram_1998             steady states beside the analytic ones; figure

A depressing synapse (U = 0.5, tau_rec = 800 ms, no facilitation) and a facilitating one (U = 0.03, tau_rec = 130 ms, tau_facil =
530 ms), driven by regular trains. Steady states are those of plasticity.py; u x of the depressing synapse is 0.1051 at 10 Hz and 0.0571
at 20 Hz. Far above the limiting frequency 1 / (U tau_rec) depression makes u x fall as 1 / (rate tau_rec): the mean current saturates.
"""

import argparse

import numpy as np

import biosnn as bs
from biosnn.analysis import plot
from models import _report as common

SYNAPSES = {
    "depressing": bs.TsodyksMarkram(0.5, 0.8, 0.0),
    "facilitating": bs.TsodyksMarkram(0.03, 0.13, 0.53),
}
RATES = (1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 40.0, 50.0, 100.0)  # Hz, whole steps between spikes
TAU_MEM, TAU_SYN, DT = 40e-3, 3e-3, 1e-3  # seconds


def responses(rule, rates, seconds):
    """One synapse for each rate. Returns times (s), u x at the spikes (list by rate), and the membrane (step, rate) in units of w."""
    net, n = bs.Network(DT, np.float64), len(rates)
    x, post = (
        net.input(n),
        net.population(n, bs.lif(tau_mem=TAU_MEM, tau_syn=TAU_SYN, threshold=1e9), name="A"),
    )
    net.connect(x, post, weights=1.0, receptor="exc", synapses=bs.OneToOne(), plasticity=rule)
    trains = [np.arange(0.1, seconds, 1 / rate) for rate in rates]
    times, units = np.concatenate(trains), np.repeat(np.arange(n), [train.size for train in trains])
    spikes = bs.SpikeTrains.from_events(
        times, units, np.zeros(times.size, int), n_trials=1, n_units=n, duration=seconds
    )
    done = bs.simulate(
        net, seconds, spikes, record={"A.I": slice(None), "A.U": slice(None)}, progress=False
    )
    current = done.states["A.I"]
    jumps = current - np.exp(-DT / TAU_SYN) * np.concatenate([np.zeros((1, n)), current[:-1]])
    return (
        done.state_times,
        [jumps[np.round(train / DT).astype(int), k] for k, train in enumerate(trains)],
        done.states["A.U"],
    )


def figure(measured):
    """Responses to 20 Hz, and the steady state over rates."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(11, 6.5), layout="constrained")
    axes, smooth = drawing.subplots(2, 2, width_ratios=(3, 2)), np.geomspace(0.5, 150, 200)
    for (left, right), (name, rule) in zip(axes, SYNAPSES.items()):
        times, _, membrane = responses(rule, (20.0,), 1.2)
        left.plot(1e3 * times, membrane[:, 0], color=plot.EXCITATORY)
        left.set(
            title=f"{name}: 20 Hz from 0.1 s on",
            xlabel="time (ms)",
            ylabel="U (units of weight)",
            xlim=(0, 1200),
            ylim=(0, None),
        )
        right.loglog(smooth, rule.steady_state(smooth)[2], color="black", lw=1, label="analytic")
        right.plot(RATES, measured[name], "o", color=plot.EXCITATORY, label="simulated")
        if not rule.tau_facil:
            right.plot(
                smooth, 1 / (smooth * rule.tau_rec), "--", color="0.5", label="1 / (rate τ_rec)"
            )
            right.axvline(
                1 / (rule.utilization * rule.tau_rec),
                color=plot.INHIBITORY,
                ls=":",
                label="limiting frequency 1 / (U τ_rec)",
            )
        else:
            right.axvline(
                1 / np.sqrt(rule.utilization * rule.tau_rec * rule.tau_facil),
                color=plot.INHIBITORY,
                ls=":",
                label="peak 1 / √(U τ_rec τ_facil)",
            )
        right.set(title="steady state", xlabel="rate (Hz)", ylabel="u x")
        right.legend(
            fontsize=8, framealpha=1, edgecolor="none"
        )  # opaque: the dotted line ends behind it
    return drawing


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m models.tsodyks_markram_1998",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="length of the trains (default 10)"
    )
    parser.add_argument("--json", help="write all numbers there")
    parser.add_argument("--out", default="runs/tsodyks_markram_1998", help="folder of the figure")
    args = parser.parse_args(arguments)
    if not 3 <= args.seconds <= 1000:
        parser.error(
            f"--seconds {args.seconds:g} must lie in 3 .. 1000: the slowest train needs a few spikes to settle."
        )
    rows, measured = [], {}
    for name, rule in SYNAPSES.items():
        measured[name] = [float(release[-1]) for release in responses(rule, RATES, args.seconds)[1]]
        for rate, value in zip(RATES, measured[name]):
            rows.append(
                {
                    "synapse": name,
                    "rate_hz": rate,
                    "ux_analytic": float(rule.steady_state(rate)[2]),
                    "ux_simulated": value,
                }
            )
    common.show(
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
    common.save(args, lambda: figure(measured), "synapses.png", rows)


if __name__ == "__main__":
    main()
