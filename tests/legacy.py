"""Old GLiNER checkpoints: a training configuration and weights, the rest left to a base model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from onepass.hub.files import read_json
from tests.gliner_checkpoints import encoder_config, save_tokenizer

TRAINING = {
    "lr_encoder": "1e-5", "lr_others": "5e-5", "num_steps": 30000, "warmup_ratio": 0.1,
    "train_batch_size": 8, "eval_every": 5000, "log_dir": "logs", "size_sup": -1,
    "shuffle_types": True, "random_drop": True, "fine_tune": True, "subtoken_pooling": "first",
    "max_width": 4, "max_types": 25, "max_len": 384, "dropout": 0.4, "hidden_size": 24,
    "span_mode": "markerV0", "name": "old", "root_dir": "ablation", "save_total_limit": 3,
}  # fmt: skip
EMBEDDINGS = "token_rep_layer.bert_layer.model.embeddings.word_embeddings.weight"
LSTM = "rnn.lstm.weight_ih_l0"


def make_base(directory: Path, kind: str = "bert", hidden: int = 16) -> Path:
    """Write the configuration and the tokenizer of a base model, as hubs have them."""
    save_tokenizer(directory)
    (directory / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    (directory / "config.json").write_text(json.dumps(encoder_config(kind, hidden, 1)))
    return directory


def pieces_of(base: Path) -> int:
    """Return how many pieces a base model has."""
    size: int = Tokenizer.from_file(str(base / "tokenizer.json")).get_vocab_size()
    return size


def make_legacy(
    directory: Path, base: str, rows: int | None, *, lstm: bool = True, **config: Any
) -> Path:
    """Write an old checkpoint with just the weights that matter to what it lacks.

    Args:
        directory: is made if it is not there.
        base: what ``model_name`` says.
        rows: of the piece embeddings; None for a checkpoint without weights.
        lstm: whether there are weights of an LSTM.
        config: further keys.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = TRAINING | {"model_name": base} | config
    (directory / "gliner_config.json").write_text(json.dumps(content), encoding="utf-8")
    if rows is not None:
        weights = {EMBEDDINGS: np.zeros((rows, 16), dtype=np.float32)}
        if lstm:
            weights[LSTM] = np.zeros((48, 24), dtype=np.float32)
            weights[f"{LSTM}_reverse"] = weights[LSTM].copy()
        save_file(weights, directory / "model.safetensors")
    return directory


def age(modern: Path, directory: Path, *, labels: Path | None = None) -> Path:
    """Write a checkpoint that the reference library saved as an old release would have.

    Args:
        modern: made by `make_reference`; its base gets the configuration of its encoder.
        directory: receives the old form.
        labels: receives the base of the label encoder, if there is one.
    """
    saved = read_json(modern / "gliner_config.json")
    base = Path(saved["model_name"])
    vocabulary = {"vocab_size": pieces_of(base)}
    (base / "config.json").write_text(json.dumps(saved["encoder_config"] | vocabulary))
    same = ("model_name", "span_mode", "hidden_size", "max_width", "relations_layer")
    config = {key: saved[key] for key in same if saved.get(key) is not None}
    if labels is not None:
        shutil.copytree(base, labels)
        (labels / "config.json").write_text(json.dumps(saved["labels_encoder_config"]))
        config["labels_encoder"] = str(labels)
    directory.mkdir()
    (directory / "gliner_config.json").write_text(json.dumps(TRAINING | config))
    shutil.copyfile(modern / "model.safetensors", directory / "model.safetensors")
    return directory
