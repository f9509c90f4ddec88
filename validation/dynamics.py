"""The dynamics of biosnn against Brian2, rung by rung.

    python -m validation.dynamics [--models RUNG …] [--json FILE] [--target numpy|cython]
"""
import argparse
import json
import time

import numpy as np
from rich.console import Console
from rich.table import Table

import biosnn as bs
from biosnn import brian

INTEGRATORS, RESETS, REFRACTORY = ("exact", "exponential_euler"), (0.0, "subtract"), (0.0, 1e-3, 2e-3, 5e-3)


class Rung:
    """What one rung measured, over several comparisons."""

    def __init__(self):
        self.reports, self.failures, self.notes = [], [], []

    def check(self, what, report, until=None, states=None):
        """Spikes identical for `until` seconds (default: all), states to `states` relative (default: not checked)."""
        self.reports.append(report)
        parted = report.duration if report.divergence is None else report.divergence.step * report.dt
        if parted < (report.duration if until is None else until):
            self.failures.append(f"{what}: spikes differ from {1e3 * parted:g} ms on")
        worst = max((d / s for d, s in report.states.values() if s > 0), default=0.0)
        if states is not None and worst > states:
            self.failures.append(f"{what}: states differ by {worst:.1e}")

    def row(self):
        states = [d / s for report in self.reports for d, s in report.states.values() if s > 0]
        agreed = [r.duration if r.divergence is None else r.divergence.step * r.dt for r in self.reports]
        return {"cases": len(self.reports), "identical_for_s": float(min(agreed)), "simulated_s": float(sum(r.duration * r.n_trials for r in self.reports)),
                "spikes": int(sum(n for r in self.reports for n, _ in r.spike_counts.values())),
                "largest_state_difference": float(max(states, default=0.0)), "passed": not self.failures, "failures": self.failures,
                "notes": self.notes}


def single_neurons():
    """Every table x integrator x reset x refractory period, driven by spikes and by a constant current; 2 s."""
    rung = Rung()
    spikes = bs.data.poisson(20, 20, 2.0, seed=1)
    for table in (bs.lif, bs.ei_lif):
        for integrator in INTEGRATORS:
            for reset in RESETS:
                for refractory in REFRACTORY:
                    net, rng = bs.Network(1e-3), np.random.default_rng(0)
                    x = net.input(20)
                    a = net.population(3, table(reset=reset, refractory=refractory, integrator=integrator), name="A")
                    net.connect(x, a, receptor="exc", weights=rng.exponential(0.35, (20, 3)))
                    net.connect(a, net.readout(2, integrator=integrator), weights=rng.normal(size=(3, 2)))
                    report = brian.compare(net, spikes, currents={"A": np.full((2000, 3), 0.3)}, progress=False)
                    rung.check(f"{table.__name__} {integrator}, reset {reset}, refractory {1e3 * refractory:g} ms", report, states=1e-12)
    return rung


def populations():
    """Populations without recurrence, Poisson input of 700 units; delays 0, 1 and 7 steps; 2 s."""
    rung = Rung()
    for delay in (0, 1, 7):
        net, rng = bs.Network(1e-3), np.random.default_rng(delay)
        x = net.input(700)
        e = net.population(64, bs.ei_lif(refractory=2e-3, tau_inh=15e-3), "excitatory", "E")
        i = net.population(16, bs.lif(), "inhibitory", "I")
        for post, scale in ((e, 0.06), (i, 0.06)):
            net.connect(x, post, receptor="exc", delay=delay * 1e-3, weights=rng.exponential(scale, (700, post.n)))
        net.connect(x, e, receptor="inh", delay=delay * 1e-3, weights=rng.exponential(0.03, (700, 64)), name="inhibition")
        rung.check(f"delay {delay} steps", brian.compare(net, bs.data.poisson(3.0, 700, 2.0, seed=delay), progress=False), states=1e-11)
    rung.notes.append("per-synapse delays: biosnn has one delay per projection so far")
    return rung


def build_circuit(data, seed=0):
    net = bs.Network(2e-3)
    e, _ = bs.dalian_layer(net, net.input(data.n_units), 128, 32, neuron=bs.ei_lif(20e-3, 10e-3, 20e-3))
    net.connect(e, net.readout(10, tau_mem=data.duration))
    return net


def circuit():
    """Recurrent Dalian circuit, 128 E + 32 I, at its fluctuation-driven start; 1.4 s."""
    rung, data = Rung(), bs.data.poisson(9.1, 700, 1.4, seed=0)
    net = build_circuit(data)
    bs.fluctuation_driven(net, data, rates=8.0, closed_loop=False, seed=0)
    rung.check("fluctuation-driven start", brian.compare(net, data, progress=False), until=1.0)
    return rung


def trained(train=None, test=None):
    """The same after training on Randman (or the files of --train and --test): 20 test trials, and the same predictions."""
    rung = Rung()
    if train:
        data, tests = bs.data.load_shd(train, duration=0.7), bs.data.load_shd(test, duration=0.7)
    else:
        data, _, tests = bs.data.split(bs.data.randman(seed=0), seed=0)
    net = build_circuit(data)
    bs.fluctuation_driven(net, data, seed=0, progress=False)
    bs.train(net, data, epochs=3, batch=100, optimizer=bs.Adam(5e-3), regularizers=[bs.upper_bound(0.1, 7)], progress=False, seed=0)
    predictions = []
    for b in range(20):
        report = brian.compare(net, tests[b], record=["E.U", "I.U", "readout.U"], progress=False)
        rung.check(f"trial {b}", report)
        predictions.append([side.max(axis=0).argmax() for side in report.traces["readout.U"]])
    same = sum(int(a == b) for a, b in predictions)
    rung.notes.append(f"same predicted class in {same} of 20 trials")
    if same < 20:
        rung.failures.append(rung.notes[-1])
    return rung


def motif():
    """Four populations (E, PV, SST, VIP) with random weights and delays of 1-20 steps; identical for 0.3 s, then statistics."""
    rung, rng, net = Rung(), np.random.default_rng(4), bs.Network(1e-3)
    x = net.input(200)
    neuron = bs.ei_lif(15e-3, 5e-3, 9e-3, refractory=2e-3)
    groups = {name: net.population(n, neuron, "excitatory" if name == "E" else "inhibitory", name)
              for name, n in (("E", 160), ("PV", 20), ("SST", 12), ("VIP", 8))}
    for name, population in groups.items():
        net.connect(x, population, receptor="exc", weights=rng.exponential(0.09, (200, population.n)))
    for pre, post in (("E", "E"), ("E", "PV"), ("E", "SST"), ("E", "VIP"), ("PV", "E"), ("PV", "PV"), ("SST", "E"), ("SST", "PV"),
                      ("SST", "VIP"), ("VIP", "SST")):
        a, b = groups[pre], groups[post]
        net.connect(a, b, delay=1e-3 * int(rng.integers(1, 21)), weights=rng.exponential(0.03 if pre == "E" else 0.15, (a.n, b.n)))
    report = brian.compare(net, bs.data.poisson(10, 200, 2.0, seed=5), progress=False)
    rung.check("motif", report, until=0.3)
    distances = [row[key][2] for row in report.statistics.values() for key in ("rate", "cv")]
    rung.notes.append(f"largest Kolmogorov-Smirnov distance of rate and CV over 2 s: {np.nanmax(distances):.3f}")
    return rung


RUNGS = {"neurons": single_neurons, "populations": populations, "circuit": circuit, "trained": trained, "motif": motif}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m validation.dynamics", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=list(RUNGS), default=list(RUNGS), help="rungs to climb (default: all)")
    parser.add_argument("--train", help="SHD-layout file for the trained network (default: Randman)")
    parser.add_argument("--test", help="the same, for testing")
    parser.add_argument("--target", choices=("numpy", "cython"), default="numpy", help="how Brian2 runs (cython needs a compiler)")
    parser.add_argument("--json", help="write all numbers there")
    args = parser.parse_args(arguments)
    b2, console, rows = brian.require_brian2(), Console(), {}
    b2.prefs.codegen.target = args.target
    for name in args.models:
        begin = time.perf_counter()
        console.print(f"{name}: {RUNGS[name].__doc__.strip()}", style="dim")
        rung = trained(args.train, args.test) if name == "trained" else RUNGS[name]()
        rows[name] = rung.row() | {"seconds": time.perf_counter() - begin}
    console.print(table(rows))
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"rungs": rows, "versions": {"biosnn": bs.__version__, "brian2": b2.__version__, "numpy": np.__version__}}, file, indent=1)
    return 0 if all(row["passed"] for row in rows.values()) else 1


def table(rows):
    result = Table(title="biosnn against Brian2, both in float64", title_justify="left")
    for heading in ("rung", "cases", "spikes", "identical for (s)", "states differ by", "passed", "notes"):
        result.add_column(heading, justify="left" if heading in ("rung", "notes") else "right")
    for name, row in rows.items():
        result.add_row(name, str(row["cases"]), str(row["spikes"]), f"{row['identical_for_s']:g}", f"{row['largest_state_difference']:.0e}",
                       "yes" if row["passed"] else "NO", "; ".join(row["failures"] + row["notes"]))
    return result


if __name__ == "__main__":
    raise SystemExit(main())
