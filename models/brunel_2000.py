"""Brunel N (2000). Dynamics of sparsely connected networks of excitatory and inhibitory spiking neurons.
Journal of Computational Neuroscience 8, 183-208. https://doi.org/10.1023/A:1008925309027

    python -m models.brunel_2000                      four states of model A: rates beside theory, rasters
    python -m models.brunel_2000 --scale 0.1          a tenth of the neurons and synapses (other fluctuations, other rates)

Model A: 10 000 excitatory and 2 500 inhibitory neurons; each receives from a tenth of either population (epsilon = 0.1) by delta
synapses of J = 0.1 mV and -g J with a delay of 1.5 ms, and a Poisson train of C_E nu_ext events a second with
nu_ext = eta theta / (J C_E tau). tau = 20 ms, theta = 20 mV, reset 10 mV, refractory period 2 ms; dt = 0.1 ms.
Theory (their eqs. 22-26, solved for the stationary rate) knows no delay: in synchronous states simulations lie below it. In the table
SR, SI and AI stand for synchronous regular, synchronous irregular and asynchronous irregular. `python -m validation.brunel` runs the four
states in Brian2 on the same synapses.
"""

import numpy as np

import biosnn as bs
from biosnn.analysis import plot
from biosnn.theory import Cell, Input, fixed_point
from models import _report as common

J, TAU, THETA, RESET, REFRACTORY, DELAY, DT = (
    0.1e-3,
    20e-3,
    20e-3,
    10e-3,
    2e-3,
    1.5e-3,
    0.1e-3,
)  # volts, seconds
N_EXC, N_INH, C_EXC, C_INH = 10_000, 2_500, 1_000, 250
WARM_UP = 0.2  # seconds that are not counted
STATES = {
    (3.0, 2.0): "synchronous regular",
    (6.0, 4.0): "synchronous irregular, fast",
    (5.0, 2.0): "asynchronous irregular",
    (4.5, 0.9): "synchronous irregular, slow",
}
SHORT = {
    "synchronous regular": "SR",
    "synchronous irregular, fast": "SI, fast",
    "asynchronous irregular": "AI",
    "synchronous irregular, slow": "SI, slow",
}


def build(g, scale, seed):
    """Model A with relative strength g of inhibition. seed: a whole number >= 0."""
    net = bs.Network(DT)
    neuron = bs.lif_delta(tau_mem=TAU, threshold=THETA, reset=RESET, refractory=REFRACTORY)
    e = net.population(round(N_EXC * scale), neuron, "excitatory", name="E")
    i = net.population(round(N_INH * scale), neuron, "inhibitory", name="I")
    for post in (e, i):
        net.connect(
            e,
            post,
            delay=DELAY,
            weights=J,
            synapses=bs.FixedInDegree(round(C_EXC * scale)),
            seed=seed,
        )
        net.connect(
            i,
            post,
            delay=DELAY,
            weights=g * J,
            synapses=bs.FixedInDegree(round(C_INH * scale)),
            seed=seed,
        )
    return net


def external_rate(eta):
    """Poisson events onto each neuron per second: eta times what takes the mean membrane to threshold."""
    return eta * THETA / (J * TAU)


def theory(g, eta, scale=1.0):
    """Stationary rate in Hz: that with which a neuron fires which receives it from all others."""
    neuron, c_exc, c_inh = (
        bs.lif_delta(tau_mem=TAU, threshold=THETA, reset=RESET, refractory=REFRACTORY),
        scale * C_EXC,
        scale * C_INH,
    )
    inputs = (
        Input("exc", 1, J, J**2, rate=external_rate(eta)),
        Input("exc", c_exc, J, J**2, "neurons"),
        Input("inh", c_inh, g * J, (g * J) ** 2, "neurons"),
    )
    return fixed_point([Cell("neurons", neuron, inputs)]).rates["neurons"]


def simulate(g, eta, args):
    """One state; None where Ctrl-C came early."""
    background = [bs.PoissonInput(name, external_rate(eta), J) for name in ("E", "I")]
    return common.after_warm_up(
        build(g, args.scale, args.seed), WARM_UP, args, background, rate_bin=1e-3
    )


def measured(g, eta, scale, done):
    """A row of results."""
    of = common.population_statistics(done.spikes["E"], 1e-3, done.network["E"].n)
    return {
        "g": g,
        "eta": eta,
        "state": STATES[g, eta],
        "rate_theory_hz": theory(g, eta, scale),
        "rate_e_hz": done.mean_rates["E"],
        "rate_i_hz": done.mean_rates["I"],
        "cv": of["cv"],
        "synchrony": of["synchrony"],
        "seconds_per_second": done.real_time_factor,
        "simulated_s": done.duration,
    }


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
        top.set(
            ylabel="excitatory\nneuron",
            title=f"g = {row['g']:g}, η = {row['eta']:g}: {row['state']}",
        )
        bottom.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(0, 1e3 * length), ylim=(0, None))
    return drawing


def main(arguments=None):
    parser = common.parser(
        "brunel_2000", __doc__, 1.0, "of the numbers of neurons and synapses per neuron (default 1)"
    )
    args = parser.parse_args(arguments)
    common.check_options(parser, args)
    results = common.until_interrupted(
        lambda state: simulate(*state, args),
        lambda state, done: measured(*state, args.scale, done),
        STATES,
    )
    common.show(
        f"Brunel (2000), model A, scale {args.scale:g}, {args.seconds:g} s",
        ("state", "g", "η", "theory (Hz)", "E (Hz)", "I (Hz)", "CV", "sync.", "s per s"),
        [
            (
                SHORT[r["state"]],
                f"{r['g']:g}",
                f"{r['eta']:g}",
                *(
                    common.number(r[key])
                    for key in (
                        "rate_theory_hz",
                        "rate_e_hz",
                        "rate_i_hz",
                        "cv",
                        "synchrony",
                        "seconds_per_second",
                    )
                ),
            )
            for r, _ in results
        ],
    )
    common.save(args, lambda: figure(results), "rasters.png", [row for row, _ in results])


if __name__ == "__main__":
    main()
