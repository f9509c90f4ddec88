"""Training whose batches go on from the batch before."""

import sys

import numpy as np
import pytest

import biosnn as bs


def network(dtype=np.float64):
    rng, net = np.random.default_rng(2), bs.Network(2e-3, dtype)
    x, h = net.input(10), net.population(20, bs.lif(), name="h")
    for pre, post, scale, delay in (
        (x, h, 2.0, 4e-3),
        (h, h, 0.3, 6e-3),
        (h, net.readout(3, tau_mem=0.06), 0.3, 0.0),
    ):
        net.connect(pre, post, delay=delay, weights=rng.normal(0, scale, (pre.n, post.n)))
    return net


def recordings(n=20, duration=0.24):
    """Long recordings cut into four pieces of 30 steps:

    (pieces as `train` takes them, whole), and targets.
    """
    whole = bs.data.poisson(40.0, 10, duration, n, seed=1)
    dense_spikes = bs.bin_spikes(whole, 2e-3).dense()
    target = np.sin(np.arange(120) / 9)[None, :, None] * np.array([1.0, 0.5, -1.0]) + np.zeros(
        (n, 1, 1)
    )
    parts = bs.SpikeTrains.from_dense(np.concatenate(np.split(dense_spikes, 4, axis=1)), 2e-3)
    return whole, target, parts, np.concatenate(np.split(target, 4, axis=1))


def fit(net, parts, target, epochs=1, **options):
    return bs.train(
        net,
        parts,
        target,
        epochs=epochs,
        **(
            dict(
                loss=bs.MeanSquaredError(),
                batch=20,
                optimizer=bs.SGD(1e-2),
                stateful=True,
                progress=False,
                seed=5,
            )
            | options
        ),
    )


def test_stateful_training_goes_on_from_the_batch_before():
    """Beside a loop over batches with run, gradient and the rule of gradient descent."""
    _, _, parts, target = recordings()
    net = network()
    other = network()
    state = None
    history = fit(net, parts, target, threads=2)
    values = []
    for k in range(4):
        rows = slice(20 * k, 20 * k + 20)
        trace = bs.run(other, parts[rows], tape=True, state=state)
        value, slope = bs.MeanSquaredError().value_and_gradient(
            trace.states["readout.U"], target[rows]
        )
        for name, gradient in bs.gradient(trace, states={"readout.U": slope}).weights.items():
            other.set_weights(name, other.weights[name] - 1e-2 * gradient)
        values.append(value)
        state = trace.state
    assert history.loss[0] == pytest.approx(np.mean(values), rel=1e-10)
    for name, w in other.weights.items():
        np.testing.assert_allclose(net.weights[name], w, rtol=1e-9, atol=1e-12)
    plain = network()
    fit(plain, parts, target, stateful=False)
    assert not np.allclose(plain.weights["h->readout"], net.weights["h->readout"], rtol=1e-3)


def test_stateful_evaluation_is_that_of_whole_recordings():
    whole, target, parts, cut_target = recordings()
    net, loss = network(), bs.MeanSquaredError()
    expected = bs.evaluate(net, whole, target, loss=loss)
    got = bs.evaluate(net, parts, cut_target, loss=loss, batch=20, stateful=True)
    assert got.loss == pytest.approx(expected.loss, rel=1e-12) and got.rates == pytest.approx(
        expected.rates
    )
    assert bs.evaluate(net, parts, cut_target, loss=loss, batch=20).loss != pytest.approx(
        expected.loss, rel=1e-3
    )
    history = fit(net, parts, cut_target, validation=parts, validation_targets=cut_target)
    assert history.validation_loss[0] == pytest.approx(
        bs.evaluate(net, whole, target, loss=loss).loss, rel=1e-12
    )


@pytest.mark.parametrize(
    "options",
    [{}, dict(augment=[bs.Drop(0.2), bs.TimeJitter(2e-3)]), dict(dropout=0.2)],
    ids=["plain", "augment", "dropout"],
)
def test_stateful_training_stopped_within_an_epoch_has_the_same_bits(
    options, tmp_path, monkeypatch
):
    """Ctrl-C after some batches: the checkpoint holds where the trials stand.

    And threads do not matter.
    """
    _, _, parts, target = recordings()
    whole, stopped = network(np.float32), network(np.float32)
    fit(whole, parts, target, 3, threads=2, **options)
    for most in (2, 3, 10**6):
        calls = iter(range(10**7))

        class Interrupt:
            def __enter__(self):
                return lambda: next(calls) >= most

            def __exit__(self, *_):
                return False

        monkeypatch.setattr(sys.modules["biosnn.training.train"], "graceful_interrupt", Interrupt)
        history = fit(stopped, parts, target, 3, threads=1, out=tmp_path, start="resume", **options)
        assert history.interrupted == (most < 10**6)
    for name in whole.weights:
        assert np.array_equal(whole.weights[name], stopped.weights[name])
    with pytest.raises(ValueError, match="stateful True there, None here"):
        fit(
            network(np.float32),
            parts,
            target,
            4,
            out=tmp_path,
            start="resume",
            stateful=False,
            **options,
        )


def test_what_stateful_training_refuses():
    _, _, parts, target = recordings()
    with pytest.raises(ValueError, match="80 trials are not a whole number of batches of 30"):
        fit(network(), parts, target, batch=30)
    with pytest.raises(ValueError, match="80 trials are not a whole number of batches of 30"):
        bs.evaluate(network(), parts, target, loss=bs.MeanSquaredError(), batch=30, stateful=True)
    with pytest.raises(ValueError, match="a share of trials at random"):
        fit(network(), parts, target, validation=0.25)
