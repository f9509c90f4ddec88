"""The dynamics of biosnn against Brian2, rung by rung.

python -m validation.dynamics [--models RUNG …] [--json FILE] [--train FILE --test FILE] [--cases TEXT] [--break WHAT]
"""

import argparse
import json
import time
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from rich.console import Console

import biosnn as bs
from biosnn.brian.comparison import distance, distributions
from biosnn.support.progress import progress_bar
from biosnn.support.tables import Table

from .broken import BREAKS

INTEGRATORS, RESETS, REFRACTORY = (
    ("exact", "exponential_euler", "euler"),
    (0.0, "subtract"),
    (0.0, 1e-3, 2e-3, 5e-3),
)

#: States, relative to the largest value of each, up to the first spike that differs.
TOLERANCE = 1e-12

#: … of neurons whose upstroke makes rounding errors grow.
UPSTROKE = 1e-10


@dataclass
class Result:
    """What one case showed. `failures` are sentences; none means passed."""

    case: object
    simulated: float = 0.0
    spikes: int = 0
    first_divergence: float | None = None
    state_error: float = 0.0
    failures: list = field(default_factory=list)

    def as_dict(self):
        """For JSON: seconds, and a state difference relative to the largest value of that state."""
        return {
            "rung": self.case.rung,
            "case": self.case.name,
            "passed": not self.failures,
            "first_divergence_s": self.first_divergence,
            "max_state_error": self.state_error,
        }


@dataclass(frozen=True, eq=False)
class Case:
    """A network and a trial that both programs run.

    duration     seconds, where there is no input
    until        seconds for which spikes must agree; None: all of the trial. After that, statistics must
    same_class   the readout must predict the same class
    tolerance    of states
    """

    rung: int
    name: str
    network: bs.Network
    spikes: bs.SpikeTrains | None
    currents: dict = field(default_factory=dict)
    until: float | None = None
    same_class: bool = False
    duration: float | None = None
    tolerance: float = TOLERANCE

    def check(self, against=None):
        """Compare; `against` is the network that Brian2 gets instead."""
        report = bs.brian.compare(
            self.network,
            self.spikes,
            currents=self.currents,
            duration=self.duration,
            progress=False,
            against=against,
        )
        result = Result(
            self,
            report.duration,
            sum(ours for ours, _ in report.spike_counts.values()),
            None if report.identical else report.identical_for,
            report.worst_state,
        )
        if report.identical_for < (report.duration if self.until is None else self.until):
            d = report.divergence
            result.failures.append(
                f"spikes differ from {1e3 * report.identical_for:g} ms on (neuron {d.neuron} of {d.population}, "
                f"U {d.difference:+.1e} in Brian2)"
            )
        if not report.worst_state <= self.tolerance:
            result.failures.append(f"states differ by {report.worst_state:.1e}")
        if not result.spikes:
            result.failures.append("no neuron spiked, so nothing was compared")
        if self.until is not None:
            result.failures += different_statistics(report, self.until)
        if self.same_class:
            ours, theirs = (
                int(side.max(axis=0).argmax())
                for side in report.traces[f"{self.network.readouts[0].name}.U"]
            )
            result.failures += [f"class {ours}, but {theirs} in Brian2"] if ours != theirs else []
        return result


@dataclass(frozen=True, eq=False)
class Seeds:
    """Networks of several seeds that both programs run for long: statistics of the same seed must not differ by more in two programs
    than Brian2's differ from seed to seed.

    build      seed -> (network, currents)
    """

    rung: int
    name: str
    build: object
    seeds: range
    duration: float

    def check(self):
        """Kolmogorov-Smirnov distances of rate, CV and correlation: the mean over seeds within the largest between two seeds."""
        result, sides = Result(self), []
        for seed in self.seeds:
            network, currents = self.build(seed)
            report = bs.brian.compare(
                network, record=[], currents=currents, duration=self.duration, progress=False
            )
            sides.append(
                {name: tuple(map(distributions, both)) for name, both in report.rasters.items()}
            )
            result.simulated += report.duration
            result.spikes += sum(ours for ours, _ in report.spike_counts.values())
            if not report.identical:
                result.first_divergence = min(
                    result.first_divergence or np.inf, report.identical_for
                )
        for name in sides[0]:
            for key in ("rate", "cv", "correlation"):
                between = [distance(a[name][0][key], a[name][1][key]) for a in sides]
                apart = [
                    distance(a[name][1][key], b[name][1][key]) for a, b in combinations(sides, 2)
                ]
                if not np.mean(between) <= max(apart):
                    result.failures.append(
                        f"{key} of {name}: Kolmogorov-Smirnov distance {np.mean(between):.3f}, between seeds of Brian2 "
                        f"at most {max(apart):.3f}"
                    )
        return result


def different_statistics(report, begin):
    """Sentences about rates, CVs and correlations after `begin` (s) whose Kolmogorov-Smirnov distance has p < 0.01."""
    failures = []
    for name, both in report.rasters.items():
        ours, theirs = (distributions(after(spikes, begin)) for spikes in both)
        for key in ours:
            n = [
                min(side[key].size, both[0].n_units) for side in (ours, theirs)
            ]  # pairs of neurons are not independent
            if min(n) and distance(ours[key], theirs[key]) > 1.63 * np.sqrt(
                (n[0] + n[1]) / (n[0] * n[1])
            ):
                failures.append(
                    f"{key} of {name}: Kolmogorov-Smirnov distance {distance(ours[key], theirs[key]):.2f}"
                )
    return failures


def after(spikes, begin):
    """The spikes after `begin` (s), as a trial that starts there."""
    kept = spikes.times >= begin
    return bs.SpikeTrains.from_events(
        spikes.times[kept] - begin,
        spikes.units[kept],
        spikes.trials[kept],
        n_trials=len(spikes),
        n_units=spikes.n_units,
        duration=spikes.duration - begin,
    )


# ---------------------------------------------------------------------------------------- the rungs


def neurons():
    """Every table, integrator, reset and refractory period; driven by spikes and by a constant current."""
    spikes, current = bs.data.poisson(20, 20, 2.0, seed=1), {"A": np.full((2000, 3), 0.3)}
    for table in (
        bs.lif,
        bs.ei_lif,
        bs.lif_delta,
        bs.adaptive_lif,
        bs.ei_adaptive_lif,
        bs.ampa_nmda_gaba,
    ):
        for integrator in INTEGRATORS:
            for reset in RESETS:
                for refractory in REFRACTORY:
                    if table is bs.lif_delta and reset == "subtract" and refractory > 0:
                        continue  # not a model: spikes that arrive with the reset would be lost
                    net, rng = bs.Network(1e-3), np.random.default_rng(0)
                    x = net.input(20)
                    a = net.population(
                        3,
                        table(reset=reset, refractory=refractory, integrator=integrator),
                        name="A",
                    )
                    net.connect(x, a, receptor="exc", weights=rng.exponential(0.35, (20, 3)))
                    net.connect(
                        a, net.readout(2, integrator=integrator), weights=rng.normal(size=(3, 2))
                    )
                    name = f"{table.__name__}, {integrator}, reset {reset if reset == 'subtract' else 'to 0'}, refractory {1e3 * refractory:g} ms"
                    yield Case(1, name, net, spikes, current)
    yield from options(spikes)
    for table, peak in ((bs.conductance_lif, 0.15), (bs.alpha_conductance_lif, 0.06)):
        for reset in (0.0, 5e-3, "subtract"):
            for refractory in REFRACTORY:
                net, name = (
                    two_receptors(
                        table(reset=reset, refractory=refractory), 1e-3, peak, peak / 1.5
                    ),
                    table.__name__,
                )
                name += f", reset {reset if reset == 'subtract' else f'to {1e3 * reset:g} mV'}, refractory {1e3 * refractory:g} ms"
                yield Case(1, name, net, spikes, {"A": np.full((2000, 3), 2e-3)})
    for table, excitation, initial in ((bs.adex, 8e-3, 0.0), (bs.izhikevich, 2.0, -65.0)):
        for refractory in REFRACTORY:
            net = two_receptors(
                table(refractory=refractory), 1e-4, excitation, excitation / 4, initial
            )
            yield Case(
                1,
                f"{table.__name__}, refractory {1e3 * refractory:g} ms",
                net,
                bs.data.poisson(50, 20, 1.0, seed=1),
                {"A": np.full((1, 3), excitation)},
                tolerance=UPSTROKE,
            )


def options(spikes):
    """What a table can have beside: jumps after a delay and one for every neuron, bounds of U, time constants of every neuron."""
    spread = [0.8, 1.0, 1.3]
    for table in (bs.adaptive_lif, bs.ei_adaptive_lif, bs.ampa_nmda_gaba):
        for integrator in INTEGRATORS:
            for refractory in (0.0, 3e-3):
                plain = table(refractory=refractory, integrator=integrator)
                taus = {
                    f"tau_{name}": np.multiply(tau, spread)
                    for name, tau in plain.time_constants.items()
                }
                cases = {
                    "a time constant for every neuron": table(
                        refractory=refractory, integrator=integrator, **taus
                    ),
                    "U from -0.1 to 1.01": bs.bounded(plain, -0.1, 1.01),
                }
                if plain.spike_jumps:
                    jumping = {
                        "jump": np.array([0.05, 0.1, 0.3]),
                        "refractory": refractory,
                        "integrator": integrator,
                    }
                    cases |= {
                        f"a jump for every neuron, after {steps} ms": table(
                            jump_delay=steps * 1e-3, **jumping
                        )
                        for steps in (0, 2, 15)
                    }
                for name, neuron in cases.items():
                    net = two_receptors(neuron, 1e-3, 0.6, 0.2)
                    yield Case(
                        1,
                        f"{table.__name__}, {integrator}, refractory {1e3 * refractory:g} ms, {name}",
                        net,
                        spikes,
                        {"A": np.full((2000, 3), 0.3)},
                    )


def two_receptors(neuron, dt, excitation, inhibition, initial=0.0):
    """Three neurons with 20 inputs each, on their receptors exc and inh; exponential weights of those means."""
    net, rng = bs.Network(dt), np.random.default_rng(0)
    x, a = net.input(20), net.population(3, neuron, name="A", initial=initial)
    net.connect(x, a, receptor="exc", weights=rng.exponential(excitation, (20, 3)))
    net.connect(
        x,
        a,
        receptor="inh",
        delay=2e-3,
        weights=rng.exponential(inhibition, (20, 3)),
        name="inhibition",
    )
    return net


def populations():
    """No recurrence, Poisson input of 700 units; delays of 0, 1 and 7 steps, and one for every synapse; plastic synapses."""
    for steps in (0, 1, 7):
        net, rng = bs.Network(1e-3), np.random.default_rng(steps)
        x = net.input(700)
        e = net.population(64, bs.ei_lif(refractory=2e-3, tau_inh=15e-3), "excitatory", name="E")
        i = net.population(16, bs.lif(), "inhibitory", name="I")
        for post in (e, i):
            net.connect(
                x,
                post,
                receptor="exc",
                delay=steps * 1e-3,
                weights=rng.exponential(0.06, (700, post.n)),
            )
        net.connect(
            x,
            e,
            receptor="inh",
            delay=steps * 1e-3,
            weights=rng.exponential(0.03, (700, 64)),
            name="inhibition",
        )
        yield Case(2, f"delay {steps} steps", net, bs.data.poisson(3.0, 700, 2.0, seed=steps))
    net = bs.Network(1e-3)
    x, e = (
        net.input(700),
        net.population(64, bs.ei_lif(refractory=2e-3, tau_inh=15e-3), "excitatory", name="E"),
    )
    for name, receptor, mean, longest in (
        ("excitation", "exc", 0.16, 21),
        ("inhibition", "inh", 0.05, 8),
    ):
        net.connect(
            x,
            e,
            receptor=receptor,
            name=name,
            synapses=bs.Bernoulli(0.5),
            seed=1,
            weights=lambda rng, n, mean=mean: rng.exponential(mean, n),
            delay=lambda rng, n, longest=longest: rng.integers(0, longest, n) * 1e-3,
        )
    yield Case(2, "sparse, a delay for every synapse", net, bs.data.poisson(3.0, 700, 2.0, seed=8))
    for name, rule in (
        ("depression", bs.TsodyksMarkram(0.5, 0.8)),
        ("facilitation", bs.TsodyksMarkram(0.1, 0.13, 0.53)),
        ("inhibitory plasticity", bs.InhibitorySTDP(0.01, 5.0, w_max=0.5)),
    ):
        net = bs.Network(1e-3)
        x, y, e = (
            net.input(200),
            net.input(50, name="y", sign="inhibitory"),
            net.population(64, bs.ei_lif(refractory=2e-3, tau_inh=15e-3), "excitatory", name="E"),
        )
        short = rule if isinstance(rule, bs.TsodyksMarkram) else None
        net.connect(
            x,
            e,
            delay=2e-3,
            weights=bs.Exponential(1.0 if short else 0.3),
            synapses=bs.Bernoulli(0.5),
            seed=1,
            plasticity=short,
        )
        net.connect(
            y,
            e,
            delay=3e-3,
            weights=0.05,
            synapses=bs.Bernoulli(0.5),
            seed=2,
            plasticity=None if short else rule,
        )
        yield Case(
            2,
            name,
            net,
            {
                "input": bs.data.poisson(6.0, 200, 2.0, seed=3),
                "y": bs.data.poisson(10.0, 50, 2.0, seed=4),
            },
        )
    net, rng = bs.Network(1e-3), np.random.default_rng(5)
    maps, shape = bs.convolutional_layer(net, net.input(60), (1, 60), 4, 5, name="maps")
    pooled = net.pool(maps, bs.MaxPool(shape, 3, 2))
    net.pool(pooled, bs.MaxPool(pooled.pooling.output_shape, 2), name="twice")
    e = net.population(64, bs.lif(refractory=2e-3), name="E")
    for name, pre, post, delay, mean in (
        ("first", "maps pooled", e, 0, 0.6),
        ("second", "twice", e, 3, 0.6),
        ("back", "twice", maps, 2, -0.1),
    ):
        net.connect(
            pre,
            post,
            delay=delay * 1e-3,
            weights=rng.normal(mean, 0.3, (net[pre].n, post.n)),
            name=name,
        )
    net.set_weights("input->maps", rng.normal(1.0, 1.0, (4, 1, 5)))
    yield Case(2, "maps that are convolved and pooled", net, bs.data.poisson(10.0, 60, 2.0, seed=5))


def dalian(data, neuron=None):
    """128 E + 32 I on `data`, with a readout of 10 classes."""
    net = bs.Network(2e-3)
    e, _ = bs.dalian_layer(
        net,
        net.input(data.n_units),
        128,
        32,
        neuron=neuron or bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=20e-3),
    )
    net.connect(e, net.readout(10, tau_mem=data.duration))
    return net


def circuit():
    """A recurrent Dalian circuit, 128 E + 32 I, at its fluctuation-driven start."""
    for seed in (0, 1):
        data = bs.data.poisson(9.1, 700, 1.4, seed=seed)
        net = dalian(data)
        bs.fluctuation_driven(net, data, assumed_rates=8.0, closed_loop=False, seed=seed)
        yield Case(3, f"seed {seed}", net, data)
    for neuron in (
        bs.ei_adaptive_lif(jump_delay=4e-3),
        bs.ampa_nmda_gaba(),
        bs.bounded(bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=15e-3), -1.0, 1.01),
    ):
        net = dalian(data, neuron)
        bs.fluctuation_driven(net, data, assumed_rates=8.0, closed_loop=False, seed=2)
        yield Case(3, f"{neuron.model}{', bounded' if neuron.bounded else ''}", net, data)


def trained(train=None, test=None):
    """The same circuit after training, on Randman or on the files of --train and --test: 20 test trials."""
    if train:
        data, tests = bs.data.load_shd(train, duration=0.7), bs.data.load_shd(test, duration=0.7)
    else:
        data, _, tests = bs.data.split(bs.data.randman(seed=0), seed=0)
    net = dalian(data)
    bs.fluctuation_driven(net, data, seed=0, progress=False)
    bs.train(
        net,
        data,
        epochs=3,
        batch=100,
        optimizer=bs.Adam(5e-3),
        regularizers=[bs.upper_bound(0.1, 7)],
        progress=False,
        seed=0,
    )
    for trial in np.random.default_rng(0).choice(len(tests), 20, replace=False):
        yield Case(4, f"test trial {trial}", net, tests[int(trial)], same_class=True)


def motif():
    """Four populations (E, PV, SST, VIP) with random weights and delays of 1-20 steps."""
    for seed in (4, 5):
        rng, net = np.random.default_rng(seed), bs.Network(1e-3)
        x, neuron = (
            net.input(200),
            bs.ei_lif(tau_mem=15e-3, tau_exc=5e-3, tau_inh=9e-3, refractory=2e-3),
        )
        groups = {
            name: net.population(
                n, neuron, "excitatory" if name == "E" else "inhibitory", name=name
            )
            for name, n in (("E", 160), ("PV", 20), ("SST", 12), ("VIP", 8))
        }
        for population in groups.values():
            net.connect(
                x, population, receptor="exc", weights=rng.exponential(0.09, (200, population.n))
            )
        for pre, post in (
            ("E", "E"),
            ("E", "PV"),
            ("E", "SST"),
            ("E", "VIP"),
            ("PV", "E"),
            ("PV", "PV"),
            ("SST", "E"),
            ("SST", "PV"),
            ("SST", "VIP"),
            ("VIP", "SST"),
        ):
            a, b = groups[pre], groups[post]
            net.connect(
                a,
                b,
                delay=1e-3 * int(rng.integers(1, 21)),
                weights=rng.exponential(0.03 if pre == "E" else 0.15, (a.n, b.n)),
            )
        yield Case(5, f"seed {seed}", net, bs.data.poisson(10, 200, 2.0, seed=seed), until=0.3)


def irregular(seed):
    """(network, currents): 3200 E + 800 I, 2 % connectivity, kept active by a constant current near threshold.

    Weights and time constants after the current-based network of Vogels & Abbott (2005), J. Neurosci. 25:10786, in units of its
    distance of 10 mV from reset to threshold.
    """
    rng, net = np.random.default_rng(seed), bs.Network(1e-3)
    neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=5e-3)
    e, i = (
        net.population(3200, neuron, "excitatory", name="E"),
        net.population(800, neuron, "inhibitory", name="I"),
    )
    for pre, weight in ((e, 0.162), (i, 0.9)):
        for post in (e, i):
            net.connect(
                pre, post, delay=1e-3, weights=weight, synapses=bs.Bernoulli(0.02), seed=rng
            )
    return net, {p.name: rng.normal(1.1, 0.05, p.n) for p in (e, i)}


def large():
    """4000 neurons, 2 % connectivity, self-sustained; spikes for 100 ms, then statistics over 5 seeds of 10 s."""
    net, currents = irregular(0)
    yield Case(6, "300 ms", net, None, currents, until=0.1, duration=0.3)
    yield Seeds(6, "statistics of 5 seeds", irregular, range(5), 10.0)


RUNGS = {1: neurons, 2: populations, 3: circuit, 4: trained, 5: motif, 6: large}


# -------------------------------------------------------------------------------------- the command


def climb(rung, options, text="", broken=None):
    """The results of the cases of a rung whose name contains `text`; with a break, of those that have something to break."""
    results, cases = [], [case for case in RUNGS[rung](**options) if text in case.name]
    with progress_bar(len(cases), f"rung {rung}") as advance:
        for case in cases:
            changed = broken(case.network) if broken and isinstance(case, Case) else None
            if broken is None:
                results.append(case.check())
            elif changed is not None:
                results.append(case.check(changed))
            advance(1, "")
    return results


def table(results, seconds):
    """One row per rung."""
    lines = []
    for rung in dict.fromkeys(result.case.rung for result in results):
        rows = [result for result in results if result.case.rung == rung]
        parted = [row.first_divergence for row in rows if row.first_divergence is not None]
        lines.append(
            (
                str(rung),
                RUNGS[rung].__name__,
                str(len(rows)),
                str(sum(row.spikes for row in rows)),
                f"{sum(row.simulated for row in rows):g}",
                f"at {min(parted):g} s" if parted else "never",
                f"{max(row.state_error for row in rows):.0e}",
                f"{seconds[rung]:.0f}",
                "NO" if any(row.failures for row in rows) else "yes",
            )
        )
    return Table(
        "biosnn against Brian2, both in float64",
        ("rung", "", "cases", "spikes", "sim. (s)", "they differ", "states by", "took (s)", "met"),
        lines,
        keys=2,
    )


def main(arguments=None):
    names = {
        name: rung for rung, function in RUNGS.items() for name in (str(rung), function.__name__)
    }
    parser = argparse.ArgumentParser(
        prog="python -m validation.dynamics",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--models",
        nargs="+",
        choices=list(names),
        metavar="RUNG",
        default=[str(rung) for rung in RUNGS],
        help=f"rungs to climb, by number or name: {', '.join(names)} (default: all)",
    )
    parser.add_argument(
        "--cases", default="", metavar="TEXT", help="only cases whose name contains TEXT"
    )
    parser.add_argument(
        "--train",
        help="file in the layout of the Spiking Heidelberg Digits for rung 4 (default: Randman)",
    )
    parser.add_argument("--test", help="the same, for testing")
    parser.add_argument(
        "--break",
        dest="broken",
        choices=list(BREAKS),
        help="break Brian2's copy of every network: the rungs must fail",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write a list of {rung, case, passed, first_divergence_s, max_state_error} there",
    )
    args = parser.parse_args(arguments)
    if bool(args.train) != bool(args.test):
        parser.error("--train and --test go together")
    results, seconds, console = [], {}, Console()
    for rung in sorted({names[name] for name in args.models}):
        begin = time.perf_counter()
        console.print(
            f"rung {rung}, {RUNGS[rung].__name__}: {RUNGS[rung].__doc__}",
            style="dim",
            soft_wrap=True,
            highlight=False,
        )
        options = {"train": args.train, "test": args.test} if rung == 4 else {}
        results += climb(rung, options, args.cases, BREAKS[args.broken] if args.broken else None)
        seconds[rung] = time.perf_counter() - begin
    if not results:
        parser.error(
            f"no case of these rungs has a name with {args.cases!r} in it"
            + (f" and something to break with {args.broken!r}" if args.broken else "")
        )
    console.print(table(results, seconds))
    for result in results:
        for failure in result.failures:
            console.print(
                f"rung {result.case.rung}, {result.case.name}: {failure}",
                soft_wrap=True,
                highlight=False,
            )
    if args.json:
        with open(args.json, "w") as file:
            json.dump([result.as_dict() for result in results], file, indent=1)
    return int(any(result.failures for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
