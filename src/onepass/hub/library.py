"""huggingface_hub, told to send no telemetry: every import of it goes through here.

Else each request names the versions of Python and torch, and large downloads are reported on.
Whoever wants that sets ``HF_HUB_DISABLE_TELEMETRY=0``.
"""

import os

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when it is imported

import huggingface_hub
from huggingface_hub import constants, errors  # the rest loads a client of HTTP

__all__ = ["constants", "errors", "huggingface_hub"]
