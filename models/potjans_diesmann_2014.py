"""
Potjans & Diesmann (2014): the cortical microcircuit
====================================================

Potjans TC, Diesmann M (2014). The cell-type specific cortical microcircuit: relating structure and
activity in a full-scale spiking network model. Cerebral Cortex 24, 785-806.
https://doi.org/10.1093/cercor/bhs358 ::

    python -m models.potjans_diesmann_2014                 77 169 neurons, 299 million synapses
    python -m models.potjans_diesmann_2014 --scale 0.1     a tenth of the neurons
    mpiexec -n 2 python -m models.potjans_diesmann_2014 --mpi    shared by two processes

The full circuit takes 2.2 GB. Eight populations of leaky integrate-and-fire neurons (tau_mem
10 ms, C 250 pF, threshold 15 mV and reset 0 above rest, refractory period 2 ms) with exponential
currents (0.5 ms), a fixed total number of synapses between any two, with repetitions, and Poisson
background of 8 Hz over each of the external synapses; dt = 0.1 ms. Weights: normal, 87.8 pA (a
potential of 0.15 mV) with a spread of 10 %, from L4E to L23E twice that, inhibitory ones -4 times.
Delays: normal, 1.5 ms from excitatory and 0.75 ms from inhibitory neurons, with a spread of one
half, at least one step. The initial potentials are normal, with the means and spreads that the
authors' later code gives each population, so that there is no start in synchrony.

--scale s takes s of the neurons and s of the synapses onto each (recurrent and external), as the
authors' code does: weights grow by 1/sqrt(s), which keeps the variance of the input, and a constant
current replaces the part 1 - sqrt(s) of the mean input (that of the full circuit at the paper's
rates), which would otherwise be lost. Mean rates stay near those of the full circuit; synchrony and
correlations do not.
"""

import argparse
import time
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import DTypeLike

import biosnn as bs

from . import command_line
from .activity import population_statistics
from .command_line import number

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
NEURONS = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])  # synapses onto each neuron
RATES = np.array([0.86, 2.8, 4.5, 5.9, 7.6, 8.6, 1.1, 7.8])  # Hz, the paper's, Poisson background
PROBABILITIES = np.array(
    [  # (postsynaptic, presynaptic)
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
_MEAN = [-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43]  # mV
INITIAL_MEAN = np.array(_MEAN) * 1e-3 + 65e-3  # volts above rest
INITIAL_SD = np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48]) * 1e-3
DT, TAU, TAU_SYN, REFRACTORY = 0.1e-3, 10e-3, 0.5e-3, 2e-3  # seconds
CAPACITANCE, THRESHOLD, RESET = 250e-12, 15e-3, 0.0  # farads, volts, volts
PSP, G, SPREAD, BACKGROUND = 0.15e-3, 4.0, 0.1, 8.0  # volts, -, -, Hz
DELAY_EXC, DELAY_INH, DELAY_SPREAD = 1.5e-3, 0.75e-3, 0.5  # seconds, seconds, -
WARM_UP = 0.1  # seconds that are not counted


def psc() -> float:
    """The current (A) whose potential has its peak at 0.15 mV."""
    ratio = TAU / TAU_SYN
    course = ratio ** (-TAU / (TAU - TAU_SYN)) - ratio ** (-TAU_SYN / (TAU - TAU_SYN))
    peak_of_unit = TAU_SYN * TAU / (CAPACITANCE * (TAU_SYN - TAU)) * course
    return PSP / peak_of_unit


def synapse_numbers() -> np.ndarray:
    """Numbers of synapses of the full circuit, (postsynaptic, presynaptic).

    With so many synapses, drawn with repetitions, a pair is connected with its probability.
    """
    pairs = np.outer(NEURONS, NEURONS).astype(float)
    return np.rint(np.log1p(-PROBABILITIES) / np.log1p(-1 / pairs)).astype(np.int64)


def weights() -> np.ndarray:
    """Mean weights of the full circuit in volts, (postsynaptic, presynaptic), signed.

    They are currents times the resistance of the membrane.
    """
    unit = psc() * TAU / CAPACITANCE
    result = np.where(np.arange(8) % 2 == 0, unit, -G * unit) * np.ones((8, 1))
    result[0, 2] *= 2
    return result


def build(scale: float, seed: int, dtype: DTypeLike = np.float32) -> bs.Network:
    """Build the circuit. seed: >= 0."""
    net = bs.Network(DT, dtype)
    neuron = bs.lif(
        tau_mem=TAU, tau_syn=TAU_SYN, threshold=THRESHOLD, reset=RESET, refractory=REFRACTORY
    )
    for name, n in zip(NAMES, NEURONS):
        sign = "excitatory" if name.endswith("E") else "inhibitory"
        net.population(round(n * scale), neuron, sign, name=name)
    numbers, means = synapse_numbers(), weights()
    for post in range(8):
        for pre in np.flatnonzero(numbers[post]):
            mean = abs(means[post, pre]) / np.sqrt(scale)
            delay = DELAY_INH if pre % 2 else DELAY_EXC
            net.connect(
                NAMES[pre],
                NAMES[post],
                delay=bs.Normal(delay, DELAY_SPREAD * delay, low=DT),
                weights=bs.Normal(mean, SPREAD * mean, low=0),
                synapses=bs.FixedTotal(round(numbers[post, pre] * scale**2)),
                seed=seed,
            )
    return net


def background(scale: float) -> list[Any]:
    """Poisson input onto each population, and the mean input that a smaller circuit lacks."""
    unit = psc() * TAU / CAPACITANCE
    recurrent = synapse_numbers() / NEURONS[:, None] * weights()
    mean = recurrent @ RATES + EXTERNAL * BACKGROUND * unit
    missing = (1 - np.sqrt(scale)) * TAU_SYN * mean
    poisson = [
        bs.PoissonInput(name, BACKGROUND * k * scale, unit / np.sqrt(scale))
        for name, k in zip(NAMES, EXTERNAL)
    ]
    currents = [bs.Current(name, float(value)) for name, value in zip(NAMES, missing)]
    return poisson + (currents if scale < 1 else [])


def initial_state() -> dict[str, bs.Normal]:
    """Normal potentials of every population."""
    moments = zip(NAMES, INITIAL_MEAN, INITIAL_SD)
    return {f"{name}.U": bs.Normal(mean, sd) for name, mean, sd in moments}


def measured(done: bs.Simulation) -> list[dict[str, Any]]:
    """A row for each population."""
    return [
        {"population": name, "neurons": done.network[name].n, "rate_paper_hz": float(paper)}
        | population_statistics(done.spikes[name])
        for name, paper in zip(NAMES, RATES)
    ]


def figure(done: bs.Simulation, rows: list[dict[str, Any]]) -> Figure:
    """Raster of all populations over 0.4 s, and rates next to the paper's."""
    drawing = Figure(figsize=(11, 6), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(3, 2))
    bs.plot.raster(done, NAMES, stop=min(0.4, done.duration), ax=left)
    _rates(right, done, rows)
    return drawing


def _rates(axis: Axes, done: bs.Simulation, rows: list[dict[str, Any]]) -> None:
    """Rates of neurons as boxes, means next to the paper's."""
    boxes = axis.boxplot(
        [bs.stats.firing_rates(done.spikes[name]) for name in NAMES],
        orientation="horizontal",
        positions=range(8),
        showfliers=False,
        patch_artist=True,
        widths=0.6,
        medianprops={"color": "white"},
    )
    for box, name in zip(boxes["boxes"], NAMES):
        box.set(facecolor=bs.plot.colour(done.network[name]), edgecolor="none")
    means = [row["rate_hz"] for row in rows]
    axis.plot(means, range(8), "*", ms=11, color="white", mec="black", label="mean")
    paper: dict[str, Any] = {
        "ms": 6,
        "color": "none",
        "mec": "black",
        "mew": 1.5,
        "label": "mean in the paper",
    }
    axis.plot(RATES, range(8), "D", **paper)
    axis.set(yticks=range(8), yticklabels=NAMES, xlabel="rate of a neuron (Hz)")
    axis.set(ylim=(7.6, -0.6), xlim=(0, None))
    axis.legend(frameon=False, loc="upper right")


def show(result: dict[str, Any]) -> None:
    """Print the results."""
    seconds, synapses = result["simulated_s"], result["synapses"] / 1e6
    command_line.show(
        f"Potjans & Diesmann (2014), scale {result['scale']:g}, {seconds:g} s, "
        f"{synapses:.1f} million synapses",
        ("population", "neurons", "paper (Hz)", "rate (Hz)", "CV", "synchrony"),
        [
            (
                r["population"],
                str(r["neurons"]),
                f"{r['rate_paper_hz']:g}",
                number(r["rate_hz"]),
                number(r["cv"]),
                number(r["synchrony"]),
            )
            for r in result["populations"]
        ],
    )
    print(
        f"built in {result['build_s']:.1f} s, simulated {seconds:g} s in {result['run_s']:.2f} s; "
        f"peak memory {result['peak_memory_mb'] / 1e3:.2f} GB"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the circuit from the command line."""
    name, scale = "potjans_diesmann_2014", "of the neurons and of synapses onto each (default 1)"
    parser = command_line.parser(name, __doc__ or "", seconds=1.0, scale=scale, mpi=True)
    args: argparse.Namespace = parser.parse_args(arguments)
    command_line.check_options(parser, args)
    begin = time.perf_counter()
    net, inputs = build(args.scale, args.seed), background(args.scale)
    build_s = time.perf_counter() - begin
    start = {"initial": initial_state(), "communicator": command_line.communicator(args)}
    ((rows, done),) = command_line.until_interrupted(
        lambda _: command_line.after_warm_up(net, WARM_UP, args, inputs, **start),
        lambda _, done: measured(done),
        ["the circuit"],
    )
    if not command_line.is_first(args):
        return
    result = {
        "synapses": sum(synapses.size for synapses in net.synapses.values()),
        "build_s": build_s,
        "populations": rows,
        "scale": args.scale,
        "run_s": done.wall,
        "simulated_s": done.duration,
        "peak_memory_mb": command_line.peak_memory(),
    }
    show(result)
    command_line.save(args, lambda: figure(done, rows), "microcircuit.png", result)


if __name__ == "__main__":
    main()
