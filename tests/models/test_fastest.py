"""The faster backend is found out once, remembered, and never at the price of other answers."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from onepass.arrays import Array
from onepass.backends.base import Backend
from onepass.backends.onnx import OnnxBackend
from onepass.builtin import builtin_checkpoint
from onepass.errors import BackendError
from onepass.models import fastest
from onepass.models.family import Model
from onepass.models.fastest import measure, open_fastest, remembered_choices
from onepass.models.registry import read_model

DIRECTORY = builtin_checkpoint().directory / "onnx" / "int8"


class Other:
    """ONNX Runtime under another name: slower, or with other answers, or none."""

    name = "openvino"
    precision = "int8"

    def __init__(self, inner: Backend, *, delay: float = 0.0, factor: float = 1.0) -> None:
        self._inner = inner
        self._delay, self._factor = delay, factor

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        time.sleep(self._delay)
        return tuple(array * self._factor for array in self._inner.run(graph, inputs))


@pytest.fixture(scope="module")
def model() -> Model:
    return read_model(builtin_checkpoint())


@pytest.fixture(scope="module")
def inner(model: Model) -> Backend:
    return OnnxBackend(DIRECTORY, model.family.graphs(model.settings), precision="int8", threads=1)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fastest, "SECONDS", 0.0)
    monkeypatch.setattr(fastest, "_CASES", ((8,), (16, 8)))


def broken() -> Backend:
    raise BackendError("encode.onnx cannot be run.")


class Openers(dict[str, Callable[[], Backend]]):
    """What opens each backend, and which of them were opened."""

    def __init__(self, onnx: Backend, openvino: Callable[[], Backend]) -> None:
        self.used: list[str] = []
        super().__init__(onnx=self._noted("onnx", lambda: onnx))
        self["openvino"] = self._noted("openvino", openvino)

    def _noted(self, name: str, opened: Callable[[], Backend]) -> Callable[[], Backend]:
        def run() -> Backend:
            self.used.append(name)
            return opened()

        return run


def test_the_faster_one_is_remembered(model: Model, inner: Backend) -> None:
    openers = Openers(Other(inner, delay=0.02), lambda: inner)  # "onnx" is the slow one
    assert open_fastest(model, DIRECTORY, 1, openers) is inner
    assert openers.used == ["onnx", "openvino"]
    assert open_fastest(model, DIRECTORY, 1, openers) is inner
    assert openers.used[2:] == ["openvino"]  # nothing is measured again
    (measured,) = remembered_choices()
    assert (measured.checkpoint, measured.precision, measured.threads) == ("builtin", "int8", 1)
    assert measured.backend == "openvino"
    assert measured.reason.startswith("OpenVINO is ")
    assert all(own > other for own, other in zip(*measured.seconds.values(), strict=True))


def test_onnx_runtime_stays_where_the_other_is_not_faster(model: Model, inner: Backend) -> None:
    openers = Openers(inner, lambda: Other(inner, delay=0.01))
    assert open_fastest(model, DIRECTORY, 1, openers) is inner
    open_fastest(model, DIRECTORY, 1, openers)
    open_fastest(model, DIRECTORY, 2, openers)  # another question
    assert openers.used == ["onnx", "openvino", "onnx", "onnx", "openvino"]
    assert [one.threads for one in remembered_choices()] == [1, 2]


def test_other_answers_do_not_win(model: Model, inner: Backend) -> None:
    openers = Openers(Other(inner, delay=0.02), lambda: Other(inner, factor=0.3))
    assert open_fastest(model, DIRECTORY, 1, openers).name == "openvino"  # the slow "onnx"
    (measured,) = remembered_choices()
    assert measured.backend == "onnx"
    assert measured.reason.startswith("scores of OpenVINO differ by 0.")


@pytest.mark.parametrize(
    ("precision", "difference", "wins"),
    [("fp32", 0.0009, True), ("fp32", 0.0011, False), ("int8", 0.09, True), ("int8", 0.11, False)],
)
def test_how_much_answers_may_differ(
    model: Model,
    inner: Backend,
    monkeypatch: pytest.MonkeyPatch,
    precision: str,
    difference: float,
    wins: bool,
) -> None:
    monkeypatch.setattr(fastest, "_difference", lambda *answers: difference)
    slow = Other(inner, delay=0.02)
    measured, backend = measure(model, precision, 1, Openers(slow, lambda: inner))
    assert measured.backend == ("openvino" if wins else "onnx")
    assert backend is (inner if wins else slow)
    assert wins or measured.reason == f"scores of OpenVINO differ by {difference:.4f}"


def test_a_runtime_that_fails_does_not_win(model: Model, inner: Backend) -> None:
    openers = Openers(inner, broken)
    assert open_fastest(model, DIRECTORY, 1, openers) is inner
    (measured,) = remembered_choices()
    assert measured.reason == "OpenVINO cannot run it: encode.onnx cannot be run."
    assert open_fastest(model, DIRECTORY, 1, openers) is inner
    assert openers.used == ["onnx", "openvino", "onnx"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"backend": "onnx"}', None])
def test_a_record_that_is_not_understood(
    model: Model, inner: Backend, content: str | None, tmp_path: Path
) -> None:
    openers = Openers(inner, broken)
    open_fastest(model, DIRECTORY, 1, openers)
    (path,) = (tmp_path / "cache" / "fastest").glob("*.json")
    good = path.read_text()
    path.write_text(good.replace('"onnx"', '"jax"') if content is None else content)
    assert remembered_choices() == []
    open_fastest(model, DIRECTORY, 1, openers)
    assert openers.used == ["onnx", "openvino"] * 2
    assert len(remembered_choices()) == 1


def test_results_of_other_versions_are_not_shown(
    model: Model, inner: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    openers = Openers(inner, broken)
    open_fastest(model, DIRECTORY, 1, openers)
    monkeypatch.setattr(fastest, "_versions", lambda: {"onnxruntime": "9.9"})
    assert remembered_choices() == []
    open_fastest(model, DIRECTORY, 1, openers)
    assert openers.used == ["onnx", "openvino"] * 2


def test_nothing_is_measured_where_nothing_can_be_kept(
    model: Model, inner: Backend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    openers = Openers(inner, broken)
    (tmp_path / "file").touch()
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "file" / "cache"))  # for root, too
    assert open_fastest(model, DIRECTORY, 1, openers) is inner
    for name in ("ONEPASS_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    assert open_fastest(model, DIRECTORY, 1, openers) is inner
    assert openers.used == ["onnx", "onnx"]


def test_onnx_runtime_is_taken_where_the_result_cannot_be_kept(
    model: Model, inner: Backend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    slow = Other(inner, delay=0.02)
    assert open_fastest(model, DIRECTORY, 1, Openers(slow, lambda: inner)) is slow
    assert [path.name for path in (tmp_path / "cache" / "fastest").iterdir()] == [".lock"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_home(model: Model, inner: Backend, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    openers = Openers(inner, lambda: inner)
    open_fastest(model, DIRECTORY, 1, openers)
    assert openers.used == ["onnx"]


def test_both_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    from onepass import Extractor

    monkeypatch.setenv("ONEPASS_BACKEND", "auto")
    found: list[Any] = []
    for _ in range(2):
        model = Extractor(threads=1)
        assert (
            model.classify("The team won the cup.", ["sports", "law"]).labels[0].label == "sports"
        )
        found.append(model.backend)
    (measured,) = remembered_choices()
    assert found == [measured.backend] * 2
    assert set(measured.seconds) == {"onnx", "openvino"}
