"""Spike trains to learn from: Randman and Poisson made on the spot, Spiking Heidelberg Digits from files, random splits."""
from .poisson import poisson
from .randman import randman
from .shd import fetch_shd, load_shd
from .split import split

__all__ = ["fetch_shd", "load_shd", "poisson", "randman", "split"]
