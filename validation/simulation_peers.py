"""The circuits of `models/` in biosnn and in other simulators.

Each is written as its authors would write it, in `simulation_<program>.py`, and runs in a process
of its own (`python -m validation.speed simulate-one …`). All record all spikes. Equations, sizes,
weights and delays are the same; random numbers differ, and so rates agree only as statistics.
biosnn and BrainPy compute in single precision, as they do by default, NEST in double, Brian2 in
double (its default) and in single. CUBA and COBA have a delay of one step here, because NEST knows
none below. NEST's iaf_cond_exp solves COBA with an adaptive Runge-Kutta method, the others by
exponential Euler.
"""

import shutil
import time
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

import biosnn as bs
from models import brunel_2000 as brunel
from models import potjans_diesmann_2014 as microcircuit
from models import vogels_2011 as plastic
from models import vogels_abbott_2005 as vogels
from models import wang_2002 as wang

STATES = {
    "brunel": (5.0, 2.0),
    "brunel-regular": (3.0, 2.0),
    "brunel-fast": (6.0, 4.0),
    "brunel-slow": (4.5, 0.9),
}  # g, eta
#: Program -> (what it imports, its distribution, its module here).
IMPLEMENTATIONS: dict[str, tuple[str, str, str | None]] = {
    "biosnn": ("biosnn", "biosnn", None),
    "Brian2": ("brian2", "Brian2", "simulation_brian2"),
    "Brian2, float32": ("brian2", "Brian2", "simulation_brian2"),
    "NEST": ("nest", "nest-simulator", "simulation_nest"),
    "BrainPy": ("brainpy", "brainpy", "simulation_brainpy"),
}
CHOSEN = "bs.simulate as in models/; compiled code is loaded before the clock starts"
STEP, COHERENCE = 0.1e-3, 0.512  # seconds; of the stimulus of Wang's circuit
BRIAN2_MOST = 0.3  # scale of the microcircuit above which Brian2 needs more than 10 GB


def absent(implementation: str, model: str, scale: float) -> str | None:
    """Why an implementation is left out, or None."""
    package = IMPLEMENTATIONS[implementation][0]
    if find_spec(package) is None:
        return f"{package} is not installed"
    if package == "brian2" and shutil.which("g++") is None:
        return "its stand-alone programs need g++"
    if package == "brian2" and model == "microcircuit" and scale > BRIAN2_MOST:
        return f"the microcircuit above scale {BRIAN2_MOST:g} takes too much memory"
    if package == "nest" and model == "wang":
        return "there is no program of this circuit for it"
    if package == "brainpy" and model not in ("cuba", "coba"):
        return "its program is written for cuba and coba only"
    return None


def environment(implementation: str, threads: int) -> dict[str, str]:
    """Variables that its process gets."""
    return {"OMP_NUM_THREADS": str(threads)} | (
        {"OMP_PROC_BIND": "true"} if implementation == "NEST" else {}
    )


def chosen(implementation: str) -> str:
    """What was chosen for a program, and so why it is its best."""
    module = IMPLEMENTATIONS[implementation][2]
    if module is None:
        return CHOSEN
    return getattr(
        import_module(f"validation.{module}"),
        "CHOSEN_SINGLE" if "float32" in implementation else "CHOSEN",
    )


def run(
    model: str, implementation: str, threads: int, seconds: float, scale: float, seed: int = 1
) -> dict[str, Any]:
    """One row: seconds to build and to run, and the mean rate of all neurons in Hz."""
    _, distribution, module = IMPLEMENTATIONS[implementation]
    part: Any = run_biosnn if module is None else import_module(f"validation.{module}").run
    if "float32" in implementation:
        part = partial(part, single=True)
    build_s, run_s, rate = part(model, threads, seconds, scale, seed)
    return {
        "model": model,
        "implementation": implementation,
        "threads": threads,
        "scale": scale,
        "build_s": build_s,
        "run_s": run_s,
        "simulated_s": seconds,
        "rate_hz": rate,
        "chosen": chosen(implementation),
        "version": bs.__version__ if module is None else version(distribution),
    }


def run_biosnn(
    model: str, threads: int, seconds: float, scale: float, seed: int
) -> tuple[float, float, float]:
    """Seconds to build and to run, and the mean rate of all neurons."""
    begin = time.perf_counter()
    net, background, initial = circuit(model, scale, seed)
    options: dict[str, Any] = {
        "background": background,
        "initial": initial,
        "seed": seed,
        "threads": threads,
        "progress": False,
    }
    bs.simulate(net, 2 * net.dt, **options)  # loads compiled code
    built = time.perf_counter()
    done = bs.simulate(net, seconds, **options)
    run_s = time.perf_counter() - built
    n = sum(p.n for p in net.spiking)
    return built - begin, run_s, sum(done.counts.values()) / (n * done.duration)


def circuit(model: str, scale: float, seed: int) -> tuple[bs.Network, list[Any], Any]:
    """The network, its background, and its initial state (None: at rest)."""
    if model in STATES:
        g, eta = STATES[model]
        return brunel.build(g, scale, seed), brunel.background(eta), None
    if model == "microcircuit":
        net = microcircuit.build(scale, seed)
        return net, microcircuit.background(scale), microcircuit.initial_state()
    if model == "plasticity":
        net = plastic.build(scale, seed, plastic.TARGET)
        return net, plastic.background(), plastic.initial_state()
    if model == "wang":
        shown = wang.stimulus(COHERENCE, np.random.default_rng(seed))
        return wang.build(), wang.background(shown), wang.initial_state()
    name = model.upper()
    net = vogels.build(name, seed, STEP)
    return net, vogels.background(name), vogels.initial_state(name)
