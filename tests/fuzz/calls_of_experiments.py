"""Calls of sweeps (registry.py)."""

import biosnn as bs

from .objects import shown


def product(x, y=1, seed=0):
    return {"xy": x * y, "seeded": seed % 7}


def _sweep():
    return bs.sweep(product, {"x": [1, 2], "y": [3, 4]}, seeds=2, executor=1, progress=False)


def _columns(c, found):
    return found["xy"], found.digest, repr(found)


def _stored(c):
    options = {"executor": 1, "out": c.folder / "runs", "progress": False}
    bs.sweep(product, {"x": [1, 2]}, **options)
    return str(c.folder / "runs")


EXPERIMENTS = {
    "sweep": lambda c: (
        bs.sweep,
        {
            "function": product,
            "grid": {"x": [1, 2], "y": [3, 4]},
            "seeds": 2,
            "executor": 1,
            "out": str(c.folder / "runs"),
            "start": "resume",
            "retry": True,
            "version": "1",
            "seed": 0,
            "paired": True,
            "threads": 1,
            "batch": 1,
            "progress": False,
        },
        _columns,
    ),
    "sweep of points": lambda c: (
        bs.sweep,
        {
            "function": product,
            "grid": [{"x": 1}, {"x": 2}],
            "seeds": [1, 2],
            "executor": 1,
            "progress": False,
        },
        _columns,
    ),
    "experiments.design": lambda c: (
        bs.experiments.design,
        {
            "ranges": {"g": (3.0, 8.0), "n": (1, 4)},
            "n": 4,
            "method": "sobol",
            "log": ["g"],
            "whole": ["n"],
            "seed": 0,
        },
    ),
    "experiments.load_sweep": lambda c: (bs.experiments.load_sweep, {"folder": _stored(c)}),
    "experiments.Sweep.select": lambda c: (_sweep().select, {"x": 1, "y": [3, 4]}),
    "experiments.Sweep.to_frame": lambda c: (_sweep().to_frame, {}),
    "experiments.Sweep.plot": lambda c: (
        _sweep().plot,
        {"x": "x", "y": "xy", "hue": "y", "width": 8.5, "ax": None},
        shown,
    ),
}
