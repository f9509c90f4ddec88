"""Rossbroich J, Gygax J, Zenke F (2022). Fluctuation-driven initialization for spiking neural network training.
Neuromorphic Computing and Engineering 2, 044016. https://doi.org/10.1088/2634-4386/ac97bb

    python -m models.rossbroich_2022 dalian          train an E/I network from its fluctuation-driven start
    python -m models.rossbroich_2022 fluctuations    their first figure: membranes at xi = 1, 2, 3
"""
import argparse
import json
import platform
import resource
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import biosnn as bs
from biosnn import plot
from biosnn.moments import psp_integrals

console = Console()

#: Of recorded words: another pitch, another beginning. Without them the network learns its training files by heart.
AUGMENTATIONS = (bs.ChannelShift(10), bs.TimeShift(20e-3))


# ---------------------------------------------------------------------------------------------- dalian

#: Dense: the paper's. Compact: the same near threshold and 0 elsewhere, which trains faster.
SURROGATES = {"dense": bs.SuperSpike(20), "compact": bs.TruncatedSuperSpike(20)}


#: Current: the paper's. Conductance: the same time constants; reversal potentials 6 times as far from rest as the threshold, and 2 times on the
#: other side (60 and -20 mV for a threshold of 10 mV). Each with the target membrane and the learning rates (Randman, files) that go with
#: it: conductances shorten the membrane's time constant and bound its fluctuations, and a smaller weight does the same.
NEURONS = {"current": bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=20e-3),
           "conductance": bs.conductance_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=20e-3, reversal_exc=6.0, reversal_inh=-2.0, threshold=1.0,
                                             refractory=0.0)}
TARGETS = {"current": dict(sigma_u=1.0, alpha=0.9), "conductance": dict(mu_u=0.2, sigma_u=0.5, alpha=0.9)}
RATES = {"current": (1e-2, 3e-3), "conductance": (4e-3, 1e-3)}


def build(n_inputs, duration, n_classes, surrogate=SURROGATES["dense"], neuron=NEURONS["current"]):
    """128 excitatory and 32 inhibitory neurons, every projection but I to readout; time constants of the paper."""
    net = bs.Network(dt=2e-3)
    x = net.input(n_inputs)
    e, _ = bs.dalian_layer(net, x, 128, 32, neuron=neuron, surrogate=surrogate)
    net.connect(e, net.readout(n_classes, tau_mem=duration))
    return net


def load(args):
    """Training, validation (or None) and test data, and what they are called."""
    if bool(args.train) != bool(args.test):
        raise SystemExit("give both --train and --test (SHD-layout HDF5 files), or neither to use Randman.")
    if args.train:
        return (bs.data.load_shd(args.train, duration=args.duration), None, bs.data.load_shd(args.test, duration=args.duration),
                Path(args.train).stem)
    train, validation, test = bs.data.split(bs.data.randman(seed=args.seed), seed=args.seed)
    return train, validation, test, "Randman"


def naive(net, factor=0.1):
    """Weights of plausible but unmatched scale: those of the initializer, all multiplied by `factor`."""
    for projection in net.projections:
        if net[projection.post].kind == "spiking":
            net.set_weights(projection.name, factor * net.weights[projection.name])


def dalian(args):
    """Initialize, train, evaluate, report."""
    train, validation, test, name = load(args)
    net = build(train.n_units, train.duration, int(max(train.labels.max(), test.labels.max())) + 1, SURROGATES[args.surrogate],
                NEURONS[args.neuron])
    report = bs.fluctuation_driven(net, train, **TARGETS[args.neuron], seed=args.seed, threads=args.threads)
    console.print(report)
    if args.init == "naive":
        naive(net)
        console.print("naive start: all weights onto spiking neurons times 1/10")
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    loss = bs.MaxOverTimeCrossEntropy()
    before = bs.evaluate(net, test, loss=loss, threads=args.threads)
    start = {p.name: net.weights[p.name].copy() for p in net.projections}
    figures(net, test, report, out, "before")
    history = bs.train(net, train, epochs=args.epochs, batch=args.batch, validation=validation, loss=loss,
                       optimizer=bs.Adam(args.lr), schedule=bs.Cosine(0.05) if args.cosine else bs.Constant(),
                       regularizers=[bs.upper_bound(0.1, 7)], augment=AUGMENTATIONS if args.augment else (), seed=args.seed, out=out,
                       start="resume" if args.resume else "overwrite", threads=args.threads)
    after, training = bs.evaluate(net, test, loss=loss, threads=args.threads), bs.evaluate(net, train, loss=loss,
                                                                                           threads=args.threads)
    result = {
        "test_accuracy": after.accuracy, "train_accuracy": training.accuracy, "history": history_rows(history),
        "rates_hz": {p: {"before": before.rates[p], "after": after.rates[p]} for p in after.rates},
        "init_report": report.as_dict(), "dale_violations": bs.audit(net).violations,
        "seconds_per_epoch": float(np.median(history.seconds)) if history.seconds.size else None,
        "peak_memory_mb": peak_memory(), "seed": args.seed, "init": args.init, "surrogate": args.surrogate, "neuron": args.neuron,
        "data": name,
        "interrupted": history.interrupted,
        "versions": {"biosnn": bs.__version__, "numpy": np.__version__, "python": platform.python_version()}}
    (out / "result.json").write_text(json.dumps(result, indent=1))
    figures(net, test, report, out, "after")
    others = {Path(folder).name: read_history(folder) for folder in args.beside}
    plot.history(history, others, label=f"{args.init} start").savefig(out / "history.png", dpi=120)
    changed = {name: float(np.abs(net.weights[name] - w).mean()) for name, w in start.items()}
    console.print(results_table(result, changed, name))
    console.print(f"result, checkpoints and figures: {out}/")


def read_history(folder):
    """The History in the result.json of another run."""
    path = Path(folder) / "result.json"
    try:
        rows = json.loads(path.read_text())["history"]
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"--beside {folder}: it must be the folder of a finished run, with a result.json ({error}).") from None

    def column(name):
        return np.array([np.nan if row.get(name) is None else row[name] for row in rows], float)
    empty = np.full(len(rows), np.nan)
    return bs.History(column("loss"), column("accuracy"), column("regularizer"), empty, column("validation"), empty, column("seconds"))


def history_rows(history):
    """Per epoch: loss, accuracy, regularizer, validation accuracy and seconds."""
    columns = history.as_dict()
    return [{"epoch": k + 1, "loss": columns["loss"][k], "accuracy": columns["accuracy"][k],
             "regularizer": columns["regularizer"][k], "validation": columns["validation_accuracy"][k],
             "seconds": columns["seconds"][k]} for k in range(len(columns["loss"]))]


def figures(net, test, report, out, when):
    """Activity, membrane and currents of one test trial, weights and the initializer's report."""
    trace = bs.run(net, test[:8], record=[f"E.{state}" for state in net["E"].neuron.states])
    row = next(p for p in report.populations if p.name == "E")
    plot.activity(trace).savefig(out / f"activity_{when}.png", dpi=120)
    plot.currents(trace, "E").savefig(out / f"currents_{when}.png", dpi=120)
    plot.membrane(trace, "E", theory=(row.mu_target, row.sigma_target) if when == "before" else None).savefig(
        out / f"membrane_{when}.png", dpi=120)
    plot.weights(net, report).savefig(out / f"weights_{when}.png", dpi=120)
    if when == "before":
        plot.initializer(report).savefig(out / "initializer.png", dpi=120)


def results_table(result, changed, name):
    table = Table(title=f"Dalian network on {name}, seed {result['seed']}, {result['init']} start", title_justify="left")
    table.add_column("quantity")
    table.add_column("value", justify="right")
    rows = [("test accuracy", f"{100 * result['test_accuracy']:.1f} %"),
            ("training accuracy", f"{100 * result['train_accuracy']:.1f} %")]
    rows += [(f"rate of {p}, before / after", f"{r['before']:.1f} / {r['after']:.1f} Hz") for p, r in result["rates_hz"].items()]
    rows += [("weights of the wrong sign", f"{result['dale_violations']}"),
             ("mean weight change, recurrent E to E", f"{changed['E->E']:.4f}"),
             ("time per epoch", f"{result['seconds_per_epoch'] or float('nan'):.2f} s"),
             ("peak memory", f"{result['peak_memory_mb']:.0f} MB")]
    for row in rows:
        table.add_row(*row)
    return table


def peak_memory():
    """Largest resident set of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


# ---------------------------------------------------------------------------------------------- fluctuations

def fluctuations(args):
    """5000 Poisson inputs at 3 Hz onto a neuron, with and without threshold, for xi = 1, 2, 3 (their figure 1)."""
    n, rate, duration, dt, neurons = 5000, 3.0, 10.0, 1e-3, 20
    spikes = bs.data.poisson(rate, n, duration, seed=args.seed)
    rng, neuron, rows = np.random.default_rng(args.seed), bs.lif(20e-3, 10e-3), []
    _, eps_hat = psp_integrals(neuron, dt, "syn")
    traces = {}
    for xi in (1.0, 2.0, 3.0):
        sigma_w = 1 / xi / np.sqrt(n * rate * (1 - rate * dt) * eps_hat)
        weights = rng.normal(0, sigma_w, (n, neurons))
        net = bs.Network(dt=dt)
        x = net.input(n)
        for name, model in (("free", bs.lif(20e-3, 10e-3, threshold=1e9)), ("spiking", neuron)):
            net.connect(x, net.population(neurons, model, name=name), weights=weights)
        trace = bs.run(net, spikes, record=["free.U", "spiking.U"], threads=args.threads)
        traces[xi] = (trace, sigma_w, weights)
        free = trace.states["free.U"][0, 200:]
        rows.append({"xi": xi, "sigma_w": float(sigma_w), "sigma_u_theory": 1 / xi, "sigma_u": float(np.sqrt(free.var(axis=0).mean())),
                     "rate_hz": float(trace.counts["spiking"].mean() / duration)})
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_text(json.dumps({"rows": rows, "seed": args.seed}, indent=1))
    fluctuations_figure(traces).savefig(out / "fluctuations.png", dpi=120)
    table = Table(title="Fluctuation-driven membranes: 5000 Poisson inputs at 3 Hz", title_justify="left")
    for heading in ("xi", "sd of weights", "sd of U, theory", "sd of U, measured", "rate (Hz)"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(f"{row['xi']:g}", *(f"{row[key]:.4f}" for key in ("sigma_w", "sigma_u_theory", "sigma_u")),
                      f"{row['rate_hz']:.2f}")
    console.print(table)
    console.print(f"result and figure: {out}/")


def fluctuations_figure(traces):
    """Rows: xi. Columns: weights, membrane without and with spikes, their histograms; theory in black."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    axes = figure.subplots(3, 4, width_ratios=(1, 2, 1, 1))

    def gaussian(x, sigma):
        return np.exp(-x ** 2 / (2 * sigma ** 2)) / (sigma * np.sqrt(2 * np.pi))
    for row, (xi, (trace, sigma_w, weights)) in zip(axes, traces.items()):
        grid = np.linspace(-4 * sigma_w, 4 * sigma_w, 200)
        row[0].hist(weights.ravel(), 60, density=True, color="0.7")
        row[0].plot(grid, gaussian(grid, sigma_w), "k")
        row[0].set(xlabel="weight", ylabel="density", title=f"ξ = {xi:g}, weights")
        shown = slice(0, 1000)
        row[1].plot(1e3 * trace.times[shown], trace.states["free.U"][0, shown, 0], color="0.6", label="no threshold")
        row[1].plot(1e3 * trace.times[shown], trace.states["spiking.U"][0, shown, 0], color="#0072B2", lw=0.9, label="spiking")
        row[1].axhline(1, color="k", ls=":", lw=1)
        row[1].set(xlabel="time (ms)", ylabel="membrane U\n(threshold = 1)", title="membrane", ylim=(-3.2, 2.5))
        u = np.linspace(-3.5, 3.5, 300)
        for axis, name, title in ((row[2], "free", "U without threshold"), (row[3], "spiking", "U with spikes")):
            axis.hist(trace.states[f"{name}.U"][0, 200:].ravel(), 80, range=(-3.5, 3.5), density=True,
                      color="0.7" if name == "free" else "#56B4E9")
            axis.plot(u, gaussian(u, 1 / xi), "k", label="theory")
            axis.axvline(1, color="k", ls=":", lw=1)
            axis.set(xlabel="membrane U", ylabel="density", title=title)
    axes[0, 1].legend(loc="lower right", fontsize=8, ncols=2)
    axes[0, 2].legend(loc="upper left", fontsize=8)
    return figure


# ---------------------------------------------------------------------------------------------- command line

def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m models.rossbroich_2022", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("dalian", help="train a network that obeys Dale's law", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    one.add_argument("--train", help="HDF5 file in the layout of the Spiking Heidelberg Digits (default: Randman)")
    one.add_argument("--test", help="the same, for testing")
    one.add_argument("--duration", type=float, default=0.7, help="seconds of each trial of the files")
    one.add_argument("--epochs", type=int, default=None, help="passes over the training data (Randman: 12, files: 60)")
    one.add_argument("--batch", type=int, default=None, help="trials per step (Randman: 100, files: 100)")
    one.add_argument("--lr", type=float, default=None, help="learning rate of Adam (Randman: 1e-2, files: 3e-3; conductances: 4e-3, 1e-3)")
    one.add_argument("--schedule", choices=("constant", "cosine"), default=None,
                     help="of the learning rate; cosine unless --lr is given")
    one.add_argument("--augment", action=argparse.BooleanOptionalAction, default=None,
                     help="shift every presentation of a trial over channels and in time (default: for files)")
    one.add_argument("--init", choices=("fluctuation", "naive"), default="fluctuation", help="start of the weights")
    one.add_argument("--surrogate", choices=SURROGATES, default="dense", help="SuperSpike, everywhere or within 0.2 of threshold only")
    one.add_argument("--neuron", choices=NEURONS, default="current", help="synaptic currents, as in the paper, or conductances")
    one.add_argument("--beside", nargs="*", default=[], metavar="DIR",
                     help="folders of other runs, whose learning curves are drawn beside this one's")
    one.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    two = commands.add_parser("fluctuations", help="membranes at xi = 1, 2, 3", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for command in (one, two):
        command.add_argument("--seed", type=int, default=0, help="of data, weights and order")
        command.add_argument("--threads", type=int, default=None, help="default: all processors")
        command.add_argument("--out", default=None, help="folder for results (default: runs/<command>)")
    args = parser.parse_args(arguments)
    args.out = args.out or f"runs/{args.command}"
    if args.command == "dalian":
        args.augment = bool(args.train) if args.augment is None else args.augment
        args.cosine = args.schedule == "cosine" or (args.schedule is None and args.lr is None)
        defaults = (60, 100, RATES[args.neuron][1]) if args.train else (12, 100, RATES[args.neuron][0])
        args.epochs, args.batch, args.lr = (given if given is not None else default for given, default in
                                            zip((args.epochs, args.batch, args.lr), defaults))
    {"dalian": dalian, "fluctuations": fluctuations}[args.command](args)


if __name__ == "__main__":
    main()
