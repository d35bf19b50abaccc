"""What a sentence-transformers checkpoint says about itself: its modules, read strictly.

``modules.json`` lists a transformer, a pooling, and what comes behind them: dense layers and a
normalization. This module knows no weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onepass.encoding.options import SIZE, Options
from onepass.errors import CheckpointError
from onepass.hub.checkpoint import CONFIG, MODULES
from onepass.hub.files import read_json
from onepass.models.limits import longest_sequence

# In the order in which several of them are joined, with the key that names each in old files.
POOLINGS: Mapping[str, str] = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
ACTIVATIONS = ("Identity", "Tanh", "ReLU", "GELU", "SiLU", "Sigmoid")  # of torch.nn
_HIDDEN = ("hidden_size", "d_model", "dim")  # where encoders have the size of their vectors
_OUT = "sentence_embedding"


@dataclass(frozen=True, slots=True)
class DenseConfig:
    """A dense layer behind the pooling.

    Attributes:
        folder: holds its configuration and its weights.
        inputs: numbers of a vector that it takes.
        outputs: numbers of a vector that it makes.
        bias: whether it has one.
        activation: one of `ACTIVATIONS`.
    """

    folder: str
    inputs: int
    outputs: int
    bias: bool
    activation: str

    @classmethod
    def from_dict(cls, config: Mapping[str, Any], folder: str) -> DenseConfig:
        """Read the configuration of a layer.

        Raises:
            CheckpointError: for a wrong value, or a layer that does something else.
        """
        options = Options(config, f"the dense layer {folder}")
        name = options.text("activation_function", "torch.nn.modules.activation.Tanh")
        activation = name.rpartition(".")[2]
        if activation not in ACTIVATIONS or not name.startswith("torch.nn."):
            raise CheckpointError(
                f"The activation_function {name!r} of {folder} is not supported; those of torch.nn "
                f"called {', '.join(ACTIVATIONS)} are."
            )
        ends = [config.get("module_input_name", _OUT), config.get("module_output_name") or _OUT]
        if ends != [_OUT, _OUT] or config.get("use_residual"):
            raise CheckpointError(
                f"The dense layer {folder} works on other vectors than those of whole texts, or "
                "beside itself (use_residual), which is not supported; use another checkpoint."
            )
        return cls(
            folder,
            options.whole("in_features", least=1, most=SIZE),
            options.whole("out_features", least=1, most=SIZE),
            options.flag("bias", True, null=False),
            activation,
        )


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """What makes a vector of a text.

    Attributes:
        encoder: transformers configuration of the encoder.
        poolings: which of `POOLINGS` are joined, in order.
        behind: dense layers, and None for each normalization, in order.
        pieces: of the longest sequence, as far as sentence-transformers says; None if it does not.
        lower: whether texts are read in lower case, whatever the tokenizer does.
        prompt: is read in front of every text and every label.
    """

    encoder: Mapping[str, Any]
    poolings: tuple[str, ...]
    behind: tuple[DenseConfig | None, ...]
    pieces: int | None
    lower: bool
    prompt: str

    @property
    def dense(self) -> tuple[DenseConfig, ...]:
        """The dense layers, in order."""
        return tuple(one for one in self.behind if one is not None)

    @property
    def size(self) -> int:
        """Numbers of a vector."""
        return self.dense[-1].outputs if self.dense else self.pooled

    @property
    def pooled(self) -> int:
        """Numbers of a vector behind the poolings."""
        key = next((key for key in _HIDDEN if key in self.encoder), None)
        if key is None:
            return 0
        size = Options(self.encoder, "this sentence encoder").whole(key, least=1, most=SIZE)
        return len(self.poolings) * size

    def longest(self, tokenizer: Mapping[str, Any]) -> int:
        """Return how many pieces are read at once.

        Args:
            tokenizer: ``tokenizer_config.json``.
        """
        limit = longest_sequence(self.encoder, tokenizer)
        return limit if self.pieces is None else min(limit, self.pieces)

    @classmethod
    def read(cls, directory: Path) -> EmbeddingConfig:
        """Read the files of a checkpoint.

        Raises:
            CheckpointError: if one is missing or broken, or for modules that are not supported.
        """
        modules = read_modules(directory)
        kinds = [kind for kind, _ in modules]
        if kinds[:2] != ["Transformer", "Pooling"] or {*kinds[2:]} - {"Dense", "Normalize"}:
            raise CheckpointError(
                f"The modules in {directory / MODULES} are {', '.join(kinds)}, but a Transformer, "
                "a Pooling, and then nothing but Dense and Normalize are supported."
            )
        if modules[0][1]:
            raise CheckpointError(
                f"The encoder of {directory} lies in {modules[0][1]}, not beside {MODULES}; save "
                "the checkpoint again with a newer sentence-transformers."
            )
        own = Options(_sentence_config(directory), f"the transformer of {directory}")
        whole = directory / "config_sentence_transformers.json"
        prompts = read_json(whole) if whole.is_file() else {}
        return cls(
            encoder=read_json(directory / CONFIG),
            poolings=_poolings(directory / modules[1][1] / CONFIG, prompts),
            behind=tuple(
                _dense(directory, folder) if kind == "Dense" else None
                for kind, folder in modules[2:]
            ),
            pieces=(
                None
                if own.config.get("max_seq_length") is None
                else own.whole("max_seq_length", least=1)
            ),
            lower=own.flag("do_lower_case", False, null=False),
            prompt=_prompt(prompts),
        )

    def check_sizes(self) -> None:
        """Compare the sizes of the dense layers.

        Raises:
            CheckpointError: if one does not take what stands before it.
        """
        size = self.pooled
        for one in self.dense:
            if one.inputs != size:
                raise CheckpointError(
                    f"The dense layer {one.folder} takes vectors of {one.inputs} numbers, but "
                    f"what stands before it makes them of another shape, {size}; check that the "
                    "poolings and the layers belong together."
                )
            size = one.outputs


def read_modules(directory: Path) -> list[tuple[str, str]]:
    """Return the modules of a checkpoint: kind and folder of each.

    Raises:
        CheckpointError: if they cannot be read.
    """
    path = directory / MODULES
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = [(str(one["type"]).rpartition(".")[2], str(one["path"])) for one in content]
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not a readable list of modules ({type(error).__name__}: {error}); download "
            "it again."
        ) from error
    for _, folder in found:
        if "/" in folder or "\\" in folder or folder == "..":
            raise CheckpointError(
                f"{path} names the folder {folder!r}, which cannot lie beside it; download it "
                "again."
            )
    return found


def _poolings(path: Path, prompts: Mapping[str, Any]) -> tuple[str, ...]:
    config = read_json(path)
    options, named = Options(config, f"the pooling in {path}"), config.get("pooling_mode")
    if named is None:
        held = [name for name, key in POOLINGS.items() if options.flag(key, False, null=False)]
        named = held or ["mean"]
    found: Sequence[Any] = named if isinstance(named, list) and named else [named]
    for name in found:
        if not isinstance(name, str) or name not in POOLINGS:
            raise CheckpointError(
                f"The pooling {name!r} in {path} is not supported; {', '.join(POOLINGS)} are."
            )
    if not options.flag("include_prompt", True, null=True) and _prompt(prompts):
        raise CheckpointError(
            f"{path} leaves the prompt out of the pooling (include_prompt), which is not "
            "supported; use another checkpoint."
        )
    return tuple(found)


def _dense(directory: Path, folder: str) -> DenseConfig:
    return DenseConfig.from_dict(read_json(directory / folder / CONFIG), folder)


def _sentence_config(directory: Path) -> dict[str, Any]:
    """Return what is said of the transformer; old files are named after the encoder."""
    paths = sorted(directory.glob("sentence_*_config.json"))
    return read_json(paths[0]) if paths else {}


def _prompt(config: Mapping[str, Any]) -> str:
    """Return the prompt that is used where none is asked for."""
    prompts, name = config.get("prompts"), config.get("default_prompt_name")
    found = prompts.get(name) if isinstance(prompts, Mapping) and isinstance(name, str) else None
    return str(found or "")
