"""Calls that hand results to other programs and take theirs (registry.py).

INTEROP: those whose packages are here. WITHOUT: the others, and what they need.
"""

import importlib.util

import numpy as np

import biosnn as bs

from .objects import STEP


def _file(c, writer, name):
    """The path of a file with the spikes of a simulation."""
    writer(c.simulation, c.folder / name)
    return str(c.folder / name)


def _recording(c):
    return bs.data.Recording({"E": c.spikes}, units={"U": "mV"})


_CALLS = {
    "data.Recording": (
        "numpy",
        lambda c: (
            bs.data.Recording,
            {
                "spikes": {"E": c.spikes},
                "start": 0.1,
                "states": {"E.U": np.ones((6, 2, 3))},
                "state_times": [0.0, 0.01],
                "neurons": {"E.U": [2, 0, 1]},
                "units": {"U": "mV"},
                "signs": {"E": "excitatory"},
                "dt": STEP,
            },
            lambda c, r: (repr(r), r.ends, r["E"]),
        ),
    ),
    "data.Recording.unit": ("numpy", lambda c: (_recording(c).unit, {"state": "E.U"})),
    "interop.to_neo": (
        "neo",
        lambda c: (bs.interop.to_neo, {"source": c.trace, "units": {"U": "mV"}}),
    ),
    "interop.from_neo": (
        "neo",
        lambda c: (
            bs.interop.from_neo,
            {"block": bs.interop.to_neo(c.trace), "population": "E"},
        ),
    ),
    "interop.to_frame": (
        "pandas",
        lambda c: (bs.interop.to_frame, {"source": c.trace, "what": "rates", "rate_bin": 0.005}),
    ),
    "interop.to_xarray": (
        "xarray",
        lambda c: (
            bs.interop.to_xarray,
            {"source": c.simulation, "units": {"E.U": "mV"}, "rate_bin": 0.01},
        ),
    ),
    "interop.from_xarray": (
        "xarray",
        lambda c: (bs.interop.from_xarray, {"dataset": bs.interop.to_xarray(c.trace)}),
    ),
    "interop.to_nwb": (
        "pynwb",
        lambda c: (
            bs.interop.to_nwb,
            {
                "source": {"E": c.spikes},
                "path": str(c.folder / "run.nwb"),
                "units": {},
                "session": {"lab": "ours"},
            },
        ),
    ),
    "interop.from_nwb": (
        "pynwb",
        lambda c: (
            bs.interop.from_nwb,
            {"path": _file(c, bs.interop.to_nwb, "run.nwb"), "population": "E"},
        ),
    ),
    "interop.to_sonata": (
        "h5py",
        lambda c: (
            bs.interop.to_sonata,
            {"source": c.simulation, "path": str(c.folder / "spikes.h5")},
        ),
    ),
    "interop.from_sonata": (
        "h5py",
        lambda c: (
            bs.interop.from_sonata,
            {
                "path": _file(c, bs.interop.to_sonata, "spikes.h5"),
                "n_units": {"E": 6},
                "start": 0.0,
                "duration": 0.05,
            },
        ),
    ),
    "interop.to_nir": ("nir", lambda c: (bs.interop.to_nir, {"network": c.net, "spike": "step"})),
    "interop.from_nir": (
        "nir",
        lambda c: (
            bs.interop.from_nir,
            {
                "graph": bs.interop.to_nir(c.net),
                "dt": STEP,
                "spike": "step",
                "integrator": "euler",
                "dtype": np.float64,
            },
            lambda c, net: bs.run(net, c.spikes, threads=1).states,
        ),
    ),
}

INTEROP = {
    name: call for name, (package, call) in _CALLS.items() if importlib.util.find_spec(package)
}
WITHOUT = {name: f"needs {package}" for name, (package, _) in _CALLS.items() if name not in INTEROP}
