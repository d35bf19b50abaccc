"""A small problem for rewards, labels that stand in the text, and a checkpoint for it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from tests.gliclass_checkpoints import ENCODERS, LABEL_ENCODER, make_reference, save_reference
from tests.tiny_tokenizers import TOKENIZERS
from tokenizers import AddedToken

LABELS = ["red", "news", "sports"]
_WORDS = ("tim", "runs", "apple", "paris", "calm", "great", "in")
_MARKERS = ("<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>")


def rows(count: int = 20, *, seed: int = 3, told: bool = True) -> list[dict[str, Any]]:
    """Return texts of four words, one or two of which are labels.

    Args:
        count: of texts.
        seed: of their words.
        told: whether the answers are annotated.
    """
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        true = [LABELS[(number + i) % 3] for i in range(1 + number % 2)]
        words = [*rng.choice(_WORDS, 4 - len(true), replace=False), *true]
        rng.shuffle(words)
        task = {"name": "class", "labels": LABELS, "true": true if told else []}
        made.append({"text": " ".join(words), "classifications": [task | {"multi_label": True}]})
    return made


def make_checkpoint(directory: Path, **options: Any) -> Path:
    """Write a random uni-encoder of one layer, without dropout, and return where it is.

    Args:
        directory: receives it.
        options: of its configuration; other architectures are made of a layer, too.
    """
    tokenizer = TOKENIZERS["wordpiece"]()
    tokenizer.add_special_tokens([AddedToken(marker, special=True) for marker in _MARKERS])
    ids = [tokenizer.token_to_id(marker) for marker in _MARKERS]
    small = {
        "vocab_size": tokenizer.get_vocab_size(), "num_hidden_layers": 1,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    }  # fmt: skip
    encoder = deepcopy(dict(ENCODERS["bert"])) | small
    labels = deepcopy(dict(LABEL_ENCODER)) | small
    if options.get("architecture_type", "").startswith("bi-encoder"):
        options["label_model_config"] = labels
        (directory / "label_tokenizer").mkdir(parents=True)
        tokenizer.save(str(directory / "label_tokenizer" / "tokenizer.json"))
    model = make_reference(
        encoder="bert", encoder_config=encoder, class_token_index=ids[0], text_token_index=ids[1],
        example_token_index=ids[2], **{
            "dropout": 0.0, "pooling_strategy": "avg", "prompt_first": True,
            "extract_text_features": True,
        } | options,
    )  # fmt: skip
    save_reference(model, directory)
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory
