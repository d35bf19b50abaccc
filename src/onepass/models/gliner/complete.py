"""What old GLiNER checkpoints leave to their base models.

The first releases hold weights and a training configuration, and nothing of the encoder or its
tokenizer. Here they get it in the form in which later releases write it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from onepass.hub import Checkpoint, read_json
from onepass.hub.base import TOKENIZER, TOKENIZER_FILES, base_directory, base_files
from onepass.hub.checkpoint import (
    ADAPTER,
    ADAPTER_CONFIG,
    CONFIG,
    GLINER_CONFIG,
    INDEX,
    SETTINGS_FILE,
)
from onepass.hub.headers import Weight, read_headers
from onepass.hub.options import DEFAULTS, HubOptions
from onepass.models.base_tokenizer import (
    open_tokenizer,
    own_tokenizer,
    plain_tokenizer,
    write_tokenizer,
)
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.markers import add_markers, embedding_rows, markers
from onepass.models.missing import Lack, Missing
from onepass.models.tokenizer_config import with_prefix_space

COMPLETE_FORMAT = 1  # raise it when directories in the cache can no longer be read by this version
LABELS, DECODER = "labels_tokenizer", "decoder_tokenizer"
_RNN = "rnn.lstm.weight_ih_l"


def lacks(checkpoint: Checkpoint) -> tuple[Lack, ...]:
    """Return what a GLiNER checkpoint does not carry itself.

    Raises:
        CheckpointError: if its configuration cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "gliner_config.json").write_text('{"model_name": "bert-base-uncased"}')
    ...     [one.part for one in lacks(Checkpoint(Path(folder), "mine", None))]
    ['tokenizer.json', 'encoder_config']
    """
    config = GlinerConfig.from_dict(checkpoint.config)
    return tuple(_lacks(checkpoint.directory, config))


def missing(checkpoint: Checkpoint) -> Missing | None:
    """Return what a GLiNER checkpoint leaves to its base models; None if it is whole.

    Raises:
        CheckpointError: if its configuration cannot be read.
    """
    found = lacks(checkpoint)
    if not found:
        return None
    linked = tuple(_linked(checkpoint))
    states = [checkpoint.directory / GLINER_CONFIG, *linked]
    for base in sorted({lack.base for lack in found}):
        directory = base_directory(base, checkpoint)
        if directory is not None:
            states += [directory / name for name in (CONFIG, *TOKENIZER_FILES)]
    write = partial(write_missing, checkpoint)
    return Missing(found, str(COMPLETE_FORMAT), tuple(states), linked, write)


def write_missing(checkpoint: Checkpoint, target: Path, options: HubOptions = DEFAULTS) -> None:
    """Write what a GLiNER checkpoint lacks into a directory.

    Args:
        checkpoint: its configuration and its own tokenizer files are read, and its weights, which
            say how many pieces there are.
        target: receives ``gliner_config.json`` and tokenizer files; may be the checkpoint itself.
            Weights that are in it already are read in place of the checkpoint's.
        options: how the hub is asked for a base model.

    Raises:
        CheckpointError: if a base model cannot be had, or does not fit.
        MissingExtra: if its tokenizer has to be converted, and transformers is not installed.
    """
    config = GlinerConfig.from_dict(checkpoint.config)
    lacking = {lack.part for lack in _lacks(checkpoint.directory, config)}
    weights = _weights(checkpoint, target)
    raw = dict(checkpoint.config) | _layers(checkpoint.config, weights)
    rows = embedding_rows(weights) or (config.vocabulary if config.vocabulary > 0 else None)
    base = partial(base_files, checkpoint=checkpoint, options=options)

    if TOKENIZER in lacking:
        source = own_tokenizer(checkpoint.directory) or base(config.backbone)
        tokenizer = open_tokenizer(source, checkpoint.name)
        add_markers(tokenizer, config, rows, checkpoint.name)
        write_tokenizer(tokenizer, source, target)
    else:
        tokenizer = plain_tokenizer(checkpoint.directory / TOKENIZER)
    if not config.bi_encoder:
        rows = rows or tokenizer.get_vocab_size()
        raw |= {"class_token_index": tokenizer.token_to_id(config.ent_token), "vocab_size": rows}
    if config.streaming is not None:
        raw["sep_token_index"] = tokenizer.token_to_id(config.sep_token)
    if config.relations is not None:
        raw["rel_token_index"] = tokenizer.token_to_id(config.relations.token)
    if config.encoder is None:
        encoder = read_json(base(config.backbone, files=(CONFIG,)) / CONFIG)
        raw[config.encoder_key] = encoder if rows is None else encoder | {"vocab_size": rows}
    for name, key, folder in _others(config):
        if key in lacking:
            raw[key] = read_json(base(name, files=(CONFIG,)) / CONFIG)
        if f"{folder}/{TOKENIZER}" in lacking:
            own = checkpoint.directory / folder
            source = own_tokenizer(own) or base(name)
            other = open_tokenizer(source, checkpoint.name)
            if folder == DECODER:
                other = with_prefix_space(other)
            write_tokenizer(other, source, target / folder)
    _write_json(target / GLINER_CONFIG, raw)


def _lacks(directory: Path, config: GlinerConfig) -> Iterator[Lack]:
    if not _has_markers(directory / TOKENIZER, config):
        yield Lack(TOKENIZER, config.backbone)
    if config.encoder is None:
        yield Lack(config.encoder_key, config.backbone)
    for name, key, folder in _others(config):
        if not config.raw.get(key):
            yield Lack(key, name)
        if not (directory / folder / TOKENIZER).is_file():
            yield Lack(f"{folder}/{TOKENIZER}", name)


def _others(config: GlinerConfig) -> Iterator[tuple[str, str, str]]:
    """Yield base model, key of the configuration and folder of each further tokenizer."""
    if config.label_backbone is not None:
        yield config.label_backbone, "labels_encoder_config", LABELS
    if config.decoder is not None:
        yield config.decoder.name, "labels_decoder_config", DECODER


def _has_markers(path: Path, config: GlinerConfig) -> bool:
    """Say whether a tokenizer file is there and has the special tokens."""
    if not path.is_file():
        return False
    content = path.read_bytes()
    wanted = markers(config)
    if all(json.dumps(token).encode() in content for token in wanted):  # the form that all write
        return True
    tokenizer = plain_tokenizer(path)
    return all(tokenizer.token_to_id(token) is not None for token in wanted)


def _layers(raw: Mapping[str, Any], weights: Mapping[str, object]) -> dict[str, int]:
    """Return the number of LSTM layers, where the configuration does not give it."""
    if raw.get("num_rnn_layers") is not None:
        return {}
    if "has_rnn" in raw:
        return {"num_rnn_layers": int(bool(raw["has_rnn"]))}
    if not weights:
        return {}
    own = [name for name in weights if name.startswith(_RNN) and not name.endswith("_reverse")]
    return {"num_rnn_layers": len(own)}


def _linked(checkpoint: Checkpoint) -> list[Path]:
    """Return the files of a checkpoint that its completed form has as well."""
    directory = checkpoint.directory
    found = [directory / name for name in (*TOKENIZER_FILES, SETTINGS_FILE, INDEX)]
    found += [directory / folder / ADAPTER_CONFIG for folder in (".", ADAPTER)]
    found += [directory / folder / name for folder in (LABELS, DECODER) for name in TOKENIZER_FILES]
    found += checkpoint.weight_files if checkpoint.has_weights else ()
    return [path for path in found if path.is_file()]


def _weights(checkpoint: Checkpoint, target: Path) -> Mapping[str, Weight]:
    """Return what the weights are, from the first of both places that has them."""
    for one in (Checkpoint(target, checkpoint.name, None), checkpoint):
        if one.has_weights:
            return read_headers(one)
    return {}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(dict(content), indent=2) + "\n", encoding="utf-8")
