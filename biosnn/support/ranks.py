"""Processes that do one task together under MPI: what all must agree on, and errors on one of them.

Every process makes the same calls of `Ranks` in the same order. Each of them begins with one
exchange, in which a process that cannot go on says so: wherever an error comes from, all processes
leave with it, and none waits for ever. mpi4py is never imported here: whoever has a communicator
has it.
"""

import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from .checks import shown
from .progress import ThrownAway, at_once, no_longer_at_once, quiet
from .threads import own_share
from .warn import silenced

T = TypeVar("T")

_METHODS = (
    *("Get_rank", "Get_size", "Dup", "Free", "Abort"),
    *("allgather", "Allgather", "Allgatherv", "Send", "Recv", "Bcast"),
)
# bytes that one process hands on while the next one adds the bytes before
_PIECE = 1 << 18


def _never():
    """Nobody has pressed Ctrl-C."""
    return False


class Ranks:
    """The processes of a communicator; without one, this process alone.

    Parameters
    ----------
    communicator
        A communicator of mpi4py, such as MPI.COMM_WORLD, or None.

    Attributes
    ----------
    rank, size
        Number of this process, from 0, and how many there are.

    Examples
    --------
    >>> Ranks().rank, Ranks().size
    (0, 1)
    """

    def __init__(self, communicator: Any = None) -> None:
        self.rank, self.size = 0, 1
        if communicator is not None:
            _check(communicator)
            self.rank, self.size = communicator.Get_rank(), communicator.Get_size()
        self._given = communicator
        self._own: Any = None
        self._agreed: BaseException | None = None  # the error that all processes know of
        self._pressed: Callable[[], bool] = _never
        self._any_pressed = False

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that shows, asks and writes."""
        return self.rank == 0

    def threads(self, given: Any) -> Any:
        """Return the threads that were given; None: the share of this process in its machine."""
        return own_share() if given is None and self.size > 1 else given

    # ------------------------------------------------------------------------------- errors, Ctrl-C

    @contextmanager
    def together(self) -> Iterator["Ranks"]:
        """Return a context, with these ranks, of a task that ends on all processes alike.

        An error on one of them is raised on all, and printed by one. Only the first process warns
        and shows progress. A second Ctrl-C aborts all.
        """
        if self.size == 1:
            yield self
            return
        with ExitStack() as stack:
            self._own = self._given.Dup()  # what users send does not meet what is sent here
            stack.callback(self._own.Free)
            if not self.is_first:
                stack.enter_context(silenced())
                stack.enter_context(quiet())
            try:
                yield self
                self.exchange(None)
            except BaseException as error:  # noqa: BLE001 - raised on all processes
                self._leave(error)

    def unless_interrupted(self, work: Callable[[], T]) -> T | None:
        """Return work(), or None, on all processes, if the first Ctrl-C came on one before its end.

        After the last exchange within `work`, Ctrl-C no longer ends it.
        """
        try:
            try:
                with at_once():
                    return work()
            except BaseException as error:  # noqa: BLE001 - raised on all processes
                self._leave(error)
        except ThrownAway:
            return None

    def interrupted(self, pressed: Callable[[], bool]) -> Callable[[], bool]:
        """Return a function that says whether Ctrl-C was pressed on any process, alike on all.

        Parameters
        ----------
        pressed
            Whether it was pressed on this one.
        """
        if self.size == 1:
            return pressed
        self._pressed, self._any_pressed = pressed, False
        return lambda: self._any_pressed

    def _leave(self, error: BaseException) -> NoReturn:
        """Raise an error of this process, on all processes unless they know of it."""
        if self.size == 1 or error is self._agreed:
            raise error
        if isinstance(error, KeyboardInterrupt) and not isinstance(error, ThrownAway):
            self._abort()
        self._share(error, None)
        raise error  # never: `_share` has raised it

    def _abort(self):
        """End all processes: the others wait for what this one will never send."""
        traceback.print_exc()
        sys.stderr.flush()
        self._own.Abort(1)

    # ------------------------------------------------------------------------------------- exchange

    def exchange(self, value: T) -> list[T]:
        """Return what each process gives, alike on all; or raise what one of them raises."""
        return [value] if self.size == 1 else self._share(None, value)

    def on_first(self, work: Callable[[], T]) -> T:
        """Return what `work` returns on the first process, which alone calls it."""
        found: Any = work() if self.is_first else None
        return self.exchange(found)[0]

    def _share(self, error, value):
        """Exchange errors and values; raise the error of the first process that has one."""
        no_longer_at_once()
        found = self._own.allgather((_sendable(error), bool(self._pressed()), value))
        self._any_pressed = any(pressed for _, pressed, _ in found)
        for rank, (failure, *_) in enumerate(found):
            if failure is not None:
                self._agreed = error if rank == self.rank else _shown_elsewhere(failure)
                raise self._agreed
        return [value for *_, value in found]

    def check_same(self, values: Mapping[str, Any], advice: str) -> None:
        """Raise the same ValueError on all processes unless they have the same values.

        Parameters
        ----------
        values
            Name -> anything whose text tells it from others: a number, a digest.
        advice
            How they become the same, in a sentence or more.
        """
        first, *others = self.exchange({name: str(value) for name, value in values.items()})
        for rank, other in enumerate(others, 1):
            names = [n for n in first | other if first.get(n) != other.get(n)]
            if names:
                differing = "; ".join(
                    f"{name} ({first.get(name)} on rank 0, {other.get(name)} on rank {rank})"
                    for name in names
                )
                raise ValueError(
                    f"the processes of the communicator differ in {differing}. {advice}"
                )

    # --------------------------------------------------------------------------------------- arrays

    def swap(self, own: NDArray[Any], found: NDArray[Any]) -> None:
        """Send an array of one size to all; `found` takes those of all, one after the other.

        Unlike all else this is an exchange of arrays alone, as fast as can be: an error within
        ends all processes.
        """
        try:
            self._own.Allgather(own, found)
        except BaseException:
            self._abort()
            raise

    def complete(self, values: NDArray[Any], owner: NDArray[Any]) -> None:
        """Give all processes what each has of an array.

        Parameters
        ----------
        values
            (..., n) array; those of this process are right, and then all are.
        owner
            (n,) the process that each column belongs to, alike on all.
        """
        if self.size == 1:
            return
        self.exchange(None)
        columns = np.bincount(owner, minlength=self.size)
        order, ends = np.argsort(owner, kind="stable"), np.cumsum(columns)
        chosen = [order[end - n : end] for n, end in zip(columns, ends)]
        counts = columns * (values.size // max(1, owner.size))
        own, found = values[..., chosen[self.rank]], np.empty(values.size, values.dtype)
        try:
            self._own.Allgatherv(np.ascontiguousarray(own).ravel(), (found, counts))
        except BaseException:
            self._abort()
            raise
        for which, each in zip(chosen, np.split(found, np.cumsum(counts)[:-1])):
            values[..., which] = each.reshape(*values.shape[:-1], which.size)

    def in_turn(self, total: NDArray[Any], add: Callable[[slice], None]) -> None:
        """Let one process after the other add to an array; all then have the result.

        The sums of MPI come in no fixed order; these have the order of the ranks, whatever
        their number. While a process adds to one piece of the array, the process before it is at
        the next, so that it takes hardly longer than sending the array twice.

        Parameters
        ----------
        total
            (n,) array: on the first process, what the others add to.
        add
            Adds what this process has to a piece of `total`.
        """
        if self.size == 1:
            add(slice(None))
            return
        try:
            step = max(1, _PIECE // total.itemsize)
            for start in range(0, total.size, step):
                piece = slice(start, start + step)
                if self.rank > 0:
                    self._own.Recv(total[piece], self.rank - 1)
                add(piece)
                if self.rank < self.size - 1:
                    self._own.Send(total[piece], self.rank + 1)
            self._own.Bcast(total, self.size - 1)
        except BaseException:
            self._abort()
            raise


#: This process alone.
ALONE = Ranks()


def _check(communicator):
    """TypeError or ValueError unless this is a communicator between the processes of one group."""
    if isinstance(communicator, type) or not all(
        callable(getattr(communicator, name, None)) for name in _METHODS
    ):
        raise TypeError(
            f"communicator is {shown(communicator)}; it must be a communicator of mpi4py, such as "
            'MPI.COMM_WORLD after `from mpi4py import MPI` (pip install "biosnn[mpi]" brings it), '
            "or None for one process."
        )
    if not communicator:
        raise ValueError(
            "communicator is MPI.COMM_NULL: this process does not belong to it, and must not make "
            "the call that the others make."
        )
    if getattr(communicator, "is_inter", False):
        raise ValueError(
            "communicator joins two groups of processes; it must be one of a single group, such "
            "as MPI.COMM_WORLD."
        )


def _sendable(error):
    """An error as it reaches other processes: as it is, or in words where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - of this process
    except Exception:  # noqa: BLE001 - whatever an error of the user raises
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _shown_elsewhere(error):
    """An error that another process prints: here it ends the program in silence, if uncaught."""
    hook = sys.excepthook

    def without(kind, value, trace):
        if value is not error:
            hook(kind, value, trace)

    sys.excepthook = without
    return error
