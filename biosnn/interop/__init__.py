"""Spikes, signals, weights and networks in the forms of other programs, and back.

from_torch      weights of a layer of PyTorch       from_torch.py
"""

from .from_torch import from_torch

__all__ = ["from_torch"]
