"""Units that pool spikes in initializer, training, Brian2 and messages."""

import numpy as np
import pytest

import biosnn as bs

from .pooling import DT, LINE, circuit, spikes


def layers(dtype=np.float32, size=3):
    """A convolutional layer, pooled, and another one, recurrent."""
    net = bs.Network(2e-3, dtype)
    first, shape = bs.convolutional_layer(net, net.input(40), (1, 40), 6, 5, name="L1")
    pooled = net.pool(first, bs.MaxPool(shape, size))
    second, shape = bs.convolutional_layer(
        net, pooled, pooled.pooling.output_shape, 8, 3, recurrent_kernel=3, name="L2"
    )
    net.connect(second, net.readout(3))
    return net


@pytest.mark.statistical
def test_the_initializer_knows_the_rate_of_units():
    net, data = layers(), bs.data.poisson(15.0, 40, 0.3, 60, seed=1, labels=np.arange(60) % 3)
    report = bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    assert report.converged
    for row in report.populations:
        assert row.measured.mu == pytest.approx(
            0, abs=0.02
        ) and row.measured.sigma == pytest.approx(1, rel=0.02)
    rates, weights = {"input": 15.0, "L1": 10.0, "L2": 10.0}, []
    for more in ({}, {"L1 pooled": (1 - 0.98**3) / 2e-3}, {"L1 pooled": 10.0}):
        net = layers()
        bs.fluctuation_driven(
            net, assumed_rates=rates | more, closed_loop=False, seed=1, progress=False
        )
        weights.append(net.weights["L1 pooled->L2"])
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-6)
    assert np.std(weights[2]) > 1.3 * np.std(weights[0])


def direction(n_trials, seed):
    """A dot that moves left or right over 40 units."""
    rng = np.random.default_rng(seed)
    labels, start, steps = (
        rng.integers(2, size=n_trials),
        rng.integers(40, size=n_trials),
        np.arange(15),
    )
    units = (start[:, None] + np.where(labels, 1, -1)[:, None] * steps) % 40
    times = np.broadcast_to(10e-3 + 4e-3 * steps, units.shape)
    return bs.SpikeTrains.from_events(
        times.ravel(),
        units.ravel(),
        np.repeat(np.arange(n_trials), 15),
        n_trials=n_trials,
        n_units=40,
        duration=0.1,
        labels=labels,
    )


@pytest.mark.slow
def test_training_through_units_on_any_number_of_threads(tmp_path):
    train, test, weights = direction(200, 1), direction(100, 2), []
    for threads in (1, 2):
        net = layers(size=2)
        bs.fluctuation_driven(net, train, seed=1, progress=False, threads=threads)
        before = bs.evaluate(net, test)
        kernels = net.weights["input->L1"].copy()
        history = bs.train(
            net,
            train,
            epochs=8,
            batch=50,
            optimizer=bs.Adam(1e-2),
            seed=1,
            progress=False,
            threads=threads,
        )
        weights.append(net.weights)
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert bs.evaluate(net, test).accuracy > max(0.8, before.accuracy + 0.15) and not np.allclose(
        kernels, net.weights["input->L1"]
    )
    assert (
        before.rates["L1 pooled"] > before.rates["L1"]
        and history.as_dict()["loss"][-1] < history.as_dict()["loss"][0]
    )
    bs.save(net, tmp_path / "w.npz")
    other = layers(size=2)
    bs.load_weights(other, tmp_path / "w.npz")
    assert bs.evaluate(other, test).accuracy == bs.evaluate(net, test).accuracy
    with pytest.raises(ValueError, match="another network"):
        bs.load_weights(layers(size=3), tmp_path / "w.npz")
    finer = bs.time_rescale(net, 1e-3)
    assert (
        bs.evaluate(finer, test).accuracy > 0.75
        and bs.run(finer, test).counts["L1 pooled"].sum() > 100
    )


def test_a_loss_on_the_spikes_of_units():
    net, data = circuit(dtype=np.float32), spikes(n_trials=20, duration=0.1)
    history = bs.train(
        net,
        data,
        epochs=8,
        batch=20,
        loss=bs.MeanSquaredError(),
        readout="P",
        targets=np.zeros((20, 100, 6)),
        seed=1,
        optimizer=bs.Adam(2e-2),
        progress=False,
    )
    assert history.as_dict()["loss"][-1] < 0.8 * history.as_dict()["loss"][0]


def test_units_are_seen(tmp_path):
    net, trains = circuit(), spikes()
    trace = bs.run(net, trains, moments=["A.U"])
    labels = [axis.get_ylabel() for axis in bs.plot.activity(trace).axes]
    assert [label.split("\n")[:2] for label in labels[:5]] == [
        ["input", "unit"],
        ["A", "neuron"],
        ["P", "unit"],
        ["B", "neuron"],
        ["Q", "unit"],
    ]
    assert bs.recurrent_projections(net) == {"P->B 0", "Q->B 0.001", f"Q->A {2 * DT}", f"B->A {DT}"}
    dalian = bs.Network(DT)
    e, i, shape = bs.dalian_convolutional_layer(dalian, dalian.input(20), (1, 20), 4, 2, 5)
    p = dalian.pool(e, bs.MaxPool(shape, 2))
    assert (
        p.sign == "excitatory" and dalian.connect(p, i).receptor == "exc" and p.name == "E pooled"
    )
    bs.fluctuation_driven(dalian, spikes(20), seed=1, closed_loop=False, progress=False)
    assert bs.audit(dalian).violations == 0 and set(
        np.unique(bs.audit(dalian).signs["E pooled"])
    ) == {1}
    assert (
        "hidden" not in str(trace.states)
        and net.fingerprint() != circuit(bs.MaxPool((2, 7), 3, stride=2), deep=False).fingerprint()
    )


def connect_to_units(net):
    net.connect("B", "P", name="again")


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda net: bs.MaxPool((2, 7), 8),
            r"a window of \(8,\) is larger than feature maps of \(7,\)",
        ),
        (lambda net: bs.MaxPool((2, 7), 0), "size is 0; it must be a whole number from 1 to"),
        (lambda net: bs.MaxPool((2, 7), 2, stride=-1), "stride is -1"),
        (lambda net: bs.MaxPool(7, 2), r"shape is 7; it must be \(channels, length\)"),
        (lambda net: net.pool("A", 2), r"pooling is 2; it must be MaxPool\(shape, size\)"),
        (
            lambda net: net.pool("A", bs.MaxPool((2, 8), 2)),
            r"'A' has 14 neurons; feature maps of shape \(2, 8\) have 16",
        ),
        (
            lambda net: net.pool("input", bs.MaxPool((1, 8), 2)),
            "'input' is an input: .*bs.max_pool",
        ),
        (lambda net: net.pool("out", bs.MaxPool((1, 3), 2)), "'out' is a readout: it never spikes"),
        (lambda net: net.pool("A", LINE, name="P"), "there is a population 'P' already"),
        (connect_to_units, "'P' pools the spikes of 'A' and receives nothing else"),
        (
            lambda net: net.connect(
                "P",
                "B",
                synapses=bs.Bernoulli(0.5),
                seed=1,
                name="n",
                weights=1.0,
                plasticity=bs.TsodyksMarkram(0.5, 0.1),
            ),
            "'P' pools spikes: plastic projections come from neurons. Connect 'A' instead",
        ),
        (
            lambda net: bs.run(net, spikes(), record=["P.U"]),
            "no state 'P.U'; P has none, its units pool spikes",
        ),
        (lambda net: bs.run(net, spikes(), record=["P.U_star"]), "no state 'P.U_star'; P has none"),
        (
            lambda net: bs.run(net, spikes(), currents={"P": 1.0}),
            "currents for 'P': there is no such population; there are A, B, out",
        ),
        (
            lambda net: bs.simulate(net, 0.1, record={"P.U": [0]}, progress=False),
            "no state 'P.U'; P has none, its units pool spikes",
        ),
        (
            lambda net: bs.simulate(
                net, 0.1, background=[bs.PoissonInput("P", 5.0, 1.0)], progress=False
            ),
            "'P' pools spikes; background reaches",
        ),
        (
            lambda net: bs.plot.membrane(bs.run(net, spikes()), "P"),
            "'P' has no state U; its units pool spikes",
        ),
        (
            lambda net: bs.regime(net, rates={"input": 5.0}),
            "the theory of circuits has no units that pool spikes",
        ),
        (
            lambda net: bs.fluctuation_driven(net, background=[bs.PoissonInput("A", 5.0, 1.0)]),
            "P, Q: the theory of circuits has no units",
        ),
        (
            lambda net: bs.train(
                net, spikes(), epochs=1, regularizers=[bs.upper_bound(0.1, 7, populations=["P"])]
            ),
            "only A, B",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make(circuit())
