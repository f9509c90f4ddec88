"""Networks in space: where neurons are, and connections by distance.

    grid, random, ring, torus, Positions        where neurons are: Network.population(positions=)
    Bernoulli, FixedInDegree, FixedOutDegree    rules by distance: Network.connect(synapses=)
    Gaussian, Exponential, Box, OfDistance      probabilities and weights by distance
    Conduction                                  delays by distance: Network.connect(delay=)
    distances                                   how far apart the two neurons of a synapse are

Lengths are in metres. Where no conduction velocity is given, any unit will do that all of them
share, such as the side of a sheet.
"""

from .positions import Positions, grid, random, ring, torus
from .profiles import Box, Conduction, Exponential, Gaussian, OfDistance, Profile
from .spatial import distances
from .spatial_rules import Bernoulli, FixedInDegree, FixedOutDegree

__all__ = [
    "Bernoulli",
    "Box",
    "Conduction",
    "Exponential",
    "FixedInDegree",
    "FixedOutDegree",
    "Gaussian",
    "OfDistance",
    "Positions",
    "Profile",
    "distances",
    "grid",
    "random",
    "ring",
    "torus",
]
