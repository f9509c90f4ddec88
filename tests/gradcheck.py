"""The smooth-twin gradient check: with the antiderivative of the surrogate in place of the
threshold the network is differentiable, the adjoint is its exact gradient, and central differences
must agree.
"""

import numpy as np

from biosnn.engine import gradient as backward
from biosnn.engine.layouts import all_states
from biosnn.engine.packed import pack
from biosnn.engine.run import run_batch


def twin(network, spikes, currents=None, state=None, **more):
    """A smooth forward pass with everything that the adjoint needs, from the initial state or that
    of another run. Returns a trace.

    more: as for `run`, such as background and initial.
    """
    return run_batch(
        network,
        spikes,
        currents=currents,
        state=state,
        record=list(all_states(pack(network)).columns),
        tape=True,
        smooth=True,
        threads=1,
        **more,
    )


def relative_error(
    network, spikes, loss, currents=None, seed=0, steps=(1e-4, 1e-5, 2e-6), state=None, **more
):
    """Largest |adjoint - central difference| / scale over random directions of every parameter of
    the network.

    state: of a run that this one goes on from. more: as for `run`.
    loss: loss(trace) -> value, {state: gradient}, {population: gradient by spike count},
    {projection: gradient by weights}, and where the loss looks at spikes {population: gradient by
    S}.
    """
    rng, trace = np.random.default_rng(seed), twin(network, spikes, currents, state, **more)
    _, states, counts, direct, *by_spike = loss(trace)
    got = backward.gradient(
        trace,
        states=states,
        spikes=by_spike[0] if by_spike else None,
        counts=counts,
        differentiate_reset=True,
        threads=1,
    )

    def error(gradient, change):
        """Of the adjoint along a random direction, with the best of all steps."""
        direction = rng.choice([-1.0, 1.0], np.shape(gradient))

        def value():
            return loss(twin(network, spikes, currents, state, **more))[0]

        return _smallest_error(gradient, direction, change, value, steps)

    errors = [
        error(got.weights[p.name] + direct.get(p.name, 0.0), _changing(network.weights, p.name))
        for p in network.projections
        if not p.frozen
    ]
    for key, gradient in got.parameters.items():
        errors.append(error(np.asarray(gradient), _changing(network.parameters, key)))
    for name, gradient in got.currents.items():
        errors.append(error(gradient, _changing(currents, name)))
    return max(errors)


def _changing(values, key):
    """A function that adds to a value of a dict, and returns one that puts the value back."""
    before = values[key]

    def change(delta):
        values[key] = before + delta
        return lambda: values.__setitem__(key, before)

    return change


def _smallest_error(gradient, direction, change, value, steps):
    """|adjoint - central difference| / scale of the step at which it is smallest.

    Truncation shrinks with the step, rounding grows; a wrong adjoint is wrong at every step.
    """
    best = np.inf
    for step in steps:
        values = []
        for sign in (1, -1):
            undo = change(sign * step * direction)
            values.append(value())
            undo()
        expected = (values[0] - values[1]) / (2 * step)
        scale = max(abs(expected), np.abs(gradient).sum() * 1e-2, 1e-9)
        best = min(best, abs(np.sum(gradient * direction) - expected) / scale)
        if best < 1e-7:  # well below the 1e-6 that is asked for
            break
    return best
