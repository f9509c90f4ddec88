"""Traces that several files of tests draw."""

import numpy as np
import pytest

from biosnn.data.spike_trains import SpikeTrains
from biosnn.engine.run import run
from biosnn.network.network import Network
from biosnn.network.neuron_models import ei_lif

from .pictures import DURATION, dalian, trains


@pytest.fixture(scope="module")
def trace():
    return run(dalian(), trains(20), record=["E.U", "I.U", "E.I_exc", "E.I_inh"], threads=1)


@pytest.fixture(scope="module")
def silent():
    nothing = SpikeTrains([], np.empty(0, int), [0] * 4, 20, DURATION, [0, 1, 2])
    return run(dalian(), nothing, record=["E.U", "E.I_exc", "E.I_inh"], threads=1)


@pytest.fixture(scope="module")
def odd():
    """Long names, one of them with signs of formulas and none for letters; one inhibitory neuron;
    one class.
    """
    rng, net = np.random.default_rng(1), Network(2e-3)
    x = net.input(20, name="thalamocortical relay cells of the core")
    e = net.population(
        12, ei_lif(), "excitatory", name="layer_2_3_pyramidal_cells_with_a_very_long_name"
    )
    i = net.population(1, ei_lif(), "inhibitory", name="$\\frac$ SOM_interneurons")
    for pre, post in ((x, e), (x, i), (i, i)):
        net.connect(pre, post, weights=rng.exponential(0.3, (pre.n, post.n)))
    net.connect(e, net.readout(1, name="the only class"), weights=rng.normal(size=(12, 1)))
    return run(
        net,
        trains(20, (0, 0, 0)),
        record=[f"{p.name}.{s}" for p in (e, i) for s in ("U", "I_exc", "I_inh")],
        threads=1,
    )
