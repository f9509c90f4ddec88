"""Calls of what one does with a trained network: predictions, confusion, logs, class weights."""

import numpy as np

import biosnn as bs

from .objects import a_readout


def evaluation(c):
    return bs.Evaluation(0.1, 0.5, np.array([0, 1, 1]), {"E": 5.0}, labels=np.array([0, 1, 0]))


AFTER_TRAINING = {
    "predict": lambda c: (
        bs.predict,
        {
            "network": c.net,
            "spikes": c.spikes,
            "mask": np.ones((6, 20)),
            "loss": bs.EveryStepCrossEntropy(),
            "readout": "readout",
            "traces": True,
            "batch": 3,
            "threads": 1,
            "seed": 0,
            "background": c.background,
            "initial": {"E.U": bs.Uniform(0, 1)},
            "currents": {"E": np.zeros((6, 20, 1))},
            "stateful": False,
            "perturbations": [bs.perturb.Lesion("E", neurons=[0])],
        },
        lambda c, found: (found.probabilities, found.traces, found.rates),
    ),
    "Evaluation.confusion": lambda c: (evaluation(c).confusion, {"readout": None}),
    "Evaluation.class_accuracy": lambda c: (evaluation(c).class_accuracy, {"readout": None}),
    "EveryStepCrossEntropy.probabilities": lambda c: (
        bs.EveryStepCrossEntropy().probabilities,
        {"readout": a_readout(c), "mask": None},
    ),
    "balanced_class_weights": lambda c: (bs.balanced_class_weights, {"labels": [0, 1, 1, 2]}),
}
