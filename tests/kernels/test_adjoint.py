"""The adjoint: against a naive reference, in windows, in lists, on any number of threads."""

from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs
from tests import naive
from tests.kernels.circuit import (
    DT,
    circuit,
    spikes,
)


@pytest.mark.parametrize(
    "table, integrator, reset, refractory, per_neuron, options",
    [
        ("ei_lif", "exact", 0.0, 3e-3, False, {}),
        ("ei_lif", "exponential_euler", "subtract", 0.0, True, {}),
        ("lif", "exact", -0.2, 0.0, True, {}),
        ("lif", "exponential_euler", 0.0, 2e-3, False, {"bounds": (-0.3, 1.0)}),
        ("conductance_lif", "exponential_euler", 0.0, 3e-3, True, {}),
        ("alpha_conductance_lif", "exponential_euler", "subtract", 0.0, False, {}),
        ("conductance_lif", "exponential_euler", 0.0, 0.0, False, {"bounds": (-0.1, 0.9)}),
        (
            "adaptive_lif",
            "exact",
            0.0,
            0.0,
            True,
            {"jump_delay": 2e-3, "surrogate": bs.TruncatedSuperSpike(3, 0.4)},
        ),
        ("ei_adaptive_lif", "exact", -0.2, 2e-3, False, {"bounds": (-0.2, np.inf)}),
        (
            "ei_adaptive_lif",
            "exponential_euler",
            "subtract",
            0.0,
            True,
            {"jump_delay": 1e-3, "learn": {"jump": "population"}},
        ),
        ("ampa_nmda_gaba", "exact", 0.0, 2e-3, True, {}),
        (
            "ampa_nmda_gaba",
            "exponential_euler",
            "subtract",
            0.0,
            False,
            {"bounds": (-0.5, 0.9), "surrogate": bs.Triangular(2.0)},
        ),
    ],
)
def test_against_the_naive_reference(table, integrator, reset, refractory, per_neuron, options):
    net = circuit(table, integrator, reset, refractory, per_neuron=per_neuron, **options)
    trains = spikes()
    for p in net.parameters.values():
        p += 0.4
    currents = {"A": np.random.default_rng(5).normal(0.3, 0.2, (3, 30, 5))}
    names = [
        "A.U_star",
        *(f"{p}.{state}" for p in "AB" for state in net["A"].neuron.states),
        "out.U",
        "out.I",
    ]
    trace = bs.run(net, trains, record=names, currents=currents, tape=True)
    grad = np.random.default_rng(6).normal(size=(3, 30, 3))
    got = bs.gradient(trace, states={"out.U": grad}, counts={"A": np.ones((3, 5))})
    dense, total = bs.bin_spikes(trains, DT).dense(), dict.fromkeys(net.weights, 0.0)
    assert trace.counts["A"].sum() > 3 and trace.counts["B"].sum() > 3
    for b in range(3):
        inputs, one = {"input": dense[b]}, {"A": currents["A"][b]}
        expected = naive.run(net, inputs, one)
        for population in ("A", "B"):
            ours = bs.bin_spikes(trace.spikes[population][b], DT).dense()[0]
            assert np.array_equal(ours, expected["spikes"][population])
        np.testing.assert_allclose(trace.states["A.U_star"][b], expected["u_star"]["A"], atol=1e-12)
        for name in names[1:]:
            np.testing.assert_allclose(
                trace.states[name][b], expected["states"][tuple(name.split("."))], atol=1e-12
            )
        slopes = naive.gradient(
            net, inputs, expected, {("out", "U"): grad[b]}, {"A": np.ones(5)}, one
        )
        for name in total:
            total[name] = total[name] + slopes["weights"][name]
        np.testing.assert_allclose(got.currents["A"][b], slopes["currents"]["A"], atol=1e-10)
    for name, expected in total.items():
        np.testing.assert_allclose(
            got.weights[name], expected, atol=1e-10 * max(1, np.abs(expected).max())
        )


def test_truncated_gradient_is_that_of_each_window_alone():
    """Linear in the derivatives of the loss: at a step of a window, the gradient of the loss at the
    steps of this window.
    """
    net, trains = circuit(delays=(0, 1, 4), refractory=3e-3), spikes()
    currents = {"A": np.full((3, 30, 5), 0.3), "B": np.full((3, 30, 4), 0.2)}
    trace = bs.run(net, trains, currents=currents, tape=True)
    grad = np.random.default_rng(0).normal(size=(3, 30, 3))
    got, whole = (
        bs.gradient(trace, states={"out.U": grad}, truncate=seconds) for seconds in (7e-3, None)
    )
    for first in range(0, 30, 7):
        window = slice(first, first + 7)
        alone = np.zeros_like(grad)
        alone[:, window] = grad[:, window]
        expected = bs.gradient(trace, states={"out.U": alone})
        for name in currents:
            np.testing.assert_allclose(
                got.currents[name][:, window], expected.currents[name][:, window], atol=1e-13
            )
            assert (
                first == 28 or np.abs(expected.currents[name][:, window]).max() > 1e-5
            )  # the last window has two steps
    assert not np.allclose(got.weights["A->out"], whole.weights["A->out"], rtol=0.1)
    one = bs.gradient(trace, states={"out.U": grad}, truncate=1.0)
    assert all(np.array_equal(one.weights[name], whole.weights[name]) for name in net.weights)
    with pytest.raises(ValueError, match="truncate is 0.0001"):
        bs.gradient(trace, states={"out.U": grad}, truncate=1e-4)


@pytest.mark.parametrize("table", ["ei_lif", "ei_adaptive_lif", "conductance_lif"])
def test_the_adjoint_begins_where_the_loss_ends(table):
    """Trials whose derivatives end early, or that have none, beside others: by linearity, all
    derivatives less the late ones.
    """
    trains, learn = spikes(n_trials=15), {"mem": "neuron"}
    currents = {"A": np.full((15, 30, 5), 0.3)}
    trace = bs.run(
        circuit(table, learn=learn, delays=(0, 1, 4)), trains, currents=currents, tape=True
    )
    every = np.random.default_rng(0).normal(size=(15, 30, 3))
    # tiles of six trials
    early = every.copy()
    last = np.array([0, 3, 12, 5, 8, 12, 0, 0, 0, 0, 0, 0, 2, 30, 1])
    for b, n in enumerate(last):
        early[b, n:] = 0
    got, whole, late = (
        bs.gradient(trace, states={"out.U": slopes}, record=["A.U"])
        for slopes in (early, every, every - early)
    )
    for kind in ("weights", "currents", "parameters", "states"):
        for name, value in getattr(got, kind).items():
            expected = getattr(whole, kind)[name] - getattr(late, kind)[name]
            np.testing.assert_allclose(
                value, expected, rtol=1e-9, atol=1e-12 * np.abs(getattr(whole, kind)[name]).max()
            )
            assert np.any(value)
    for b, n in enumerate(last):
        assert not np.any(got.states["A.U"][b, n:]) and not np.any(got.currents["A"][b, n:])
    counts = bs.gradient(trace, counts={"A": np.eye(15, 5, -3)})
    one = bs.gradient(trace, spikes={"A": np.repeat(np.eye(15, 5, -3)[:, None], 30, axis=1)})
    for name, value in counts.weights.items():
        np.testing.assert_allclose(value, one.weights[name], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("table", ["ei_lif", "conductance_lif"])
def test_same_bits_on_any_number_of_threads(table):
    trains, net = spikes(n_trials=70), circuit(table)
    results = []
    for threads in (1, 2, 3):
        trace = bs.run(net, trains, record=["A.U"], tape=True, threads=threads)
        grad = np.random.default_rng(1).normal(size=trace.states["out.U"].shape)
        results.append(
            (
                trace.states["A.U"],
                *bs.gradient(trace, states={"out.U": grad}, threads=threads).weights.values(),
            )
        )
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other))


@pytest.mark.parametrize("refractory, reset", [(0.0, 0.0), (3e-3, 0.0), (0.0, "subtract")])
@pytest.mark.parametrize("differentiate", [False, True])
def test_lists_of_neurons_near_threshold_give_the_gradient_of_all_of_them(
    refractory, reset, differentiate
):
    net = circuit(refractory=refractory, reset=reset, surrogate=bs.TruncatedSuperSpike(3, 0.4))
    trace = bs.run(net, spikes(), tape=True)
    packed, drive, recording, tables = trace.tape
    near = np.diff(recording.near.pointers[:, [0, -1]])
    assert near.sum() == np.sum(np.abs(recording.margin) <= 0.4) < recording.margin.size / 2
    rng, n_trials = np.random.default_rng(0), len(spikes())
    start = dict(
        states={"out.U": rng.normal(size=trace.states["out.U"].shape)},
        counts={"A": rng.normal(size=(n_trials, 5))},
        spikes={"B": rng.normal(size=(n_trials, trace.n_steps, 4))},
        differentiate_reset=differentiate,
    )
    listed = bs.gradient(trace, **start)
    everywhere = recording._replace(near=recording.near._replace(units=recording.near.units[:0]))
    full = bs.gradient(replace(trace, tape=(packed, drive, everywhere, tables)), **start)
    for name in listed.weights:
        np.testing.assert_allclose(listed.weights[name], full.weights[name], rtol=1e-12, atol=1e-14)
        assert np.any(full.weights[name])
