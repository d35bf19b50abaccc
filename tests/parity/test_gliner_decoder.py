"""The names that we generate are those of gliner, where it pads nothing.

Its library puts zeros in front of what its decoder reads, and does not mask them. Without the words
of a span there are none; with them, its own inputs are given to it here one at a time, without the
zeros. Its token models read the words one place off; here they are given the right ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest

pytest.importorskip("gliner")

import torch

from onepass import Extractor, Schema
from onepass.results.types import Extraction
from tests.gliner_checkpoints import NAMERS, make_reference, reference_batch

TEXTS = [
    "Tim Cook runs Apple in Paris and Rome.",
    "it costs 9.5 , qx-zt !",
    "Tim",
    "Unbelievable wording in Rome",
]
LABELS = ["person", "company", "place name"]
CHOICES = ["person", "place to be", "place", "co"]
ALONE = [name for name in NAMERS if "alone" in name]
WITH_WORDS = ["names-span", "names-token"]
SOME = 12  # spans of a text

Case = tuple[Any, Extractor]
Names = dict[tuple[int, int], list[str]]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """Make a kind of checkpoint once: the reference's model, and ours."""
    root = tmp_path_factory.mktemp("namers")

    @cache
    def make(name: str) -> Case:
        reference = make_reference(root / name, **NAMERS[name]).eval()
        return reference, Extractor.from_pretrained(root / name)

    return make


def schema(choices: Sequence[str] | None, count: int) -> Schema:
    return Schema().entities(LABELS).name_entities(choices, count=count)


def ours(doc: Extraction) -> Names:
    return {(e.start, e.end): [name.label for name in e.names] for e in doc.entities}


def search(choices: Sequence[str] | None, count: int) -> dict[str, Any]:
    """Return the options of gliner for a search without chance that ranks by probability."""
    ranking = {"length_penalty": 0.0, "early_stopping": False} if count > 1 else {}
    return {"do_sample": False, "temperature": 1.0} | ranking


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("choices", [None, CHOICES], ids=["free", "choices"])
@pytest.mark.parametrize("name", ALONE)
def test_names_of_vectors_alone(
    name: str, choices: list[str] | None, count: int, opened: Callable[[str], Case]
) -> None:
    reference, model = opened(name)
    compared = 0
    for text in TEXTS:
        got = ours(model.extract(text, schema(choices, count), threshold=0.5, overlap="nested"))
        if not got:  # its library stumbles over that
            continue
        found = reference.inference(
            [text], LABELS, threshold=0.5, flat_ner=False, multi_label=True,
            gen_constraints=choices, num_gen_sequences=count, **search(choices, count),
        )[0]  # fmt: skip
        expected = {(e["start"], e["end"]): e["generated_labels"] for e in found}
        compared += compare(got, expected)
    assert compared > 10


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("choices", [None, CHOICES], ids=["free", "choices"])
@pytest.mark.parametrize("name", WITH_WORDS)
def test_names_of_spans_with_their_words(
    name: str, choices: list[str] | None, count: int, opened: Callable[[str], Case]
) -> None:
    reference, model = opened(name)
    compared = 0
    for text in TEXTS:
        places, expected = row_by_row(reference, text, choices, count)
        got = ours(model.extract(text, schema(choices, count), threshold=0.5, overlap="all"))
        assert got.keys() == places
        compared += compare({place: got[place] for place in expected}, expected)
    assert compared > 10


def compare(got: Names, expected: Names) -> int:
    """Compare names, and return of how many spans."""
    assert got.keys() == expected.keys()
    for place, names in expected.items():
        spelled = [one.strip() for one in names]  # empty where it ends at once
        assert got[place] == [one for one in dict.fromkeys(spelled) if one], place
    return len(got)


@torch.no_grad()
def row_by_row(
    model: Any, text: str, choices: Sequence[str] | None, count: int
) -> tuple[set[tuple[int, int]], Names]:
    """Return all spans that hold, and names that are generated one by one from gliner's inputs.

    Of about `SOME` of the spans, from the first to the last: what is generated for one does not
    depend on the others, and takes its library long.
    """
    batch = reference_batch(model, [text], LABELS)
    tokens = model.config.span_mode == "token_level"
    if tokens:
        batch["decoder_words_mask"] = batch["decoder_words_mask"] - 1
    out = model.model(**batch, threshold=0.5)
    words = model.data_processor.words_splitter(text)
    offsets = [(start, end) for _, start, end in words]
    trie = model.set_labels_trie(choices) if choices else None
    tokenizer = model.data_processor.decoder_tokenizer
    found: Names = {}
    places = []
    for place in (one for one in out.decoder_span_idx[0].tolist() if one >= 0):
        if tokens:
            first, last = out.span_idx[0, place].tolist()
        else:
            first, width = divmod(place, model.config.max_width)
            last = first + width
        places.append((offsets[first][0], offsets[last][1]))
    for row in range(0, len(places), max(1, len(places) // SOME)):
        real = out.decoder_embedding_mask[0, row].bool()
        ids = model.model.decoder.generate_from_embeds(
            out.decoder_embedding[0, row][real][None], max_new_tokens=15,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
            num_return_sequences=count, labels_trie=trie, **search(choices, count),
        )  # fmt: skip
        found[places[row]] = tokenizer.batch_decode(ids, skip_special_tokens=True)
    return set(places), found


@pytest.mark.parametrize("name", [one for one in NAMERS if "prompt" not in one])
def test_spans_and_scores_do_not_change_with_their_names(
    name: str, opened: Callable[[str], Case]
) -> None:
    reference, model = opened(name)
    plain = model.extract(TEXTS, Schema().entities(LABELS), threshold=0.5)
    named = model.extract(TEXTS, schema(None, 1), threshold=0.5)
    for one, other, text in zip(plain, named, TEXTS, strict=True):
        key = [(e.label, e.start, e.end, e.score) for e in one.entities]
        assert key == [(e.label, e.start, e.end, e.score) for e in other.entities]
        assert not any(e.names for e in one.entities)
        assert all(len(e.names) == 1 for e in other.entities)
        theirs = reference.inference([text], LABELS, threshold=0.5)[0] if one.entities else []
        assert [k[:3] for k in key] == [(e["label"], e["start"], e["end"]) for e in theirs]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["names-prompt-span", "names-prompt-token"])
def test_names_of_markers(name: str, opened: Callable[[str], Case]) -> None:
    """Its library fails in this mode; what its decoder would read is there."""
    reference, model = opened(name)
    text = TEXTS[0]
    with torch.no_grad():
        out = reference.model(**reference_batch(reference, [text], LABELS), threshold=0.5)
    tokenizer = reference.data_processor.decoder_tokenizer
    names = []
    for vector in out.decoder_embedding[0]:
        ids = reference.model.decoder.generate_from_embeds(
            vector[None, None], max_new_tokens=15, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id, **search(None, 1),
        )  # fmt: skip
        names.append(tokenizer.decode(ids[0], skip_special_tokens=True).strip())
    doc = model.extract(text, schema(None, 1), threshold=0.5, overlap="all")
    assert len(doc.entities) > 3
    assert {entity.label for entity in doc.entities} <= set(names)
    assert all(entity.label == entity.names[0].label for entity in doc.entities)
    if reference.config.span_mode == "token_level":
        return
    words = reference.data_processor.words_splitter(text)
    offsets = [(start, end) for _, start, end in words]
    expected = {
        (names[label], offsets[first][0], offsets[first + width][1])
        for first, width, label in (out.logits[0] > 0).nonzero().tolist()
        if first + width < len(offsets)
    }
    assert {(e.label, e.start, e.end) for e in doc.entities} == expected
