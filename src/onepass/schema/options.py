"""The options of a call, as types: named once for all who take them.

What they do is said in `onepass.Extractor.extract`. It knows nothing of schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Threshold = float | Mapping[str, float] | None  # for everything, or by kind or name
Overlap = Literal["all", "nested", "label", "flat"]
OnLong = Literal["window", "error", "truncate"]
Solver = Literal["greedy", "exact"]
