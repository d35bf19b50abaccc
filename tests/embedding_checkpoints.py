"""Tiny random sentence encoders, made and saved by sentence-transformers itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import AutoConfig, AutoModel

from tests.nli_checkpoints import KINDS as ENCODERS
from tests.tiny_tokenizers import save_tokenizer

HIDDEN = 24
_T5 = {
    "model_type": "t5", "d_model": 24, "d_kv": 8, "d_ff": 40, "num_layers": 2, "num_heads": 3,
    "pad_token_id": 0, "relative_attention_num_buckets": 8,
}  # fmt: skip

# Name to encoder, pooling and what stands behind it.
KINDS: Mapping[str, tuple[str, Any, tuple[str, ...]]] = {
    "mean": ("bert", "mean", ("normalize",)),
    "cls": ("bert", "cls", ()),
    "max": ("deberta-v3", "max", ()),
    "mean-sqrt": ("roberta", "mean_sqrt_len_tokens", ("normalize",)),
    "weighted": ("modernbert", "weightedmean", ()),
    "last": ("mpnet", "lasttoken", ()),
    "joined": ("xlm-roberta", ("cls", "max", "mean"), ()),
    "dense": ("distilbert", "mean", ("tanh", "normalize")),
    "two-dense": ("bert", ("mean", "lasttoken"), ("relu", "identity")),
    "t5": ("t5", "mean", ("plain", "normalize")),
}
_ACTIVATIONS: Mapping[str, torch.nn.Module] = {
    "tanh": torch.nn.Tanh(), "relu": torch.nn.ReLU(), "identity": torch.nn.Identity(),
    "plain": torch.nn.Identity(),
}  # fmt: skip


def make_embedding(
    directory: Path, kind: str = "mean", *, seed: int = 0, **options: Any
) -> SentenceTransformer:
    """Make a checkpoint with sentence-transformers, save it with it, and return its model.

    Args:
        directory: receives the checkpoint.
        kind: one of `KINDS`.
        seed: of all weights.
        options: of `SentenceTransformer`, such as prompts.
    """
    encoder, pooling, behind = KINDS[kind]
    base = directory.with_name(f"{directory.name}-base")
    tokenizer, config = ("unigram", _T5) if encoder == "t5" else ENCODERS[encoder]
    pieces = save_tokenizer(base, tokenizer)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(AutoConfig.for_model(**config, vocab_size=pieces))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += (0.3 if parameter.ndim > 1 else 0.1) * torch.randn_like(parameter)
        model.save_pretrained(str(base))
        modules: list[Any] = [Transformer(str(base)), Pooling(HIDDEN, pooling)]
        size = modules[1].get_embedding_dimension()
        for one in behind:
            if one == "normalize":
                modules.append(Normalize())
                continue
            activation = _ACTIVATIONS[one]
            modules.append(Dense(size, 16, bias=one != "plain", activation_function=activation))
            size = 16
    made = SentenceTransformer(modules=modules, device="cpu", **options)
    made.save(str(directory), create_model_card=False)
    return made.eval()
