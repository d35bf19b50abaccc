"""What holds for every test: no hub, no telemetry, one thread, the same hypothesis settings."""

import atexit
import os
import sys
import tempfile

from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read by huggingface_hub when it is imported
# Tests and the reference libraries import these packages, too.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the test processes share two cores
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("ONEPASS_BACKEND", "onnx")  # "auto" must not depend on what is quicker today

if "ONEPASS_CACHE" not in os.environ:  # the cache of whoever runs the tests stays as it is
    cache = tempfile.TemporaryDirectory(prefix="onepass-tests-")
    atexit.register(cache.cleanup)
    os.environ["ONEPASS_CACHE"] = cache.name  # worker processes share it

settings.register_profile("local", deadline=None, max_examples=100)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
