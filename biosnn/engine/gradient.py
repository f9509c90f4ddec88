"""Gradients of a run by backpropagation through time: gradient(trace, …) -> Gradients."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels import arrays
from ..support import checks, plausible, timegrid
from ..support.checks import flag, instance, texts
from ..support.show import About, Shows
from ..support.tables import Table, number
from ..support.threads import checked_threads
from . import contributions
from .chunks import adjoint
from .layouts import checked_arrays, stack, state_layout
from .own_ends import by_spike
from .packed import check_reset_is_differentiable
from .parameter_gradients import parameter_gradients
from .recording import Record, chosen_neurons, chosen_states
from .trace import Trace


@dataclass(frozen=True, eq=False, repr=False)
class Gradients(Shows):
    """Derivatives of a loss L, as `gradient` returns them.

    Attributes
    ----------
    weights
        Projection -> dL/dW, in the shape of `network.weights`, for all projections that are not
        frozen.
    currents
        Population -> (trial, step, neuron) dL/dcurrent, of the currents that were injected.
    parameters
        (population, name) -> array, as in `network.parameters`: with respect to the parameters of
        learned time constants and jumps, and to biases as (population, "bias").
    states
        State name -> (trial, step, neuron) dL/dstate, of the states in `record`.
    per_step
        Projection -> (step,) Euclidean norm of what each step adds to dL/dW, of the projections in
        `per_step`.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> trace = bs.run(net, duration=0.05, currents={"E": 3.0}, tape=True)
    >>> gradients = bs.gradient(trace, counts={"E": [[1.0, 1.0]]})
    >>> gradients.currents["E"].shape
    (1, 50, 2)
    """

    weights: dict[str, NDArray]
    currents: dict[str, NDArray]
    parameters: dict[tuple[str, str], NDArray]
    states: dict[str, NDArray] = field(default_factory=dict)
    per_step: dict[str, NDArray] = field(default_factory=dict)

    def _about(self) -> About:
        """Shape and Euclidean norm of every gradient."""
        groups = {
            "weights": self.weights,
            "currents": self.currents,
            "parameters": {".".join(key): value for key, value in self.parameters.items()},
            "states": self.states,
        }
        lines = [
            (name, kind, str(np.shape(value)), number(float(np.linalg.norm(np.ravel(value)))))
            for kind, group in groups.items()
            for name, value in group.items()
        ]
        rows = [("by step", ", ".join(self.per_step))] if self.per_step else []
        return About(
            "Gradients", rows, Table("", ("of", "kind", "shape", "Euclidean norm"), lines, keys=2)
        )


def window_steps(truncate: float | None, dt: float) -> int:
    """Return the steps of the windows of truncated backpropagation (0: none) from seconds or None.

    Raises
    ------
    ValueError
        If a window is shorter than a step.

    Examples
    --------
    >>> window_steps(0.02, 1e-3), window_steps(None, 1e-3)
    (20, 0)
    """
    if truncate is None:
        return 0
    truncate = checks.time(truncate, "truncate", plausible=plausible.WINDOW)
    steps = timegrid.nearest_steps(truncate, dt)
    if steps < 1:
        raise ValueError(
            f"truncate is {truncate!r} s; it must be at least one step of {dt:g} s, or None."
        )
    timegrid.warn_if_rounded(truncate, steps, dt, "truncate")
    return steps


def gradient(
    trace: Trace,
    *,
    states: Mapping[str, ArrayLike] | None = None,
    spikes: Mapping[str, ArrayLike] | None = None,
    counts: Mapping[str, ArrayLike] | None = None,
    differentiate_reset: bool = False,
    truncate: float | None = None,
    record: Record = (),
    per_step: Iterable[str] = (),
    threads: int | None = None,
) -> Gradients:
    """Compute gradients of a loss by backpropagation through time with surrogate derivatives.

    Parameters
    ----------
    trace
        From `run(…, tape=True)`.
    states
        State name -> dL/dstate, arrays (trial, step, neuron), such as {"readout.U": g}.
    spikes
        Population -> dL/dS, (trial, step, neuron).
    counts
        Population -> dL/dcount, (trial, neuron), of the spikes until the end of each trial.
    differentiate_reset
        Whether the gradient flows through the reset of U as well.
    truncate
        Seconds, rounded to the nearest step: truncated backpropagation through time. The trial is
        cut into windows of this length, from its start, and no gradient flows from one into the one
        before; states and spikes do. Default: no windows.
    record
        States for which to keep dL/dstate at every step, given as for `run`, to see how gradients
        shrink or grow over time. They include everything that follows from the state: its part in L
        itself, later steps and spikes.
    per_step
        Names of projections for which to keep how much each step adds to the gradient of the
        weights.
    threads
        Default: all processors. The result is the same, bit for bit.

    Returns
    -------
    Gradients with respect to weights, injected currents and learned parameters.

    Raises
    ------
    ValueError
        If the trace has no tape, no derivatives are given, or an array does not have the shape that
        follows from the trace.

    See Also
    --------
    run : the forward pass.
    train : the loop around both.

    Notes
    -----
    Going back from step n + 1 to n, with lambda_U, lambda_I the adjoints of the values at the end
    of step n, g_S the derivatives of the loss with respect to spikes, and sigma' the surrogate
    derivative:

        dU* = (1 - S) lambda_U,   dS = g_S + sum_i W_ji lambda_I,i[n + D]
        dW_ji += S_j[n - D] lambda_I,i
        dU* += dS sigma'(U* - theta)          (0 while refractory)
        lambda = M^T (dU*, lambda_I)

    Initial states, also those of a run that goes on from another, are fixed: no gradient flows into
    them. Spikes that were on their way count.

    References
    ----------
    Neftci, Mostafa & Zenke (2019), IEEE Signal Processing Magazine 36:51-63.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> trace = bs.run(net, duration=0.05, currents={"E": 3.0}, tape=True)
    >>> bs.gradient(trace, counts={"E": [[1.0, 0.0]]}).currents["E"][0, :, 1].any()
    np.False_
    """
    instance(trace, "trace", Trace, "what bs.run(…, tape=True) returns")
    if not trace.has_tape:
        raise ValueError(
            "this trace has no tape: simulate with run(..., tape=True) to take gradients."
        )
    packed, drive, recording, tables = trace.tape
    network = trace.network
    if flag(differentiate_reset, "differentiate_reset"):
        check_reset_is_differentiable(network)
    loss = _loss_gradient(trace, states, spikes, counts, window_steps(truncate, network.dt))
    record, per_step = chosen_states(record), texts(per_step, "per_step", "'E->E'")
    receptors = {name: _receptor_state(network, name) for name in per_step}
    state_layout(packed, record)  # checks the neurons
    kept = state_layout(packed, dict.fromkeys([*record, *receptors.values()]))
    result = adjoint(
        packed,
        drive,
        recording,
        loss,
        checked_threads(threads),
        differentiate_reset=differentiate_reset,
        currents=drive.current.shape[1] > 0,
        kept=kept.blocks,
        tables=tables,
    )
    adjoints = {name: result.states[..., at] for name, at in kept.columns.items()}
    free = [p.name for p in network.projections if not p.frozen]
    return Gradients(
        weights={name: packed.weight_matrix(name, result.weight) for name in free},
        currents={name: result.current[..., at] for name, at in _currents(packed, drive).items()},
        parameters=parameter_gradients(packed, result) if network.parameters else {},
        states={name: _chosen(adjoints[name], record[name], name) for name in record},
        per_step={
            name: _per_step(trace, network.projection(name), adjoints[state])
            for name, state in receptors.items()
        },
    )


def _chosen(values, neurons, name):
    """(trial, step, neuron) of the neurons that are recorded."""
    if neurons is None:
        return values
    return values[..., chosen_neurons(neurons, values.shape[-1], name)]


def _per_step(trace, projection, adjoint):
    """(step,) how much each step adds to the gradient of the weights of a projection."""
    packed, drive, recording, _ = trace.tape
    return contributions.norms(contributions.by_step(packed, drive, recording, projection, adjoint))


def _receptor_state(network, name):
    """The state that a projection adds to, such as "E.I_exc"."""
    projection = network.projection(name)
    receptor = network[projection.post].neuron.receptors[projection.receptor]
    return f"{projection.post}.{receptor.state}"


def _currents(packed, drive):
    """Population -> columns of the injected currents."""
    columns, at = {}, 0
    for neuron, size in zip(drive.blocks.tag, drive.blocks.size):
        name = next(p.name for p in packed.order if packed.neurons(p.name).start == neuron)
        columns[name] = slice(at, at := at + int(size))
    return columns


def _loss_gradient(trace, states, spikes, counts, window):
    """arrays.LossGradient of the derivatives that were given, checked against the trace."""
    if states is None and spikes is None and counts is None:
        raise ValueError(
            "nothing to take a gradient of: give states, spikes or counts, the derivatives of a "
            'loss, such as states={"readout.U": g}.'
        )
    packed, drive, *_ = trace.tape
    n_trials, steps, dtype = drive.rows.size, trace.n_steps, trace.network.dtype
    states = checked_arrays(states, "the gradient of states", dtype, "{'readout.U': array}")
    spikes = checked_arrays(spikes, "spikes: the gradient of", dtype, "{'E': array}")
    counts = checked_arrays(counts, "counts: the gradient of", dtype, "{'E': array}")
    layout = state_layout(packed, list(states))
    within = None if trace.own_steps is None or not counts else trace.own_steps
    dense = steps if spikes or within is not None else 0
    grad_spikes = np.zeros((n_trials, dense, packed.n_spiking), dtype)
    grad_counts = np.zeros((n_trials, packed.n_spiking), dtype)
    _place(packed, spikes, grad_spikes, "spikes", "trial, step, neuron")
    _place(packed, counts, grad_counts, "counts", "trial, neuron")
    if within is not None:
        grad_spikes += by_spike(grad_counts, within, steps)
        grad_counts[:] = 0
    return arrays.LossGradient(
        blocks=layout.blocks,
        states=stack(layout, states, n_trials, steps, dtype, "state gradients"),
        spikes=grad_spikes,
        counts=grad_counts,
        window=window,
    )


def _place(packed, given, result, what, axes):
    """Put the gradients of populations into one array of all neurons."""
    firing = [p.name for p in packed.network.firing]
    for name, value in given.items():
        if packed.network[name].name not in firing:
            raise ValueError(
                f"{name!r} is an input or a readout; gradients of spikes and counts are for "
                f"{', '.join(firing)}."
            )
        part = result[..., packed.neurons(name)]
        if value.shape != part.shape:
            raise ValueError(
                f"{what}: the gradient of {name!r} has shape {value.shape}; it must be of shape "
                f"({axes}) = {part.shape}."
            )
        part[...] = value
