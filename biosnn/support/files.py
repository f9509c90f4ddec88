"""Files: written whole or not at all, locked while somebody writes them, with errors that name them."""

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    fcntl = None

#: Ending of the names of files that are not complete yet.
PARTIAL = ".partial"
_PLACE = 1 << 40  # the byte that is locked where bytes are: beyond all that anybody reads
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def naming(path, what):
    """An OSError of the system that happens inside says `what` and the path; its class and errno stay."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, f"{what}: {os.strerror(error.errno)}", str(path)) from error


def is_file(path):
    """Whether a path is that of a file; to open anything else may wait for ever. OSError for a path that no file can have."""
    with naming(path, "no file can be looked up there"):
        return path.is_file()


@contextmanager
def replaced(path, what):
    """Yields a binary file to write, which takes the place of `path` at the end; what fails leaves no trace.

    what: for messages, "the checkpoint could not be written".
    """
    path = Path(path)
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


def lock_file(path):
    """A Lock on a file that is made for it; call `remove` at the end. BlockingIOError if somebody holds it."""
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
    """Holds an open file for one writer at a time, until `release` or the end of the process, however it ends.

    On file systems that know no locks it holds nothing.
    """

    def __init__(self, descriptor, path=None):
        """BlockingIOError if another writer holds the file."""
        self._descriptor, self._path = descriptor, path
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                self._at_place(msvcrt.LK_NBLCK)
        except OSError as error:
            if error.errno in _TAKEN:
                raise BlockingIOError(errno.EWOULDBLOCK, "locked by another writer") from error

    def release(self):
        with suppress(OSError):
            if fcntl is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            else:
                self._at_place(msvcrt.LK_UNLCK)

    def remove(self):
        """Release a lock of `lock_file`, close the file and remove it."""
        if fcntl is not None:  # while it is held: what others lock afterwards is not this file
            with suppress(OSError):
                os.unlink(self._path)
        self.release()
        os.close(self._descriptor)
        if fcntl is None:
            with suppress(OSError):
                os.unlink(self._path)

    def _at_place(self, mode):
        before = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        os.lseek(self._descriptor, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(self._descriptor, mode, 1)
        finally:
            os.lseek(self._descriptor, before, os.SEEK_SET)
