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


_NEURONS = {"population": "E", "neurons": [0, 2, 3, 5], "fraction": 0.5, "seed": 0}
_WINDOW = {"start": 2e-3, "stop": 10e-3}
_PAIRS = {"projection": "E->I", "pre": [0, 1, 2, 3], "post": [0, 1], "fraction": 0.5, "seed": 0}

PERTURBATIONS = {
    "perturb.Silence": lambda c: (bs.perturb.Silence, _NEURONS | _WINDOW, perturbs),
    "perturb.Clamp": lambda c: (bs.perturb.Clamp, _NEURONS | _WINDOW | {"value": 0.2}, perturbs),
    "perturb.Stimulate": lambda c: (
        bs.perturb.Stimulate,
        _NEURONS | _WINDOW | {"current": 2.0},
        perturbs,
    ),
    "perturb.Lesion": lambda c: (bs.perturb.Lesion, _NEURONS, perturbs),
    "perturb.LesionSynapses": lambda c: (bs.perturb.LesionSynapses, _PAIRS, perturbs),
    "perturb.Scale": lambda c: (bs.perturb.Scale, _PAIRS | {"factor": 0.5}, perturbs),
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
