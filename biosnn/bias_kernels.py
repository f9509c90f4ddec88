"""A constant current for every neuron, and its adjoint."""
from ._jit import fused, kernel


@kernel
def add_bias(model, trials, new):
    """U* += drive * bias."""
    for g in range(model.neuron_first.size - 1):
        a, u = model.neuron_first[g], model.state_first[g]
        for b in range(trials):
            for i in range(model.neuron_first[g + 1] - a):
                new[b, u + i] += model.drive[a + i] * model.bias[a + i]


@fused
def bias_adjoint(model, trials, grad_new, grad_bias, grad_drive):
    """Forward: U* += drive * bias.  Adjoint: grad_bias += drive * grad_U*; grad_drive += bias * grad_U*."""
    for g in range(model.neuron_first.size - 1):
        a, u = model.neuron_first[g], model.state_first[g]
        for b in range(trials):
            for i in range(model.neuron_first[g + 1] - a):
                grad_bias[a + i] += model.drive[a + i] * grad_new[b, u + i]
                if grad_drive.size:
                    grad_drive[a + i] += model.bias[a + i] * grad_new[b, u + i]
