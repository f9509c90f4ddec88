"""One training with all that is measured of it, and the results of an experiment on disk."""

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

import biosnn as bs

from ..command_line import peak_memory
from .networks import Data, classes, forward_projections

console = Console()
LOSS = bs.MaxOverTimeCrossEntropy()

#: Of recorded words: another pitch, another beginning. Without them the network learns its
#: training files by heart.
AUGMENTATIONS = (bs.ChannelShift(10), bs.TimeShift(20e-3))

SILENT = 0.1  # Hz: a layer below this mean rate is called silent

Row = dict[str, Any]

# ------------------------------------------------------------------------------------- one training


def gradient_norms(
    net: bs.Network, trials: bs.SpikeTrains, threads: int | None = None
) -> list[float]:
    """Euclidean norms of the gradient of the loss by the weights from layer to layer."""
    trace = bs.run(net, trials, tape=True, threads=threads)
    _, slope = LOSS.value_and_gradient(trace.states["readout.U"], trials.labels)
    weights = bs.gradient(trace, states={"readout.U": slope}, threads=threads).weights
    return [float(np.linalg.norm(weights[name].astype(float))) for name in forward_projections(net)]


def homeostasis(upper: float, lower: bool = True) -> list[Any]:
    """The paper's bounds on the spikes of a trial.

    No neuron without a spike (strength 100 at 1e-3 spikes), no population above `upper` on average.
    """
    bounds: list[Any] = [bs.lower_bound(100, 1e-3, per="neuron")] if lower else []
    return [*bounds, bs.upper_bound(0.1, upper)]


def schedule(args: argparse.Namespace) -> Any:
    """The schedule of the learning rate."""
    return bs.schedules.Cosine(0.05) if args.cosine else bs.schedules.Constant()


def augmentations(args: argparse.Namespace) -> tuple:
    """What happens to every presentation of a trial."""
    return AUGMENTATIONS if args.augment else ()


def learn(
    net: bs.Network,
    data: Data,
    args: argparse.Namespace,
    seed: int,
    *,
    title: str,
    lower: bool = True,
    optimizer: Any = None,
) -> Row:
    """Train from the weights as they are.

    Parameters
    ----------
    title
        Printed before.
    lower
        Whether the number of spikes of every neuron has a lower bound.
    optimizer
        Default: Adam.

    Returns
    -------
    Accuracies, and rates by layer and norms of gradients before and after.
    """
    train, validation, test = data
    console.print(title)
    before = bs.evaluate(net, test, loss=LOSS, threads=args.threads)
    norms = gradient_norms(net, train[: args.batch], args.threads)
    history = bs.train(
        net,
        train,
        epochs=args.epochs,
        batch=args.batch,
        validation=validation,
        loss=LOSS,
        optimizer=optimizer or bs.Adam(args.lr),
        schedule=schedule(args),
        regularizers=homeostasis(20 * train.duration if args.upper is None else args.upper, lower),
        augment=augmentations(args),
        seed=seed,
        threads=args.threads,
        progress=console.is_terminal,
    )
    after = bs.evaluate(net, test, loss=LOSS, threads=args.threads)
    rates = ", ".join(f"{rate:.1f}" for rate in after.rates.values())
    console.print(f"   test accuracy {100 * after.accuracy:.1f} %, rates {rates} Hz")
    return {
        "seed": seed,
        "layers": len(net.spiking),
        "lower_bound": lower,
        "test_accuracy": after.accuracy,
        "classes": classes(data),
        "rates_hz": rates_before_and_after(before, after),
        "silent_layers": {"before": silent_layers(before), "after": silent_layers(after)},
        "gradient_norms": norms,
        "history": history_rows(history),
        "interrupted": history.interrupted,
        "seconds_per_epoch": seconds_per_epoch(history),
    }


def rates_before_and_after(before: bs.Evaluation, after: bs.Evaluation) -> dict[str, Row]:
    """Mean rates (Hz) of every population."""
    return {p: {"before": before.rates[p], "after": after.rates[p]} for p in after.rates}


def silent_layers(evaluation: bs.Evaluation) -> int:
    """How many populations are silent."""
    return sum(rate < SILENT for rate in evaluation.rates.values())


def seconds_per_epoch(history: bs.History) -> float | None:
    """The median; None if no epoch was completed."""
    return float(np.median(history.seconds)) if history.seconds.size else None


def history_rows(history: bs.History) -> list[Row]:
    """Loss, accuracy, regularizer, validation accuracy and seconds of every epoch."""
    columns = history.as_dict()
    return [
        {
            "epoch": k + 1,
            "loss": columns["loss"][k],
            "accuracy": columns["score"][k],
            "regularizer": columns["regularizer"][k],
            "validation": columns["validation_score"][k],
            "seconds": columns["seconds"][k],
        }
        for k in range(len(columns["loss"]))
    ]


# ------------------------------------------------------------------------------------------ results


class Results:
    """The rows of an experiment.

    They are written to result.json (and --json) after every one, so that Ctrl-C loses none.
    """

    def __init__(self, args: argparse.Namespace, data: str) -> None:
        self.args = args
        self.rows: list[Row] = []
        self.out = Path(args.out)
        self.out.mkdir(parents=True, exist_ok=True)
        not_settings = ("command", "out", "json", "threads", "train", "test")
        settings = {key: value for key, value in vars(args).items() if key not in not_settings}
        self.head: Row = {
            "experiment": args.command,
            "data": data,
            "settings": settings,
            "versions": versions(),
        }

    def add(self, row: Row) -> None:
        """Keep and write a row; SystemExit if Ctrl-C ended its training."""
        self.rows.append(row)
        self.save()
        if row.get("interrupted"):
            raise SystemExit(f"interrupted; what was done so far: {self.out / 'result.json'}")

    def save(self, **more: Any) -> None:
        """Write all rows, and what else is to be said of the experiment."""
        self.head |= more
        everything = self.head | {"rows": self.rows, "peak_memory_mb": peak_memory()}
        write(self.args, everything)

    def figure(self, figure: Figure, name: str) -> None:
        """Write the figure of the experiment, the last thing that is done."""
        figure.savefig(self.out / name, dpi=120)
        print(f"result and figure: {self.out / 'result.json'}, {self.out / name}")


def write(args: argparse.Namespace, result: Row) -> None:
    """Write a result to result.json in --out, and to --json."""
    text = json.dumps(result, indent=1)
    for path in (Path(args.out, "result.json"), args.json):
        if path:
            Path(path).write_text(text)


def read(folder: str, key: str, experiment: str | None = None) -> Any:
    """One entry of the result.json of another run; SystemExit if there is no such thing."""
    path = Path(folder) / "result.json"
    try:
        result = json.loads(path.read_text())
        if experiment is not None and result["experiment"] != experiment:
            raise KeyError(f"it is a run of {result['experiment']}")
        return result[key]
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(
            f"--beside {folder}: it must be the folder of a finished run of the same experiment, "
            f"with a result.json ({error})."
        ) from None


def versions() -> dict[str, str]:
    """What the numbers were computed with."""
    return {"biosnn": bs.__version__, "numpy": np.__version__, "python": platform.python_version()}
