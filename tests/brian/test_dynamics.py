"""The ladder of validation.dynamics notices what is broken on purpose. Skipped where Brian2 is not
installed.
"""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import biosnn as bs

pytest.importorskip("brian2")
from validation import broken, brunel, dynamics, dynamics_cases, dynamics_faults
from validation.dynamics_background import background
from validation.dynamics_neurons import neurons
from validation.dynamics_rungs import populations

CASE = "ei_lif, exact, reset to 0, refractory 2 ms"


def climb(tmp_path, *arguments, models=("neurons",), cases=CASE):
    rows = tmp_path / "rows.json"
    status = dynamics.main(["--models", *models, "--cases", cases, "--json", str(rows), *arguments])
    return status, json.loads(rows.read_text())


@cache
def all_cases():
    return {case.name: case for case in (*neurons(), *populations(), *background())}


def case_of(name):
    return all_cases()[name]


def shortened(case, seconds=0.3):
    """The first part of a case."""
    if case.spikes is None:
        return replace(case, duration=seconds)
    spikes, kept = case.spikes, case.spikes.times < seconds
    spikes = bs.SpikeTrains.from_events(
        spikes.times[kept],
        spikes.units[kept],
        spikes.trials[kept],
        n_trials=1,
        n_units=spikes.n_units,
        duration=seconds,
    )
    steps = round(seconds / case.network.dt)
    return replace(
        case, spikes=spikes, currents={name: value[:steps] for name, value in case.currents.items()}
    )


def test_the_unbroken_rung_is_met(tmp_path, capsys):
    status, rows = climb(tmp_path)
    assert status == 0 and len(rows) == 1
    assert 0 < rows[0].pop("max_state_error") < 1e-13
    assert rows == [{"rung": 1, "case": CASE, "passed": True, "first_divergence_s": None}]
    assert "yes" in capsys.readouterr().out


#: Fault -> a case that has what it breaks.
EACH = "for every neuron"
WHERE = {
    "decay": CASE,
    "delay": "sparse, a delay for every synapse",
    "sign": CASE,
    "refractory": CASE,
    "threshold": f"ei_lif, exact, a threshold {EACH}",
    "reset": f"ei_lif, exact, a reset {EACH}",
    "bounds": f"ei_lif, exact, subtract, bounds and all of these {EACH}",
    "jump": f"adaptive_lif, exact, refractory 0 ms, a jump {EACH}, after 2 ms",
    "reversal": "nmda_lif, 1 mM, refractory 2 ms",
    "block": "nmda_lif, 1 mM, refractory 2 ms",
    "upstroke": "adex, refractory 2 ms",
    "plasticity": "nmda_lif, 1 mM, refractory 0 ms, saturating",
    "arrivals": "ei_lif, Poisson",
    "current": "ei_lif, noise",
    "start": "ei_lif, Poisson",
}
#: Those by which states differ by about a millionth, and no spike.
SMALL = {"current", "decay", "jump", "reversal", "upstroke", "plasticity"}


@pytest.mark.parametrize("fault", broken.BREAKS)
def test_what_is_broken_on_purpose_is_found(fault):
    """… and the same case without the fault is not."""
    case = shortened(case_of(WHERE[fault]))
    assert not case.check().failures
    (planted,) = dynamics_faults.search([case], [fault])
    (result,) = planted.results
    assert planted.failure == "" and not planted.missed
    assert result.failures[-1].startswith(("spikes differ from", "states differ by"))
    if fault in SMALL:
        assert 1e-8 < result.state_error < 1e-2


def test_the_command_line_plants_faults(tmp_path, capsys):
    status, rows = climb(tmp_path, "--break", "decay", "refractory")
    assert status == 0 and [row["fault"] for row in rows] == ["decay", "refractory"]
    assert not any(row["passed"] for row in rows) and "NO" not in capsys.readouterr().out
    # 1e-6 of a time constant: the states show it although no spike moves
    assert 1e-9 < rows[0]["max_state_error"] < 1e-5 and rows[0]["first_divergence_s"] is None
    assert 0 <= rows[1]["first_divergence_s"] < 0.2


def test_a_fault_that_is_not_planted_or_not_found_fails(tmp_path, capsys, monkeypatch):
    status, rows = climb(tmp_path, "--break", "block")
    assert status == 1 and rows == []
    assert "block: none of the cases has what it breaks" in capsys.readouterr().out
    monkeypatch.setitem(broken.OF_NETWORKS, "decay", lambda network: network)
    status, (row,) = climb(tmp_path, "--break", "decay")
    assert status == 1 and row["passed"]
    assert f"decay: not found in rung 1, {CASE}" in capsys.readouterr().out


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


def test_breaks_of_neurons_that_differ_and_of_blocks():
    own = case_of(f"ei_lif, exact, bounds and all of these {EACH}").network
    assert broken.refractory(own)["A"].neuron.refractory.tolist() == [0.0, 1e-3, 4e-3]
    assert broken.threshold(own)["A"].neuron.threshold == 1.3
    assert broken.reset(own)["A"].neuron.reset == pytest.approx(-0.3)
    assert broken.bounds(own)["A"].neuron.low == pytest.approx(-0.32)
    nmda = case_of(WHERE["block"]).network
    before, after = (net["A"].neuron.magnesium["g_nmda"] for net in (nmda, broken.block(nmda)))
    assert after == (before[0], -before[1]) and before[1] > 0
    assert broken.block(case_of("nmda_lif, 0 mM, refractory 2 ms").network) is None


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
