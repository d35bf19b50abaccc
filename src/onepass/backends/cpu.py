"""What the CPU of this machine can do, and how many threads a run gets. It loads no runtime."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Mapping
from math import ceil
from pathlib import Path

# Names in /proc/cpuinfo of what makes matrix products quick: x86, then ARM.
FEATURES = (
    "avx2", "fma", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16",
    "amx_tile", "amx_int8", "amx_bf16",
    "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip
# Products of int8 that add up without an overflow, in one instruction.
_INT8 = frozenset(("avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"))
# Products of bytes that add up in pairs of 16 bits, where those with signed ones overflow.
_UNSIGNED = frozenset(("avx2",))
_CPUS = Path("/sys/devices/system/cpu")
_CGROUP = Path("/sys/fs/cgroup")


def cpu(info: Path = Path("/proc/cpuinfo")) -> tuple[str, tuple[str, ...] | None]:
    """Return the name of the CPU and which of its features matter here.

    Args:
        info: where Linux describes it.

    Returns:
        The features are None where the system does not tell.
    """
    if not info.is_file():
        return platform.processor() or platform.machine(), None
    fields = _first_fields(info.read_text(encoding="utf-8", errors="replace"))
    flags = set(fields.get("flags", fields.get("Features", "")).split())
    name = fields.get("model name") or platform.machine()  # processor() starts a process
    return name, tuple(feature for feature in FEATURES if feature in flags)


def has_int8_products(features: Collection[str] | None) -> bool:
    """Say whether a CPU multiplies int8 without a loss; if it is not known, it does not.

    >>> has_int8_products(["avx2", "avx512_vnni"]), has_int8_products(["avx2"])
    (True, False)
    """
    return features is not None and not _INT8.isdisjoint(features)


def has_unsigned_products(features: Collection[str] | None) -> bool:
    """Say whether a CPU multiplies unsigned bytes without a loss; if it is not known, it does not.

    >>> has_unsigned_products(["avx2"]), has_unsigned_products(["asimddp"])
    (True, False)
    """
    return features is not None and not _UNSIGNED.isdisjoint(features)


def available_cores(cpus: Path = _CPUS, cgroup: Path = _CGROUP) -> int:
    """Return how many physical cores this process may use.

    Two hardware threads of a core share its multipliers, so they count once. A quota of a container
    counts as well: 64 threads on two cores' worth of time wait for each other most of it.

    Args:
        cpus: where Linux says which hardware threads share a core.
        cgroup: where Linux says what this process group may use.

    >>> available_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        allowed = os.sched_getaffinity(0)
    else:
        allowed = set(range(os.cpu_count() or 1))
    own = {number: _read(cpus / f"cpu{number}/topology/core_cpus_list") for number in allowed}
    cores = len({core or str(number) for number, core in own.items()})
    quota = _quota(cgroup)
    return cores if quota is None else max(1, min(cores, ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """Return how many cores' worth of time there is; None where there is no limit."""
    second = _read(cgroup / "cpu.max").split()  # "200000 100000", or "max 100000"
    if len(second) == 2 and second[0].isdigit():
        return int(second[0]) / int(second[1])
    time, period = (_read(cgroup / f"cpu/cpu.cfs_{name}_us") for name in ("quota", "period"))
    if time.isdigit() and period.isdigit():  # a quota of -1 is none
        return int(time) / int(period)
    return None


def _read(path: Path) -> str:
    """Return what a small file of the system says, nothing if it is not there."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _first_fields(text: str) -> Mapping[str, str]:
    """Return the fields of the first processor."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return fields
