"""Means over a population and over groups: recorded as the means of what is recorded one by one."""

import tracemalloc

import numpy as np
import pytest

import biosnn as bs

N = 40
GROUPS = {"left": slice(0, 15), "right": np.arange(N) >= 15, "one": [-1], "all": None}
MEMBERS = [np.arange(15), np.arange(15, N), np.array([N - 1]), np.arange(N)]


def circuit(dtype="float32", learn=None):
    net = bs.Network(dt=1e-3, dtype=dtype)
    source = net.input(20, name="source")
    cells = net.population(N, bs.ei_lif(refractory=3e-3), "excitatory", name="E", learn=learn)
    readout = net.readout(3, name="readout")
    rng = np.random.default_rng(1)
    net.connect(source, cells, weights=rng.uniform(0, 0.4, (20, N)), delay=2e-3)
    net.connect(cells, cells, weights=rng.uniform(0, 0.02, (N, N)), delay=2e-3)
    net.connect(cells, readout, weights=rng.uniform(0, 0.1, (N, 3)))
    return net


def trains(n_trials=3):
    return bs.data.poisson(40.0, 20, 0.2, n_trials=n_trials, seed=2)


def by_hand(values):
    """(…, group) means of values (…, neuron), in float64."""
    return np.stack([values[..., each].mean(-1, dtype=float) for each in MEMBERS], axis=-1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("tape", [False, True])
def test_means_of_a_run(dtype, tape):
    net, spikes = circuit(dtype), trains()
    whole = bs.run(net, spikes, record=["E.U", "E.I_exc", "E.U_star"])
    record = {"E.I_exc": "mean", "E.U": bs.Means(GROUPS), "E.U_star": [3, 1]}
    trace = bs.run(net, spikes, record=record, tape=tape)
    expected = by_hand(whole.states["E.U"]).astype(dtype)
    rounding = {"rtol": 4 * np.finfo(dtype).eps, "atol": 1e-16}
    np.testing.assert_allclose(trace.states["E.U"], expected, **rounding)
    mean = whole.states["E.I_exc"].mean(-1, keepdims=True, dtype=float)
    np.testing.assert_allclose(trace.states["E.I_exc"], mean.astype(dtype), **rounding)
    np.testing.assert_array_equal(trace.states["E.U_star"], whole.states["E.U_star"][..., [3, 1]])
    np.testing.assert_array_equal(trace.states["readout.U"], whole.states["readout.U"])
    assert trace.groups == {"E.I_exc": ("mean",), "E.U": tuple(GROUPS)}
    assert trace.counts["E"].sum() > 100


@pytest.mark.parametrize("learn", [None, {"mem": "neuron"}], ids=["fixed", "learned"])
def test_a_run_with_means_has_a_tape_and_a_state(learn):
    net, spikes = circuit("float64", learn), trains()
    whole = bs.run(net, spikes, record=["E.U"], tape=True)
    trace = bs.run(net, spikes, record={"E.U": "mean"}, tape=True)
    grad = {"readout.U": np.ones_like(whole.states["readout.U"])}
    one, other = (bs.gradient(each, states=grad) for each in (whole, trace))
    for kind in ("weights", "parameters"):
        for name, values in getattr(one, kind).items():
            np.testing.assert_array_equal(values, getattr(other, kind)[name])
            assert np.any(values)
    again = bs.run(net, spikes, record={"E.U": "mean"}, state=trace.state)
    wanted = bs.run(net, spikes, record=["E.U"], state=whole.state).states["E.U"]
    np.testing.assert_allclose(again.states["E.U"][..., 0], wanted.mean(-1), rtol=1e-14)
    assert (trace.tape[2].states.size == 0) == (learn is None)  # the neurons are forgotten


@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("threads", [1, 2])
def test_means_of_a_simulation_in_two_parts(every, threads):
    net, spikes = circuit(), trains(1)
    options = {"every": every, "threads": threads, "progress": False}
    background = [bs.PoissonInput("E", 500.0, 0.2)]
    whole = bs.simulate(net, 0.2, spikes, background=background, record=["E.U"], **options)
    record = {"E.U": bs.Means(GROUPS), "E.I_inh": [2]}
    state, parts = None, []
    for first, seconds in ((0.0, 0.083), (0.083, 0.117)):
        inside = (spikes.times >= first - 1e-6) & (spikes.times < first + seconds - 1e-6)
        part = bs.SpikeTrains.from_events(
            np.maximum(spikes.times[inside] - first, 0),
            spikes.units[inside],
            np.zeros(inside.sum(), int),
            n_trials=1,
            n_units=20,
            duration=seconds,
        )
        done = bs.simulate(
            net, seconds, part, background=background, record=record, state=state, **options
        )
        parts.append(done.states["E.U"])
        state = done.state
    expected = by_hand(whole.states["E.U"]).astype(np.float32)
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-6, atol=1e-8)
    assert done.groups == {"E.U": tuple(GROUPS)} and done.states["E.I_inh"].shape[1] == 1
    assert expected.std(axis=0).min() > 0.05


def peak_of(net, record):
    """Bytes that a simulation takes at most."""
    start = {"E.U": bs.Uniform(0, 0.9)}
    tracemalloc.start()
    try:
        done = bs.simulate(net, 2.0, record=record, initial=start, progress=False)
        assert all(values.shape == (20000, 1) for values in done.states.values())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_means_need_no_memory_for_each_neuron():
    """20000 steps of two states of 4000 neurons would take 640 MB."""
    net = bs.Network(dt=1e-4)
    net.population(4000, bs.ei_lif(), "excitatory", name="E")
    record = {"E.U": "mean", "E.I_exc": "mean"}
    bs.simulate(net, 0.01, record=record, progress=False)  # compiles
    assert peak_of(net, record) - peak_of(net, ()) < 12e6


@pytest.mark.parametrize(
    "chosen, words",
    [
        ("men", "record of 'E.U' is 'men'; it must be neurons of"),
        (bs.Means({"a": []}), "group 'a' of 'E.U' has no neurons"),
        (bs.Means({"a": [N]}), r"record of 'E.U' is \[40\]"),
        (bs.Means({"a": "mean"}), "group 'a' of 'E.U' is 'mean'"),
        (bs.Means({"a": bs.Means({"b": None})}), "group 'a' of 'E.U' is"),
    ],
)
def test_what_has_no_mean(chosen, words):
    with pytest.raises(ValueError, match=words):
        bs.run(circuit(), trains(), record={"E.U": chosen})
    with pytest.raises(ValueError, match=words):
        bs.simulate(circuit(), 0.01, trains(1), record={"E.U": chosen}, progress=False)


@pytest.mark.parametrize("groups", [None, {}, [0, 1], "mean", {3: [0]}])
def test_groups_are_labels_and_neurons(groups):
    with pytest.raises(ValueError, match="Means"):
        bs.Means(groups)


def test_moments_and_gradients_are_of_neurons():
    net = circuit()
    with pytest.raises(ValueError, match="no means over neurons"):
        bs.run(net, trains(), moments={"E.U": "mean"})
    trace = bs.run(net, trains(), tape=True)
    grad = {"readout.U": np.ones_like(trace.states["readout.U"])}
    with pytest.raises(ValueError, match="no means over neurons"):
        bs.gradient(trace, states=grad, record={"E.U": bs.Means({"a": [0]})})


def test_means_with_perturbations():
    options = {"perturbations": [bs.perturb.Silence("E", neurons=range(20), start=0.03, stop=0.08)]}
    net = circuit()
    runs = [
        bs.run(net, trains(), record=record, **options)
        for record in (["E.U"], {"E.U": bs.Means(GROUPS)})
    ]
    expected = by_hand(runs[0].states["E.U"])
    np.testing.assert_allclose(runs[1].states["E.U"], expected, rtol=1e-6, atol=1e-7)
    runs = [
        bs.simulate(net, 0.2, trains(1), record=record, progress=False, **options)
        for record in (["E.U"], {"E.U": bs.Means(GROUPS)})
    ]
    expected = by_hand(runs[0].states["E.U"])
    np.testing.assert_allclose(runs[1].states["E.U"], expected, rtol=1e-6, atol=1e-7)


def test_figures_of_neurons_refuse_means():
    net = circuit()
    trace = bs.run(net, trains(), record={"E.U": "mean", "E.I_exc": [3]})
    done = bs.simulate(net, 0.1, trains(1), record={"E.U": "mean", "E.I_exc": [3]}, progress=False)
    for each in (trace, done):
        assert "E.U" not in each.neurons and list(each.neurons["E.I_exc"]) == [3]
        with pytest.raises(ValueError, match="of E.U the mean over neurons was recorded"):
            bs.plot.membrane(each, "E")
