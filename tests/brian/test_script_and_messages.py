"""Programs for Brian2 that run alone, sparse and plastic projections, names and messages."""

import gc

import numpy as np
import pytest

import biosnn as bs
from biosnn import brian
from biosnn.brian import identifiers

from .brian_cases import agree, changed, circuit, one, printed_by

b2 = pytest.importorskip("brian2")


@pytest.fixture(autouse=True)
def interpreted():
    """Brian2 without a compiler: small networks build faster so."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(network=3), "network is 3; it must be a Network"),
        (dict(spikes=[0.1]), r"spikes is \[0.1\]; it must be SpikeTrains"),
        (dict(spikes={"input": None}), "spikes of the input 'input' is None"),
        (dict(record="A.U"), r"record is 'A.U'; it must be a list, such as \["),
        (dict(record=[1]), "a state in record is 1"),
        (dict(currents=[1.0]), r"currents is \[1.0\]; it must be a dict"),
        (
            dict(currents={"A": "much"}),
            "currents for 'A' is 'much'; it must be real numbers, not texts",
        ),
        (dict(currents={"A": np.nan}), "currents for 'A' has the value nan"),
        (dict(background=bs.Current("A", 1.0)), "background is .*; it must be a list"),
        (dict(background=["A"]), r"background\[0\] is 'A'"),
        (dict(initial=1), "initial is 1; it must be a dict of states"),
        (dict(initial={"A.V": 1.0}), "there is no state 'A.V'"),
        (
            dict(background=[bs.Current("A", 1.0)], seed=0.5),
            "seed is 0.5; it must be a whole number",
        ),
        (dict(seed=None), "seed is None"),
        (dict(target=None), "target is None; it must be one of 'numpy', 'cython'"),
        (dict(progress="yes"), "progress is 'yes'; it must be True or False"),
        (dict(against="other"), "against is 'other'; it must be a Network"),
    ],
)
def test_arguments_of_compare(arguments, words):
    with pytest.raises(ValueError, match=words):
        brian.compare(
            **{
                "network": one(bs.lif()),
                "spikes": bs.data.poisson(20, 20, 0.1, seed=1),
                "progress": False,
            }
            | arguments
        )


def sparse_network():
    """Three kinds of neurons, sparse and dense projections, one delay or one for every synapse."""
    rng, net = np.random.default_rng(0), bs.Network(1e-3)
    x, e = (
        net.input(50),
        net.population(
            30,
            bs.ei_lif(tau_mem=15e-3, tau_exc=5e-3, tau_inh=9e-3, refractory=2e-3),
            "excitatory",
            name="E",
        ),
    )
    i, d = (
        net.population(10, bs.lif(refractory=3e-3), "inhibitory", name="I"),
        net.population(5, bs.lif_delta(refractory=2e-3), name="D"),
    )
    net.connect(
        x,
        e,
        receptor="exc",
        synapses=bs.Bernoulli(0.5),
        weights=lambda g, n: g.exponential(0.8, n),
        seed=1,
        delay=lambda g, n: g.integers(0, 8, n) * 1e-3,
    )
    net.connect(x, i, receptor="exc", weights=rng.exponential(0.25, (50, 10)))
    net.connect(
        x, d, receptor="exc", synapses=bs.FixedInDegree(20), weights=0.21, seed=3, delay=2e-3
    )
    net.connect(
        i,
        e,
        synapses=bs.FixedInDegree(3),
        weights=0.1,
        seed=2,
        delay=lambda g, n: g.uniform(1e-3, 20e-3, n),
    )
    return net


def test_sparse_projections_and_delays_of_their_own(tmp_path):
    net = sparse_network()
    spikes, current = bs.data.poisson(15, 50, 0.4, seed=1), {"I": np.linspace(0.1, 0.3, 10)}
    report = brian.compare(net, spikes, currents=current, progress=False)
    agree(report, 1e-12)
    other = changed(net, **{"input->I": 1.05 * net.weights["input->I"]})
    parted = brian.compare(net, spikes, record=[], currents=current, progress=False, against=other)
    d = parted.divergence
    assert (
        d.population == "I"
        and 0 < d.difference < 0.2
        and d.ours < 1 < d.theirs
        and d.only_in == "Brian2"
    )
    path = brian.script(net, spikes, tmp_path / "sparse", currents=current)
    text = printed_by(path)
    assert all(f"{name}: {ours} spikes" in text for name, (ours, _) in report.spike_counts.items())


def test_script_with_plastic_projections(tmp_path):
    """Depression, facilitation and inhibitory plasticity: the spikes that biosnn and to_brian2
    have.
    """
    net = bs.Network(1e-3)
    x, y, e = (
        net.input(40),
        net.input(20, name="y", sign="inhibitory"),
        net.population(20, bs.ei_lif(refractory=2e-3, tau_inh=15e-3), "excitatory", name="E"),
    )
    for name, rule in (
        ("depressing", bs.TsodyksMarkram(0.5, 0.8)),
        ("facilitating", bs.TsodyksMarkram(0.1, 0.13, 0.53)),
    ):
        net.connect(
            x,
            e,
            delay=2e-3,
            weights=bs.Exponential(0.6),
            synapses=bs.Bernoulli(0.5),
            seed=1,
            plasticity=rule,
            name=name,
            receptor="exc",
        )
    net.connect(
        y,
        e,
        delay=3e-3,
        weights=0.02,
        synapses=bs.Bernoulli(0.5),
        seed=2,
        plasticity=bs.InhibitorySTDP(0.01, 5.0, w_max=0.5),
    )
    spikes = {
        "input": bs.data.poisson(12.0, 40, 0.5, seed=3),
        "y": bs.data.poisson(12.0, 20, 0.5, seed=4),
    }
    report = brian.compare(net, spikes, progress=False)
    agree(report, 1e-12)
    path = brian.script(net, spikes, tmp_path / "plastic")
    text = printed_by(path, tmp_path / "result.npz")
    with np.load(tmp_path / "result.npz") as result:
        ours, theirs = report.spike_counts["E"]
        assert ours == theirs == result["E_times"].size > 20 and f"E: {ours} spikes" in text
        raster = report.rasters["E"][0]
        assert set(zip(np.rint(result["E_times"] / 1e-3).astype(int), result["E_neurons"])) == set(
            zip(np.rint(raster.times / 1e-3).astype(int), raster.units)
        )
    assert "traceIn" in path.read_text() and "resources" in path.read_text()


def test_names_for_brian2_differ():
    net = bs.Network(1e-3)
    for name in ("a b", "a_b", "1", "for", "second"):
        net.population(1, bs.lif(), name=name)
    net.connect("a b", "a_b"), net.connect("a_b", "a b")
    assert list(identifiers.identifiers(net).values()) == [
        "a_b",
        "a_b_2",
        "p_1",
        "for_",
        "second_",
        "syn_a_b__a_b",
        "syn_a_b__a_b_2",
    ]


def test_messages():
    with pytest.raises(ValueError, match="one trial at a time; got 2 trials"):
        brian.to_brian2(circuit(), bs.data.poisson(10, 100, 0.2, 2, seed=2))
    net = one(bs.ei_lif(tau_mem=np.array([0.01, 0.02, 0.03]), tau_exc=np.array([0.01, 7e-3, 9e-3])))
    with pytest.raises(ValueError, match=r"tau_inh and tau_mem of neuron 1 are \(nearly\) equal"):
        brian.to_brian2(net, bs.data.poisson(10, 20, 0.2, seed=2))
    report = brian.compare(
        one(bs.lif()), bs.data.poisson(20, 20, 0.2, seed=1), record=["A.I"], progress=False
    )
    with pytest.raises(ValueError, match="holds no A.U"):
        report.figure()
    trains = bs.data.poisson(20, 20, 0.2, 2, seed=1)
    with pytest.raises(ValueError, match="there are no trials"):
        brian.compare(one(bs.lif()), trains[:0], progress=False)
    with pytest.raises(ValueError, match="currents for 'A' have 3 trials, but there are 2"):
        brian.compare(one(bs.lif()), trains, currents={"A": np.zeros((3, 200, 3))}, progress=False)


def test_trials_of_currents_alone_and_projections_without_synapses():
    from brian2.utils.logger import catch_logs

    net = bs.Network(1e-3)
    a = net.population(3, bs.lif(), name="A")
    net.connect(a, a, weights=1.0, synapses=bs.Pairs(np.array([], int), np.array([], int)))
    with catch_logs() as logs:
        report = brian.compare(
            net,
            currents={"A": np.linspace(0, 3, 2 * 50 * 3).reshape(2, 50, 3)},
            duration=0.05,
            progress=False,
        )
        gc.collect()
    assert report.n_trials == 2 and report.identical and report.spike_counts["A"][0] > 2
    assert not [
        each for each in logs if "unused" in each[1]
    ]  # Brian2 warns of objects that are in no network
