"""Calls of perturbations (registry.py)."""

import biosnn as bs


def perturbs(c, result):
    """A perturbation in a run and in a simulation of a sparse circuit."""
    bs.audit(c.circuit, perturbations=[result])
    repr(result)
    trace = bs.run(c.circuit, duration=0.02, perturbations=[result], threads=1)
    return trace.spikes, bs.simulate(
        c.circuit, 0.02, perturbations=[result], progress=False, threads=1
    ).spikes


def _neurons(**more):
    return {"population": "E", "neurons": [0, 2, 3, 5], "fraction": 0.5, "seed": 0, **more}


def _window(**more):
    return _neurons(start=2e-3, stop=10e-3, **more)


def _pairs(**more):
    ends = {"pre": [0, 1, 2, 3], "post": [0, 1]}
    return {"projection": "E->I", "fraction": 0.5, "seed": 0, **ends, **more}


PERTURBATIONS = {
    "perturb.Silence": lambda c: (bs.perturb.Silence, _window(), perturbs),
    "perturb.Clamp": lambda c: (bs.perturb.Clamp, _window(value=0.2), perturbs),
    "perturb.Stimulate": lambda c: (
        bs.perturb.Stimulate,
        _window(current=2.0),
        perturbs,
    ),
    "perturb.Lesion": lambda c: (bs.perturb.Lesion, _neurons(), perturbs),
    "perturb.LesionSynapses": lambda c: (bs.perturb.LesionSynapses, _pairs(), perturbs),
    "perturb.Scale": lambda c: (bs.perturb.Scale, _pairs(factor=0.5), perturbs),
    "perturb.Rewire": lambda c: (
        bs.perturb.Rewire,
        {"projection": "E->E", "fraction": 0.5, "preserve": "in-degree", "seed": 0},
        perturbs,
    ),
    "perturb.apply": lambda c: (
        bs.perturb.apply,
        {"network": c.circuit, "perturbations": [bs.perturb.Lesion("E", fraction=0.5)]},
        lambda c, net: net.fingerprint(),
    ),
}
