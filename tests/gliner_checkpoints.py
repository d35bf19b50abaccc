"""Tiny random GLiNER checkpoints of every architecture, made and saved by the reference library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from tests.tiny import LETTERS, SIGNS, WORDS

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HIDDEN = 24
SPAN_LENGTH = 2.0  # of the vectors that relations are scored from
ENCODERS = ("bert", "deberta-v2")

BI = {"labels_encoder": "any name"}  # `make_reference` puts the directory of a tokenizer there
TOKENS = {"span_mode": "token_level"}
SPAN_MODES = (
    "marker", "markerV1", "markerV2", "query", "mlp", "cat",
    "conv_conv", "conv_max", "conv_mean", "conv_sum", "conv_share",
)  # fmt: skip
RELEX = {"relations_layer": "none"}
ADJACENCIES = ("dot", "mlp", "attention", "bilinear", "gcn", "gat")
# One of each sort; most others have weights, which the reference always builds for vectors of 768.
TRIPLES = ("UM", "DistMult", "DistMA", "ComplEx")
# What reads the words in front of the layer of spans, and what it says of itself.
CONTEXTS: Mapping[str, Mapping[str, Any]] = {
    "deberta-v2": {
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "position_buckets": 8,
        "norm_rel_ebd": "layer_norm", "share_att_key": True,
    },
    "deberta-v2-bare": {},
    "modernbert": {"num_hidden_layers": 3, "hidden_size": 40, "local_attention": 4},
    "rnn": {"num_hidden_layers": 2, "hidden_size": 10},
    "rnn-forward": {"bidirectional": False, "num_hidden_layers": 2},
}  # fmt: skip
FUSIONS = ("l2l-l2t-t2t", "t2l", "l2t", "t2t-t2l-l2t-l2l")


def in_context(name: str) -> Mapping[str, Any]:
    """Return the option of a checkpoint with one of `CONTEXTS`.

    >>> in_context("deberta-v2-bare")
    {'span_encoder_config': {'model_type': 'deberta-v2'}}
    """
    kind = name.removesuffix("-bare").removesuffix("-forward")
    return {"span_encoder_config": {"model_type": kind, **CONTEXTS[name]}}


def in_labels(name: str) -> Mapping[str, Any]:
    """Return the option of a streaming checkpoint whose labels one of `CONTEXTS` makes."""
    return {"labels_encoder_config": in_context(name)["span_encoder_config"]}


# Those that a decoder reads from left to right.
_STREAMING = {"model_type": "gliner_streaming_span"}
_GROUPED = {"num_key_value_heads": 2, "head_dim": 8}
STREAMING: Mapping[str, Mapping[str, Any]] = {
    "streaming": _STREAMING | {"decoder": "gpt2"},
    "streaming-words": _STREAMING | {"decoder": "gpt2", "tokenizer": "gpt"},
    "streaming-llama": _STREAMING | {"decoder": "llama", "encoder_hidden": 16},
    "streaming-qwen3": _STREAMING | {"decoder": "qwen3"} | in_labels("modernbert"),
    "streaming-window": _STREAMING | {"decoder": "mistral", "subtoken_pooling": "mean"},
    "streaming-gemma3": _STREAMING | {"decoder": "gemma3_text"} | in_labels("rnn"),
    "streaming-opt-v0": _STREAMING | {"decoder": "opt", "span_mode": "markerV0"},
    "streaming-bloom-last": _STREAMING | {"decoder": "bloom", "subtoken_pooling": "last"},
    "streaming-lstm": _STREAMING
    | {"decoder": "gpt2", "num_rnn_layers": 1, "span_mode": "conv_max"},
    "streaming-context": _STREAMING | {"decoder": "llama"} | in_context("deberta-v2"),
}
# Name to what `make_reference` makes it of.
KINDS: Mapping[str, Mapping[str, Any]] = {
    "span": {},
    "span-bert": {"encoder": "bert"},
    "span-projected": {"encoder_hidden": 16},
    "span-no-lstm": {"num_rnn_layers": 0},
    "span-two-lstm": {"num_rnn_layers": 2, "encoder": "bert"},
    "span-behind-marker": {"embed_ent_token": False},
    "span-fused-layers": {"fuse_layers": True, "encoder_hidden": 16},
    **{f"span-pooled-{one}": {"subtoken_pooling": one} for one in ("last", "mean", "max")},
    **{f"span-{mode}": {"span_mode": mode} for mode in SPAN_MODES},
    **{f"span-context-{one}": in_context(one) for one in CONTEXTS},
    "token": TOKENS,
    "token-bert": TOKENS | {"encoder": "bert", "encoder_hidden": 16},
    "token-spans": TOKENS | {"represent_spans": True},
    "token-spans-context": TOKENS | {"represent_spans": True} | in_context("modernbert"),
    "bi-span": BI,
    "bi-span-bert": BI | {"encoder": "bert", "encoder_hidden": 16, "num_rnn_layers": 0},
    "bi-span-fused-layers": BI | {"fuse_layers": True},
    "bi-token": BI | TOKENS,
    "bi-span-context": BI | in_context("modernbert") | {"span_mode": "markerV2"},
    "bi-token-spans": BI | TOKENS | {"represent_spans": True, "subtoken_pooling": "mean"},
    **{f"poly-span-{steps}": BI | {"post_fusion_schema": steps} for steps in FUSIONS},
    "poly-span-twice": BI | {"post_fusion_schema": "l2t-t2l", "num_post_fusion_layers": 2},
    "poly-span-context": BI | {"post_fusion_schema": FUSIONS[0]} | in_context("deberta-v2"),
    "poly-token": BI | TOKENS | {"post_fusion_schema": FUSIONS[0], "encoder": "bert"},
    **STREAMING,
}
# Those that relate what they find.
RELATED: Mapping[str, Mapping[str, Any]] = {
    "relex-span": RELEX,
    "relex-token": RELEX | TOKENS,
    **{f"relex-span-{one}": {"relations_layer": one} for one in ADJACENCIES},
    **{f"relex-span-{one}": RELEX | {"triples_layer": one} for one in TRIPLES},
    "relex-span-projected": {"relations_layer": "mlp", "encoder_hidden": 16, "encoder": "bert"},
    "relex-span-behind-marker": RELEX | {"embed_rel_token": False},
    "relex-token-represented": RELEX | TOKENS | {"represent_spans": True},
    "relex-span-context": RELEX | in_context("deberta-v2"),
    "relex-token-context": RELEX | TOKENS | in_context("rnn"),
    "relex-token-mlp-DistMult": TOKENS | {"relations_layer": "mlp", "triples_layer": "DistMult"},
}
# Those that generate labels.
DECODERS: Mapping[str, Mapping[str, Any]] = {
    "decoder-span": {"labels_decoder": "any name"},
    "decoder-token": {"labels_decoder": "any name"} | TOKENS,
}
# Those that generate labels with a decoder that begins and ends nothing with pieces of its own, and
# whose words stand behind spaces, as published ones do.
GPT = {"labels_decoder": "gpt", "decoder_mode": "span"}
ALONE = GPT | {"full_decoder_context": False}
NAMERS: Mapping[str, Mapping[str, Any]] = {
    "names-span": GPT,
    "names-token": GPT | TOKENS,
    "names-span-alone-context": ALONE | in_context("rnn"),
    "names-token-alone-context": ALONE | TOKENS | in_context("deberta-v2"),
    "names-span-alone": ALONE,
    "names-token-alone": ALONE | TOKENS | {"encoder": "bert"},
    "names-prompt-span": GPT | {"decoder_mode": "prompt"},
    "names-prompt-token": GPT | TOKENS | {"decoder_mode": "prompt"},
}
# Kinds whose scores depend on the padding of their batch in the reference library.
LEAKY = (
    "span-markerV1", "span-markerV2", "span-fused-layers", "bi-span-fused-layers",
    *(f"span-context-{one}" for one in CONTEXTS if one != "rnn-forward"),
    "token-spans-context", "bi-span-context", "poly-span-context", "relex-span-context",
    "relex-token-context",
)  # fmt: skip

TEXTS = (
    "tim cook runs apple in paris and rome .",
    "the price of a great person",
    "Rome costs 9.5 . Unbelievable wording , qx-zt !",
)
LABELS = ("person", "company", "place to be")
TYPES = ("works for", "in")

# Of `save_tokenizer`; its pieces [CLS] and [SEP] begin and end a label.
DECODER = {
    "model_type": "gpt2", "vocab_size": 139, "n_embd": 20, "n_layer": 1, "n_head": 2,
    "n_positions": 256, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0,
}  # fmt: skip
# Of `save_gpt_tokenizer`; its vectors are as large as those of the encoder.
GPT_DECODER = DECODER | {
    "vocab_size": 300, "n_embd": HIDDEN, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
}  # fmt: skip


def save_tokenizer(directory: Path) -> Path:
    """Write a lower-casing WordPiece tokenizer with a few words, all letters and all signs."""
    pieces = [*SPECIAL, *WORDS.split(), *LETTERS, *SIGNS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=None, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512,
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }  # fmt: skip
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return directory


def save_gpt_tokenizer(directory: Path) -> Path:
    """Write a tokenizer of bytes and a few of their pairs, as that of GPT-2."""
    end = "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=GPT_DECODER["vocab_size"],
        special_tokens=[end],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*TEXTS, *LABELS], trainer)
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end, "bos_token": end}
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return directory


def encoder_config(kind: str, hidden: int, layers: int) -> dict[str, Any]:
    """Return the transformers configuration of a tiny encoder of one of `ENCODERS`."""
    common = {
        "model_type": kind, "vocab_size": 200, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": 4, "intermediate_size": 40, "max_position_embeddings": 512,
        "pad_token_id": 0,
    }  # fmt: skip
    if kind == "bert":
        return common
    return common | {
        "relative_attention": True, "position_buckets": 16, "max_relative_positions": -1,
        "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm", "share_att_key": True,
        "type_vocab_size": 0, "position_biased_input": False,
    }  # fmt: skip


def decoder_config(kind: str, hidden: int) -> dict[str, Any]:
    """Return the transformers configuration of a tiny decoder."""
    common = {
        "model_type": kind, "vocab_size": 139, "hidden_size": hidden, "num_attention_heads": 4,
        "num_hidden_layers": 2, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0,
        "max_position_embeddings": 512,
    }  # fmt: skip
    own: Mapping[str, Mapping[str, Any]] = {
        "gpt2": {"n_positions": 512},
        "llama": {"intermediate_size": 40, "num_key_value_heads": 2},
        "qwen3": {"intermediate_size": 40} | _GROUPED,
        "mistral": {"intermediate_size": 40, "sliding_window": 7} | _GROUPED,
        "gemma3_text": {"intermediate_size": 40, "sliding_window": 7} | _GROUPED,
        "opt": {"ffn_dim": 40, "word_embed_proj_dim": hidden},
        "bloom": {},
    }
    return common | dict(own[kind])


def make_reference(
    directory: Path,
    *,
    encoder: str = "deberta-v2",
    encoder_hidden: int = HIDDEN,
    seed: int = 0,
    spread: float = 2.0,
    decoder: str | None = None,
    tokenizer: str = "words",
    **config: Any,
) -> Any:
    """Make a checkpoint with the reference library, save it with it, and return its model.

    Args:
        directory: receives the checkpoint.
        encoder: of texts, one of `ENCODERS`.
        encoder_hidden: size of its vectors; those of the checkpoint have `HIDDEN`.
        seed: of all weights.
        spread: standard deviation of the logits, so that sigmoids tell spans apart.
        decoder: that reads texts in place of an encoder, a kind of `decoder_config`.
        tokenizer: "words" for that of `save_tokenizer`, "gpt" for that of `save_gpt_tokenizer`.
        config: what ``gliner_config.json`` says beside the sizes.
    """
    from gliner import GLiNER

    save = save_gpt_tokenizer if tokenizer == "gpt" else save_tokenizer
    base = save(directory.with_name(f"{directory.name}-base"))
    content = {
        "model_name": str(base), "hidden_size": HIDDEN, "max_width": 4, "max_len": 384,
        "encoder_config": encoder_config(encoder, encoder_hidden, 2),
    } | config  # fmt: skip
    if decoder is not None:
        del content["encoder_config"]
        content["decoder_config"] = decoder_config(decoder, encoder_hidden)
    if "labels_encoder" in config:
        content["labels_encoder"] = str(base)
        content.setdefault("labels_encoder_config", encoder_config("bert", 16, 1))
    if config.get("labels_decoder") == "gpt":
        decoder = save_gpt_tokenizer(directory.with_name(f"{directory.name}-gpt"))
        content["labels_decoder"] = str(decoder)
        content.setdefault("labels_decoder_config", GPT_DECODER)
    elif "labels_decoder" in config:
        content["labels_decoder"] = str(base)
        content.setdefault("labels_decoder_config", DECODER)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GLiNER.from_config(content, backbone_from_pretrained=False)
        with torch.no_grad():
            for parameter in model.model.parameters():
                parameter += (0.3 if parameter.ndim > 1 else 0.1) * torch.randn_like(parameter)
            if hasattr(model.model, "relations_rep_layer"):
                for parameter in model.model.relations_rep_layer.parameters():
                    parameter *= 0.5  # their sigmoids would saturate
    spread_logits(model, spread)
    model.save_pretrained(str(directory), safe_serialization=True)
    return model


@torch.enable_grad()
def spread_logits(model: Any, spread: float) -> None:
    """Make logits differ by about a given size, around a mean at which some spans are found."""
    network, batch = model.model, reference_batch(model, TEXTS, LABELS)
    related = model.config.to_dict().get("relations_layer") is not None

    def said(name: str, threshold: float = 0.5) -> torch.Tensor:
        options = {"threshold": threshold} | ({"adjacency_threshold": 0.0} if related else {})
        logits: torch.Tensor = model.eval().model(**batch, **options)[name]
        return logits

    if related:
        center_spans(network, lambda: said("logits", 0.0))  # every span is an entity
    tokens = model.config.span_mode == "token_level"
    if tokens:
        channels = (0, 1, 2)  # of (batch, words, labels, 3)
        settle(network.scorer.out_mlp[3], lambda: said("logits"), channels, (spread, 0.5))
    else:
        everything = (0, 1, 2, 3)
        settle(network.prompt_rep_layer[3], lambda: said("logits"), everything, (spread, -0.5))
    if model.config.represent_spans and not related:
        last = network.span_rep_layer.span_rep_layer.out_project[3]
        settle(last, lambda: said("span_logits"), (0, 1, 2), (spread, 0.5))
    if hasattr(network, "pair_rep_layer"):
        least = 0.5 if tokens else 0.0  # there are too many spans of tokens
        last = network.pair_rep_layer[3]
        settle(last, lambda: said("rel_logits", least), (0, 1, 2), (spread, 0.0))


def center_spans(network: Any, run: Callable[[], object]) -> None:
    """Make span vectors point to all sides: some pairs are near and some are not."""
    seen: list[torch.Tensor] = []
    hook = network.span_rep_layer.register_forward_hook(lambda *call: seen.append(call[-1]))
    last = network.span_rep_layer.span_rep_layer.out_project[3]
    with torch.no_grad():
        run()
        hook.remove()
        vectors = seen[0].reshape(-1, last.out_features)
        mean = vectors.mean(0)
        size = (vectors - mean).norm(dim=-1).mean()
        last.bias.sub_(mean - mean * 0.5 * size / mean.norm())
        scale = SPAN_LENGTH / size
        last.weight.mul_(scale)
        last.bias.mul_(scale)


def settle(
    last: torch.nn.Linear,
    logits: Callable[[], torch.Tensor],
    axes: tuple[int, ...],
    target: tuple[float, float],
) -> None:
    """Change a layer that logits are linear in, until they have a spread and a mean.

    Args:
        last: the layer.
        logits: computes them.
        axes: over which each mean is taken.
        target: standard deviation and mean.
    """
    spread, mean = target
    for _ in range(3):  # a shift of spans changes how much they differ
        with torch.no_grad():
            scale = spread / logits().std()
            last.weight.mul_(scale)
            last.bias.mul_(scale)
        for own in logits().mean(axes).reshape(-1):
            (slope,) = torch.autograd.grad(own, last.bias, retain_graph=True)
            with torch.no_grad():
                last.bias += (mean - own) * slope / (slope @ slope)


def reference_batch(
    model: Any, texts: Sequence[str], labels: Sequence[str], types: Sequence[str] = TYPES
) -> dict[str, Any]:
    """Return the arrays that the reference library gives its network."""
    related = model.config.to_dict().get("relations_layer") is not None
    prepared = model.prepare_batch(
        list(texts), list(labels), **({"relations": list(types)} if related else {})
    )
    options = {"relation_types": prepared["relation_types"]} if related else {}
    batch: dict[str, Any] = model.collate_batch(
        prepared["input_x"], prepared["entity_types"], **options
    )
    return batch


@torch.no_grad()
def reference_answer(
    model: Any, texts: Sequence[str], labels: Sequence[str], **options: Any
) -> dict[str, Any]:
    """Return what the reference network says: its batch, logits and other outputs."""
    batch = reference_batch(model, texts, labels)
    return {"batch": batch} | dict(model.eval().model(**batch, **({"threshold": 0.5} | options)))
