"""Spikes, signals, weights and networks in the forms of other programs, and back.

to_neo, from_neo            Neo, and so elephant                            neo_blocks.py
to_frame                    pandas                                          frames.py
to_xarray, from_xarray      xarray                                          xarray_sets.py
to_nwb, from_nwb            Neurodata Without Borders                       to_nwb.py, from_nwb.py
to_sonata, from_sonata      spike files of SONATA                           sonata.py
to_nir, from_nir            Neuromorphic Intermediate Representation        to_nir.py, from_nir.py
from_torch                  weights of a layer of PyTorch                   from_torch.py

The packages are optional, each is imported by the function that needs it. What is read is a
`data.Recording`.
"""

from .frames import to_frame
from .from_nir import from_nir
from .from_nwb import from_nwb
from .from_torch import from_torch
from .neo_blocks import from_neo, to_neo
from .sonata import from_sonata, to_sonata
from .to_nir import to_nir
from .to_nwb import to_nwb
from .xarray_sets import from_xarray, to_xarray

__all__ = [
    "from_neo",
    "from_nir",
    "from_nwb",
    "from_sonata",
    "from_torch",
    "from_xarray",
    "to_frame",
    "to_neo",
    "to_nir",
    "to_nwb",
    "to_sonata",
    "to_xarray",
]
