"""Random networks: `build` makes those that hypothesis draws, of six populations with random
tables, delays, resets, refractory periods, integrators, time constants and signs; random_cases.py
draws smaller ones with everything that can be said of a network.
"""

import numpy as np
from hypothesis import strategies as st

import biosnn as bs
from tests.random_cases import Case, random_case

__all__ = ["NETWORK", "Case", "build", "random_case"]

TIME_CONSTANTS = {  # (lowest, highest); those of one neuron never are equal
    bs.lif: {"tau_syn": (4e-3, 8e-3)},
    bs.ei_lif: {"tau_exc": (4e-3, 8e-3), "tau_inh": (9e-3, 12e-3)},
    bs.adaptive_lif: {"tau_syn": (4e-3, 8e-3), "tau_adapt": (50e-3, 150e-3)},
    bs.ei_adaptive_lif: {
        "tau_exc": (4e-3, 8e-3),
        "tau_inh": (9e-3, 12e-3),
        "tau_adapt": (50e-3, 150e-3),
    },
    bs.ampa_nmda_gaba: {
        "tau_ampa": (4e-3, 8e-3),
        "tau_nmda": (50e-3, 100e-3),
        "tau_gaba": (9e-3, 12e-3),
    },
}

POPULATION = st.fixed_dictionaries(
    {
        "n": st.integers(1, 6),
        "table": st.sampled_from(list(TIME_CONSTANTS)),
        "integrator": st.sampled_from(["exact", "exponential_euler", "euler"]),
        "sign": st.sampled_from(["excitatory", "inhibitory", "unsigned"]),
        "reset": st.sampled_from([0.0, -0.3, "subtract"]),
        "refractory": st.integers(0, 6),
        "per_neuron": st.booleans(),
        "threshold": st.sampled_from([0.8, 1.0, 1.3]),
        "initial": st.sampled_from([0.0, 0.5]),
        "delay": st.integers(0, 20),
        "learn": st.booleans(),
    }
)
SYNAPSE = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 20))
NETWORK = st.tuples(
    st.lists(POPULATION, min_size=6, max_size=6),
    st.lists(SYNAPSE, min_size=6, max_size=9, unique_by=lambda s: s[:2]),
    st.integers(0, 2**32 - 1),
)


def build(description, dt=1e-3):
    """(network, 300 ms of Poisson input that makes every population fire)."""
    populations, synapses, seed = description
    rng, net = np.random.default_rng(seed), bs.Network(dt)
    x = net.input(30)
    for k, p in enumerate(populations):
        post = net.population(
            p["n"],
            _neuron(p, rng, dt),
            p["sign"],
            name=f"P{k}",
            initial=p["initial"],
            learn={"mem": "neuron"} if p["learn"] else None,
        )
        if p["learn"]:
            net.parameters[post.name, "mem"][:] = rng.uniform(0.0, 0.3, p["n"])
        weights = rng.exponential(1.0, (30, p["n"]))
        net.connect(x, post, delay=p["delay"] * dt, weights=weights, receptor="exc")
    for pre, post, delay in synapses:
        weights = rng.exponential(0.15, (populations[pre]["n"], populations[post]["n"]))
        free = populations[pre]["sign"] == "unsigned" and populations[post]["table"] in (
            bs.lif,
            bs.adaptive_lif,
        )
        net.connect(
            f"P{pre}",
            f"P{post}",
            delay=delay * dt,
            weights=weights * rng.choice([-1, 1], weights.shape) if free else weights,
        )
    return net, bs.data.poisson(20, 30, 0.3, seed=rng)


def _neuron(p, rng, dt):
    """The table of a population that was described."""

    def tau(low, high):
        return rng.uniform(low, high, p["n"] if p["per_neuron"] else None)

    taus = {name: tau(*limits) for name, limits in TIME_CONSTANTS[p["table"]].items()}
    jumps = {}
    if "tau_adapt" in taus:
        jumps = {"jump": tau(0.05, 0.2), "jump_delay": p["refractory"] * dt}
    return p["table"](
        tau_mem=tau(13e-3, 30e-3),
        **taus,
        threshold=p["threshold"],
        reset=p["reset"],
        refractory=p["refractory"] * dt,
        integrator=p["integrator"],
        **jumps,
    )
