"""Whether the memory of this machine holds what is asked for, before it is asked for."""

import os
from typing import Any


def check_room(what: Any, count: int, itemsize: int, things: str = "synapses") -> None:
    """ValueError if the machine has not the memory for `count` things of `itemsize` bytes."""
    room = (
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if hasattr(os, "sysconf")
        else 1 << 46
    )
    if count * itemsize > room:
        raise ValueError(
            f"{what}: {count:,} {things} of {itemsize} bytes need {count * itemsize / 1e9:,.0f} "
            f"GB; this machine has {room / 1e9:,.0f} GB."
        )
