"""Whether the memory of this machine holds what is asked for, before it is asked for."""

import os
from typing import Any


def check_room(what: Any, count: int, itemsize: int, things: str = "synapses") -> None:
    """Raise a ValueError if this machine does not have the memory for that many things.

    Parameters
    ----------
    what
        Who asks, for the message.
    count
        How many.
    itemsize
        Bytes of each.
    things
        Their name, for the message.

    Examples
    --------
    >>> check_room("E->E", 1000, 4)
    """
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
