"""Streaming checkpoints of gliner: texts are read as in its sessions that recompute."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

pytest.importorskip("gliner")

from onepass import Schema
from onepass.results.types import Extraction
from tests.gliner_checkpoints import STREAMING, make_reference
from tests.parity.opened import Models
from tests.parity.test_gliner import LABELS, TEXTS, TOLERANCE

Found = dict[tuple[str, int, int], float]
Case = tuple[Any, Models]
SLIDING = ("streaming-window", "streaming-gemma3")  # whose decoders see a few pieces back


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """Make a kind of checkpoint once: the reference's model, and ours."""
    root = tmp_path_factory.mktemp("streaming")

    @cache
    def make(name: str) -> Case:
        reference = make_reference(root / name, **STREAMING[name]).eval()
        return reference, Models(root / name)

    return make


def ours(doc: Extraction) -> Found:
    return {(e.label, e.start, e.end): e.score for e in doc.entities}


def theirs(entities: list[dict[str, Any]]) -> Found:
    return {(e["label"], e["start"], e["end"]): e["score"] for e in entities}


def assert_same(got: Found, expected: Found) -> None:
    assert got.keys() == expected.keys()
    for key, score in expected.items():
        assert got[key] == pytest.approx(score, abs=TOLERANCE)


@pytest.mark.parametrize("name", [name for name in STREAMING if name not in SLIDING])
def test_a_session_is_one_that_recomputes_and_ends_where_a_whole_text_does(
    name: str, opened: Callable[[str], Case]
) -> None:
    reference, models = opened(name)
    schema = Schema().entities(LABELS)
    for number, text in enumerate(TEXTS[:2]):
        middle = text.index(" ", len(text) // 2) + 1
        session = models["torch"].session(schema, threshold=0.4)
        for part in (text[:middle], text[middle:]):
            (found,) = reference.inference(
                [part], LABELS, session_id=[f"{name}-{number}"], recompute=True, threshold=0.4
            )
            expected = theirs(found)
            assert_same(ours(session.add(part)), expected)
        assert_same(ours(models["torch"].extract(text, schema, threshold=0.4)), expected)
        assert expected


@pytest.mark.parametrize("name", SLIDING)
def test_sessions_of_the_reference_outgrow_a_sliding_window(
    name: str, opened: Callable[[str], Case]
) -> None:
    """Its cache ends with the window of the decoder; whole texts are read by both."""
    reference, models = opened(name)
    with pytest.raises(ValueError, match="exceeds the available cache"):
        reference.inference(TEXTS[:1], LABELS, session_id=["long"], recompute=True)
    (found,) = reference.inference(TEXTS[:1], LABELS, threshold=0.4)
    doc = models["torch"].extract(TEXTS[0], Schema().entities(LABELS), threshold=0.4)
    assert_same(ours(doc), theirs(found))
    assert found


def test_labels_with_descriptions(opened: Callable[[str], Case]) -> None:
    reference, models = opened("streaming")
    described = {"person": "tim or cook", "place": "rome", "color": "red"}
    (found,) = reference.inference([TEXTS[1]], described, threshold=0.4)
    doc = models["torch"].extract(TEXTS[1], Schema().entities(described), threshold=0.4)
    assert_same(ours(doc), theirs(found))
    assert found


def test_the_texts_beside_a_text_change_nothing(opened: Callable[[str], Case]) -> None:
    """Here its spans see the last word of their own text in the reference, too."""
    reference, models = opened("streaming-window")
    together = reference.inference(TEXTS, LABELS, threshold=0.4, batch_size=len(TEXTS))
    docs = models["torch"].extract(TEXTS, Schema().entities(LABELS), threshold=0.4)
    for doc, expected in zip(docs, together, strict=True):
        assert_same(ours(doc), theirs(expected))
