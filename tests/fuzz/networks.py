"""Random networks under checks of bounds: every table, kind of projection, delay, pooling,
plasticity, noise and background, many of them empty or as small as can be. No kernel may read or
write beyond an array.

    python -m tests.fuzz.networks --count 200 --seed 0

Child processes run them with NUMBA_BOUNDSCHECK=1, for which the kernels are compiled anew once
(minutes), into a cache of their own.
"""

import argparse
import collections
import itertools
import os
import tempfile
from pathlib import Path

import numpy as np

from tests.fuzz.children import outcomes

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
        sources += _unless_refused(lambda: maps(choose, net, sources[0], "x"), [])
    for _ in range(choose.one([1, 3, 6, 9])):
        _unless_refused(
            lambda: connect(choose, net, choose.one(sources), choose.one(posts), trials)
        )
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


def _unless_refused(act, otherwise=None):
    """What a random description asks for may not exist; the campaign wants those that do."""
    try:
        return act()
    except ValueError:
        return otherwise


# --------------------------------------------------------------------------------------------- uses


def trains(choose, net, n_trials, seconds):
    import biosnn as bs

    return {
        p.name: bs.data.poisson(
            choose.one([0.0, 20.0, 300.0]),
            p.n,
            seconds,
            n_trials,
            seed=int(choose.rng.integers(1 << 30)),
        )
        for p in net.inputs
    }


def state_names(net):
    return [f"{p.name}.{state}" for p in net.spiking + net.readouts for state in p.states]


def some(choose, names):
    return [name for name in names if choose.chance(0.3)]


def backgrounds(choose, net):
    """Poisson input, currents and noise of some populations."""
    import biosnn as bs

    result = []
    for p in net.spiking:
        excitatory = next(iter(p.neuron.receptors))
        result += (
            [bs.PoissonInput(p.name, choose.one([0.0, 2000.0]), 0.1, excitatory)]
            if choose.chance()
            else []
        )
        result += (
            [bs.PoissonInput(p.name, choose.rng.uniform(0, 900, p.n), 0.1, excitatory)]
            if choose.chance(0.3)
            else []
        )
        result += (
            [bs.Current(p.name, choose.one([1.2, choose.rng.uniform(0, 2, p.n)]))]
            if choose.chance()
            else []
        )
        result += [bs.OrnsteinUhlenbeck(p.name, 0.5, 0.3, 10e-3)] if choose.chance(0.3) else []
    return result


def in_trials(choose):
    """run, its continuation and its gradient."""
    import biosnn as bs

    net, n_trials = network(choose, "run"), choose.one([1, 2, 7, 25])
    data = trains(choose, net, n_trials, choose.one([2, 50, 130]) * DT)
    currents = {net.spiking[0].name: np.full((1, 1, 1), 0.5)} if choose.chance(0.3) else None
    threads, names = choose.one([1, 2]), state_names(net)
    options = {
        "threads": threads,
        "merge": choose.chance(0.8),
        "record": some(choose, names),
        "currents": currents,
        "background": backgrounds(choose, net) if choose.chance(0.5) else [],
    }
    trace = bs.run(net, data, tape=True, moments=some(choose, names), seed=1, **options)
    if choose.chance(0.3):
        trace = bs.run(net, data, tape=True, state=trace.state, **options)
    spikes = sum(int(counts.sum()) for counts in trace.counts.values())
    _unless_refused(
        lambda: bs.gradient(
            trace,
            states={name: np.ones_like(trace.states[name]) for name in trace.states},
            counts={p.name: np.ones((n_trials, p.n)) for p in net.firing if choose.chance()},
            threads=threads,
            differentiate_reset=choose.chance() and not any(p.noise for p in net.spiking),
            truncate=choose.one([None, None, 20 * DT]),
            record=some(choose, names),
            per_step=[p.name for p in net.projections if choose.chance(0.3)],
        )
    )
    return spikes


def in_training(choose):
    import biosnn as bs

    net = network(choose, "train")
    data = trains(choose, net, 12, 40 * DT)
    target = choose.rng.integers(0, net.readouts[0].n, 12)
    history = bs.train(
        net,
        data,
        target,
        epochs=1,
        batch=choose.one([5, 12]),
        validation=choose.one([None, 0.3]),
        threads=choose.one([1, 2]),
        dropout=choose.one([0.0, 0.3]),
        augment=choose.one([(), [bs.Drop(0.2), bs.TimeShift(5e-3)]]),
        background=backgrounds(choose, net) if choose.chance(0.5) else [],
        progress=False,
    )
    return int(history.loss.size)


def in_a_stream(choose):
    """simulate and its continuation."""
    import biosnn as bs

    net, seconds = network(choose, None), choose.one([1, 60, 400]) * DT
    record = {
        name: choose.one([[0], slice(None)]) for name in state_names(net) if choose.chance(0.3)
    }
    spikes = trains(choose, net, 1, seconds) if net.inputs and choose.chance(0.9) else None
    options = dict(
        background=backgrounds(choose, net),
        record=record,
        every=choose.one([1, 3]),
        merge=choose.chance(0.8),
        progress=False,
    )
    first = bs.simulate(net, seconds, spikes, threads=choose.one([1, 2, 3]), seed=1, **options)
    second = bs.simulate(
        net, seconds, spikes, threads=choose.one([1, 2, 3]), state=first.state, **options
    )
    return sum(first.counts.values()) + sum(second.counts.values())


USES = {"trials": in_trials, "training": in_training, "stream": in_a_stream}


def play(case):
    """In the child: one network. Returns its spikes."""
    import warnings

    warnings.simplefilter("ignore")
    seed, use = case
    return USES[use](Random([seed, *use.encode()]))


# ----------------------------------------------------------------------------------------- campaign


def environment(folder):
    return {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(folder)}


def campaign(count, seed, folder, uses=tuple(USES), seconds=900):
    """Yields (case, outcome). seconds: for a case, which may have to compile."""
    cases = list(
        itertools.islice(
            ([seed * 1_000_003 + k, use] for k in itertools.count() for use in uses), count
        )
    )
    yield from outcomes("tests.fuzz.networks:play", cases, seconds, environment(folder))


def kind_of(outcome):
    """fine, refused (a ValueError in our words), or what went wrong."""
    if outcome["kind"] == "value":
        return "fine"
    if outcome["kind"] == "error":
        return (
            "refused"
            if outcome["type"] == "ValueError" and "biosnn" in outcome["of"]
            else outcome["type"]
        )
    return outcome["kind"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200, help="networks (default 200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--use", choices=list(USES), action="append", help="default: all in turn")
    parser.add_argument(
        "--cache",
        default=os.path.join(tempfile.gettempdir(), "biosnn-boundscheck"),
        help="folder of the compiled code, which is kept",
    )
    args = parser.parse_args()
    Path(args.cache).mkdir(parents=True, exist_ok=True)
    found, spikes = collections.Counter(), 0
    for case, outcome in campaign(args.count, args.seed, args.cache, tuple(args.use or USES)):
        kind = kind_of(outcome)
        found[kind] += 1
        spikes += outcome.get("value") or 0
        if kind != "fine":
            print(
                case,
                kind,
                outcome.get("text", ""),
                outcome.get("of", ""),
                outcome.get("signal", ""),
                flush=True,
            )
    print(f"{sum(found.values())} networks, {spikes} spikes: {dict(found)}")
    return 0 if set(found) <= {"fine", "refused"} else 1


if __name__ == "__main__":
    raise SystemExit(main())
