"""Our answers on gliner's own random checkpoints are gliner's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest

pytest.importorskip("gliner")

from onepass import Schema
from onepass.results.types import Extraction
from tests.gliner_checkpoints import CONTEXTS, KINDS, LEAKY, RELATED, make_reference
from tests.parity.opened import Models

TOLERANCE = 3e-5  # sums in another order: 1.1e-5 on a CPU with AVX2 and no AVX-512
TEXTS = [
    "Tim Cook runs Apple in Paris and Rome.",
    "The price is 9 red, blue and green things! Tim works for Apple in Rome; Cook in Paris?",
    "it costs 9.5 , qx-zt !",
    "Tim",
]
LABELS = ["person", "company", "place name", "color"]
Case = tuple[Any, Models]
# Every graph of every kind is compared with torch in tests/models/gliner/test_export.py, and the
# code that runs graphs is the same for both backends: here a kind of each set of graphs is enough.
EXPORTED = (
    "span", "token", "token-spans", "bi-span", "bi-token", "bi-token-spans",
    "poly-span-l2l-l2t-t2t", "poly-token", "relex-span", "relex-token", "relex-span-mlp",
    "relex-span-DistMult", "relex-token-mlp-DistMult", "span-context-deberta-v2",
    "span-context-modernbert", "span-context-rnn", "token-spans-context", "relex-token-context",
    "streaming", "streaming-words", "streaming-gemma3",
)  # fmt: skip


def with_backends(kinds: Iterable[str]) -> list[tuple[str, str]]:
    """Return kinds of checkpoints, each with the backends that it is opened under."""
    return [(name, "torch") for name in kinds] + [(o, "onnx") for o in kinds if o in EXPORTED]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """Make a kind of checkpoint once: the reference's model, and ours."""
    root = tmp_path_factory.mktemp("gliner")

    @cache
    def make(name: str) -> Case:
        reference = make_reference(root / name, **(KINDS | RELATED)[name]).eval()
        return reference, Models(root / name)

    return make


@pytest.fixture(autouse=True, scope="module")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def ours(docs: list[Extraction]) -> list[dict[tuple[str, int, int], float]]:
    return [{(e.label, e.start, e.end): e.score for e in doc.entities} for doc in docs]


def theirs(model: Any, texts: list[str], **options: Any) -> list[dict[tuple[str, int, int], float]]:
    # One text at a time: some of its layers let the padding of a batch into the scores.
    return [
        {
            (e["label"], e["start"], e["end"]): e["score"]
            for e in model.inference([text], LABELS, batch_size=1, **options)[0]
        }
        for text in texts
    ]


def assert_same(got: list[Any], expected: list[Any]) -> None:
    for mine, other in zip(got, expected, strict=True):
        assert set(mine) == set(other)
        for key, score in other.items():
            assert abs(mine[key] - score) <= TOLERANCE, (key, mine[key], score)


@pytest.mark.parametrize(("name", "backend"), with_backends(KINDS))
def test_the_same_spans_with_the_same_scores(
    name: str, backend: str, opened: Callable[[str], Case]
) -> None:
    reference, models = opened(name)
    model = models[backend]
    # Nested without one label a place is the policy "all" here: everything that holds.
    expected = theirs(reference, TEXTS, threshold=0.5, flat_ner=False, multi_label=True)
    schema = Schema().entities(LABELS)
    assert sum(map(len, expected)) > 5
    for policy in ("nested",):
        docs = [model.extract(text, schema, threshold=0.5, overlap=policy) for text in TEXTS]
        assert_same(ours(docs), expected)
    batch = model.extract(TEXTS, schema, threshold=0.5, overlap="nested")
    assert_same(ours(batch), expected)


TYPES = ["works for", "in"]
Pairs = dict[tuple[str, int, int, int, int], float]


def pairs_of(docs: list[Extraction]) -> list[Pairs]:
    return [
        {
            (r.type, r.head.start, r.head.end, r.tail.start, r.tail.end): r.score
            for r in doc.relations
        }
        for doc in docs
    ]


def their_pairs(model: Any, texts: list[str], threshold: float, **options: Any) -> list[Pairs]:
    found = []
    for text in texts:
        _, relations = model.inference(
            [text], LABELS, relations=TYPES, threshold=threshold, batch_size=1, **options
        )
        pairs: Pairs = {}
        for one in relations[0]:
            head, tail = one["head"], one["tail"]
            key = (one["relation"], head["start"], head["end"], tail["start"], tail["end"])
            if key[1:3] != key[3:]:  # the reference relates entities to themselves, and repeats
                pairs[key] = max(one["score"], pairs.get(key, 0.0))
        found.append(pairs)
    return found


@pytest.mark.parametrize(("name", "backend"), with_backends(RELATED))
def test_the_same_relations(name: str, backend: str, opened: Callable[[str], Case]) -> None:
    """Distinct pairs of different entities, those of the reference with its scores."""
    reference, models = opened(name)
    schema = Schema().entities(LABELS).relations(TYPES)
    for entities, relations in ((0.4, 0.4), (0.5, 0.2), (0.3, 0.6)):
        docs = models[backend].extract(
            TEXTS, schema, threshold={"entities": entities, "relations": relations}
        )
        expected = their_pairs(
            reference, TEXTS, entities, relation_threshold=relations, adjacency_threshold=0.5
        )
        assert any(expected) or name not in ("relex-span", "relex-token")
        assert_same(pairs_of(docs), expected)


def test_thresholds_do_not_say_which_entities_are_linked(opened: Callable[[str], Case]) -> None:
    """In the reference that of entities does, where no other is given; here it is one half."""
    reference, models = opened("relex-token-mlp-DistMult")
    schema = Schema().entities(LABELS).relations(TYPES)
    docs = models["torch"].extract(TEXTS, schema, threshold={"entities": 0.3, "relations": 0.5})
    linked = their_pairs(reference, TEXTS, 0.3, relation_threshold=0.5, adjacency_threshold=0.5)
    assert_same(pairs_of(docs), linked)
    more = their_pairs(reference, TEXTS, 0.3, relation_threshold=0.5)
    assert sum(map(len, more)) > sum(map(len, linked)) > 0


@pytest.mark.parametrize(
    "name", ["span", "token", "bi-span", "bi-token", "token-spans", "streaming"]
)
@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_flat_results(name: str, threshold: float, opened: Callable[[str], Case]) -> None:
    reference, models = opened(name)
    docs = models["torch"].extract(TEXTS, Schema().entities(LABELS), threshold=threshold)
    assert_same(ours(docs), theirs(reference, TEXTS, threshold=threshold, flat_ner=True))


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_reference_reads_padding_in_front_of_its_span_layer(
    context: str, opened: Callable[[str], Case]
) -> None:
    """What encodes words in their context is not told there which words are padding.

    A layer that reads forwards alone does not see any; here no other does (see the next test).
    """
    reference, _ = opened(f"span-context-{context}")
    asked = {"threshold": 0.0, "flat_ner": False, "multi_label": True}
    (alone,) = reference.inference(["Tim"], LABELS, batch_size=2, **asked)
    beside, _ = reference.inference(["Tim", TEXTS[0]], LABELS, batch_size=2, **asked)
    changes = [abs(a["score"] - b["score"]) for a, b in zip(alone, beside, strict=True)]
    assert (max(changes) > 1e-3) is (context != "rnn-forward")


def test_kinds_that_leak_padding_are_right_here(opened: Callable[[str], Case]) -> None:
    """In the reference the scores of a text depend on the texts beside it; here they do not."""
    for name in LEAKY:
        _, models = opened(name)
        schema = Schema().entities(LABELS)
        alone = models["torch"].extract(TEXTS[:1], schema, threshold=0.3, overlap="all")
        beside = models["torch"].extract(TEXTS, schema, threshold=0.3, overlap="all")[:1]
        assert_same(ours(beside), ours(alone))
