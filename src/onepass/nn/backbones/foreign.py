"""Every encoder that has no network of its own here, run through transformers.

It knows no architecture by its mathematics, and never runs code that comes with a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.jit._trace import is_tracing  # of this thread
from transformers import (
    CONFIG_MAPPING,
    AutoModel,
    PretrainedConfig,
    PreTrainedModel,
)

from onepass.encoding.sequences import OFFSET_POSITIONS
from onepass.errors import BackendError, CheckpointError
from onepass.nn.backbones.base import Backbone
from onepass.nn.backbones.own_code import refuse_own_code
from onepass.nn.keymap import Entry, Rename
from onepass.nn.places import take

# GLiNER makes encoders of these with llm2vec, which changes their attention.
_CAUSAL = frozenset({"gemma", "llama", "mistral", "qwen2"})

_WITH_ARTICLE = {"encoder": "an encoder", "decoder": "a decoder"}

# These cut a sequence into as many parts as it has room for, which a trace takes for a constant.
_BY_LENGTH = frozenset({"longformer"})


class ForeignBackbone(Backbone):
    """An encoder of transformers (ELECTRA, MPNet, ...), with random fp32 weights.

    Args:
        config: the content of its ``config.json``.

    Raises:
        CheckpointError: for remote code, an unknown ``model_type``, values that transformers
            refuses, or an encoder-decoder.

    >>> sizes = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2}
    >>> layers = {"num_hidden_layers": 1, "intermediate_size": 16}
    >>> backbone = ForeignBackbone({"model_type": "electra"} | sizes | layers)
    >>> backbone(torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, 1]])).shape
    torch.Size([1, 3, 8])
    """

    part = "encoder"  # what messages call it

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = read_config(config, self.part)
        self.check_kind()
        self.model = _build(self.config, self.part)

    @property
    def hidden(self) -> int:
        """Size of the output vectors."""
        return int(self.config.hidden_size)

    @property
    def depth(self) -> int:
        """Number of layers that the ``{i}`` of the key table runs over: the table has none."""
        return 0

    @property
    def layer_count(self) -> int:
        """Number of layers whose states `each_layer` yields."""
        return int(self.config.num_hidden_layers)

    @property
    def heads(self) -> int:
        """Number of heads of its attention."""
        return int(self.config.num_attention_heads)

    @property
    def max_pieces(self) -> int | None:
        """Longest sequence that can be encoded, None where there is no limit."""
        options = self.config.to_dict()
        positions = options.get("max_position_embeddings")
        if positions is None or self.config.model_type not in OFFSET_POSITIONS:
            return positions
        return int(positions) - int(options["pad_token_id"]) - 1

    def word_vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, size) of the table alone."""
        return self.model.get_input_embeddings()(ids)

    def forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor | None = None,
        kept: torch.Tensor | None = None,
        types: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Encode piece ids, see `Backbone.forward`; some models change what the last layer says."""
        self.check_traced()
        states = self.model(**self.inputs(ids, mask, words)).last_hidden_state
        return states if kept is None else take(states, kept)

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
        """Yield the (batch, pieces, hidden) vectors behind each layer, kept ones of the last."""
        self.check_traced()
        out = self.model(**self.inputs(ids, mask, words), output_hidden_states=True)
        *before, last = out.hidden_states[0 if embedded else 1 :]  # the first are the embeddings
        yield from before
        yield last if kept is None else take(last, kept)

    def inputs(
        self, ids: torch.Tensor, mask: torch.Tensor, words: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """Return what transformers is given; the arguments are those of `Backbone.forward`."""
        return given(ids, words) | {"attention_mask": mask}

    def check_kind(self) -> None:
        """Refuse networks that are no encoders.

        Raises:
            CheckpointError: that says what was expected.
        """
        if self.config.model_type in _CAUSAL:
            raise CheckpointError(
                f"The encoder {self.config.model_type!r} is a language model that reads from left "
                "to right, which is not supported; expected an encoder."
            )
        self.check_alone()

    def check_alone(self) -> None:
        """Refuse networks of two parts.

        Raises:
            CheckpointError: that says what was expected.
        """
        if self.config.is_encoder_decoder:
            raise CheckpointError(
                f"The {self.part} {self.config.model_type!r} is an encoder-decoder, which is not "
                f"supported; expected {_WITH_ARTICLE[self.part]} alone."
            )

    def check_traced(self) -> None:
        """Refuse to become a graph that would give wrong numbers at other lengths."""
        if is_tracing() and self.config.model_type in _BY_LENGTH:
            raise BackendError(
                f"The encoder {self.config.model_type!r} computes in another way at each length, "
                "so it cannot be written as an ONNX graph; open it with backend='torch'."
            )

    def prepare(self) -> None:
        """Switch to evaluation; nothing can be computed ahead."""
        self.eval()

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours: the same below ``model.``."""
        return tuple(Rename(name, f"model.{name}") for name in self.model.state_dict())


def read_config(config: Mapping[str, Any], part: str = "encoder") -> PretrainedConfig:
    """Return the configuration of a network that transformers builds.

    Args:
        config: the content of its ``config.json``.
        part: what messages call the network.

    Raises:
        CheckpointError: for remote code, an unknown ``model_type``, or values that transformers
            refuses.
    """
    refuse_own_code(config, part)
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        raise CheckpointError(
            f"model_type {kind!r} of the {part} is not known to the installed transformers; "
            "expected one that it knows, or install a version that does."
        )
    # A stored dtype would build a network of that dtype; dtypes are chosen after loading.
    options = {key: value for key, value in config.items() if key not in ("dtype", "torch_dtype")}
    try:
        return CONFIG_MAPPING[kind].from_dict(options)
    except Exception as error:  # each transformers version has exceptions of its own for this
        raise CheckpointError(
            f"The config.json of the {part} {kind!r} is wrong: {in_one_line(error)}"
        ) from error


def in_one_line(error: Exception) -> str:
    r"""Return what an error of transformers says, which may take several lines.

    >>> in_one_line(ValueError("wrong size:\n    it is null"))
    'wrong size: it is null'
    """
    return " ".join(str(error).split())


def given(ids: torch.Tensor, words: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """Return ids, or the vectors in place of theirs, by the name that transformers has for them."""
    return {"input_ids": ids} if words is None else {"inputs_embeds": words}


def _build(config: PretrainedConfig, part: str) -> PreTrainedModel:
    try:
        return AutoModel.from_config(config, trust_remote_code=False)
    except Exception as error:  # each transformers version has exceptions of its own for this
        raise CheckpointError(
            f"transformers cannot build the {part} {config.model_type!r} from its config.json: "
            f"{in_one_line(error)}"
        ) from error
