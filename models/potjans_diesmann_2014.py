"""Potjans TC, Diesmann M (2014). The cell-type specific cortical microcircuit: relating structure and activity in a full-scale
spiking network model. Cerebral Cortex 24, 785-806. https://doi.org/10.1093/cercor/bhs358

    python -m models.potjans_diesmann_2014                 77 169 neurons, 299 million synapses: about 2.5 GB
    python -m models.potjans_diesmann_2014 --scale 0.1     a tenth of the neurons, and of the synapses onto each

Eight populations of leaky integrate-and-fire neurons (tau_mem 10 ms, C 250 pF, threshold 15 mV and reset 0 above rest, refractory
period 2 ms) with exponential currents (0.5 ms), a fixed total number of synapses between any two, with repetitions, and Poisson
background of 8 Hz over each of the external synapses; dt = 0.1 ms. Weights: normal, 87.8 pA (a potential of 0.15 mV) with a spread
of 10 %, from L4E to L23E twice that, inhibitory ones -4 times. Delays: normal, 1.5 ms from excitatory and 0.75 ms from inhibitory
neurons, with a spread of one half, at least one step. The initial potentials are normal, with the means and spreads that the
authors' later code gives each population, so that there is no start in synchrony.

--scale s takes s of the neurons and s of the synapses onto each (recurrent and external), as the authors' code does: weights grow
by 1/sqrt(s), which keeps the variance of the input, and a constant current replaces the part 1 - sqrt(s) of the mean input (that
of the full circuit at the paper's rates), which would otherwise be lost. Mean rates stay near those of the full circuit; synchrony and
correlations do not.
"""

import time

import numpy as np

import biosnn as bs
from models import _report as common
from validation.measure import peak

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
NEURONS = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
EXTERNAL = np.array(
    [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
)  # external synapses onto each neuron
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
INITIAL_MEAN = (
    np.array([-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43]) * 1e-3 + 65e-3
)  # volts above rest
INITIAL_SD = np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48]) * 1e-3
DT, TAU, TAU_SYN, CAPACITANCE, THRESHOLD, RESET, REFRACTORY = (
    0.1e-3,
    10e-3,
    0.5e-3,
    250e-12,
    15e-3,
    0.0,
    2e-3,
)  # SI
PSP, G, SPREAD, BACKGROUND = 0.15e-3, 4.0, 0.1, 8.0  # volts, -, -, Hz
DELAY_EXC, DELAY_INH, DELAY_SPREAD = 1.5e-3, 0.75e-3, 0.5  # seconds, seconds, -
WARM_UP = 0.1  # seconds that are not counted


def psc():
    """The current (A) whose potential has its peak at 0.15 mV."""
    ratio = TAU / TAU_SYN
    peak_of_unit = (
        TAU_SYN
        * TAU
        / (CAPACITANCE * (TAU_SYN - TAU))
        * (ratio ** (-TAU / (TAU - TAU_SYN)) - ratio ** (-TAU_SYN / (TAU - TAU_SYN)))
    )
    return PSP / peak_of_unit


def synapse_numbers():
    """(postsynaptic, presynaptic) numbers of synapses of the full circuit: those that connect a pair with the given probability."""
    pairs = np.outer(NEURONS, NEURONS).astype(float)
    return np.rint(np.log1p(-PROBABILITIES) / np.log1p(-1 / pairs)).astype(np.int64)


def weights():
    """(postsynaptic, presynaptic) mean weights of the full circuit in volts (current times resistance), signed."""
    unit = psc() * TAU / CAPACITANCE
    result = np.where(np.arange(8) % 2 == 0, unit, -G * unit) * np.ones((8, 1))
    result[0, 2] *= 2
    return result


def build(scale, seed):
    """The circuit, and its background: Poisson input and, below scale 1, constant currents. seed: a whole number >= 0."""
    net = bs.Network(DT)
    neuron = bs.lif(
        tau_mem=TAU, tau_syn=TAU_SYN, threshold=THRESHOLD, reset=RESET, refractory=REFRACTORY
    )
    for name, n in zip(NAMES, NEURONS):
        net.population(
            round(n * scale),
            neuron,
            "excitatory" if name.endswith("E") else "inhibitory",
            name=name,
        )
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
    return net, background(scale)


def background(scale):
    """Poisson input onto each population, and the mean input that a smaller circuit lacks as a constant current."""
    unit = psc() * TAU / CAPACITANCE
    mean = (synapse_numbers() / NEURONS[:, None] * weights()) @ RATES + EXTERNAL * BACKGROUND * unit
    missing = (1 - np.sqrt(scale)) * TAU_SYN * mean
    return [
        bs.PoissonInput(name, BACKGROUND * k * scale, unit / np.sqrt(scale))
        for name, k in zip(NAMES, EXTERNAL)
    ] + [bs.Current(name, float(value)) for name, value in zip(NAMES, missing) if scale < 1]


def initial_state():
    return {
        f"{name}.U": bs.Normal(mean, sd) for name, mean, sd in zip(NAMES, INITIAL_MEAN, INITIAL_SD)
    }


def measured(done):
    """A row for each population."""
    return [
        {"population": name, "neurons": done.network[name].n, "rate_paper_hz": float(paper)}
        | common.population_statistics(done.spikes[name])
        for name, paper in zip(NAMES, RATES)
    ]


def figure(done, rows):
    """Raster of all populations over 0.4 s in the order of the layers; rates of neurons as boxes, means beside the paper's."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(11, 6), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(3, 2))
    share = min(1.0, 2000 / sum(done.spikes[name].n_units for name in NAMES))
    middles = common.raster(
        left,
        [(done.spikes[name], share, common.colour(name)) for name in NAMES],
        0,
        min(0.4, done.duration),
    )
    left.set_yticks(middles, NAMES)
    rates = [bs.stats.firing_rates(done.spikes[name]) for name in NAMES]
    boxes = right.boxplot(
        rates,
        orientation="horizontal",
        positions=range(8),
        showfliers=False,
        patch_artist=True,
        widths=0.6,
        medianprops={"color": "white"},
    )
    for box, name in zip(boxes["boxes"], NAMES):
        box.set(facecolor=common.colour(name), edgecolor="none")
    right.plot(
        [row["rate_hz"] for row in rows],
        range(8),
        "*",
        ms=11,
        color="white",
        mec="black",
        label="mean",
    )
    right.plot(
        RATES, range(8), "D", ms=6, color="none", mec="black", mew=1.5, label="mean in the paper"
    )
    right.set(
        yticks=range(8),
        yticklabels=NAMES,
        xlabel="rate of a neuron (Hz)",
        ylim=(7.6, -0.6),
        xlim=(0, None),
    )
    right.legend(frameon=False, loc="upper right")
    return drawing


def main(arguments=None):
    parser = common.parser(
        "potjans_diesmann_2014",
        __doc__,
        1.0,
        "of the numbers of neurons and of synapses onto each (default 1)",
    )
    args = parser.parse_args(arguments)
    common.check_options(parser, args)
    begin = time.perf_counter()
    net, inputs = build(args.scale, args.seed)
    sizes = {
        "synapses": sum(synapses.size for synapses in net.synapses.values()),
        "build_s": time.perf_counter() - begin,
    }
    ((rows, done),) = common.until_interrupted(
        lambda _: common.after_warm_up(net, WARM_UP, args, inputs, initial=initial_state()),
        lambda _, done: measured(done),
        [args],
    )
    common.show(
        f"Potjans & Diesmann (2014), scale {args.scale:g}, {done.duration:g} s, {sizes['synapses'] / 1e6:.1f} million synapses",
        ("population", "neurons", "paper (Hz)", "rate (Hz)", "CV", "synchrony"),
        [
            (
                r["population"],
                str(r["neurons"]),
                f"{r['rate_paper_hz']:g}",
                common.number(r["rate_hz"]),
                common.number(r["cv"]),
                common.number(r["synchrony"]),
            )
            for r in rows
        ],
    )
    print(
        f"built in {sizes['build_s']:.1f} s, simulated {done.duration:g} s in {done.wall:.2f} s; peak memory {peak() / 1e3:.2f} GB"
    )
    common.save(
        args,
        lambda: figure(done, rows),
        "microcircuit.png",
        sizes
        | {
            "populations": rows,
            "scale": args.scale,
            "run_s": done.wall,
            "simulated_s": done.duration,
            "peak_memory_mb": peak(),
        },
    )


if __name__ == "__main__":
    main()
