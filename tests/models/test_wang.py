"""The decision of Wang (2002): numbers of the paper, the gating, and a run of the script."""

import json

import numpy as np
import pytest

import biosnn as bs
from models import wang_2002 as wang


def test_every_neuron_gets_the_same_excitation_in_all():
    """Potentiation within a group is paid by the other sources (Brunel & Wang 2001)."""
    shares = np.array([0.15, 0.15, 0.7])
    assert shares @ wang.relative_weights() == pytest.approx(1.0)
    assert wang.relative_weights()[1, 0] == pytest.approx(1 - 0.15 * 0.7 / 0.85)
    assert np.array_equal(wang.relative_weights(stronger=1.0), np.ones((3, 3)))


def test_weights_are_conductances_in_units_of_the_leak():
    net = wang.build(0.1)
    assert [net[name].n for name in ("A", "B", "N", "I")] == [24, 24, 112, 40]
    assert net.weights["N->N"] == pytest.approx(0.05 / 25 / 0.1)
    assert net.weights["A->A"] == pytest.approx(1.7 * 0.05 / 25 / 0.1)
    assert net.weights["A->I"] == pytest.approx(0.04 / 20 / 0.1)
    assert net.weights["I->B"] == pytest.approx(1.3 / 25 / 0.1)
    slow, fast = net.weights["B->I nmda"][0, 0], net.weights["B->I"][0, 0]
    assert slow / fast == pytest.approx(wang.GATING.correction * 0.13 / 0.04)
    assert len(net.projections) == 28


def test_neurons_are_those_of_the_paper():
    exc, inh = wang.neuron("A"), wang.neuron("I")
    assert exc.time_constants["mem"] == pytest.approx(20e-3)
    assert inh.time_constants["mem"] == pytest.approx(10e-3)
    assert (exc.threshold, exc.reset, exc.refractory) == pytest.approx((20e-3, 15e-3, 2e-3))
    eta, gamma = exc.magnesium["g_nmda"]
    block = 1 / (1 + eta * np.exp(-gamma * 20e-3))  # at the threshold of -50 mV
    assert block == pytest.approx(1 / (1 + np.exp(0.062 * 50) / 3.57))


def test_a_stimulus_favours_one_group_while_it_lasts():
    times, rates = wang.stimulus(0.256, np.random.default_rng(0))
    during = (times >= wang.ONSET) & (times < wang.OFFSET)
    assert during.sum() == 40
    for name, mean in (("A", 40 * 1.256), ("B", 40 * 0.744)):
        assert not rates[name][~during].any()
        assert rates[name][during].mean() == pytest.approx(mean, abs=3 * 4 / np.sqrt(40))
        assert 2.5 < rates[name][during].std() < 5.5
    _, other = wang.stimulus(-1.0, np.random.default_rng(0))
    assert other["A"].max() < 15 < 60 < other["B"][during].min()
    assert min(other["A"].min(), other["B"].min()) == 0


def test_trials_side_by_side_have_stimuli_of_their_own():
    """(trials, pieces, 1) rates, each of its own coherence."""
    shown = wang.stimulus([0.512, -0.512, 0.0], np.random.default_rng(0))
    a, b, *_ = wang.background(shown)
    assert a.rate[1].shape == (3, shown[0].size, 1)
    during = slice(1, -1)
    means = [source.rate[1][:, during, 0].mean(axis=1) - 2400 for source in (a, b)]
    expected = 40 * np.array([[1.512, 0.488, 1.0], [0.488, 1.512, 1.0]])
    assert np.array(means) == pytest.approx(expected, abs=3 * 4 / np.sqrt(40))
    assert not np.array_equal(a.rate[1][0] - a.rate[1][0].mean(), b.rate[1][1])


def test_background_has_the_stimulus_on_top():
    shown = wang.stimulus(0.0, np.random.default_rng(1))
    a, b, others, inhibitory = wang.background(shown)
    assert a.rate[1] - 2400 == pytest.approx(shown[1]["A"])
    assert b.rate[1][0] == b.rate[1][-1] == others.rate == inhibitory.rate == 2400
    assert (a.weight, inhibitory.weight) == pytest.approx((2.1 / 25, 1.62 / 20))
    assert all(isinstance(source.rate, float) for source in wang.background())


@pytest.mark.parametrize("wrong", [["--scale", "0.05"], ["--trials", "0"], ["--coherence", "12.8"]])
def test_options_out_of_range_are_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        wang.main(wrong)
    assert wrong[0] in capsys.readouterr().err


@pytest.mark.slow
def test_decisions_from_the_command_line(tmp_path):
    """A part of the neurons, and a strong stimulus: the right group wins, and goes on alone."""
    out = ["--json", str(tmp_path / "numbers.json"), "--out", str(tmp_path)]
    wang.main(["--quick", "--scale", "0.3", "--seconds", "1", "--coherence", "0.512", *out])
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert 1 < numbers["spontaneous"]["rate_e_hz"] < 4
    assert 6 < numbers["spontaneous"]["rate_i_hz"] < 10
    assert [row["choice"] for row in numbers["trials"]] == [1, 1, 1, 0, 0, 0]
    for row in numbers["trials"]:
        loser, winner = sorted([row["rate_a_hz"], row["rate_b_hz"]])
        assert winner > 10 > 4 > loser
        assert 0.1 < row["decision_s"] < 2
    assert (tmp_path / "decision.png").stat().st_size > 10_000


def test_rates_are_those_of_several_populations_in_a_window():
    """B is silent, and counts as neurons."""
    net = bs.Network(1e-3)
    for name, count in (("A", 2), ("B", 3)):
        net.population(count, bs.lif(), "excitatory", name=name)
    strong = [bs.Current("A", 1.5)]
    done = bs.simulate(net, 1.0, background=strong, progress=False)
    times = done.spikes["A"].times
    late = ((times >= 0.5) & (times < 0.75)).sum()
    assert wang.rate(done, "AB", 0.5, 0.75) == pytest.approx(late / (5 * 0.25))
    assert late > 0
