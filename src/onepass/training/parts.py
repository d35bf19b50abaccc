"""Names of the parts of a network, which rates, freezing and low-rank changes go by.

It needs no torch, and does not know which parts a checkpoint has.
"""

from __future__ import annotations

TEXT_ENCODER, LABEL_ENCODER, DECODER, HEADS = "text_encoder", "label_encoder", "decoder", "heads"
PARTS = (TEXT_ENCODER, LABEL_ENCODER, DECODER, HEADS)
ENCODERS = (TEXT_ENCODER, LABEL_ENCODER)
