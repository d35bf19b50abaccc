"""The special tokens of a GLiNER checkpoint in the vocabulary of its base model, and their ids.

Old checkpoints do not carry their tokenizer; the reference library adds the tokens again at every
load. Which ones were added differs by version, so they are told from the ids and the rows of the
weights, where those are known.
"""

from __future__ import annotations

from collections.abc import Mapping

from tokenizers import AddedToken, Tokenizer

from onepass.errors import CheckpointError
from onepass.hub.headers import Weight
from onepass.models.gliner.config import FLERT, GlinerConfig

_ENCODER = "token_rep_layer.bert_layer.model."
_ENCODERS = (_ENCODER, "token_rep_layer.decoder_layer.model.")
_EMBEDDINGS = (
    "word_embeddings.weight", "tok_embeddings.weight", "embed_tokens.weight", "shared.weight",
    "word_embedding.weight", "wte.weight", "embed_in.weight",
)  # fmt: skip


def markers(config: GlinerConfig) -> tuple[str, ...]:
    """Return the tokens that a prompt is made with; none where labels have their own encoder.

    >>> markers(GlinerConfig.from_dict({}))
    ('<<ENT>>', '<<SEP>>')
    """
    if config.bi_encoder:
        return ()
    return tuple(token for token in config.special_tokens if token != FLERT)


def embedding_rows(weights: Mapping[str, Weight]) -> int | None:
    """Return how many pieces the text encoder has vectors for; None if that cannot be told.

    Args:
        weights: headers of the checkpoint, by published name.

    >>> embedding_rows({f"{_ENCODER}embeddings.word_embeddings.weight": Weight((9, 4), "F32")})
    9
    """
    for name, weight in weights.items():
        if name.startswith(_ENCODERS) and name.endswith(_EMBEDDINGS):
            return weight.shape[0]
    return None


def add_markers(tokenizer: Tokenizer, config: GlinerConfig, rows: int | None, name: str) -> None:
    """Add the tokens that a tokenizer lacks, with the ids that the checkpoint was trained with.

    Args:
        tokenizer: is changed.
        config: of the checkpoint.
        rows: of the piece embeddings; None if it is not known.
        name: of the checkpoint, for a message.

    Raises:
        CheckpointError: if the ids or the rows do not fit.
    """
    if not markers(config):
        return
    own = config.special_tokens
    other = markers(config) if FLERT in own else (FLERT, *own)
    for tokens in (own, other):
        ids, size = _planned(tokenizer, tokens)
        if _fits(ids, size, config, rows):
            tokenizer.add_special_tokens([AddedToken(token, special=True) for token in tokens])
            return
    said = [f"{rows} rows of embeddings"] if rows is not None else []
    said += [f"the class_token_index {config.token_index}"] if config.token_index >= 0 else []
    raise CheckpointError(
        f"A tokenizer of {tokenizer.get_vocab_size()} pieces, to which {', '.join(own)} are added, "
        f"does not fit {name}, which has {' and '.join(said)}; put the tokenizer.json that it was "
        "trained with into its directory."
    )


def _planned(tokenizer: Tokenizer, tokens: tuple[str, ...]) -> tuple[dict[str, int], int]:
    """Return the ids that tokens have or would get, and the size of the vocabulary with them."""
    added = tokenizer.get_added_tokens_decoder()
    size = max(tokenizer.get_vocab_size(with_added_tokens=False), 1 + max(added, default=-1))
    ids = {}
    for token in tokens:
        known = tokenizer.token_to_id(token)
        ids[token] = size if known is None else known
        size += known is None
    return ids, size


def _fits(ids: Mapping[str, int], size: int, config: GlinerConfig, rows: int | None) -> bool:
    if config.token_index < 0:  # the embeddings were resized to the vocabulary
        return rows is None or size == rows
    known = ids[config.ent_token] == config.token_index
    if config.relations is not None and config.relations.token_index >= 0:
        known &= ids[config.relations.token] == config.relations.token_index
    return known and (rows is None or size <= rows)
