"""
Brunel (2000): four states of a sparse random network
=====================================================

Brunel N (2000). Dynamics of sparsely connected networks of excitatory and inhibitory spiking
neurons. Journal of Computational Neuroscience 8, 183-208. https://doi.org/10.1023/A:1008925309027

Model A: 10 000 excitatory and 2 500 inhibitory neurons. Each receives from a tenth of either
population (epsilon = 0.1) by delta synapses of J = 0.1 mV and -g J with a delay of 1.5 ms, and a
Poisson train of C_E nu_ext events a second with nu_ext = eta theta / (J C_E tau). tau = 20 ms,
theta = 20 mV, reset 10 mV, refractory period 2 ms; dt = 0.1 ms::

    python -m models.brunel_2000                 four states: rates next to theory, rasters
    python -m models.brunel_2000 --scale 0.1     a tenth of the neurons and of their synapses
    mpiexec -n 2 python -m models.brunel_2000 --mpi    shared by two processes

A smaller network has other fluctuations, and so other rates. Theory (their equations 22-26, solved
for the stationary rate) knows no delay: in synchronous states simulations lie below it. In the
table SR, SI and AI stand for synchronous regular, synchronous irregular and asynchronous irregular.
``python -m validation.brunel`` runs the four states in Brian2 on the same synapses.
"""

import argparse
from typing import Any

from matplotlib.figure import Figure

import biosnn as bs

from . import command_line
from .activity import population_statistics
from .command_line import number

J, THETA, RESET = 0.1e-3, 20e-3, 10e-3  # volts
TAU, REFRACTORY, DELAY, DT = 20e-3, 2e-3, 1.5e-3, 0.1e-3  # seconds
N_EXC, N_INH, C_EXC, C_INH = 10_000, 2_500, 1_000, 250
WARM_UP = 0.2  # seconds that are not counted
State = tuple[float, float]

#: (g, eta) of the states.
STATES: dict[State, str] = {
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


def neuron() -> bs.Neuron:
    """The neuron of model A; potentials in volts from rest."""
    return bs.lif_delta(tau_mem=TAU, threshold=THETA, reset=RESET, refractory=REFRACTORY)


def build(g: float, scale: float, seed: int) -> bs.Network:
    """Build model A with relative strength g of inhibition.

    Parameters
    ----------
    scale
        Of the numbers of neurons and of synapses onto each.
    seed
        Of the connections, >= 0.
    """
    net = bs.Network(DT)
    excitatory = net.population(round(N_EXC * scale), neuron(), "excitatory", name="E")
    inhibitory = net.population(round(N_INH * scale), neuron(), "inhibitory", name="I")
    for pre, number_onto_each, weight in ((excitatory, C_EXC, J), (inhibitory, C_INH, g * J)):
        for post in (excitatory, inhibitory):
            net.connect(
                pre,
                post,
                delay=DELAY,
                weights=weight,
                synapses=bs.FixedInDegree(round(number_onto_each * scale)),
                seed=seed,
            )
    return net


def external_rate(eta: float) -> float:
    """Poisson events onto each neuron per second: eta times what takes its mean to threshold."""
    return eta * THETA / (J * TAU)


def background(eta: float) -> list[bs.PoissonInput]:
    """The external input of both populations."""
    return [bs.PoissonInput(name, external_rate(eta), J) for name in ("E", "I")]


def theory(g: float, eta: float, scale: float = 1.0) -> float:
    """The stationary rate (Hz): a neuron that receives it from all others fires with it."""
    exc, inh = scale * C_EXC, scale * C_INH
    inputs = (
        bs.theory.Input("exc", 1, J, J**2, rate=external_rate(eta)),
        bs.theory.Input("exc", exc, J, J**2, "neurons"),
        bs.theory.Input("inh", inh, g * J, (g * J) ** 2, "neurons"),
    )
    return bs.theory.fixed_point([bs.theory.Cell("neurons", neuron(), inputs)]).rates["neurons"]


def simulate(state: State, args: argparse.Namespace) -> bs.Simulation | None:
    """Simulate one state; None where Ctrl-C came early."""
    g, eta = state
    net = build(g, args.scale, args.seed)
    options = {"rate_bin": 1e-3, "communicator": command_line.communicator(args)}
    return command_line.after_warm_up(net, WARM_UP, args, background(eta), **options)


def measured(state: State, scale: float, done: bs.Simulation) -> dict[str, Any]:
    """A row of results."""
    g, eta = state
    statistics = population_statistics(done.spikes["E"], 1e-3, done.network["E"].n)
    return {
        "g": g,
        "eta": eta,
        "state": STATES[state],
        "rate_theory_hz": theory(g, eta, scale),
        "rate_e_hz": done.mean_rates["E"],
        "rate_i_hz": done.mean_rates["I"],
        "cv": statistics["cv"],
        "synchrony": statistics["synchrony"],
        "seconds_per_second": done.real_time_factor,
        "simulated_s": done.duration,
    }


def figure(results: list[tuple[dict[str, Any], bs.Simulation]]) -> Figure:
    """Rasters of 50 excitatory neurons over 100 ms, and below each the population rate."""
    drawing = Figure(figsize=(11, 7), layout="constrained")
    parts: Any = drawing.subfigures(2, 2)
    for part, (row, done) in zip(parts.ravel(), results):
        stop = min(0.1, done.duration)
        top, _ = bs.plot.activity(done, populations=["E"], units=50, stop=stop, ax=part)
        top.set_title(f"g = {row['g']:g}, η = {row['eta']:g}: {row['state']}")
    return drawing


def show(rows: list[dict[str, Any]], args: argparse.Namespace) -> None:
    """Print the results."""
    keys = ("rate_theory_hz", "rate_e_hz", "rate_i_hz", "cv", "synchrony", "seconds_per_second")
    command_line.show(
        f"Brunel (2000), model A, scale {args.scale:g}, {args.seconds:g} s",
        ("state", "g", "η", "theory (Hz)", "E (Hz)", "I (Hz)", "CV", "sync.", "s per s"),
        [
            (SHORT[r["state"]], f"{r['g']:g}", f"{r['eta']:g}", *(number(r[key]) for key in keys))
            for r in rows
        ],
    )


def main(arguments: list[str] | None = None) -> None:
    """Run all states from the command line."""
    scale = "of the numbers of neurons and synapses per neuron (default 1)"
    parser = command_line.parser("brunel_2000", __doc__ or "", seconds=1.0, scale=scale, mpi=True)
    args = parser.parse_args(arguments)
    command_line.check_options(parser, args)
    results = command_line.until_interrupted(
        lambda state: simulate(state, args),
        lambda state, done: measured(state, args.scale, done),
        STATES,
    )
    if not command_line.is_first(args):
        return
    rows = [row for row, _ in results]
    show(rows, args)
    command_line.save(args, lambda: figure(results), "rasters.png", rows)


if __name__ == "__main__":
    main()
