"""Types of arrays say how wide their numbers are, and say it once."""

from __future__ import annotations

from pathlib import Path

import onepass
from onepass import arrays


def test_no_other_module_makes_a_type_of_an_array() -> None:
    modules = Path(onepass.__file__).parent.rglob("*.py")
    assert [str(one) for one in modules if "NDArray" in one.read_text(encoding="utf-8")] == [
        arrays.__file__
    ]
