"""A network as a Brian2 program of its own: text that a person can read, edit and publish, and its arrays in an .npz file."""

import numpy as np

from ..support import checks
from . import pooling
from .description import (
    check_arguments,
    checked_trial,
    current_values,
    describe,
    driven_by,
    generator,
    identifiers,
    input_events,
    on_pre,
    realized,
    synapses_of,
)
from .plasticity import initial_values, synapse_text

_HEAD = '''"""A network of spiking neurons for Brian2, written by biosnn. Its arrays lie in {arrays} beside this file.

    python {name}                 simulate {duration:g} s and print what happened
    python {name} result.npz      keep it, too: E_times (s) and E_neurons for every population E, out_U (step, neuron) for every readout out

It needs Brian2 and numpy.
"""
import sys
from pathlib import Path

import numpy as np
from brian2 import {imports}

prefs.codegen.target = "numpy"    # "cython" compiles first, which pays for long runs; its default flags change last digits
data = np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False)
defaultclock.dt = dt = {dt!r} * second
'''

_TAIL = """network = Network(collect(), monitors.values(), readouts.values())
network.run({steps} * dt, report="text")

for name, monitor in monitors.items():
    print(f"{{name}}: {{monitor.num_spikes}} spikes")
for name, monitor in readouts.items():
    print(f"{{name}}: largest U of each neuron", np.array2string(np.asarray(monitor.U).max(axis=1), precision=4))
if len(sys.argv) > 1:
    result = {{f"{{name}}_U": np.asarray(monitor.U).T for name, monitor in readouts.items()}}
    for name, monitor in monitors.items():
        result |= {{f"{{name}}_times": np.asarray(monitor.t), f"{{name}}_neurons": np.asarray(monitor.i)}}
    np.savez(sys.argv[1], **result)
"""


def script(
    network, spikes, path, *, currents=None, duration=None, background=(), initial=None, seed=0
):
    """Write `network` with one trial of input as a stand-alone Brian2 program: `path` (.py) and its arrays beside it (.npz).

    spikes, currents, duration, background, initial, seed   as for `to_brian2`

    The program needs Brian2 and numpy only. It simulates the trial, prints the number of spikes of every population and the
    largest U of every readout, and with a file name as its argument saves spike times and readouts there. Returns the path, whose
    read_text() is the program (which does not run without its arrays).
    """
    background, path = (
        check_arguments(network, spikes, (), currents, background, initial),
        checks.path(path, "path").with_suffix(".py"),
    )
    steps, events = checked_trial(network, spikes, duration), input_events(network, spikes)
    given, arrays, blocks = realized(network, steps, background, initial, seed), {}, []
    values, names = (
        driven_by(network, current_values(network, currents, steps), given.currents),
        identifiers(network, given.arrivals),
    )
    for population in network.inputs:
        name = names["population", population.name]
        arrays[f"{name}_units"], arrays[f"{name}_steps"] = events[population.name]
        blocks.append(
            f"{name} = SpikeGeneratorGroup({population.n}, data['{name}_units'], data['{name}_steps'] * dt, name='{name}')\n"
        )
    for population in network.spiking + network.readouts:
        part = describe(
            network, population, names["population", population.name], population.name in values
        )
        starts = {
            state: given.initial[f"{population.name}.{state}"]
            for state in population.states
            if f"{population.name}.{state}" in given.initial
        }
        blocks.append(_group(part, arrays, values.get(population.name), starts))
        if part.jumps:
            blocks.append(_jumps(part, names["jumps", population.name]))
    blocks += [pooling.program(network, p, names, arrays) for p in network.pooling]
    blocks += [
        _projection(network, projection, names, arrays) for projection in network.projections
    ]
    blocks += [
        _background(
            each,
            names["population", each.population],
            names["arrivals", k],
            names["onto", k],
            arrays,
        )
        for k, each in enumerate(given.arrivals)
    ]
    blocks.append(
        _monitors(
            "monitors", "SpikeMonitor({})", [names["population", p.name] for p in network.firing]
        )
        + _monitors(
            "readouts",
            "StateMonitor({}, 'U', record=True, when='end')",
            [names["population", p.name] for p in network.readouts],
        )
    )
    imports = [
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
    ]
    always = ("Network", "collect", "defaultclock", "prefs", "second")
    used = [
        name for name in imports if name in always or any(f"{name}(" in block for block in blocks)
    ]
    head = _HEAD.format(
        arrays=path.with_suffix(".npz").name,
        name=path.name,
        duration=steps * network.dt,
        imports=", ".join(used),
        dt=network.dt,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path.with_suffix(".npz"), **arrays)
    path.write_text("\n".join([head, *blocks, _TAIL.format(steps=steps)]))
    return path


def _group(part, arrays, current, starts):
    options = "".join(f", {key}='{value}'" for key, value in part.options.items())
    options += f", refractory={part.refractory!r} * second" if part.refractory else ""
    constants = ", ".join(f"'{name}': {value!r} * second" for name, value in part.constants.items())
    lines = [
        f"{part.name} = NeuronGroup({part.n}, '''",
        *[f"    {line}" for line in part.model.splitlines()],
        f"    '''{options},",
        f"    namespace={{{constants}}}, name='{part.name}')",
        f"{part.name}.U = {part.initial!r}",
    ]
    for name, value in part.parameters.items():
        arrays[f"{part.name}_{name}"] = value
        lines.append(
            f"{part.name}.{name} = data['{part.name}_{name}']"
            + (" * second" if name.startswith("tau_") else "")
        )
    for state, start in starts.items():
        arrays[f"{part.name}_initial_{state}"] = start
        lines.append(f"{part.name}.{state} = data['{part.name}_initial_{state}']")
    if part.hold:
        lines += [
            f"{part.name}.U_held = {part.name}.U",
            f"{part.name}.run_regularly('{part.hold}', when='groups', order=1)",
        ]
    if part.bounds:
        lines.append(f"{part.name}.run_regularly('{part.bounds}', when='groups', order=2)")
    if current is not None:
        arrays[f"{part.name}_J"] = current[0] if len(current) == 1 else current
    if current is not None and len(current) == 1:
        lines.append(f"{part.name}.J = data['{part.name}_J']")
    elif current is not None:
        lines += [
            f"{part.name}.namespace['J_over_time'] = TimedArray(data['{part.name}_J'], dt=dt, name='current_{part.name}')",
            f"{part.name}.run_regularly('J = J_over_time(t, i)', when='start')",
        ]
    return "\n".join(lines) + "\n"


def _background(arrivals, target, name, onto, arrays):
    """A generator of the events of a PoissonInput, with a unit for each number of events that a neuron has in a step."""
    units, steps, neurons, weights = generator(arrivals)
    if not units.size:
        return f"# {name} has no events\n"
    arrays |= {
        f"{name}_units": units,
        f"{name}_steps": steps,
        f"{onto}_post": neurons,
        f"{onto}_w": weights,
    }
    return (
        "\n".join(
            [
                f"{name} = SpikeGeneratorGroup({neurons.size}, data['{name}_units'], data['{name}_steps'] * dt, name='{name}')    # Poisson events",
                f"{onto} = Synapses({name}, {target}, 'w : 1', on_pre='{arrivals.state}_post += w', name='{onto}')",
                f"{onto}.connect(i=np.arange({neurons.size}), j=data['{onto}_post'])",
                f"{onto}.w = data['{onto}_w']",
            ]
        )
        + "\n"
    )


def _jumps(part, name):
    """Synapses of every neuron onto itself."""
    return (
        f"{name} = Synapses({part.name}, {part.name}, on_pre='{part.jumps}', delay={part.jump_delay} * dt, name='{name}')\n"
        f"{name}.connect(j='i')    # every neuron onto itself: adaptation\n"
    )


def _projection(network, projection, names, arrays):
    name, pre, post = (
        names["projection", projection.name],
        names["population", projection.pre],
        names["population", projection.post],
    )
    j, i, weight, delay = synapses_of(network, projection)
    if not weight.size:
        return f"# {name} has no synapses\n"
    shared, lines = np.ndim(delay) == 0, []
    model, before, after, numbers = synapse_text(projection, on_pre(network, projection))
    constants = ", ".join(
        f"'{key}': {v!r}{' * second' if key.startswith('tau') else ''}"
        for key, v in numbers.items()
    )
    lines.append(
        f"{name} = Synapses({pre}, {post}, {model!r}, on_pre='{before}', "
        + (f"on_post='{after}', " if after else "")
        + (f"namespace={{{constants}}}, " if numbers else "")
        + (f"delay={delay} * dt, " if shared else "")
        + f"name='{name}')"
    )
    if projection.name not in network.synapses:
        arrays[f"{name}_w"] = weight.reshape(network[projection.pre].n, -1)
        lines += [
            f"{name}.connect()",
            f"{name}.w = data['{name}_w'].ravel()    # (presynaptic, postsynaptic)",
        ]
    else:
        arrays |= {f"{name}_pre": j, f"{name}_post": i, f"{name}_w": weight}
        lines += [
            f"{name}.connect(i=data['{name}_pre'], j=data['{name}_post'])",
            f"{name}.w = data['{name}_w']",
        ]
    lines += [
        f"{name}.{variable} = {value!r}" for variable, value in initial_values(projection).items()
    ]
    if not shared:
        arrays[f"{name}_delay"] = delay
        lines.append(f"{name}.delay = data['{name}_delay'] * dt")
    return "\n".join(lines) + "\n"


def _monitors(variable, pattern, names):
    return f"{variable} = {{{', '.join(f'{name!r}: {pattern.format(name)}' for name in names)}}}\n"
