"""Losses, regularizers, constraints, optimizers and schedules as a user writes them.

None of these classes inherits from the library: each has the methods of its protocol, and nothing
more.
"""

from dataclasses import dataclass

import numpy as np
import pytest

import biosnn as bs
from biosnn.training import protocols

QUIET = dict(progress=False, threads=1, seed=5)


@dataclass(frozen=True)
class AbsoluteErrorAtTheEnd:
    """Of the last step."""

    classifies = False

    def check(self, target, n_trials, steps, n_units):
        if np.shape(target) != (n_trials, n_units):
            raise ValueError("the target must be (trial, unit).")

    def total_weight(self, shape, mask=None):
        return float(shape[0])

    def value_and_gradient(self, readout, target, mask=None, total=None):
        error = (readout[:, -1] - target) / (total or len(readout))
        gradient = np.zeros_like(readout)
        gradient[:, -1] = np.sign(error) / (total or len(readout))
        return np.abs(error).sum(), gradient

    def predict(self, readout, mask=None):
        return readout[:, -1]

    def score(self, readout, target, mask=None):
        return -np.abs(readout[:, -1] - target).mean(axis=1)


@dataclass(frozen=True)
class TargetCount:
    """Pulls the count of every neuron towards a number of spikes."""

    strength: float
    spikes: float
    looks_at = "counts"

    def applies_to(self, name):
        return name == "E"

    def value_and_gradient(self, counts):
        error = counts - self.spikes
        return self.strength * np.mean(error**2), 2 * self.strength * error / error.size


@dataclass(frozen=True)
class Centred:
    """Pulls weights towards a value."""

    value: float
    looks_at = "weights"

    def applies_to(self, name):
        return name == "E->readout"

    def value_and_gradient(self, weights):
        error = weights - np.float32(self.value)
        return float(np.sum(error**2)), 2 * error


@dataclass(frozen=True)
class Quantized:
    """Multiples of a step."""

    step: float = 1 / 64

    def applies_to(self, projection):
        return projection == "E->readout"

    def apply(self, weights, synapses):
        weights[...] = self.step * np.round(weights / self.step)


@dataclass(frozen=True)
class Shifted:
    """What knows nothing of Dale's law."""

    by: float = -0.1

    def applies_to(self, projection):
        return True

    def apply(self, weights, synapses):
        weights += np.float32(self.by)


@dataclass(frozen=True)
class SignDescent:
    """The sign of the gradient alone."""

    learning_rate: float = 1e-3

    def start(self, n, dtype):
        return {"steps": np.zeros((), np.int64)}

    def step(self, parameters, gradient, state, rate):
        state["steps"] += 1
        parameters -= (rate * np.sign(gradient)).astype(parameters.dtype)


@dataclass(frozen=True)
class Linear:
    """A linear decay, which waits for the first epoch with a loss."""

    final: float = 0.1

    def factor(self, progress, losses):
        return 1 + (self.final - 1) * progress if len(losses) else 1.0


def data():
    return bs.data.randman(
        n_classes=2, n_units=10, samples_per_class=20, duration=0.06, active=0.04, seed=0
    )


def network():
    net = bs.Network(2e-3)
    e, _ = bs.dalian_layer(net, net.input(10), 12, 4)
    net.connect(e, net.readout(2, tau_mem=0.06))
    bs.fluctuation_driven(net, data(), sigma_u=1.0, seed=2, closed_loop=False, progress=False)
    return net


def fit(net, epochs=2, **options):
    return bs.train(net, data(), epochs=epochs, batch=20, **QUIET, **options)


def test_a_loss_of_a_user_trains():
    net, targets = network(), np.tile([0.3, -0.2], (40, 1)).astype(np.float32)
    options = dict(loss=AbsoluteErrorAtTheEnd(), optimizer=bs.Adam(2e-2))
    before = bs.evaluate(net, data(), targets, loss=AbsoluteErrorAtTheEnd())
    history = bs.train(net, data(), targets, epochs=30, batch=20, **QUIET, **options)
    after = bs.evaluate(net, data(), targets, loss=AbsoluteErrorAtTheEnd())
    assert history.loss[-1] < 0.5 * history.loss[0]
    assert after.loss < 0.5 * before.loss
    assert after.loss == pytest.approx(np.abs(after.predictions - targets).sum(axis=1).mean())
    assert after.score == pytest.approx(-np.abs(after.predictions - targets).mean())
    assert after.score_name == history.score_name == "negative error"


def test_a_regularizer_of_counts_of_a_user_trains():
    net, term = network(), TargetCount(1.0, 3.0)
    history = bs.prime(
        net, data(), epochs=40, batch=20, regularizers=[term], optimizer=bs.Adam(1e-2), **QUIET
    )
    counts = bs.run(net, data()).counts["E"]
    assert history.regularizer[-1] < 0.7 * history.regularizer[0]
    assert term.value_and_gradient(counts)[0] < 0.7 * history.regularizer[0]


def test_a_regularizer_of_counts_of_a_user_is_the_one_of_the_library():
    """Written by hand, an upper bound for each neuron gives the same weights."""

    @dataclass(frozen=True)
    class Upper:
        looks_at = "counts"

        def applies_to(self, name):
            return True

        def value_and_gradient(self, counts):
            excess = np.maximum(0, counts.astype(float) - 1)
            return 0.1 * (excess**2).mean(), 0.2 * excess / excess.size

    mine, theirs = network(), network()
    fit(mine, regularizers=[Upper()])
    fit(theirs, regularizers=[bs.upper_bound(0.1, 1, per="neuron")])
    for name, weights in theirs.weights.items():
        np.testing.assert_allclose(mine.weights[name], weights, atol=1e-6)


def test_a_regularizer_of_weights_of_a_user_trains():
    net = network()
    bs.prime(
        net, data(), epochs=60, batch=20, regularizers=[Centred(0.25)], optimizer=bs.SGD(0.1),
        **QUIET,
    )  # fmt: skip
    np.testing.assert_allclose(net.weights["E->readout"], 0.25, atol=1e-3)


def test_a_constraint_of_a_user_holds_after_training():
    net = network()
    before = net.weights["E->readout"].copy()
    fit(net, constraints=[Quantized()], optimizer=bs.Adam(2e-2))
    weights = 64 * net.weights["E->readout"]
    assert np.array_equal(weights, np.round(weights))
    assert not np.allclose(net.weights["E->readout"], before)


def test_a_constraint_that_does_not_know_dales_law_cannot_break_it():
    net = network()
    fit(net, constraints=[Shifted()])
    assert bs.audit(net).violations == 0
    assert min(net.weights[p.name].min() for p in net.projections if p.non_negative) == 0
    assert net.weights["E->readout"].min() < 0  # a readout may have either sign


def test_a_constraint_that_leaves_the_numbers_is_named_and_undone():
    net = network()
    before = {name: weights.copy() for name, weights in net.weights.items()}
    with pytest.raises(ValueError, match=r"epoch 0, batch 0: what Shifted\(by=nan\) makes of the"):
        fit(net, constraints=[Shifted(np.nan)])
    assert all(np.array_equal(net.weights[name], before[name]) for name in before)


def test_an_optimizer_of_a_user_steps_by_the_sign_and_is_resumed(tmp_path):
    whole, parts = network(), network()
    before = whole.weights["E->readout"].copy()
    fit(whole, 1, optimizer=SignDescent(2.0**-10))
    steps = (whole.weights["E->readout"] - before) * 2**10  # two batches
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    assert np.abs(steps).max() == pytest.approx(2, abs=1e-3)
    fit(whole, 2, optimizer=SignDescent(), out=tmp_path / "whole")
    fit(parts, 1, optimizer=SignDescent(2.0**-10))
    for epochs in (1, 2):
        fit(parts, epochs, optimizer=SignDescent(), out=tmp_path / "parts", start="resume")
    for name, weights in whole.weights.items():
        assert np.array_equal(parts.weights[name], weights)


@pytest.mark.parametrize("state", [None, {"steps": 0}, {1: np.zeros(2)}])
def test_the_state_of_an_optimizer_is_arrays_that_a_checkpoint_can_hold(state):
    @dataclass(frozen=True)
    class Wrong(SignDescent):
        def start(self, n, dtype):
            return state

    net = network()
    before = net.weights["E->readout"].copy()
    with pytest.raises(ValueError, match="start has returned .*; it must return a dict of name"):
        fit(net, 1, optimizer=Wrong())
    assert np.array_equal(net.weights["E->readout"], before)


def test_a_schedule_of_a_user_sets_the_learning_rate():
    history = fit(network(), 4, schedule=Linear(0.2), optimizer=bs.SGD(0.5))
    shares = (np.arange(4) + 0.5) / 4  # of the second and last batch of each epoch
    expected = 0.5 * (1 - 0.8 * shares)
    expected[0] = 0.5
    np.testing.assert_allclose(history.learning_rate, expected)


PARTS = {
    "loss": (bs.Loss, AbsoluteErrorAtTheEnd()),
    "regularizers": (bs.Regularizer, TargetCount(0.1, 2.0)),
    "constraints": (bs.Constraint, Quantized()),
    "optimizer": (bs.Optimizer, SignDescent()),
    "schedule": (bs.Schedule, Linear()),
}


def without(part, method):
    """An object with all that `part` has but one method or attribute."""
    kept = {
        name: getattr(type(part), name, None) or getattr(part, name)
        for protocol in (protocols._METHODS, protocols._ATTRIBUTES)
        for names in protocol.values()
        for name in names
        if hasattr(part, name) and name != method
    }
    return type("Own", (), kept)()


@pytest.mark.parametrize("argument", PARTS)
def test_what_lacks_a_method_is_refused_in_words_that_name_it(argument):
    protocol, part = PARTS[argument]
    needed = protocols._METHODS[protocol] + protocols._ATTRIBUTES.get(protocol, ())
    for method in needed:
        own = without(part, method)
        many = argument in ("regularizers", "constraints")
        with pytest.raises(ValueError, match="must be a description such as") as caught:
            fit(network(), **{argument: [own] if many else own})
        words = str(caught.value)
        others_left = any(hasattr(own, other) for other in protocols._METHODS[protocol])
        assert (f"needs {method} " in words) == others_left
        assert (f"biosnn.{protocol.__name__})" in words) == others_left


def test_what_a_method_returns_has_the_shape_that_it_must_have():
    class Loss(AbsoluteErrorAtTheEnd):
        def value_and_gradient(self, readout, target, mask=None, total=None):
            return 0.0, np.zeros(3)

    class Score(AbsoluteErrorAtTheEnd):
        def score(self, readout, target, mask=None):
            return 0.5

    class Counts(TargetCount):
        def value_and_gradient(self, counts):
            return 0.0, np.zeros(counts.shape[1])  # would be broadcast

    class Weights(Centred):
        def value_and_gradient(self, weights):
            return 0.0, 0.0

    class Words(Linear):
        def factor(self, progress, losses):
            return "half"

    net, targets = network(), np.zeros((40, 2))
    for options, words in (
        ({"loss": Loss()}, r"value_and_gradient has returned the shape \(3,\); it must be"),
        ({"loss": Score()}, r"score has returned the shape \(\); it must be \("),
        ({"regularizers": [Counts(1.0, 2.0)]}, r"returned the shape \(12,\); it must be \("),
        ({"regularizers": [Weights(0.1)]}, r"returned the shape \(\); it must be \(12, 2\)"),
        ({"schedule": Words()}, r"factor of .* is 'half'; it must be a finite number"),
    ):
        loss = {"loss": AbsoluteErrorAtTheEnd()} | options
        with pytest.raises(ValueError, match=words):
            bs.train(net, data(), targets, epochs=1, batch=20, **QUIET, **loss)


@pytest.mark.parametrize("argument", PARTS)
def test_a_class_is_not_an_object(argument):
    many = argument in ("regularizers", "constraints")
    kind = type(PARTS[argument][1])
    with pytest.raises(ValueError, match="Give an object, not its class"):
        fit(network(), **{argument: [kind] if many else kind})


def test_a_regularizer_says_what_it_looks_at():
    @dataclass(frozen=True)
    class Lost(TargetCount):
        looks_at = "currents"

    with pytest.raises(ValueError, match="looks_at is 'currents'; it must be one of 'counts'"):
        fit(network(), regularizers=[Lost(0.1, 2.0)])


@pytest.mark.parametrize(
    "part, protocol",
    [
        *[(loss, bs.Loss) for loss in (bs.FocalLoss(), bs.MeanSquaredError())],
        (bs.PatternRegression({0: [1.0]}), bs.Loss),
        (bs.TimeToFirstSpike(), bs.Loss),
        (bs.VanRossumDistance(), bs.Loss),
        (bs.upper_bound(0.1, 4), bs.Regularizer),
        (bs.WeightPenalty(0.1), bs.Regularizer),
        (bs.WeightConstraint(), bs.Constraint),
        *[(optimizer, bs.Optimizer) for optimizer in (bs.SGD(), bs.Adam(), bs.SMORMS3())],
        (bs.schedules.Constant(), bs.Schedule),
        (bs.schedules.Cosine(), bs.Schedule),
        (bs.schedules.Step(), bs.Schedule),
        (bs.schedules.OnPlateau(), bs.Schedule),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_library_has_follows_its_own_protocols(part, protocol):
    assert protocols.checked_part("part", part, protocol, "nothing") is part
