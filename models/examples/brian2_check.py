"""The same network in Brian2: every spike and every state, and the program that you could publish.

python -m models.examples.brian2_check        (needs: pip install 'biosnn[brian2]')
"""

import importlib.util
import tempfile
from pathlib import Path

import biosnn as bs


def main():
    if importlib.util.find_spec("brian2") is None:
        print(
            "Brian2 is not installed, so there is nothing to compare with: pip install 'biosnn[brian2]'"
        )
        return {}
    spikes = bs.data.poisson(20.0, n_units=30, duration=0.2, n_trials=1, seed=1)
    net = bs.Network(dt=1e-3)
    E, I = bs.dalian_layer(
        net, net.input(30), 20, 5, neuron=bs.ei_adaptive_lif(refractory=2e-3), delay=2e-3
    )
    net.connect(E, net.readout(2))
    bs.fluctuation_driven(net, spikes, sigma_u=1.0, seed=1, closed_loop=False, progress=False)
    comparison = bs.brian.compare(net, spikes)
    with tempfile.TemporaryDirectory() as folder:
        program = bs.brian.script(net, spikes, Path(folder) / "network.py").read_text()
    print(comparison)
    print(
        f"The program for Brian2 has {len(program.splitlines())} lines; it begins:\n"
        + "\n".join(program.splitlines()[:12])
    )
    return {
        "identical": comparison.identical,
        "worst_state": comparison.worst_state,
        "spikes": comparison.spike_counts,
        "program": program,
    }


if __name__ == "__main__":
    main()
