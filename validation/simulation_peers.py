"""The circuits of `models/` in biosnn, Brian2 (C++, stand-alone) and NEST, written as a user of each would write them.

Each runs in a process of its own (`python -m validation.speed simulate-one …`). All record all spikes. Equations, sizes, weights and
delays are the same; random numbers differ, and so rates agree only as statistics. biosnn computes in single precision by default,
the others in double. CUBA and COBA have a delay of one step here, because NEST knows none below. NEST's iaf_cond_exp solves COBA with
an adaptive Runge-Kutta method, the others by exponential Euler. Brian2's build contains its compiler, and the synapses, which its
program makes as it starts.
"""
import shutil
import tempfile
import time
from importlib.util import find_spec

import numpy as np

import biosnn as bs
from models import brunel_2000 as brunel
from models import potjans_diesmann_2014 as microcircuit
from models import vogels_2011 as plastic
from models import vogels_abbott_2005 as vogels

STATES = {"brunel": (5.0, 2.0), "brunel-regular": (3.0, 2.0), "brunel-fast": (6.0, 4.0), "brunel-slow": (4.5, 0.9)}     # g, eta
IMPLEMENTATIONS = ("biosnn", "Brian2", "NEST")
STEP = 0.1e-3
BRIAN2_MOST = 0.3      # scale of the microcircuit above which Brian2 needs more than 10 GB


def absent(implementation, model, scale):
    """Why an implementation is left out, or None."""
    package = {"biosnn": "biosnn", "Brian2": "brian2", "NEST": "nest"}[implementation]
    if find_spec(package) is None:
        return f"{package} is not installed"
    if implementation == "Brian2" and shutil.which("g++") is None:
        return "its stand-alone programs need g++"
    if implementation == "Brian2" and model == "microcircuit" and scale > BRIAN2_MOST:
        return f"the microcircuit above scale {BRIAN2_MOST:g} takes too much memory"
    return None


def run(model, implementation, threads, seconds, scale, seed=1):
    """One row: seconds to build and to run, and the mean rate of all neurons in Hz."""
    part = {"biosnn": run_biosnn, "Brian2": run_brian2, "NEST": run_nest}[implementation]
    build_s, run_s, rate = part(model, threads, seconds, scale, seed)
    return {"model": model, "implementation": implementation, "threads": threads, "scale": scale, "build_s": build_s, "run_s": run_s,
            "simulated_s": seconds, "rate_hz": rate}


# ---------------------------------------------------------------------------------------------- biosnn

def run_biosnn(model, threads, seconds, scale, seed):
    begin, initial, background = time.perf_counter(), None, []
    if model in STATES:
        g, eta = STATES[model]
        net = brunel.build(g, scale, seed)
        background = [bs.PoissonInput(name, brunel.external_rate(eta), brunel.J) for name in "EI"]
    elif model == "microcircuit":
        (net, background), initial = microcircuit.build(scale, seed), microcircuit.initial_state()
    elif model == "plasticity":
        net, background, initial = plastic.build(scale, seed, plastic.TARGET), plastic.current(), plastic.initial_state()
    else:
        net, initial = vogels.build(model.upper(), seed, STEP), vogels.initial_state(model.upper())
        background = vogels.wake_up(model.upper())
    options = {"background": background, "initial": initial, "seed": seed, "threads": threads, "progress": False}
    bs.simulate(net, 2 * net.dt, **options)      # loads compiled code
    built = time.perf_counter()
    done = bs.simulate(net, seconds, **options)
    run_s = time.perf_counter() - built
    return built - begin, run_s, sum(done.counts.values()) / (sum(p.n for p in net.spiking) * done.duration)


# ---------------------------------------------------------------------------------------------- Brian2

def run_brian2(model, threads, seconds, scale, seed):
    import brian2 as b2
    begin, folder = time.perf_counter(), tempfile.mkdtemp()
    try:
        b2.set_device("cpp_standalone", build_on_run=False)
        b2.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
        b2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]      # its default starts all compilers at once
        b2.defaultclock.dt = STEP * b2.second
        b2.seed(seed)
        other = {"microcircuit": _brian2_microcircuit, "plasticity": _brian2_plasticity}
        parts = (dict.fromkeys(STATES, _brian2_brunel) | other).get(model, _brian2_vogels)(b2, model, scale, seed)
        groups = [part for part in parts if isinstance(part, b2.NeuronGroup)]
        monitors = [b2.SpikeMonitor(group) for group in groups]
        b2.Network(*parts, *monitors).run(seconds * b2.second)
        b2.device.build(directory=folder, compile=True, run=True, with_output=False)
        run_s = b2.device._last_run_time
        spikes = sum(monitor.num_spikes for monitor in monitors)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return time.perf_counter() - begin - run_s, run_s, float(spikes) / (sum(group.N for group in groups) * seconds)


def _brian2_brunel(b2, model, scale, seed):
    g, eta = STATES[model]
    n_exc, n_inh, c_exc, c_inh = (round(n * scale) for n in (brunel.N_EXC, brunel.N_INH, brunel.C_EXC, brunel.C_INH))
    space = {"tau": brunel.TAU * b2.second, "theta": brunel.THETA * b2.volt, "reset": brunel.RESET * b2.volt}
    cells = b2.NeuronGroup(n_exc + n_inh, "dv/dt = -v / tau : volt (unless refractory)", threshold="v > theta", reset="v = reset",
                           refractory=brunel.REFRACTORY * b2.second, method="exact", namespace=space)
    synapses = []
    for pre, n, c, weight in ((cells[:n_exc], n_exc, c_exc, brunel.J), (cells[n_exc:], n_inh, c_inh, -g * brunel.J)):
        each = b2.Synapses(pre, cells, on_pre="v += w", delay=brunel.DELAY * b2.second, namespace={"w": weight * b2.volt})
        each.connect(i=f"k for k in sample({n}, size={c})")       # a fixed number of sources for every target
        synapses.append(each)
    external = b2.PoissonInput(cells, "v", brunel.C_EXC, brunel.external_rate(eta) / brunel.C_EXC * b2.Hz, brunel.J * b2.volt)
    return [cells, *synapses, external]


def _brian2_vogels(b2, model, scale, seed):
    cuba = model == "cuba"
    rest, (w_exc, w_inh) = vogels.REST_CUBA if cuba else vogels.REST_COBA, vogels.weights(model.upper())
    space = {"tau": vogels.TAU * b2.second, "tau_e": vogels.TAU_EXC * b2.second, "tau_i": vogels.TAU_INH * b2.second,
             "theta": vogels.THRESHOLD * b2.volt, "reset": vogels.RESET * b2.volt, "rest": rest * b2.volt, "e_e": vogels.E_EXC * b2.volt,
             "e_i": vogels.E_INH * b2.volt, "w_e": w_exc * (b2.volt if cuba else 1), "w_i": w_inh * (b2.volt if cuba else 1)}
    drive, unit = ("ge - gi", "volt") if cuba else ("ge * (e_e - v) + gi * (e_i - v)", "1")
    cells = b2.NeuronGroup(vogels.N_EXC + vogels.N_INH, f"""dv/dt = (rest - v + {drive}) / tau : volt (unless refractory)
                           dge/dt = -ge / tau_e : {unit}
                           dgi/dt = -gi / tau_i : {unit}""", threshold="v > theta", reset="v = reset", namespace=space,
                           refractory=vogels.REFRACTORY * b2.second, method="exact" if cuba else "exponential_euler")
    cells.v = "reset + rand() * (theta - reset)"
    synapses = []
    for pre, state in ((cells[:vogels.N_EXC], "e"), (cells[vogels.N_EXC:], "i")):
        each = b2.Synapses(pre, cells, on_pre=f"g{state} += w_{state}", delay=STEP * b2.second, namespace=space)
        each.connect(p=vogels.P)
        synapses.append(each)
    if not cuba:
        synapses.append(b2.PoissonInput(cells, "ge", 100, vogels.WAKE_HZ / 100 * b2.Hz, f"{w_exc} * int(t < {vogels.WAKE_S} * second)"))
    return [cells, *synapses]


def _brian2_plasticity(b2, model, scale, seed):
    p, grow, n_exc, n_inh = plastic, 1 / scale / plastic.LEAK, round(8000 * scale), round(2000 * scale)      # conductances in units of the leak
    space = {"tau": p.TAU * b2.second, "grow": grow, "eta": p.ETA * grow, "alpha": 2 * p.TARGET * p.TAU, "most": p.W_MAX * grow}
    cells = b2.NeuronGroup(n_exc + n_inh, """dv/dt = (20*mV - v + ge*(60*mV - v) - gi*(v + 20*mV)) / (20*ms) : volt (unless refractory)
                           dge/dt = -ge / (5*ms) : 1
                           dgi/dt = -gi / (10*ms) : 1""", threshold="v > 10*mV", reset="v = 0*mV", refractory=5 * b2.ms,
                           method="exponential_euler")
    cells.v = "rand() * 10*mV"
    exc, inh = cells[:n_exc], cells[n_exc:]
    synapses = [b2.Synapses(exc, cells, on_pre=f"ge += {p.W_EXC}*grow", namespace=space),
                b2.Synapses(inh, inh, on_pre=f"gi += {p.W_II}*grow", namespace=space),
                b2.Synapses(inh, exc, """w : 1
                            dbefore/dt = -before / tau : 1 (event-driven)
                            dafter/dt = -after / tau : 1 (event-driven)""",
                            on_pre="before += 1; w = clip(w + eta*(after - alpha), 0, most); gi += w",
                            on_post="after += 1; w = clip(w + eta*before, 0, most)", namespace=space)]
    for each in synapses:
        each.connect(p=p.P)
    return [cells, *synapses]


def _brian2_microcircuit(b2, model, scale, seed):
    m, rng = microcircuit, np.random.default_rng(seed)
    sizes, numbers, means = np.rint(m.NEURONS * scale).astype(int), np.rint(m.synapse_numbers() * scale ** 2).astype(int), m.weights()
    first = np.concatenate([[0], np.cumsum(sizes)])
    space = {"tau": m.TAU * b2.second, "tau_s": m.TAU_SYN * b2.second, "theta": m.THRESHOLD * b2.volt}
    cells = b2.NeuronGroup(first[-1], """dv/dt = (-v + cur + dc) / tau : volt (unless refractory)
                           dcur/dt = -cur / tau_s : volt
                           dc : volt (constant)""", threshold="v > theta", reset="v = 0 * volt", refractory=m.REFRACTORY * b2.second,
                           method="exact", namespace=space)
    cells.v = np.concatenate([rng.normal(mu, sd, n) for mu, sd, n in zip(m.INITIAL_MEAN, m.INITIAL_SD, sizes)]) * b2.volt
    background = m.background(scale)
    cells.dc = np.repeat([s.values for s in background[8:]] or [0.0] * 8, sizes) * b2.volt
    parts = [cells]
    for k, source in enumerate(background[:8]):
        parts.append(b2.PoissonInput(cells[first[k]:first[k + 1]], "cur", round(m.EXTERNAL[k] * scale),
                                     float(source.rate) / round(m.EXTERNAL[k] * scale) * b2.Hz, source.weight * b2.volt))
    for pre in range(8):      # one object for the synapses of a population
        total = numbers[:, pre]
        post = np.concatenate([rng.integers(first[k], first[k + 1], n) for k, n in enumerate(total)])
        mean = np.repeat(means[:, pre] / np.sqrt(scale), total)
        mu = m.DELAY_INH if pre % 2 else m.DELAY_EXC
        each = b2.Synapses(cells, cells, "w : volt (constant)", on_pre="cur += w")
        each.connect(i=rng.integers(first[pre], first[pre + 1], total.sum()), j=post)
        each.w = mean * (1 + m.SPREAD * rng.standard_normal(post.size)) * b2.volt
        each.delay = bs.Normal(mu, m.DELAY_SPREAD * mu, low=m.DT).draw(rng, post.size) * b2.second
        parts.append(each)
    return parts


# ---------------------------------------------------------------------------------------------- NEST

def run_nest(model, threads, seconds, scale, seed):
    import nest
    begin = time.perf_counter()
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.resolution, nest.local_num_threads, nest.rng_seed = 1e3 * STEP, threads, seed
    other = {"microcircuit": _nest_microcircuit, "plasticity": _nest_plasticity}
    groups = (dict.fromkeys(STATES, _nest_brunel) | other).get(model, _nest_vogels)(nest, model, scale, seed)
    recorder = nest.Create("spike_recorder")
    for group in groups:
        nest.Connect(group, recorder)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(1e3 * seconds)
    run_s = time.perf_counter() - built
    nest.Cleanup()
    return built - begin, run_s, recorder.n_events / (sum(len(group) for group in groups) * seconds)


def _nest_brunel(nest, model, scale, seed):
    g, eta = STATES[model]
    n_exc, n_inh, c_exc, c_inh = (round(n * scale) for n in (brunel.N_EXC, brunel.N_INH, brunel.C_EXC, brunel.C_INH))
    parameters = {"C_m": 1.0, "tau_m": 1e3 * brunel.TAU, "t_ref": 1e3 * brunel.REFRACTORY, "E_L": 0.0, "V_reset": 1e3 * brunel.RESET,
                  "V_th": 1e3 * brunel.THETA, "V_m": 0.0}
    e, i = (nest.Create("iaf_psc_delta", n, parameters) for n in (n_exc, n_inh))
    delay, weight = 1e3 * brunel.DELAY, 1e3 * brunel.J
    nest.Connect(nest.Create("poisson_generator", params={"rate": brunel.external_rate(eta)}), e + i, syn_spec={"weight": weight, "delay": delay})
    for pre, c, w in ((e, c_exc, weight), (i, c_inh, -g * weight)):
        nest.Connect(pre, e + i, {"rule": "fixed_indegree", "indegree": c, "allow_multapses": False, "allow_autapses": False},
                     {"weight": w, "delay": delay})
    return [e, i]


def _nest_vogels(nest, model, scale, seed):
    cuba, n, rng = model == "cuba", vogels.N_EXC + vogels.N_INH, np.random.default_rng(seed)
    capacitance, parameters = 200.0, {"t_ref": 1e3 * vogels.REFRACTORY, "tau_syn_ex": 1e3 * vogels.TAU_EXC,
                                      "tau_syn_in": 1e3 * vogels.TAU_INH, "V_th": 1e3 * vogels.THRESHOLD, "V_reset": 1e3 * vogels.RESET,
                                      "C_m": 200.0, "E_L": 1e3 * (vogels.REST_CUBA if cuba else vogels.REST_COBA)}
    unit = 1e3 * capacitance / (1e3 * vogels.TAU) if cuba else capacitance / (1e3 * vogels.TAU)      # pA per volt, or nS
    if cuba:
        cells = nest.Create("iaf_psc_exp", n, parameters | {"tau_m": 1e3 * vogels.TAU})
    else:
        cells = nest.Create("iaf_cond_exp", n, parameters | {"g_L": unit, "E_ex": 1e3 * vogels.E_EXC, "E_in": 1e3 * vogels.E_INH})
        nest.Connect(nest.Create("poisson_generator", params={"rate": vogels.WAKE_HZ, "stop": 1e3 * vogels.WAKE_S}), cells,
                     syn_spec={"weight": unit * vogels.W_EXC_COBA, "delay": 1e3 * STEP})
    cells.V_m = rng.uniform(1e3 * vogels.RESET, 1e3 * vogels.THRESHOLD, n)
    for pre, weight, sign in zip((cells[:vogels.N_EXC], cells[vogels.N_EXC:]), vogels.weights(model.upper()), (1, -1)):
        nest.Connect(pre, cells, {"rule": "pairwise_bernoulli", "p": vogels.P, "allow_autapses": False},
                     {"weight": sign * unit * weight, "delay": 1e3 * STEP})
    return [cells]


def _nest_plasticity(nest, model, scale, seed):
    p, grow, n_exc, rng = plastic, 1 / scale, round(8000 * scale), np.random.default_rng(seed)
    cells = nest.Create("iaf_cond_exp", round(10000 * scale),
                        {"C_m": 200.0, "g_L": p.LEAK, "E_L": -60.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0, "E_ex": 0.0, "E_in": -80.0,
                         "tau_syn_ex": 5.0, "tau_syn_in": 10.0, "I_e": 1e3 * p.DRIVE * p.LEAK, "tau_minus": 1e3 * p.TAU})
    cells.V_m = rng.uniform(-60, -50, len(cells))
    exc, inh, rule = cells[:n_exc], cells[n_exc:], {"rule": "pairwise_bernoulli", "p": p.P, "allow_autapses": False}
    fixed, delay = {"synapse_model": "static_synapse"}, {"delay": 1e3 * STEP}
    nest.Connect(exc, cells, rule, fixed | delay | {"weight": p.W_EXC * grow})
    nest.Connect(inh, inh, rule, fixed | delay | {"weight": -p.W_II * grow})
    nest.Connect(inh, exc, rule, delay | {"synapse_model": "vogels_sprekeler_synapse", "weight": -1e-10 * grow, "Wmax": -p.W_MAX * grow,
                                          "eta": p.ETA * grow, "alpha": 2 * p.TARGET * p.TAU, "tau": 1e3 * p.TAU})
    return [cells]


def _nest_microcircuit(nest, model, scale, seed):
    m, rng = microcircuit, np.random.default_rng(seed)
    unit = 1e12 * m.CAPACITANCE / m.TAU                                   # pA per volt
    parameters = {"C_m": 1e12 * m.CAPACITANCE, "tau_m": 1e3 * m.TAU, "tau_syn_ex": 1e3 * m.TAU_SYN, "tau_syn_in": 1e3 * m.TAU_SYN,
                  "t_ref": 1e3 * m.REFRACTORY, "E_L": 0.0, "V_th": 1e3 * m.THRESHOLD, "V_reset": 1e3 * m.RESET}
    groups, background = [nest.Create("iaf_psc_exp", round(n * scale), parameters) for n in m.NEURONS], m.background(scale)
    for k, group in enumerate(groups):
        group.V_m = 1e3 * rng.normal(m.INITIAL_MEAN[k], m.INITIAL_SD[k], len(group))
        group.I_e = unit * background[8 + k].values if scale < 1 else 0.0
        nest.Connect(nest.Create("poisson_generator", params={"rate": float(background[k].rate)}), group,
                     syn_spec={"weight": unit * background[k].weight, "delay": 1e3 * m.DELAY_EXC})
    numbers, means = m.synapse_numbers(), m.weights() * unit / np.sqrt(scale)
    for name in m.NAMES:      # a synapse model may have 134 million synapses in a thread
        nest.CopyModel("static_synapse", f"from {name}")
    for post, pre in np.argwhere(numbers):
        mean, mu = float(means[post, pre]), 1e3 * (m.DELAY_INH if pre % 2 else m.DELAY_EXC)
        limits = {"min": 0.0} if mean > 0 else {"max": 0.0}
        nest.Connect(groups[pre], groups[post], {"rule": "fixed_total_number", "N": round(numbers[post, pre] * scale ** 2)},
                     {"synapse_model": f"from {m.NAMES[pre]}",
                      "weight": nest.math.redraw(nest.random.normal(mean, m.SPREAD * abs(mean)), **{"min": -np.inf, "max": np.inf} | limits),
                      "delay": nest.math.redraw(nest.random.normal(mu, m.DELAY_SPREAD * mu), min=1e3 * STEP / 2, max=np.inf)})
    return groups
