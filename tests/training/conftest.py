import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import make_tiny_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """A tiny random BERT checkpoint; tests do not write into it."""
    return make_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write rows as JSONL and return the path."""

    def write_rows(name: str, *rows: dict[str, Any]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write_rows
