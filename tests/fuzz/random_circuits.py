"""Random circuits: every table, kind of projection, delay, pooling, plasticity and noise, many of
them empty or as small as can be. All choices follow from a seed.
"""

import numpy as np

DT = 1e-3
SIZES = [1, 2, 3, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129]
TABLES = [
    "lif",
    "lif_delta",
    "ei_lif",
    "adaptive_lif",
    "ei_adaptive_lif",
    "ampa_nmda_gaba",
    "conductance_lif",
    "alpha_conductance_lif",
    "adex",
    "izhikevich",
]
PER_NEURON = {
    "tau_mem": (10e-3, 30e-3),
    "tau_syn": (4e-3, 8e-3),
    "tau_exc": (4e-3, 8e-3),
    "tau_inh": (9e-3, 9.9e-3),
    "tau_adapt": (50e-3, 150e-3),
}
TRAINED = [
    "lif",
    "ei_lif",
    "adaptive_lif",
    "ei_adaptive_lif",
    "ampa_nmda_gaba",
]  # with time constants that can be learned


# ----------------------------------------------------------------------------------------- networks


class Random:
    """Choices of one case, all from its seed."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def one(self, options):
        return options[self.rng.integers(len(options))]

    def chance(self, p=0.5):
        return bool(self.rng.random() < p)

    def size(self):
        return int(self.one(SIZES))


def neuron(choose, name, n):
    import inspect

    import biosnn as bs

    table, options = getattr(bs, name), {}
    known = inspect.signature(table).parameters
    for key, (low, high) in PER_NEURON.items():
        if key in known and choose.chance(0.4):
            options[key] = choose.rng.uniform(low, high, n if choose.chance() else None)
    if "integrator" in known:
        options["integrator"] = choose.one(["exact", "exponential_euler", "euler"])
    if "refractory" in known and choose.chance():
        options["refractory"] = choose.one([0, 1, 2, 7]) * DT
    if "jump_delay" in known and choose.chance():
        options["jump_delay"] = choose.one([0, 1, 3]) * DT
    if "reset" in known and name in TRAINED and choose.chance(0.3):
        options["reset"] = "subtract"
    made = table(**options)
    return bs.bounded(made, low=-0.5, high=1.5) if name in TRAINED and choose.chance(0.2) else made


def population(choose, net, k, trials):
    """A population, or feature maps with units that pool them."""
    import biosnn as bs

    name, n = choose.one(list(TABLES)), choose.size()
    noise = (
        choose.one([bs.SigmoidEscape(10), bs.ExponentialEscape(10, 50)])
        if choose.chance(0.2)
        else None
    )
    surrogate = choose.one([bs.SuperSpike(), bs.TruncatedSuperSpike(20, 0.3), bs.Triangular(1.0)])
    learn = (
        {choose.one(["mem"]): choose.one(["neuron", "population"])}
        if trials and name in TRAINED and choose.chance(0.2)
        else None
    )
    bias = choose.rng.uniform(0, 0.3, n) if name in TRAINED and choose.chance(0.2) else None
    return net.population(
        n,
        neuron(choose, name, n),
        choose.one(["excitatory", "inhibitory", "unsigned"]),
        name=f"P{k}",
        surrogate=surrogate,
        learn=learn,
        noise=noise,
        bias=bias,
    )


def rule(choose, pre, post):
    """Which synapses, or None for all; some rules make none."""
    import biosnn as bs

    n, m = pre.n, post.n
    rules = [
        bs.Bernoulli(choose.one([0.0, 0.05, 0.5, 1.0])),
        bs.FixedInDegree(min(n, choose.one([1, 3, 20]))),
        bs.FixedOutDegree(min(m, choose.one([1, 3, 20]))),
        bs.FixedTotal(choose.one([0, 1, 50])),
        bs.Pairs(np.empty(0, int), np.empty(0, int)),
        bs.Pairs([0, n - 1, n - 1], [m - 1, 0, m - 1]),
    ]
    if n == m:
        rules.append(bs.OneToOne())
    if m % n == 0:
        rules.append(bs.FanOut())
    return None if choose.chance(0.3) else choose.one(rules)


def connect(choose, net, pre, post, trials):
    import biosnn as bs

    synapses, scale, options = rule(choose, pre, post), choose.one([0.2, 1.0]), {}
    delay = choose.one([0, 0, 1, 3, 40]) * DT
    if synapses is None:
        weights = choose.rng.exponential(scale, (pre.n, post.n))
    else:
        weights = choose.one([scale, bs.Uniform(0, 2 * scale), bs.Exponential(scale)])
        if choose.chance(0.4):
            delay = bs.Uniform(0.0, choose.one([1, 10, 300]) * DT)
        kind = (
            bs.InhibitorySTDP(1e-3, 5.0)
            if pre.sign == "inhibitory" and not trials
            else bs.TsodyksMarkram(0.5, 0.1, choose.one([0.0, 0.2]))
        )
        if choose.chance(0.3):
            options["plasticity"] = kind
    receptors = list(net[post.name].neuron.receptors)
    if pre.sign == "unsigned" or choose.chance(0.2):
        options["receptor"] = choose.one(receptors)
    if trials:
        options |= {"frozen": choose.chance(0.1), "gradient_to_source": choose.chance(0.9)}
    net.connect(
        pre,
        post,
        delay=delay,
        weights=weights,
        synapses=synapses,
        seed=int(choose.rng.integers(1 << 30)),
        **options,
    )


def maps(choose, net, source, tag):
    """Feature maps behind a source, with a pool behind them."""
    import biosnn as bs

    shape = choose.one([(1, source.n), (source.n, 1)])
    made = bs.Convolution(shape, choose.one([1, 3]), choose.one([1, 3]), stride=1, padding="same")
    maps = made.output_shape
    post = net.population(int(np.prod(maps)), bs.lif(), "unsigned", name=f"C{tag}")
    made = net.connect(source, post, delay=choose.one([0, 2]) * DT, synapses=made)
    net.set_weights(made, np.abs(choose.rng.normal(0.3, 0.3, net.weight_shape(made))))
    return [
        post,
        net.pool(
            post, bs.MaxPool(maps, choose.one([1, 2]) if maps[1] > 1 else 1), name=f"pool{tag}"
        ),
    ]


def network(choose, trials):
    """trials: "run" or "train"; None: for simulate."""
    import biosnn as bs

    net = bs.Network(DT)
    sources = [
        net.input(choose.size(), name=f"in{k}", sign=choose.one(["excitatory", "unsigned"]))
        for k in range(choose.one([1, 1, 2] if trials else [0, 1, 2]))
    ]
    posts = [population(choose, net, k, trials) for k in range(choose.one([1, 2, 3]))]
    sources += posts
    if choose.chance(0.3):
        sources += unless_refused(lambda: maps(choose, net, sources[0], "x"), [])
    for _ in range(choose.one([1, 3, 6, 9])):
        unless_refused(lambda: connect(choose, net, choose.one(sources), choose.one(posts), trials))
    if trials or choose.chance(0.3):
        out = net.readout(choose.one([1, 2, 17]), tau_mem=choose.one([20e-3, 0.1]))
        for source in {sources[0].name: sources[0], posts[-1].name: posts[-1]}.values():
            net.connect(
                source,
                out,
                delay=choose.one([0, 2]) * DT,
                weights=choose.rng.exponential(0.3, (source.n, out.n)),
            )
    return net


def unless_refused(act, otherwise=None):
    """What a random description asks for may not exist; the campaign wants those that do."""
    try:
        return act()
    except ValueError:
        return otherwise
