"""Several losses, losses on spikes, priming, clipping, dropout, another time step."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.training.optim import clip_norm


def task(seed=0):
    return bs.data.randman(
        n_classes=3, n_units=10, samples_per_class=40, duration=0.06, active=0.04, seed=seed
    )


def network(data, n_readouts=1, noise=None, dtype=np.float32, scale=None):
    net = bs.Network(2e-3, dtype)
    x = net.input(10)
    h = net.population(20, bs.lif(), name="h", noise=noise)
    net.connect(x, h)
    net.connect(h, h)
    for k in range(n_readouts):
        net.connect(h, net.readout(3, tau_mem=0.06, name=f"out{k}"))
    rng = np.random.default_rng(2)
    for p in net.projections:
        net.set_weights(
            p.name,
            rng.normal(
                0,
                (2.0 if p.pre == "input" else 0.3) if scale is None else scale,
                (net[p.pre].n, net[p.post].n),
            ),
        )
    return net


def fit(net, data, epochs=1, **options):
    return bs.train(
        net,
        data,
        epochs=epochs,
        **(dict(batch=len(data), progress=False, optimizer=bs.SGD(1e-2), seed=5) | options),
    )


def same(a, b):
    return all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights)


def test_one_step_of_two_losses_is_the_weighted_sum():
    data = task()
    net = network(data, 2, dtype=np.float64)
    pattern = bs.PatternRegression({0: [1, 0, 0], 1: [0, 1, 0], 2: [0, 0, 1]})
    other = np.roll(data.labels, 1)
    order = np.random.default_rng([5, 0, 0]).permutation(
        len(data)
    )  # the order in which `train` takes them does not matter here
    assert sorted(order) == list(range(len(data)))
    trace = bs.run(net, data, tape=True)
    value0, slope0 = bs.MaxOverTimeCrossEntropy().value_and_gradient(
        trace.states["out0.U"], data.labels
    )
    value1, slope1 = pattern.value_and_gradient(trace.states["out1.U"], other)
    dense = bs.bin_spikes(trace.spikes["h"], net.dt).dense()
    value2, slope2 = bs.MeanSquaredError().value_and_gradient(dense, np.full(dense.shape, 0.1))
    expected = bs.gradient(
        trace, states={"out0.U": slope0, "out1.U": 0.25 * slope1}, spikes={"h": 2.0 * slope2}
    ).weights
    before = {name: w.copy() for name, w in net.weights.items()}
    history = fit(
        net,
        data,
        loss={
            "out0": bs.MaxOverTimeCrossEntropy(),
            "out1": (pattern, 0.25),
            "h": (bs.MeanSquaredError(), 2.0),
        },
        targets={"out1": other, "h": np.full(dense.shape, 0.1)},
    )
    assert history.loss[0] == pytest.approx(value0 + 0.25 * value1 + 2 * value2)
    for name, gradient in expected.items():
        np.testing.assert_allclose(net.weights[name], before[name] - 1e-2 * gradient, atol=1e-10)
    result = bs.evaluate(
        net,
        data,
        {"out1": other, "h": np.full(dense.shape, 0.1)},
        loss={"out0": bs.MaxOverTimeCrossEntropy(), "out1": pattern, "h": bs.MeanSquaredError()},
    )
    right = [
        np.mean(result.predictions["out0"] == data.labels),
        np.mean(result.predictions["out1"] == other),
    ]
    assert result.accuracy == pytest.approx(np.mean(right))


def test_latency_of_output_neurons_is_learned():
    data = task()
    net = bs.Network(2e-3)
    x, h, out = (
        net.input(10),
        net.population(40, bs.lif(), name="h"),
        net.population(3, bs.lif(), name="latency"),
    )
    net.connect(x, h)
    net.connect(h, out)
    rng = np.random.default_rng(1)
    net.set_weights("input->h", rng.normal(0, 2.0, (10, 40)))
    net.set_weights("h->latency", rng.normal(0.1, 0.4, (40, 3)))
    history = fit(
        net,
        data,
        epochs=60,
        readout="latency",
        loss=bs.TimeToFirstSpike(),
        optimizer=bs.Adam(1e-2),
        batch=40,
    )
    assert history.loss[-1] < 0.6 * history.loss[0] and history.accuracy[-1] > 0.6  # chance: 0.33


def test_target_trains_are_approached():
    data = bs.data.poisson(40, 10, 0.06, 20, seed=1)
    net = network(data)
    target = bs.run(network(data, scale=1.5), data).spikes["h"]
    loss = bs.VanRossumDistance(10e-3)
    history = fit(
        net, data, targets=target, epochs=80, readout="h", loss=loss, optimizer=bs.Adam(1e-2)
    )
    dense = [bs.bin_spikes(t, net.dt).dense() for t in (bs.run(net, data).spikes["h"], target)]
    distance = bs.VanRossumDistance(10e-3, net.dt).value_and_gradient(*dense)[0]
    assert bs.evaluate(net, data, target, loss=loss, readout="h").loss == pytest.approx(
        distance, rel=1e-5
    )
    assert history.loss[-1] < 0.7 * history.loss[0]


def test_priming_brings_silent_neurons_to_life():
    data = task()
    net = network(data, scale=0.02)
    assert bs.run(net, data).counts["h"].sum() == 0
    lower = bs.lower_bound(100.0, 1.0, per="neuron")
    history = bs.prime(
        net,
        data,
        epochs=150,
        regularizers=[lower],
        optimizer=bs.Adam(1e-2),
        batch=len(data),
        seed=0,
        progress=False,
    )
    counts = bs.run(net, data).counts["h"]
    assert np.all(counts.sum(axis=0) > 0) and history.regularizer[-1] < 0.5 * history.regularizer[
        0
    ] == pytest.approx(50.0)
    assert np.all(np.isnan(history.loss)) and history.best_epoch == history.regularizer.argmin()
    assert np.array_equal(net.weights["h->out0"], network(data, scale=0.02).weights["h->out0"])
    with pytest.raises(ValueError, match="needs regularizers"):
        bs.prime(net, data, epochs=1, regularizers=[])


def test_clipping_scales_a_long_gradient():
    gradient = np.array([3.0, -4.0], np.float32)
    clip_norm(gradient, 10.0)
    assert gradient.tolist() == [3, -4]
    clip_norm(gradient, 1.0)
    np.testing.assert_allclose(gradient, [0.6, -0.8], rtol=1e-6)
    data = task()
    free, clipped, start = (network(data, dtype=np.float64) for _ in range(3))
    fit(free, data)
    fit(clipped, data, clip=1e-3)
    moved = [
        {name: net.weights[name] - start.weights[name] for name in start.weights}
        for net in (free, clipped)
    ]
    length = [np.sqrt(sum(np.sum(d**2) for d in moves.values())) for moves in moved]
    assert length[0] > 1e-4 and length[1] == pytest.approx(1e-2 * 1e-3)
    scale = length[1] / length[0]
    for name in start.weights:
        np.testing.assert_allclose(moved[1][name], scale * moved[0][name], atol=1e-14)


def test_truncated_training_takes_the_truncated_gradient():
    data = task()
    net = network(data, dtype=np.float64)
    trace = bs.run(net, data, tape=True)
    _, slope = bs.SumOverTimeCrossEntropy().value_and_gradient(trace.states["out0.U"], data.labels)
    expected = bs.gradient(trace, states={"out0.U": slope}, truncate=10e-3).weights
    before = {name: w.copy() for name, w in net.weights.items()}
    fit(net, data, loss=bs.SumOverTimeCrossEntropy(), truncate=10e-3)
    for name, gradient in expected.items():
        np.testing.assert_allclose(net.weights[name], before[name] - 1e-2 * gradient, atol=1e-10)


def test_blend_in_training_leaves_the_validation_alone():
    data = bs.data.poisson(40, 10, 0.06, 60, seed=1, labels=np.arange(60) % 3)
    nets = [network(data) for _ in range(3)]
    for net, (threads, blend) in zip(nets, [(1, 1.0), (2, 1.0), (1, 0.0)]):
        fit(net, data, 2, batch=20, threads=threads, augment=[bs.Blend(blend)], validation=0.2)
    assert same(nets[0], nets[1]) and not same(nets[0], nets[2])
    held = np.sort(np.random.default_rng([5, 1]).permutation(60)[:12])
    keep = np.ones(60, bool)
    keep[held] = False
    shuffled = bs.SpikeTrains.from_events(
        np.where(keep[data.trials], data.times, data.times / 2),
        data.units,
        data.trials,
        n_trials=60,
        n_units=10,
        duration=0.06,
        labels=data.labels,
    )
    other = network(data)
    fit(other, shuffled, 2, batch=20, augment=[bs.Blend(1.0)], validation=0.2)
    assert same(nets[0], other)  # other spikes in the validation trials change nothing
    with pytest.raises(ValueError, match="need labels"):
        fit(
            network(data),
            bs.data.poisson(40, 10, 0.06, 6, seed=1),
            targets=np.zeros(6, int),
            augment=[bs.Blend(1.0)],
        )


@pytest.mark.parametrize(
    "options", [dict(dropout=0.2), dict(noise=bs.SigmoidEscape(10.0))], ids=["dropout", "noise"]
)
def test_random_training_depends_on_the_seed_alone(options, tmp_path):
    data, noise = task(), options.pop("noise", None)

    def result(epochs=3, seed=5, threads=1, **more):
        net = network(data, noise=noise)
        fit(net, data, epochs, batch=50, seed=seed, threads=threads, **options, **more)
        return net

    one = result()
    assert same(one, result(threads=2)) and not same(one, result(seed=6))
    result(epochs=2, out=tmp_path)
    assert same(one, result(out=tmp_path, start="resume"))
    if not noise:
        plain = network(data)
        fit(plain, data, 3, batch=50)
        assert not same(one, plain)
    else:
        values = [bs.evaluate(one, data, seed=seed).loss for seed in (0, 0, 1)]
        assert values[0] == values[1] != values[2]


def test_time_rescale_sees_learned_time_constants():
    net = bs.Network(1e-4)
    net.connect(
        net.input(2),
        net.population(
            3, bs.lif(tau_mem=20e-3, tau_syn=10e-3), name="H", learn={"mem": "population"}
        ),
        weights=np.ones((2, 3)),
    )
    net.parameters["H", "mem"] = np.array(-5.0)  # tau = 40 ms sigmoid(-5) = 0.27 ms
    assert bs.time_rescale(net, 2e-4).dt == 2e-4
    with pytest.raises(
        ValueError,
        match="'H': .*'mem' is 0.000267.* s after training, below the time step dt = 0.0019 s",
    ):
        bs.time_rescale(net, 1.9e-3)


def test_time_rescale():
    data = bs.data.poisson(60, 10, 0.1, 5, seed=1)
    net = bs.Network(2e-3, np.float64)
    x, h = net.input(10), net.population(20, bs.lif(), name="h", learn={"mem": "neuron"})
    net.connect(x, h, delay=6e-3, weights=np.random.default_rng(0).normal(0, 0.05, (10, 20)))
    net.parameters["h", "mem"] = np.linspace(-1, 1, 20)
    fine = bs.time_rescale(net, 0.5e-3)
    assert (
        fine.dt == 0.5e-3
        and net.dt == 2e-3
        and fine.delay_steps("input->h") == 12
        and net.delay_steps("input->h") == 3
    )
    np.testing.assert_allclose(fine.time_constants("h")["mem"], net.time_constants("h")["mem"])
    on_grid = bs.SpikeTrains.from_dense(
        bs.bin_spikes(data, 2e-3).dense(), 2e-3
    )  # spikes at times of both grids: the same U, exactly
    coarse, other = bs.run(net, on_grid, record=["h.U"]), bs.run(fine, on_grid, record=["h.U"])
    assert (
        coarse.counts["h"].sum() == other.counts["h"].sum() == 0
        and np.ptp(coarse.states["h.U"]) > 0.05
    )
    np.testing.assert_allclose(other.states["h.U"][:, ::4], coarse.states["h.U"], atol=1e-12)
    assert net.weights["input->h"] is not fine.weights["input->h"]
    with pytest.raises(ValueError, match="too coarse"):
        bs.time_rescale(net, 50e-3)


def test_time_rescale_of_a_sparse_network():
    net = bs.Network(1e-4)
    e = net.population(50, bs.lif(), "excitatory", name="E", bias=np.linspace(0, 1, 50))
    net.connect(e, e, weights=0.1, delay=bs.Uniform(1e-3, 3e-3), synapses=bs.Bernoulli(0.2), seed=1)
    fine = bs.time_rescale(net, 0.5e-4)
    assert np.array_equal(fine.synapses["E->E"].delay, 2 * net.synapses["E->E"].delay.astype(int))
    np.testing.assert_array_equal(fine.bias("E"), np.linspace(0, 1, 50))
    for a, b in zip(net.indices("E->E"), fine.indices("E->E")):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(loss=bs.TimeToFirstSpike()), "looks at spikes"),
        (dict(loss={"nobody": bs.LastStepCrossEntropy()}), "'nobody'"),
        (
            dict(loss={"out0": (bs.LastStepCrossEntropy(), -1.0)}),
            "weight of the loss of 'out0' is -1.0",
        ),
        (dict(clip=0), "clip is 0"),
        (dict(loss={"out0": bs.LastStepCrossEntropy()}, readout="out0"), "leave readout out"),
        (dict(loss={"out0": bs.LastStepCrossEntropy()}, targets={"h": None}), "targets for h"),
        (dict(loss=None, validation=task()), "nothing to validate"),
        (dict(loss=bs.VanRossumDistance(), readout="h"), "needs target SpikeTrains"),
    ],
)
def test_messages(options, words):
    data = task()
    with pytest.raises(ValueError, match=words):
        fit(network(data), data, **options)
