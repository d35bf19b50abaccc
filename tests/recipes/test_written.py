"""Our own examples are expanded to a form that onepass reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

from written import main

from onepass.corpus.example import GoldRelation, Mention
from onepass.corpus.formats import read_any


def test_expanded_files_are_read(tmp_path: Path):
    row = {
        "t": "Bo runs Acme.",
        "e": {"person": ["Bo"]},
        "n": ["city"],
        "r": [["Bo", "runs", "Acme"]],
        "rn": ["left"],
    }
    absent = {"t": "Bo did not leave.", "rn": ["left"]}
    (tmp_path / "some.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(absent)}\n")
    main(tmp_path, tmp_path / "expanded")
    first, second = read_any(tmp_path / "expanded")
    assert (first.entities, first.asked) == ((Mention(0, 2, "person"),), ("person", "city"))
    assert first.relations == (GoldRelation("runs", (0, 2), (8, 12)),)
    assert (first.asked_relations, second.asked_relations) == (("runs", "left"), ("left",))
