"""The circuits of `models/` in Brian2, as C++ stand-alone programs.

compiler
    Its defaults, which its documentation recommends: -O3 -ffast-math -march=native
    (`codegen.cpp.extra_compile_args_gcc`); OpenMP for two threads.
synapses
    Made in the order of their sources: by `connect(p=…)` where every pair has the same chance, from
    arrays sorted by source where each neuron has a fixed number of sources
    (`connect(i="k for k in sample(…)")`, which makes them target by target, scatters the synapses
    of a source over the memory). One delay for a whole Synapses object and one weight for all in
    its namespace, where the circuit has one.
Poisson input
    PoissonInput, "much more efficient than a PoissonGroup"; where it only wakes a circuit, it is
    made inactive afterwards.
precision
    Double, its default; "Brian2, float32" has `prefs.core.default_float_dtype = float32`.

Its build contains its compiler, and the synapses, which its program makes as it starts. Run times
are those of the calls of `run`.
"""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import biosnn as bs
from models import brunel_2000 as brunel
from models import potjans_diesmann_2014 as microcircuit
from models import vogels_2011 as plastic
from models import vogels_abbott_2005 as vogels
from models import wang_2002 as wang

from .simulation_peers import COHERENCE, STATES, STEP
from .wang_brian2 import Circuit

CHOSEN = (
    "C++ stand-alone, its default -O3 -ffast-math -march=native, OpenMP for 2 threads; synapses in "
    "the order of their sources (connect(p=…), or arrays sorted by source), shared weights and "
    "delays; PoissonInput"
)
CHOSEN_SINGLE = CHOSEN + "; prefs.core.default_float_dtype = float32"
#: Its own clock counts processor time where there is one thread, and the last run alone.
_PRINT_CLOCK = (
    "std::cout << std::fixed << std::chrono::duration<double>("
    "std::chrono::steady_clock::now().time_since_epoch()).count() << std::endl;"
)


def run(
    model: str, threads: int, seconds: float, scale: float, seed: int, single: bool = False
) -> tuple[float, float, float]:
    """Seconds to build and to run, and the mean rate of all neurons.

    single: state variables and weights in float32.
    """
    import brian2 as b2

    begin, folder = time.perf_counter(), tempfile.mkdtemp()
    try:
        prepare(b2, threads, seed, single)
        cells, synapses, wake_up = PARTS.get(model, _brunel)(b2, model, scale, seed)
        groups = cells if isinstance(cells, list) else [cells]
        monitors, waking = [b2.SpikeMonitor(group) for group in groups], 0.0
        network = b2.Network(*groups, *synapses, *wake_up, *monitors)
        if wake_up:
            waking = min(vogels.WAKE_S, seconds)
        if waking:
            network.run(waking * b2.second)
            for source in wake_up:
                source.active = False
        if seconds > waking:
            network.run((seconds - waking) * b2.second)
        run_s = build_and_run(b2, folder)
        spikes = sum(monitor.num_spikes for monitor in monitors)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return (
        time.perf_counter() - begin - run_s,
        run_s,
        spikes / (sum(group.N for group in groups) * seconds),
    )


def build_and_run(b2: Any, folder: str) -> float:
    """Compile and run the stand-alone program in a folder; the seconds of its runs."""
    b2.device.build(directory=folder, compile=True, run=True, with_output=False)
    times = [float(line) for line in Path(folder, "results", "stdout.txt").read_text().split()]
    return sum(times[1::2]) - sum(times[::2])


def prepare(b2: Any, threads: int, seed: int, single: bool = False) -> None:
    """Options of a stand-alone program of Brian2."""
    b2.prefs.core.default_float_dtype = np.float32 if single else np.float64
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
    # its default starts all compilers at once
    b2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
    b2.prefs.codegen.cpp.headers += ["<chrono>"]
    for place in ("before_network_run", "after_network_run"):
        b2.device.insert_code(place, _PRINT_CLOCK)
    b2.defaultclock.dt = STEP * b2.second
    b2.seed(seed)


# ------------------------------------- circuits: neurons, synapses and input, and what wakes them


def _brunel(b2, model, scale, seed):
    """Model A of Brunel (2000)."""
    g, eta = STATES[model]
    n_exc, n_inh, c_exc, c_inh = (
        round(n * scale) for n in (brunel.N_EXC, brunel.N_INH, brunel.C_EXC, brunel.C_INH)
    )
    space = {
        "tau": brunel.TAU * b2.second,
        "theta": brunel.THETA * b2.volt,
        "reset": brunel.RESET * b2.volt,
    }
    cells = b2.NeuronGroup(
        n_exc + n_inh,
        "dv/dt = -v / tau : volt (unless refractory)",
        threshold="v > theta",
        reset="v = reset",
        refractory=brunel.REFRACTORY * b2.second,
        method="exact",
        namespace=space,
    )
    synapses, rng = [], np.random.default_rng(seed)
    for pre, n, c, weight in (
        (cells[:n_exc], n_exc, c_exc, brunel.J),
        (cells[n_exc:], n_inh, c_inh, -g * brunel.J),
    ):
        each = b2.Synapses(
            pre,
            cells,
            on_pre="v += w",
            delay=brunel.DELAY * b2.second,
            namespace={"w": weight * b2.volt},
        )
        sources = rng.integers(n, size=len(cells) * c, dtype=np.int32)
        order = np.argsort(sources, kind="stable")
        each.connect(i=sources[order], j=order // c)
        synapses.append(each)
    external = b2.PoissonInput(
        cells,
        "v",
        brunel.C_EXC,
        brunel.external_rate(eta) / brunel.C_EXC * b2.Hz,
        brunel.J * b2.volt,
    )
    return cells, [*synapses, external], []


def _vogels(b2, model, scale, seed):
    """CUBA or COBA."""
    cuba = model == "cuba"
    rest, (w_exc, w_inh) = vogels.resting_potential(model.upper()), vogels.weights(model.upper())
    space = {
        "tau": vogels.TAU * b2.second,
        "tau_e": vogels.TAU_EXC * b2.second,
        "tau_i": vogels.TAU_INH * b2.second,
        "theta": vogels.THRESHOLD * b2.volt,
        "reset": vogels.RESET * b2.volt,
        "rest": rest * b2.volt,
        "e_e": vogels.E_EXC * b2.volt,
        "e_i": vogels.E_INH * b2.volt,
        "w_e": w_exc * (b2.volt if cuba else 1),
        "w_i": w_inh * (b2.volt if cuba else 1),
    }
    drive, unit = ("ge - gi", "volt") if cuba else ("ge * (e_e - v) + gi * (e_i - v)", "1")
    cells = b2.NeuronGroup(
        vogels.N_EXC + vogels.N_INH,
        f"""dv/dt = (rest - v + {drive}) / tau : volt (unless refractory)
        dge/dt = -ge / tau_e : {unit}
        dgi/dt = -gi / tau_i : {unit}""",
        threshold="v > theta",
        reset="v = reset",
        namespace=space,
        refractory=vogels.REFRACTORY * b2.second,
        method="exact" if cuba else "exponential_euler",
    )
    cells.v = "reset + rand() * (theta - reset)"
    synapses = []
    for pre, state in ((cells[: vogels.N_EXC], "e"), (cells[vogels.N_EXC :], "i")):
        each = b2.Synapses(
            pre, cells, on_pre=f"g{state} += w_{state}", delay=STEP * b2.second, namespace=space
        )
        each.connect(p=vogels.P)
        synapses.append(each)
    rate = vogels.WAKE_HZ / 100 * b2.Hz
    return cells, synapses, [] if cuba else [b2.PoissonInput(cells, "ge", 100, rate, w_exc)]


def _plasticity(b2, model, scale, seed):
    """Inhibitory plasticity of Vogels et al. (2011)."""
    p, grow = plastic, 1 / scale / plastic.LEAK  # conductances in units of the leak
    n_exc, n_inh = round(8000 * scale), round(2000 * scale)
    space = {
        "tau": p.TAU * b2.second,
        "grow": grow,
        "eta": p.ETA * grow,
        "alpha": 2 * p.TARGET * p.TAU,
        "most": p.W_MAX * grow,
    }
    cells = b2.NeuronGroup(
        n_exc + n_inh,
        "dv/dt = (20*mV - v + ge*(60*mV - v) - gi*(v + 20*mV)) / (20*ms)"
        """ : volt (unless refractory)
        dge/dt = -ge / (5*ms) : 1
        dgi/dt = -gi / (10*ms) : 1""",
        threshold="v > 10*mV",
        reset="v = 0*mV",
        refractory=5 * b2.ms,
        method="exponential_euler",
    )
    cells.v = "rand() * 10*mV"
    exc, inh = cells[:n_exc], cells[n_exc:]
    synapses = [
        b2.Synapses(exc, cells, on_pre=f"ge += {p.W_EXC}*grow", namespace=space),
        b2.Synapses(inh, inh, on_pre=f"gi += {p.W_II}*grow", namespace=space),
        b2.Synapses(
            inh,
            exc,
            """w : 1
            dbefore/dt = -before / tau : 1 (event-driven)
            dafter/dt = -after / tau : 1 (event-driven)""",
            on_pre="before += 1; w = clip(w + eta*(after - alpha), 0, most); gi += w",
            on_post="after += 1; w = clip(w + eta*before, 0, most)",
            namespace=space,
        ),
    ]
    for each in synapses:
        each.connect(p=p.P)
    return cells, synapses, []


def _microcircuit(b2, model, scale, seed):
    """The cortical microcircuit of Potjans & Diesmann (2014)."""
    m, rng = microcircuit, np.random.default_rng(seed)
    sizes = np.rint(m.NEURONS * scale).astype(int)
    first = np.concatenate([[0], np.cumsum(sizes)])
    space = {
        "tau": m.TAU * b2.second,
        "tau_s": m.TAU_SYN * b2.second,
        "theta": m.THRESHOLD * b2.volt,
    }
    cells = b2.NeuronGroup(
        first[-1],
        """dv/dt = (-v + cur + dc) / tau : volt (unless refractory)
        dcur/dt = -cur / tau_s : volt
        dc : volt (constant)""",
        threshold="v > theta",
        reset="v = 0 * volt",
        refractory=m.REFRACTORY * b2.second,
        method="exact",
        namespace=space,
    )
    moments = zip(m.INITIAL_MEAN, m.INITIAL_SD, sizes)
    cells.v = np.concatenate([rng.normal(mu, sd, n) for mu, sd, n in moments]) * b2.volt
    background = m.background(scale)
    cells.dc = np.repeat([s.values for s in background[8:]] or [0.0] * 8, sizes) * b2.volt
    parts = []
    for k, source in enumerate(background[:8]):
        target, n = cells[first[k] : first[k + 1]], round(m.EXTERNAL[k] * scale)
        rate, weight = float(source.rate) / n * b2.Hz, source.weight * b2.volt
        parts.append(b2.PoissonInput(target, "cur", n, rate, weight))
    parts += [_synapses_of(b2, cells, pre, first, scale, rng) for pre in range(8)]
    return cells, parts, []


def _synapses_of(b2, cells, pre, first, scale, rng):
    """One object for the synapses of a population. first: the first neuron of each, and the end."""
    m = microcircuit
    total = np.rint(m.synapse_numbers() * scale**2).astype(int)[:, pre]
    sources = rng.integers(first[pre], first[pre + 1], total.sum(), np.int32)
    order = np.argsort(sources, kind="stable")
    targets = [rng.integers(first[k], first[k + 1], n) for k, n in enumerate(total)]
    post = np.concatenate(targets)[order]
    mean = np.repeat(m.weights()[:, pre] / np.sqrt(scale), total)[order]
    mu = m.DELAY_INH if pre % 2 else m.DELAY_EXC
    result = b2.Synapses(cells, cells, "w : volt (constant)", on_pre="cur += w")
    result.connect(i=sources[order], j=post)
    result.w = mean * (1 + m.SPREAD * rng.standard_normal(post.size)) * b2.volt
    delays = bs.Normal(mu, m.DELAY_SPREAD * mu, low=m.DT)
    result.delay = delays.draw(rng, post.size) * b2.second
    return result


def _wang(b2, model, scale, seed):
    """A decision (Wang 2002), at full size."""
    circuit = Circuit(b2)
    shown = wang.stimulus(COHERENCE, np.random.default_rng(seed))
    circuit.present([shown], wang.OFFSET + 1.0)
    groups = list(circuit.cells.values())
    return groups, circuit.objects[len(groups) :], []


PARTS = {
    "wang": _wang,
    "microcircuit": _microcircuit,
    "plasticity": _plasticity,
    "cuba": _vogels,
    "coba": _vogels,
}
