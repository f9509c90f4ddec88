"""From the description of a network to the arrays that kernels of batches read: pack(network)."""

from typing import Any

from ..kernels.arrays import aligned
from ..network import dale
from ..network.network import Network
from ..network.network_checks import check_complete
from .packed import Packed, PackedNeurons
from .trial_neurons import groups_of, pack_model
from .trial_projections import pack_wiring


def pack(network: Network) -> Packed:
    """Check a network and pack it into arrays.

    Raises
    ------
    ValueError
        If it lacks populations or weights, or has something that batches of trials do not take.
    """
    _check(network)
    order = [population for group in groups_of(network) for population in group]
    neurons = PackedNeurons(network, order, pack_model(network))
    wiring, places, n_weights, filled = pack_wiring(neurons)
    packed = Packed(
        network=network,
        order=order,
        model=neurons.model,
        wiring=wiring,
        weight=aligned(n_weights, network.dtype),
        places=places,
        filled=filled,
    )
    for projection in network.projections:
        packed.weight_matrix(projection.name)[...] = network.weights[projection.name]
    return packed


def _check(network):
    """ValueError unless batches of trials take the network."""
    check_complete(network)
    for population in network.spiking:
        _check_neuron(population, network.dt)
    if plastic := [p.name for p in network.projections if p.plasticity is not None]:
        raise ValueError(
            f"plastic projections: {', '.join(plastic)}. Batches of trials and training do not "
            "take them; use simulate."
        )
    for projection in network.projections:
        dale.check_weights(
            projection.name, network.weights[projection.name], projection.non_negative
        )


def _check_neuron(population, dt):
    """ValueError unless batches of trials take the neuron model of a population."""
    neuron = population.neuron
    if neuron.nonlinear_drive:
        raise ValueError(
            f"population {population.name!r}: batches of trials and training do not take "
            f"{neuron.model}; use simulate(network, duration, …)."
        )
    if neuron.refractory_steps(dt) > 1 and neuron.has_delta_synapses:
        raise ValueError(
            f"population {population.name!r} has delta synapses and a refractory period, during "
            "which spikes that arrive are lost. Batches of trials and training do not do that; "
            "use simulate(network, duration, …), or refractory=0."
        )


def check_differentiable(network: Network) -> None:
    """Raise a ValueError if the adjoint does not know a part of the network.

    Delta synapses change the U that the reset then sees.
    """
    for population in network.spiking:
        neuron: Any = population.neuron
        if neuron.has_delta_synapses:
            raise ValueError(
                f"population {population.name!r} has delta synapses ({neuron.model}), "
                "through which there are no gradients yet. To train, use lif(...) with a short "
                "tau_syn."
            )


def check_reset_is_differentiable(network: Network) -> None:
    """Raise a ValueError if spikes are drawn at random.

    How far U was from threshold at the reset is then not kept.
    """
    if noisy := [p.name for p in network.spiking if p.noise]:
        raise ValueError(
            f"populations with escape noise: {', '.join(noisy)}. There is no gradient through "
            "their reset; leave out differentiate_reset."
        )
