"""Infinity is never silent: what leaves the numbers is refused where it is given, or named where it
comes about.
"""

import numpy as np
import pytest

import biosnn as bs


def circuit(weight=0.5, dtype=np.float32):
    net = bs.Network(1e-3, dtype)
    e = net.population(3, bs.lif(), name="E")
    net.connect(net.input(2), e, weights=np.full((2, 3), weight))
    net.connect(e, net.readout(2), weights=np.ones((3, 2)))
    return net


def trains():
    """Two trials; in the second both units spike at 10, 20, … ms."""
    times = np.tile(np.repeat(np.arange(1, 5) * 10e-3, 2), 2)
    units, trials = np.tile([0, 1], 8), np.repeat([0, 1], 8)
    times[:8] = 40e-3
    return bs.SpikeTrains.from_events(
        times[[0, *range(8, 16)]],
        units[[0, *range(8, 16)]],
        trials[[0, *range(8, 16)]],
        n_trials=2,
        n_units=2,
        duration=0.05,
        labels=np.array([0, 1]),
    )


def test_weights_whose_sum_is_infinite():
    """Two spikes of 2e38 together are no number of single precision any more: the first such step
    is that of 10 ms.
    """
    match = (
        r"population 'E': I of neuron 0 is inf from 0.01 s on \(step 10\) in trial 1; float32 "
        r"holds numbers up to 3.4e\+38"
    )
    for act in (
        lambda: bs.run(circuit(2e38), trains()),
        lambda: bs.evaluate(circuit(2e38), trains()),
        lambda: bs.run(circuit(2e38), trains(), tape=True, record=["E.U"]),
        lambda: bs.evaluate(circuit(2e38), trains(), batch=1),
    ):
        with pytest.raises(ValueError, match=match):
            act()
    for options in (
        {},
        {"batch": 1},
        {"stateful": True, "batch": 1},
        {"loss": None, "regularizers": [bs.upper_bound(1, 1)]},
    ):
        with pytest.raises(
            ValueError,
            match="epoch 0, batch .: population 'E': I of neuron 0 is inf .* in trial 1; .* "
            "Training stopped",
        ):
            bs.train(circuit(2e38), trains(), epochs=1, progress=False, **options)
    assert np.isfinite(bs.run(circuit(2e38, np.float64), trains()).states["readout.U"]).all()
    assert np.isfinite(bs.run(circuit(1e37), trains()).states["readout.U"]).all()


def test_a_run_that_goes_on_says_the_time_since_the_first_began():
    net, first = circuit(2e38), bs.SpikeTrains.from_dense(np.zeros((2, 30, 2)), 1e-3)
    state = bs.run(net, first).state
    with pytest.raises(
        ValueError, match=r"I of neuron 0 is inf from 0.04 s on \(step 10\) in trial 1"
    ):
        bs.run(net, trains(), state=state)


def test_a_simulation_names_the_slice():
    for out in ("E.U", None):
        with pytest.raises(
            ValueError,
            match=r"population 'E': (U|I) of neuron 0 is (inf|nan) between [\d.]+ and [\d.]+ s "
            r"\(steps \d+ to \d+\)",
        ):
            bs.simulate(
                circuit(2e38),
                0.05,
                trains()[1],
                progress=False,
                record={} if out is None else {out: [0]},
            )
    net = bs.Network(1e-3)
    net.population(5, bs.lif(threshold=3e38), name="A")
    with pytest.raises(ValueError, match="population 'A': I of neuron"):
        bs.simulate(net, 0.05, background=[bs.PoissonInput("A", 1e5, 3e38)], progress=False)


def test_states_whose_sum_no_number_holds_are_finite():
    """A simulation looks at their sum first."""
    net = bs.Network(1e-3)
    net.population(4, bs.lif(threshold=3.4e38, tau_mem=0.5), name="A")
    initial = {"A.U": np.array([2e38, 3e38, -3e38, 3e38])}
    done = bs.simulate(net, 2e-3, initial=initial, record=["A.U"], progress=False)
    with np.errstate(over="ignore"):
        assert np.isinf(done.states["A.U"][0, [0, 1]].sum())
    np.testing.assert_allclose(done.states["A.U"][-1], initial["A.U"], rtol=0.01)


@pytest.mark.parametrize(
    "source",
    [
        bs.Current("E", 1e39),
        bs.Current("E", ([0.0, 0.01], [0.0, -1e39])),
        bs.Current("E", np.array([0.0, 1e39, 0.0])),
        bs.OrnsteinUhlenbeck("E", 0.0, 1e39, 5e-3),
        bs.OrnsteinUhlenbeck("E", 1e39, 0.0, 5e-3),
        bs.PoissonInput("E", 10.0, 1e39),
        bs.PoissonInput("E", np.full(3, 10.0), 1e39),
    ],
)
def test_what_single_precision_does_not_hold(source):
    with pytest.raises(
        ValueError,
        match=rf"background\[1\], {type(source).__name__}\('E'\), has the value .*e\+3[89]; "
        "float32 holds numbers up to",
    ):
        bs.simulate(circuit(), 0.01, background=[bs.Current("E", 0.1), source], progress=False)
    bs.simulate(circuit(dtype=np.float64), 0.01, background=[source], progress=False)


def test_currents_and_initial_states():
    with pytest.raises(ValueError, match=r"currents 'E' has the value 1e\+39; float32 holds"):
        bs.run(circuit(), trains(), currents={"E": 1e39})
    with pytest.raises(ValueError, match=r"initial 'E.U' has the value 1e\+39; float32 holds"):
        bs.simulate(circuit(), 0.01, initial={"E.U": 1e39}, progress=False)
