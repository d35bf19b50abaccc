"""The networks of all architectures are the reference library's, number for number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.gliner_checkpoints import (
    ADJACENCIES,
    KINDS,
    LABELS,
    LEAKY,
    RELATED,
    TEXTS,
    reference_answer,
    reference_batch,
)
from tests.models.gliner.conftest import Case

from onepass.models.gliner.graphs import graphs
from onepass.models.gliner.network.network import GlinerNetwork
from onepass.models.gliner.streaming import StreamingConfig

EVERY = (*KINDS, *RELATED)
Tensors = Mapping[str, torch.Tensor]
MORE_TEXTS = (*TEXTS, "paris", "Zürich-based qx , qx and 99.99 % of it is not great ; bad ! ( or )")


def encode_inputs(model: Any, batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Return what our `encode` takes, from the reference library's own arrays."""
    ids, marks = batch["input_ids"], batch["words_mask"]
    counts = batch["text_lengths"].reshape(-1)
    places = [
        [torch.nonzero(row == word + 1)[:, 0].tolist() for word in range(int(counts.max()))]
        for row in marks
    ]
    depth = max(len(word) for row in places for word in row)
    words = [[word + [-1] * (depth - len(word)) for word in row] for row in places]
    inputs = {
        "ids": ids,
        "mask": batch["attention_mask"],
        "words": torch.tensor(words),
        "word_counts": counts,
    }
    if "labels_input_ids" not in batch:
        index, behind = model.config.class_token_index, int(not model.config.embed_ent_token)
        found = [torch.nonzero(row == index)[:, 0] + behind for row in ids]
        inputs["labels"] = torch.stack(found)
    if model.config.model_type == "gliner_streaming_span":
        inputs["labels"] = torch.arange(prompt_length(model, batch)).expand(len(ids), -1)
    if "relations_layer" in model.config.to_dict():
        index, behind = model.config.rel_token_index, int(not model.config.embed_rel_token)
        found = [torch.nonzero(row == index)[:, 0] + behind for row in ids]
        inputs["types"] = torch.stack(found)
    return inputs


def prompt_length(model: Any, batch: Mapping[str, Any]) -> int:
    """Return the pieces in front of every text of a streaming checkpoint."""
    (length,) = {row.tolist().index(model.config.sep_token_index) for row in batch["input_ids"]}
    return int(length) + 1


def forward(
    network: GlinerNetwork, model: Any, batch: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Return what our network says of a batch of the reference library."""
    run = network.graphs()
    inputs = encode_inputs(model, batch)
    counts = inputs["word_counts"]
    out: dict[str, torch.Tensor] = {"counts": counts}
    if "encode_labels" in run:
        words = run["encode"](*inputs.values())
        vectors = run["encode_labels"](batch["labels_input_ids"], batch["labels_attention_mask"])
        labels = vectors[None].expand(len(words), -1, -1)
        if "fuse" in run:
            asked = torch.full_like(counts, labels.shape[1])
            words, labels = run["fuse"](words, counts, labels, asked)
    else:
        words, labels, *types = run["encode"](*inputs.values())
        out |= dict(zip(("types",), types, strict=False))
    if "read_prompt" in run:
        every = inputs["labels"]  # (batch, pieces of the prompt)
        markers = batch["input_ids"][:, : every.shape[1]] == model.config.class_token_index
        places = torch.nonzero(markers)[:, 1].reshape(len(every), -1)
        labels = run["read_prompt"](labels, torch.full_like(counts, every.shape[1]), places)
    out |= {"words": words, "labels": labels}
    out["of_spans"] = run["context"](words, counts) if "context" in run else words
    queries = run["queries"](labels) if "queries" in run else labels
    if "tokens" in run:
        out["logits"] = run["tokens"](words, queries)
    else:
        out["logits"] = run["spans"](out["of_spans"], counts, queries)
    return out


@torch.no_grad()
def answer(network: GlinerNetwork, model: Any, batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Return `forward` without gradients."""
    return forward(network, model, batch)


def assert_same_scores(got: torch.Tensor, expected: torch.Tensor) -> None:
    """Compare logits so that scores agree to 1e-5."""
    torch.testing.assert_close(got.sigmoid(), expected.sigmoid(), atol=1e-5, rtol=0)
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)  # where sigmoids are flat


def assert_logits(ours: Tensors, theirs: Mapping[str, Any], *, tokens: bool) -> None:
    """Compare logits of every real word, or of every span that ends within its text."""
    got = ours["logits"].permute(0, 2, 1, 3) if tokens else ours["logits"].permute(0, 2, 3, 1)
    expected = theirs["logits"]
    assert got.shape == expected.shape
    for row, count in enumerate(ours["counts"].tolist()):
        for first in range(count):
            last = slice(None) if tokens else slice(0, count - first)
            assert_same_scores(got[row, first, last], expected[row, first, last])


def groups(name: str, texts: Sequence[str]) -> list[Sequence[str]]:
    """Return the batches in which the reference library reads texts as if each was alone."""
    return [[text] for text in texts] if name in LEAKY else [texts]


@pytest.mark.parametrize("name", EVERY)
def test_same_logits(name: str, case_of: Callable[[str], Case]) -> None:
    case = case_of(name)
    tokens = case.network.config.tokens
    for texts in groups(name, MORE_TEXTS):
        theirs = reference_answer(case.model, texts, LABELS)
        ours = answer(case.network, case.model, theirs["batch"])
        assert_logits(ours, theirs, tokens=tokens)
        assert len(texts) == 1 or theirs["logits"].std() > 0.5


@pytest.mark.parametrize("name", EVERY)
def test_padding_changes_nothing(name: str, case_of: Callable[[str], Case]) -> None:
    case = case_of(name)
    together = reference_answer(case.model, MORE_TEXTS, LABELS)["batch"]
    beside = answer(case.network, case.model, together)
    for row, text in enumerate(MORE_TEXTS):
        batch = reference_answer(case.model, [text], LABELS)["batch"]
        alone = answer(case.network, case.model, batch)
        count = int(alone["counts"][0])
        torch.testing.assert_close(beside["words"][row, :count], alone["words"][0])
        assert not beside["words"][row, count:].any()
        for first in range(count):
            last = slice(None) if case.network.config.tokens else slice(0, count - first)
            assert_same_scores(
                beside["logits"][row, :, first, last], alone["logits"][0, :, first, last]
            )


@pytest.mark.parametrize("name", ["token-spans", "token-spans-context", "bi-token-spans"])
def test_same_scores_of_represented_spans(name: str, case_of: Callable[[str], Case]) -> None:
    case, compared = case_of(name), 0
    # In double precision: products of vectors round to more than 1e-5 in single.
    model, network = deepcopy(case.model).double(), deepcopy(case.network).double()
    for texts in groups(name, TEXTS):
        theirs = reference_answer(model, texts, LABELS)
        ours = answer(network, model, theirs["batch"])
        places = theirs["span_idx"]
        with torch.no_grad():
            vectors = network.graphs()["span_states"](ours["of_spans"], ours["counts"], places)
        logits = vectors @ ours["labels"].transpose(1, 2)
        real = theirs["span_mask"].bool() & (places[..., 1] < ours["counts"][:, None])
        assert_same_scores(logits[real], theirs["span_logits"][real])
        compared += int(real.sum())
    assert compared > 10


@pytest.mark.parametrize("name", [name for name in EVERY if "token" not in name])
def test_vectors_of_single_spans(name: str, case_of: Callable[[str], Case]) -> None:
    """A span's vector meets a query in the span's logit, whatever the mode."""
    case = case_of(name)
    network = case.network
    batch = reference_answer(case.model, TEXTS, LABELS)["batch"]
    ours = answer(network, case.model, batch)
    length = ours["words"].shape[1]
    spans = [(i, i + k) for i in range(length) for k in range(4) if i + k < length]
    places = torch.tensor(spans)[None].expand(len(TEXTS), -1, -1)
    with torch.no_grad():
        vectors = network.span_states(ours["of_spans"], ours["counts"], places)
        logits = vectors @ network.queries(ours["labels"]).transpose(1, 2)
    for row, count in enumerate(ours["counts"].tolist()):
        for column, (first, last) in enumerate(spans):
            if last < count:
                expected = ours["logits"][row, :, first, last - first]
                assert_same_scores(logits[row, column], expected)


@pytest.mark.parametrize("name", RELATED)
@torch.no_grad()
def test_same_relations(name: str, case_of: Callable[[str], Case]) -> None:
    case = case_of(name)
    run = case.network.graphs()
    found, expected = [], []
    for texts in groups(name, TEXTS):
        # Low enough for attention weights, which are all small where there are many entities.
        theirs = reference_answer(case.model, texts, LABELS, adjacency_threshold=0.05)
        ours = answer(case.network, case.model, theirs["batch"])
        places, idx, real = theirs["entity_spans"], theirs["rel_idx"], theirs["rel_mask"].bool()
        vectors = run["span_states"](ours["of_spans"], ours["counts"], places)
        rows = torch.arange(len(places))[:, None].expand(-1, idx.shape[1])[real]
        heads, tails = vectors[rows, idx[..., 0][real]], vectors[rows, idx[..., 1][real]]
        found.append(run["pairs"](heads, tails, ours["types"][rows]))
        expected.append(theirs["rel_logits"][real])
    logits = torch.cat(found)
    assert_same_scores(logits, torch.cat(expected))
    assert logits.std() > 0.1


@pytest.mark.parametrize("name", [f"relex-span-{kind}" for kind in ADJACENCIES])
@torch.no_grad()
def test_same_adjacency(name: str, case_of: Callable[[str], Case]) -> None:
    """The reference library shows only which pairs are above a threshold."""
    case = case_of(name)
    run = case.network.graphs()
    theirs = reference_answer(case.model, TEXTS, LABELS)
    ours = answer(case.network, case.model, theirs["batch"])
    vectors = run["span_states"](ours["of_spans"], ours["counts"], theirs["entity_spans"])
    real = theirs["batch"]["span_mask"].flatten(1).bool()
    found = (theirs["logits"].sigmoid().amax(-1).flatten(1) > 0.5) & real
    near = run["adjacency"](vectors, found.sum(1))
    near = near.masked_fill(torch.eye(near.shape[1], dtype=torch.bool), 0.0)
    values = near[near > 0].sort().values
    gaps = torch.nonzero(values.diff() > 1e-5)[:, 0]  # so that rounding decides no pair
    middle = gaps[len(gaps) // 2]
    threshold = float(values[middle : middle + 2].mean())
    theirs = reference_answer(case.model, TEXTS, LABELS, adjacency_threshold=threshold)
    for row, pairs in enumerate(near > threshold):
        expected = theirs["rel_idx"][row][theirs["rel_mask"][row].bool()]
        assert torch.nonzero(pairs).tolist() == expected.tolist()
    assert 0 < (near > threshold).sum() < len(values)


@pytest.mark.parametrize("name", EVERY)
def test_graphs_are_those_of_the_configuration(name: str, case_of: Callable[[str], Case]) -> None:
    network = case_of(name).network
    assert set(network.graphs()) == {graph.name for graph in graphs(network.config)}


@pytest.mark.parametrize("name", EVERY)
def test_training_computes_the_same_without_dropout(
    name: str, case_of: Callable[[str], Case]
) -> None:
    case = case_of(name)
    network = without_dropout(case.network).train()
    batch = reference_batch(case.model, TEXTS, LABELS)
    expected = answer(case.network, case.model, batch)
    found = forward(network, case.model, batch)
    for row, count in enumerate(expected["counts"].tolist()):
        for first in range(count):
            last = slice(None) if network.config.tokens else slice(0, count - first)
            got = found["logits"][row, :, first, last].detach()
            assert_same_scores(got, expected["logits"][row, :, first, last])
    found["logits"].sum().backward()
    read = (
        "prompt.", "token_head.", "lstm.", "outward.", "backbone.layers.", "fusion.",
        "backbone.model.", "prompt_reader.",
    )  # fmt: skip
    if not network.config.tokens:
        read = (*read, "span_layer.", "context.")
    for key, parameter in network.named_parameters():
        if key.startswith(read) and parameter.requires_grad:
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key


def without_dropout(network: GlinerNetwork) -> GlinerNetwork:
    """Return a copy that drops nothing in training."""
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}

    def without(found: Mapping[str, Any]) -> Mapping[str, Any]:
        return none | {key: 0.0 if "drop" in key else value for key, value in found.items()}

    labels, config = network.label_encoder, network.config
    streaming = (
        None if config.streaming is None else StreamingConfig(without(config.streaming.labels))
    )
    context = None if config.context is None else without(config.context)
    copy = GlinerNetwork(
        replace(config, dropout=0.0, context=context, streaming=streaming),
        encoder=without(network.encoder),
        label_encoder=None if labels is None else without(labels),
    )
    copy.load_state_dict(network.state_dict())
    return copy


def test_a_word_without_pieces_is_zero(case_of: Callable[[str], Case]) -> None:
    network = case_of("span-no-lstm").network
    words: Sequence[Sequence[Sequence[int]]] = [[[2], [-1], [3]]]
    with torch.no_grad():
        states, _ = network.encode(
            torch.tensor([[2, 9, 10, 11, 3]]), torch.ones(1, 5, dtype=torch.int64),
            torch.tensor(words), torch.tensor([3]), torch.tensor([[1]]),
        )  # fmt: skip
    assert [bool(state.any()) for state in states[0]] == [True, False, True]
