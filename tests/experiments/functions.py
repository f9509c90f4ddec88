"""Functions that sweeps call, also in processes that have to import them."""

import os
import time
from pathlib import Path

import numpy as np

import biosnn as bs

FACTOR = 2


def square(x):
    return {"square": x * x}


def noisy(x, seed):
    rng = np.random.default_rng(seed)
    return {"sum": x + rng.random(), "draws": rng.random(4), "seed_given": seed}


def generated(x, rng):
    return {"sum": x + rng.random()}


def helped(x):
    return {"y": _twice(x) + FACTOR}


def _twice(x):
    return 2 * x


def sometimes(x):
    """Fails at 2 where there is no file "mended"; leaves a line for each call in "calls"."""
    with open("calls", "a") as file:
        file.write(f"{x}\n")
    if x == 2 and not Path("mended").exists():
        raise ArithmeticError("two is too many")
    return {"y": 10 * x}


def deadly(x):
    time.sleep(0.01)
    if x == 3:
        os._exit(1)
    return {"y": x}


def circuit(g, drive, seed):
    net = bs.Network(dt=1e-3)
    E = net.population(40, bs.lif_delta(threshold=1.0), "excitatory", name="E")
    I = net.population(10, bs.lif_delta(threshold=1.0), "inhibitory", name="I")
    for pre, weight in ((E, 0.05), (I, 0.05 * g)):
        for post in (E, I):
            rule = bs.FixedInDegree(5)
            net.connect(pre, post, delay=2e-3, weights=weight, synapses=rule, seed=seed)
    noise = [bs.PoissonInput(name, drive, 0.1) for name in ("E", "I")]
    options = {"seed": seed, "record": {"E.U": [0, 1]}, "progress": False}
    done = bs.simulate(net, 0.2, background=noise, **options)
    return {"rate_hz": done.mean_rates, "spikes": done.spikes["E"], "run": done}
