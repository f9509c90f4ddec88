"""Trials with ends of their own: what comes after the end of a trial counts for nothing.

Each trial is also run alone, for as long as it lasts; loss, score, predictions, rates and gradients
of all trials together must be those of the trials one by one.
"""

from dataclasses import dataclass

import numpy as np
import pytest

import biosnn as bs
from biosnn.data.augmentation import augmented_events
from biosnn.data.binning import bin_events
from biosnn.initializer import shadows
from biosnn.training.batch_gradient import GradientPass
from biosnn.training.dataset import Given, load
from biosnn.training.objective import make_objective
from biosnn.training.parameters import Parameters
from biosnn.training.presentation import make_presentation

DT = 1e-3
ENDS = np.array([0.02, 0.05, 0.0317, 0.05, 0.012])
STEPS = np.array([20, 50, 32, 50, 12])


def trains(seed=0, ends=ENDS, n_units=8):
    """Poisson trains with a spike just before the end of the first trial."""
    rng = np.random.default_rng(seed)
    times = [
        [np.sort(rng.uniform(0, end, rng.poisson(60 * end))) for _ in range(n_units)]
        for end in ends
    ]
    times[0][0] = [ends[0] * (1 - 1e-9)]  # in the step before the end, not in the one after
    return bs.SpikeTrains.from_lists(times, ends=ends, labels=np.arange(len(ends)) % 3)


@pytest.fixture(scope="module")
def net():
    rng, net = np.random.default_rng(1), bs.Network(DT, np.float64)
    x, e, i = net.input(8), *_populations(net)
    out = net.readout(3, tau_mem=0.02)
    for pre, post, mean in ((x, e, 3), (x, i, 3), (e, i, 1), (i, e, 1), (e, e, 0.5)):
        net.connect(pre, post, weights=rng.exponential(mean, (pre.n, post.n)))
    net.connect(e, out, delay=DT, weights=rng.exponential(0.3, (e.n, 3)))
    return net


def _populations(net):
    return (
        net.population(6, bs.ei_lif(), "excitatory", name="E"),
        net.population(3, bs.ei_lif(), "inhibitory", name="I"),
    )


def _gradient(net, spikes, targets=None, mask=None, regularizers=(), **what):
    """What training computes for all trials as one batch."""
    objective = make_objective(net, what["loss"], what.get("readout"), regularizers)
    data = load(net, objective.terms, Given(spikes, targets, mask))
    presentation = make_presentation(net, len(spikes), 0, 1)
    return GradientPass(Parameters(net), objective, presentation)(data, data.rows)


@dataclass(frozen=True)
class LastError:
    """A loss of a user's that looks at the last step of each trial."""

    classifies = False
    takes_mask = False
    takes_ends = True

    def check(self, target, n_trials, steps, n_units):
        assert np.shape(target) == (n_trials, n_units)

    def total_weight(self, shape, mask=None):
        return float(shape[0])

    def _error(self, readout, target, mask):
        trial = np.arange(len(readout))
        steps = np.full(len(readout), readout.shape[1]) if mask is None else mask.sum(axis=1)
        at = trial, steps - 1
        return at, readout[at] - target

    def value_and_gradient(self, readout, target, mask=None, total=None):
        at, error = self._error(readout, target, mask)
        gradient, total = np.zeros_like(readout), total or len(readout)
        gradient[at] = 2 * error / total
        return (error**2).sum() / total, gradient

    def predict(self, readout, mask=None):
        return self._error(readout, np.zeros(3), mask)[1]

    def score(self, readout, target, mask=None):
        return -(self._error(readout, target, mask)[1] ** 2).sum(axis=1)


RNG = np.random.default_rng(5)
TRACES = RNG.normal(size=(5, 50, 3))
MASK = RNG.uniform(0.1, 1, (5, 50))
#: Loss, its targets, its mask, and what it looks at.
LOSSES = {
    "max": (bs.MaxOverTimeCrossEntropy(), None, None, None),
    "sum": (bs.SumOverTimeCrossEntropy(class_weights=[1, 2, 0.5]), None, None, None),
    "mean": (bs.MeanOverTimeCrossEntropy(), None, None, None),
    "last": (bs.LastStepCrossEntropy(), None, None, None),
    "every": (bs.EveryStepCrossEntropy(), None, None, None),
    "every, mask": (bs.EveryStepCrossEntropy(), None, MASK, None),
    "focal": (bs.FocalLoss(2.0), None, None, None),
    "focal of means": (bs.FocalLoss(1.5, over=bs.MeanOverTimeCrossEntropy()), None, None, None),
    "sum of spikes": (bs.SumOverTimeCrossEntropy(), None, None, "E"),
    "first spike": (bs.TimeToFirstSpike(), None, None, "E"),
    "distance": (bs.VanRossumDistance(), (RNG.random((5, 50, 6)) < 0.1) * 1.0, None, "E"),
    "squared error": (bs.MeanSquaredError(), TRACES, None, None),
    "squared error, mask": (bs.MeanSquaredError(), TRACES, MASK[..., None] * np.ones(3), None),
    "pattern": (
        bs.PatternRegression({0: [1, 0, 0], 1: [0, 1, 0], 2: [0, 0, 1]}),
        None,
        None,
        None,
    ),
    "a user's": (LastError(), RNG.normal(size=(5, 3)), None, None),
}


def _alone(values, b):
    """Targets or mask of one trial until its end."""
    if values is None:
        return None
    values = values[b : b + 1]
    return values[:, : STEPS[b]] if values.ndim > 1 and values.shape[1] == 50 else values


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_of_trials_that_end_early_is_that_of_each_trial_alone(net, name):
    loss, targets, mask, readout = LOSSES[name]
    spikes, what = trains(), {"loss": loss, "readout": readout}
    together = bs.evaluate(net, spikes, targets, mask, batch=2, **what)
    found = _gradient(net, spikes, targets, mask, **what)
    trials = [(spikes[b], _alone(targets, b), _alone(mask, b)) for b in range(5)]
    alone = [bs.evaluate(net, *trial, **what) for trial in trials]
    gradients = [_gradient(net, *trial, **what).gradient for trial in trials]
    share = np.ones(5)  # of each trial in the mean: its weights, where steps are weighted
    if getattr(loss, "takes_mask", True):
        share = STEPS if mask is None else [trial[2].sum() for trial in trials]
    mean = np.average([each.loss for each in alone], weights=share)
    np.testing.assert_allclose([together.loss, found.loss], mean, rtol=1e-12)
    np.testing.assert_allclose(
        found.gradient, np.average(gradients, axis=0, weights=share), rtol=1e-9, atol=1e-14
    )
    np.testing.assert_allclose(together.score, np.mean([each.score for each in alone]), rtol=1e-12)
    assert np.any(found.gradient)
    for b, each in enumerate(alone):
        ours, theirs = together.predictions[b], each.predictions[0]
        ours = ours[: STEPS[b]] if np.ndim(ours) == 2 else ours
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    _check_predictions(net, together, trials, mask, what)
    for name in ("E", "I"):
        rates = [each.rates[name] for each in alone]
        assert together.rates[name] == pytest.approx(np.average(rates, weights=STEPS), rel=1e-12)


def _check_predictions(net, together, trials, mask, what):
    """What `predict` says of trials is what it says of each alone, and what `evaluate` says."""
    found = bs.predict(net, trains().relabel(None), mask, batch=2, **what)
    np.testing.assert_array_equal(found.predictions, together.predictions)
    assert found.rates == together.rates
    for b, (spikes, _, own_mask) in enumerate(trials):
        alone = bs.predict(net, spikes, own_mask, **what)
        assert (alone.probabilities is None) == (found.probabilities is None)
        if found.probabilities is not None:
            np.testing.assert_allclose(found.probabilities[b], alone.probabilities[0], rtol=1e-12)


@pytest.mark.parametrize("readout", ["E", None])
def test_what_happens_after_the_end_of_a_trial_would_count_otherwise(net, readout):
    """The tests above can fail: the same spikes in trials of one length give other numbers."""
    spikes = trains()
    longer = bs.SpikeTrains.from_lists(spikes.to_lists(), duration=0.05, labels=spikes.labels)
    what = {"loss": bs.SumOverTimeCrossEntropy(), "readout": readout}
    ours, theirs = (bs.evaluate(net, each, **what) for each in (spikes, longer))
    assert abs(ours.loss - theirs.loss) > 1e-3 and ours.rates["E"] > theirs.rates["E"]


@pytest.mark.parametrize("per", ["population", "neuron"])
def test_bounds_on_counts_see_each_trial_until_its_end(net, per):
    spikes, bounds = trains(), [bs.upper_bound(1.0, 0.5, per=per)]
    together = _gradient(net, spikes, loss=None, regularizers=bounds)
    alone = [_gradient(net, spikes[b], loss=None, regularizers=bounds) for b in range(5)]
    mean = np.mean([each.regularizer for each in alone])
    assert together.regularizer == pytest.approx(mean, rel=1e-12) and mean > 0
    np.testing.assert_allclose(
        together.gradient, np.mean([each.gradient for each in alone], axis=0), rtol=1e-9, atol=1e-14
    )
    fired = np.any([each.fired for each in alone], axis=0)
    np.testing.assert_array_equal(together.fired, fired)


def test_a_run_ends_each_trial_where_it_ends(net):
    spikes = trains()
    trace = bs.run(net, spikes, tape=True, record=["E.U"])
    np.testing.assert_array_equal(trace.own_steps, STEPS)
    np.testing.assert_allclose(trace.ends, STEPS * DT)
    assert "12 ms to 50 ms in 50 steps" in repr(trace) and trace.spikes["E"].ends is not None
    weights = {"E": np.random.default_rng(3).normal(size=(5, 6))}
    total = 0
    for b in range(5):
        alone = bs.run(net, spikes[b], tape=True, record=["E.U"])
        np.testing.assert_array_equal(trace.states["E.U"][b, : STEPS[b]], alone.states["E.U"][0])
        for name, counts in alone.counts.items():
            np.testing.assert_array_equal(trace.counts[name][b], counts[0])
            np.testing.assert_array_equal(trace.spikes[name][b].times, alone.spikes[name].times)
        one = {"E": weights["E"][b : b + 1]}
        total = total + bs.gradient(alone, counts=one).weights["input->E"]
    found = bs.gradient(trace, counts=weights).weights["input->E"]
    np.testing.assert_allclose(found, total, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    "kind",
    [
        bs.TimeShift(0.02),
        bs.TimeJitter(0.01),
        bs.TimeStretch(0.5),
        bs.Insert(50.0),
        bs.Blend(1.0),
        bs.Drop(0.3),
    ],
)
def test_an_augmented_trial_ends_where_it_ended(kind):
    spikes = trains()
    changed = bs.augment(spikes, [kind], seed=3)
    np.testing.assert_array_equal(changed.ends, spikes.ends)
    assert np.all(changed.times < spikes.ends[changed.trials]) and changed.times.size
    # what a training sees, chunk by chunk, is the same as all at once
    key = np.random.default_rng(0).integers(9)
    spans = augmented_events(spikes, [kind], key, rows=np.array([4, 0]))
    binned = bin_events(spans, 8, spikes.duration, DT, ends=spikes.ends[[4, 0]])
    whole = bs.bin_spikes(bs.augment(spikes, [kind], seed=key), DT)
    np.testing.assert_array_equal(binned.dense(), whole.dense()[[4, 0]])


def test_augmented_trials_lose_the_spikes_after_their_own_end():
    spikes, shift = trains(), [bs.TimeShift(0.02), bs.Insert(50.0)]
    inserted = np.bincount(bs.augment(spikes, [bs.Insert(2e3)], seed=3).trials)
    np.testing.assert_allclose(inserted / (2e3 * 8 * ENDS), 1, atol=0.15)
    history = bs.train(net_copy(), spikes, epochs=2, augment=shift, batch=2, progress=False)
    assert np.all(np.isfinite(history.loss))


def net_copy():
    """A network that a test may train."""
    net = bs.Network(DT)
    net.connect(net.input(8), net.readout(3), weights=np.full((8, 3), 0.1))
    return net


def test_training_does_not_depend_on_threads_and_resumes_with_its_bits(tmp_path):
    spikes, found = trains(), []
    for options in ({"threads": 1}, {"threads": 2}, {"threads": 1, "out": tmp_path}):
        net, epochs = net_copy(), (3,)
        if "out" in options:
            epochs = (1, 3)
        for n in epochs:
            start = "resume" if n == 3 and "out" in options else "new"
            bs.train(net, spikes, epochs=n, batch=2, progress=False, start=start, **options)
        found.append(net.weights["input->readout"])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    with pytest.raises(ValueError, match="data|spikes|other"):
        other = bs.SpikeTrains.from_lists(spikes.to_lists(), duration=0.05, labels=spikes.labels)
        bs.train(net, other, epochs=4, batch=2, progress=False, start="resume", out=tmp_path)


def test_validation_may_have_trials_of_other_lengths(net):
    spikes = trains()
    net = net_copy()
    history = bs.train(net, spikes, validation=spikes[[0, 4]], epochs=1, progress=False)
    assert history.validation_loss[-1] == bs.evaluate(net, spikes[[0, 4]]).loss
    share = bs.train(net, spikes, validation=0.4, epochs=1, progress=False)
    assert np.isfinite(share.validation_loss[-1])


def test_the_start_measures_rates_and_membranes_until_the_ends(net):
    spikes = trains()
    binned = bs.bin_spikes(spikes, DT)
    assert binned.rate() == pytest.approx(binned.units.size / (8 * STEPS.sum() * DT))

    class Equations:
        dalian = True

        def components(self):
            excitation = {name: net.weights[name] for name in ("input->E", "E->E")}
            return [excitation, {"I->E": net.weights["I->E"]}]

    def parts(trains):
        trace, options = bs.run(net, trains), {"merge": True, "threads": 1}
        return shadows.measure(net, {"E": Equations()}, trace, **options)["E"][1]

    together, alone = parts(spikes), [parts(spikes[b]) for b in range(5)]
    mean = np.mean([each.mean for each in alone], axis=0)
    np.testing.assert_allclose(together.mean, mean, rtol=1e-10)
    squares = [each.covariance + each.mean[:, None] * each.mean for each in alone]
    covariance = np.mean(squares, axis=0) - mean[:, None] * mean
    np.testing.assert_allclose(together.covariance, covariance, rtol=1e-8, atol=1e-12)


# ---------------------------------------------------------------------------------- what is refused


@dataclass(frozen=True)
class OfWholeTrials(LastError):
    """A loss that does not know of ends."""

    takes_ends = False


@pytest.mark.parametrize(
    "words, call",
    [
        ("take those until", lambda net, spikes: bs.run(net, spikes, moments=["E.U"])),
        ("no state that all", lambda net, spikes: bs.run(net, spikes).state),
        ("pieces of one length", lambda net, spikes: bs.evaluate(net, spikes, stateful=True)),
        (
            "takes_ends = True",
            lambda net, spikes: bs.evaluate(net, spikes, np.zeros((5, 3)), loss=OfWholeTrials()),
        ),
    ],
)
def test_what_needs_trials_of_one_length_says_so(net, words, call):
    with pytest.raises(ValueError, match=words):
        call(net, trains())


def test_inputs_must_end_their_trials_together():
    net = bs.Network(DT)
    out = net.readout(2)
    for name in ("x", "y"):
        net.connect(net.input(8, name=name), out, weights=np.ones((8, 2)))
    spikes = trains()
    other = trains(ends=ENDS[[1, 0, 2, 3, 4]])
    assert bs.run(net, {"x": spikes, "y": trains(seed=1)}).n_steps == 50
    with pytest.raises(ValueError, match="end at different times; the trials of all inputs"):
        bs.run(net, {"x": spikes, "y": other})
