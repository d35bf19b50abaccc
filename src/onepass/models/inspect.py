"""What a checkpoint is made of and whether it can be run, from its files and their headers.

Nothing is loaded, nothing is fetched, and no torch is needed. What is wrong with a checkpoint is
part of the answer, not an error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from onepass.encoding.options import ROWS, Options
from onepass.encoding.tokenizer import read_tokenizer
from onepass.errors import CheckpointError
from onepass.hub import Checkpoint, export_dir
from onepass.hub.adapter_names import layer_name
from onepass.hub.exports import export_problem
from onepass.hub.headers import Weight, read_headers
from onepass.models.complete import completed
from onepass.models.facts import Facts
from onepass.models.family import Family
from onepass.models.kept import Calibration, Kept
from onepass.models.registry import FAMILIES, read_settings
from onepass.text.splitters import missing_library

_PRECISIONS = ("fp32", "int8")
_SIZES = (("num_hidden_layers", "layers"), ("hidden_size", "hidden"))
_COUNTS = (*(key for key, _ in _SIZES), "num_attention_heads", "intermediate_size", "vocab_size")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class InspectedPart:
    """Some weights of a checkpoint.

    Attributes:
        name: what they are.
        parameters: how many numbers.
        size_bytes: what these take.
        base: name of the model that they came from, if they did.
        encoder: kind and size of an encoder, in words.
    """

    name: str
    parameters: int
    size_bytes: int
    base: str | None = None
    encoder: str | None = None


@dataclass(frozen=True, slots=True)
class Graphs:
    """Exported graphs of one precision.

    Attributes:
        precision: of their weights.
        path: their directory.
        size_bytes: of their files.
        problem: why they are not used; None if they are.
    """

    precision: str
    path: Path
    size_bytes: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a checkpoint is made of.

    Attributes:
        checkpoint: what was looked at.
        architecture: variant within its family.
        parts: in the order of the architecture; empty without weights.
        dtypes: number formats of the weights.
        tokens: special tokens of its prompts and their ids, None for one that is not there.
        pieces: of the longest sequence that it reads at once; None if it is not known.
        words: of one window; None where only pieces count.
        width: words of the longest span; None if there is no limit.
        thresholds: what it was calibrated to, by kind of task.
        calibration: of its scores, by kind of task.
        label_thresholds: of labels that have one of their own, by name.
        splitter: of words that it names; None for those of its family.
        settings: what else its ``onepass.json`` says, which its family alone reads.
        graphs: exports that are there, used or not.
        lacks: what it leaves to others, one clause each.
        problems: why it cannot be run as it is, one sentence each.
    """

    checkpoint: Checkpoint
    architecture: str
    parts: tuple[InspectedPart, ...] = ()
    dtypes: tuple[str, ...] = ()
    tokens: Mapping[str, int | None] = field(default_factory=dict)
    pieces: int | None = None
    words: int | None = None
    width: int | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    label_thresholds: Mapping[str, float] = field(default_factory=dict)
    splitter: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    graphs: tuple[Graphs, ...] = ()
    lacks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Return how many numbers all parts have."""
        return sum(part.parameters for part in self.parts)


def inspect_checkpoint(checkpoint: Checkpoint) -> Inspection:
    """Look a checkpoint over.

    Raises:
        CheckpointError: if it is of no known kind.

    >>> from onepass.builtin import builtin_checkpoint
    >>> found = inspect_checkpoint(builtin_checkpoint())
    >>> found.architecture, found.width, found.problems
    ('span, count_lstm_v2, word shapes, reranker', 10, ())
    """
    problems: list[str] = []
    family = FAMILIES.get(checkpoint.kind)
    facts, whole = _facts(checkpoint, family, problems)
    problems += facts.problems
    for part, (_, config) in facts.encoders.items():
        _tried(problems, partial(_check_sizes, part, config), None)
    if family is None:
        problems.append(f"A {checkpoint.kind} checkpoint cannot be run by this version yet.")
    graphs = _graphs(checkpoint, facts)
    nothing: Mapping[str, Weight] = {}
    weights = nothing
    if checkpoint.has_weights or all(one.problem is not None for one in graphs):
        weights = _tried(problems, partial(_weights, checkpoint), nothing)
    parts = _parts(weights, facts)
    if weights:
        found, known = {part.name for part in parts}, set(facts.parts.values())
        problems += [f"There are no weights of the {x}." for x in facts.expected if x not in found]
        strange = [part.name for part in parts if facts.parts and part.name not in known]
        problems += [f"No part is known for the weights of {name}." for name in strange]
    absent: dict[str, int | None] = {}
    tokens = _tried(problems, partial(_tokens, whole, facts), absent)
    problems += _token_problems(tokens, facts)
    kept = _tried(problems, partial(read_settings, checkpoint.directory, family), Kept())
    library = None if kept.splitter is None else missing_library(kept.splitter)
    problems += [] if library is None else [str(library)]
    return Inspection(
        checkpoint=checkpoint,
        architecture=facts.architecture,
        parts=parts,
        dtypes=tuple(sorted({weight.dtype for weight in weights.values()})),
        tokens=tokens,
        pieces=facts.pieces,
        words=facts.words,
        width=facts.width,
        thresholds=kept.thresholds,
        calibration=kept.calibration,
        label_thresholds=kept.labels,
        splitter=kept.splitter,
        settings=kept.of_family,
        graphs=graphs,
        lacks=facts.lacks,
        problems=tuple(problems),
    )


def _tried(problems: list[str], look: Callable[[], Found], otherwise: Found) -> Found:
    """Return what can be seen; if it cannot, that is a problem of the checkpoint."""
    try:
        return look()
    except CheckpointError as error:
        problems.append(str(error))
        return otherwise


def _facts(
    checkpoint: Checkpoint, family: Family | None, problems: list[str]
) -> tuple[Facts, Checkpoint]:
    """Return what a checkpoint says of itself, and where its tokenizer is.

    An old checkpoint that was opened before says it with what it was completed by.
    """
    facts = Facts(_architecture(checkpoint))
    if family is None:
        return facts, checkpoint
    facts = _tried(problems, partial(family.facts, checkpoint), facts)
    whole = completed(checkpoint, family) if facts.lacks else None
    if whole is None:
        return facts, checkpoint
    return replace(family.facts(whole), lacks=facts.lacks), whole


def _architecture(checkpoint: Checkpoint) -> str:
    """Return what a checkpoint calls its variant, for those whose parts are not known."""
    names = (checkpoint.config.get(key) for key in ("architecture", "architecture_type"))
    return next((str(name) for name in names if name), "unknown")


def _weights(checkpoint: Checkpoint) -> Mapping[str, Weight]:
    """Return what the weights are once an adapter is added to them."""
    named = ((layer_name(name), weight) for name, weight in read_headers(checkpoint).items())
    return {name: weight for name, weight in named if name is not None}


def _parts(weights: Mapping[str, Weight], facts: Facts) -> tuple[InspectedPart, ...]:
    """Add the weights of each part up."""
    held: dict[str, list[Weight]] = {}
    for name, weight in weights.items():
        held.setdefault(facts.part_of(name), []).append(weight)
    starts = sorted(facts.parts, key=bool)  # a part that is all the rest comes first
    order = list(dict.fromkeys(facts.parts[start] for start in starts))
    known = [part for part in order if part in held]
    return tuple(
        InspectedPart(
            name,
            sum(weight.parameters for weight in held[name]),
            sum(weight.size_bytes for weight in held[name]),
            *_encoder(facts, name),
        )
        for name in (*known, *sorted(held.keys() - set(known)))
    )


def _encoder(facts: Facts, part: str) -> tuple[str | None, str | None]:
    """Return the base model of a part, and what kind of encoder it is."""
    if part not in facts.encoders:
        return None, None
    base, config = facts.encoders[part]
    said = [str(config["model_type"])] if "model_type" in config else []
    said += [f"{unit} {config[key]}" for key, unit in _SIZES if key in config]
    return base or None, ", ".join(said) or None


def _check_sizes(part: str, config: Mapping[str, Any]) -> None:
    """Refuse sizes that no network of an encoder can have, whatever its kind."""
    options = Options(config, f"the {part}")
    for key in _COUNTS:
        if key in config:
            options.whole(key, least=1, most=ROWS)


def _tokens(checkpoint: Checkpoint, facts: Facts) -> dict[str, int | None]:
    """Return the ids of the special tokens, empty where there is no tokenizer.

    Every tokenizer is read, also one without such tokens: it may be broken.
    """
    paths = [checkpoint.directory / name for name in facts.tokenizers]
    read = [read_tokenizer(path) if path.is_file() else None for path in paths]
    tokenizer = read[0]
    if tokenizer is None:
        return {}
    return {token: tokenizer.token_to_id(token) for token in facts.tokens}


def _token_problems(tokens: Mapping[str, int | None], facts: Facts) -> list[str]:
    if facts.lacks and any(index is None for index in tokens.values()):
        return []  # it is said there what is done about it
    problems = [
        f"The tokenizer has no token {token!r}." for token, index in tokens.items() if index is None
    ]
    for token, said in facts.token_ids.items():
        found = tokens.get(token)
        if found is not None and found != said:
            problems.append(
                f"The tokenizer has {token!r} at {found}, but the configuration at {said}."
            )
    return problems


def _graphs(checkpoint: Checkpoint, facts: Facts) -> tuple[Graphs, ...]:
    """Return the exports of a checkpoint, beside it and in the cache."""
    found = []
    for precision in _PRECISIONS:
        beside = checkpoint.directory / "onnx"
        try:
            roots = dict.fromkeys((beside, export_dir(checkpoint, precision=precision)))
        except CheckpointError:  # of weights that are not all there, which is said elsewhere
            roots = {beside: None}
        for directory in (root / precision for root in roots):
            if not os.path.isdir(directory):  # nor in a place that may not be entered
                continue
            problem = export_problem(directory, checkpoint)
            absent = [name for name in facts.graphs if not (directory / f"{name}.onnx").is_file()]
            if problem is None and absent:
                problem = f"it lacks the graph {absent[0]}"
            size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
            found.append(Graphs(precision, directory, size, problem))
    return tuple(found)
