"""The small circuit whose gradients are checked, and registries of what it may have."""

import numpy as np

import biosnn as bs

DT = 1e-3
TABLES = {
    "lif": bs.lif,
    "ei_lif": bs.ei_lif,
    "adaptive_lif": bs.adaptive_lif,
    "ei_adaptive_lif": bs.ei_adaptive_lif,
    "ampa_nmda_gaba": bs.ampa_nmda_gaba,
}
CONDUCTANCES = {
    "conductance_lif": bs.conductance_lif,
    "alpha_conductance_lif": bs.alpha_conductance_lif,
}  # exponential Euler only
FREE = ("lif", "adaptive_lif")  # their receptors take weights of either sign
OWN_LOOP = [
    bs.SuperSpike(5),
    bs.Sigmoid(5),
    bs.Triangular(0.7),
    bs.TruncatedSuperSpike(3, 1.5),
]  # with every table and reset
SURROGATES = OWN_LOOP + [
    bs.Gaussian(1.5),
    bs.Arctan(3),
    bs.MultiGaussian(1.5),
    bs.AsymptoticSuperSpike(3),
    bs.ExponentialSurrogate(3),
]
LOSSES = [
    bs.MaxOverTimeCrossEntropy(),
    bs.SumOverTimeCrossEntropy(),
    bs.MeanOverTimeCrossEntropy(),
    bs.LastStepCrossEntropy(),
    bs.EveryStepCrossEntropy(),
    bs.MeanSquaredError(),
    bs.FocalLoss(2.0),
    bs.FocalLoss(0.5, bs.LastStepCrossEntropy()),
    bs.PatternRegression({0: [0.5, 0, -1], 1: [0, 1, 0], 2: [0.2, 0.1, 2.0]}),
]
SPIKE_LOSSES = [
    bs.TimeToFirstSpike(5.0),
    bs.VanRossumDistance(4e-3, DT),
    bs.SumOverTimeCrossEntropy(),
    bs.MeanSquaredError(),
]
REGULARIZERS = [
    bs.upper_bound(0.3, 0.5),
    bs.upper_bound(0.3, 0.5, power=1, per="neuron"),
    bs.lower_bound(0.3, 100.0, per="neuron"),
    bs.lower_bound(0.2, 100.0, power=1),
]


def spikes(n_units=6, n_trials=3, duration=0.03, seed=3):
    return bs.data.poisson(
        80.0, n_units, duration, n_trials, seed=seed, labels=np.arange(n_trials) % 3
    )


def circuit(
    table="ei_lif",
    integrator="exact",
    reset=0.0,
    refractory=0.0,
    surrogate=bs.SuperSpike(5),
    delays=(0, 1, 3),
    learn=None,
    per_neuron=False,
    seed=1,
    bounds=None,
    **options,
):
    """Two populations with feedback and a skip connection, and a readout. per_neuron: every time
    constant and jump.
    """
    rng, net = np.random.default_rng(seed), bs.Network(DT, np.float64)
    x = net.input(6)

    def neuron(n):
        given = {"tau_mem": 12e-3, **({"jump": 0.3} if "adaptive" in table else {}), **options}
        given |= (
            {"reversal_exc": 4.0, "reversal_inh": -1.0}
            if table in CONDUCTANCES
            else {"integrator": integrator}
        )
        make = CONDUCTANCES.get(table) or TABLES[table]
        made = make(threshold=0.8, reset=reset, refractory=refractory, **given)
        if per_neuron:
            given |= {
                f"tau_{tau}": bs.log_normal_time_constants(value, 0.3, n, seed=rng)
                for tau, value in made.time_constants.items()
            }
            given |= {"jump": rng.uniform(0.1, 0.6, n)} if "adaptive" in table else {}
            made = make(threshold=0.8, reset=reset, refractory=refractory, **given)
        return bs.bounded(made, *bounds) if bounds else made

    signs = ("unsigned", "unsigned") if table in FREE else ("excitatory", "inhibitory")
    smaller = 8 if table in CONDUCTANCES else 1
    a = net.population(
        5, neuron(5), signs[0], name="A", surrogate=surrogate, initial=0.1, learn=learn
    )
    b = net.population(4, neuron(4), signs[1], name="B", surrogate=surrogate, learn=learn)
    out = net.readout(
        3, tau_mem=20e-3, tau_syn=5e-3, name="out", initial=-0.1, integrator=integrator
    )
    pairs = [(x, a), (x, b), (a, a), (a, b), (b, a), (b, b), (a, out), (x, out)]
    for k, (pre, post) in enumerate(pairs):
        scale = 6.0 if pre is x else 3.0
        weights = (
            rng.normal(0, scale, (pre.n, post.n))
            if table in FREE or post is out
            else rng.exponential(scale / smaller, (pre.n, post.n))
        )
        net.connect(pre, post, delay=delays[k % len(delays)] * DT, weights=weights)
    return net


def loss_of(loss=bs.MaxOverTimeCrossEntropy(), terms=(), penalty=None, net=None, mask=None):
    def value(trace):
        readout = trace.states["out.U"]
        target = (
            trace.labels
            if loss.classifies
            else np.sin(np.arange(readout.size)).reshape(readout.shape)
        )
        total, grad = loss.value_and_gradient(readout, target, mask)
        counts = {p.name: np.zeros(trace.counts[p.name].shape) for p in trace.network.spiking}
        direct = {}
        for term in terms:
            for name in counts:
                part, slope = term.value_and_gradient(trace.counts[name])
                total, counts[name] = total + part, counts[name] + slope
        if penalty is not None:
            for p in trace.network.projections:
                part, direct[p.name] = penalty.value_and_gradient(trace.network.weights[p.name])
                total += part
        return total, {"out.U": grad}, counts, direct

    return value
