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
from tests.fuzz.random_circuits import DT, Random, network, unless_refused

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
    unless_refused(
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
