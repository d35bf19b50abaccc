"""What the system says of a CPU: features, and cores that a process may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onepass.backends.cpu import available_cores, has_int8_products


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four hardware threads, whatever there is here."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)


def topology(root: Path, *shared: str) -> Path:
    for number, cores in enumerate(shared):
        directory = root / f"cpu{number}" / "topology"
        directory.mkdir(parents=True)
        (directory / "core_cpus_list").write_text(f"{cores}\n")
    return root


@pytest.mark.usefixtures("allowed")
def test_two_threads_of_a_core_count_once(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    assert available_cores(topology(tmp_path / "a", "0,2", "1,3", "0,2", "1,3"), nothing) == 2
    assert available_cores(topology(tmp_path / "b", "0", "1", "2", "3"), nothing) == 4
    assert available_cores(nothing, nothing) == 4  # nothing is known


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),  # a part of a core is used, too
        ({"cpu.max": "1000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, 4),
        ({"cpu.max": "6400000 100000\n"}, 4),
        ({"cpu.max": "nonsense"}, 4),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({}, 4),
    ],
)
def test_the_quota_of_a_container(tmp_path: Path, files: dict[str, str], cores: int) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert available_cores(tmp_path / "nothing", tmp_path) == cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux pins processes to cores")
def test_cores_are_those_of_this_process() -> None:
    cores = os.sched_getaffinity(0)
    assert 1 <= available_cores() <= len(cores)
    try:
        os.sched_setaffinity(0, {min(cores)})
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, cores)


def test_int8_products() -> None:
    assert has_int8_products(("asimddp",))
    assert not has_int8_products(("avx2", "fma", "avx512f"))
    assert not has_int8_products(None)
