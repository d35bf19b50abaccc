"""ONNX Runtime, told to send and keep nothing: every import of it goes through here.

From 1.29 on its official builds report to Microsoft how they are used, unless the environment says
otherwise before they are loaded. Whoever wants that sets ``ORT_DISABLE_TELEMETRY=0``; a program
that loads it before onepass decides by itself.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # processes that this one starts see it, too

import onnxruntime

__all__ = ["onnxruntime"]
