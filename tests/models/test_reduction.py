"""Exports in int8: what they are rounded for, and what is said of their loss."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tiny import make_tiny_checkpoint

from onepass.errors import BackendError
from onepass.hub import Checkpoint, locate
from onepass.hub.exports import is_checked
from onepass.hub.files import read_json
from onepass.models.export import export_checkpoint
from onepass.models.reader import Reader
from onepass.models.reduction import Reduction


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return locate(make_tiny_checkpoint(tmp_path_factory.mktemp("tiny")))


def score(reader: Reader) -> float:
    asked = reader.ask({"classifications": {"tone": ["calm", "angry"]}})
    return reader.read(["tim works for apple"], asked)[0].classifications["tone"].scores["calm"]


def test_the_check_compares_both_and_is_noted(checkpoint: Checkpoint, tmp_path: Path) -> None:
    compared: list[float] = []

    def check(exact: Reader, reduced: Reader) -> dict[str, float]:
        compared.extend((score(exact), score(reduced)))
        return {"loss": 0.1}

    read: list[float] = []
    how = Reduction(sample=lambda reader: read.append(score(reader)), check=check)
    directory = export_checkpoint(checkpoint, tmp_path, precision="int8", reduction=how)
    assert read == compared[:1]
    assert 0 < abs(compared[0] - compared[1]) < 0.05
    manifest = read_json(directory / "graphs.json")
    assert (manifest["precision"], manifest["arithmetic"]) == ("int8", "int8")
    assert manifest["checked"] == {"loss": 0.1}
    assert is_checked(directory)


def test_weights_alone_are_not_chosen_for_speed(checkpoint: Checkpoint, tmp_path: Path) -> None:
    how = Reduction(products=False, check=lambda exact, reduced: {"loss": 0.0})
    directory = export_checkpoint(checkpoint, tmp_path, precision="int8", reduction=how)
    assert read_json(directory / "graphs.json")["arithmetic"] == "fp32"
    assert not list(directory.glob("*.products.onnx"))
    assert not is_checked(directory)


def test_what_is_refused_leaves_nothing_behind(checkpoint: Checkpoint, tmp_path: Path) -> None:
    def check(exact: Reader, reduced: Reader) -> dict[str, float]:
        raise BackendError("It loses too much.")

    with pytest.raises(BackendError, match="too much"):
        export_checkpoint(checkpoint, tmp_path, precision="int8", reduction=Reduction(check=check))
    assert not list(tmp_path.rglob("*"))


def test_an_unchecked_export_says_so(checkpoint: Checkpoint, tmp_path: Path) -> None:
    directory = export_checkpoint(checkpoint, tmp_path, precision="int8")
    assert "checked" not in read_json(directory / "graphs.json")
    assert not is_checked(directory)
