"""Our encoder-decoder GLiClass networks say what gliclass says, in torch and in ONNX.

The reference is asked as it was made, never as it was read back: it forgets a part when it saves
(`test_the_reference_forgets_the_vectors_of_its_decoder`). It is asked for one text at a time and
for as many labels as there are: most of its pools let padding in, and so does one scorer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("gliclass")

from gliclass import GLiClassModel, GLiClassModelConfig
from safetensors.torch import load_file, save_file

from onepass.backends.onnx import OnnxBackend
from onepass.errors import CheckpointError
from onepass.models.gliclass.graphs import graphs
from onepass.models.gliclass.network.checkpoint import load_network, save_network
from onepass.models.gliclass.network.network import GliclassNetwork
from onepass.nn.graphs.export import export_graphs
from tests.gliclass_checkpoints import EXAMPLE, LABEL, TEXT, VOCABULARY, save_reference

END, HIDDEN = 1, 24
KINDS = ("encoder-decoder", "encoder-decoder-cls")
VECTORS = "model.encoder_decoder_model.{}.weight"
Pair = tuple[Any, GliclassNetwork]

# What the two architectures have in common: name to options.
BOTH: dict[str, dict[str, Any]] = {
    "t5": {"backbone": "t5"},
    "mt5": {"backbone": "mt5", "scorer_type": "mlp", "embed_class_token": False},
    "umt5": {"backbone": "umt5", "normalize_features": True},
    "average": {"class_token_pooling": "average", "scorer_type": "weighted-dot"},
    "average-behind": {
        "class_token_pooling": "average", "embed_class_token": False, "backbone": "umt5",
    },
    "hopfield": {"scorer_type": "hopfield", "normalize_features": True},
    "features": {"extract_text_features": True, "class_token_pooling": "average"},
    "squeezed": {"squeeze_layers": True, "encoder_layer_id": 1},  # which these never read
}  # fmt: skip
OPTIONS = {f"{kind}-{name}": {"kind": kind, **own} for kind in KINDS for name, own in BOTH.items()}
POOLINGS = {
    f"encoder-decoder-{pooling}": {"kind": "encoder-decoder", "pooling_strategy": pooling}
    for pooling in ("last", "avg", "sum", "max", "rms", "abs_max", "abs_avg")
}
OPTIONS |= POOLINGS
OPTIONS["encoder-decoder-lstm"] = {
    "kind": "encoder-decoder", "use_lstm": True, "pooling_strategy": "avg", "backbone": "mt5",
}  # fmt: skip
OPTIONS["encoder-decoder-pieces"] = {
    "kind": "encoder-decoder", "scorer_type": "cross-attn", "pooling_strategy": "pass",
}  # fmt: skip
# Those that the architecture has no use for, one of which has weights.
OPTIONS["encoder-decoder-cls-dead"] = {
    "kind": "encoder-decoder-cls", "use_lstm": True, "pooling_strategy": "avg",
}  # fmt: skip


def make_reference(kind: str, backbone: str = "t5", **options: Any) -> Any:
    """Return a model of the reference library with weights far from nothing."""
    transformer = {
        "model_type": backbone, "vocab_size": VOCABULARY, "d_model": HIDDEN, "d_kv": 5, "d_ff": 40,
        "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4,
        "relative_attention_num_buckets": 8, "relative_attention_max_distance": 14,
    }  # fmt: skip
    config = GLiClassModelConfig(
        **{
            "architecture_type": kind, "encoder_config": deepcopy(transformer),
            "encoder_model": "text", "class_token_index": LABEL, "text_token_index": TEXT,
            "example_token_index": EXAMPLE, "scorer_num_heads": 4, "scorer_mlp_hidden_size": 40,
            **options,
        }
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = GLiClassModel(config).eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if name.endswith("logit_scale"):
                    continue
                norm = weight.ndim == 1 and bool(weight.mean() > 0.5)
                spread = 0.1 if weight.ndim == 1 else weight.shape[1] ** -0.5
                weight.copy_(spread * torch.randn_like(weight) + float(norm))
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    """Make a checkpoint once: the reference's model, and what our loader makes of its files."""
    root = tmp_path_factory.mktemp("gliclass-t5")

    @cache
    def make(name: str) -> Pair:
        model = make_reference(**OPTIONS[name])
        return model, load_network(save_reference(model, root / name))

    return make


@dataclass(frozen=True)
class Question:
    """A text and its labels, as ids.

    Attributes:
        text: ids of its pieces.
        classes: ids of the labels' sequence.
        markers: place of each label's marker.
        end: place of the marker behind the labels.
    """

    text: tuple[int, ...]
    classes: tuple[int, ...]
    markers: tuple[int, ...]
    end: int

    def ranges(self, options: dict[str, Any], *, swallow: bool) -> list[list[int]]:
        """Return the half-open range of the pieces of each label's vector.

        Args:
            options: of the checkpoint.
            swallow: whether the last label is averaged with all that follows.
        """
        shift = 0 if options.get("embed_class_token", True) else 1
        if options.get("class_token_pooling") != "average":
            return [[place + shift, place + shift + 1] for place in self.markers]
        swallow = swallow and not options.get("extract_text_features")
        ends = [*self.markers[1:], len(self.classes) if swallow else self.end]
        return [[place + shift, end] for place, end in zip(self.markers, ends, strict=True)]


def ask(labels: Sequence[int], words: int, *, prompt: int = 0, seed: int = 0) -> Question:
    """Return labels of so many pieces each and a text of so many."""
    generator = torch.Generator().manual_seed(seed)

    def some(count: int) -> list[int]:
        return torch.randint(5, LABEL, (count,), generator=generator).tolist()

    ids: list[int] = []
    markers = []
    for pieces in labels:
        markers.append(len(ids))
        ids += [LABEL, *some(pieces)]
    end = len(ids)
    ids += [TEXT, *some(prompt), END]
    return Question((*some(words), END), tuple(ids), tuple(markers), end)


QUESTIONS = (
    ask([2, 1, 3, 1], 9, seed=1),
    ask([1, 2], 25, prompt=3, seed=2),
    ask([3] * 7, 1, seed=3),
)


def answer(model: Any, question: Question) -> torch.Tensor:
    """Return the reference's logits (labels,).

    With plain attention: the fused one of transformers forgets that a decoder of UMT5 is causal
    (tests/nn/backbones/test_t5.py).
    """
    model.model.encoder_decoder_model.decoder.set_attn_implementation("eager")
    ids, class_ids = torch.tensor([question.text]), torch.tensor([question.classes])
    model.config.max_num_classes = len(question.markers)
    return model(
        input_ids=ids, attention_mask=torch.ones_like(ids), class_input_ids=class_ids,
        class_attention_mask=torch.ones_like(class_ids),
    ).logits[0]  # fmt: skip


def batch(
    questions: Sequence[Question],
    options: dict[str, Any],
    *,
    padding: int = 0,
    swallow: bool = True,
) -> dict[str, torch.Tensor]:
    """Return the inputs of ``classify``; what stands at padding has to make no difference."""
    rows, generator = len(questions), torch.Generator().manual_seed(0)

    def padded(sequences: list[Any], *more: int) -> tuple[torch.Tensor, torch.Tensor]:
        longest = max(len(s) for s in sequences) + padding
        filled = torch.randint(0, 5, (rows, longest, *more), generator=generator)
        mask = torch.zeros(rows, longest, dtype=torch.int64)
        for row, sequence in enumerate(sequences):
            filled[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 1
        return filled, mask

    ids, mask = padded([q.text for q in questions])
    class_ids, class_mask = padded([q.classes for q in questions])
    labels, label_mask = padded([q.ranges(options, swallow=swallow) for q in questions], 2)
    return {
        "ids": ids, "mask": mask, "class_ids": class_ids, "class_mask": class_mask,
        "text_mask": mask, "labels": labels, "label_mask": label_mask,
    }  # fmt: skip


def classify(
    run: Callable[..., torch.Tensor],
    questions: Sequence[Question],
    options: dict[str, Any],
    **more: Any,
) -> list[torch.Tensor]:
    """Return our logits (labels,) of each question."""
    inputs = batch(questions, options, **more)
    logits = run(*inputs.values())
    assert not logits[inputs["label_mask"] == 0].any()
    return [row[: len(q.markers)] for row, q in zip(logits, questions, strict=True)]


def assert_same(got: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> None:
    for mine, other in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_same_logits(name: str, saved: Callable[[str], Pair]) -> None:
    model, network = saved(name)
    run, options = network.graphs()["classify"], OPTIONS[name]
    expected = [answer(model, question) for question in QUESTIONS]
    assert_same([classify(run, [q], options)[0] for q in QUESTIONS], expected)
    assert_same(classify(run, QUESTIONS, options, padding=4), expected)
    assert torch.cat(expected).abs().mean() > 0.05
    assert torch.cat(expected).std() > 0.01


# How pools are exported is tested with uni-encoders, in test_gliclass_network.py.
@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in POOLINGS])
@torch.no_grad()
def test_graphs_say_what_torch_says(
    name: str, saved: Callable[[str], Pair], tmp_path: Path
) -> None:
    _, network = saved(name)
    network.prepare()
    described = graphs(network.config)
    export_graphs(network, network.graphs(), described, tmp_path, hidden=network.hidden)
    backend = OnnxBackend(tmp_path, described, threads=1)

    def run(*arrays: torch.Tensor) -> torch.Tensor:
        feed = {n: a.numpy() for n, a in zip(described[0].inputs, arrays, strict=True)}
        return torch.from_numpy(backend.run("classify", feed)[0])

    for questions in (QUESTIONS[:1], QUESTIONS, [ask([1] * 30, 60, seed=5)]):
        expected = classify(network.graphs()["classify"], questions, OPTIONS[name])
        assert_same(classify(run, questions, OPTIONS[name]), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_trained(kind: str, saved: Callable[[str], Pair]) -> None:
    """Every weight that is read has a gradient, the shared one that of both of its readers."""
    model, network = saved(f"{kind}-average")
    logits = classify(network.graphs()["classify"], QUESTIONS[:1], OPTIONS[f"{kind}-average"])[0]
    logits.sum().backward()
    answer(model, QUESTIONS[0]).sum().backward()
    theirs = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    shared = VECTORS.format("shared")
    mine = network.transformer.word_embeddings.weight.grad  # type: ignore[union-attr]
    torch.testing.assert_close(mine, theirs[shared], atol=1e-5, rtol=1e-4)
    without = {name for name, p in network.named_parameters() if p.grad is None}
    assert without == {"head.logit_scale"}
    network.zero_grad(set_to_none=True)
    model.zero_grad(set_to_none=True)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_the_reference_forgets_the_vectors_of_its_decoder(
    kind: str, saved: Callable[[str], Pair], tmp_path: Path
) -> None:
    """It writes the one table once and makes a random one for the decoder when it reads it back.

    Its answers then are others. Ours are not, and what we write the reference reads rightly: we
    write the table a second time, under the name that it looks for.
    """
    name = f"{kind}-umt5"
    model, network = saved(name)
    theirs = save_reference(model, tmp_path / "theirs")
    names = load_file(theirs / "model.safetensors").keys()
    assert VECTORS.format("shared") in names
    assert VECTORS.format("decoder.embed_tokens") not in names

    expected = [answer(model, question) for question in QUESTIONS]
    reloaded = GLiClassModel.from_pretrained(theirs).eval()
    forgot = [answer(reloaded, question) for question in QUESTIONS]
    assert min((a - b).abs().max() for a, b in zip(forgot, expected, strict=True)) > 0.01
    run = load_network(theirs).graphs()["classify"]
    assert_same([classify(run, [q], OPTIONS[name])[0] for q in QUESTIONS], expected)

    ours = tmp_path / "ours"
    save_network(network, ours, tokenizer_from=theirs)
    again = GLiClassModel.from_pretrained(ours).eval()
    assert_same([answer(again, question) for question in QUESTIONS], expected)
    state = load_network(ours).state_dict()
    assert all(torch.equal(state[key], weight) for key, weight in network.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_the_table_of_vectors_may_have_any_of_its_names(
    kind: str, saved: Callable[[str], Pair], tmp_path: Path
) -> None:
    name = f"{kind}-t5"
    model, _ = saved(name)
    theirs = save_reference(model, tmp_path)
    state = load_file(theirs / "model.safetensors")
    vectors = state.pop(VECTORS.format("shared"))
    expected = [answer(model, QUESTIONS[0])]
    for part in ("encoder", "decoder"):
        alone = {**state, VECTORS.format(f"{part}.embed_tokens"): vectors}
        save_file(alone, theirs / "model.safetensors")
        run = load_network(theirs).graphs()["classify"]
        assert_same(classify(run, QUESTIONS[:1], OPTIONS[name]), expected)
    other = {**alone, VECTORS.format("shared"): vectors + 1}
    save_file(other, theirs / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"shared.weight and decoder.embed_tokens.weight"):
        load_network(theirs)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_the_last_averaged_label_ends_where_the_labels_end(
    kind: str, saved: Callable[[str], Pair]
) -> None:
    """The reference averages it with the prompt and the end of the sequence."""
    name = f"{kind}-average"
    model, network = saved(name)
    run, question = network.graphs()["classify"], QUESTIONS[1]
    own = classify(run, [question], OPTIONS[name], swallow=False)[0]
    swallowed = answer(model, question)
    torch.testing.assert_close(own[:-1], swallowed[:-1], atol=1e-5, rtol=1e-5)
    assert (own[-1] - swallowed[-1]).abs() > 0.001


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_more_labels_than_the_configuration_says(kind: str, saved: Callable[[str], Pair]) -> None:
    """The reference has so many slots, whatever it is asked; ours has none."""
    name = f"{kind}-t5"
    model, network = saved(name)
    question = ask([1] * 40, 9, seed=4)
    run = network.graphs()["classify"]
    assert_same(classify(run, [question], OPTIONS[name]), [answer(model, question)])


def test_a_scorer_that_reads_pieces_needs_more_than_one(tmp_path: Path) -> None:
    model = make_reference("encoder-decoder-cls", scorer_type="cross-attn")
    with pytest.raises((ValueError, RuntimeError)):
        answer(model, QUESTIONS[0])
    with pytest.raises(CheckpointError, match="cross-attn reads the pieces of a text"):
        load_network(save_reference(model, tmp_path))


def test_another_encoder_decoder_is_refused(tmp_path: Path) -> None:
    bart = {
        "model_type": "bart", "vocab_size": VOCABULARY, "d_model": HIDDEN, "encoder_layers": 1,
        "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
        "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "max_position_embeddings": 40,
    }  # fmt: skip
    model = make_reference("encoder-decoder", encoder_config=bart)
    with pytest.raises(CheckpointError, match="'bart' is not of the T5 family; expected t5, mt5"):
        load_network(save_reference(model, tmp_path))
