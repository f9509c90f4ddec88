"""How many threads: never more than processors by default, with a word where asked for."""

import os
import warnings

import numpy as np
import pytest

import biosnn as bs
from biosnn.support import threads
from biosnn.support.threads import checked_threads, default_threads, processors_of_groups


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def groups(tmp_path, text):
    (tmp_path / "cgroup").write_text(text)
    return processors_of_groups(tmp_path / "cgroup", tmp_path / "fs")


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/jobs/mine", 1.5),
        ("/jobs", 4.0),
        ("/", 4.0),
        ("/elsewhere/unknown", 4.0),
        ("/jobs/free", 4.0),
    ],
)
def test_quotas_of_version_2_at_every_level(tmp_path, path, expected):
    write(tmp_path / "fs", cpu__max="400000 100000")
    write(tmp_path / "fs/jobs", cpu__max="max 100000")
    write(tmp_path / "fs/jobs/mine", cpu__max="150000 100000")
    write(tmp_path / "fs/jobs/free")
    assert groups(tmp_path, f"0::{path}\n") == expected


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize("path, expected", [("/docker/abc", 2.0), ("/slurm/job", 0.5), ("/", 2.0)])
def test_quotas_of_version_1(tmp_path, mount, path, expected):
    """In a container the path is that of the machine, of which the container sees the root."""
    write(tmp_path / "fs" / mount, cpu__cfs_quota_us="200000", cpu__cfs_period_us="100000")
    write(
        tmp_path / "fs" / mount / "slurm/job",
        cpu__cfs_quota_us="50000",
        cpu__cfs_period_us="100000",
    )
    lines = f"12:memory:{path}\n4:cpu,cpuacct:{path}\n1:name=systemd:{path}\n"
    assert groups(tmp_path, lines) == expected
    write(tmp_path / "fs" / mount, cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert groups(tmp_path, "4:cpu,cpuacct:/\n") == np.inf


@pytest.mark.parametrize("text", ["", "nonsense", "0::/\n", "0::/../..\n", "::\n", "4:cpu:/x\n"])
def test_without_quotas_or_with_something_new(tmp_path, text):
    assert groups(tmp_path, text) == np.inf
    write(tmp_path / "fs", cpu__max="soon")
    write(tmp_path / "fs/cpu", cpu__cfs_quota_us="100", cpu__cfs_period_us="0")
    assert groups(tmp_path, text) == np.inf
    assert processors_of_groups(tmp_path / "none", tmp_path / "fs") == np.inf


@pytest.mark.parametrize("quota, expected", [(np.inf, 64), (3.9, 3), (0.2, 1), (200.0, 64)])
def test_default_threads_is_the_smallest_of_all_limits(monkeypatch, quota, expected):
    monkeypatch.setattr(threads, "_quota", lambda: quota)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 64, raising=False)
    assert default_threads() == checked_threads(None) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinities here")
def test_affinity_counts():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert default_threads() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_one_warning_where_there_are_more_threads_than_processors(monkeypatch):
    monkeypatch.setattr(threads, "default_threads", lambda: 2)
    monkeypatch.setattr(threads, "_warned", [])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert [checked_threads(n) for n in (1, 2, 64, np.int8(64))] == [1, 2, 64, 64]
    assert [str(w.message)[:51] for w in caught] == [
        "threads is 64, and this process may use 2 processor"
    ]
    assert isinstance(checked_threads(np.int8(2)), int)


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "2", True, np.array([1]), np.nan, 2**70])
def test_what_is_no_number_of_threads(wrong):
    with pytest.raises(ValueError, match="threads is .*; it must be a whole number"):
        checked_threads(wrong)
    net = bs.Network(1e-3)
    net.population(2, bs.lif(), name="A")
    for act in (
        lambda: bs.run(net, duration=0.01, threads=wrong),
        lambda: bs.simulate(net, 0.01, threads=wrong),
    ):
        with pytest.raises(ValueError, match="threads is .*; it must be a whole number"):
            act()
