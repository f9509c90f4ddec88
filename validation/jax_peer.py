"""The networks of `validation.speed` in JAX: the whole training step is one compiled function.

It has lax.scan over time; this is how Spyx, a package for spiking networks in JAX, trains. The
model is that of `torch_peer`. Input currents of all steps come from one product and so does the
readout's input, both populations of the Dalian circuit are one state, projections with a common
source one product; Adam (optax) and the loss are inside of the compiled step. Threads are those of
XLA: as many as there are processors that the process may use.
"""

import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import biosnn as bs


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def spike(x: Any, beta: float, cutoff: float) -> Any:
    """Heaviside function of x, with the derivative 1 / (beta |x| + 1)^2 for |x| <= cutoff."""
    return (x > 0).astype(x.dtype)


@spike.defjvp
def _spike_jvp(beta, cutoff, primals, tangents):
    """The derivative of `spike`."""
    (x,), (dx,) = primals, tangents
    slope = jnp.where(jnp.abs(x) <= cutoff, 1 / (beta * jnp.abs(x) + 1) ** 2, 0)
    return spike(x, beta, cutoff), (slope * dx).astype(x.dtype)


class Model:
    """A network with `dalian_layer` or layers of `lif`, and a readout."""

    def __init__(self, net: bs.Network) -> None:
        surrogate: Any = net.spiking[0].surrogate
        self.spike = partial(
            spike, beta=surrogate.steepness, cutoff=getattr(surrogate, "cutoff", np.inf)
        )
        populations: list[Any] = [*net.spiking, *net.readouts]
        self.tables = {
            p.name: bs.theory.step_matrix(p.neuron, net.dt)[0].tolist() for p in populations
        }
        self.names = [p.name for p in net.spiking]
        self.dalian, self.n_exc = "E->I" in net.weights, net[self.names[0]].n

    def filtered(self, currents: Any) -> Any:
        """U of the readout from its synaptic input."""
        (uu, ui), (_, ii) = self.tables["readout"]

        def step(state, current):
            u, i = state
            u, i = uu * u + ui * i, ii * i + current
            return (u, i), u

        return jax.lax.scan(step, (jnp.zeros_like(currents[0]),) * 2, currents)[1]

    def readout(self, w: dict[str, Any], inputs: Any) -> Any:
        """U of the readout (step, trial, unit), from weights and inputs."""
        if self.dalian:
            return self.filtered(self._dalian(w, inputs) @ w["E->readout"])
        source, before = inputs, "input"
        for name in self.names:
            currents = source @ w[f"{before}->{name}"]
            source, before = self._layer(name, currents, w.get(f"{name}->{name}")), name
        return self.filtered(source @ w[f"{before}->readout"])

    def _dalian(self, w, inputs):
        """Spikes of E."""
        (uu, ue, ui), (_, ee, _), (_, _, ii) = self.tables["E"]
        n_exc = self.n_exc
        from_exc = jnp.concatenate([w["E->E"], w["E->I"]], 1)
        from_inh = jnp.concatenate([w["I->E"], w["I->I"]], 1)
        currents = inputs @ jnp.concatenate([w["input->E"], w["input->I"]], 1)

        def step(state, current):
            u, exc, inh = state
            u = uu * u + ue * exc + ui * inh
            s = self.spike(u - 1)
            exc = ee * exc + current + s[:, :n_exc] @ from_exc
            inh = ii * inh + s[:, n_exc:] @ from_inh
            return (u * (1 - jax.lax.stop_gradient(s)), exc, inh), s[:, :n_exc]

        return jax.lax.scan(step, (jnp.zeros_like(currents[0]),) * 3, currents)[1]

    def _layer(self, name, currents, recurrent):
        """Spikes of a layer of LIF neurons."""
        (uu, ui), (_, ii) = self.tables[name]

        def step(state, current):
            u, i = state
            u, i = uu * u + ui * i, ii * i + current
            s = self.spike(u - 1)
            i = i if recurrent is None else i + s @ recurrent
            return (u * (1 - jax.lax.stop_gradient(s)), i), s

        return jax.lax.scan(step, (jnp.zeros_like(currents[0]),) * 2, currents)[1]

    def loss(self, weights: dict[str, Any], inputs: Any, labels: Any) -> Any:
        """Maximum over time, cross-entropy.

        Of equal maxima the first counts, as in PyTorch: `max` would divide the gradient.
        """
        u = self.readout(weights, inputs)
        scores = jnp.take_along_axis(u, u.argmax(0)[None], 0)[0]
        return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()


class Job:
    """A training step: forward pass, backward pass and optimizer are one compiled function.

    Dense inputs are made beforehand.
    """

    def __init__(self, net: bs.Network, inputs: np.ndarray, labels: np.ndarray) -> None:
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

    def step(self) -> float:
        """Seconds of a step."""
        begin = time.perf_counter()
        done = self.compiled(self.weights, self.state, self.inputs, self.labels)
        self.weights, self.state, loss = done
        jax.block_until_ready((self.weights, loss))
        return time.perf_counter() - begin


def gradients(net: bs.Network, inputs: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Gradients by projection, in the precision of the network."""
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(w) for name, w in net.weights.items()}
        result = jax.grad(Model(net).loss)(weights, jnp.asarray(inputs), jnp.asarray(labels))
        return {name: np.asarray(g) for name, g in result.items()}
