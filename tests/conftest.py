"""What holds for every test: no hub, no telemetry, one thread, the same hypothesis settings.

And how files are shared out among processes (`--dist loadfile`).
"""

import atexit
import gc
import os
import sys
import tempfile
from collections.abc import Generator

import pytest
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

# Whose files share checkpoints that take long to make: one process makes them, not each.
TOGETHER = ("tests/contract/", "tests/models/gliner/")
# What takes longest begins first: last, it would keep one process while the others are done.
LONGEST = (
    *TOGETHER, "tests/training/test_gliner_learns.py", "tests/training/test_gliclass_learns.py",
    "tests/training/rl/test_learning.py", "tests/training/test_processes.py",
    "tests/parity/", "tests/benchmarks/", "tests/static/", "tests/nn/backbones/test_fused.py",
)  # fmt: skip


def turn(nodeid: str) -> int:
    """Return when the file of a test is begun; those of one number keep their order."""
    turns = (number for number, place in enumerate(LONGEST) if nodeid.startswith(place))
    return next(turns, len(LONGEST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Do not look for garbage meanwhile: a fifth of the time goes into that."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()  # tests and modules stay
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give each process whole files, and one of them all files of `TOGETHER` in one folder."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((folder for folder in TOGETHER if file.startswith(folder)), file)

    config.option.loadscopereorder = False  # which would begin with the files of most tests
    return Scheduling(config, log)
