"""What docs/gliner.md says of `flat_ner` and `multi_label`, on a random checkpoint of gliner."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("gliner")

from onepass import Extractor, Schema
from tests.gliner_checkpoints import KINDS, make_reference

LABELS = ["person", "company", "city"]
TEXT = "Tim Cook runs Apple in Cupertino . The iphone costs 999 dollars and Galaxy is great!"
Spans = set[tuple[str, int, int]]


def crossing(spans: Spans, *, labels_apart: bool) -> int:
    """Return how many pairs of spans share a character and are not the same span."""
    return sum(
        one[1:] < other[1:] and other[1] < one[2] and (one[0] == other[0] or not labels_apart)
        for one in spans
        for other in spans
    )


def test_what_two_options_become(tmp_path: Path) -> None:
    reference = make_reference(tmp_path / "model", **KINDS["span"])
    model = Extractor.from_pretrained(str(tmp_path / "model"))

    def theirs(*, flat: bool, several: bool) -> Spans:
        found = reference.inference(
            [TEXT], LABELS, threshold=0.3, batch_size=1, flat_ner=flat, multi_label=several
        )[0]
        return {(one["label"], one["start"], one["end"]) for one in found}

    def ours(overlap: str) -> Spans:
        doc = model.extract(TEXT, Schema().entities(LABELS), threshold=0.3, overlap=overlap)
        return {(one.label, one.start, one.end) for one in doc.entities}

    assert theirs(flat=True, several=False) == ours("flat")
    nested = theirs(flat=False, several=True)
    assert nested == ours("nested")
    once = theirs(flat=False, several=False)
    places = [span[1:] for span in once]
    assert len(places) == len({*places}) < len(nested)  # one label a span, unlike "nested"
    assert {span[1:] for span in nested} == {*places}
    kept = theirs(flat=True, several=True)
    assert not crossing(kept, labels_apart=False)
    assert not crossing(ours("label"), labels_apart=True)
    assert crossing(ours("label"), labels_apart=False)  # unlike those of gliner
