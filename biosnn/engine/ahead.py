"""Compiling gradients ahead, in a process beside this one: a first training waits half as long.

The forward pass and the adjoint take about as long to compile, and numba compiles one function at a
time. So before a training compiles the forward pass, another process begins with the adjoint and
puts it into the cache on disk, where this one finds it (support/code_cache.py: whoever comes second
waits for the first).
"""

import atexit
import os
import subprocess
import sys
from contextlib import suppress
from threading import Thread

import numba
import numpy as np

from ..kernels import arrays, trials_adjoint
from ..network.network import Network
from ..network.neuron_models import lif
from ..support.threads import default_threads
from . import chunks
from .buffers import Wanted, new_recording
from .conditions import make_conditions
from .events import no_events
from .packed import pack

_started: set[str] = set()


def compile_gradients_beside(dtype: np.dtype) -> None:
    """Let another process compile the adjoint, unless it is compiled, or there is one processor.

    The environment variable BIOSNN_COMPILE_BESIDE=0 switches this off.

    Parameters
    ----------
    dtype
        Type of the numbers of the network.
    """
    name = np.dtype(dtype).name
    if numba.config.DISABLE_JIT or name in _started or _unwanted():
        return
    _started.add(name)
    kernel = trials_adjoint.adjoint.for_python()
    known = getattr(getattr(kernel._cache, "_cache_file", None), "_load_index", None)
    if known is None or any(name in str(key[0]) for key in known()):
        return
    command = f"from biosnn.engine.ahead import compile_gradients; compile_gradients({name!r})"
    with suppress(OSError):
        beside = subprocess.Popen(
            [sys.executable, "-c", command],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(beside.terminate)
        Thread(target=beside.wait, daemon=True).start()  # nothing of it stays behind


def _unwanted():
    """Whether there is one processor, or the user wants no second process."""
    return default_threads() < 2 or os.environ.get("BIOSNN_COMPILE_BESIDE") == "0"


def compile_gradients(dtype: str) -> None:
    """Compile the adjoint for networks of a type, and take the gradient of nothing with it."""
    net = Network(1e-3, dtype=np.dtype(dtype).type)
    net.population(1, lif(), name="A")
    packed = pack(net)
    conditions = make_conditions(packed.layout, packed.wires, (), None)
    none = np.zeros((1, 0, 0), net.dtype)
    drive = arrays.Drive(
        inputs=no_events(1, 0, net.dtype),
        rows=np.arange(1),
        blocks=arrays.NO_BLOCKS,
        current=none,
        background=conditions.background.table,
        key=np.zeros(1, np.uint64),
        trial=np.arange(1),
        start=conditions.start(0, np.arange(1)),
        first_step=0,
        random=False,
    )
    recording = new_recording(packed, 1, 1, Wanted(arrays.NO_BLOCKS, 0, tape=True))
    loss = arrays.LossGradient(arrays.NO_BLOCKS, none, none, np.zeros((1, 1), net.dtype))
    chunks.adjoint(packed, drive, recording, loss, 1)
