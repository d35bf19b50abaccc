"""T5, MT5 and UMT5: the encoder alone, and the encoder with its decoder.

The networks are exact against transformers in fp32. They generate nothing: a decoder here reads a
whole sequence at once. They know nothing about prompts or heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import nn

from onepass.errors import CheckpointError
from onepass.nn.backbones.base import Backbone
from onepass.nn.backbones.t5_config import T5Config
from onepass.nn.backbones.t5_layer import T5Stack
from onepass.nn.keymap import Entry, Rename, expand, with_prefix

__all__ = ["T5Backbone", "T5Config", "T5EncoderDecoder"]

_SHARED = "shared.weight"
_WORDS = "word_embeddings.weight"


class T5Backbone(Backbone):
    """The encoder of T5, MT5 or UMT5.

    Args:
        config: what `T5Config.from_dict` read.

    >>> sizes = {"model_type": "t5", "vocab_size": 9, "d_model": 8, "d_kv": 4, "num_heads": 2}
    >>> backbone = T5Backbone(T5Config.from_dict(sizes | {"num_layers": 1, "d_ff": 16}))
    >>> backbone(torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, 1]])).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.config = config
        self.word_embeddings = nn.Embedding(config.vocabulary, config.hidden)
        self.encoder_embeddings = self.word_embeddings  # published under two names
        self.encoder = T5Stack(config)
        self.register_load_state_dict_pre_hook(_check_tied)

    @property
    def hidden(self) -> int:
        """Size of the output vectors."""
        return self.config.hidden

    @property
    def depth(self) -> int:
        """Number of layers that the ``{i}`` of the key table runs over."""
        return self.config.layers

    @property
    def layer_count(self) -> int:
        """Number of layers whose states `each_layer` yields."""
        return self.config.layers

    @property
    def heads(self) -> int:
        """Number of heads of its attention."""
        return self.config.heads

    @property
    def max_pieces(self) -> int | None:
        """Longest sequence that can be encoded: there is no limit."""
        return None

    def prepare(self) -> None:
        """Switch to evaluation: nothing depends on the weights alone here."""
        self.eval()

    def word_vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, hidden) of the table alone."""
        return self.word_embeddings(ids)

    def each_layer(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor | None = None,
        *,
        embedded: bool = False,
        kept: torch.Tensor | None = None,
        types: torch.Tensor | None = None,
    ) -> Iterator[torch.Tensor]:
        """Yield the (batch, pieces, hidden) vectors behind each layer, the last ones normalized."""
        x = self.encoder.drop(self.word_vectors(ids) if words is None else words)
        if embedded:
            yield x
        yield from self.encoder.each_layer(x, mask, kept=kept)

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours; ``{i}`` is the layer."""
        return (
            Rename(_SHARED, _WORDS),
            Rename("encoder.embed_tokens.weight", "encoder_embeddings.weight"),
            *with_prefix(self.encoder.keys(), "encoder.", "encoder."),
        )


class T5EncoderDecoder(nn.Module):
    """T5, MT5 or UMT5 with its decoder, which reads one sequence while it attends to another.

    One table of vectors serves both, whatever ``tie_word_embeddings`` says: that option is about
    the layer that generates, which is not here.

    Args:
        config: what `T5Config.from_dict` read.

    >>> sizes = {"model_type": "t5", "vocab_size": 9, "d_model": 8, "d_kv": 4, "num_heads": 2}
    >>> both = T5EncoderDecoder(T5Config.from_dict(sizes | {"num_layers": 1, "d_ff": 16}))
    >>> ids, mask = torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, 1]])
    >>> both.decode(ids[:, :2], mask[:, :2], both.encode(ids, mask), mask).shape
    torch.Size([1, 2, 8])
    """

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.config = config
        self.word_embeddings = nn.Embedding(config.vocabulary, config.hidden)
        self.encoder_embeddings = self.word_embeddings  # published under three names
        self.decoder_embeddings = self.word_embeddings
        self.encoder = T5Stack(config)
        self.decoder = T5Stack(config, decoder=True)
        self.register_load_state_dict_pre_hook(_check_tied)

    @property
    def hidden(self) -> int:
        """Size of the vectors."""
        return self.config.hidden

    def encode(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the encoder's (batch, pieces, hidden); vectors at padding mean nothing.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces, 0 at padding (on the right).
        """
        x = self.encoder.drop(self.word_embeddings(ids))
        return _last(self.encoder.each_layer(x, mask))

    def decode(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        states: torch.Tensor,
        states_mask: torch.Tensor,
        *,
        causal: bool = True,
    ) -> torch.Tensor:
        """Return the decoder's (batch, pieces, hidden); vectors at padding mean nothing.

        Args:
            ids: (batch, pieces) integers, as they are: nothing is put in front of them.
            mask: (batch, pieces), 1 at real pieces, 0 at padding (on the right).
            states: (batch, keys, hidden) of `encode`.
            states_mask: (batch, keys), the mask of those.
            causal: whether a piece sees only those before it, and itself.
        """
        x = self.decoder.drop(self.word_embeddings(ids))
        return _last(self.decoder.each_layer(x, mask, states, states_mask, causal=causal))

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours, layers spelled out."""
        entries: list[Entry] = [Rename(_SHARED, _WORDS)]
        for part, stack in (("encoder", self.encoder), ("decoder", self.decoder)):
            entries.append(Rename(f"{part}.embed_tokens.weight", f"{part}_embeddings.weight"))
            table = expand(stack.keys(), len(stack.layers))
            entries += with_prefix(table, f"{part}.", f"{part}.")
        return tuple(entries)


def _check_tied(
    _module: nn.Module, state: Mapping[str, torch.Tensor], prefix: str, *_: object
) -> None:
    """Refuse weights in which the one table of vectors has two contents."""
    shared = state.get(prefix + _WORDS)
    for part in ("encoder", "decoder"):
        own = state.get(f"{prefix}{part}_embeddings.weight")
        if shared is not None and own is not None and not torch.equal(shared, own):
            raise CheckpointError(
                f"The weights {_SHARED} and {part}.embed_tokens.weight of this T5 network differ, "
                "which have to be one; leave out the one that was not trained."
            )


def _last(layers: Iterator[torch.Tensor]) -> torch.Tensor:
    for states in layers:
        last = states
    return last
