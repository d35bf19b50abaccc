"""A checkpoint: a directory, where it came from, and of which family it is.

Told from its configuration file alone. This module knows neither the network nor how the files came
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from onepass.errors import CheckpointError
from onepass.hub.files import read_json

CONFIG = "config.json"
GLINER_CONFIG = "gliner_config.json"
MODULES = "modules.json"  # of sentence-transformers
LAYERS = "[0-9]*_*"  # folders of what they put behind an encoder
WEIGHTS = "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"  # in place of it where the weights are split over several files
ADAPTER_CONFIG = "adapter_config.json"  # of peft
ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER = "onepass_adapter"  # folder of both beside what they change, where we put them together
SETTINGS_FILE = "onepass.json"  # what we add to a published layout: calibration, templates
OWN_WEIGHTS = "onepass.safetensors"  # likewise, of weights that other libraries would refuse
KINDS: Mapping[str, str] = {
    "gliner2": f"{CONFIG} with model_type 'extractor'",
    "gliner2-boundary": f"{CONFIG} with model_type 'extractor' and architecture 'boundary'",
    "gliner": GLINER_CONFIG,
    "gliclass": f"{CONFIG} with model_type 'GLiClass'",
    "nli": f"{CONFIG} of a sequence classifier with a label 'entailment'",
    "embedding": MODULES,
}
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_PICKLED = "pytorch_model.bin"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on this machine.

    Attributes:
        directory: the directory of its files.
        name: the name under which it was asked for: a hub id, or the directory as it was given.
        revision: commit on the hub that all its files come from; None for a local directory.

    >>> Checkpoint(Path("models/mine"), "models/mine", None).kind
    Traceback (most recent call last):
    onepass.errors.CheckpointError: The checkpoint models/mine has neither config.json nor ...
    """

    directory: Path
    name: str
    revision: str | None

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The JSON object of ``gliner_config.json`` if there is one, else of ``config.json``.

        Raises:
            CheckpointError: if there is neither, or it is not a JSON object.
        """
        for name in (GLINER_CONFIG, CONFIG):  # some GLiNER checkpoints have both
            if (self.directory / name).is_file():
                return read_json(self.directory / name)
        raise CheckpointError(
            f"The checkpoint {self.name} has neither {CONFIG} nor {GLINER_CONFIG}; give a "
            "directory or a hub id that holds a model."
        )

    @cached_property
    def kind(self) -> str:
        """The family: a key of `KINDS`.

        Raises:
            CheckpointError: naming what was found and what is known.
        """
        kind = _kind_of(self.config, gliner=(self.directory / GLINER_CONFIG).is_file())
        if kind is None and (self.directory / MODULES).is_file():
            kind = "embedding"
        if kind is None:
            known = "; ".join(f"{kind} ({mark})" for kind, mark in KINDS.items())
            raise CheckpointError(
                f"The checkpoint {self.name} is of no known kind: its {CONFIG} has "
                f"{_traits(self.config)}; known are {known}."
            )
        return kind

    @property
    def is_adapter(self) -> bool:
        """Whether there are changes of another checkpoint here, and no checkpoint."""
        own = any((self.directory / name).is_file() for name in (GLINER_CONFIG, CONFIG, MODULES))
        return not own and (self.directory / ADAPTER_CONFIG).is_file()

    @property
    def has_weights(self) -> bool:
        """Whether there are weights that can be read."""
        return any((self.directory / name).is_file() for name in (WEIGHTS, INDEX))

    @property
    def weights(self) -> Path:
        """The safetensors file that holds the weights, or the index of those that do.

        Raises:
            CheckpointError: if there is none, with what was found in its place and what to do.
        """
        for name in (WEIGHTS, INDEX):
            if (self.directory / name).is_file():
                return self.directory / name
        convert = f"where you trust it, run  onepass export --safetensors {self.name} -o DIR"
        pickles = sorted(file.name for pattern in _PICKLES for file in self.directory.glob(pattern))
        if pickles:
            raise CheckpointError(
                f"The checkpoint {self.name} has no {WEIGHTS}, only {', '.join(pickles)}, which "
                f"can run code when it is read; {convert}  and open DIR."
            )
        if self.revision is None:
            raise CheckpointError(
                f"The checkpoint {self.name} has no {WEIGHTS}; copy the file there, or download "
                "the checkpoint again."
            )
        raise CheckpointError(
            f"The checkpoint {self.name} has no {WEIGHTS}; weights in another format (such as "
            f"{_PICKLED}) are never downloaded or read; {convert}  and open DIR."
        )

    @property
    def weight_files(self) -> tuple[Path, ...]:
        """The safetensors files that hold the weights, those of ours and of an adapter last.

        Raises:
            CheckpointError: if there are none, or one that the index names is not there.
        """
        path = self.weights
        own = (path,) if path.name == WEIGHTS else _indexed(path)
        more = (self.directory / OWN_WEIGHTS, self.directory / ADAPTER / ADAPTER_WEIGHTS)
        return (*own, *(one for one in more if one.is_file()))

    @property
    def pickles(self) -> tuple[Path, ...]:
        """The files of weights that only ``onepass export --safetensors`` reads; mostly none.

        Raises:
            CheckpointError: if one that their index names is not there.
        """
        path = self.directory / _PICKLED
        if path.is_file():
            return (path,)
        index = self.directory / f"{_PICKLED}.index.json"
        return _indexed(index) if index.is_file() else ()


def _indexed(index: Path) -> tuple[Path, ...]:
    """Return the files that an index names."""
    names = read_json(index).get("weight_map")
    if not isinstance(names, Mapping) or not names:
        raise CheckpointError.damaged(index, "names no files in its weight_map")
    found = sorted({str(name) for name in names.values()})
    for name in found:
        if "/" in name or "\\" in name or not (index.parent / name).is_file():
            raise CheckpointError(
                f"{index} names the file {name!r}, which is not beside it; copy it there, or "
                "download the checkpoint again."
            )
    return tuple(index.parent / name for name in found)


def _kind_of(config: Mapping[str, Any], *, gliner: bool) -> str | None:
    if gliner:
        return "gliner"
    model_type = config.get("model_type")
    if model_type == "extractor" and config.get("architecture") == "boundary":
        return "gliner2-boundary"
    if model_type == "extractor" or "counting_layer" in config:
        return "gliner2"
    if model_type == "GLiClass" or "GLiClassModel" in _architectures(config):
        return "gliclass"
    if "model_name" in config and "max_width" in config:  # GLiNER2 before it had a model_type
        return "gliner2"
    return "nli" if _tells_entailment(config) else None


def _tells_entailment(config: Mapping[str, Any]) -> bool:
    """Say whether a configuration is that of a classifier of which one class is entailment."""
    classifies = any(
        str(name).endswith("ForSequenceClassification") for name in _architectures(config)
    )
    ids, names = config.get("label2id"), config.get("id2label")
    labels = [*(ids if isinstance(ids, Mapping) else ())]
    labels += names.values() if isinstance(names, Mapping) else ()
    return classifies and any(str(label).lower().startswith("entail") for label in labels)


def _architectures(config: Mapping[str, Any]) -> list[Any]:
    found = config.get("architectures")
    return found if isinstance(found, list) else []


def _traits(config: Mapping[str, Any]) -> str:
    """Say what a configuration says of its model, for a message."""
    traits = [
        f"{key} {config[key]!r}" for key in ("model_type", "architectures") if config.get(key)
    ]
    return " and ".join(traits) or "no model_type"
