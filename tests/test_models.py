"""The model scripts: the papers' theory, and a small run of each from the command line."""
import json

import numpy as np
import pytest

from biosnn.moments import siegert_rate
from models import brunel_2000, tsodyks_markram_1998


@pytest.mark.parametrize("g, eta, rate", [(6.0, 4.0, 55.84), (5.0, 2.0, 37.95), (4.5, 0.9, 6.52)])   # Brunel (2000), eqs. 22-26
def test_brunel_theory(g, eta, rate):
    assert brunel_2000.theory(g, eta) == pytest.approx(rate, abs=0.005)


def test_siegert_rate_far_above_threshold_is_that_of_a_clock():
    period = 2e-3 + 20e-3 * np.log((3.0 - 0.2) / (3.0 - 1.0))     # U relaxes to 3 from the reset at 0.2
    assert siegert_rate(3.0, 1e-3, 20e-3, 1.0, 0.2, 2e-3) == pytest.approx(1 / period, rel=1e-5)
    assert siegert_rate(-40.0, 1.0, 20e-3) == 0.0
    with pytest.raises(ValueError, match="sigma is 0"):
        siegert_rate(0.0, 0.0, 20e-3)


def test_brunel_from_the_command_line(tmp_path):
    brunel_2000.main(["--scale", "0.1", "--seconds", "0.2", "--json", str(tmp_path / "rows.json"), "--out", str(tmp_path)])
    rows = {(row["g"], row["eta"]): row for row in json.loads((tmp_path / "rows.json").read_text())}
    assert set(rows) == set(brunel_2000.STATES) and (tmp_path / "rasters.png").stat().st_size > 10_000
    for state in ((3.0, 2.0), (6.0, 4.0), (5.0, 2.0)):     # driven so strongly at this scale that theory holds
        assert rows[state]["rate_e_hz"] == pytest.approx(rows[state]["rate_theory_hz"], rel=0.05), state
    assert 1 < rows[4.5, 0.9]["rate_e_hz"] < 8
    assert rows[6.0, 4.0]["synchrony"] > 2 * rows[5.0, 2.0]["synchrony"]


def test_tsodyks_markram_from_the_command_line(tmp_path):
    tsodyks_markram_1998.main(["--seconds", "5", "--json", str(tmp_path / "rows.json"), "--out", str(tmp_path)])
    rows = {(row["synapse"], row["rate_hz"]): row for row in json.loads((tmp_path / "rows.json").read_text())}
    assert rows["depressing", 10.0]["ux_simulated"] == pytest.approx(0.1051, abs=5e-5)
    assert rows["depressing", 20.0]["ux_simulated"] == pytest.approx(0.0571, abs=5e-5)
    for row in rows.values():
        assert row["ux_simulated"] == pytest.approx(row["ux_analytic"], rel=2e-3)
    assert (tmp_path / "synapses.png").stat().st_size > 10_000
