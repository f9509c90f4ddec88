"""Vogels TP, Sprekeler H, Zenke F, Clopath C, Gerstner W (2011). Inhibitory plasticity balances excitation and inhibition in sensory
pathways and memory networks. Science 334, 1569-1573. https://doi.org/10.1126/science.1211095

    python -m models.vogels_2011 [--seconds 60] [--scale 1] [--eta 0.1]

8000 excitatory and 2000 inhibitory conductance-based neurons, connected with p = 0.02, parameters as in Brian2's published example:
tau_mem 20 ms, rest and reset -60 mV, threshold -50 mV, refractory 5 ms, E_exc 0, E_inh -80 mV, tau_exc 5, tau_inh 10 ms, leak 10 nS,
a current of 200 pA (20 mV of drive), excitation 0.3 nS, I to I 3 nS. I to E starts near 0 and learns with eta = 0.01 nS, alpha for the
target rate of 3 Hz, tau = 20 ms, at most 100 nS. With --scale weights grow by 1 / scale. dt = 0.1 ms. "Before" is a second
without plasticity, "after" the last second of the run with it.

With the learning rate of the published example the rate approaches its target slowly (the example itself stops after 10 s): at full size
8.1 Hz after 10 s, 6.5 after 20, 5.1 after 40, 4.3 after 100 s. With --eta 0.1, ten times as high: 4.0 Hz after 35 s, 3.7 after 60 s. The default
is 60 s.
"""
import numpy as np

import biosnn as bs
from biosnn import plot
from biosnn.progress import graceful_interrupt, progress_bar
from models import _report as common

LEAK, ETA, DT, BEFORE, SECONDS = 10.0, 0.01, 0.1e-3, 1.0, 60.0     # nS, nS; seconds


def build(scale, seed, target_rate, start=None, eta=ETA):
    """The network; the projection I->E learns and starts at `start` (default 1e-11 of the leak)."""
    net, rng, grow = bs.Network(DT), np.random.default_rng(seed), 1 / scale / LEAK
    neuron = bs.conductance_lif()
    e = net.population(round(8000 * scale), neuron, "excitatory", "E")
    i = net.population(round(2000 * scale), neuron, "inhibitory", "I")
    for post in (e, i):
        net.connect(e, post, 0.0, 0.3 * grow, synapses=bs.Bernoulli(0.02), seed=rng)
    net.connect(i, i, 0.0, 3.0 * grow, synapses=bs.Bernoulli(0.02), seed=rng)
    rule = None if target_rate is None else bs.InhibitorySTDP(eta * grow, target_rate, 20e-3, 100.0 * grow)
    net.connect(i, e, 0.0, 1e-10 * grow if start is None else start, synapses=bs.Bernoulli(0.02), seed=rng, plasticity=rule)
    return net


def measured(done, name):
    """A row of the table: one run of about a second."""
    g_exc, g_inh, u = (done.states[f"E.{s}"][len(done.state_times) // 5:] for s in ("g_exc", "g_inh", "U"))
    excitatory, inhibitory = (g_exc * (60e-3 - u)).mean() + 20e-3, (g_inh * (u + 20e-3)).mean()
    of = common.population_statistics(done.spikes["E"], 5e-3, done.network["E"].n)
    return {"when": name, "rate_e_hz": done.mean_rates["E"], "rate_i_hz": done.mean_rates["I"], "cv": of["cv"], "synchrony": of["synchrony"],
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
    parser = common.parser("vogels_2011", __doc__, SECONDS, "of the numbers of neurons, at least 0.05 (default 1)")
    parser.add_argument("--target-rate", type=float, default=3.0, help="Hz (default 3)")
    parser.add_argument("--eta", type=float, default=ETA, help=f"learning rate in nS (default {ETA:g})")
    args = parser.parse_args(arguments)
    common.check_options(parser, args)
    if not (0.05 <= args.scale and args.seconds >= 1 and args.target_rate > 0 and args.eta > 0):
        parser.error("--scale must lie in 0.05 .. 1, --seconds be at least 1, and --target-rate and --eta positive.")
    chosen = slice(50)
    options = {"record": {f"E.{s}": chosen for s in ("g_exc", "g_inh", "U")}, "every": 10, "threads": args.threads, "progress": False,
               "background": [bs.Current(p, 20e-3) for p in "EI"],
               "initial": {f"{p}.U": bs.UniformBetween(0.0, 10e-3) for p in "EI"}, "seed": args.seed}
    before = bs.simulate(build(args.scale, args.seed, None), BEFORE, **options)
    net, done, course = build(args.scale, args.seed, args.target_rate, eta=args.eta), None, []
    with graceful_interrupt() as interrupted, progress_bar(round(args.seconds), "plasticity") as advance:
        while len(course) < round(args.seconds) and not (interrupted() and course):     # Ctrl-C: what was done is shown
            done = bs.simulate(net, 1.0, state=None if done is None else done.state, **options)
            course.append((len(course) + 1, done.mean_rates["E"], float(done.weights["I->E"].mean())))
            advance(1, f"{course[-1][1]:.1f} Hz")
    rows = [measured(before, "before"), measured(done, "after")]
    common.show(f"Vogels et al. (2011), scale {args.scale:g}, target {args.target_rate:g} Hz",
                ("", "E (Hz)", "I (Hz)", "CV", "sync.", "I / E current", "s per s"),
                [(row["when"], *(common.number(row[key]) for key in list(row)[1:])) for row in rows])
    common.save(args, figure(before, done, (*zip(*course), args.target_rate)), "plasticity.png", rows)


if __name__ == "__main__":
    main()
