"""Checkpoints of our own, opened where a test asks for them: an export to ONNX takes seconds."""

from __future__ import annotations

from pathlib import Path

from onepass import Extractor


class Models(dict[str, Extractor]):
    """A checkpoint by the name of a backend, opened when it is asked for first.

    Args:
        directory: of the checkpoint.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def __missing__(self, backend: str) -> Extractor:
        model = self[backend] = Extractor.from_pretrained(self._directory, backend=backend)
        return model
