"""Give a checkpoint the shapes of words: its backbone is told capitals, digits and line breaks.

Usage: python recipes/builtin/shapes.py CHECKPOINT OUTPUT

Every shape begins as the one type that the checkpoint knew, so it answers as before until it is
trained.
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
from onepass.text.shapes import SHAPES

TYPES = "backbone.type_embeddings.weight"


def main(checkpoint: Path, out: Path) -> None:
    """Write the checkpoint."""
    before = load_network(checkpoint)
    encoder_config = read_json(checkpoint / "encoder_config" / "config.json")
    encoder_config["type_vocab_size"] = SHAPES + 1
    state = before.state_dict()
    state[TYPES] = state[TYPES][:1].repeat(SHAPES + 1, 1)
    network = Gliner2Network(replace(before.config, shapes=True), encoder_config)
    network.load_state_dict(state)
    save_network(network, out, encoder_config=encoder_config, tokenizer_from=checkpoint)
    if (checkpoint / SETTINGS_FILE).is_file():
        shutil.copyfile(checkpoint / SETTINGS_FILE, out / SETTINGS_FILE)


if __name__ == "__main__":
    with torch.no_grad():
        main(*map(Path, sys.argv[1:]))
