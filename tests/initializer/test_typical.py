"""The initializer takes the mean of thresholds that differ from neuron to neuron."""

import numpy as np
import pytest

import biosnn as bs


def started(threshold, learned=0.0):
    net = bs.Network(1e-3)
    x = net.input(50)
    neuron = bs.lif(threshold=threshold)
    e = net.population(10, neuron, name="E", learn={"threshold": "population"})
    net.connect(x, e, name="in")
    net.parameters["E", "threshold"][...] = learned
    options = {"assumed_rates": 10.0, "closed_loop": False, "seed": 1}
    return net, bs.fluctuation_driven(net, xi=2.0, sigma_u=None, alpha=1.0, **options)


def test_the_distance_to_the_threshold_is_that_to_the_mean():
    spread, one = started(np.linspace(0.5, 1.5, 10)), started(1.0)
    for _, report in (spread, one):
        assert report["E"].threshold == pytest.approx(1.0)
        assert report["E"].target.sigma == pytest.approx(0.5)
    np.testing.assert_allclose(spread[0].weights["in"], one[0].weights["in"], rtol=1e-6)


def test_learned_thresholds_count():
    _, report = started(1.0, learned=0.4)
    assert report["E"].threshold == pytest.approx(1.4)
    assert report["E"].target.sigma == pytest.approx(0.7)
