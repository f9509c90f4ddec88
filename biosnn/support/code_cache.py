"""Where compiled code is kept between processes, and how long compiling took.

The cache is numba's, with five differences. A damaged file counts as none. Code with checks of
bounds is not taken for code without (NUMBA_BOUNDSCHECK). Two processes that compile at the same
time never take each other's files; what one compiles the others wait for, and read. Where numba has
no place to write, there is a temporary folder or no cache at all, with one warning.
"""

import atexit
import hashlib
import io
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import caching, event, sigutils
from numba.core import config as _numba_config

from .compiling import Told, say, words_of
from .files import Lock, lock_file
from .threads import on_threads
from .warn import warn

config: Any = _numba_config  # whose names numba makes when it starts
_DIGEST = hashlib.sha256().digest_size
_LONGEST_TURN = 600.0  # seconds that a process waits for another one to compile a kernel
_LOOK = 0.05  # seconds between looks whether it is done


# --------------------------------------------------------------------------------------------- time


class _Stopwatch:
    """Seconds in which kernels were compiled or read from the cache.

    Numba does that in one thread at a time.
    """

    def __init__(self):
        self._total, self._begin, self._depth, self._lock = 0.0, 0.0, 0, threading.Lock()

    def __enter__(self):
        with self._lock:
            if self._depth == 0:
                self._begin = time.perf_counter()
            self._depth += 1

    def __exit__(self, *error):
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._total += time.perf_counter() - self._begin

    def seconds(self):
        with self._lock:
            return self._total + (time.perf_counter() - self._begin if self._depth else 0.0)


_watch = _Stopwatch()


def clock() -> float:
    """Return the seconds of a clock like time.perf_counter that stands still during compilation."""
    return time.perf_counter() - _watch.seconds()


# -------------------------------------------------------------------------------------------- words

_silent: list[bool] = []


@contextmanager
def silence() -> Iterator[None]:
    """Return a context in which nothing is printed about compiling."""
    _silent.append(True)
    try:
        yield
    finally:
        _silent.pop()


def _often(dispatcher):
    """How often a kernel is compiled, in words."""
    kept = not isinstance(dispatcher._cache, caching.NullCache)
    return "once on this machine" if kept else "in this process alone"


class _Compiling(event.Listener):
    """Stops the clock while a kernel of biosnn is compiled, and says so where it takes long."""

    def on_start(self, event):
        if _is_ours(event):
            _watch.__enter__()
            kernel = event.data["dispatcher"]
            _told.begin(kernel.py_func.__name__, _often(kernel), bool(_silent))

    def on_end(self, event):
        if _is_ours(event):
            _watch.__exit__()
            _compiled[0] += not hasattr(event.data["dispatcher"], "for_python")
            cache_of_it = event.data["dispatcher"]._cache
            failed = sys.exc_info()[0] is not None
            if failed and isinstance(cache_of_it, _Cache):
                cache_of_it.release()  # nothing will be saved
            _told.end(failed)


_compiled = [0]
_told = Told()


def compiled() -> int:
    """Return how many kernels of biosnn this process has compiled so far, not found in a cache.

    Those that only kernels call are part of them, and do not count.
    """
    return _compiled[0]


def _is_ours(event):
    # None of what exec has made, in numba itself too
    """Whether an event of numba is about a kernel of biosnn."""
    module = event.data["dispatcher"].py_func.__module__ or ""
    return module.partition(".")[0] == __package__.partition(".")[0]


event.register("numba:compile", _Compiling())


# --------------------------------------------------------------------------------------- beforehand


def ready(kernel: Any, *arguments: Any) -> None:
    """Compile a kernel, or read it from the cache, without running it.

    It is done in a thread of its own, so that Ctrl-C comes through at once; compiling then goes on
    behind the scenes.

    Parameters
    ----------
    kernel
        The kernel.
    *arguments
        Of the types for which it is compiled.
    """
    if config.DISABLE_JIT:
        return
    kernel = kernel.for_python() if hasattr(kernel, "for_python") else kernel
    signature = tuple(map(kernel.typeof_pyval, arguments))
    if signature not in kernel.overloads:
        on_threads(kernel.compile, [(signature,)], 1)


# -------------------------------------------------------------------------------------------- files


class _Files(caching.IndexDataCacheFile):
    """Index and files of one kernel, each with a digest at its end.

    Readers of pickles do not look at the digest.
    """

    def save(self, key, data):
        index, name = (
            self._load_index(),
            self._data_name(int(hashlib.sha256(repr(key).encode()).hexdigest()[:15], 16)),
        )
        self._save_data(name, data)
        self._save_index(index | {key: name})

    def _load_index(self):
        """Empty where it cannot be read: one of another version may name classes that are gone."""
        try:
            return super()._load_index() if _intact(self._index_path) else {}
        except Exception:  # noqa: BLE001 - those of other versions fail in many ways
            return {}

    def _load_data(self, name):
        if not _intact(self._data_path(name)):
            raise FileNotFoundError(name)
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, filepath):
        with super()._open_for_write(filepath) as file:
            content = io.BytesIO()
            yield content
            file.write(content.getvalue() + hashlib.sha256(content.getvalue()).digest())


def _intact(path):
    """Whether a file is as it was written; one that is not is removed and written anew."""
    try:
        content = Path(path).read_bytes()
        if hashlib.sha256(content[:-_DIGEST]).digest() == content[-_DIGEST:]:
            return True
        os.unlink(path)
    except OSError:
        pass
    return False


class _Cache(caching.FunctionCache):
    """The cache of one kernel, which never fails.

    What cannot be read is compiled; what cannot be written is compiled in every process.
    """

    def __init__(self, function, stamp):
        super().__init__(function)
        name = self._impl.filename_base
        self._cache_file = _Files(self._cache_path, name, (self._cache_file._source_stamp, stamp))
        self._locks: list[Lock] = []
        self._words = words_of(function.__name__)

    def _index_key(self, sig, codegen):
        return (*super()._index_key(sig, codegen), bool(config.BOUNDSCHECK))

    def load_overload(self, sig, target_context):
        with _watch:
            found = self._found(sig, target_context)
            if found is None:
                self._take_turn(sig, target_context)
                found = self._found(sig, target_context)
            if found is not None:
                self.release()
            return found

    def _found(self, sig, target_context):
        """What the cache holds, or None."""
        try:
            found = super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001 - pickles and object code fail in many ways
            return None
        if found is None or found.signature.args == sigutils.normalize_signature(sig)[0]:
            return found
        return None

    def _take_turn(self, sig, target_context):
        """Wait while another process compiles this, then keep others from it until `release`."""
        key = repr(self._index_key(sig, target_context.codegen()))
        name = f"{self._impl.filename_base}.{hashlib.sha256(key.encode()).hexdigest()[:16]}.lock"
        last = time.monotonic() + _LONGEST_TURN
        with suppress(OSError, RuntimeError):  # where nothing can be written there are no turns
            self._impl.locator.ensure_cache_path()
            while time.monotonic() < last:
                with suppress(BlockingIOError):
                    self._locks.append(lock_file(Path(self._cache_path, name)))
                    return
                self._say_that_it_waits()
                time.sleep(_LOOK)

    def _say_that_it_waits(self):
        """Once, if it takes long."""
        if self._words and not _silent:
            say(f"waiting for another process, which is compiling {self._words}")
            self._words = ""

    def release(self):
        """Let other processes compile this or, better, read it."""
        while self._locks:
            with suppress(OSError):
                self._locks.pop().remove()

    def save_overload(self, sig, data):
        with _watch:
            try:
                super().save_overload(sig, data)
            except OSError as error:
                _warn_once(
                    f"Compiled code could not be written to {self._cache_path} "
                    f"({error.strerror or error})"
                )
            finally:
                self.release()


# ------------------------------------------------------------------------------------------- places


def cache_of(function: Any, stamp: str) -> Any:
    """Return the cache of a kernel.

    Parameters
    ----------
    function
        The function in Python.
    stamp
        A hash of all sources that its code follows from.
    """
    try:
        return _Cache(function, stamp)
    except (RuntimeError, OSError):  # numba has no place to write to
        folder = _temporary_folder()
    if folder is None:
        return caching.NullCache()
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        return _Cache(function, stamp)
    except (RuntimeError, OSError):
        return caching.NullCache()
    finally:
        config.CACHE_DIR = before


@cache
def _temporary_folder():
    """A folder for compiled code that nobody else can write to, or None; warns once."""
    problem = (
        "Compiled code can be kept neither next to biosnn, nor in the cache folder of this user, "
        "nor in NUMBA_CACHE_DIR"
    )
    try:
        folder = _own_folder(Path(tempfile.gettempdir()))
    except OSError:
        _warn_once(problem)
        return None
    _warn_once(problem, f"it goes to {folder}")
    return folder


def _own_folder(parent):
    """The same folder for all processes of a user.

    Where that name belongs to somebody else, one for this process alone.
    """
    if hasattr(os, "getuid"):
        shared = parent / f"biosnn-{os.getuid()}"
        try:
            shared.mkdir(0o700, exist_ok=True)
            found = shared.lstat()
            if (
                stat.S_ISDIR(found.st_mode)
                and found.st_uid == os.getuid()
                and not found.st_mode & 0o022
            ):
                return shared
        except FileExistsError:
            pass
    own = tempfile.mkdtemp(prefix="biosnn-", dir=parent)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return Path(own)


_warned: list[bool] = []


def _warn_once(problem, instead="every process compiles anew, which takes a minute or two"):
    """Warn of a problem with the cache, once in a process."""
    if not _warned:
        _warned.append(True)
        warn(
            f"{problem}: {instead}. Set the environment variable NUMBA_CACHE_DIR to a folder that "
            "can be written to."
        )
