"""A network as a Brian2 program of its own: text that a person can read, edit and publish.

Its arrays lie in an .npz file next to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data.spike_trains import SpikeTrains
from ..network.network import Network
from ..support import checks
from . import pooling
from .description import describe
from .identifiers import identifiers
from .script_blocks import background_block, group_block, input_block, monitor_block, synapse_block
from .trial_input import check_arguments, checked_trial, injected, input_events, realized

# Lines of the program may be longer than ours: a backslash continues them.
_HEAD = '''"""A network of spiking neurons for Brian2, written by biosnn. Its arrays lie in \
{arrays} beside this file.

    python {name}                 simulate {duration:g} s and print what happened
    python {name} result.npz      keep it, too: E_times (s) and E_neurons for every population E, \
out_U (step, neuron) for every readout out

It needs Brian2 and numpy.
"""
import sys
from pathlib import Path

import numpy as np
from brian2 import {imports}

prefs.codegen.target = "numpy"    # "cython" compiles first, which pays for long runs; its default \
flags change last digits
data = np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False)
defaultclock.dt = dt = {dt!r} * second
'''

_TAIL = """network = Network(collect(), monitors.values(), readouts.values())
network.run({steps} * dt, report="text")

for name, monitor in monitors.items():
    print(f"{{name}}: {{monitor.num_spikes}} spikes")
for name, monitor in readouts.items():
    print(f"{{name}}: largest U of each neuron", \
np.array2string(np.asarray(monitor.U).max(axis=1), precision=4))
if len(sys.argv) > 1:
    result = {{f"{{name}}_U": np.asarray(monitor.U).T for name, monitor in readouts.items()}}
    for name, monitor in monitors.items():
        result |= {{f"{{name}}_times": np.asarray(monitor.t), \
f"{{name}}_neurons": np.asarray(monitor.i)}}
    np.savez(sys.argv[1], **result)
"""

#: What a program may import from Brian2, and what it always does.
_IMPORTS = (
    "Network",
    "NeuronGroup",
    "SpikeGeneratorGroup",
    "SpikeMonitor",
    "StateMonitor",
    "Synapses",
    "TimedArray",
    "collect",
    "defaultclock",
    "prefs",
    "second",
)
_ALWAYS = ("Network", "collect", "defaultclock", "prefs", "second")


def script(
    network: Network,
    spikes: SpikeTrains | Mapping[str, SpikeTrains] | None,
    path: str | os.PathLike,
    *,
    currents: Mapping[str, ArrayLike] | None = None,
    duration: float | None = None,
    background: Sequence = (),
    initial: Mapping[str, ArrayLike] | None = None,
    seed: int = 0,
) -> Path:
    """Write a network with one trial of input as a stand-alone Brian2 program.

    Parameters
    ----------
    network, spikes, currents, duration, background, initial, seed
        As for `to_brian2`.
    path
        Where to write the program (.py). Its arrays lie next to it (.npz).

    Returns
    -------
    The path of the program. It needs Brian2 and numpy only, simulates the trial, and prints the
    number of spikes of every population and the largest U of every readout. With a file name as its
    argument it saves spike times and readouts there. It does not run without its arrays.

    Raises
    ------
    ValueError
        If there is something that Brian2 cannot express; it is named.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(10, bs.ei_lif(), sign="excitatory", name="E")
    >>> _ = net.connect(net.input(20), E, weights=np.full((20, 10), 0.3))
    >>> spikes = bs.data.poisson(20.0, 20, 0.1, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = bs.brian.script(net, spikes, folder + "/circuit.py")
    ...     "E = NeuronGroup(10" in path.read_text()
    True
    """
    background = check_arguments(network, spikes, (), currents, background, initial)
    path = checks.path(path, "path").with_suffix(".py")
    steps = checked_trial(network, spikes, duration)
    events = input_events(network, spikes)
    given = realized(network, steps, background, initial, seed)
    values = injected(network, currents, steps, given.currents)
    names = identifiers(network, given.arrivals)
    arrays: dict[str, Any] = {}
    blocks = [input_block(p, events[p.name], names, arrays) for p in network.inputs]
    for population in network.spiking + network.readouts:
        blocks += _population(network, population, values, given.initial, names, arrays)
    blocks += [pooling.program(network, p, names, arrays) for p in network.pooling]
    blocks += [synapse_block(network, p, names, arrays) for p in network.projections]
    blocks += [background_block(each, k, names, arrays) for k, each in enumerate(given.arrivals)]
    blocks.append(monitor_block(network, names))
    _write(path, blocks, arrays, steps, network.dt)
    return path


def _population(network, population, values, initial, names, arrays):
    """Blocks of one population: its group, and what its spikes do to itself later."""
    current = values.get(population.name)
    name = names["population", population.name]
    part = describe(network, population, name, current is not None)
    starts = {}
    for state in population.states:
        if (start := initial.get(f"{population.name}.{state}")) is not None:
            starts[state] = start
    return group_block(part, arrays, current, starts, names.get(("jumps", population.name)))


def _write(path: Path, blocks: list[str], arrays: dict[str, Any], steps: int, dt: float) -> None:
    """Write the program and its arrays."""
    used = [
        name for name in _IMPORTS if name in _ALWAYS or any(f"{name}(" in each for each in blocks)
    ]
    head = _HEAD.format(
        arrays=path.with_suffix(".npz").name,
        name=path.name,
        duration=steps * dt,
        imports=", ".join(used),
        dt=dt,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path.with_suffix(".npz"), **arrays)
    path.write_text("\n".join([head, *blocks, _TAIL.format(steps=steps)]), encoding="utf-8")
