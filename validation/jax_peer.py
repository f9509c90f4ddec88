"""The networks of `validation.speed` in JAX: the whole training step is one compiled function, with lax.scan over time.

This is how Spyx, a package for spiking networks in JAX, trains. The model is that of `torch_peer`. Input currents of all steps come
from one product and so does the readout's input, both populations of the Dalian circuit are one state, projections with a common source
one product; Adam (optax) and the loss are inside of the compiled step. Threads are those of XLA: as many as there are processors that
the process may use.
"""

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from biosnn.network.step_matrix import step_matrix


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def spike(x, beta, cutoff):
    """Heaviside function of x, with the derivative 1 / (beta |x| + 1)^2 for |x| <= cutoff."""
    return (x > 0).astype(x.dtype)


@spike.defjvp
def _spike_jvp(beta, cutoff, primals, tangents):
    (x,), (dx,) = primals, tangents
    slope = jnp.where(jnp.abs(x) <= cutoff, 1 / (beta * jnp.abs(x) + 1) ** 2, 0)
    return spike(x, beta, cutoff), (slope * dx).astype(x.dtype)


class Model:
    """`readout(weights, inputs)`: U of the readout (step, trial, unit) of a network with `dalian_layer` or layers of `lif`."""

    def __init__(self, net):
        surrogate = net.spiking[0].surrogate
        self.spike = partial(
            spike, beta=surrogate.steepness, cutoff=getattr(surrogate, "cutoff", np.inf)
        )
        self.tables = {
            p.name: step_matrix(p.neuron, net.dt)[0].tolist() for p in net.spiking + net.readouts
        }
        self.names = [p.name for p in net.spiking]
        self.dalian, self.n_exc = "E->I" in net.weights, net[self.names[0]].n

    def filtered(self, currents):
        """U of the readout from its synaptic input."""
        (uu, ui), (_, ii) = self.tables["readout"]

        def step(state, current):
            u, i = state
            u, i = uu * u + ui * i, ii * i + current
            return (u, i), u

        return jax.lax.scan(step, (jnp.zeros_like(currents[0]),) * 2, currents)[1]

    def readout(self, w, inputs):
        if self.dalian:
            return self.filtered(self._dalian(w, inputs) @ w["E->readout"])
        source, before = inputs, "input"
        for name in self.names:
            source, before = (
                self._layer(name, source @ w[f"{before}->{name}"], w.get(f"{name}->{name}")),
                name,
            )
        return self.filtered(source @ w[f"{before}->readout"])

    def _dalian(self, w, inputs):
        (uu, ue, ui), (_, ee, _), (_, _, ii) = self.tables["E"]
        n_exc, (from_exc, from_inh) = (
            self.n_exc,
            (jnp.concatenate([w[f"{p}->E"], w[f"{p}->I"]], 1) for p in "EI"),
        )
        currents = inputs @ jnp.concatenate([w["input->E"], w["input->I"]], 1)

        def step(state, current):
            u, exc, inh = state
            u = uu * u + ue * exc + ui * inh
            s = self.spike(u - 1)
            exc, inh = (
                ee * exc + current + s[:, :n_exc] @ from_exc,
                ii * inh + s[:, n_exc:] @ from_inh,
            )
            return (u * (1 - jax.lax.stop_gradient(s)), exc, inh), s[:, :n_exc]

        return jax.lax.scan(step, (jnp.zeros_like(currents[0]),) * 3, currents)[1]

    def _layer(self, name, currents, recurrent):
        (uu, ui), (_, ii) = self.tables[name]

        def step(state, current):
            u, i = state
            u, i = uu * u + ui * i, ii * i + current
            s = self.spike(u - 1)
            i = i if recurrent is None else i + s @ recurrent
            return (u * (1 - jax.lax.stop_gradient(s)), i), s

        return jax.lax.scan(step, (jnp.zeros_like(currents[0]),) * 2, currents)[1]

    def loss(self, weights, inputs, labels):
        """Maximum over time (the first of equal ones, as in PyTorch: `max` would divide the gradient between them), cross-entropy."""
        u = self.readout(weights, tau_mem=inputs)
        scores = jnp.take_along_axis(u, u.argmax(0)[None], 0)[0]
        return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()


class Job:
    """A training step; dense inputs are made beforehand. Forward and backward pass are one function, and so is the optimizer in it."""

    def __init__(self, net, inputs, labels):
        begin = time.perf_counter()
        self.inputs, self.labels = jnp.asarray(inputs), jnp.asarray(labels)
        self.data_s = time.perf_counter() - begin
        self.model, optimizer = Model(net), optax.adam(2e-3)
        self.weights = {name: jnp.asarray(w) for name, w in net.weights.items()}
        self.state = optimizer.init(self.weights)

        @partial(jax.jit, donate_argnums=(0, 1))
        def step(weights, state, inputs, labels):
            loss, gradient = jax.value_and_grad(self.model.loss)(weights, inputs, labels)
            updates, state = optimizer.update(gradient, state)
            return optax.apply_updates(weights, updates), state, loss

        self.compiled = step

    def step(self):
        """Seconds of a step."""
        begin = time.perf_counter()
        self.weights, self.state, loss = self.compiled(
            self.weights, self.state, self.inputs, self.labels
        )
        jax.block_until_ready((self.weights, loss))
        return time.perf_counter() - begin


def gradients(net, inputs, labels):
    """Gradients by projection, in the precision of the network."""
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(w) for name, w in net.weights.items()}
        result = jax.grad(Model(net).loss)(weights, jnp.asarray(inputs), jnp.asarray(labels))
        return {name: np.asarray(g) for name, g in result.items()}
