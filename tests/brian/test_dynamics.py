"""The ladder of validation.dynamics notices what is broken on purpose. Skipped where Brian2 is not
installed.
"""

import json

import numpy as np
import pytest

import biosnn as bs

pytest.importorskip("brian2")
from validation import broken, brunel, dynamics, dynamics_cases
from validation.dynamics_neurons import neurons

CASE = "ei_lif, exact, reset to 0, refractory 2 ms"


def climb(tmp_path, *arguments):
    status = dynamics.main(
        ["--models", "neurons", "--cases", CASE, "--json", str(tmp_path / "rows.json"), *arguments]
    )
    return status, json.loads((tmp_path / "rows.json").read_text())


def test_the_unbroken_rung_is_met(tmp_path, capsys):
    status, rows = climb(tmp_path)
    assert status == 0 and len(rows) == 1
    assert 0 < rows[0].pop("max_state_error") < 1e-13
    assert rows == [{"rung": 1, "case": CASE, "passed": True, "first_divergence_s": None}]
    assert "yes" in capsys.readouterr().out


@pytest.mark.parametrize("what", list(broken.BREAKS))
def test_what_is_broken_on_purpose_is_reported(what, tmp_path, capsys):
    status, (row,) = climb(tmp_path, "--break", what)
    assert status == 1 and row["passed"] is False
    if what == "decay":  # 1e-6 of a time constant: the states show it although no spike moves
        assert 1e-9 < row["max_state_error"] < 1e-5 and row["first_divergence_s"] is None
    else:
        assert 0 <= row["first_divergence_s"] < 0.2
    out = capsys.readouterr().out
    assert "NO" in out and f"rung 1, {CASE}: states differ by" in out


def test_breaks_are_as_small_as_they_say():
    net = next(case for case in neurons() if case.name == CASE).network
    assert broken.decay(net)["A"].neuron.time_constants["mem"] / net["A"].neuron.time_constants[
        "mem"
    ] - 1 == pytest.approx(1e-6)
    later, names = broken.delay(net), [p.name for p in net.projections]
    assert [later.delay_steps(name) - net.delay_steps(name) for name in names] == [1, 0]
    assert [p.receptor for p in broken.sign(net).projections] == ["inh", "syn"]
    assert broken.refractory(net)["A"].neuron.refractory_steps(1e-3) == 1
    assert broken.refractory(next(neurons()).network) is None
    assert net["A"].neuron.refractory_steps(1e-3) == 2 and net.projections[0].receptor == "exc"


def test_statistics_that_differ_are_named():
    """Equal rates pass, rates of 10 and 20 Hz do not."""
    first, second, fast = (
        bs.data.poisson(rate, 100, 2.0, seed=seed) for rate, seed in ((10, 1), (10, 2), (20, 3))
    )

    class Report:
        rasters = {"E": (first, second), "F": (first, fast)}

    failures = dynamics_cases.different_statistics(Report, 0.3)
    assert any(line.startswith("rate of F") for line in failures) and not any(
        " of E" in line for line in failures
    )
    assert dynamics_cases.after(first, 0.3).duration == pytest.approx(1.7) and np.all(
        dynamics_cases.after(first, 0.3).times >= 0
    )


def test_brunel_in_both_programs(tmp_path, capsys):
    """The same synapses and statistics; a weaker drive in one of them would be named."""
    status = brunel.main(
        [
            "--scale",
            "0.04",
            "--seconds",
            "0.4",
            "--states",
            "5,2",
            "--target",
            "numpy",
            "--json",
            str(tmp_path / "rows.json"),
        ]
    )
    (row,) = json.loads((tmp_path / "rows.json").read_text())
    assert status == 0 and row["failures"] == [] and "yes" in capsys.readouterr().out
    assert (
        row["biosnn"]["rate_e_hz"] == pytest.approx(row["brian2"]["rate_e_hz"], rel=0.03)
        and row["biosnn"]["rate_e_hz"] > 50
    )
    (failure,) = brunel.failures(
        row["biosnn"] | {"rate_e_hz": 0.9 * row["brian2"]["rate_e_hz"]}, row["brian2"]
    )
    assert failure.startswith("rate_e_hz is")
