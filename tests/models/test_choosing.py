"""The rules behind "auto", and what cannot be had together."""

from __future__ import annotations

from typing import Any

import pytest

from onepass.errors import BackendError, MissingExtra
from onepass.models.choosing import (
    BACKENDS,
    EITHER,
    PRECISIONS,
    VARIABLE,
    Precision,
    Wanted,
    choose_backend,
    choose_precision,
)


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def chosen(*installed: str, exportable: bool = True, **wanted: Any) -> str:
    return choose_backend(
        Wanted(**wanted), "mine", exportable=exportable, installed=lambda name: name in installed
    )


@pytest.mark.parametrize(
    ("wanted", "installed", "backend"),
    [
        ({}, (), "onnx"),
        ({}, ("torch",), "onnx"),  # a package that is there for training changes nothing
        ({}, ("openvino",), EITHER),
        ({"precision": "int8"}, ("openvino",), EITHER),
        ({"precision": "bf16"}, ("openvino", "torch"), "openvino"),
        ({"precision": "bf16"}, ("torch",), "torch"),
        ({"precision": "fp16"}, (), "torch"),
        ({"device": "cuda"}, ("openvino",), "torch"),
        ({"device": "cpu"}, ("torch",), "onnx"),
        *(({"backend": name}, ("openvino",), name) for name in BACKENDS if name != "auto"),
    ],
)
def test_backends(wanted: dict[str, Any], installed: tuple[str, ...], backend: str) -> None:
    assert chosen(*installed, **wanted) == backend


def test_bf16_needs_something_that_runs_it() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'onepass\[openvino\]'"):
        chosen(precision="bf16")


def test_the_environment_says_what_auto_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "openvino")
    assert chosen() == "openvino"  # opening it says what is missing
    assert chosen(backend="onnx") == "onnx"
    assert chosen(precision="fp16") == "torch"
    monkeypatch.setenv(VARIABLE, "onnx")
    assert chosen("openvino") == "onnx"
    assert chosen("openvino", precision="bf16") == "openvino"  # that one does not run it
    monkeypatch.setenv(VARIABLE, "jax")
    with pytest.raises(BackendError, match="ONEPASS_BACKEND is 'jax', which is not known"):
        chosen()


def test_what_cannot_be_exported_runs_in_torch() -> None:
    assert chosen("openvino", exportable=False) == "torch"
    assert chosen(exportable=False, backend="torch", device="cuda") == "torch"
    for wanted in ({"backend": "onnx"}, {"backend": "openvino"}, {"precision": "bf16"}):
        with pytest.raises(BackendError, match="open it with backend='torch'"):
            chosen(exportable=False, **wanted)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"backend": "jax"}, "backend 'jax' is not known; auto, onnx, openvino, torch are."),
        ({"precision": "fp8"}, "precision 'fp8' is not known; auto, fp32, bf16, fp16, int8 are."),
        ({"device": "tpu"}, "device 'tpu' is not known; auto, cpu, cuda are."),
        ({"threads": 0}, "threads must be a whole number from 1 up, but 0 was given."),
        ({"threads": 1.5}, "threads must be a whole number from 1 up"),
        ({"threads": True}, "threads must be a whole number from 1 up"),
        ({"threads": 100_000}, "threads must be at most"),
        ({"threads": 10**40}, "threads must be at most"),
        (
            {"backend": "torch", "precision": "int8"},
            "backend 'torch' runs fp32, bf16 or fp16, not int8; for that ask for "
            "backend='onnx' or 'openvino'.",
        ),
        (
            {"backend": "onnx", "precision": "bf16"},
            "backend 'onnx' runs fp32 or int8, not bf16; for that ask for "
            "backend='openvino' or 'torch'.",
        ),
        ({"backend": "openvino", "precision": "fp16"}, "for that ask for backend='torch'."),
        ({"backend": "onnx", "device": "cuda"}, "for device='cuda' ask for backend='torch'."),
        ({"compiled": True}, "Only torch compiles what it runs; ask for backend='torch'."),
    ],
)
def test_what_cannot_be_had(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(BackendError) as caught:
        Wanted(**wanted)
    assert said in str(caught.value)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_precision_by_name(precision: Precision) -> None:
    there = {"fp32": True, "int8": True, "checked": True, "products": True}
    expected = "fp32" if precision in ("fp32", "bf16", "fp16") else "int8"
    assert choose_precision(precision, **there) == expected


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("fp32", "fp32"),
        ("fp32 int8", "fp32"),
        ("fp32 int8 checked", "fp32"),
        ("fp32 int8 products", "fp32"),
        ("fp32 int8 checked products", "int8"),
        ("int8", "int8"),
    ],
)
def test_precision_of_auto(there: str, expected: str) -> None:
    names = ("fp32", "int8", "checked", "products")
    facts = {name: name in there.split() for name in names}
    assert choose_precision("auto", **facts) == expected


@pytest.mark.parametrize(("cores", "most"), [(1, 8), (2, 8), (16, 64)])
def test_threads_are_bounded_by_the_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, most: int
) -> None:
    monkeypatch.setattr("onepass.models.choosing.available_cores", lambda: cores)
    assert Wanted(threads=most).threads == most
    with pytest.raises(BackendError, match=f"at most {most} on this machine, but {most + 1} was"):
        Wanted(threads=most + 1)
