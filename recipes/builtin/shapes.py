"""Give a checkpoint the shapes of words: its backbone is told capitals, digits and line breaks.

Usage: python recipes/builtin/shapes.py CHECKPOINT OUTPUT

Every kind of word and every gap before one begins as a short random vector, the same at each call,
so that weights of several runs can be averaged; a shape is the sum of its two. What the network
makes of them it learns in training.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import torch

from onepass.hub.checkpoint import SETTINGS_FILE
from onepass.hub.files import read_json
from onepass.models.gliner2.network.checkpoint import load_network, save_network
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.text.shapes import GAPS, KINDS, SHAPES

TYPES = "backbone.type_embeddings.weight"
LENGTH = 0.3  # of a vector; those of pieces have about 1


def main(checkpoint: Path, out: Path) -> None:
    """Write the checkpoint."""
    before = load_network(checkpoint)
    encoder_config = read_json(checkpoint / "encoder_config" / "config.json")
    encoder_config["type_vocab_size"] = SHAPES + 1
    state = before.state_dict()
    state[TYPES] = torch.cat([state[TYPES][:1], state[TYPES][:1] + codes(before.hidden)])
    network = Gliner2Network(replace(before.config, shapes=True), encoder_config)
    network.load_state_dict(state)
    save_network(network, out, encoder_config=encoder_config, tokenizer_from=checkpoint)
    if (checkpoint / SETTINGS_FILE).is_file():
        shutil.copyfile(checkpoint / SETTINGS_FILE, out / SETTINGS_FILE)


def codes(hidden: int) -> torch.Tensor:
    """Return (shapes, hidden) vectors, in the order of `onepass.text.shapes.word_shapes`."""
    generator = torch.Generator().manual_seed(11)
    rows = torch.randn(len(GAPS) + len(KINDS), hidden, generator=generator)
    gaps, kinds = (rows * LENGTH / hidden**0.5).split([len(GAPS), len(KINDS)])
    return (gaps[:, None] + kinds).reshape(-1, hidden)


if __name__ == "__main__":
    with torch.no_grad():
        main(*map(Path, sys.argv[1:]))
