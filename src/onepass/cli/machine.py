"""What a machine and an installation are: CPU, cores, versions. It loads none of the packages."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from onepass import __version__

_PACKAGES = ("numpy", "onnxruntime", "tokenizers", "openvino", "torch")
NOT_INSTALLED = "not installed"


def versions() -> dict[str, str]:
    """Return the versions of Python, onepass and what it runs on.

    >>> list(versions())
    ['python', 'onepass', 'numpy', 'onnxruntime', 'tokenizers', 'openvino', 'torch']
    """
    return {
        "python": platform.python_version(),
        "onepass": __version__,
        **{package: _version(package) for package in _PACKAGES},
    }


def cores() -> int:
    """Return how many cores the machine has; the process may be allowed fewer."""
    return os.cpu_count() or 1


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED
