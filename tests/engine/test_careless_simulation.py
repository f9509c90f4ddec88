"""Simulation and theory by careless users: what they are told."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import biosnn as bs
from biosnn.analysis import correlogram, stats
from biosnn.network.connectivity import OneToOne

AIM = {"mu_u": 9e-3, "sigma_u": 3e-3, "assumed_rates": {"x": 5.0}}


def one(neuron=None, n=3, sign="excitatory"):
    net = bs.Network(1e-4)
    net.population(
        n, neuron or bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3), sign, name="E"
    )
    return net


def run(net, **options):
    return bs.simulate(net, 0.01, **{"progress": False} | options)


def test_a_state_is_not_taken_with_noise_of_another_population():
    net = one(bs.lif(threshold=1e9))
    net.population(3, bs.lif(threshold=1e9), "inhibitory", name="I")
    first = run(net, background=[bs.OrnsteinUhlenbeck("E", 100.0, 1.0, 10.0)])
    with pytest.raises(ValueError, match="Ornstein-Uhlenbeck sources differ"):
        run(net, background=[bs.OrnsteinUhlenbeck("I", 0.0, 1.0, 10.0)], state=first.state)
    run(net, background=[bs.OrnsteinUhlenbeck("E", 100.0, 1.0, 10.0)], state=first.state)


def test_spikes_can_be_read_while_the_file_grows(tmp_path):
    script = f"""
import biosnn as bs
net = bs.Network(1e-4)
neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3)
net.population(100, neuron, "excitatory", name="E")
path = {str(tmp_path / "grow.spikes")!r}
bs.simulate(net, 1e6, background=[bs.Current("E", 0.05)], out=path, progress=False)
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        found, until = 0, time.monotonic() + 60
        while found < 1000 and time.monotonic() < until:
            time.sleep(0.2)
            try:
                found = bs.read_spikes(tmp_path / "grow.spikes")["E"].times.size
            except OSError:  # not there yet
                continue
        assert found >= 1000 and process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    spikes = bs.read_spikes(tmp_path / "grow.spikes")["E"]  # killed: what was written is there
    assert spikes.times.size >= found and spikes.times.max() < spikes.duration


def test_no_population_in_a_file(tmp_path):
    assert run(one(), out=tmp_path / "none.spikes", record_spikes=[]).spikes == {}
    twice = run(
        one(),
        out=tmp_path / "twice.spikes",
        record_spikes=["E", "E"],
        background=[bs.Current("E", 1.0)],
    )
    assert list(twice.spikes) == ["E"] and twice.spikes["E"].times.size > 0


def test_an_interrupted_initialization_stops():
    net, neuron = (
        bs.Network(1e-4),
        bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3),
    )
    e, i = (
        net.population(800, neuron, "excitatory", name="E"),
        net.population(200, neuron, "inhibitory", name="I"),
    )
    for post in (e, i):
        net.connect(e, post, delay=1.5e-3, synapses=bs.FixedInDegree(80), seed=1)
        net.connect(i, post, delay=1.5e-3, synapses=bs.FixedInDegree(20), seed=2)
    timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(20):
            bs.fluctuation_driven(
                net,
                background=[bs.PoissonInput(p, 10500.0, 1e-4) for p in "EI"],
                family=bs.families.Constant(),
                mu_u=16e-3,
                sigma_u=4e-3,
                seed=1,
                progress=False,
            )


def test_memory_of_a_correlogram_with_many_lags(monkeypatch):
    spikes, pairs = (
        bs.data.poisson(50.0, 20, 10.0, 1, seed=1),
        (np.repeat(np.arange(20), 20), np.tile(np.arange(20), 20)),
    )
    whole = stats.cross_correlogram(spikes, spikes, pairs, reach=1.0, bin_width=0.01)[1]
    monkeypatch.setattr(correlogram, "_CHUNK", 5000)
    looked_at, ranges = [], correlogram.ranges
    monkeypatch.setattr(
        correlogram, "ranges", lambda first, n: looked_at.append(n.sum()) or ranges(first, n)
    )
    np.testing.assert_array_equal(
        stats.cross_correlogram(spikes, spikes, pairs, reach=1.0, bin_width=0.01)[1], whole
    )
    assert max(looked_at) < 15_000 < sum(looked_at) / 100


def test_depression_at_no_rate_and_at_high_ones():
    u, x, ux = bs.TsodyksMarkram(0.5, 0.8).steady_state(np.array([0.0, 1e9]))
    np.testing.assert_allclose([u, x, ux], [[0.5, 0.5], [1.0, 0.0], [0.5, 0.0]], atol=1e-6)


def test_units_of_thresholds_and_of_rates():
    b2 = pytest.importorskip("brian2")
    net = one(bs.lif_delta(tau_mem=20e-3, threshold=20 * b2.mV, reset=10 * b2.mV))
    assert (net["E"].neuron.threshold, net["E"].neuron.reset) == (0.02, 0.01) and run(
        net
    ).counts == {"E": 0}
    with pytest.raises(ValueError, match="which is not a time"):
        bs.Current("E", ([0, 50] * b2.Hz, [0.0, 2.0]))
    with pytest.raises(ValueError, match="which is not a rate"):
        bs.regime(driven(), rates={"x": 5 * b2.ms})
    assert bs.Normal(3 * b2.ms, 1 * b2.ms, low=1 * b2.ms) == bs.Normal(3e-3, 1e-3, low=1e-3)
    assert bs.Uniform(1 * b2.ms, 2e-3) == bs.Uniform(1e-3, 2e-3)
    with pytest.raises(
        ValueError,
        match="Normal: low is 1. mV, but mean is 0.003; give all values with units of one kind",
    ):
        bs.Normal(3e-3, 1e-3, low=1 * b2.mV)
    volts = bs.simulate(
        one(),
        1e-3,
        initial={"E.U": bs.Uniform(1 * b2.mV, 2 * b2.mV)},
        record={"E.U": slice(None)},
        progress=False,
    )
    assert (
        np.all(volts.states["E.U"][0] > 0.9e-3)
        and np.all(volts.states["E.U"][0] < 2e-3)
        and bs.Normal(1 * b2.mV, 0.1 * b2.mV, low=0 * b2.mV)
    )
    assert (
        bs.regime(driven(), rates={"x": 5 * b2.Hz})["E"].predicted.mu
        == bs.regime(driven(), rates=5.0)["E"].predicted.mu
    )


def driven():
    net = one()
    net.connect(net.input(3, name="x", sign="excitatory"), "E", weights=1e-3, synapses=OneToOne())
    return net


def dense():
    net = bs.Network(1e-3)
    net.connect(
        net.input(3, name="x", sign="excitatory"),
        net.population(2, bs.ei_lif(), "excitatory", name="E"),
    )
    return net


def dense_input():
    return bs.data.poisson(20, 3, 0.1, 2, seed=1)


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: run(one(), record_spikes="E"), "record_spikes is 'E'; it must be a list"),
        (lambda: run(one(), record={"E.U": [5]}), r"record of 'E.U' is \[5\]; .* 0 .. 2"),
        (lambda: run(one(), record={"E.U": "all"}), "record of 'E.U' is 'all'"),
        (lambda: run(one(), initial={"E.U": [1, 2]}), r"initial 'E.U' has shape \(2,\)"),
        (lambda: run(one(), rate_bin=np.nan), "rate_bin is nan"),
        (
            lambda: run(one(), background=[bs.PoissonInput("E", 100.0, np.ones(3))]),
            "weight is an array of shape .* a finite number",
        ),
        (lambda: run(one(), background=[bs.PoissonInput("E", 100.0, None)]), "weight is None"),
        (lambda: run(one(), background=[bs.Current("E", (1.0, 2.0, 3.0))]), "got a tuple of 3"),
        (
            lambda: run(one(), background=[bs.OrnsteinUhlenbeck("E", 1.0, 1.0, None)]),
            "tau is None; it must be a finite number in seconds > 0",
        ),
        (
            lambda: bs.regime(one(), bs.Current("E", 1.0)),
            "background is Current.*; it must be a list",
        ),
        (lambda: bs.regime(one(), None), "background is None"),
        (lambda: bs.regime(driven(), rates={"x": -5.0}), "'x' is -5.0; .* hertz >= 0"),
        (lambda: bs.TsodyksMarkram().steady_state(-10), "rate, in Hz, has the value -10"),
        (lambda: bs.plot.membrane(run(one()), "E"), "the simulation has no E.U"),
        (
            lambda: stats.cross_correlogram(
                *[bs.data.poisson(5, 2, 1.0, 1, seed=1)] * 2, ([0], [0]), reach=0.6, bin_width=0.1
            ),
            "at most half the duration of a trial, 0.5 s",
        ),
        (
            lambda: stats.cross_correlogram(
                *[bs.data.poisson(5, 2, 1.0, 1, seed=1)] * 2, ([0], [0]), reach=0.1, bin_width=0.0
            ),
            "width is 0.0 s.*trial, 1 s",
        ),
    ],
)
def test_what_careless_users_are_told(act, words):
    with pytest.raises(ValueError, match=words):
        act()


def test_scripts_say_what_they_cannot_do(tmp_path, capsys):
    from models import brunel_2000

    (tmp_path / "file").touch()
    for options, words in (
        (["--seconds", "0.001"], "must be above 0.02"),
        (["--seed", "-1"], "must be >= 0"),
        (["--out", str(tmp_path / "file")], "a file"),
    ):
        with pytest.raises(SystemExit):
            brunel_2000.main(options)
        assert words in capsys.readouterr().err
    brunel_2000.main(
        [
            "--scale",
            "0.02",
            "--seconds",
            "0.05",
            "--json",
            str(tmp_path / "new" / "b.json"),
            "--out",
            str(tmp_path / "figures"),
        ]
    )
    assert (tmp_path / "new" / "b.json").stat().st_size > 100


def test_populations_of_another_network_are_refused():
    one_net, other = one(), one()
    with pytest.raises(ValueError, match="'E' is a population of another network"):
        other.connect(one_net["E"], "E", weights=1.0, synapses=OneToOne())
    other.connect(other["E"], "E", weights=1.0, synapses=OneToOne())


@pytest.mark.parametrize(
    "act, words",
    [
        (
            lambda: one().connect("E", "E", delay=1e6),
            r"delay of 1e\+06 s is 10000000000 steps of dt = 0.0001 s; it can be 65 535",
        ),
        (
            lambda: bs.fluctuation_driven(driven(), background=[], family="normal", **AIM),
            "family of 'x->E' is 'normal'; it must be a family",
        ),
        (
            lambda: bs.fluctuation_driven(
                driven(), background=[], family=bs.families.Exponential, **AIM
            ),
            "family of 'x->E' is the class Exponential",
        ),
        (
            lambda: bs.fluctuation_driven(dense(), dense_input(), family="normal"),
            "family of 'x->E' is 'normal'; it must be a family",
        ),
        (lambda: one().connect("E", "E", delay=None), "delay is None"),
        (lambda: one().connect("E", "E", synapses=bs.FixedInDegree, seed=1), "must be a rule"),
        (lambda: bs.Bernoulli("a"), "p, a probability, is 'a'"),
        (lambda: bs.from_scipy(np.eye(3)), "not ndarray"),
        (
            lambda: bs.lif(refractory=np.ones((3, 1))),
            r"refractory is an array of shape \(3, 1\).*one for all neurons or one per neuron",
        ),
        (
            lambda: bs.lif(reset=np.zeros((3, 1))),
            r"reset is an array of shape \(3, 1\).*one for all neurons or one per neuron",
        ),
        (lambda: bs.SpikeTrains([0.1], [0], [0, 1], 10.5, 1.0), "n_units is 10.5"),
        (lambda: bs.data.working_memory(5, seed=1, delay=(0.5, 0.1, 0.3)), "delay is"),
        (
            lambda: bs.data.randman(n_classes=2, n_units=5, smoothness=300.0, samples_per_class=3),
            "smoothness is 300.0; .* <= 100",
        ),
    ],
)
def test_descriptions_that_make_no_sense(act, words):
    with pytest.raises(ValueError, match=words):
        act()


TWO_THREADS = """
import biosnn as bs
net = bs.Network(1e-3)
e = net.population(300, bs.lif(), "excitatory", name="E")
for k, weights in enumerate((0.05, bs.Uniform(0, 0.1), bs.Uniform(0, 0.1))):
    delay = bs.Uniform(1e-3, 3e-3) if k == 2 else 1e-3
    rule = bs.FixedInDegree(10)
    net.connect(e, e, delay=delay, weights=weights, synapses=rule, seed=k, name=f"p{k}")
drive = [bs.PoissonInput("E", 4e3, 0.05)]
done = bs.simulate(net, 0.05, background=drive, threads=2, progress=False)
print(*done.spikes["E"].units)
"""


@pytest.mark.slow
def test_two_threads_without_the_compiler_give_the_spikes_of_compiled_code():
    """Threads wait for each other in compiled code only, so without it there is one."""
    plain, compiled = (
        subprocess.run(
            [sys.executable, "-c", TWO_THREADS],
            env=os.environ | {"NUMBA_DISABLE_JIT": flag},
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        ).stdout
        for flag in "10"
    )
    assert len(plain.split()) > 100 and plain == compiled
