"""What nearly was found: beyond what is found, which stays as it is without an explanation."""

from __future__ import annotations

from onepass import Extractor
from onepass.results.types import Relation
from tests.contract.checkpoints import everything

TEXT = "Tim Cook runs Apple in Paris and Rome; the price of 9 red things is not bad."
FLOOR = 0.3


def test_what_is_missed_lies_beyond_what_is_found(reader: Extractor) -> None:
    schema = everything(reader)
    told = reader.explain(TEXT, schema, floor=FLOOR, threshold=0.6)
    assert told.extraction.to_dict() == reader.extract(TEXT, schema, threshold=0.6).to_dict()
    kept = {(one.label, one.start, one.end) for one in told.extraction.entities}
    scores = [one.found.score for one in told.missed]
    assert scores
    assert scores == sorted(scores, reverse=True)
    assert all(score >= FLOOR for score in scores)
    for one in told.missed:
        found = one.found
        if isinstance(found, Relation):
            assert found not in told.extraction.relations
        elif found.start is not None:
            assert TEXT[found.start : found.end] == found.text
            assert (one.name, found.start, found.end) not in kept
        assert (one.reason == "score") == (found.score < one.threshold)


def test_all_that_is_found_at_a_lower_threshold_is_kept_missed_or_a_part(
    reader: Extractor,
) -> None:
    schema = {"entities": ["person", "place", "company"]}
    told = reader.explain(TEXT, schema, floor=FLOOR, threshold=0.6)
    missed = {(one.name, one.found.start, one.found.end) for one in told.missed}  # type: ignore[union-attr]
    kept = told.extraction.entities
    for found in reader.extract(TEXT, schema, threshold=FLOOR, overlap="all").entities:
        part = any(
            one.label == found.label and one.start < found.end and found.start < one.end
            for one in kept
        )
        assert part or (found.label, found.start, found.end) in missed
