"""The circuits of `models/` in NEST, as its own examples write them.

These are brunel_delta_nest and the microcircuit.

threads
    local_num_threads = one for each core, held where they are (OMP_PROC_BIND=true), as its guide to
    threading recommends.
synapses
    static_synapse, connected by NEST's own rules for whole populations. Synapses that share a
    weight (static_synapse_hom_w) or take less memory (…_hpc) and other random number generators
    made no difference beyond that of repeats.
Poisson input
    One poisson_generator for a population, which stops where it only wakes a circuit.
clock
    Starts after Prepare, and so without what a first run sets up; no print_time.

It knows no delay below a step. iaf_cond_exp solves conductances with an adaptive Runge-Kutta
method; NEST has no other for this model.
"""

import time
from typing import Any

import numpy as np

from models import brunel_2000 as brunel
from models import potjans_diesmann_2014 as microcircuit
from models import vogels_2011 as plastic
from models import vogels_abbott_2005 as vogels

from .simulation_peers import STATES, STEP

CHOSEN = (
    "a thread for each core, pinned; its own connection rules, static_synapse (shared weights and "
    "the small …_hpc synapses made no difference beyond that of repeats), one poisson_generator "
    "for a population; the clock starts after Prepare"
)


def run(
    model: str, threads: int, seconds: float, scale: float, seed: int
) -> tuple[float, float, float]:
    """Seconds to build and to run, and the mean rate of all neurons."""
    import nest

    begin = time.perf_counter()
    groups = build(nest, model, threads, scale, seed)
    recorder = nest.Create("spike_recorder")
    for group in groups:
        nest.Connect(group, recorder)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(1e3 * seconds)
    run_s = time.perf_counter() - built
    nest.Cleanup()
    return built - begin, run_s, recorder.n_events / (sum(len(group) for group in groups) * seconds)


def build(nest: Any, model: str, threads: int, scale: float, seed: int) -> list[Any]:
    """The populations of a circuit, connected and with their input; NEST forgets what it had."""
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.resolution, nest.local_num_threads, nest.rng_seed = 1e3 * STEP, threads, seed
    return PARTS.get(model, _brunel)(nest, model, scale, seed)


def _brunel(nest, model, scale, seed):
    """Model A of Brunel (2000)."""
    g, eta = STATES[model]
    n_exc, n_inh, c_exc, c_inh = (
        round(n * scale) for n in (brunel.N_EXC, brunel.N_INH, brunel.C_EXC, brunel.C_INH)
    )
    parameters = {
        "C_m": 1.0,
        "tau_m": 1e3 * brunel.TAU,
        "t_ref": 1e3 * brunel.REFRACTORY,
        "E_L": 0.0,
        "V_reset": 1e3 * brunel.RESET,
        "V_th": 1e3 * brunel.THETA,
        "V_m": 0.0,
    }
    e, i = (nest.Create("iaf_psc_delta", n, parameters) for n in (n_exc, n_inh))
    delay, weight = 1e3 * brunel.DELAY, 1e3 * brunel.J
    nest.Connect(
        nest.Create("poisson_generator", params={"rate": brunel.external_rate(eta)}),
        e + i,
        syn_spec={"weight": weight, "delay": delay},
    )
    for pre, c, w in ((e, c_exc, weight), (i, c_inh, -g * weight)):
        nest.Connect(
            pre, e + i, {"rule": "fixed_indegree", "indegree": c}, {"weight": w, "delay": delay}
        )
    return [e, i]


def _vogels(nest, model, scale, seed):
    """CUBA or COBA."""
    cuba, n, rng = model == "cuba", vogels.N_EXC + vogels.N_INH, np.random.default_rng(seed)
    capacitance = 200.0  # pF
    parameters = {
        "t_ref": 1e3 * vogels.REFRACTORY,
        "tau_syn_ex": 1e3 * vogels.TAU_EXC,
        "tau_syn_in": 1e3 * vogels.TAU_INH,
        "V_th": 1e3 * vogels.THRESHOLD,
        "V_reset": 1e3 * vogels.RESET,
        "C_m": capacitance,
        "E_L": 1e3 * vogels.resting_potential(model.upper()),
    }
    leak = capacitance / (1e3 * vogels.TAU)  # nS
    unit = 1e3 * leak if cuba else leak  # pA per volt, or nS
    if cuba:
        cells = nest.Create("iaf_psc_exp", n, parameters | {"tau_m": 1e3 * vogels.TAU})
    else:
        cells = nest.Create(
            "iaf_cond_exp",
            n,
            parameters | {"g_L": unit, "E_ex": 1e3 * vogels.E_EXC, "E_in": 1e3 * vogels.E_INH},
        )
        nest.Connect(
            nest.Create(
                "poisson_generator", params={"rate": vogels.WAKE_HZ, "stop": 1e3 * vogels.WAKE_S}
            ),
            cells,
            syn_spec={"weight": unit * vogels.W_EXC_COBA, "delay": 1e3 * STEP},
        )
    cells.V_m = rng.uniform(1e3 * vogels.RESET, 1e3 * vogels.THRESHOLD, n)
    for pre, weight, sign in zip(
        (cells[: vogels.N_EXC], cells[vogels.N_EXC :]), vogels.weights(model.upper()), (1, -1)
    ):
        nest.Connect(
            pre,
            cells,
            {"rule": "pairwise_bernoulli", "p": vogels.P, "allow_autapses": False},
            {"weight": sign * unit * weight, "delay": 1e3 * STEP},
        )
    return [cells]


def _plasticity(nest, model, scale, seed):
    """Inhibitory plasticity of Vogels et al. (2011)."""
    p, grow, n_exc, rng = plastic, 1 / scale, round(8000 * scale), np.random.default_rng(seed)
    cells = nest.Create(
        "iaf_cond_exp",
        round(10000 * scale),
        {
            "C_m": 200.0,
            "g_L": p.LEAK,
            "E_L": -60.0,
            "V_th": -50.0,
            "V_reset": -60.0,
            "t_ref": 5.0,
            "E_ex": 0.0,
            "E_in": -80.0,
            "tau_syn_ex": 5.0,
            "tau_syn_in": 10.0,
            "I_e": 1e3 * p.DRIVE * p.LEAK,
            "tau_minus": 1e3 * p.TAU,
        },
    )
    cells.V_m = rng.uniform(-60, -50, len(cells))
    exc, inh, rule = (
        cells[:n_exc],
        cells[n_exc:],
        {"rule": "pairwise_bernoulli", "p": p.P, "allow_autapses": False},
    )
    fixed, delay = {"synapse_model": "static_synapse"}, {"delay": 1e3 * STEP}
    nest.Connect(exc, cells, rule, fixed | delay | {"weight": p.W_EXC * grow})
    nest.Connect(inh, inh, rule, fixed | delay | {"weight": -p.W_II * grow})
    nest.Connect(
        inh,
        exc,
        rule,
        delay
        | {
            "synapse_model": "vogels_sprekeler_synapse",
            "weight": -1e-10 * grow,
            "Wmax": -p.W_MAX * grow,
            "eta": p.ETA * grow,
            "alpha": 2 * p.TARGET * p.TAU,
            "tau": 1e3 * p.TAU,
        },
    )
    return [cells]


def _microcircuit(nest, model, scale, seed):
    """The cortical microcircuit of Potjans & Diesmann (2014)."""
    m, rng = microcircuit, np.random.default_rng(seed)
    unit = 1e12 * m.CAPACITANCE / m.TAU  # pA per volt
    parameters = {
        "C_m": 1e12 * m.CAPACITANCE,
        "tau_m": 1e3 * m.TAU,
        "tau_syn_ex": 1e3 * m.TAU_SYN,
        "tau_syn_in": 1e3 * m.TAU_SYN,
        "t_ref": 1e3 * m.REFRACTORY,
        "E_L": 0.0,
        "V_th": 1e3 * m.THRESHOLD,
        "V_reset": 1e3 * m.RESET,
    }
    groups = [nest.Create("iaf_psc_exp", round(n * scale), parameters) for n in m.NEURONS]
    background = m.background(scale)
    for k, group in enumerate(groups):
        group.V_m = 1e3 * rng.normal(m.INITIAL_MEAN[k], m.INITIAL_SD[k], len(group))
        group.I_e = unit * background[8 + k].values if scale < 1 else 0.0
        nest.Connect(
            nest.Create("poisson_generator", params={"rate": float(background[k].rate)}),
            group,
            syn_spec={"weight": unit * background[k].weight, "delay": 1e3 * m.DELAY_EXC},
        )
    _connect_microcircuit(nest, groups, scale)
    return groups


def _connect_microcircuit(nest, groups, scale):
    """Synapses between all populations; a synapse model may have 134 million in a thread."""
    m = microcircuit
    numbers = np.rint(m.synapse_numbers() * scale**2).astype(int)
    means = m.weights() * 1e12 * m.CAPACITANCE / m.TAU / np.sqrt(scale)  # pA
    for name in m.NAMES:
        nest.CopyModel("static_synapse", f"from {name}")
    for post, pre in np.argwhere(m.synapse_numbers()):
        mean, mu = float(means[post, pre]), 1e3 * (m.DELAY_INH if pre % 2 else m.DELAY_EXC)
        low, high = (0.0, np.inf) if mean > 0 else (-np.inf, 0.0)
        weights = nest.random.normal(mean, m.SPREAD * abs(mean))
        delays = nest.random.normal(mu, m.DELAY_SPREAD * mu)
        nest.Connect(
            groups[pre],
            groups[post],
            {"rule": "fixed_total_number", "N": int(numbers[post, pre])},
            {
                "synapse_model": f"from {m.NAMES[pre]}",
                "weight": nest.math.redraw(weights, min=low, max=high),
                "delay": nest.math.redraw(delays, min=1e3 * STEP / 2, max=np.inf),
            },
        )


PARTS = {
    "microcircuit": _microcircuit,
    "plasticity": _plasticity,
    "cuba": _vogels,
    "coba": _vogels,
}
