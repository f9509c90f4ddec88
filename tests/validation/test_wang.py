"""The circuit of Wang (2002) in Brian2 has the weights of the model; which rates differ."""

import numpy as np
import pytest

from models import wang_2002
from validation import wang


@pytest.mark.slow
def test_weights_in_brian2_are_those_of_the_model():
    b2 = pytest.importorskip("brian2")
    from validation.wang_brian2 import Circuit

    before, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    try:
        circuit = Circuit(b2, "events")
        found = {each.name: each for each in circuit.objects if isinstance(each, b2.Synapses)}
        sizes = [wang_2002.sizes()[name] for name in wang_2002.GROUPS]
        group = np.repeat([0, 1, 2], sizes)
        fast, slow = (
            next(np.asarray(s.w[:]) for s in found.values() if "w" in s.variables and s.N[:] == n)
            for n in (1600 * 1600, 3 * 1600)
        )
    finally:
        b2.prefs.codegen.target = before
    relative = wang_2002.relative_weights()[:, group]
    assert fast.reshape(1600, 1600) == pytest.approx(0.05e-9 * relative[group])
    assert slow.reshape(3, 1600) == pytest.approx(wang_2002.GATING.correction * relative)


def rates(mean, deviation=0.0, trials=8):
    """Rates in all windows, with this mean and deviation."""
    values = mean + deviation * np.tile([-1.0, 1.0], trials // 2)
    return dict.fromkeys((*wang.COMPARED, *wang.SHOWN), values)


def test_rates_fail_beyond_five_percent_and_two_standard_errors():
    assert wang.failures(rates(10.4), rates(10.0)) == []
    assert len(wang.failures(rates(10.6), rates(10.0))) == len(wang.COMPARED)
    noisy = rates(10.6, 0.2)  # 2 standard errors are 0.15
    assert wang.failures(noisy, rates(10.0)) == []
    assert "10.70 Hz, in Brian2 10.00 Hz" in wang.failures(rates(10.7, 0.2), rates(10.0))[0]


def test_rates_that_are_only_shown_may_differ():
    ours = rates(10.0) | {key: np.full(8, 20.0) for key in wang.SHOWN}
    assert wang.failures(ours, rates(10.0)) == []
