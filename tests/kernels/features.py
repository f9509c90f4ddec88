"""A small circuit for gradient checks of one feature each, and registries of what there is.

All tables are in units of the distance from rest to threshold, where surrogates are steep enough.
"""

from dataclasses import replace

import numpy as np

import biosnn as bs
from biosnn.network.neuron import NonlinearDrive
from tests import gradcheck
from tests.kernels.circuit import DT

STEPS, TRIALS = 30, 3
UNITS = {"threshold": 1.0, "reset": 0.0, "refractory": 0.0}
UPSTROKE = {"tau_mem": 20e-3, "slope": 0.3, "onset": 0.9, "peak": 1.5, "reset": 0.0}


def izhikevich(refractory=0.0, reset=0.0):
    """Its quadratic upstroke and its recovery, in our units and slower than the published one."""
    return replace(
        bs.izhikevich(peak=1.0, refractory=refractory),
        nonlinear_drive=NonlinearDrive(square=0.3, constant=0.1),
        gains={("U", "I_exc"): 1.0, ("U", "I_inh"): -1.0}
        | {("U", "w_adapt"): -1.0, ("w_adapt", "U"): 0.2},
        reset=reset,
        spike_jumps={"w_adapt": 0.1},
        time_constants={"mem": 20e-3, "exc": 5e-3, "inh": 10e-3, "adapt": 50e-3},
    )


def mixed(**options):
    """Currents, and a receptor that moves U itself."""
    neuron = bs.ei_lif(**options)
    return replace(neuron, receptors=neuron.receptors | {"delta": bs.Receptor("U", 0.7, 0)})


#: Name of the factory -> (makes the table from refractory and reset, mean weight, receptors of
#: inputs, what can be learned).
NEURONS = {
    "lif": (bs.lif, 2.0, ("exc",), ("mem", "syn", "threshold")),
    "ei_lif": (bs.ei_lif, 2.0, ("exc", "inh"), ("mem", "exc", "inh", "threshold")),
    "lif_delta": (bs.lif_delta, 0.4, ("exc",), ("mem", "threshold")),
    "mixed": (mixed, 1.0, ("exc", "delta"), ("mem", "exc", "threshold")),
    "adaptive_lif": (bs.adaptive_lif, 2.0, ("exc",), ("mem", "adapt", "jump")),
    "ei_adaptive_lif": (bs.ei_adaptive_lif, 2.0, ("exc", "inh"), ("exc", "adapt", "jump")),
    "ampa_nmda_gaba": (bs.ampa_nmda_gaba, 12.0, ("exc", "inh"), ("mem", "ampa", "nmda")),
    "conductance_lif": (
        lambda **o: bs.conductance_lif(
            **{"threshold": 1.0, "reversal_exc": 6.0, "reversal_inh": -2.0} | o
        ),
        0.3,
        ("exc", "inh"),
        ("mem", "exc", "inh", "threshold"),
    ),
    "alpha_conductance_lif": (
        lambda **o: bs.alpha_conductance_lif(
            **{"threshold": 1.0, "reversal_exc": 6.0, "reversal_inh": -2.0} | o
        ),
        0.2,
        ("exc", "inh"),
        ("mem", "exc", "inh"),
    ),
    "nmda_lif": (
        lambda **o: bs.nmda_lif(
            **{"threshold": 1.0, "unit": 20e-3, "reversal_exc": 3.5, "reversal_inh": -0.3} | o
        ),
        0.3,
        ("exc", "nmda", "inh"),
        ("mem", "ampa", "nmda", "gaba", "threshold"),
    ),
    "exponential_lif": (
        lambda **o: bs.exponential_lif(**UPSTROKE | o),
        3.0,
        ("exc", "inh"),
        ("mem", "exc", "threshold"),
    ),
    "adex": (
        lambda **o: bs.adex(**UPSTROKE | {"a": 0.1, "b": 0.1} | o),
        3.0,
        ("exc", "inh"),
        ("mem", "adapt", "jump", "threshold"),
    ),
    "izhikevich": (izhikevich, 3.0, ("exc", "inh"), ("mem", "adapt", "jump")),
}
PLASTICITY = {
    "depression": bs.TsodyksMarkram(0.4, 0.05),
    "facilitation": bs.TsodyksMarkram(0.2, 0.03, 0.05),
    "gating": bs.SaturatingGating(300.0, 2e-3, 0.1),
}
SURROGATES = {"full": bs.SuperSpike(5), "near": bs.TruncatedSuperSpike(3, 0.4)}
RULES = {
    "dense": None,
    "sparse": bs.Bernoulli(0.7),
    "one to one": bs.OneToOne(),
    "pairs twice": bs.Pairs([0, 0, 1, 2, 4, 4], [1, 1, 0, 3, 2, 4]),
}


def own_delays(rng, size):
    """From no step to four."""
    return rng.integers(0, 5, size) * DT


def table(name, **options):
    """A neuron of the registry, with other values."""
    return NEURONS[name][0](**({"refractory": 0.0} | options))


def spikes(n=5, steps=STEPS, seed=1, rate=200.0):
    return bs.data.poisson(rate, n, steps * DT, TRIALS, seed=seed, labels=np.arange(TRIALS) % 3)


def network(
    neuron,
    scale,
    receptors=("exc",),
    *,
    sign="unsigned",
    surrogate=SURROGATES["full"],
    plasticity=(None, None),
    rule=None,
    delays=(0.0, 2e-3),
    recurrent=None,
    **population,
):
    """Five inputs, five neurons with feedback, and a readout.

    plasticity, delays: of what comes from inputs, and of feedback; rule: of both.
    """
    rng, net = np.random.default_rng(3), bs.Network(DT, np.float64)
    x = net.input(5)
    a = net.population(5, neuron, sign, name="A", surrogate=surrogate, initial=0.1, **population)
    out = net.readout(3, tau_mem=20e-3, tau_syn=5e-3, name="out")
    shared = {"synapses": rule, "seed": 1} if rule is not None else {}

    def weights(size):
        return lambda _, n: rng.exponential(size, n)

    def connect(pre, receptor, size, k, name):
        given = weights(size) if rule is not None else rng.exponential(size, (5, 5))
        options = {"delay": delays[k], "plasticity": plasticity[k], "name": name} | shared
        net.connect(pre, a, weights=given, receptor=receptor, **options)

    for k, receptor in enumerate(receptors):
        connect(x, receptor, scale / (1 + k), 0, f"input {receptor}")
    connect(a, recurrent or receptors[0], scale / 3, 1, "feedback")
    net.connect(a, out, delay=DT, weights=rng.normal(0, 1, (5, 3)), name="out")
    return net


def of_neuron(name, *, options=None, **more):
    """The circuit of a table of the registry; options: of the table."""
    _, scale, receptors, _ = NEURONS[name]
    return network(table(name, **(options or {})), scale, receptors, **more)


def loss(trace):
    """Of the readout, of U and of spike counts, each neuron and step with a weight of its own."""
    rng = np.random.default_rng(5)
    values = {name: trace.states[name] for name in ("out.U", "A.U")}
    total, slopes = 0.0, {}
    for name, value in values.items():
        slopes[name] = rng.normal(size=value.shape) * 0.3 + value
        total += np.sum(value * (slopes[name] - value / 2))
    counts = {p.name: np.zeros(trace.counts[p.name].shape) for p in trace.network.spiking}
    counts["A"] = rng.normal(size=counts["A"].shape)
    return total + np.sum(counts["A"] * trace.counts["A"]), slopes, counts, {}


def error(net, trains=None, **more):
    """The largest error of the adjoint in the smooth twin, of a circuit that spikes.

    more: as for `run`.
    """
    trains = spikes() if trains is None else trains
    assert bs.run(net, trains, threads=1, **more).counts["A"].sum() > 3
    return gradcheck.relative_error(net, trains, loss, **more)
