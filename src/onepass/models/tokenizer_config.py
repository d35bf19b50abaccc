"""``tokenizer_config.json`` for a ``tokenizer.json``: what other libraries ask for beside it.

onepass itself reads ``tokenizer.json`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from onepass.hub import read_json
from onepass.hub.checkpoint import CONFIG

_ROLES = ("pad", "unk", "cls", "sep", "mask", "bos", "eos")
_LONGEST = 10**9  # a model_max_length above it stands for none


def tokenizer_config(tokenizer: Tokenizer, source: Path) -> dict[str, Any]:
    """Return the configuration of a tokenizer, as transformers reads it.

    Args:
        tokenizer: whose file it will stand beside.
        source: the directory that it came from, with whatever files there are.

    Returns:
        The general class, which takes ``tokenizer.json`` as it is, the tokens that have a role, and
        the longest sequence if the source says so.
    """
    said = _said(source)
    content: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast"}
    longest = said.get("model_max_length")
    if isinstance(longest, int) and longest < _LONGEST:
        content["model_max_length"] = longest
    for role in _ROLES:
        token = _content(said.get(f"{role}_token"))
        if token is not None and tokenizer.token_to_id(token) is not None:
            content[f"{role}_token"] = token
    return _guessed(tokenizer, source) | content


def named_token(source: Path, role: str) -> str | None:
    """Return the token that has a role, such as "eos", in a directory of tokenizer files.

    >>> named_token(Path("nowhere"), "eos") is None
    True
    """
    return _content(_said(source).get(f"{role}_token"))


def _said(source: Path) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (source / name).is_file():
            said |= read_json(source / name)
    return said


def _content(named: object) -> str | None:
    """Return a token that is written as itself, or as an object with options."""
    token = named.get("content") if isinstance(named, dict) else named
    return token if isinstance(token, str) else None


def with_prefix_space(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer that reads its first word like any other: as one behind a space.

    >>> from tokenizers import models, pre_tokenizers
    >>> tokenizer = Tokenizer(models.BPE())
    >>> tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    >>> with_prefix_space(tokenizer).pre_tokenizer.pre_tokenize_str("a")
    [('Ġa', (0, 1))]
    """
    state: dict[str, Any] = json.loads(tokenizer.to_str())
    for part in _parts(state.get("pre_tokenizer")):
        if part.get("type") == "ByteLevel":
            part["add_prefix_space"] = True
    return Tokenizer.from_str(json.dumps(state))


def _parts(part: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    if part is not None:
        yield part
        for inner in part.get("pretokenizers", ()):
            yield from _parts(inner)


def _guessed(tokenizer: Tokenizer, source: Path) -> dict[str, str]:
    """Return roles that no file of the tokenizer gives: the class in transformers knows them."""
    roles: dict[str, str | None] = {}
    encoding = tokenizer.encode("a")
    marks = [
        token
        for token, special in zip(encoding.tokens, encoding.special_tokens_mask, strict=True)
        if special
    ]
    if len(marks) == 2:
        roles = {"cls_token": marks[0], "sep_token": marks[1]}
    config = read_json(source / CONFIG) if (source / CONFIG).is_file() else {}
    pad, eos = (config.get(f"{role}_token_id") for role in ("pad", "eos"))
    if isinstance(pad, int):
        roles["pad_token"] = tokenizer.id_to_token(pad)
    if isinstance(eos, int) and not marks:  # a language model
        roles["eos_token"] = tokenizer.id_to_token(eos)
        roles.setdefault("pad_token", roles["eos_token"])
    return {role: token for role, token in roles.items() if token is not None}
