"""Brunel N (2000). Dynamics of sparsely connected networks of excitatory and inhibitory spiking neurons.
Journal of Computational Neuroscience 8, 183-208. https://doi.org/10.1023/A:1008925309027

    python -m models.brunel_2000                      four states of model A: rates beside theory, rasters
    python -m models.brunel_2000 --scale 0.1          a tenth of the neurons and synapses (other fluctuations, other rates)

Model A: 10 000 excitatory and 2 500 inhibitory neurons; each receives from a tenth of either population (epsilon = 0.1) by delta
synapses of J = 0.1 mV and -g J with a delay of 1.5 ms, and a Poisson train of C_E nu_ext events a second with
nu_ext = eta theta / (J C_E tau). tau = 20 ms, theta = 20 mV, reset 10 mV, refractory period 2 ms; dt = 0.1 ms.
Theory (their eqs. 22-26, solved for the stationary rate) knows no delay: in synchronous states simulations lie below it.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import biosnn as bs
from biosnn import plot, stats
from biosnn.mean_field import Cell, Input, fixed_point

J, TAU, THETA, RESET, REFRACTORY, DELAY, DT = 0.1e-3, 20e-3, 20e-3, 10e-3, 2e-3, 1.5e-3, 0.1e-3     # volts, seconds
N_EXC, N_INH, C_EXC, C_INH = 10_000, 2_500, 1_000, 250
WARM_UP = 0.2    # seconds that are not counted
STATES = {(3.0, 2.0): "synchronous regular", (6.0, 4.0): "synchronous irregular, fast",
          (5.0, 2.0): "asynchronous irregular", (4.5, 0.9): "synchronous irregular, slow"}


def build(g, scale, seed):
    """Model A with relative strength g of inhibition. seed: int or numpy Generator."""
    net, rng = bs.Network(DT), np.random.default_rng(seed)
    neuron = bs.lif_delta(TAU, THETA, RESET, REFRACTORY)
    e = net.population(round(N_EXC * scale), neuron, "excitatory", "E")
    i = net.population(round(N_INH * scale), neuron, "inhibitory", "I")
    for post in (e, i):
        net.connect(e, post, DELAY, J, synapses=bs.FixedInDegree(round(C_EXC * scale)), seed=rng)
        net.connect(i, post, DELAY, g * J, synapses=bs.FixedInDegree(round(C_INH * scale)), seed=rng)
    return net


def external_rate(eta):
    """Poisson events onto each neuron per second: eta times what takes the mean membrane to threshold."""
    return eta * THETA / (J * TAU)


def theory(g, eta, scale=1.0):
    """Stationary rate in Hz: that with which a neuron fires which receives it from all others."""
    neuron, c_exc, c_inh = bs.lif_delta(TAU, THETA, RESET, REFRACTORY), scale * C_EXC, scale * C_INH
    inputs = (Input("exc", 1, J, J ** 2, rate=external_rate(eta)), Input("exc", c_exc, J, J ** 2, "neurons"),
              Input("inh", c_inh, g * J, (g * J) ** 2, "neurons"))
    return fixed_point([Cell("neurons", neuron, inputs)]).rates["neurons"]


def simulate(g, eta, args):
    """One state: a row of results, and the spikes of 50 excitatory neurons."""
    net = build(g, args.scale, args.seed)
    background = [bs.PoissonInput(name, external_rate(eta), J) for name in ("E", "I")]
    warm = bs.simulate(net, WARM_UP, background=background, seed=args.seed, threads=args.threads, progress=False)
    done = bs.simulate(net, args.seconds, background=background, state=warm.state, rate_bin=1e-3, threads=args.threads)
    spikes = done.spikes["E"]
    cv = stats.isi_cv(spikes)
    row = {"g": g, "eta": eta, "state": STATES[g, eta], "rate_theory_hz": theory(g, eta, args.scale),
           "rate_e_hz": done.mean_rates["E"], "rate_i_hz": done.mean_rates["I"],
           "cv": float(np.nanmean(cv)) if np.any(np.isfinite(cv)) else None,
           "synchrony": float(stats.synchrony(spikes, 1e-3)), "seconds_per_second": done.real_time_factor}
    return row, done


def figure(results):
    """Rasters of 50 excitatory neurons over 100 ms, and below each the population rate."""
    from matplotlib.figure import Figure
    drawing = Figure(figsize=(11, 7), layout="constrained")
    outer = drawing.subfigures(2, 2)
    for part, (row, done) in zip(outer.ravel(), results):
        top, bottom = part.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        spikes, length = done.spikes["E"], min(0.1, done.duration)
        shown = (spikes.units < 50) & (spikes.times < length)
        top.plot(1e3 * spikes.times[shown], spikes.units[shown], ".", ms=2, color=plot.EXCITATORY)
        rate_of = done.rates["E"]
        times = 1e3 * done.rate_bin * (np.arange(rate_of.size) + 0.5)
        inside = times < 1e3 * length
        bottom.step(times[inside], rate_of[inside], where="mid", color=plot.EXCITATORY)
        top.set(ylabel="excitatory\nneuron", title=f"g = {row['g']:g}, η = {row['eta']:g}: {row['state']}")
        bottom.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(0, 1e3 * length), ylim=(0, None))
    return drawing


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m models.brunel_2000", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds to simulate of each state, after 0.2 s (default 1)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of neurons and synapses per neuron (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="of connections and input (default 0)")
    parser.add_argument("--threads", type=int, default=None, help="default: all processors")
    parser.add_argument("--json", help="write all numbers there")
    parser.add_argument("--out", default="runs/brunel_2000", help="folder of the figure")
    args = parser.parse_args(arguments)
    if not (0.01 <= args.scale <= 1 and args.seconds > 0):
        parser.error(f"--scale {args.scale:g} must lie in 0.01 .. 1 and --seconds {args.seconds:g} above 0.")
    results = [simulate(g, eta, args) for g, eta in STATES]
    table = Table(title=f"Brunel (2000), model A, scale {args.scale:g}, {args.seconds:g} s", title_justify="left")
    for heading in ("g", "η", "state", "theory (Hz)", "E (Hz)", "I (Hz)", "CV", "synchrony", "s per s"):
        table.add_column(heading, justify="left" if heading == "state" else "right")
    for row, _ in results:
        table.add_row(f"{row['g']:g}", f"{row['eta']:g}", row["state"], f"{row['rate_theory_hz']:.2f}", f"{row['rate_e_hz']:.2f}",
                      f"{row['rate_i_hz']:.2f}", "" if row["cv"] is None else f"{row['cv']:.2f}", f"{row['synchrony']:.2f}",
                      f"{row['seconds_per_second']:.2f}")
    console = Console()
    console.print(table)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    figure(results).savefig(out / "rasters.png", dpi=120)
    console.print(f"figure: {out}/rasters.png")
    if args.json:
        Path(args.json).write_text(json.dumps([row for row, _ in results], indent=1))


if __name__ == "__main__":
    main()
