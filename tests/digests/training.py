"""Two epochs of training: losses, regularizers, optimizers, schedules and other options."""

import tempfile
from pathlib import Path

import numpy as np

import biosnn as bs

from .common import DT, UNITS, fill, signed
from .registry import case

#: 16 trials of 60 ms in two classes.
DATA = bs.data.poisson(60.0, UNITS, 0.06, 16, seed=11, labels=np.arange(16) % 2)
STEPS = 60


def network(**options):
    """A recurrent layer "A" of 8 neurons and a readout."""
    net = bs.Network(DT)
    layer = bs.layer(net, net.input(UNITS), 8, name="A", recurrent=True, delay=1e-3, **options)
    net.connect(layer, net.readout(2, tau_mem=30e-3))
    return fill(net, 0.7)


def dalian_network():
    """A Dalian layer and a readout."""
    net = bs.Network(DT)
    e, _ = bs.dalian_layer(net, net.input(UNITS), 8, 4)
    net.connect(e, net.readout(2, tau_mem=30e-3))
    return fill(net, 0.7)


def curves(history):
    """The learning curves of a History that hold anything, without times."""
    found = {
        "loss": history.loss,
        "accuracy": history.score,
        "regularizer": history.regularizer,
        "validation_loss": history.validation_loss,
        "validation_accuracy": history.validation_score,
        "learning_rate": history.learning_rate,
    }
    return {name: curve for name, curve in found.items() if np.any(np.nan_to_num(curve))}


def parameters(net):
    """Weights, and what else training changes."""
    return {"weights of": dict(net.weights), "parameter": dict(net.parameters)}


def trained(net, targets=None, mask=None, spikes=DATA, **options):
    """Learning curves and parameters after two epochs."""
    options = {"epochs": 2, "batch": 6, "optimizer": bs.Adam(1e-2), "seed": 3} | options
    history = bs.train(net, spikes, targets, mask, progress=False, **options)
    return {"curve of": curves(history)} | parameters(net)


CROSS_ENTROPIES = (
    bs.MaxOverTimeCrossEntropy(),
    bs.SumOverTimeCrossEntropy(),
    bs.MeanOverTimeCrossEntropy(),
    bs.LastStepCrossEntropy(),
    bs.EveryStepCrossEntropy(),
    bs.FocalLoss(),
    bs.FocalLoss(1.0, bs.LastStepCrossEntropy()),
)


@case("cross-entropies: values, gradients, predictions, two epochs")
def cross_entropies():
    readout, labels = signed(5, STEPS, 2).astype(np.float32), np.array([0, 1, 1, 0, 1])
    result = {}
    for loss in CROSS_ENTROPIES:
        value, gradient = loss.value_and_gradient(readout, labels)
        result[repr(loss)] = {
            "value": value,
            "gradient": gradient,
            "prediction": loss.predict(readout),
            "score": loss.score(readout, labels),
        } | trained(network(), loss=loss)
    return result


@case("squared errors and patterns, with masks: values, gradients, two epochs")
def regressions():
    readout = signed(16, STEPS, 2).astype(np.float32)
    target = np.sin(np.arange(16 * STEPS * 2) / 7.0).reshape(16, STEPS, 2)
    mask = np.random.default_rng(5).random((16, STEPS))
    patterns = {0: target[0], 1: target[1]}
    givens = {
        "squared error": (bs.MeanSquaredError(), target, None),
        "masked squared error": (bs.MeanSquaredError(), target, mask),
        "patterns": (bs.PatternRegression(patterns), DATA.labels, None),
        "masked patterns": (bs.PatternRegression(patterns), DATA.labels, mask),
        "masked cross-entropy": (bs.EveryStepCrossEntropy(), DATA.labels, mask),
    }
    result = {}
    for name, (loss, wanted, weight) in givens.items():
        value, gradient = loss.value_and_gradient(readout, wanted, weight)
        result[name] = {"value": value, "gradient": gradient}
        result[name] |= trained(network(), wanted, weight, loss=loss)
    return result


@case("losses on spikes: values, gradients, two epochs")
def spike_losses():
    spikes = (np.random.default_rng(6).random((16, STEPS, 8)) < 0.05).astype(np.float32)
    wanted = bs.data.poisson(30.0, 8, 0.06, 16, seed=4)
    first, distance = bs.TimeToFirstSpike(10.0), bs.VanRossumDistance(8e-3)
    value, gradient = first.value_and_gradient(spikes, np.arange(16) % 8)
    result = {"first spike": {"value": value, "gradient": gradient}}
    result["first spike"] |= trained(network(), DATA.labels, loss=first, readout="A")
    value, gradient = bs.VanRossumDistance(8e-3, DT).value_and_gradient(spikes, wanted)
    result["van Rossum"] = {"value": value, "gradient": gradient}
    result["van Rossum"] |= trained(network(), wanted, loss=distance, readout="A")
    return result


@case("several readouts with losses and weights of their own")
def several_readouts():
    net = network()
    net.connect("A", net.readout(1, name="clock"), weights=signed(8, 1))
    loss = {"readout": bs.MaxOverTimeCrossEntropy(), "clock": (bs.MeanSquaredError(), 5.0)}
    elapsed = np.broadcast_to(np.linspace(0, 1, STEPS)[:, None], (16, STEPS, 1))
    return trained(net, {"readout": DATA.labels, "clock": elapsed}, loss=loss)


REGULARIZERS = {
    "upper bound of populations": [bs.upper_bound(0.1, 0.5)],
    "lower bound of neurons": [bs.lower_bound(1.0, 2.0, power=1, per="neuron")],
    "both, of A": [bs.upper_bound(0.1, 0.5, populations=("A",)), bs.lower_bound(1.0, 3.0)],
    "weight penalties": [
        bs.WeightPenalty(0.01),
        bs.WeightPenalty(0.01, power=1, projections=("A->A",)),
    ],
}


@case("regularizers, and priming")
def regularizers():
    result = {name: trained(network(), regularizers=given) for name, given in REGULARIZERS.items()}
    net = network()
    given = [bs.lower_bound(1.0, 2.0, per="neuron")]
    history = bs.prime(net, DATA, epochs=2, regularizers=given, batch=6, progress=False)
    return result | {"primed": {"curve of": curves(history)} | parameters(net)}


OPTIMIZERS = {
    "SGD": bs.SGD(0.05),
    "SGD with momentum": bs.SGD(0.05, momentum=0.9),
    "Adam": bs.Adam(1e-2, beta1=0.8, beta2=0.99),
    "AdamW": bs.AdamW(1e-2, weight_decay=0.1),
    "SMORMS3": bs.SMORMS3(1e-2),
}


@case("optimizers")
def optimizers():
    return {name: trained(dalian_network(), optimizer=given) for name, given in OPTIMIZERS.items()}


SCHEDULES = {
    "constant": bs.schedules.Constant(),
    "cosine with warm-up": bs.schedules.Cosine(0.1, 0.3),
    "step": bs.schedules.Step((0.4, 0.7), 0.2),
    "plateau": bs.schedules.OnPlateau(1, 0.5),
}


@case("schedules")
def schedules():
    return {
        name: trained(network(), schedule=given, epochs=4, optimizer=bs.SGD(0.3))
        for name, given in SCHEDULES.items()
    }


AUGMENTATIONS = [bs.TimeShift(5e-3), bs.Drop(0.1), bs.ChannelJitter(1.0), bs.Blend(0.5)]

OPTIONS = {
    "dropout": {"dropout": 0.3},
    "augmentation": {"augment": AUGMENTATIONS},
    "clipped gradients": {"clip": 0.05},
    "bounds": {"constraints": [bs.WeightConstraint(low=-0.5, high=0.5)]},
    "norms": {"constraints": [bs.WeightConstraint(norm=1.0, projections=("A->A",))]},
    "truncation": {"truncate": 10e-3, "loss": bs.EveryStepCrossEntropy()},
    "long recordings": {"stateful": True, "batch": 8},
    "differentiated reset": {"differentiate_reset": True},
    "validation": {"validation": 0.25},
    "early stopping": {"validation": 0.25, "early_stopping": 1, "epochs": 4},
    "one thread": {"threads": 1},
    "two threads": {"threads": 2},
}


@case("options of training")
def training_options():
    return {name: trained(network(), **options) for name, options in OPTIONS.items()}


@case("trainings of other networks: Dale's law, sparse, shared weights, learned tables, noise")
def networks():
    sparse = bs.Network(DT)
    a = sparse.population(8, bs.lif(), name="A")
    sparse.connect(sparse.input(UNITS), a, delay=1e-3, synapses=bs.Bernoulli(0.6), seed=1)
    sparse.connect(a, a, delay=bs.Uniform(0, 4e-3), synapses=bs.Bernoulli(0.4), seed=1)
    sparse.connect(a, sparse.readout(2), synapses=bs.FixedInDegree(5), seed=1)
    convolved = bs.Network(DT)
    layer, _ = bs.convolutional_layer(convolved, convolved.input(UNITS), (1, UNITS), 2, 3)
    convolved.connect(layer, convolved.readout(2))
    learned = bs.Network(DT)
    learn = {"mem": "neuron", "syn": "population", "adapt": "neuron", "jump": "neuron"}
    a = learned.population(8, bs.adaptive_lif(), name="A", learn=learn, bias=0.1)
    learned.connect(learned.input(UNITS), a)
    learned.connect(a, learned.readout(2, learn={"mem": "neuron"}, bias=0.0))
    noisy = bs.Network(DT)
    a = noisy.population(8, bs.lif(), name="A", noise=bs.SigmoidEscape(10))
    noisy.connect(noisy.input(UNITS), a)
    noisy.connect(a, noisy.readout(2))
    nets = {"sparse": sparse, "convolved": convolved, "learned": learned, "noisy": noisy}
    values = {name: trained(fill(net, 0.7)) for name, net in nets.items()}
    limit = [bs.WeightConstraint(high=0.8, norm=1.5)]
    return values | {"Dalian": trained(dalian_network(), constraints=limit, clip=1.0)}


def _arrays(path):
    """The arrays of a checkpoint, but for those of bytes (texts) and of wall times.

    Scores and parameters have the names that they had when the digests were taken.
    """
    with np.load(path) as stored:
        arrays = {
            name.replace("score", "accuracy").replace("parameter/", "tau/"): stored[name]
            for name in stored.files
        }
    return {
        name: array
        for name, array in arrays.items()
        if array.dtype != np.uint8 and "seconds" not in name
    }


@case("checkpoints, resumption, files of weights, evaluation")
def checkpoints():
    with tempfile.TemporaryDirectory() as folder:
        net, out = network(), Path(folder) / "training"
        values = {"first": trained(net, out=out, validation=0.25)}
        values["last.npz"], values["best.npz"] = (
            _arrays(out / "last.npz"),
            _arrays(out / "best.npz"),
        )
        options = {"out": out, "validation": 0.25, "epochs": 3, "start": "resume"}
        values["resumed"] = trained(net, **options)
        bs.save(net, Path(folder) / "weights.npz")
        other = network()
        bs.load_weights(other, Path(folder) / "weights.npz")
    found = bs.evaluate(other, DATA, batch=6)
    values |= {"loaded": parameters(other), "evaluation": str(found)}
    numbers = {"loss": found.loss, "accuracy": found.score, "rate of": found.rates}
    return values | {"evaluated": numbers | {"predictions": found.predictions}}
