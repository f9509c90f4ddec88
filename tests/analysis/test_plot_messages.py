"""Bad input of figures says what was given and what is allowed."""

import numpy as np
import pytest

from biosnn.analysis import plot
from biosnn.engine.gradient import Gradients
from biosnn.initializer.report import InitializerReport
from biosnn.network.network import Network
from biosnn.training.history import History

from .pictures import compared, history


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda t: plot.activity(t, trial=3), "trial is 3; .* from 0 to 2"),
        (lambda t: plot.activity(t, units=0), "units is 0; it must be a whole number >= 1"),
        (lambda t: plot.membrane(t, "E", neuron=12), "neuron is 12; .* from 0 to 11"),
        (lambda t: plot.membrane(t, "E", theory=(0, 0)), "standard deviation of theory is 0.*> 0"),
        (lambda t: plot.membrane(t, "input"), "input.* has no state U; it is an input"),
        (lambda t: plot.membrane(t, "Q"), "no population 'Q'"),
        (
            lambda t: plot.currents(t, "I"),
            r'no I.I_exc and I.I_inh, .* record=\["I.I_exc", "I.I_inh"\]',
        ),
        (
            lambda t: plot.currents(t, "readout"),
            "'readout' has no separate excitatory and inhibitory current: its states are U, I",
        ),
        (lambda t: plot.initializer(InitializerReport([], {}, {})), "no populations"),
        (lambda t: plot.history(history(0)), "runs has a History without epochs"),
        (
            lambda t: plot.history({"a": [history(), history(0)]}),
            r"runs\['a'\] has a History without epochs",
        ),
        (lambda t: plot.history({"a": []}), r"runs\['a'\] has no History"),
        (lambda t: plot.history({}), "runs is an empty dict"),
        (lambda t: plot.weights(Network(1e-3)), "no projections onto spiking populations"),
        (lambda t: plot.activity(None), "recording is None; it must be the Trace that run"),
        (lambda t: plot.activity(t.spikes), "of spikes alone there are plot.raster and plot.rates"),
        (lambda t: plot.activity((t,)), "recording is .*; it must be the Trace"),
        (lambda t: plot.activity(t.network), "recording is .*; it must be the Trace"),
        (lambda t: plot.activity(t, trial=-1), "trial is -1"),
        (lambda t: plot.activity(t, trial=True), "trial is True"),
        (lambda t: plot.activity(t, trial=1.0), "trial is 1.0"),
        (lambda t: plot.activity(t, trial=[0, 3]), "trial is 3; .* from 0 to 2"),
        (lambda t: plot.activity(t, trial=[]), "trial is empty"),
        (lambda t: plot.activity(t, units="5"), "units is '5'"),
        (lambda t: plot.activity(t, units=2.5), "units is 2.5"),
        (
            lambda t: plot.activity(t, width=3),
            "width is 3; it must be a finite number in cm from 6 to 100: a column",
        ),
        (lambda t: plot.activity(t, width="8.5"), "width is '8.5'"),
        (lambda t: plot.activity(t, width=np.nan), "width is nan"),
        (
            lambda t: plot.membrane(t, None),
            "population is None; it must be a population or its name, one of input, E, I, readout",
        ),
        (
            lambda t: plot.membrane(t, ["E"]),
            r"population is \['E'\]; it must be a population or its name",
        ),
        (lambda t: plot.membrane(t, 0), "population is 0"),
        (lambda t: plot.membrane("trace", "E"), "recording is 'trace'"),
        (lambda t: plot.membrane(t, "E", neuron="0"), "neuron is '0'"),
        (
            lambda t: plot.membrane(t, "E", theory=3.0),
            r"theory.* has shape \(\); it must be \(2,\)",
        ),
        (lambda t: plot.membrane(t, "E", theory=(0, 1, 2)), r"theory.* has shape \(3,\)"),
        (lambda t: plot.membrane(t, "E", theory=(np.nan, 1)), "theory.* has the value nan at 0"),
        (lambda t: plot.membrane(t, "E", theory="01"), "theory.* is '01'"),
        (lambda t: plot.currents(None, "E"), "recording is None"),
        (lambda t: plot.currents(t, {"E": 1}), "population is {'E': 1}"),
        (lambda t: plot.gradients(t, {"E.U": 1}), "found is {'E.U': 1}; it must be the Gradients"),
        (lambda t: plot.gradients(None, None), "trace is None"),
        (
            lambda t: plot.gradients(t, Gradients({}, {}, {}, {"E.U": np.ones((1, 3, 2))})),
            "gradients of E.U have 3 steps and the trace has 50",
        ),
        (lambda t: plot.weights("net"), "network is 'net'; it must be a Network"),
        (
            lambda t: plot.weights(t.network, "report"),
            "report is 'report'; it must be the report of the initializer",
        ),
        (lambda t: plot.initializer(None), "report is None; it must be the report"),
        (lambda t: plot.history(None), "runs is None; it must be a list"),
        (lambda t: plot.history("history"), "runs is 'history'"),
        (lambda t: plot.history(History), "runs is"),
        (lambda t: plot.history([history(), 1]), "runs is 1; it must be a History"),
        (lambda t: plot.history({"a": 1}), r"runs\['a'\] is 1"),
        (lambda t: plot.colour("E"), "population is 'E'; it must be a population, such as"),
        (
            lambda t: plot.colour(t.network.projections[0]),
            "population is .*; it must be a population",
        ),
        (lambda t: plot.colour(None), "population is None"),
        (lambda t: plot.comparison(None), "report is None; it must be the Comparison"),
        (lambda t: plot.comparison(compared(), "Q"), "the comparison holds no Q.U.*It holds E.U"),
        (lambda t: plot.comparison(compared(), 3), "population is 3; it must be one of 'E'"),
        (lambda t: plot.comparison(compared(), "E", neuron=4), "neuron is 4; .* from 0 to 3"),
    ],
)
def test_bad_input_says_what_was_given_and_what_is_allowed(trace, call, message):
    with pytest.raises(ValueError, match=message):
        call(trace)
