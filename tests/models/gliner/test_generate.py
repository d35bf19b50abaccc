"""Generated labels: against gliner where it pads nothing, and where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from gliner.config import UniEncoderSpanDecoderConfig
from gliner.model import BaseGLiNER
from gliner.modeling.base import UniEncoderSpanDecoderModel
from safetensors.torch import load_file, save_model

from onepass.decoding.trie import Trie
from onepass.errors import CheckpointError
from onepass.models.gliner.network.beams import Search
from onepass.models.gliner.network.generate import (
    LabelDecoder,
    as_graph,
    restore_aliases,
)
from onepass.nn.keymap import to_ours, to_theirs
from onepass.nn.weights import write_weights

HIDDEN, VOCABULARY, END = 16, 40, 39
GPT2 = {
    "model_type": "gpt2", "vocab_size": VOCABULARY, "n_embd": 24, "n_layer": 2, "n_head": 2,
    "n_positions": 64, "eos_token_id": END, "bos_token_id": END, "pad_token_id": END,
}  # fmt: skip
LLAMA = {
    "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": 32,
    "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64,
    "eos_token_id": END, "bos_token_id": 0, "pad_token_id": END, "tie_word_embeddings": False,
}  # fmt: skip
KINDS = [GPT2, LLAMA]
BERT = {
    "model_type": "bert", "vocab_size": 30, "hidden_size": HIDDEN, "num_hidden_layers": 1,
    "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 32,
}  # fmt: skip

by_kind = pytest.mark.parametrize("kind", KINDS, ids=["gpt2", "llama"])


def reference(kind: dict[str, Any], mode: str = "span", width: int = 1) -> Any:
    """Return gliner's model with a random decoder whose next pieces differ."""
    torch.manual_seed(0)
    config = UniEncoderSpanDecoderConfig(
        model_name="none", labels_decoder="none", encoder_config=BERT, labels_decoder_config=kind,
        hidden_size=HIDDEN, max_width=width, decoder_mode=mode, num_rnn_layers=0,
        class_token_index=5,
    )  # fmt: skip
    model = UniEncoderSpanDecoderModel(config).eval()
    for parameter in model.decoder.parameters():
        if parameter.ndim > 1:
            parameter.data.normal_(std=0.4)
    return model


def pair(kind: dict[str, Any], **options: Any) -> tuple[Any, LabelDecoder]:
    """Return gliner's model and our decoder with its weights."""
    theirs = reference(kind, **options)
    ours = LabelDecoder(kind, HIDDEN).eval()
    ours.load_state_dict(to_ours(published(theirs), ours.keys()))
    return theirs, ours


def published(model: Any) -> dict[str, torch.Tensor]:
    roots = ("decoder.", "_enc2dec_proj.")
    return {name: t for name, t in model.state_dict().items() if name.startswith(roots)}


def random_states(rows: int = 6) -> torch.Tensor:
    return torch.randn(rows, HIDDEN, generator=torch.Generator().manual_seed(3))


def ragged_pieces() -> torch.Tensor:
    """Return the pieces of six spans of one to four pieces."""
    counts = torch.tensor([1, 4, 2, 2, 3, 1])
    pieces = torch.randint(0, END, (6, 4), generator=torch.Generator().manual_seed(4))
    return pieces.masked_fill(torch.arange(4) >= counts[:, None], -1)


def their_rows(
    model: Any, states: torch.Tensor, pieces: torch.Tensor, words: torch.Tensor, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return gliner's decoder inputs for every span of one text.

    Args:
        model: in span mode.
        states: (words * width, hidden) span vectors.
        pieces: (pieces,) ids of the whole sequence, prompt included.
        words: (pieces,) word of each, counted from 1; 0 in the prompt.
        width: longest span.
    """
    length = len(states) // width
    places = torch.arange(length)[:, None] + torch.arange(width)
    embedded, mask, _ = model.select_span_decoder_embedding(
        torch.zeros(1, 1, HIDDEN), torch.ones(1, 1), states.view(1, length, width, HIDDEN),
        torch.zeros(1, length, width, 1), (places < length).long()[None],
        decoder_text_embeds=model.decoder.ids_to_embeds(pieces[None]),
        decoder_words_mask=words[None], threshold=0.1,
    )  # fmt: skip
    return model.get_raw_decoder_inputs(embedded, mask)


# --- names ---


@by_kind
def test_names_go_both_ways(kind: dict[str, Any]) -> None:
    theirs, ours = pair(kind)
    back = to_theirs(ours.state_dict(), ours.keys())
    assert set(back) == set(published(theirs))
    for name, tensor in published(theirs).items():
        assert torch.equal(back[name], tensor)
    assert (ours.inward is None) == (kind is LLAMA)  # its vectors are as large as the encoder's


def test_a_file_of_the_reference_leaves_tied_weights_out_and_is_read(tmp_path: Path) -> None:
    theirs, ours = pair(GPT2)
    save_model(theirs, str(tmp_path / "model.safetensors"), metadata={"format": "pt"})
    whole = load_file(tmp_path / "model.safetensors")
    held = {name: t for name, t in whole.items() if name in published(theirs)}
    assert len(held) == len(published(theirs)) - 1
    fresh = LabelDecoder(GPT2, HIDDEN)
    fresh.load_state_dict(to_ours(restore_aliases(held, fresh.aliases()), fresh.keys()))
    for name, tensor in ours.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], tensor)


def test_a_file_of_ours_holds_tied_weights_once_and_the_reference_reads_it(tmp_path: Path) -> None:
    theirs, ours = pair(GPT2)
    write_weights(to_theirs(ours.state_dict(), ours.keys()), tmp_path)
    path = tmp_path / "model.safetensors"
    assert len(load_file(path)) == len(published(theirs)) - 1
    state = BaseGLiNER._load_state_dict(path)
    assert set(state) == set(published(theirs))
    for name, tensor in published(theirs).items():
        assert torch.equal(state[name], tensor)


def test_a_file_may_hold_either_name_of_a_tied_weight() -> None:
    ours = LabelDecoder(GPT2, HIDDEN)
    ((left_out, kept),) = ours.aliases().items()
    whole = to_theirs(ours.state_dict(), ours.keys())
    for name in (left_out, kept):
        held = {one: t for one, t in whole.items() if one != name}
        assert set(restore_aliases(held, ours.aliases())) == set(whole)
    assert not LabelDecoder(LLAMA, HIDDEN).aliases()  # its head has weights of its own


# --- what the decoder reads ---


@by_kind
@torch.no_grad()
def test_prefixes_equal_the_reference_where_it_pads_nothing(kind: dict[str, Any]) -> None:
    theirs, ours = pair(kind)
    states, pieces = random_states(), torch.arange(6)  # one piece a word, every span is kept
    expected, mask = their_rows(theirs, states, pieces, torch.arange(1, 7), 1)
    found, ours_mask = ours.prefixes(states, pieces[:, None])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert torch.equal(ours_mask.bool(), mask)
    assert ours_mask.all()


@by_kind
@torch.no_grad()
def test_prefixes_end_as_those_of_the_reference(kind: dict[str, Any]) -> None:
    theirs, ours = pair(kind, width=2)
    states = random_states(8)  # four words, spans of up to two of them
    pieces = torch.tensor([30, 31, 32, 1, 2, 3, 4, 5, 6])
    words = torch.tensor([0, 0, 0, 1, 2, 2, 3, 3, 4])  # three pieces of prompt
    expected, mask = their_rows(theirs, states, pieces, words, 2)
    spans = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3)]
    rows = [
        [p for p, w in zip(pieces.tolist(), words, strict=True) if a < w <= b + 1] for a, b in spans
    ]
    padded = torch.tensor([row + [-1] * (4 - len(row)) for row in rows])
    found, ours_mask = ours.prefixes(states[[2 * a + b - a for a, b in spans]], padded)
    steps = found.shape[1]
    torch.testing.assert_close(found, expected[:, -steps:], atol=1e-5, rtol=0)
    assert torch.equal(ours_mask.bool(), mask[:, -steps:])


@by_kind
@torch.no_grad()
def test_the_reference_reads_zeros_and_generates_others_where_ours_does_not(
    kind: dict[str, Any],
) -> None:
    theirs, ours = pair(kind)
    inputs, _ = ours.prefixes(random_states(), ragged_pieces())
    together = theirs.decoder.generate_from_embeds(inputs, max_new_tokens=5)
    changed = 0
    for row, count in enumerate((ragged_pieces() >= 0).sum(1).tolist()):
        alone = inputs[row : row + 1, -count - 1 :]
        found = theirs.decoder.generate_from_embeds(alone, max_new_tokens=5)
        changed += found[0].tolist() != together[row, : found.shape[1]].tolist()
    assert changed
    check_rows_alone(ours, Search(END, steps=5))


# --- generation ---


def check_rows_alone(ours: LabelDecoder, search: Search) -> None:
    """Check that every row gets what it gets alone."""
    states, pieces = random_states(), ragged_pieces()
    ids, scores = ours.generate(states, pieces, search)
    for row, count in enumerate((pieces >= 0).sum(1).tolist()):
        one = slice(row, row + 1)
        alone, score = ours.generate(states[one], pieces[one, :count], search)
        assert alone[0].tolist() == ids[row, :, : alone.shape[2]].tolist()
        assert (ids[row, :, alone.shape[2] :] == -1).all()
        torch.testing.assert_close(score[0], scores[row], atol=1e-5, rtol=1e-5)


@by_kind
@pytest.mark.parametrize(
    "search",
    [
        Search(END, steps=6),
        Search(END, sequences=3, steps=6),
        Search(END, sequences=2, beams=4, trie=Trie([(1, 2), (1, 3, 4), (5,), (6, 7, 8, 9)])),
    ],
    ids=["greedy", "beams", "trie"],
)
def test_padding_changes_nothing(kind: dict[str, Any], search: Search) -> None:
    check_rows_alone(pair(kind)[1], search)


@by_kind
def test_more_rows_than_at_once(kind: dict[str, Any]) -> None:
    _, ours = pair(kind)
    states, pieces = random_states().repeat(12, 1), ragged_pieces().repeat(12, 1)
    few, few_scores = ours.generate(states[:6], pieces[:6], Search(END, sequences=2))
    many, scores = ours.generate(states, pieces, Search(END, sequences=2))
    assert torch.equal(many, few.repeat(12, 1, 1))
    torch.testing.assert_close(scores, few_scores.repeat(12, 1), atol=1e-5, rtol=1e-5)


@by_kind
@pytest.mark.parametrize("sequences", [1, 3])
@torch.no_grad()
def test_generates_as_the_reference_where_nothing_is_padded(
    kind: dict[str, Any], sequences: int
) -> None:
    theirs, ours = pair(kind)
    states, pieces = random_states(), ragged_pieces()[:, :1]
    inputs, _ = ours.prefixes(states, pieces)
    options = {"early_stopping": "never"} if sequences > 1 else {}
    expected = theirs.decoder.generate_from_embeds(
        inputs, max_new_tokens=5, num_return_sequences=sequences, **options
    )
    search = Search(END, sequences=sequences, steps=5, length_power=1.0)
    found, _ = ours.generate(states, pieces, search)
    assert without_end(found.flatten(0, 1)) == without_end(expected)


def without_end(rows: torch.Tensor) -> list[list[int]]:
    cut = []
    for row in rows.tolist():
        ends = [i for i, one in enumerate(row) if one in (END, -1)]
        cut.append(row[: ends[0]] if ends else row)
    return cut


@torch.no_grad()
def log_probability(ours: LabelDecoder, row: int, label: tuple[int, ...], *, ended: bool) -> float:
    """Return what the decoder says of a label by reading it, without padding or memory."""
    states, pieces = random_states(), ragged_pieces()
    pieces = pieces[row][pieces[row] >= 0]
    vector = states[row] if ours.inward is None else ours.inward(states[row])
    embedding = ours.model.get_input_embeddings()
    written = embedding(torch.tensor([*pieces.tolist(), *label], dtype=torch.int64))
    logits = ours.model(inputs_embeds=torch.cat([vector[None], written])[None]).logits[0]
    chances = logits[len(pieces) :].log_softmax(-1)
    targets = [*label, *([END] if ended else [])]
    return sum(chances[i, one].item() for i, one in enumerate(targets))


@by_kind
def test_a_score_is_the_probability_of_the_label(kind: dict[str, Any]) -> None:
    _, ours = pair(kind)
    ids, scores = ours.generate(random_states(), ragged_pieces(), Search(END, sequences=3, steps=6))
    for row in range(6):
        for place in range(3):
            label = tuple(one for one in ids[row, place].tolist() if one >= 0)
            expected = log_probability(ours, row, label, ended=len(label) < 6)
            assert scores[row, place].item() == pytest.approx(expected, abs=1e-4)
    assert (scores.diff(dim=1) <= 0).all()


@by_kind
@pytest.mark.parametrize("sequences", [1, 2, 5])
def test_only_labels_of_the_trie_come_and_the_most_probable_first(
    kind: dict[str, Any], sequences: int
) -> None:
    _, ours = pair(kind)
    names = [(1,), (1, 2), (1, 2, 3, 4), (7, 8), (9, 2, 2)]  # some begin as others do
    search = Search(END, sequences=sequences, beams=8, steps=2, trie=Trie(names))
    ids, scores = ours.generate(random_states(), ragged_pieces(), search)
    for row in range(6):
        known = {name: log_probability(ours, row, name, ended=True) for name in names}
        best = sorted(names, key=lambda name: -known[name])[:sequences]
        found = [tuple(one for one in line if one >= 0) for line in ids[row].tolist()]
        assert found == best
        assert scores[row].tolist() == pytest.approx([known[name] for name in best], abs=1e-4)


@pytest.mark.parametrize("beams", [1, 3])
def test_fewer_labels_than_sequences(beams: int) -> None:
    _, ours = pair(GPT2)
    search = Search(END, sequences=3, beams=beams, trie=Trie([(4, 5)]))
    ids, scores = ours.generate(random_states(), ragged_pieces(), search)
    assert ids.tolist() == [[[4, 5], [-1, -1], [-1, -1]]] * 6
    assert scores[:, 0].isfinite().all()
    assert scores[:, 1:].isneginf().all()


@by_kind
def test_no_spans_are_no_labels_and_a_crash_in_the_reference(kind: dict[str, Any]) -> None:
    theirs, ours = pair(kind)
    for pieces in (torch.zeros(0, 4, dtype=torch.int64), torch.zeros(0, 0, dtype=torch.int64)):
        ids, scores = ours.generate(random_states(0), pieces, Search(END, sequences=2))
        assert ids.shape == (0, 2, 0)
        assert scores.shape == (0, 2)
    nothing = theirs.get_raw_decoder_inputs(torch.zeros(1, 2, 3, HIDDEN), torch.zeros(1, 2, 3))[0]
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        theirs.decoder.generate_from_embeds(nothing, max_new_tokens=2)


@torch.no_grad()
def test_prompt_mode_crashes_in_the_reference_and_starts_from_the_label_vector_here() -> None:
    theirs, ours = pair(GPT2, mode="prompt")
    prompts = random_states(4)
    embedded, mask, _ = theirs.select_span_decoder_embedding(
        prompts[None], torch.ones(1, 4, dtype=torch.int64), None, None, None
    )
    with pytest.raises(ValueError, match="unpack"):
        theirs.get_raw_decoder_inputs(embedded, mask)
    without = torch.zeros(4, 0, dtype=torch.int64)
    inputs, ours_mask = ours.prefixes(prompts, without)
    torch.testing.assert_close(inputs[:, 0], theirs._enc2dec_proj(prompts))
    assert ours_mask.tolist() == [[1]] * 4
    ids, scores = ours.generate(prompts, without, Search(END, sequences=2, steps=4))
    assert ids.shape[:2] == scores.shape == (4, 2)
    assert scores.isfinite().all()


@by_kind
def test_a_long_span_is_read_as_far_as_the_decoder_reaches(kind: dict[str, Any]) -> None:
    _, ours = pair(kind)
    assert ours.most_steps == 64
    pieces = torch.randint(0, END, (2, 300))
    ids, _ = ours.generate(random_states(2), pieces, Search(END, steps=10))
    cut, _ = ours.generate(random_states(2), pieces[:, : 64 - 10 - 1], Search(END, steps=10))
    assert torch.equal(ids, cut)
    assert ours.loss(random_states(2), pieces, torch.tensor([[1, END], [2, END]])).isfinite()


def test_as_a_graph() -> None:
    _, ours = pair(GPT2)
    states, pieces = random_states(), ragged_pieces()
    allowed = torch.tensor([[1, 2], [5, -1]])
    found = as_graph(ours, states, pieces, allowed, torch.tensor([END, 2, 4, 9]))
    search = Search(END, sequences=2, beams=4, trie=Trie([(1, 2), (5,)]))
    for one, other in zip(found, ours.generate(states, pieces, search), strict=True):
        assert torch.equal(one, other)
    free = as_graph(ours, states, pieces, allowed[:0], torch.tensor([END, 1, 1, 3]))
    assert torch.equal(free[0], ours.generate(states, pieces, Search(END, steps=3))[0])


# --- training ---


@by_kind
@torch.no_grad()
def test_loss_equals_the_reference_for_labels_of_one_length(kind: dict[str, Any]) -> None:
    theirs, ours = pair(kind)
    states, pieces = random_states(), ragged_pieces()[:, :1]
    targets = torch.randint(0, END, (6, 3))
    inputs, mask = ours.prefixes(states, pieces)
    expected, _ = theirs.decode_labels(
        inputs[None], mask[None], targets, torch.ones_like(targets), targets
    )
    torch.testing.assert_close(ours.loss(states, pieces, targets), expected, atol=1e-4, rtol=1e-5)


@by_kind
@torch.no_grad()
def test_shorter_labels_train_on_padding_in_the_reference_and_not_here(
    kind: dict[str, Any],
) -> None:
    theirs, ours = pair(kind)
    states, pieces = random_states(2), torch.tensor([[1], [2]])
    targets = torch.tensor([[3, 4, 5, END], [6, END, -1, -1]])
    alone = [
        ours.loss(states[i : i + 1], pieces[i : i + 1], targets[i : i + 1, :length])
        for i, length in ((0, 4), (1, 2))
    ]
    torch.testing.assert_close(ours.loss(states, pieces, targets), sum(alone))
    inputs, mask = ours.prefixes(states, pieces)
    filled = targets.masked_fill(targets < 0, END)  # what its processor makes of padding
    more, _ = theirs.decode_labels(inputs[None], mask[None], filled, (targets >= 0).long(), filled)
    assert more > sum(alone) + 1


@by_kind
def test_a_batch_without_spans_costs_nothing(kind: dict[str, Any]) -> None:
    ours = LabelDecoder(kind, HIDDEN).train()
    states = random_states(0).requires_grad_()
    nothing = torch.zeros(0, 2, dtype=torch.int64)
    loss = ours.loss(states, nothing, nothing)
    loss.backward()
    assert loss == 0


@by_kind
def test_it_learns_to_write_labels(kind: dict[str, Any]) -> None:
    torch.manual_seed(0)
    ours = LabelDecoder(kind, HIDDEN).train()
    states, pieces = random_states(), ragged_pieces()
    names = [(1, 2), (3,), (4, 5, 6), (1, 7), (8,), (3, 9)]
    targets = torch.tensor([[*name, END, *[-1] * (3 - len(name))] for name in names])
    optimizer = torch.optim.AdamW(ours.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        ours.loss(states, pieces, targets).backward()
        optimizer.step()
    ids, scores = ours.eval().generate(states, pieces, Search(END))
    found = [tuple(one for one in row[0] if one >= 0) for row in ids.tolist()]
    assert found == names
    assert (scores.exp() > 0.5).all()


# --- what is refused ---


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (GPT2 | {"auto_map": {"AutoModelForCausalLM": "evil.Model"}}, "auto_map"),
        ({"model_type": "no-such-decoder"}, "'no-such-decoder'"),
        ({"model_type": "t5", "d_model": 8, "num_layers": 1}, "'t5'"),
        (GPT2 | {"n_embd": "wide"}, "gpt2"),
        (GPT2 | {"n_head": 5}, "gpt2"),
    ],
)
def test_what_cannot_be_run_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        LabelDecoder(config, HIDDEN)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [
    lambda: Search(END, sequences=0), lambda: Search(END, beams=0, sequences=0),
    lambda: Search(END, steps=0),
])  # fmt: skip
def test_an_empty_search_is_refused(make: Callable[[], Search]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        make()


@pytest.mark.parametrize("name", ["dtype", "torch_dtype"])
def test_weights_are_fp32_whatever_the_checkpoint_was_saved_in(name: str) -> None:
    ours = LabelDecoder(GPT2 | {name: "float16"}, HIDDEN)
    assert {weights.dtype for weights in ours.parameters()} == {torch.float32}
