"""Tiny random GLiNER2 checkpoints in the published layout, made in a fraction of a second."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.network.checkpoint import save_network
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.prompt import SPECIAL_TOKENS
from onepass.text.shapes import SHAPES

HIDDEN = 32
WORDS = (
    "tim cook runs apple in paris and rome the a of is not great bad person company place price "
    "product name color red blue green tone calm angry works for head tail entities it costs 9"
)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SIGNS = ".,;:!?()[]{}|-_'\"@#$%&*+/<>="


def make_tiny_checkpoint(
    directory: Path,
    *,
    backbone: str = "bert",
    counting_layer: str = "count_lstm_v2",
    dropout: float = 0.1,
    shapes: bool = False,
    reranker: bool = False,
    seed: int = 0,
) -> Path:
    """Write a random checkpoint (hidden 32, 2 layers, spans of up to 4 words) and return its path.

    Args:
        directory: is made if it is not there.
        backbone: "bert" or "deberta-v2".
        counting_layer: one of `onepass.models.gliner2.config.COUNTING_LAYERS`.
        dropout: of the encoder and the span head, while training.
        shapes: whether the encoder, of the kind "bert", is told the shapes of words.
        reranker: whether candidates for values of records are scored once more.
        seed: of the weights; the global random state stays as it was.
    """
    directory.mkdir(parents=True, exist_ok=True)
    pieces = write_tiny_tokenizer(directory)
    encoder_config = tiny_encoder_config(backbone, pieces, dropout)
    if shapes:
        encoder_config["type_vocab_size"] = SHAPES + 1
    config = Gliner2Config(
        f"tiny-{backbone}",
        counting_layer=counting_layer,
        max_width=4,
        dropout=dropout,
        shapes=shapes,
        reranker=reranker,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Gliner2Network(config, encoder_config)
        for parameter in network.parameters():  # norms and zero biases would hide mistakes
            parameter.data += 0.05 * torch.randn_like(parameter)
    save_network(network, directory, encoder_config=encoder_config, tokenizer_from=directory)
    return directory


def write_tiny_tokenizer(directory: Path) -> int:
    """Write the files of a tokenizer into a directory; return its number of pieces."""
    tokenizer = tiny_tokenizer()
    tokenizer.save(str(directory / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]",
        "sep_token": "[SEP]", "mask_token": "[MASK]",
        "additional_special_tokens": list(SPECIAL_TOKENS),
    }  # fmt: skip
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return int(tokenizer.get_vocab_size())


def tiny_tokenizer() -> Tokenizer:
    """Return a lower-casing WordPiece tokenizer with a few words, all letters and all signs."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *LETTERS, *SIGNS]
    pieces += [f"##{letter}" for letter in LETTERS]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in pieces[:5]])
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL_TOKENS])
    return tokenizer


def tiny_encoder_config(backbone: str, vocabulary: int, dropout: float) -> dict[str, Any]:
    """Return an ``encoder_config/config.json`` for "bert" or "deberta-v2"."""
    common = {
        "model_type": backbone,
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 512,
        "hidden_act": "gelu",
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
        "pad_token_id": 0,
    }
    if backbone == "bert":
        return common | {"type_vocab_size": 2, "layer_norm_eps": 1e-12}
    if backbone != "deberta-v2":
        raise ValueError(f"no tiny {backbone!r}; there are 'bert' and 'deberta-v2'")
    return common | {
        "type_vocab_size": 0,
        "layer_norm_eps": 1e-7,
        "relative_attention": True,
        "position_buckets": 16,
        "max_relative_positions": -1,
        "pos_att_type": ["p2c", "c2p"],
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "position_biased_input": False,
    }
