"""Files: written whole or not at all, locked while somebody writes them; errors name them."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

fcntl: Any
msvcrt: Any
try:
    import fcntl
except ImportError:  # Windows
    import msvcrt as _msvcrt

    fcntl, msvcrt = None, _msvcrt

#: Ending of the names of files that are not complete yet.
PARTIAL = ".partial"
_LOCKED_BYTE = 1 << 40  # the byte that is locked where bytes are: beyond all that anybody reads
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def naming(path: Path, what: str) -> Iterator[None]:
    """Return a context in which an OSError of the system says what failed, and the path.

    Parameters
    ----------
    path
        Path of the file.
    what
        For messages: "it cannot be read". The class and the errno of the error stay.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, f"{what}: {os.strerror(error.errno)}", str(path)) from error


def is_file(path: Path) -> bool:
    """Return whether a path leads to a file; opening anything else may wait forever.

    Parameters
    ----------
    path
        The path to look up.

    Raises
    ------
    OSError
        If no file can have this path.
    """
    with naming(path, "no file can be looked up there"):
        return path.is_file()


@contextmanager
def replaced(path: str | Path, what: str) -> Iterator[BinaryIO]:
    """Return a context with a binary file to write, which replaces `path` at the end.

    What fails leaves no trace.

    Parameters
    ----------
    path
        Path of the finished file; missing folders are made.
    what
        For messages: "the file could not be written".
    """
    path = Path(path)
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, f"{what}: {os.strerror(errno.EISDIR)}", str(path))
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    with naming(path, what):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(unfinished, "xb") as file:  # unlike those of tempfile, with the user's umask
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise


def lock_file(path: str | Path) -> "Lock":
    """Create a file and return a Lock on it; call `remove` at the end.

    Parameters
    ----------
    path
        Path of the file.

    Raises
    ------
    BlockingIOError
        If somebody holds it.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            lock = Lock(descriptor, path)
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return lock
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # somebody removed it in between


class Lock:
    """Hold an open file for one writer at a time, until `release` or the end of the process.

    On file systems that know no locks it holds nothing.

    Parameters
    ----------
    descriptor
        Descriptor of the open file.
    path
        Path of the file, if `remove` is to remove it.

    Raises
    ------
    BlockingIOError
        If another writer holds the file.
    """

    def __init__(self, descriptor: int, path: str | Path | None = None) -> None:
        self._descriptor = descriptor
        self._path = "" if path is None else path
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                self._at_locked_byte(msvcrt.LK_NBLCK)
        except OSError as error:
            if error.errno in _TAKEN:
                raise BlockingIOError(errno.EWOULDBLOCK, "locked by another writer") from error

    def release(self) -> None:
        """Let others write."""
        with suppress(OSError):
            if fcntl is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            else:
                self._at_locked_byte(msvcrt.LK_UNLCK)

    def remove(self) -> None:
        """Release a lock of `lock_file`, close the file and remove it."""
        if fcntl is not None:  # while it is held: what others lock afterwards is not this file
            with suppress(OSError):
                Path(self._path).unlink()
        self.release()
        os.close(self._descriptor)
        if fcntl is None:
            with suppress(OSError):
                Path(self._path).unlink()

    def _at_locked_byte(self, mode):
        """Lock or unlock the byte at _LOCKED_BYTE (Windows)."""
        before = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        os.lseek(self._descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(self._descriptor, mode, 1)
        finally:
            os.lseek(self._descriptor, before, os.SEEK_SET)
