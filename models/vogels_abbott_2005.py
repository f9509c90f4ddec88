"""
Vogels & Abbott (2005): CUBA and COBA
=====================================

Vogels TP, Abbott LF (2005). Signal propagation and logic gating in networks of integrate-and-fire
neurons. Journal of Neuroscience 25, 10786-10795. https://doi.org/10.1523/JNEUROSCI.3508-05.2005

Here as benchmarks 1 (COBA) and 2 (CUBA) of Brette R et al. (2007). Simulation of networks of
spiking neurons: a review of tools and strategies. Journal of Computational Neuroscience 23,
349-398. https://doi.org/10.1007/s10827-007-0038-6 ::

    python -m models.vogels_abbott_2005        both networks for a second: rates, CV, rasters

3200 excitatory and 800 inhibitory neurons, every pair connected with probability 0.02, no delay;
tau_mem 20, tau_exc 5, tau_inh 10 ms, threshold -50, reset -60 mV, refractory period 5 ms;
dt = 0.1 ms. Nothing drives them from outside: the activity keeps itself alive (COBA), or rests on a
resting potential above threshold (CUBA). Of the weights in circulation these are used:

CUBA
    Rest -49 mV; currents in units of potential, +60 * 0.27 / 10 = 1.62 mV and
    -20 * 4.5 / 10 = -9 mV: those of the example CUBA of Brian and Brian2, conductances of 0.27 and
    4.5 nS times driving forces of 60 and 20 mV, over a leak of 10 nS.
COBA
    Rest -60 mV, reversal potentials 0 and -80 mV; conductances of 6 and 67 nS over a leak of 10 nS,
    as in the review and in Brian's example COBA (the paper itself scales its conductances
    otherwise).

Initial potentials are uniform between reset and threshold. COBA stays silent by itself: as in the
review, Poisson input wakes it (here 300 Hz of its own excitatory synapses onto every neuron, for
the first 50 ms, which are not counted).
"""

import argparse
from typing import Any

from matplotlib.figure import Figure

import biosnn as bs

from . import command_line
from .activity import population_statistics
from .command_line import number

N_EXC, N_INH, P, DT = 3200, 800, 0.02, 0.1e-3
TAU, TAU_EXC, TAU_INH, REFRACTORY = 20e-3, 5e-3, 10e-3, 5e-3  # seconds
THRESHOLD, RESET = -50e-3, -60e-3  # volts
REST_CUBA, W_EXC_CUBA, W_INH_CUBA = -49e-3, 1.62e-3, 9e-3  # volts
REST_COBA, E_EXC, E_INH = -60e-3, 0.0, -80e-3  # volts
W_EXC_COBA, W_INH_COBA = 0.6, 6.7  # over the leak conductance
WAKE_HZ, WAKE_S = 300.0, 50e-3
WARM_UP = 0.2  # seconds that are not counted
MODELS = ("CUBA", "COBA")


def neuron(model: str) -> bs.Neuron:
    """Make the neuron of "CUBA" or "COBA"; potentials relative to rest, in volts."""
    rest = resting_potential(model)
    shared: dict[str, Any] = {
        "tau_mem": TAU,
        "tau_exc": TAU_EXC,
        "tau_inh": TAU_INH,
        "threshold": THRESHOLD - rest,
        "reset": RESET - rest,
        "refractory": REFRACTORY,
    }
    if model == "CUBA":
        return bs.ei_lif(**shared)
    return bs.conductance_lif(reversal_exc=E_EXC - rest, reversal_inh=E_INH - rest, **shared)


def resting_potential(model: str) -> float:
    """Volts."""
    return REST_CUBA if model == "CUBA" else REST_COBA


def weights(model: str) -> tuple[float, float]:
    """Weights of excitatory and inhibitory synapses."""
    return (W_EXC_CUBA, W_INH_CUBA) if model == "CUBA" else (W_EXC_COBA, W_INH_COBA)


def build(model: str, seed: int, delay: float = 0.0) -> bs.Network:
    """Build the network "CUBA" or "COBA". seed: >= 0; delay: seconds."""
    net = bs.Network(DT)
    e = net.population(N_EXC, neuron(model), "excitatory", name="E")
    i = net.population(N_INH, neuron(model), "inhibitory", name="I")
    for pre, weight in zip((e, i), weights(model)):
        for post in (e, i):
            net.connect(pre, post, delay=delay, weights=weight, synapses=bs.Bernoulli(P), seed=seed)
    return net


def initial_state(model: str) -> dict[str, bs.Uniform]:
    """Potentials between reset and threshold."""
    rest = resting_potential(model)
    return {f"{name}.U": bs.Uniform(RESET - rest, THRESHOLD - rest) for name in "EI"}


def background(model: str) -> list[bs.PoissonInput]:
    """What starts the activity of COBA; nothing for CUBA."""
    if model == "CUBA":
        return []
    rate = ([0.0, WAKE_S], [WAKE_HZ, 0.0])
    return [bs.PoissonInput(name, rate, W_EXC_COBA) for name in "EI"]


def simulate(model: str, args: argparse.Namespace) -> bs.Simulation | None:
    """Simulate the network "CUBA" or "COBA"; None where Ctrl-C came early."""
    return command_line.after_warm_up(
        build(model, args.seed),
        WARM_UP,
        args,
        wake=background(model),
        initial=initial_state(model),
        rate_bin=1e-3,
    )


def measured(model: str, done: bs.Simulation) -> list[dict[str, Any]]:
    """A row for each population."""
    return [
        {"model": model, "population": name, "run_s": done.wall, "simulated_s": done.duration}
        | population_statistics(done.spikes[name])
        for name in "EI"
    ]


def figure(results: list[tuple[Any, bs.Simulation]]) -> Figure:
    """Rasters of some neurons over 200 ms, and the rates of both populations below."""
    drawing = Figure(figsize=(11, 5), layout="constrained")
    parts: Any = drawing.subfigures(1, 2)
    for part, model, (_, done) in zip(parts, MODELS, results):
        top, bottom = part.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        stop = min(0.2, done.duration)
        bs.plot.raster(done, stop=stop, ax=top).set(title=model, xlabel="")
        bs.plot.rates(done, stop=stop, ax=bottom)
    return drawing


def main(arguments: list[str] | None = None) -> None:
    """Run both networks from the command line."""
    parser = command_line.parser("vogels_abbott_2005", __doc__ or "", seconds=1.0)
    args = parser.parse_args(arguments)
    command_line.check_options(parser, args)
    results = command_line.until_interrupted(lambda model: simulate(model, args), measured, MODELS)
    rows = [row for part, _ in results for row in part]
    command_line.show(
        f"Vogels & Abbott (2005), as in Brette et al. (2007), {args.seconds:g} s",
        ("network", "", "rate (Hz)", "CV", "synchrony", "s per s"),
        [
            (
                r["model"],
                r["population"],
                number(r["rate_hz"]),
                number(r["cv"]),
                number(r["synchrony"]),
                number(r["run_s"] / r["simulated_s"]),
            )
            for r in rows
        ],
        keys=2,
    )
    command_line.save(args, lambda: figure(results), "rasters.png", rows)


if __name__ == "__main__":
    main()
