"""
Choose a surrogate
==================

The derivative of a spike by the membrane is zero almost everywhere, so training puts another in
its place: a bump around the threshold (:doc:`/equations/surrogates`). Its shape matters little;
its steepness and whether it has compact support matter more.
"""

import numpy as np
from matplotlib.figure import Figure

import biosnn as bs

# %%
# The nine
# --------

x = np.linspace(-0.5, 0.5, 401)
kinds = (
    bs.SuperSpike(),
    bs.Sigmoid(),
    bs.Triangular(),
    bs.TruncatedSuperSpike(),
    bs.Gaussian(),
    bs.Arctan(),
    bs.MultiGaussian(),
    bs.AsymptoticSuperSpike(),
    bs.ExponentialSurrogate(),
)
figure = Figure(figsize=(8, 4), layout="constrained")
for axis, kind in zip(figure.subplots(3, 3, sharex=True).ravel(), kinds, strict=True):
    axis.plot(x, kind.derivative(x), color=bs.plot.EXCITATORY)
    axis.set_title(f"{type(kind).__name__}, β = {kind.steepness:g}", fontsize=8)
    axis.set_ylim(bottom=min(0, kind.derivative(x).min()))

# %%
# Which one
# ---------
# - SuperSpike is the default, and good at β from 10 to 100 where the threshold is 1. With
#   potentials in volts, scale β: it has the unit 1/U.
# - TruncatedSuperSpike and Triangular have compact support. The adjoint then visits only the
#   neurons near threshold, which makes training steps faster, in large networks by half
#   (:doc:`/generated/measured`). Below threshold by more than the cutoff no gradient flows, so
#   they need a start in which neurons come near it; the fluctuation-driven start is one.
# - Sigmoid with `biosnn.SigmoidEscape` of the same β gives the gradient of the expected spikes of
#   a noisy network.
#
# Two of them in the same network:

data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=100, smoothness=2.0, seed=1)
for kind in (bs.SuperSpike(), bs.TruncatedSuperSpike(cutoff=0.3)):
    net = bs.Network(dt=2e-3)
    E, I = bs.dalian_layer(net, net.input(20), 64, 16, surrogate=kind)
    net.connect(E, net.readout(2))
    bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    bs.train(net, data, epochs=10, batch=50, seed=1, progress=False)
    accuracy = bs.evaluate(net, data).accuracy
    print(f"{type(kind).__name__}: accuracy {accuracy:.0%} after ten epochs")
