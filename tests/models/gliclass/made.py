"""Tiny tokenizers with the markers of GLiClass, opened twice, and checkpoints without weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gliclass_checkpoints import ENCODERS, LABEL_ENCODER
from tests.tiny_tokenizers import TOKENIZERS
from tokenizers import AddedToken, Tokenizer
from tokenizers.pre_tokenizers import ByteLevel, Metaspace
from transformers import PreTrainedTokenizerFast

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliclass.config import EXAMPLE, LABEL, SEP, GliclassConfig

MARKERS = (LABEL, SEP, EXAMPLE)
KINDS: Mapping[str, tuple[str, Any]] = {
    "wordpiece": ("wordpiece", None),
    "unigram": ("unigram", None),  # "▁" in front of every part between markers
    "unigram, first": ("unigram", Metaspace(prepend_scheme="first")),  # at the start alone
    "byte pairs": ("byte pairs", None),
    "byte pairs, spaced": ("byte pairs", ByteLevel(add_prefix_space=True)),
}


@dataclass(frozen=True)
class Pair:
    """One tokenizer, opened twice.

    Attributes:
        theirs: as the reference library opens it.
        ours: as we do.
    """

    theirs: PreTrainedTokenizerFast
    ours: PieceTokenizer

    def ids(self, text: str) -> list[int]:
        """Return what the reference library reads of a string."""
        return list(self.theirs(text)["input_ids"])


def tokenizer(kind: str, markers: tuple[str, ...] = MARKERS) -> Tokenizer:
    """Return a tokenizer with markers."""
    name, other = KINDS[kind]
    made = TOKENIZERS[name]()
    if other is not None:
        made.pre_tokenizer = other
    made.add_special_tokens([AddedToken(marker, special=True) for marker in markers])
    return made


def raw(encoder: str | None = None, **options: Any) -> dict[str, Any]:
    """Return a ``config.json``, of "bert" or a decoder unless another encoder is asked for."""
    if encoder is None:
        encoder = "qwen3" if options.get("architecture_type") == "decoder-kv" else "bert"
    labels: dict[str, Any] = {}
    if str(options.get("architecture_type")).startswith("bi-encoder"):
        labels = {"label_model_name": "labels", "label_model_config": dict(LABEL_ENCODER)}
    return {
        "model_type": "GLiClass", "encoder_model_name": "text",
        "encoder_config": dict(ENCODERS[encoder]), "hidden_size": 32, **labels, **options,
    }  # fmt: skip


def config(**options: Any) -> GliclassConfig:
    return GliclassConfig.from_dict(raw(**options))


def write(directory: Path, content: Mapping[str, Any], kind: str = "wordpiece") -> Path:
    """Write a checkpoint without weights."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(dict(content)), encoding="utf-8")
    tokenizer(kind).save(str(directory / "tokenizer.json"))
    return directory
