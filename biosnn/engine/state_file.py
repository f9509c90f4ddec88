"""States in files: save_state and load_state. Plain arrays and JSON, no pickle."""

from pathlib import Path

from ..support import file_format
from .standing import check_any
from .state import State


def save_state(state: State, path: str | Path) -> None:
    """Write the state of a run (`trace.state`) or simulation (`simulation.state`) to a file.

    Parameters
    ----------
    state
        To go on from later.
    path
        Path of an .npz file, which is written whole or not at all.

    Raises
    ------
    ValueError
        If `state` is not a State.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> state = bs.run(net, duration=0.02, currents={"E": 3.0}).state
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "state.npz")
    ...     bs.save_state(state, path)
    ...     bs.load_state(path).step
    20
    """
    if not isinstance(state, State):
        raise ValueError(
            f"state is a {type(state).__name__}; it must be the state of a run or simulation: "
            "trace.state, simulation.state."
        )
    meta = {"kind": "state", "fingerprint": state.fingerprint, "step": int(state.step)}
    file_format.write(path, state.arrays, meta)


def load_state(path: str | Path) -> State:
    """Read what `save_state` wrote.

    Parameters
    ----------
    path
        Path of the file.

    Returns
    -------
    The State. `run` and `simulate` check that it belongs to the network.

    Raises
    ------
    OSError
        If the file is missing, damaged or of another kind.
    ValueError
        If it holds impossible values.

    See Also
    --------
    save_state : has an example.
    """
    arrays, meta = file_format.read(path, "state")
    check_any(arrays, meta["step"], str(path))
    return State(meta["fingerprint"], meta["step"], arrays)
