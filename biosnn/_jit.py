"""How biosnn compiles: the only place that names compiler options.

Kernels release the global interpreter lock (threads run over chunks of trials) and are cached on disk, so that a second
process starts at once. `fastmath` stays off: sums keep their order, NaN and infinity keep their meaning.
"""
import numba

#: Kernels whose order of additions is part of the result (everything in the forward pass).
kernel = numba.njit(cache=True, nogil=True)

#: Kernels that may fuse a product with the addition after it (adjoint: the order of additions is still fixed).
fused = numba.njit(cache=True, nogil=True, fastmath={"contract"})

#: Dot products, which need a free order of additions to use vector units. NaN and infinity keep their meaning.
reduction = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
