"""Background, initial states and currents of trials that are trained, evaluated and predicted."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import run as engine_run
from biosnn.support.seeds import TrainingStream
from biosnn.training.batch_gradient import GradientPass
from biosnn.training.dataset import Given, load, load_training
from biosnn.training.objective import make_objective
from biosnn.training.parameters import Parameters
from biosnn.training.presentation import Presentation

from .common import fit, network, same, task

LOSS = bs.EveryStepCrossEntropy()
PLAIN = dict(regularizers=[], schedule=bs.schedules.Constant(), validation=None)
STILL = dict(optimizer=bs.SGD(1e-30), batch=180, epochs=1)  # weights stay as they are


@pytest.fixture(scope="module")
def data():
    return task()


def noise():
    return [
        bs.PoissonInput("E", 800.0, 0.3),
        bs.OrnsteinUhlenbeck("I", mean=0.2, sd=0.4, tau=5e-3),
        bs.OrnsteinUhlenbeck("E", mean=np.linspace(0, 0.3, 20), sd=0.3, tau=10e-3),
        bs.PoissonInput("I", np.linspace(100, 900, 5), 0.2, receptor="inh"),
    ]


def by_trial(n=180):
    """What differs between trials, without noise."""
    rng = np.random.default_rng(3)
    return dict(
        background=[
            bs.Current("E", ([0.0, 0.03], rng.normal(0.3, 0.3, (n, 2, 20)))),
            bs.OrnsteinUhlenbeck("I", mean=rng.random((n, 1)), sd=0.0, tau=5e-3),
        ],
        initial={"E.U": rng.random((n, 20))},
        currents={"I": rng.normal(0.2, 0.3, (n, 30, 5)), "readout": rng.random((n, 1, 1))},
    )


def of(chosen, given):
    """The same for some trials."""
    current, ou = given["background"]
    times, values = current.values
    return dict(
        background=[
            bs.Current("E", (times, values[chosen])),
            bs.OrnsteinUhlenbeck("I", mean=ou.mean[chosen], sd=0.0, tau=5e-3),
        ],
        initial={name: values[chosen] for name, values in given["initial"].items()},
        currents={name: values[chosen] for name, values in given["currents"].items()},
    )


def gradient_pass(net, given, **options):
    """A function of rows and epoch, and the data."""
    objective = make_objective(net, LOSS, None)
    options = dict(batch_size=180, seed=5, threads=2) | options
    found = GradientPass(Parameters(net), objective, Presentation(**options))
    return found, load(net, objective.terms, given)


# ---------------------------------------------------------------------------------------- gradients


def test_the_gradient_of_a_batch_is_that_of_run_with_the_same_random_numbers(data, monkeypatch):
    net, given = network(data), by_trial()
    background = noise() + given["background"]
    initial = {"E.U": bs.Uniform(0, 0.8), "I.U": 0.3}
    found, loaded = gradient_pass(net, Given(data, None, None, background, initial))
    got = found(loaded, np.arange(180), epoch=2)
    key = int(np.random.default_rng([5, TrainingStream.NOISE, 2]).integers(2**62))
    monkeypatch.setattr(engine_run, "random_key", lambda seed, state: (key, key))
    trace = bs.run(net, data, background=background, initial=initial, tape=True)
    value, slope = LOSS.value_and_gradient(trace.states["readout.U"], data.labels)
    expected = bs.gradient(trace, states={"readout.U": slope}).weights
    assert got.loss == pytest.approx(value, rel=1e-6)
    for name, gradient in expected.items():
        own = found.parameters.packed.weight_matrix(name, got.gradient)
        np.testing.assert_allclose(own, gradient, atol=1e-5 * np.abs(gradient).max())
        assert np.abs(gradient).max() > 0


def test_noise_belongs_to_the_trial_and_the_epoch_not_to_the_batch(data):
    given = Given(data, None, None, noise(), {"E.U": bs.Uniform(0, 0.8)})
    found, loaded = gradient_pass(network(data), given)
    rows = np.array([7, 150, 33, 90])
    whole = found(loaded, rows, epoch=1)
    each = [found(loaded, rows[k : k + 1], epoch=1) for k in range(4)]
    assert whole.loss == pytest.approx(np.mean([one.loss for one in each]), rel=1e-6)
    mean = np.mean([one.gradient for one in each], axis=0)
    np.testing.assert_allclose(whole.gradient, mean, atol=1e-5 * np.abs(mean).max())
    turned = found(loaded, rows[::-1], epoch=1)
    np.testing.assert_allclose(turned.gradient, mean, atol=1e-5 * np.abs(mean).max())
    assert found(loaded, rows, epoch=2).loss != whole.loss


@pytest.mark.parametrize("name", ["background", "initial"])
def test_each_kind_of_noise_is_new_in_every_epoch(data, name):
    given = {"background": noise()[:1], "initial": {"E.U": bs.Uniform(0, 0.8)}}
    found, loaded = gradient_pass(network(data), Given(data)._replace(**{name: given[name]}))
    first, again, other = (found(loaded, np.arange(180), epoch=k).loss for k in (0, 0, 1))
    assert first == again != other


def test_the_same_bits_on_any_number_of_threads_and_others_for_another_seed(data):
    nets = [network(data) for _ in range(4)]
    given = dict(background=noise(), initial={"E.U": bs.Uniform(0, 0.8)}, currents={"I": 0.1})
    found = [
        fit(net, data, 2, threads=threads, seed=seed, **given)
        for net, threads, seed in zip(nets, (1, 2, 3, 1), (5, 5, 5, 6))
    ]
    assert same(nets[0], nets[1]) and same(nets[0], nets[2]) and not same(nets[0], nets[3])
    assert np.array_equal(found[0].validation_loss, found[2].validation_loss)
    tests = [
        bs.evaluate(nets[0], data, threads=k, batch=b, seed=seed, **given).loss
        for k, b, seed in ((1, 180, 1), (2, 180, 1), (3, 180, 1), (1, 180, 2))
    ]
    assert tests[0] == tests[1] == tests[2] != tests[3]
    small = bs.predict(nets[0], data, batch=7, seed=1, traces=True, **given)
    whole = bs.predict(nets[0], data, batch=180, seed=1, traces=True, **given)
    assert np.array_equal(small.traces["readout"], whole.traces["readout"])


# ------------------------------------------------------------------------------------------- trials


def test_what_differs_between_trials_goes_with_them(data):
    """Against `run`; trials in another order give the same in that order."""
    net, given = network(data), by_trial()
    order = np.random.default_rng(1).permutation(180)[:100]
    expected = bs.run(net, data, **given).states["readout.U"]
    plain = bs.run(net, data).states["readout.U"]
    got = bs.predict(net, data, traces=True, batch=64, **given).traces["readout"]
    moved = bs.predict(net, data[order], traces=True, batch=64, **of(order, given))
    assert np.array_equal(got, expected) and np.abs(expected - plain).max() > 0.1
    assert np.array_equal(moved.traces["readout"], expected[order])


@pytest.mark.parametrize("augment", [[], [bs.Drop(0.0)]])
def test_shares_for_validation_and_augmented_trials_keep_what_is_theirs(data, augment):
    net, given = network(data), by_trial()
    options = STILL | PLAIN | dict(validation=0.3, loss=LOSS, augment=augment)
    history = fit(net, data, **options, **given)
    presentation = Presentation(batch_size=180, seed=5, threads=1)
    terms = make_objective(net, LOSS, None).terms
    parts = load_training(net, terms, Given(data), Given(0.3), presentation)
    for rows, loss in (
        (parts.training.rows, history.loss),
        (parts.validation.rows, history.validation_loss),
    ):
        expected = bs.evaluate(net, data[rows], loss=LOSS, **of(rows, given)).loss
        assert loss[0] == pytest.approx(expected, rel=1e-6)


def test_validation_trials_of_their_own(data):
    """The same background, new noise of the stream of evaluations; or one of their own."""
    net, others, given = network(data), task(1), by_trial(180)
    options = STILL | PLAIN | dict(loss=LOSS, validation=others, initial={"E.U": 0.2})
    history = fit(net, data, background=noise(), currents={"I": np.full(5, 0.3)}, **options)
    expected = bs.evaluate(
        net,
        others,
        loss=LOSS,
        seed=5,
        background=noise(),
        initial={"E.U": 0.2},
        currents={"I": 0.3},
    )
    assert history.validation_loss[0] == pytest.approx(expected.loss, rel=1e-6)
    own = given["background"][:1], {"I": given["currents"]["I"]}
    history = fit(
        net, data, background=noise(), validation_background=own[0], validation_currents=own[1],
        **options,
    )  # fmt: skip
    expected = bs.evaluate(
        net, others, loss=LOSS, background=own[0], currents=own[1], initial={"E.U": 0.2}
    )
    assert history.validation_loss[0] == pytest.approx(expected.loss, rel=1e-6)


def test_a_constant_current_is_a_bias(data):
    """So is the source `Current`; and training sees the same."""
    nets = [network(data) for _ in range(3)]
    values = np.linspace(-0.5, 0.8, 20)
    biased = bs.Network(2e-3)
    biased.input(10)
    biased.population(20, bs.ei_lif(), "excitatory", name="E", bias=values)
    biased.population(5, bs.ei_lif(), "inhibitory", name="I")
    biased.readout(3, tau_mem=0.06)
    for name, weights in nets[0].weights.items():
        biased.connect(*name.split("->"), weights=weights)
    given = [{}, dict(currents={"E": values}), dict(background=[bs.Current("E", values)])]
    found = [
        bs.predict(net, data, traces=True, **each).traces["readout"]
        for net, each in zip([biased, *nets[1:]], given)
    ]
    assert np.ptp(found[0] - bs.predict(nets[0], data, traces=True).traces["readout"]) > 0.01
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-5)
    losses = [fit(net, data, **PLAIN | each).loss for net, each in zip([biased, *nets[1:]], given)]
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-3)


# --------------------------------------------------------------------------------- states, learning


def pieces(n=6):
    """Trials of 120 ms, and the same in two pieces, one after the other."""
    whole = bs.data.poisson(80, 10, 0.12, n, seed=4, labels=np.arange(n) % 3)
    counts = bs.bin_spikes(whole, 2e-3).dense()
    halves = np.concatenate([counts[:, :30], counts[:, 30:]])
    return whole, bs.SpikeTrains.from_dense(halves, 2e-3, labels=np.tile(whole.labels, 2))


def test_pieces_of_a_recording_go_on_with_their_background(data):
    """Times of a background run on, and only the first pieces begin at `initial`."""
    net, (whole, halves) = network(data), pieces()
    given = dict(
        background=[bs.Current("E", ([0.0, 0.09], [0.2, 0.6]))], initial={"readout.U": 0.7}
    )
    expected = bs.run(net, whole, **given).states["readout.U"]
    got = bs.predict(net, halves, traces=True, stateful=True, batch=6, **given)
    joined = np.concatenate([got.traces["readout"][:6], got.traces["readout"][6:]], axis=1)
    np.testing.assert_allclose(joined, expected, atol=1e-6)
    assert np.abs(expected[:, 0]).min() > 0.5


def test_ornstein_uhlenbeck_noise_goes_on_in_stateful_training(data):
    """Noise that hardly changes keeps its value over the border; else each trial draws its own."""
    given = Given(pieces()[1], background=[bs.OrnsteinUhlenbeck("E", 0.0, 1.0, 1e3)])
    found, loaded = gradient_pass(network(data), given, stateful=True, batch_size=6)
    first = found(loaded, np.arange(6))
    second = found(loaded, np.arange(6, 12), state=first.state)
    anew = found(loaded, np.arange(6, 12))
    values = [each.state.standing.ou for each in (first, second, anew)]
    assert values[0].shape == (6, 20) and values[0].std() > 0.5
    np.testing.assert_allclose(values[1], values[0], atol=0.1)
    assert np.abs(values[2] - values[0]).max() > 0.5
    assert second.state.first_step == 60 and anew.state.first_step == 30


def test_a_resumed_training_has_the_same_bits_and_the_same_background(data, tmp_path):
    given = by_trial()
    given["background"] += noise()
    given["initial"] = given["initial"] | {"I.U": bs.Uniform(0, 0.5)}
    whole, parts = network(data), network(data)
    fit(whole, data, 3, **PLAIN | given)
    fit(parts, data, 1, out=tmp_path, **PLAIN | given)
    parts = network(data)
    fit(parts, data, 3, out=tmp_path, start="resume", **PLAIN | given)
    assert same(whole, parts)
    sources = given["background"]
    for change, words in (
        (dict(background=()), "background .*PoissonInput.* there, None here"),
        (dict(background=sources[::-1]), "background"),
        (dict(background=[bs.Current("E", 0.1), *sources[1:]]), r"background .* here"),
        (dict(initial={"E.U": 0.0}), r"initial .*Uniform.* there, \{'E.U': \(\)\} .* here"),
        (dict(currents={"I": 0.1}), "currents"),
    ):
        with pytest.raises(ValueError, match=f"belongs to another training: {words}"):
            fit(parts, data, 4, out=tmp_path, start="resume", **PLAIN | given | change)


def test_it_learns_with_noise(data):
    net = network(data)
    background = [bs.PoissonInput("E", 300.0, 0.1), bs.OrnsteinUhlenbeck("I", 0.0, 0.2, 5e-3)]
    options = PLAIN | dict(optimizer=bs.Adam(2e-2), background=background)
    history = fit(net, data, 60, **options)
    assert history.loss[-5:].mean() < 0.85 * history.loss[:5].mean()
    assert bs.audit(net).violations == 0


def without_inputs():
    net = bs.Network(2e-3)
    e = net.population(20, bs.ei_lif(), "excitatory", name="E")
    rng = np.random.default_rng(0)
    net.connect(e, net.readout(2, tau_mem=0.06), weights=rng.normal(0, 0.02, (20, 2)))
    return net


def test_currents_alone_can_be_what_is_learned(data):
    rng, labels = np.random.default_rng(1), np.arange(60) % 2
    net, values = without_inputs(), rng.normal(1.0, 0.5, (60, 40, 20))
    values[:, :, :10] += 0.8 * labels[:, None, None]
    options = dict(optimizer=bs.Adam(3e-2), batch=20, progress=False, loss=LOSS)
    held = dict(validation_currents={"E": values[40:]}, validation_targets=labels[40:])
    history = bs.train(
        net, None, labels[:40], currents={"E": values[:40]}, epochs=40, **options, **held
    )
    assert history.loss[-1] < 0.7 * history.loss[0] and history.validation_accuracy[-1] == 1
    found = bs.evaluate(net, None, labels[40:], loss=LOSS, currents={"E": values[40:]})
    assert found.loss == pytest.approx(history.validation_loss[-1], rel=1e-6)
    got = bs.predict(net, None, currents={"E": values}, loss=LOSS, traces=True)
    expected = bs.run(net, duration=0.08, currents={"E": values}).states["readout.U"]
    assert np.array_equal(got.traces["readout"], expected)


# ----------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(background=bs.PoissonInput("E", 1.0, 1.0)), "background is Poisson.* must be a list"),
        (dict(background=[3]), r"background\[0\] is 3; it must be a PoissonInput"),
        (dict(background=[bs.Current("X", 1.0)]), "X"),
        (dict(background=[bs.Current("E", np.ones((3, 1)))]), "for 3 trials, and there are 180"),
        (dict(background=[bs.PoissonInput("E", 1e3, -1.0)]), "non-negative"),
        (dict(initial={"E.V": 1.0}), "no state 'E.V'; E has E.U"),
        (dict(initial={"E.U": np.ones((2, 20))}), r"shape \(2, 20\); .* \(180, 20\), one per"),
        (dict(initial=0.5), "initial is 0.5; it must be a dict"),
        (dict(currents={"X": 1.0}), "currents for 'X': there is no such population"),
        (dict(currents={"E": np.ones((180, 29, 20))}), r"step, neuron\) = \(180, 30, 20\)"),
        (dict(currents={"E": np.ones((1, 180, 1, 20))}), "must broadcast"),
        (dict(currents=[1.0]), "a dict such as"),
        (dict(validation_background=[]), "validation_background: these are of trials"),
        (dict(validation=None, validation_currents={}), "validation_currents: these are of trials"),
    ],
)  # fmt: skip
def test_messages(options, words, data):
    with pytest.raises(ValueError, match=words):
        fit(network(data), data, **options)


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("background", [bs.Current("E", np.ones((180, 1)))], "give validation_background"),
        ("currents", {"E": np.ones((180, 1, 1))}, "give validation_currents"),
        ("initial", {"E.U": np.ones((180, 20))}, "a distribution or values by neuron"),
        ("validation_currents", {"E": np.ones((179, 1, 1))}, "validation: currents 'E'"),
        ("validation_background", 3, "validation: background is 3"),
    ],
)
def test_values_of_training_trials_say_nothing_of_validation_trials(name, value, words, data):
    """Although there are as many of them."""
    with pytest.raises(ValueError, match=words):
        fit(network(data), data, validation=task(1), **{name: value})


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(), "currents=.* have the axes"),
        (dict(currents={"E": 1.0}), "currents=.* have the axes"),
        (dict(spikes={}, currents={"E": np.ones((2, 9, 1))}), "spikes must be None"),
        (dict(currents={"E": np.ones((2, 9, 1))}, augment=[bs.Drop(0.1)]), "leave it out"),
        (dict(currents={"E": np.ones((2, 9, 1))}, targets=None), "one integer label per trial"),
    ],
)
def test_messages_without_inputs(options, words):
    options = dict(spikes=None, targets=[0, 1], epochs=1, progress=False) | options
    with pytest.raises(ValueError, match=words):
        bs.train(without_inputs(), **options)
