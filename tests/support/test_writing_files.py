"""Files are written by one program at a time, whole, or with an error that names the path."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import biosnn as bs
from biosnn.support import files, hdf5, schema
from biosnn.training.session import Session
from tests.fuzz import subjects

ROOT = Path(__file__).parents[2]


def quick(folder, start="new", epochs=1):
    net, data = subjects.trained()
    return subjects.fit(net, data, epochs, folder, start, False)


def test_two_trainings_do_not_write_to_one_folder(tmp_path):
    """The lock ends with the process that holds it, however that ends."""
    program = f"""
import sys, time
from pathlib import Path
from biosnn.training.checkpoint import reserved
with reserved(Path({str(tmp_path)!r}), "overwrite"):
    print("locked", flush=True)
    time.sleep(100)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(ValueError, match="another training writes its checkpoints to"):
            quick(tmp_path)
    finally:
        process.kill()
        process.communicate()
    quick(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.npz", "last.npz"]


def test_an_error_in_a_training_leaves_no_lock(tmp_path):
    with pytest.raises(ValueError, match="start='resume' to go on"):
        quick(tmp_path), quick(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.npz", "last.npz"]
    quick(tmp_path, "resume", 2)


def test_what_a_killed_training_left_is_removed_and_nothing_else(tmp_path):
    for name in (
        "last.npz.0123abcd.partial",
        "best.npz.89ef.partial",
        "last.npz.4711.partial",
        "download.partial",
        "training.lock",
    ):
        (tmp_path / name).write_bytes(b"x")
    quick(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.npz",
        "download.partial",
        "last.npz",
    ]


def test_a_folder_that_cannot_be_written_is_noticed_before_the_first_epoch():
    with pytest.raises(OSError, match="checkpoints cannot be written to this folder.*/proc/none"):
        quick("/proc/none")


def test_a_folder_that_is_read_only_is_noticed_before_the_first_epoch(tmp_path, monkeypatch):
    monkeypatch.setattr(Session, "run_epoch", lambda *_: pytest.fail("an epoch has begun"))
    if os.geteuid() == 0:  # to whom permissions mean nothing
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", tmp_path], capture_output=True
        ).returncode:
            pytest.skip("nothing can be mounted here")
    else:
        tmp_path.chmod(0o500)
    try:
        with pytest.raises(OSError, match=str(tmp_path)):
            quick(tmp_path)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", tmp_path], check=True)


def test_files_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        quick(tmp_path)
        bs.save(subjects.trained()[0], tmp_path / "w.npz")
        subjects.simulated(0.02, out=tmp_path / "a.spikes")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o640}


def test_errors_of_writing_name_the_path(tmp_path):
    (tmp_path / "file").touch()
    for write in (
        lambda path: bs.save(subjects.trained()[0], path),
        lambda path: subjects.make_run(path),
    ):
        with pytest.raises(OSError, match="the file could not be written.*file/x.npz"):
            write(tmp_path / "file" / "x.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_lock_file_that_was_removed_in_between_is_no_lock(tmp_path):
    lock = files.lock_file(tmp_path / "a.lock")
    with pytest.raises(BlockingIOError):
        files.lock_file(tmp_path / "a.lock")
    lock.remove()
    assert not (tmp_path / "a.lock").exists()
    again = files.lock_file(tmp_path / "a.lock")
    again.remove()


def test_a_slow_start_leaves_time_to_read_hdf5():
    pytest.importorskip("resource")
    command = (
        "import time, resource; from biosnn.support import hdf5_child; hdf5_child.time = "
        "type(time)('t'); hdf5_child.time.process_time = lambda: 0.99; hdf5_child._limit(0); "
        "print(resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert 0.99 + hdf5.hdf5_child._SECONDS <= int(done.stdout) <= 3


def test_the_largest_step_fits():
    assert schema.check_step(1 << 40, "x") == 1 << 40
    for wrong in (-1, (1 << 40) + 1, 1.0, True, "3", None):
        with pytest.raises(ValueError, match="the step"):
            schema.check_step(wrong, "x")


@pytest.mark.parametrize(
    "read", [bs.load_state, bs.read_spikes, bs.data.load_shd, bs.data.load_speakers]
)
def test_a_path_that_no_file_can_have(read):
    with pytest.raises(OSError, match="no file can be looked up there"):
        read("x" * 10_000)
