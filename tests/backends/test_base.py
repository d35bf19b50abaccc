"""What is said of runtimes that fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from onepass.backends.base import cannot_run


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("Load model failed:std::bad_alloc"), "std::bad_alloc"),
        (RuntimeError("Exception during initialization: bad allocation"), "bad allocation"),
        (RuntimeError("pthread_create failed: Cannot allocate memory\n"), "Cannot allocate memory"),
        (RuntimeError("Failed to allocate memory for 9 bytes"), "Failed to allocate memory"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_a_graph_that_memory_does_not_suffice_for(error: Exception, reason: str) -> None:
    told = str(cannot_run(Path("a.onnx"), error))
    assert told.startswith(f"a.onnx needs more memory than there is ({reason}); free some, or use")
    assert "export" not in told
