"""OpenVINO, kept from reporting: every import of it goes through here.

When it is imported, it makes an id of its user, keeps that in the home directory, and tells Google
Analytics of the import. It has no switch but a file in the home directory; where its package
``openvino_telemetry`` is not installed, it does neither. Whoever wants that imports it before this.
"""

import sys
from typing import Any

if "openvino" not in sys.modules:
    _modules: dict[str, Any] = sys.modules
    _modules["openvino_telemetry"] = None  # as if it were not installed, in this process

import openvino

__all__ = ["openvino"]
