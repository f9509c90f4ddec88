"""The theory refuses what it cannot compute with, in words, and computes with what is not known."""

import numpy as np
import pytest

import biosnn as bs
from biosnn import theory

DRIVE = theory.Input("exc", n=1000, mean=0.1e-3, square=1e-8, rate=10.0)
NEURON = bs.ei_lif()


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: theory.Input("exc", "many", 0.1, 0.01), "Input: n is 'many'; it must be"),
        (lambda: theory.Input("exc", 10, 0.1, 0.01, pre=3), "Input: pre is 3; it must be the name"),
        (lambda: theory.Cell("E", "lif", ()), "neuron is 'lif'; it must be a neuron model"),
        (lambda: theory.Cell("E", NEURON, DRIVE), "Cell: inputs is .*must be a list"),
        (
            lambda: theory.Cell("E", bs.lif_delta(), (theory.Input("x", 1, 1, 1),)),
            "receptor of .*'x'",
        ),
        (lambda: theory.Cell("E", NEURON, (), noise=((1, 2, 3),)), "a pair"),
        (lambda: theory.Moments(mu="high"), "Moments: mu"),
        (lambda: theory.membrane("E", {}), "cell is 'E'; it must be a bs.theory.Cell"),
        (
            lambda: theory.membrane(
                theory.Cell("E", NEURON, (theory.Input("exc", 1, 1, 1, pre="I"),)), {"x": 3.0}
            ),
            "rates has no I, on which the moments depend; it has x",
        ),
        (lambda: theory.fixed_point([]), r"cells is \[\]; it must be one or several"),
        (
            lambda: theory.fixed_point([theory.Cell("E", NEURON, (DRIVE,))] * 2),
            "each with a name of its own",
        ),
        (lambda: theory.efficacy("depressing", 5.0), "plasticity is 'depressing'"),
        (
            lambda: theory.efficacy(None, -5.0),
            "rate is -5.0; it must be a finite number in hertz >= 0",
        ),
        (
            lambda: theory.siegert_rate(0.5, 0.0, 0.02),
            "sigma is 0.0; .*> 0: it is the standard",
        ),
        (
            lambda: theory.siegert_rate(0.5, 0.1, 0.02, reset=1.0),
            "threshold is 1.0; .*> 1.0: it lies above",
        ),
        (lambda: theory.stationary_rate(0.5, 0.1, 0.02, 5e-3, 0.0), "dt is 0.0; it must be"),
        (lambda: theory.interval_cv(NEURON, 0.5), "m is 0.5; it must be bs.theory.Moments"),
        (lambda: theory.psp(NEURON, 1e-3, "ampa", 10), "the receptor of ei_lif is 'ampa'; .*'exc'"),
        (lambda: theory.psp(NEURON, 1e-3, "exc", -1), "n_steps is -1"),
        (lambda: theory.psp_integrals(NEURON, 0, "exc"), "dt is 0; it must be"),
        (lambda: theory.step_matrix(NEURON, 1e-3, {"mem": 0.02}), "has mem; ei_lif needs"),
        (
            lambda: theory.step_matrix(NEURON, 1e-3, dict(mem=-1.0, exc=0.01, inh=0.01)),
            r"time_constants\['mem'\] is -1.0; it must be positive",
        ),
        (
            lambda: theory.step_matrix(NEURON, 1e-3, dict(mem=[0.1] * 2, exc=[0.1] * 3, inh=0.1)),
            "time_constants have 2, 3, 1 values",
        ),
    ],
)
def test_messages(act, words):
    with pytest.raises(ValueError, match=words):
        act()


def test_what_is_not_known_stays_unknown():
    m = theory.membrane(theory.Cell("E", NEURON, (theory.Input("exc", 1, np.nan, 1.0),)), {})
    assert np.isnan(m.mu) and m.sigma == 0.0 and np.isnan(theory.Moments().xi(1.0))


def test_a_cell_names_the_populations_that_it_depends_on():
    inputs = (DRIVE, theory.Input("inh", 10, 0.1, 0.01, pre="I"))
    assert theory.Cell("E", NEURON, inputs).sources == ["I"]
    assert theory.Cell("E", bs.ei_adaptive_lif(), inputs).sources == ["I", "E"]


def test_a_cell_shows_its_model_and_its_drive():
    drive = bs.theory.Input("syn", n=100, mean=0.1, square=0.01, rate=5.0)
    cell = bs.theory.Cell("E", bs.lif(), (drive,), current=0.5, noise=((0.2, 5e-3),))
    rows = [line.split()[0] for line in repr(cell).splitlines()]
    assert repr(cell).startswith("Cell E\n  model    lif: U (mem 20 ms)")
    assert [row for row in rows if row in ("input", "current", "noise")] == [
        "input",
        "current",
        "noise",
    ]
    assert "sd 0.2, tau 5 ms" in repr(cell)
