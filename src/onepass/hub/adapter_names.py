"""Names of weights as peft writes them: those of layers, and those of what changes a layer."""

from __future__ import annotations

import re

FACTOR = re.compile(r"(.+)\.lora_([AB])(?:\.([^.]+))?\.weight")  # layer, side, adapter
_WRAPPED = "base_model.model."  # stands in front of the names of what is wrapped
_CHANGE = re.compile(r"\.lora_|\.token_adapter\.")
_COPY = ".original_module."  # of what was trained whole and stands in its place
_SAVED = re.compile(r"\.modules_to_save\.[^.]+\.")


def unwrapped(name: str) -> str:
    """Return a name without what is put in front of the wrapped part.

    >>> unwrapped("model.base_model.model.layer.lora_A.default.weight")
    'model.layer.lora_A.default.weight'
    """
    return name.replace(_WRAPPED, "")


def is_change(name: str) -> bool:
    """Say whether a weight changes a layer, in whatever way."""
    return _CHANGE.search(name) is not None


def layer_name(name: str) -> str | None:
    """Return the name that a weight has without an adapter; None if it has none.

    >>> layer_name("base_model.model.layer.base_layer.bias"), layer_name("layer.weight")
    ('layer.bias', 'layer.weight')
    >>> layer_name("layer.lora_A.weight"), layer_name("head.original_module.weight")
    (None, None)
    >>> layer_name("head.modules_to_save.default.weight")
    'head.weight'
    """
    plain = unwrapped(name)
    if is_change(plain) or _COPY in plain:
        return None
    return _SAVED.sub(".", plain.replace(".base_layer.", "."))
