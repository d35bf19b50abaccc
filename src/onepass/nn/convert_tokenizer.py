"""A ``tokenizer.json`` from tokenizer files of an older kind, made by transformers.

``spm.model``, ``vocab.txt``, ``vocab.json`` with ``merges.txt``: which of them a model has, and
what its family adds to them, is known to transformers. This module knows no checkpoints of ours.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, normalizers, processors
from transformers import AutoTokenizer

from onepass.errors import CheckpointError, MissingExtra


def convert_tokenizer(directory: Path) -> Tokenizer:
    """Return the tokenizer of a directory that has no ``tokenizer.json``.

    Args:
        directory: holds ``config.json`` or a complete ``tokenizer_config.json``, and the files.

    Raises:
        CheckpointError: if transformers cannot make one of them.
        MissingExtra: if what reads a file of sentencepiece is not installed.
    """
    models = sorted(directory.glob("*.model"))
    if models and not _can_read_sentencepiece():
        raise MissingExtra(f"Converting {models[0]} to a tokenizer.json", "torch")
    try:
        slow = AutoTokenizer.from_pretrained(
            str(directory), local_files_only=True, trust_remote_code=False
        )
        tokenizer = Tokenizer.from_str(slow.backend_tokenizer.to_str())
    except Exception as error:  # each version of transformers has exceptions of its own for this
        reason = next(iter(str(error).splitlines()), "")[:150].strip(" .")
        raise CheckpointError(
            f"The tokenizer files in {directory} could not be converted to a tokenizer.json "
            f"({type(error).__name__}: {reason}); put a tokenizer.json there."
        ) from error
    if models:
        _mend_normalizer(tokenizer, models[0])
    _mend_frame(tokenizer, slow.cls_token, slow.sep_token)
    return tokenizer


def _can_read_sentencepiece() -> bool:
    packages = ("sentencepiece", "google", "google.protobuf")  # the last needs the one before it
    return all(find_spec(name) is not None for name in packages)


def _mend_normalizer(tokenizer: Tokenizer, path: Path) -> None:
    """Give the tokenizer the table of characters of its model, which transformers 5 leaves out.

    Without it, "ﬁ" and full-width letters, which the model was trained to read as plain ones, are
    unknown.
    """
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]  # made at run time
    model.ParseFromString(path.read_bytes())
    table: bytes = model.normalizer_spec.precompiled_charsmap
    state: dict[str, Any] = json.loads(tokenizer.to_str())
    if not table or '"Precompiled"' in json.dumps(state["normalizer"]):
        return
    rest = [] if tokenizer.normalizer is None else [tokenizer.normalizer]
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(table), *rest])


def _mend_frame(tokenizer: Tokenizer, first: str | None, last: str | None) -> None:
    """Put the pieces around a sequence that some versions of transformers 5 leave out."""
    if first is None or last is None or any(tokenizer.encode("a").special_tokens_mask):
        return
    ids = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B:1 {last}:1", special_tokens=ids
    )
