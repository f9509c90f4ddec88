"""What is learned, in one vector: weights, then time constants, jumps, thresholds and biases.

Kernels read the weights in it and optimizers change all of it; the network gets it back when the
training ends, and before each checkpoint.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.packed import pack
from ..engine.parameter_gradients import parameter_gradients
from ..kernels import arrays, room
from ..network.network import Network


class Parameters:
    """The parameters of a network as one vector.

    Attributes
    ----------
    vector
        (n,) weights in the order of kernels, then the elements of `network.parameters`.
    packed
        The network as kernels read it; its weights are a view of `vector`.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.take()

    def take(self) -> None:
        """Read all parameters from the network as it is now."""
        network, packed = self.network, pack(self.network)
        self._learned = list(network.parameters)
        tail = [np.ravel(network.parameters[key]).astype(network.dtype) for key in self._learned]
        self.vector: NDArray[Any] = room.aligned_copy(np.concatenate([packed.weight, *tail]))
        self.packed: Any = replace(packed, weight=self.vector[: packed.weight.size])
        frozen = packed.slices(p for p in network.projections if p.frozen)
        self._frozen = [(place, packed.weight[place].copy()) for place in frozen]

    def write_back(self) -> None:
        """Put the parameters into the network."""
        for projection in self.network.projections:
            weights = self.packed.weight_matrix(projection.name)
            self.network.set_weights(projection.name, weights)
        self._write_learned()

    def gradient(self, found: arrays.Gradient) -> NDArray[Any]:
        """Return what the adjoint found as a vector like `vector`."""
        parts = [found.weight]
        if self._learned:
            by_key = parameter_gradients(self.packed, found)
            dtype = self.network.dtype
            parts += [np.ravel(by_key[key]).astype(dtype) for key in self._learned]
        return np.concatenate(parts)

    def restore_frozen(self) -> None:
        """Undo what weight decay or a constraint did to projections that are frozen."""
        for place, weights in self._frozen:
            self.vector[place] = weights

    def update_learned(self) -> None:
        """Let the packed network follow time constants, jumps and biases of `vector`."""
        if self._learned:
            self._hold_time_constants()
            self._write_learned()
            self.packed = self.packed.with_current_numbers()

    def _places(self):
        """(key, slice of the vector) of everything that is not a weight."""
        at = self.packed.weight.size
        for key in self._learned:
            size = self.network.parameters[key].size
            yield key, slice(at, at + size)
            at += size

    def _hold_time_constants(self):
        """No learned time constant falls below dt, which steps could not resolve.

        2 tau_0 sigmoid(p) >= dt (1 + 1e-5).
        """
        dt = self.network.dt * (1 + 1e-5)
        for (population, name), place in self._places():
            tau = self.network[population].neuron.time_constants.get(name)
            if tau is None:
                continue
            p = self.vector[place]
            least = np.log(dt / np.maximum(2 * np.asarray(tau, float) - dt, 1e-3 * dt))
            np.maximum(p, least if p.size > 1 else np.max(least), out=p, casting="same_kind")

    def _write_learned(self):
        """Put time constants, jumps and biases into the network."""
        for key, place in self._places():
            shape = self.network.parameters[key].shape
            self.network.parameters[key] = self.vector[place].astype(np.float64).reshape(shape)
