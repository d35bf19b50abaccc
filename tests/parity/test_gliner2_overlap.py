"""What docs/gliner2.md says of gliner2's overlap policies, on a random checkpoint of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

gliner2 = pytest.importorskip("gliner2")

from onepass import Extractor, Schema  # noqa: E402
from onepass.decoding.candidates import Candidates  # noqa: E402
from onepass.decoding.overlap import select  # noqa: E402
from tests.parity.reference import make_reference  # noqa: E402

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gliner2.md"
LABELS = ["person", "company", "product", "price"]
TEXTS = [
    "Tim Cook runs Apple in Cupertino . The iPhone costs 999 dollars and is great !",
    "Apple sells the small red galaxy .",
]
THRESHOLD = 0.02
Spans = set[tuple[str, int, int]]


class Both:
    """One checkpoint in both libraries."""

    def __init__(self, directory: Path, *, scale: float = 1.0) -> None:
        self.reference = make_reference(directory, seed=1)
        with torch.no_grad():
            for part in self.reference.span_rep.span_rep_layer.out_project[3].parameters():
                part.mul_(scale)
        self.reference.save_pretrained(str(directory))
        self.model = Extractor.from_pretrained(str(directory))

    def theirs(self, text: str, labels: Sequence[str], policy: str | None) -> Spans:
        found = self.reference.extract_entities(
            text, list(labels), threshold=THRESHOLD, include_spans=True, include_confidence=True,
            overlap_policy=policy,
        )["entities"]  # fmt: skip
        return {(label, one["start"], one["end"]) for label in found for one in found[label]}

    def ours(self, text: str, labels: Sequence[str], overlap: str) -> Spans:
        schema = Schema().entities(list(labels))
        doc = self.model.extract(text, schema, threshold=THRESHOLD, overlap=overlap)
        return {(one.label, one.start, one.end) for one in doc.entities}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return Both(tmp_path_factory.mktemp("gliner2") / "model")


@pytest.mark.parametrize(
    ("policy", "overlap"), [(None, "label"), ("allow", "all"), ("all", "all"), ("none", "all")]
)
def test_policies_that_are_the_same(both: Both, policy: str | None, overlap: str) -> None:
    for text in TEXTS:
        theirs = both.theirs(text, LABELS, policy)
        assert theirs == both.ours(text, LABELS, overlap)
        assert len(theirs) > len(both.ours(text, LABELS, "flat"))
    for name in (policy, overlap):
        assert name is None or f'`"{name}"`' in PAGE.read_text(encoding="utf-8")


def test_nested_is_the_same_for_one_label(both: Both) -> None:
    apart = False
    for text in TEXTS:
        for label in LABELS:
            theirs = both.theirs(text, [label], "nested")
            assert theirs == both.ours(text, [label], "nested")
        apart |= both.theirs(text, LABELS, "nested") != both.ours(text, LABELS, "nested")
    assert apart


@pytest.mark.parametrize("policy", ["flat", "longest"])
def test_policies_without_a_counterpart(both: Both, policy: str) -> None:
    theirs = both.theirs(TEXTS[0], LABELS, policy)
    for overlap in ("flat", "label", "nested", "all"):
        assert theirs != both.ours(TEXTS[0], LABELS, overlap)
    every = both.theirs(TEXTS[0], LABELS, "all")
    longest = {
        (label, start, end)
        for label, start, end in every
        if not any(
            own == label and (first, last) != (start, end) and first <= start and end <= last
            for own, first, last in every
        )
    }
    assert (theirs == longest) == (policy == "longest")


def test_a_task_with_several_labels_may_have_no_answer(both: Both) -> None:
    labels = ["sports", "news"]
    schema = both.reference.create_schema().classification(
        "topic", labels, multi_label=True, cls_threshold=1.0
    )
    assert len(both.reference.extract(TEXTS[0], schema)["topic"]) == 1
    ours = Schema().classification("topic", labels, multi_label=True, threshold=1.0)
    assert both.model.extract(TEXTS[0], ours).classifications["topic"].labels == ()


def test_of_equal_scores_the_longer_span_is_kept(tmp_path: Path) -> None:
    """gliner2 keeps the one that begins earlier, and of those the shorter."""
    both = Both(tmp_path / "model", scale=1e4)  # scores are 1 or 0
    spans = sorted(both.theirs(TEXTS[1], LABELS, "allow"))
    assert set(spans) == both.ours(TEXTS[1], LABELS, "all")
    found = Candidates(
        np.array([start for _, start, _ in spans]), np.array([end for *_, end in spans]),
        np.ones(len(spans)), np.array([LABELS.index(label) for label, *_ in spans]),
    )  # fmt: skip
    first, longest = (
        {spans[row] for row in select(found, policy="label", ties=ties)}
        for ties in ("first", "longest")
    )
    assert first != longest
    assert both.theirs(TEXTS[1], LABELS, None) == first
    assert both.ours(TEXTS[1], LABELS, "label") == longest
    assert "Of overlapping spans with equal scores" in PAGE.read_text(encoding="utf-8")
