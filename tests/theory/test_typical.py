"""Theory of populations whose thresholds differ from neuron to neuron: that of the mean."""

from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs
from biosnn.theory.rates import colour_corrected_rate, interval_cv

SPREAD = np.linspace(0.8, 1.2, 10)
MEAN = bs.ei_lif(threshold=1.0, reset=-0.1, refractory=2e-3)
EACH = bs.ei_lif(threshold=SPREAD, reset=-0.1 * SPREAD, refractory=2e-3 * SPREAD)


def test_a_cell_is_that_of_the_typical_neuron():
    cell = bs.theory.Cell("E", EACH, ())
    neuron = cell.neuron
    found = (neuron.threshold, neuron.reset, neuron.refractory)
    assert found == pytest.approx((1.0, -0.1, 2e-3))
    conducting = bs.conductance_lif(reversal_exc=0.06 * SPREAD)
    assert bs.theory.Cell("E", conducting, ()).neuron.reversal["g_exc"] == pytest.approx(0.06)


@pytest.mark.parametrize("rate", [interval_cv, colour_corrected_rate])
def test_rates_are_those_of_the_mean_threshold(rate):
    m = bs.theory.Moments(mu=0.7, sigma=0.3, tau=20e-3, white=0.35, tau_syn=5e-3)
    assert rate(EACH, m) == pytest.approx(rate(MEAN, m), rel=1e-9)
    other = replace(MEAN, threshold=1.1)
    assert abs(rate(other, m) - rate(MEAN, m)) > 1e-3


def circuit(neuron):
    net = bs.Network(0.5e-3)
    e = net.population(10, neuron, "excitatory", name="E")
    net.connect(e, e, weights=np.full((10, 10), 0.02))
    return net


def test_the_regime_says_that_it_takes_the_mean():
    noise = [bs.PoissonInput("E", 2000.0, 0.05)]
    each, mean = (bs.regime(circuit(neuron), background=noise) for neuron in (EACH, MEAN))
    assert each["E"].threshold == pytest.approx(1.0)
    assert each["E"].predicted.rate == pytest.approx(mean["E"].predicted.rate, rel=1e-6)
    assert "thresholds of E differ between neurons, 0.8 to 1.2" in str(each)
    assert "differ between neurons" not in str(mean)
