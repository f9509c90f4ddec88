"""
Sweeps
======

Accuracy after training over the size of fluctuations and the feed-forward share of the variance
with which a network starts (Rossbroich, Gygax & Zenke 2022); the same again from files; a design
of quasi-random points::

    python -m models.examples.sweep
    python -m models.examples.sweep --side 10 --epochs 40 --seeds 5 --workers 8 --folder runs/starts
"""

import argparse
import tempfile
from typing import Any

import numpy as np

import biosnn as bs


def trained(sigma_u: float, alpha: float, epochs: int, seed: int) -> dict[str, Any]:
    """Train a recurrent Dalian network from one start: its accuracy on trials that it never saw."""
    data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=150, smoothness=2.0, seed=1)
    train, _, test = bs.data.split(data, seed=1)
    net = bs.Network(dt=2e-3)
    E, _ = bs.dalian_layer(net, net.input(data.n_units), 60, 20)
    net.connect(E, net.readout(2, tau_mem=data.duration))
    report = bs.fluctuation_driven(
        net, train, sigma_u=sigma_u, alpha=alpha, seed=seed, closed_loop=False
    )
    history = bs.train(net, train, epochs=epochs, batch=50, optimizer=bs.Adam(5e-3), seed=seed)
    return {
        "accuracy": bs.evaluate(net, test).accuracy,
        "rate_at_start_hz": report["E"].predicted.rate,
        "loss": history.loss,  # an array
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Print the accuracy over both parameters, and how a sweep goes on."""
    args = _parser().parse_args([] if arguments is None else arguments)
    grid = {
        "sigma_u": np.geomspace(0.5, 1.5, args.side).tolist(),
        "alpha": np.linspace(0.1, 0.9, args.side).tolist(),
        "epochs": args.epochs,
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or temporary
        options: dict[str, Any] = {"seeds": args.seeds, "out": folder, "progress": False}
        options["executor"] = args.workers
        first = bs.sweep(trained, grid, **options)
        print(first)
        again = bs.sweep(trained, grid, **options)
        print(f"the same call again computes {again.computed} points: {again.digest}")
        losses = first["loss"]
    for point in first.points[:: args.seeds]:
        sigma, alpha = point.parameters["sigma_u"], point.parameters["alpha"]
        accuracy = first.select(sigma_u=sigma, alpha=alpha)["accuracy"].mean()
        print(f"sigma_u {sigma:.2f}, alpha {alpha:.2f}: accuracy {accuracy:.2f}")
    ranges = {"sigma_u": (0.5, 1.5), "alpha": (0.1, 0.9)}
    design = bs.experiments.design(ranges, 8, log=["sigma_u"], seed=1)
    chosen = ", ".join(f"{point['sigma_u']:.2f}" for point in design)
    print(f"8 points of Sobol's sequence, sigma_u: {chosen}")
    first.plot("sigma_u", "accuracy", "alpha")
    return {"sweep": first, "again": again, "losses": losses, "design": design}


def _parser():
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.examples.sweep", description=__doc__)
    parser.add_argument("--side", type=int, default=2, help="values of each parameter (default 2)")
    parser.add_argument("--epochs", type=int, default=15, help="of a training (default 15)")
    parser.add_argument("--seeds", type=int, default=1, help="of each point (default 1)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--folder", default=None, help="where points are stored")
    return parser


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
