"""Blocks of a Brian2 program: text, and the arrays that it reads by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..network.network import Network
from ..network.population import Population
from ..network.projection import Projection
from .description import Group, unit_of
from .synapses import initial_values, synapse_text, synapses_of
from .trial_input import generator

Names = Mapping[tuple[str, Any], str]
Arrays = dict[str, Any]


def input_block(population: Population, events: tuple, names: Names, arrays: Arrays) -> str:
    """Return the generator of input spikes; events: (units, steps)."""
    name = names["population", population.name]
    arrays[f"{name}_units"], arrays[f"{name}_steps"] = events
    return (
        f"{name} = SpikeGeneratorGroup({population.n}, data['{name}_units'], "
        f"data['{name}_steps'] * dt, name='{name}')\n"
    )


def group_block(
    part: Group, arrays: Arrays, current: Any, starts: Mapping[str, Any], jumps: str | None
) -> list[str]:
    """Return the blocks of a NeuronGroup, and of the synapses onto itself if there are any.

    Parameters
    ----------
    part
        What the group is made of.
    arrays
        Gets the arrays.
    current
        (step, neuron), (1, neuron) or None.
    starts
        State to its initial values.
    jumps
        Name of the synapses of every neuron onto itself.
    """
    name = part.name
    lines = _definition(part)
    for parameter, value in part.parameters.items():
        arrays[f"{name}_{parameter}"] = value
        unit = " * second" if unit_of(parameter) else ""
        lines.append(f"{name}.{parameter} = data['{name}_{parameter}']{unit}")
    if np.ndim(part.initial):
        starts = {"U": part.initial} | dict(starts)
    for state, start in starts.items():
        arrays[f"{name}_initial_{state}"] = start
        lines.append(f"{name}.{state} = data['{name}_initial_{state}']")
    if part.hold:
        lines.append(f"{name}.U_held = {name}.U")
        lines.append(f"{name}.run_regularly('{part.hold}', when='groups', order=1)")
    if part.bounds:
        lines.append(f"{name}.run_regularly('{part.bounds}', when='groups', order=2)")
    lines += _current(name, current, arrays)
    blocks = ["\n".join(lines) + "\n"]
    if part.jumps:
        blocks.append(
            f"{jumps} = Synapses({name}, {name}, on_pre='{part.jumps}', "
            f"delay={part.jump_delay} * dt, name='{jumps}')\n"
            f"{jumps}.connect(j='i')    # every neuron onto itself: adaptation\n"
        )
    return blocks


def _definition(part):
    """Lines that make the group."""
    options = "".join(f", {key}='{value}'" for key, value in part.options.items())
    if part.refractory:
        unit = "" if isinstance(part.refractory, str) else " * second"
        options += f", refractory={part.refractory!r}{unit}"
    constants = ", ".join(f"'{name}': {value!r} * second" for name, value in part.constants.items())
    lines = [
        f"{part.name} = NeuronGroup({part.n}, '''",
        *[f"    {line}" for line in part.model.splitlines()],
        f"    '''{options},",
        f"    namespace={{{constants}}}, name='{part.name}')",
    ]
    return lines if np.ndim(part.initial) else [*lines, f"{part.name}.U = {part.initial!r}"]


def _current(name, current, arrays):
    """Lines of an injected current."""
    if current is None:
        return []
    arrays[f"{name}_J"] = current[0] if len(current) == 1 else current
    if len(current) == 1:
        return [f"{name}.J = data['{name}_J']"]
    return [
        f"{name}.namespace['J_over_time'] = TimedArray(data['{name}_J'], dt=dt, "
        f"name='current_{name}')",
        f"{name}.run_regularly('J = J_over_time(t, i)', when='start')",
    ]


def background_block(arrivals: Any, k: int, names: Names, arrays: Arrays) -> str:
    """Return the generator of a PoissonInput, with a unit for each number of events in a step."""
    name, onto = names["arrivals", k], names["onto", k]
    units, steps, neurons, weights = generator(arrivals)
    if not units.size:
        return f"# {name} has no events\n"
    arrays |= {
        f"{name}_units": units,
        f"{name}_steps": steps,
        f"{onto}_post": neurons,
        f"{onto}_w": weights,
    }
    target = names["population", arrivals.population]
    return (
        f"{name} = SpikeGeneratorGroup({neurons.size}, data['{name}_units'], "
        f"data['{name}_steps'] * dt, name='{name}')    # Poisson events\n"
        f"{onto} = Synapses({name}, {target}, 'w : 1', on_pre='{arrivals.state}_post += w', "
        f"name='{onto}')\n"
        f"{onto}.connect(i=np.arange({neurons.size}), j=data['{onto}_post'])\n"
        f"{onto}.w = data['{onto}_w']\n"
    )


def synapse_block(network: Network, projection: Projection, names: Names, arrays: Arrays) -> str:
    """Return the Synapses of a projection."""
    name = names["projection", projection.name]
    j, i, weight, delay = synapses_of(network, projection)
    if not weight.size:
        return f"# {name} has no synapses\n"
    shared = np.ndim(delay) == 0
    lines = [_synapses(network, projection, names, delay if shared else None)]
    if projection.name not in network.synapses:
        arrays[f"{name}_w"] = weight.reshape(network[projection.pre].n, -1)
        lines.append(f"{name}.connect()")
        lines.append(f"{name}.w = data['{name}_w'].ravel()    # (presynaptic, postsynaptic)")
    else:
        arrays |= {f"{name}_pre": j, f"{name}_post": i, f"{name}_w": weight}
        lines.append(f"{name}.connect(i=data['{name}_pre'], j=data['{name}_post'])")
        lines.append(f"{name}.w = data['{name}_w']")
    for variable, value in initial_values(projection).items():
        lines.append(f"{name}.{variable} = {value!r}")
    if not shared:
        arrays[f"{name}_delay"] = delay
        lines.append(f"{name}.delay = data['{name}_delay'] * dt")
    return "\n".join(lines) + "\n"


def _synapses(network, projection, names, delay):
    """The line that makes the Synapses; delay: steps, or None where each synapse has its own."""
    name = names["projection", projection.name]
    pre, post = names["population", projection.pre], names["population", projection.post]
    text = synapse_text(network, projection)
    constants = ", ".join(
        f"'{key}': {value!r}{' * second' if key.startswith('tau') else ''}"
        for key, value in text.values.items()
    )
    line = f"{name} = Synapses({pre}, {post}, {text.model!r}, on_pre='{text.on_pre}', "
    line += f"on_post='{text.on_post}', " if text.on_post else ""
    line += f"namespace={{{constants}}}, " if constants else ""
    line += f"delay={delay} * dt, " if delay is not None else ""
    return line + f"name='{name}')"


def monitor_block(network: Network, names: Names) -> str:
    """Return the monitors of spikes and of readouts."""
    firing = [names["population", p.name] for p in network.firing]
    readouts = [names["population", p.name] for p in network.readouts]
    spikes = ", ".join(f"{name!r}: SpikeMonitor({name})" for name in firing)
    states = ", ".join(
        f"{name!r}: StateMonitor({name}, 'U', record=True, when='end')" for name in readouts
    )
    return f"monitors = {{{spikes}}}\nreadouts = {{{states}}}\n"
