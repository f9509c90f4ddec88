"""
Rossbroich, Gygax & Zenke (2022): fluctuation-driven initialization
===================================================================

Rossbroich J, Gygax J, Zenke F (2022). Fluctuation-driven initialization for spiking neural network
training. Neuromorphic Computing and Engineering 2, 044016.
https://doi.org/10.1088/2634-4386/ac97bb

How the weights of a spiking network should be drawn so that it learns: wide enough for the
membranes to fluctuate up to the threshold, in every layer. Each experiment is a command::

    python -m models.rossbroich_2022 dalian          a network that obeys Dale's law
    python -m models.rossbroich_2022 fluctuations    their first figure: membranes at xi = 1, 2, 3
    python -m models.rossbroich_2022 randman         128 recurrent LIF neurons with homeostasis
    python -m models.rossbroich_2022 depth           1 to 7 hidden layers
    python -m models.rossbroich_2022 sigma           accuracy, rates and gradients over sigma_U
    python -m models.rossbroich_2022 alpha           the feed-forward share of the variance
    python -m models.rossbroich_2022 convolution     three recurrent convolutional layers

``depth`` and ``convolution`` compare the fluctuation-driven start with Kaiming's. The paper reports
96.3 % for ``randman``, after 200 epochs. The last five make their networks of layers of LIF
neurons; with ``--quick`` they run small, in about a minute.
"""

from .convolution import convolution
from .dalian import dalian
from .fluctuations import fluctuations
from .options import parse
from .stacks import alpha, depth, randman, sigma

EXPERIMENTS = {
    "dalian": dalian,
    "fluctuations": fluctuations,
    "randman": randman,
    "depth": depth,
    "sigma": sigma,
    "alpha": alpha,
    "convolution": convolution,
}


def main(arguments: list[str] | None = None) -> None:
    """Run an experiment from the command line."""
    args = parse(__doc__ or "", arguments)
    EXPERIMENTS[args.command](args)


if __name__ == "__main__":
    main()
