"""What a machine and an installation are: CPU, cores, versions. It loads none of the packages."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from onepass import __version__

_PACKAGES = ("numpy", "onnxruntime", "tokenizers", "torch")
NOT_INSTALLED = "not installed"

# Names in /proc/cpuinfo of what makes matrix products quick: x86, then ARM.
_FEATURES = (
    "avx2", "fma", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16",
    "amx_tile", "amx_int8", "amx_bf16",
    "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of Python, onepass and what it runs on.

    >>> list(versions())
    ['python', 'onepass', 'numpy', 'onnxruntime', 'tokenizers', 'torch']
    """
    return {
        "python": platform.python_version(),
        "onepass": __version__,
        **{package: _version(package) for package in _PACKAGES},
    }


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
    name = fields.get("model name", platform.processor() or platform.machine())
    return name, tuple(feature for feature in _FEATURES if feature in flags)


def cores() -> int:
    """Return how many cores the machine has; the process may be allowed fewer."""
    return os.cpu_count() or 1


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED


def _first_fields(text: str) -> Mapping[str, str]:
    """Return the fields of the first processor."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return fields
