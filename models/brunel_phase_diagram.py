"""
Brunel (2000): the phase diagram over g and η
=============================================

Brunel N (2000). Dynamics of sparsely connected networks of excitatory and inhibitory spiking
neurons. Journal of Computational Neuroscience 8, 183-208. https://doi.org/10.1023/A:1008925309027

Rate, irregularity and synchrony of model A over the relative strength of inhibition g and the
external input η (their figure 2), as a sweep. By default 25 points of a small network; the whole
diagram has 400 points of the whole network::

    python -m models.brunel_phase_diagram
    python -m models.brunel_phase_diagram --points 400 --scale 1 --seconds 1 --folder runs/brunel

With ``--folder`` each point is stored as it comes, and what is there is not computed again.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import biosnn as bs

from . import command_line
from .activity import population_statistics
from .brunel_2000 import WARM_UP, background, build, theory
from .command_line import number

G, ETA = (3.0, 8.0), (0.5, 4.0)
PANELS = ("rate_hz", "cv", "synchrony")


def state(g: float, eta: float, scale: float, seconds: float, seed: int) -> dict[str, Any]:
    """Rate, irregularity and synchrony of the excitatory neurons at one point."""
    net, noise = build(g, scale, seed), background(eta)
    warm = bs.simulate(net, WARM_UP, background=noise, seed=seed)
    done = bs.simulate(net, seconds, background=noise, state=warm.state)
    statistics = population_statistics(done.spikes["E"], 1e-3)
    return {**statistics, "rate_theory_hz": theory(g, eta, scale)}


def diagram(args: argparse.Namespace) -> bs.experiments.Sweep:
    """The sweep over a square grid of g and η."""
    side = max(2, round(math.sqrt(args.points)))
    grid = {
        "g": np.linspace(*G, side).tolist(),
        "eta": np.linspace(*ETA, side).tolist(),
        "scale": args.scale,
        "seconds": args.seconds,
    }
    options = {"executor": args.workers, "out": args.folder, "seed": args.seed}
    return bs.sweep(state, grid, **options)


def figure(sweep: bs.experiments.Sweep) -> Figure:
    """A map of each measure."""
    drawing = Figure(figsize=(12, 3.4), layout="constrained")
    for axis, name in zip(drawing.subplots(1, len(PANELS)), PANELS):
        sweep.plot("g", "eta", name, ax=axis)
        axis.axvline(4, color="white", lw=1, ls="--")  # below, excitation wins (4 E neurons per I)
    return drawing


def show(sweep: bs.experiments.Sweep) -> None:
    """Print the corners of the diagram."""
    names = ("rate_hz", "rate_theory_hz", "cv", "synchrony")
    corners = [
        point
        for point in sweep.points
        if point.parameters["g"] in G and point.parameters["eta"] in ETA and point.error is None
    ]
    command_line.show(
        f"{len(sweep)} points; the corners",
        ("g", "η", "E (Hz)", "theory (Hz)", "CV", "sync."),
        [
            (
                *(f"{point.parameters[name]:g}" for name in ("g", "eta")),
                *(number(point.numbers[name]) for name in names),
            )
            for point in corners
        ],
        keys=2,
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the sweep from the command line."""
    parser = command_line.output_parser("brunel_phase_diagram", __doc__ or "")
    parser.add_argument("--points", type=int, default=25, help="a square number (default 25)")
    parser.add_argument("--scale", type=float, default=0.2, help="of the network (default 0.2)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a point (default 0.3)")
    parser.add_argument("--seed", type=int, default=0, help="of the sweep (default 0)")
    parser.add_argument("--workers", type=int, default=None, help="default: all processors")
    parser.add_argument("--folder", default=None, help="where points are stored")
    args = parser.parse_args(arguments)
    command_line.check_options(parser, args)
    sweep = diagram(args)
    show(sweep)
    rows = [{**point.parameters, **point.numbers} for point in sweep.points]
    command_line.save(args, lambda: figure(sweep), "phase_diagram.png", rows)
    if args.folder:
        print(f"points: {Path(args.folder)}")


if __name__ == "__main__":
    main()
