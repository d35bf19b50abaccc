"""Decoders of GLiClass against gliclass 0.1.21: the same logits of ids, and the same loss.

Scores of strings are compared in test_gliclass.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from gliclass import GLiClassModel

from onepass import Schema
from onepass.backends.onnx import OnnxBackend
from onepass.corpus.question import Question
from onepass.errors import CheckpointError
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.graphs import graphs
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliclass.network.build import build_network
from onepass.models.gliclass.network.checkpoint import load_network, save_network
from onepass.models.gliclass.network.network import Encoders, GliclassNetwork
from onepass.nn.backbones.deberta import DebertaConfig
from onepass.nn.graphs.export import export_graphs
from onepass.training.gliclass import GliclassTrainee
from tests.gliclass_checkpoints import (
    AGAIN,
    DECODER,
    ENCODERS,
    HIDDEN,
    LABEL,
    TEXT,
    make_reference,
    save_reference,
    write_checkpoint,
)

HYBRID = {
    **ENCODERS["qwen3"], "model_type": "qwen3_5_text", "linear_key_head_dim": 8,
    "linear_value_head_dim": 8, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "layer_types": ["linear_attention", "full_attention", "linear_attention"],
}  # fmt: skip
VISION = {
    "depth": 1, "hidden_size": 16, "num_heads": 2, "intermediate_size": 16, "patch_size": 4,
    "out_hidden_size": HIDDEN, "num_position_embeddings": 16, "deepstack_visual_indexes": [],
}  # fmt: skip
CALIBRATED = {"use_calibrator": True, "calibrator_hidden_size": 24, "calibrator_use_bias": True}
OPTIONS: dict[str, dict[str, Any]] = {
    "once": {"scorer_encoder_num_layers": 1},
    "normalized": {"normalize_features": True},
    "calibrated": CALIBRATED,
    "again": {"recurrent_steps": 3, "recurrent_halt_threshold": None},
    "again, with the text": AGAIN,
    "more often than trained": {**AGAIN, "recurrent_inference_max_steps": 5},
    "halting": {**AGAIN, "recurrent_steps": 5, "recurrent_halt_threshold": 0.015},
    "halting, label by label": {
        "recurrent_steps": 5, "recurrent_halt_threshold": 0.015, **CALIBRATED,
        "problem_type": "multi_label_classification",
    },
    "trained alone": {**AGAIN, "recurrent_inference": False},
    "hybrid": {"encoder_config": HYBRID},
}  # fmt: skip
TORCH_ALONE = {"hybrid"}
Pair = tuple[Any, GliclassNetwork]


@dataclass(frozen=True)
class Asked:
    """A text and its labels, as ids.

    Attributes:
        ids: of the pieces.
        section: place at which the labels begin.
        markers: place of each label's marker.
    """

    ids: tuple[int, ...]
    section: int
    markers: tuple[int, ...]


def ask(words: int, labels: Sequence[int], seed: int) -> Asked:
    """Return a text of so many pieces and labels of so many each."""
    generator = torch.Generator().manual_seed(seed)

    def some(count: int) -> list[int]:
        return torch.randint(5, LABEL, (count,), generator=generator).tolist()

    ids, markers = [*some(words), TEXT], []
    for pieces in labels:
        ids += [*some(pieces), LABEL]
        markers.append(len(ids) - 1)
    return Asked((*ids, TEXT), words + 1, tuple(markers))


QUESTIONS = (ask(9, [2, 1, 3], 1), ask(30, [1, 2], 2), ask(0, [3] * 7, 3))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    """Make a checkpoint once: the reference's model, and what our loader makes of its files."""
    root = tmp_path_factory.mktemp("gliclass-decoder")

    @cache
    def make(name: str) -> Pair:
        model = make_reference(**DECODER, **OPTIONS[name])
        network = load_network(save_reference(model, root / name.replace(" ", "-")))
        return model, network

    return make


def answer(model: Any, asked: Asked) -> Any:
    """Return what the reference says of one text."""
    ids = torch.tensor([asked.ids])
    return model(input_ids=ids, attention_mask=torch.ones_like(ids))


def classify(
    run: Callable[..., torch.Tensor], questions: Sequence[Asked], *, padding: int = 0
) -> list[torch.Tensor]:
    """Return our logits (labels,) of each question; what stands at padding plays no part."""
    generator = torch.Generator().manual_seed(0)

    def padded(rows: list[list[int]], most: int) -> tuple[torch.Tensor, torch.Tensor]:
        longest = max(map(len, rows)) + padding
        filled = torch.randint(0, most, (len(rows), longest), generator=generator)
        mask = torch.zeros(len(rows), longest, dtype=torch.int64)
        for line, row in enumerate(rows):
            filled[line, : len(row)], mask[line, : len(row)] = torch.tensor(row), 1
        return filled, mask

    ids, mask = padded([list(q.ids) for q in questions], 5)
    section, section_mask = padded([list(range(q.section, len(q.ids))) for q in questions], 1)
    places, label_mask = padded([[m - q.section for m in q.markers] for q in questions], 1)
    labels = torch.stack((places, places + 1), 2)
    logits = run(ids, mask, section, section_mask, labels, label_mask)
    assert not logits[label_mask == 0].any()
    return [row[: len(q.markers)] for row, q in zip(logits, questions, strict=True)]


def assert_same(got: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> None:
    for mine, other in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", OPTIONS)
@torch.no_grad()
def test_same_logits(name: str, saved: Callable[[str], Pair]) -> None:
    model, network = saved(name)
    run = network.graphs()["classify"]
    expected = [answer(model, question).logits[0] for question in QUESTIONS]
    assert_same([classify(run, [question])[0] for question in QUESTIONS], expected)
    assert_same(classify(run, QUESTIONS, padding=4), expected)
    assert torch.cat(expected).std() > 0.01


@torch.no_grad()
def test_labels_may_stand_farther_apart_than_distances_are_told(
    saved: Callable[[str], Pair],
) -> None:
    model, network = saved("again, with the text")
    question = ask(20, [1] * 400, 4)
    found = classify(network.graphs()["classify"], [question])
    assert_same(found, [answer(model, question).logits[0]])


@torch.no_grad()
def test_texts_halt_each_by_itself(saved: Callable[[str], Pair]) -> None:
    """What is compared above is read more or less often from text to text."""
    for name in ("halting", "halting, label by label"):
        steps = {
            int(answer(saved(name)[0], question).recurrent_num_steps) for question in QUESTIONS
        }
        assert len(steps) > 1
        assert min(steps) < 5


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in TORCH_ALONE])
@torch.no_grad()
def test_graphs_say_what_torch_says(
    name: str, saved: Callable[[str], Pair], tmp_path: Path
) -> None:
    _, network = saved(name)
    network.prepare()
    described = graphs(network.config)
    export_graphs(network, network.graphs(), described, tmp_path, hidden=HIDDEN)
    backend = OnnxBackend(tmp_path, described, threads=1)

    def run(*arrays: torch.Tensor) -> torch.Tensor:
        feed = {n: a.numpy() for n, a in zip(described[0].inputs, arrays, strict=True)}
        return torch.from_numpy(backend.run("classify", feed)[0])

    for questions in (QUESTIONS[:1], QUESTIONS, [ask(60, [1] * 30, 5)]):
        expected = classify(network.graphs()["classify"], questions)
        assert_same(classify(run, questions, padding=3), expected)


@torch.no_grad()
def test_what_we_save_the_reference_reads(saved: Callable[[str], Pair], tmp_path: Path) -> None:
    model, network = saved("again, with the text")
    save_network(network, tmp_path, tokenizer_from=tmp_path)
    again = GLiClassModel.from_pretrained(tmp_path).eval()
    for question in QUESTIONS:
        assert_same([answer(again, question).logits], [answer(model, question).logits])


def calm(network: Any) -> Any:
    """Return a network of either library, in training mode, in which nothing is dropped."""
    for module in network.train().modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        config = getattr(module, "config", None)
        if isinstance(config, DebertaConfig):  # ours
            module.config = replace(config, dropout=0.0, attention_dropout=0.0)
    return network


@pytest.mark.parametrize("mode", ["relative", "absolute"])
@pytest.mark.parametrize("problem", ["single", "multi"])
def test_the_loss_and_its_gradients_are_those_of_the_reference(
    problem: str, mode: str, tmp_path: Path
) -> None:
    """Over all readings: the focal loss, what gets no better, and what gets no surer."""
    focal = {"alpha": 0.6, "gamma": 2.0} if problem == "multi" else {}
    model, _ = write_checkpoint(
        tmp_path, **DECODER, **AGAIN, dropout=0.0, recurrent_min_steps=3,
        recurrent_confidence_coef=0.7, recurrent_confidence_mode=mode,
        recurrent_improvement_coef=0.4, recurrent_improvement_margin=0.2,
        problem_type=f"{problem}_label_classification",
        focal_loss_alpha=focal.get("alpha", -1), focal_loss_gamma=focal.get("gamma", 0),
    )  # fmt: skip
    trainee = GliclassTrainee(tmp_path, GliclassLoss(problem=problem, **focal))
    asked = []
    for text, labels, true in (
        ("tim runs apple in paris", ["red", "news of art", "sports"], 1),
        ("rome", ["red", "calm"], 0),
    ):
        schema = Schema().classification("class", labels, multi_label=True)
        asked += trainee.ask(Question(text, schema, classes=((true,),)), 200)
    batch = trainee.build(asked)
    network = calm(trainee.network)
    loss, terms = trainee.loss(network, batch)
    gold = torch.tensor([1, 0]) if problem == "single" else torch.from_numpy(batch.true)
    ids, mask = (torch.from_numpy(batch.inputs[name]) for name in ("ids", "mask"))
    wanted = calm(model)(input_ids=ids, attention_mask=mask, labels=gold).loss
    torch.testing.assert_close(loss, wanted)
    assert set(terms) == {problem, "improvement", "confidence"}
    loss.backward()
    wanted.backward()
    theirs = {name: weight.grad for name, weight in model.named_parameters()}
    for ours, name in (
        (network.head.cell.update, "scorer.reasoning_cell.update_gate"),
        (network.head.scorer.text, "scorer.text_projector"),
        (network.backbone.model.embed_tokens, "decoder_model.embed_tokens"),
    ):
        wanted = theirs[f"model.{name}.weight"]
        assert wanted.abs().max() > 1e-4
        torch.testing.assert_close(ours.weight.grad, wanted, atol=1e-6, rtol=1e-4)


@torch.no_grad()
def test_a_checkpoint_that_sees_reads_text_and_is_saved_as_one_of_text(tmp_path: Path) -> None:
    whole = {"model_type": "qwen3_5", "text_config": dict(HYBRID), "vision_config": VISION}
    media = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    whole |= dict.fromkeys(media, 4)  # of which no text has one
    model = make_reference(**DECODER, multimodal=True, encoder_config=whole)
    network = load_network(save_reference(model, tmp_path / "theirs"))
    expected = [answer(model, question).logits[0] for question in QUESTIONS]
    assert_same(classify(network.graphs()["classify"], QUESTIONS, padding=4), expected)
    save_network(network, tmp_path / "ours", tokenizer_from=tmp_path)
    again = GLiClassModel.from_pretrained(tmp_path / "ours").eval()
    assert not again.config.multimodal
    assert_same([answer(again, question).logits[0] for question in QUESTIONS], expected)


# -- where ours is meant to differ ----------------------------------------------------------------


def own_network(encoder: Mapping[str, Any]) -> GliclassNetwork:
    """Return a random network that the reference does not make."""
    raw = {"architecture_type": "decoder-kv", "encoder_config": encoder}
    return build_network(GliclassConfig.from_dict(raw), Encoders(text=encoder)).eval()


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2"])
@torch.no_grad()
def test_other_language_models_are_read_too(kind: str) -> None:
    """The reference takes Qwen3 and its next generation alone."""
    encoder = {**ENCODERS["qwen3"], "model_type": kind}
    with pytest.raises(ValueError, match="requires Qwen3"):
        make_reference(**DECODER, encoder_config=dict(encoder))
    run = own_network(encoder).graphs()["classify"]
    alone = [classify(run, [question])[0] for question in QUESTIONS]
    assert_same(classify(run, QUESTIONS, padding=4), alone)


def test_what_reads_both_ways_is_no_decoder() -> None:
    with pytest.raises(CheckpointError, match="'bert' reads in both directions"):
        own_network(ENCODERS["bert"])


def test_a_scorer_of_another_size_is_refused(tmp_path: Path) -> None:
    model = make_reference(**DECODER)
    model.config.hidden_size = 64
    with pytest.raises(CheckpointError, match=r"of 64 numbers .* but its decoder gives 32"):
        load_network(save_reference(model, tmp_path))
