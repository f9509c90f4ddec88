"""Vogels TP, Sprekeler H, Zenke F, Clopath C, Gerstner W (2011). Inhibitory plasticity balances excitation and inhibition in sensory
pathways and memory networks. Science 334, 1569-1573. https://doi.org/10.1126/science.1211095

    python -m models.vogels_2011 [--seconds 20] [--scale 1]

8000 excitatory and 2000 inhibitory conductance-based neurons, connected with p = 0.02, parameters as in Brian2's published example:
tau_mem 20 ms, rest and reset -60 mV, threshold -50 mV, refractory 5 ms, E_exc 0, E_inh -80 mV, tau_exc 5, tau_inh 10 ms, leak 10 nS,
a current of 200 pA (20 mV of drive), excitation 0.3 nS, I to I 3 nS. I to E starts near 0 and learns with eta = 0.01 nS, alpha for the
target rate of 3 Hz, tau = 20 ms, at most 100 nS. With --scale weights grow by 1 / scale. dt = 0.1 ms. "Before" is a second without plasticity, "after" the last second
of the run with it. The rate approaches its target slowly: at --scale 0.4, 8.8 Hz after 20 s.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import biosnn as bs
from biosnn import plot, stats
from biosnn.progress import graceful_interrupt, progress_bar

LEAK, DT, BEFORE = 10.0, 0.1e-3, 1.0     # nS, seconds, seconds


def build(scale, seed, target_rate, start=None):
    """The network; the projection I->E learns and starts at `start` (default 1e-11 of the leak)."""
    net, rng, grow = bs.Network(DT), np.random.default_rng(seed), 1 / scale / LEAK
    neuron = bs.conductance_lif()
    e = net.population(round(8000 * scale), neuron, "excitatory", "E")
    i = net.population(round(2000 * scale), neuron, "inhibitory", "I")
    for post in (e, i):
        net.connect(e, post, 0.0, 0.3 * grow, synapses=bs.Bernoulli(0.02), seed=rng)
    net.connect(i, i, 0.0, 3.0 * grow, synapses=bs.Bernoulli(0.02), seed=rng)
    rule = None if target_rate is None else bs.InhibitorySTDP(1e-2 * grow, target_rate, 20e-3, 100.0 * grow)
    net.connect(i, e, 0.0, 1e-10 * grow if start is None else start, synapses=bs.Bernoulli(0.02), seed=rng, plasticity=rule)
    return net


def measured(done, name):
    """A row of the table: one run of about a second."""
    spikes, g_exc, g_inh, u = done.spikes["E"], *(done.states[f"E.{s}"][len(done.state_times) // 5:] for s in ("g_exc", "g_inh", "U"))
    excitatory, inhibitory = (g_exc * (60e-3 - u)).mean() + 20e-3, (g_inh * (u + 20e-3)).mean()
    cv = stats.isi_cv(spikes)
    return {"when": name, "rate_e_hz": done.mean_rates["E"], "rate_i_hz": done.mean_rates["I"],
            "cv": float(np.nanmean(cv)) if np.any(np.isfinite(cv)) else None, "synchrony": float(stats.synchrony(spikes, 5e-3)),
            "inhibition_to_excitation": float(inhibitory / excitatory), "seconds_per_second": done.real_time_factor}


def figure(before, after, course):
    """Rasters before and after, and the excitatory rate and weight over time."""
    from matplotlib.figure import Figure
    drawing = Figure(figsize=(11, 6), layout="constrained")
    (left, right), (rate, weight) = drawing.subplots(2, 2)
    for axis, done, title in ((left, before, "before"), (right, after, "after")):
        spikes = done.spikes["E"]
        shown = (spikes.units < 100) & (spikes.times < 0.5)
        axis.plot(1e3 * spikes.times[shown], spikes.units[shown], ".", ms=2, color=plot.EXCITATORY)
        axis.set(title=f"{title} inhibitory plasticity", xlabel="time (ms)", ylabel="excitatory neuron", xlim=(0, 500))
    times, rates, weights, target = course
    rate.semilogy(times, rates, color=plot.EXCITATORY)
    rate.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    rate.minorticks_off()
    rate.axhline(target, color="black", ls=":", label="target")
    rate.legend(frameon=False)
    rate.set(xlabel="time (s)", ylabel="excitatory rate (Hz)")
    weight.plot(times, weights, color=plot.INHIBITORY)
    weight.set(xlabel="time (s)", ylabel="mean I to E weight (leak)", ylim=(0, None))
    return drawing


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m models.vogels_2011", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of plasticity (default 20)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of neurons (default 1)")
    parser.add_argument("--target-rate", type=float, default=3.0, help="Hz (default 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None, help="default: all processors")
    parser.add_argument("--json", help="write all numbers there")
    parser.add_argument("--out", default="runs/vogels_2011", help="folder of the figure")
    args = parser.parse_args(arguments)
    if not (0.05 <= args.scale <= 1 and args.seconds >= 1 and args.target_rate > 0):
        parser.error("--scale must lie in 0.05 .. 1, --seconds be at least 1 and --target-rate positive.")
    chosen = slice(50)
    options = {"record": {f"E.{s}": chosen for s in ("g_exc", "g_inh", "U")}, "every": 10, "threads": args.threads, "progress": False,
               "background": [bs.Current(p, 20e-3) for p in "EI"],
               "initial": {f"{p}.U": bs.UniformBetween(0.0, 10e-3) for p in "EI"}, "seed": args.seed}
    before = bs.simulate(build(args.scale, args.seed, None), BEFORE, **options)
    net, done, course = build(args.scale, args.seed, args.target_rate), None, []
    with graceful_interrupt() as interrupted, progress_bar(round(args.seconds), "plasticity") as advance:
        while len(course) < round(args.seconds) and not (interrupted() and course):     # Ctrl-C: what was done is shown
            done = bs.simulate(net, 1.0, state=None if done is None else done.state, **options)
            course.append((len(course) + 1, done.mean_rates["E"], float(done.weights["I->E"].mean())))
            advance(1, f"{course[-1][1]:.1f} Hz")
    rows = [measured(before, "before"), measured(done, "after")]
    table = Table(title=f"Vogels et al. (2011), scale {args.scale:g}, target {args.target_rate:g} Hz", title_justify="left")
    for heading in ("", "E (Hz)", "I (Hz)", "CV", "synchrony", "I / E current", "s per s"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row["when"], *("" if row[key] is None else f"{row[key]:.2f}" for key in list(row)[1:]))
    console, out = Console(), Path(args.out)
    console.print(table)
    out.mkdir(parents=True, exist_ok=True)
    figure(before, done, (*zip(*course), args.target_rate)).savefig(out / "plasticity.png", dpi=120)
    console.print(f"figure: {out}/plasticity.png")
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
