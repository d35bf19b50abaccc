"""What ``config.json`` of a GLiClass checkpoint with a decoder says of its scorer alone.

The scorer reads what the decoder says of the labels, in both directions, once or several times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import LAYERS, Options

CONFIDENCES = ("relative", "absolute")
# Parts of a decoder that read images and sound: the start of the names of their weights.
MEDIA = ("visual.", "vision_tower.", "embed_vision.", "audio_tower.", "embed_audio.")
_STEPS = 64  # most times that the labels are read


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How often a scorer reads the labels again.

    Attributes:
        steps: most times that they are read.
        halt: smallest change of a score that is worth another time; 0 to read as often as may be.
        shared: whether the scores that are watched are shares of all labels, not each its own.
        reads_text: whether each time the text is read, too.
        least: fewest times while training.
        trained: most times while training.
        kept: times of which gradients are kept together while training; None for all.
        improvement: weight of the loss of times that are worse than the one before.
        margin: by which share a time has to be better than the one before.
        confidence: weight of the loss of unsure answers.
        mode: of that loss, one of `CONFIDENCES`.
        confidence_margin: by which share a time has to be surer than the one before.
    """

    steps: int
    halt: float
    shared: bool
    reads_text: bool
    least: int
    trained: int
    kept: int | None
    improvement: float
    margin: float
    confidence: float
    mode: str
    confidence_margin: float

    @classmethod
    def read(cls, options: Options) -> Reasoning | None:
        """Read it from a published configuration; None if labels are read once."""
        trained = options.whole("recurrent_steps", 1, least=0, most=_STEPS)
        if trained <= 1:
            return None
        most = options.whole("recurrent_inference_max_steps", 0, null=0, least=0, most=_STEPS)
        again = options.flag("recurrent_inference", True, null=False)
        kept = options.whole("recurrent_bptt_steps", 0, null=0, least=0, most=_STEPS)
        # Null is not absent: as with any other word, each score is watched by itself.
        problem = options.config.get("problem_type", "single_label_classification")
        return cls(
            steps=(most or trained) if again else 1,
            halt=options.number("recurrent_halt_threshold", 0.01, null=0.0, least=0),
            shared=problem == "single_label_classification",
            reads_text=options.flag("recurrent_read_text", False, null=False),
            least=min(max(options.whole("recurrent_min_steps", 1, null=1), 1), trained),
            trained=trained,
            kept=kept or None,
            improvement=options.number("recurrent_improvement_coef", 0.1, least=0),
            margin=options.number("recurrent_improvement_margin", 0.05),
            confidence=options.number("recurrent_confidence_coef", 0.0, null=0.0, least=0),
            mode=options.one_of("recurrent_confidence_mode", CONFIDENCES, "relative"),
            confidence_margin=options.number("recurrent_confidence_margin", 0.0),
        )


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """What a checkpoint with a decoder has in place of the parts of the others.

    Attributes:
        layers: of the encoder that reads what the decoder says of the labels.
        separator: piece id of ``<<SEP>>``; -1 where the configuration does not say.
        reasoning: how often it reads that; None for once.
        multimodal: whether the checkpoint reads images or sound, too; here it reads text alone.
    """

    layers: int
    separator: int
    reasoning: Reasoning | None
    multimodal: bool

    @classmethod
    def read(cls, raw: Mapping[str, Any], owner: str) -> DecoderConfig:
        """Read it from a published configuration.

        Args:
            raw: the configuration.
            owner: what messages call it.

        Raises:
            CheckpointError: for a wrong value.

        >>> DecoderConfig.read({"recurrent_steps": 3}, "this checkpoint").reasoning.steps
        3
        """
        options = Options(raw, owner)
        return cls(
            layers=options.whole("scorer_encoder_num_layers", 2, least=1, most=LAYERS),
            separator=options.whole("sep_token_index", -1, null=-1),
            reasoning=Reasoning.read(options),
            multimodal=options.flag("multimodal", False, null=False),
        )
