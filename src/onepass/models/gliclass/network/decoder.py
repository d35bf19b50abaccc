"""The GLiClass network with a decoder: it reads the text, then the labels, from left to right.

What it says of the labels, a small encoder reads in both directions, once or several times. The
marker behind all labels then stands for the text, that behind each label for the label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn import functional

from onepass.errors import CheckpointError
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.decoder_config import DecoderConfig, Reasoning
from onepass.models.gliclass.network.head import Head, build_calibrator
from onepass.models.gliclass.network.network import Encoders, GliclassNetwork, encoder_keys
from onepass.nn.backbones.build import build_decoder
from onepass.nn.backbones.deberta import DebertaConfig, DebertaEncoder
from onepass.nn.class_scorers import Perceptron
from onepass.nn.keymap import Entry, linear, with_prefix
from onepass.nn.places import take, within
from onepass.nn.reasoning_cell import ReasoningCell, heads_of

_LEAST = 1e-8  # length of a vector that is normalized
_DISTANCES = 512  # how far apart pieces are told from farther ones


class SectionScorer(nn.Module):
    """Vectors of the pieces of a section to those of the text and the labels, and to logits.

    Args:
        config: of the checkpoint.
        hidden: size of the vectors.
    """

    def __init__(self, config: GliclassConfig, hidden: int) -> None:
        super().__init__()
        self.hidden, self.normalize, self.dropout = hidden, config.normalize, config.dropout
        self.text = nn.Linear(hidden, hidden)
        self.label = nn.Linear(hidden, hidden)
        self.mlp = Perceptron(2 * hidden, config.scorer_width)

    def forward(
        self, state: torch.Tensor, last: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits (batch, labels), and what they are of: (batch, hidden) of the text and
        (batch, labels, hidden) of the labels.

        Args:
            state: (batch, class_pieces, hidden).
            last: (batch,) place of the last piece.
            labels: (batch, labels) place in the section of the marker of each.
        """
        text = self.text(take(state, last[:, None]))[:, 0]
        text = self._normed(functional.dropout(text, self.dropout, self.training))
        classes = self._normed(self.label(take(state, labels)))
        first = self.mlp.first
        text_part, label_part = first.weight.split(self.hidden, dim=1)
        inner = functional.linear(text, text_part, first.bias)[:, None]
        logits = self.mlp.behind(inner + functional.linear(classes, label_part))
        return logits, text, classes

    def _normed(self, x: torch.Tensor) -> torch.Tensor:
        return functional.normalize(x, dim=-1, eps=_LEAST) if self.normalize else x

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        return (
            *linear("text_projector", "text"),
            *linear("label_projector", "label"),
            *self.mlp.keys("mlp", "mlp"),
        )


class DecoderHead(Head):
    """What a decoder says of a sequence to logits.

    The last piece of the sequence stands for the text.

    Args:
        config: of the checkpoint.
        decoder: the part of it that is about the scorer.
        hidden: size of the decoder's vectors.

    Raises:
        CheckpointError: for a scorer whose size is not that of the vectors.
    """

    scorer: SectionScorer

    def __init__(self, config: GliclassConfig, decoder: DecoderConfig, hidden: int) -> None:
        super().__init__()
        if config.hidden != hidden:
            raise CheckpointError(
                f"The scorer of this GLiClass checkpoint reads vectors of {config.hidden} numbers "
                f"(hidden_size), but its decoder gives {hidden}; they have to be the same."
            )
        self.reasoning, self.pooling = decoder.reasoning, "last"
        self.encoder = DebertaEncoder(encoder_config(decoder.layers, hidden))
        self.scorer = SectionScorer(config, hidden)
        self.cell: ReasoningCell | None = None
        if self.reasoning is not None:
            self.cell = ReasoningCell(hidden, reads_text=self.reasoning.reads_text)
        self.calibrator = build_calibrator(config, hidden)

    def forward(
        self,
        states: torch.Tensor,
        mask: torch.Tensor,
        section: torch.Tensor,
        section_mask: torch.Tensor,
        labels: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits (batch, labels), 0 at padding.

        Args:
            states: (batch, pieces, hidden) of the decoder.
            mask: (batch, pieces), 1 at real pieces.
            section: (batch, class_pieces) places of the labels and the marker behind them.
            section_mask: (batch, class_pieces), 1 at real pieces.
            labels: (batch, labels) place in the section of the marker of each.
            label_mask: (batch, labels), 1 at real labels.
        """
        real = label_mask.bool()
        last = section_mask.sum(1) - 1
        found: tuple[torch.Tensor, ...] | None = None
        active = real.any(1)  # (batch,), whose labels are read once more
        before = mask.bool() & within(section[:, 0], mask.shape[1])  # pieces of the text
        for state in self.each_state(states, before, section, section_mask):
            new = self.scorer(state, last, labels)
            if found is None or self.training:
                found = new
                continue
            moved = self._moved(found[0], new[0], real)
            found = tuple(_where(active, a, b) for a, b in zip(new, found, strict=True))
            active = active & moved
        assert found is not None
        logits, text, classes = found
        if self.calibrator is not None:
            logits = self.calibrator(text, classes, logits, label_mask)
        return logits.masked_fill(~real, 0.0)

    def each_state(
        self,
        states: torch.Tensor,
        before: torch.Tensor,
        section: torch.Tensor,
        section_mask: torch.Tensor,
    ) -> Iterator[torch.Tensor]:
        """Yield the (batch, class_pieces, hidden) vectors behind each reading of the section.

        Args:
            states: (batch, pieces, hidden) of the decoder.
            before: (batch, pieces), true at the pieces in front of the section.
            section: (batch, class_pieces) places.
            section_mask: (batch, class_pieces), 1 at real pieces.
        """
        own = take(states, section) * section_mask[..., None].to(states.dtype)
        state = self._encode(own, section_mask)
        yield state
        steps = self._steps()
        if self.cell is None or self.reasoning is None or steps == 1:
            return
        inputs, memory = self.cell.normed(own), None
        if self.cell.reads_text:
            memory = self.cell.memory(states, before)
        for step in range(1, steps):
            if self.training and self.reasoning.kept and step % self.reasoning.kept == 0:
                state = state.detach()
            state = self.cell(state, inputs, lambda x: self._encode(x, section_mask), memory)
            yield state

    def _steps(self) -> int:
        """Return how often the section is read: drawn anew for each batch while training."""
        if self.reasoning is None:
            return 1
        if not self.training:
            return self.reasoning.steps
        return int(torch.randint(self.reasoning.least, self.reasoning.trained + 1, (1,)))

    def _encode(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.encoder(x * mask[..., None].to(x.dtype), mask)

    def _moved(self, old: torch.Tensor, new: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return the (batch,) rows of which a score has changed by enough for another reading."""
        assert self.reasoning is not None
        if not self.reasoning.halt:
            return real.any(1)
        change = scores(new, real, self.reasoning) - scores(old, real, self.reasoning)
        return change.abs().masked_fill(~real, 0.0).amax(1) >= self.reasoning.halt

    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once."""
        self.eval()
        self.encoder.prepare()

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        entries = with_prefix(self.encoder.keys(), "scorer.scorer_encoder.", "encoder.")
        entries = (*entries, *with_prefix(self.scorer.keys(), "scorer.", "scorer."))
        if self.cell is not None:
            own = with_prefix(self.cell.keys(), "scorer.reasoning_cell.", "cell.")
            entries = (*entries, *own)
        return entries


class Decoder(GliclassNetwork):
    """The text, then its labels, in one sequence, read by a language model.

    Args:
        config: of the checkpoint.
        encoders: that it is built of; its text encoder is the decoder.

    Raises:
        CheckpointError: for a part that is not supported.
    """

    head: DecoderHead

    def __init__(self, config: GliclassConfig, encoders: Encoders) -> None:
        super().__init__(config, encoders)
        assert config.decoder is not None
        self.backbone = build_decoder(encoders.text)
        self.head = DecoderHead(config, config.decoder, self.backbone.hidden)

    @property
    def hidden(self) -> int:
        return self.backbone.hidden

    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once."""
        super().prepare()
        self.head.prepare()

    def classify(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        section: torch.Tensor,
        section_mask: torch.Tensor,
        labels: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits (batch, labels), 0 at padding.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces.
            section: (batch, class_pieces) places of the labels and the marker behind them, side
                by side.
            section_mask: (batch, class_pieces), 1 at real pieces.
            labels: (batch, labels, 2) half-open ranges in the section; the first piece of each is
                its marker.
            label_mask: (batch, labels), 1 at real labels.
        """
        states = self.backbone(ids, mask)
        return self.head(states, mask, section, section_mask, labels[..., 0], label_mask)

    def graphs(self) -> dict[str, Callable[..., torch.Tensor]]:
        return {"classify": self.classify}

    def keys(self) -> tuple[Entry, ...]:
        return (*encoder_keys(self.backbone, "decoder_model.", "backbone."), *self.head_keys())


def encoder_config(layers: int, hidden: int) -> DebertaConfig:
    """Return the configuration of the encoder that reads what a decoder says of labels.

    Args:
        layers: how many it has.
        hidden: size of its vectors.

    Raises:
        CheckpointError: for a size that its heads do not divide.
    """
    return DebertaConfig.from_dict(
        {
            "hidden_size": hidden, "num_hidden_layers": layers, "intermediate_size": 4 * hidden,
            "num_attention_heads": heads_of(hidden), "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"], "max_relative_positions": _DISTANCES,
        }
    )  # fmt: skip


def scores(logits: torch.Tensor, real: torch.Tensor, reasoning: Reasoning) -> torch.Tensor:
    """Return the (batch, labels) scores that decide whether labels are read once more.

    Args:
        logits: (batch, labels).
        real: (batch, labels), true at real labels.
        reasoning: says what is watched.
    """
    if not reasoning.shared:
        return torch.sigmoid(logits)
    return logits.masked_fill(~real, torch.finfo(logits.dtype).min).softmax(1)


def _where(rows: torch.Tensor, new: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
    """Return the new values (batch, ...) of some rows, the old ones of the others."""
    return torch.where(rows.view(-1, *([1] * (new.ndim - 1))), new, old)
