"""Our GLiClass networks say what gliclass says, on its own random weights, in torch and in ONNX.

Texts go to the reference one by one: it lets the padding of a batch into most pools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("gliclass")

from gliclass import GLiClassModel
from gliclass.poolings import POOLING2OBJECT

from onepass.backends.onnx import OnnxBackend
from onepass.models.gliclass.graphs import graphs
from onepass.models.gliclass.network.build import build_network
from onepass.models.gliclass.network.checkpoint import load_network, save_network
from onepass.models.gliclass.network.network import GliclassNetwork
from onepass.nn.graphs.export import export_graphs
from tests.gliclass_checkpoints import (
    LABEL,
    Prompt,
    make_prompt,
    make_reference,
    save_reference,
)

SCORERS = ("simple", "weighted-dot", "mlp", "hopfield")
POOLINGS = ("first", "last", "avg", "sum", "max", "rms", "abs_max", "abs_avg")
GRID = [*product(SCORERS, POOLINGS), ("cross-attn", "pass")]
# Of labels and vectors: where labels are pooled, whether their marker counts, whether the text's
# vector is of the text alone, and whether vectors are normalized. Each half has every three of them
# together in all ways, and neighbors in the grid have different halves.
SWITCHES = list(product((False, True), repeat=4))
HALVES = [[one for one in SWITCHES if sum(one) % 2 == odd] for odd in (0, 1)]
PROMPTS = (
    make_prompt([2, 1, 3, 1], 9, seed=1),
    make_prompt([1, 2], 4, first=False, seed=2),
    make_prompt([3], 12, examples=5, seed=3),
)
TOLERANCE = {"atol": 1e-5, "rtol": 1e-5}
Pair = tuple[Any, GliclassNetwork]


class Trimmed(nn.Module):
    """A pool of the reference over the text alone: it pools the zeros behind it as well."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool, self.pieces = pool, 0

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.pool(states[:, : self.pieces])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Pair]:
    """Make a checkpoint once: the reference's model, and what our loader makes of its files."""
    root = tmp_path_factory.mktemp("gliclass")

    @cache
    def make(**options: Any) -> Pair:
        model = make_reference(**options)
        return model, load_network(save_reference(model, root / str(len(list(root.iterdir())))))

    return make


def answer(model: Any, prompt: Prompt) -> torch.Tensor:
    """Return the reference's logits (labels,)."""
    ids = torch.tensor([prompt.ids])
    count = len(prompt.markers)
    out = model(input_ids=ids, attention_mask=torch.ones_like(ids), max_num_classes=count)
    return out.logits[0, :count]


def batch(
    network: GliclassNetwork,
    prompts: Sequence[Prompt],
    *,
    padding: tuple[int, int] = (0, 0),
    swallow: bool = True,
) -> dict[str, torch.Tensor]:
    """Return the inputs of ``classify`` that prompts give, by name.

    Args:
        network: says what its vectors are of.
        prompts: one a text.
        padding: pieces and labels that are added to the longest.
        swallow: whether the last label has the text in it where the reference puts it there.
    """
    config = network.config
    bi = config.architecture == "bi-encoder"
    marker = config.embed_class_token or config.architecture == "bi-encoder-fused"
    pieces = max(len(p.ids) for p in prompts) + padding[0]
    labels = max(len(p.markers) for p in prompts) + padding[1]
    generator = np.random.default_rng(0)
    made = {
        # what stands at padding has to make no difference
        "ids": generator.integers(5, LABEL, (len(prompts), pieces)),
        "mask": np.zeros((len(prompts), pieces), dtype=np.int64),
        "segments": generator.integers(0, 3, (len(prompts), pieces)),
        "text_mask": np.zeros((len(prompts), pieces), dtype=np.int64),
        "labels": generator.integers(0, 3, (len(prompts), labels, 2)),
        "label_mask": np.zeros((len(prompts), labels), dtype=np.int64),
    }
    for row, p in enumerate(prompts):
        length = len(p.ids)
        made["ids"][row, :length] = p.ids
        made["mask"][row, :length] = 1
        made["segments"][row, :length] = np.arange(length) >= p.text
        features = config.text_features and config.architecture == "uni-encoder"
        made["text_mask"][row, :length] = p.text_mask(features=features)
        last = length if swallow and not config.text_features else None
        average = config.class_pooling == "average"
        ranges = p.ranges(average=average, marker=marker, last=last)
        made["labels"][row, : len(ranges)] = ranges
        made["label_mask"][row, : len(ranges)] = 1
    if bi or not config.segment_embeddings:
        del made["segments"]
    if bi:
        del made["labels"]
    return {name: torch.from_numpy(array) for name, array in made.items()}


def classify(
    network: GliclassNetwork,
    prompts: Sequence[Prompt],
    vectors: torch.Tensor | None = None,
    **options: Any,
) -> list[torch.Tensor]:
    """Return our logits (labels,) of each prompt."""
    inputs = batch(network, prompts, **options)
    if vectors is not None:
        mask = inputs.pop("label_mask")
        more = torch.full((len(prompts), mask.shape[1], vectors.shape[1]), 7.0)
        for row, p in enumerate(prompts):
            more[row, : len(p.markers)] = vectors[: len(p.markers)]
        inputs |= {"vectors": more, "label_mask": mask}
    logits = network.graphs()["classify"](*inputs.values())
    assert logits.shape == inputs["label_mask"].shape
    assert not logits[inputs["label_mask"] == 0].any()
    return [row[: len(p.markers)] for row, p in zip(logits, prompts, strict=True)]


def assert_same(got: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> None:
    for mine, other in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, other, **TOLERANCE)
    every = torch.cat(list(expected))
    assert every.abs().mean() > 0.05
    assert len(every) == 1 or every.std() > 0.01


@pytest.mark.parametrize(("scorer", "pooling"), GRID)
@torch.no_grad()
def test_every_option_of_the_uni_encoder(
    scorer: str, pooling: str, saved: Callable[..., Pair]
) -> None:
    turn = SCORERS.index(scorer) + POOLINGS.index(pooling) if pooling != "pass" else 0
    # Weights do not depend on these options; ours are built anew, the reference reads its own.
    model, loaded = saved(
        scorer_type=scorer, pooling_strategy="pass" if pooling == "pass" else "first"
    )
    state, encoders = loaded.state_dict(), loaded.encoders
    own = model.config
    before = model.model.pooler, {name: own.to_dict()[name] for name in (
        "class_token_pooling", "embed_class_token", "extract_text_features", "normalize_features"
    )}  # fmt: skip
    try:
        for average, embed, features, normalize in HALVES[turn % 2]:
            class_pooling = "average" if average else "first"
            trimmed = Trimmed(POOLING2OBJECT[pooling]())
            model.model.pooler = trimmed if features and pooling != "pass" else trimmed.pool
            own.class_token_pooling, own.embed_class_token = class_pooling, embed
            own.extract_text_features, own.normalize_features = features, normalize
            config = replace(
                loaded.config, pooling=pooling, class_pooling=class_pooling,
                embed_class_token=embed, text_features=features, normalize=normalize,
            )  # fmt: skip
            network = build_network(config, encoders).eval()
            network.load_state_dict(state)
            expected = []
            for prompt in PROMPTS:
                trimmed.pieces = len(prompt.ids) - prompt.text
                expected.append(answer(model, prompt))
            alone = [classify(network, [prompt])[0] for prompt in PROMPTS]
            assert_same(alone, expected)
            assert_same(classify(network, PROMPTS, padding=(3, 2)), expected)
    finally:
        model.model.pooler = before[0]
        for name, value in before[1].items():
            setattr(own, name, value)


# What changes weights: name to options of the uni-encoder.
UNI: Mapping[str, Mapping[str, Any]] = {
    "bert": {"encoder": "bert"},
    "modernbert": {"encoder": "modernbert", "scorer_type": "mlp", "pooling_strategy": "avg"},
    "t5": {"encoder": "t5", "pooling_strategy": "avg"},
    "lstm": {"use_lstm": True, "pooling_strategy": "max"},
    "lstm-features": {
        "use_lstm": True, "extract_text_features": True, "pooling_strategy": "rms",
        "scorer_type": "weighted-dot",
    },
    "lstm-cross": {"use_lstm": True, "scorer_type": "cross-attn", "pooling_strategy": "pass"},
    "segments": {"use_segment_embeddings": True},
    "segments-bert": {"encoder": "bert", "use_segment_embeddings": True, "use_lstm": True},
    "segments-t5": {"encoder": "t5", "use_segment_embeddings": True},
    "segments-modernbert": {"encoder": "modernbert", "use_segment_embeddings": True},
    # With layer_wise the reference has all layers, and so can read one of them.
    "embeddings": {"encoder_layer_id": 0, "layer_wise": True, "embed_class_token": False},
    "layer-2": {"encoder_layer_id": 2, "layer_wise": True},
    "layer-last": {"encoder_layer_id": 3, "layer_wise": True, "encoder": "bert"},
    "layer-from-behind": {"encoder_layer_id": -2, "layer_wise": True, "encoder": "modernbert"},
    "layer-not-squeezed": {"encoder_layer_id": 1, "squeeze_layers": True},
    "narrow-projection": {"hidden_size": 20},
    "relu": {"projector_hidden_act": "relu"},
    "scaled": {"normalize_features": True, "logit_scale_init_value": 5.0},
}  # fmt: skip
WITHOUT_EXAMPLES = [p for p in PROMPTS if p.examples is None]  # of all segments it makes 2


@pytest.mark.parametrize("name", UNI)
@torch.no_grad()
def test_parts_of_the_uni_encoder(name: str, saved: Callable[..., Pair]) -> None:
    model, network = saved(**UNI[name])
    prompts = WITHOUT_EXAMPLES if name.startswith("segments") else PROMPTS
    expected = [answer(model, prompt) for prompt in prompts]
    assert_same([classify(network, [prompt])[0] for prompt in prompts], expected)
    assert_same(classify(network, prompts, padding=(5, 3)), expected)


# Bi-encoders: options, and how labels reach `classify`.
BI: Mapping[str, Mapping[str, Any]] = {
    f"{kind}-{name}": {"architecture_type": kind, **options}
    for kind in ("bi-encoder", "bi-encoder-fused")
    for name, options in {
        "simple": {},
        "normalized": {"normalize_features": True, "pooling_strategy": "avg"},
        "bert": {"encoder": "bert", "scorer_type": "mlp", "pooling_strategy": "max"},
        "weighted": {"scorer_type": "weighted-dot", "pooling_strategy": "rms"},
        "hopfield": {"scorer_type": "hopfield", "label_encoder": "deberta-v2"},
        "dead": {  # what it keeps and never reads
            "use_lstm": True, "squeeze_layers": True, "class_token_pooling": "average",
            "extract_text_features": True, "embed_class_token": False, "encoder_layer_id": 1,
            "pooling_strategy": "last", "encoder": "modernbert",
        },
    }.items()
}  # fmt: skip
LABEL_IDS = torch.tensor([[1, 7, 9, 2], [1, 30, 31, 2], [1, 8, 8, 2], [1, 50, 9, 2]])


def bi_answer(model: Any, prompt: Prompt) -> torch.Tensor:
    """Return the reference's logits of the first labels for a prompt's text."""
    ids, count = torch.tensor([prompt.ids]), len(prompt.markers)
    label_ids = LABEL_IDS[None, :count]
    return model(
        input_ids=ids, attention_mask=torch.ones_like(ids), class_input_ids=label_ids,
        class_attention_mask=torch.ones_like(label_ids),
        labels_mask=torch.ones(1, count, dtype=torch.long),
    ).logits[0]  # fmt: skip


@pytest.mark.parametrize("name", BI)
@torch.no_grad()
def test_bi_encoders(name: str, saved: Callable[..., Pair]) -> None:
    model, network = saved(**BI[name])
    expected = [bi_answer(model, prompt) for prompt in PROMPTS]
    # labels may be padded too
    label_ids = torch.cat([LABEL_IDS, torch.full((4, 2), 20)], dim=1)
    label_mask = (torch.arange(6) < 4).long().expand(4, -1)
    vectors = network.graphs()["encode_labels"](label_ids, label_mask)
    assert_same([classify(network, [p], vectors)[0] for p in PROMPTS], expected)
    assert_same(classify(network, PROMPTS, vectors, padding=(4, 2)), expected)


ALL = {**{f"uni-{name}": options for name, options in UNI.items()}, **BI}


@pytest.mark.parametrize("name", ALL)
@torch.no_grad()
def test_what_we_save_says_the_same_in_the_reference(
    name: str, saved: Callable[..., Pair], tmp_path: Path
) -> None:
    model, network = saved(**ALL[name])
    save_network(network, tmp_path, tokenizer_from=tmp_path)
    again = GLiClassModel.from_pretrained(tmp_path).eval()
    ask = bi_answer if name in BI else answer
    for prompt in PROMPTS:
        torch.testing.assert_close(ask(again, prompt), ask(model, prompt), **TOLERANCE)
    ours = load_network(tmp_path).state_dict()
    assert all(torch.equal(ours[key], weight) for key, weight in network.state_dict().items())


def test_unknown_options_are_kept(tmp_path: Path) -> None:
    from onepass.hub.files import read_json

    model = make_reference()
    model.config.shuffle_labels, model.config.kl_beta = True, 0.25
    network = load_network(save_reference(model, tmp_path / "theirs"))
    save_network(network, tmp_path / "ours", tokenizer_from=tmp_path / "theirs")
    theirs, ours = (read_json(tmp_path / name / "config.json") for name in ("theirs", "ours"))
    assert ours == theirs
    assert ours["kl_beta"] == 0.25


GRAPHS = {
    **{
        f"grid-{scorer}-{pooling}": {
            "scorer_type": scorer, "pooling_strategy": pooling, "class_token_pooling": "average",
            "extract_text_features": pooling in ("first", "last", "avg", "pass"),
            "normalize_features": pooling in ("max", "pass"),
        }
        for scorer, pooling in [*zip(SCORERS * 2, POOLINGS, strict=True), ("cross-attn", "pass")]
    },
    **ALL,
    "uni-squeezed": {"squeeze_layers": True},
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
@torch.no_grad()
def test_graphs_say_what_torch_says(name: str, saved: Callable[..., Pair], tmp_path: Path) -> None:
    _, network = saved(**GRAPHS[name])
    network.prepare()
    described = graphs(network.config)
    assert {graph.name for graph in described} == network.graphs().keys()
    export_graphs(network, network.graphs(), described, tmp_path, hidden=network.hidden)
    backend = OnnxBackend(tmp_path, described, threads=1)
    vectors = None
    if name in BI:
        inputs = {"label_ids": LABEL_IDS.numpy(), "label_mask": np.ones((4, 4), dtype=np.int64)}
        (found,) = backend.run("encode_labels", inputs)
        vectors = network.graphs()["encode_labels"](*map(torch.from_numpy, inputs.values()))
        torch.testing.assert_close(torch.from_numpy(found), vectors, **TOLERANCE)

    def run(*arrays: torch.Tensor) -> torch.Tensor:
        classify_graph = next(graph for graph in described if graph.name == "classify")
        feed = {n: a.numpy() for n, a in zip(classify_graph.inputs, arrays, strict=True)}
        return torch.from_numpy(backend.run("classify", feed)[0])

    functions = network.graphs()
    for prompts in (PROMPTS[:1], PROMPTS, [make_prompt([1] * 12, 60, seed=5)]):
        if vectors is not None and len(prompts[0].markers) > 4:
            continue
        expected = classify(network, prompts, vectors)
        network.graphs = lambda: {**functions, "classify": run}  # type: ignore[method-assign]
        try:
            got = classify(network, prompts, vectors)
        finally:
            del network.graphs
        for mine, other in zip(got, expected, strict=True):
            torch.testing.assert_close(mine, other, **TOLERANCE)


# Where we differ from the reference on purpose.


@torch.no_grad()
def test_the_last_averaged_label_ends_where_the_text_begins(saved: Callable[..., Pair]) -> None:
    model, network = saved(class_token_pooling="average")
    prompt = PROMPTS[0]
    swallowed, own = classify(network, [prompt])[0], classify(network, [prompt], swallow=False)[0]
    torch.testing.assert_close(swallowed, answer(model, prompt), **TOLERANCE)
    torch.testing.assert_close(own[:-1], swallowed[:-1], **TOLERANCE)
    assert (own[-1] - swallowed[-1]).abs() > 0.05


@torch.no_grad()
def test_examples_have_a_segment_of_their_own(saved: Callable[..., Pair]) -> None:
    """The reference looks for the first piece that begins no example, and makes all of them 2."""
    model, network = saved(**UNI["segments"])
    inputs = batch(network, PROMPTS[2:])
    all_examples = inputs | {"segments": torch.full_like(inputs["segments"], 2)}
    run = network.graphs()["classify"]
    theirs = answer(model, PROMPTS[2])
    torch.testing.assert_close(run(*all_examples.values())[0], theirs, **TOLERANCE)
    assert (run(*inputs.values())[0] - theirs).abs().max() > 0.01


@torch.no_grad()
def test_empty_label_slots_take_no_share(saved: Callable[..., Pair]) -> None:
    """In the reference they do, so that its scores depend on how many slots there are."""
    model, network = saved(scorer_type="hopfield")
    prompt = PROMPTS[0]
    ids, count = torch.tensor([prompt.ids]), len(prompt.markers)
    slots = model(input_ids=ids, attention_mask=torch.ones_like(ids), max_num_classes=25)
    expected = answer(model, prompt)
    assert (slots.logits[0, :count] - expected).abs().max() > 0.01
    assert_same(classify(network, [prompt], padding=(0, 25 - count)), [expected])


@torch.no_grad()
def test_the_padding_of_a_batch_is_not_pooled(saved: Callable[..., Pair]) -> None:
    """In the reference it is."""
    model, network = saved(pooling_strategy="avg")
    prompt, pieces = PROMPTS[1], 30
    ids, mask = torch.zeros(2, 1, pieces, dtype=torch.long)
    ids[0, : len(prompt.ids)], mask[0, : len(prompt.ids)] = torch.tensor(prompt.ids), 1
    leaked = model(input_ids=ids, attention_mask=mask, max_num_classes=2).logits[0]
    expected = answer(model, prompt)
    assert (leaked - expected).abs().max() > 0.01
    assert_same(classify(network, [prompt], padding=(pieces - len(prompt.ids), 0)), [expected])


@torch.no_grad()
def test_what_fills_up_a_text_is_not_pooled(saved: Callable[..., Pair]) -> None:
    """The reference puts zeros behind the text, one for each piece in front of its marker."""
    model, network = saved(pooling_strategy="avg", extract_text_features=True)
    prompt, pool = PROMPTS[0], model.model.pooler
    filled = answer(model, prompt)
    trimmed = Trimmed(pool)
    trimmed.pieces = len(prompt.ids) - prompt.text
    model.model.pooler = trimmed
    try:
        expected = answer(model, prompt)
    finally:
        model.model.pooler = pool
    assert (filled - expected).abs().max() > 0.01
    assert_same(classify(network, [prompt]), [expected])


@pytest.mark.parametrize("embedded", [False, True])
@torch.no_grad()
def test_squeezed_layers_as_the_paper_has_them(embedded: bool, tmp_path: Path) -> None:
    """The reference builds these layers and cannot run them; published weights settle how many."""
    torch.manual_seed(3)  # the layers are drawn, and what they say must differ
    layers = 4 if embedded else 3
    model = make_reference(squeeze_layers=True, pooling_strategy="first")
    own = model.model.layer_wise_attention
    if embedded:
        own.W1, own.W2 = nn.Linear(layers, layers // 2), nn.Linear(layers // 2, layers)
    for weight in own.parameters():
        weight.copy_(torch.randn_like(weight) * 0.3)
    network = load_network(save_reference(model, tmp_path))
    for prompt in PROMPTS:
        ids = torch.tensor([prompt.ids])
        encoder = model.model.encoder_model
        hidden = encoder(ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
        states = torch.stack(hidden.hidden_states[0 if embedded else 1 :])[:, 0]  # (K, L, D)
        z = (states @ own.squeeze.weight[0] + own.squeeze.bias).mean(1)  # equation 3
        inner = torch.relu(own.W1.weight @ z + own.W1.bias)
        s = 1 / (1 + torch.exp(-(own.W2.weight @ inner + own.W2.bias)))  # equation 4
        mixed = (s[:, None, None] * states).sum(0)  # equation 5
        out = mixed @ own.output_projection.weight.T + own.output_projection.bias  # equation 6
        text = model.model.text_projector(out[:1])
        classes = model.model.classes_projector(out[list(prompt.markers)])
        expected = [(classes @ text[0])]
        assert_same(classify(network, [prompt]), expected)
        assert_same(classify(network, [prompt], padding=(6, 1)), expected)
