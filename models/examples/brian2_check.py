"""
The same network in Brian2
==========================

Every spike and every state of both programs are compared, and the network is written as a program
for Brian2 that you could publish. (Needs ``pip install 'biosnn[brian2]'``.) ::

    python -m models.examples.brian2_check
"""

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import biosnn as bs


def main() -> dict[str, Any]:
    """Compare a Dalian network of adaptive neurons, and write its program."""
    if importlib.util.find_spec("brian2") is None:
        print("Brian2 is not installed, so there is nothing to compare with:")
        print("pip install 'biosnn[brian2]'")
        return {}
    spikes = bs.data.poisson(20.0, n_units=30, duration=0.2, n_trials=1, seed=1)
    net = bs.Network(dt=1e-3)
    neuron = bs.ei_adaptive_lif(refractory=2e-3)
    E, _ = bs.dalian_layer(net, net.input(30), 20, 5, neuron=neuron, delay=2e-3)
    net.connect(E, net.readout(2))
    bs.fluctuation_driven(net, spikes, sigma_u=1.0, seed=1, closed_loop=False, progress=False)
    comparison = bs.brian.compare(net, spikes)
    with tempfile.TemporaryDirectory() as folder:
        program = bs.brian.script(net, spikes, Path(folder) / "network.py").read_text()
    lines = program.splitlines()
    print(comparison)
    print(f"The program for Brian2 has {len(lines)} lines; it begins:")
    print("\n".join(lines[:12]))
    return {
        "identical": comparison.identical,
        "worst_state": comparison.worst_state,
        "spikes": comparison.spike_counts,
        "program": program,
    }


if __name__ == "__main__":
    main()
