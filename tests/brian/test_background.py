"""Background, initial states and realizations in Brian2."""

import dataclasses

import numpy as np
import pytest

import biosnn as bs
from biosnn import brian
from biosnn.brian import trial_input
from biosnn.engine.realization import realize

from .brian_cases import agree, changed, printed_by

b2 = pytest.importorskip("brian2")


@pytest.fixture(autouse=True)
def interpreted():
    """Brian2 without a compiler: small networks build faster so."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


def background_circuit():
    """E and I with biases and delays, and everything that a background can be."""
    net = bs.Network(1e-3)
    e = net.population(
        12,
        bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=2e-3),
        "excitatory",
        name="E",
        bias=0.1,
    )
    i = net.population(4, bs.lif_delta(refractory=2e-3), "inhibitory", name="I")
    for pre, post, w in ((e, e, 0.05), (e, i, 0.2), (i, e, 0.1), (i, i, 0.1)):
        net.connect(pre, post, delay=2e-3, weights=np.full((pre.n, post.n), w))
    net.connect(e, net.readout(1), weights=np.ones((12, 1)))
    background = [
        bs.OrnsteinUhlenbeck("E", 0.3, 0.3, 20e-3),
        bs.PoissonInput("E", 2000.0, 0.08),
        bs.PoissonInput(i, np.linspace(1e3, 3e3, 4), 0.05),
        bs.Current("E", ([0.0, 0.1], [0.2, 0.5])),
        bs.PoissonInput("E", ([0.0, 0.1], [0.0, 900.0]), 0.1, "inh"),
        bs.PoissonInput("I", 0.0, 0.1),
        bs.Current("readout", np.array([0.2])),
    ]
    return (
        net,
        background,
        {"E.U": bs.Normal(0.5, 0.2, high=1.0), "E.I_exc": np.linspace(0, 1, 12), "readout.U": 0.3},
    )


@pytest.mark.slow
def test_background_and_initial_states(tmp_path):
    """Poisson input with several events of a neuron in a step, currents, noise: the same numbers in
    both programs, and in a script.
    """
    net, background, initial = background_circuit()
    report = brian.compare(
        net, duration=0.3, background=background, initial=initial, seed=4, progress=False
    )
    agree(report)
    assert report and report.spike_counts["E"][0] > 30 and report.traces["E.U"][0].std() > 0.1
    double = trial_input.in_double(net)
    ours = bs.simulate(
        double,
        0.3,
        background=background,
        initial=initial,
        seed=4,
        record={"E.U": slice(None)},
        progress=False,
    )
    np.testing.assert_array_equal(report.traces["E.U"][0], ours.states["E.U"])
    assert (
        np.abs(
            brian.compare(
                net, duration=0.1, background=background, initial=initial, seed=5, progress=False
            ).traces["E.U"][0]
            - ours.states["E.U"][:100]
        ).max()
        > 0.1
    )
    path = brian.script(
        net, None, tmp_path / "driven", duration=0.3, background=background, initial=initial, seed=4
    )
    text = printed_by(path)
    assert all(
        f"{name}: {spikes} spikes" in text for name, (spikes, _) in report.spike_counts.items()
    )
    assert "background_I_2 has no events" in path.read_text()


def test_background_beside_trials_of_input_and_currents():
    """Trial b has the random numbers of seed + b; a clamped neuron with equal time constants is
    held where it starts.
    """
    net = bs.Network(1e-3)
    a = net.population(3, bs.lif(tau_mem=10e-3, tau_syn=10e-3, refractory=3e-3), name="A")
    net.connect(
        net.input(20), a, receptor="exc", weights=np.random.default_rng(0).exponential(0.2, (20, 3))
    )
    spikes, background = bs.data.poisson(20, 20, 0.2, 2, seed=1), [bs.PoissonInput("A", 500.0, 0.2)]
    report = brian.compare(
        net,
        spikes,
        currents={"A": np.full(3, 0.2)},
        background=background,
        initial={"A.U": 0.7},
        seed=2,
        progress=False,
    )
    agree(report)
    assert report.n_trials == 2
    second = brian.compare(
        net,
        spikes[1],
        currents={"A": np.full(3, 0.2)},
        background=background,
        initial={"A.U": 0.7},
        seed=3,
        progress=False,
    )
    assert np.array_equal(second.rasters["A"][0].times, report.rasters["A"][0][1].times)


@pytest.mark.parametrize("first", [False, True])
def test_a_difference_is_explained_with_background(first):
    """U before threshold in the step of the first spike that differs, also where that is the first
    step: with biases and background.
    """
    net, background, initial = background_circuit()
    other = changed(net, **{name: 0.5 * w for name, w in net.weights.items()})
    other.parameters = net.parameters | {
        ("E", "bias"): np.asarray(0.15) + net.parameters["E", "bias"]
    }
    if first:
        initial = initial | {"E.U": 1.0}
        background = [bs.Current("E", -0.14)]
    d = brian.compare(
        net, duration=0.3, background=background, initial=initial, progress=False, against=other
    ).divergence
    assert (
        d.population == "E"
        and (d.ours > 1) == (d.only_in == "biosnn")
        and (d.theirs > 1) == (d.only_in == "Brian2")
    )
    if first:
        assert d.step == 0
        reference = brian.to_brian2(
            trial_input.in_double(net),
            None,
            record=["E.U_star"],
            duration=0.3,
            background=background,
            initial=initial,
        )
        reference.run(1e-3)
        assert d.ours == pytest.approx(
            np.asarray(reference.states["E.U_star"].U)[d.neuron, 0], abs=1e-12
        )


def test_a_realization_is_what_a_simulation_has():
    """Neurons that never spike and forget slowly hold what they received."""
    net, start = bs.Network(1e-3, np.float64), {"E.U": bs.Normal(0.0, 1.0)}
    net.population(70, dataclasses.replace(bs.lif_delta(tau_mem=1.0), threshold=np.inf), name="E")
    background = [
        bs.Current("E", 2.0),
        bs.PoissonInput("E", 3000.0, 0.5),
        bs.PoissonInput("E", np.linspace(0, 100, 70), 0.25),
    ]
    given = realize(net, 50, background, start, 7)
    run = bs.simulate(
        net,
        0.05,
        background=background,
        initial=start,
        seed=7,
        record={"E.U": slice(None)},
        progress=False,
    )
    u, decay = given.initial["E.U"], np.exp(-1e-3)
    for n in range(50):
        u = (
            u * decay
            + given.currents["E"][n] * (1 - decay)
            + sum(each.weight * each.counts[n] for each in given.arrivals)
        )
        np.testing.assert_allclose(run.states["E.U"][n], u, rtol=0, atol=1e-12)
    assert [each.counts.max() > 5 for each in given.arrivals] == [True, False] and given.arrivals[
        0
    ].counts.mean() == pytest.approx(3, rel=0.1)
    with pytest.raises(ValueError, match="steps is 0; it must be a whole number >= 1"):
        realize(net, 0)
