"""Checks of features that are options of a run, not of a network."""

import numpy as np

import biosnn as bs
from tests import gradcheck
from tests.kernels.circuit import loss_of

from .uses import arguments, reference, with_spikes

#: Means over neurons, by label.
GROUPS = bs.Means({"first": [0, 1, 2], "odd": slice(1, None, 2)})


def _of_run(setup, **options):
    """The first trial by `run`, with other options."""
    one = setup.trial(0)
    return one, bs.run(one.network, one.spikes, **(arguments(one) | options))


def _of_simulate(setup, **options):
    """The first trial by `simulate`, with other options."""
    one = setup.trial(0)
    given = arguments(one) | options
    return one, bs.simulate(one.network, one.duration, one.spikes, progress=False, **given)


def _close(found, expected):
    """Values agree to 1e-10."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def _naive(one, state="U"):
    """(step, neuron) a state of E by the naive reference."""
    return reference(one)["states"]["E", state]


def chosen_by_run(setup):
    """Some neurons; also U before the reset."""
    one, found = _of_run(setup, record={"E.U": [4, 1], "E.U_star": slice(2)})
    _close(found.states["E.U"][0], _naive(one)[:, [4, 1]])
    _close(found.states["E.U_star"][0], reference(one)["u_star"]["E"][:, :2])


def chosen_by_simulate(setup):
    """Some neurons."""
    one, found = _of_simulate(setup, record={"E.U": [4, 1], "E.I_exc": slice(2)})
    _close(found.states["E.U"], _naive(one)[:, [4, 1]])
    _close(found.states["E.I_exc"], _naive(one, "I_exc")[:, :2])


def _means(values, found):
    """Means of groups."""
    expected = np.stack([values[:, [0, 1, 2]].mean(axis=1), values[:, 1::2].mean(axis=1)], axis=1)
    _close(found, expected)


def means_by_run(setup):
    """Means over all neurons, and over groups."""
    one, found = _of_run(setup, record={"E.U": GROUPS, "E.I_exc": "mean"})
    _means(_naive(one), found.states["E.U"][0])
    _close(found.states["E.I_exc"][0, :, 0], _naive(one, "I_exc").mean(axis=1))


def means_by_simulate(setup):
    """Means over all neurons, and over groups."""
    one, found = _of_simulate(setup, record={"E.U": GROUPS, "E.I_exc": "mean"})
    _means(_naive(one), found.states["E.U"])
    _close(found.states["E.I_exc"][:, 0], _naive(one, "I_exc").mean(axis=1))


def moments_by_run(setup):
    """Mean and variance over the steps."""
    one, found = _of_run(setup, record=(), moments=["E.U"])
    _close(found.mean["E.U"][0], _naive(one).mean(axis=0))
    _close(found.variance["E.U"][0], _naive(one).var(axis=0))


def every_by_simulate(setup):
    """Every third step."""
    one, found = _of_simulate(setup, every=3)
    _close(found.states["E.U"], _naive(one)[::3])


def _halves(trains):
    """The first and the second half of a trial."""
    half = trains.duration / 2
    parts = []
    for first in (0.0, half):
        mine = (trains.times >= first) & (trains.times < first + half)
        parts.append(
            bs.SpikeTrains.from_events(
                trains.times[mine] - first,
                trains.units[mine],
                np.zeros(mine.sum(), int),
                n_trials=1,
                n_units=trains.n_units,
                duration=half,
            )
        )
    return parts


def goes_on_by_run(setup):
    """Two halves are the whole."""
    one = setup.trial(0)
    first, second = _halves(one.spikes)
    before = bs.run(one.network, first)
    found = bs.run(one.network, second, state=before.state, record=["E.U"])
    _close(found.states["E.U"][0], _naive(one)[one.steps // 2 :])


def goes_on_by_simulate(setup):
    """Two halves are the whole."""
    one = setup.trial(0)
    first, second = _halves(one.spikes)
    half = one.duration / 2
    before = bs.simulate(one.network, half, first, progress=False)
    found = bs.simulate(
        one.network, half, second, state=before.state, record=["E.U"], progress=False
    )
    _close(found.states["E.U"], _naive(one)[one.steps // 2 :])


def goes_on_by_gradient(setup):
    """The exact gradient of the second half, from where the first ended."""
    one = setup.trial(0)
    first, second = _halves(one.spikes)
    labelled = bs.SpikeTrains(
        second.times, second.units, second.offsets, second.n_units, second.duration, labels=[1]
    )
    state = gradcheck.twin(one.network, first).state
    assert gradcheck.relative_error(one.network, labelled, loss_of(), state=state) < 1e-6


def through_the_reset(setup):
    """The exact gradient of the smooth twin, which goes through the reset."""
    error = gradcheck.relative_error(setup.network, setup.spikes, loss_of())
    assert error < 1e-6, error


def of_what_was_run(setup):
    """The gradient by the weights as they were run, with the spikes of one trial."""
    with_spikes(setup.trial(0))


def stimulated(setup):
    """The exact gradient of the smooth twin, also by injected currents."""
    currents = {"E": np.zeros((setup.trials, setup.steps, setup.network["E"].n))}
    error = gradcheck.relative_error(
        setup.network, setup.spikes, loss_of(), currents, **setup.options
    )
    assert error < 1e-6, error


CHECKS = {
    name: value for name, value in dict(globals()).items() if callable(value) and name[0] != "_"
}
