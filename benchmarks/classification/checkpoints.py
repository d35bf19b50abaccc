"""Random checkpoints of the size of DeBERTa-v3-base (or tiny), and texts and labels for them.

Weights are random: they say nothing about quality, and take as long as trained ones. The tokenizer
is small, and every word of `WORDS` is one piece to it; the embedding has its full size.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from tests.gliclass_checkpoints import MARKERS, make_reference, save_reference  # noqa: E402
from tokenizers import (  # noqa: E402
    AddedToken,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

_WORDS = """
art bank bread bridge city cloud coast court dance east engine farm film fire fish flag forest game
garden gold health horse house island law light market moon mountain music north ocean paper police
price rain river road school ship silver south space spring storm summer train water west winter
"""
WORDS = tuple(_WORDS.split())
PIECES_A_LABEL = 3  # two words and the marker
_SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]")
_HYPOTHESIS = ("this", "example", "is", ".")


@dataclass(frozen=True)
class Size:
    """How large an encoder is."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int


BASE = Size(hidden=768, layers=12, heads=12, inner=3072, vocabulary=128_003)
TINY = Size(hidden=32, layers=2, heads=4, inner=48, vocabulary=200)


def encoder_config(size: Size) -> dict[str, Any]:
    """Return the configuration of DeBERTa-v3 at a size."""
    return {
        "model_type": "deberta-v2", "vocab_size": size.vocabulary, "hidden_size": size.hidden,
        "num_hidden_layers": size.layers, "num_attention_heads": size.heads,
        "intermediate_size": size.inner, "max_position_embeddings": 512,
        "relative_attention": True, "position_buckets": 256, "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False, "type_vocab_size": 0, "pad_token_id": 0,
    }  # fmt: skip


def tokenizer(markers: Sequence[str] = ()) -> Tokenizer:
    """Return the tokenizer of all checkpoints, with some markers as special tokens."""
    pieces = [*_SPECIAL, *_HYPOTHESIS, *WORDS]
    made = Tokenizer(models.WordLevel({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens([AddedToken(one, special=True) for one in (*_SPECIAL, *markers)])
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return made


def make_gliclass(directory: Path, size: Size) -> Path:
    """Write a uni-encoder, labels first, with the reference library; return where it is."""
    own = tokenizer(MARKERS)
    ids = [own.token_to_id(marker) for marker in MARKERS]
    model = make_reference(
        encoder_config=encoder_config(size), vocab_size=size.vocabulary, hidden_size=size.hidden,
        class_token_index=ids[0], text_token_index=ids[1], example_token_index=ids[2],
        prompt_first=True, scorer_type="mlp",
    )  # fmt: skip
    save_reference(model, directory)
    return _with_tokenizer(directory, own)


def make_nli(directory: Path, size: Size) -> Path:
    """Write a classifier of entailment with transformers; return where it is."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    labels = ("contradiction", "neutral", "entailment")
    config = AutoConfig.for_model(
        **encoder_config(size), id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForSequenceClassification.from_config(config)
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:  # far enough from nothing that scores differ
                    weight.copy_(torch.randn_like(weight) * weight.shape[-1] ** -0.5)
    model.eval().save_pretrained(str(directory))
    return _with_tokenizer(directory, tokenizer())


def _with_tokenizer(directory: Path, own: Tokenizer) -> Path:
    """Write a tokenizer as transformers and onepass read it."""
    own.save(str(directory / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 2048,
        "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]",
        "mask_token": "[MASK]", "model_input_names": ["input_ids", "attention_mask"],
    }  # fmt: skip
    path = directory / "tokenizer_config.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return directory


def make_texts(count: int, pieces: int) -> list[str]:
    """Return different texts of exactly so many pieces, always the same ones."""
    chosen = random.Random(pieces)
    return [" ".join(chosen.choices(WORDS, k=pieces)) for _ in range(count)]


def make_labels(count: int) -> list[str]:
    """Return different labels of two words each."""
    pairs = [f"{a} {b}" for a in WORDS for b in WORDS if a < b]
    return random.Random(0).sample(pairs, count)
