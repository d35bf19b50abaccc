"""Sentence encoders as classifiers, as one record: the cosine of a text and of each label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.backends.base import Backend, Graph
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError
from onepass.hub.base import TOKENIZER
from onepass.hub.checkpoint import SETTINGS_FILE
from onepass.models.embedding.config import EmbeddingConfig
from onepass.models.embedding.facts import embedding_facts
from onepass.models.embedding.graphs import GRAPHS
from onepass.models.embedding.modules import convert_modules
from onepass.models.embedding.prompt import Prompt, Ready, of_length_one
from onepass.models.embedding.text import Reading, decode, read_text, read_window, score
from onepass.models.family import Asking, Family, Limits
from onepass.models.label_encoding import encode_rows, framed, vectors_of
from onepass.models.labels import LabelVectors
from onepass.models.limits import tokenizer_config
from onepass.models.wording import (
    Template,
    check_classes_only,
    check_gaps,
    own_template,
    task_template,
)
from onepass.schema import Label, Schema

_READER = "this model"
SCALE = 20.0  # as sentence-transformers has it in its losses


@dataclass(frozen=True, eq=False)
class Settings:
    """A checkpoint without its weights.

    Attributes:
        directory: of its files.
        config: what makes a vector of a text.
        limits: how much it reads at once.
        template: of labels.
        text_prompt: is read in front of texts.
        scale: of the cosine.
    """

    directory: Path
    config: EmbeddingConfig
    limits: Limits
    template: Template
    text_prompt: str
    scale: float

    @cached_property
    def tokenizer(self) -> PieceTokenizer:
        """A tokenizer for labels that are read without a schema."""
        return PieceTokenizer(self.directory / TOKENIZER)


def _read_config(directory: Path, own: Mapping[str, Any]) -> Settings:
    config = EmbeddingConfig.read(directory)
    config.check_sizes()
    path = directory / SETTINGS_FILE
    settings = Settings(
        directory=directory,
        config=config,
        limits=Limits(config.longest(tokenizer_config(directory))),
        template=own_template(own, path, Template(config.prompt, "")),
        text_prompt=_text_prompt(own, path, config.prompt),
        scale=_scale(own, path),
    )
    if config.lower and len(set(settings.tokenizer.pieces(["a", "A"]))) > 1:
        raise CheckpointError(
            f"The texts of {directory} are to be read in lower case (do_lower_case), but its "
            "tokenizer does not do so; add a Lowercase normalizer to its tokenizer.json."
        )
    return settings


def _text_prompt(own: Mapping[str, Any], path: Path, otherwise: str) -> str:
    prompt = own.get("text_prompt", otherwise)
    if not isinstance(prompt, str):
        raise CheckpointError(f"The text_prompt in {path} must be a string, but is {prompt!r:.80}.")
    return prompt


def _scale(own: Mapping[str, Any], path: Path) -> float:
    scale = own.get("scale", SCALE)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < np.inf:
        raise CheckpointError(
            f"The scale in {path} must be a number above 0, but is {scale!r:.80}."
        )
    return float(scale)


def _limits(settings: Settings) -> Limits:
    return settings.limits


def _graphs(settings: Settings) -> tuple[Graph, ...]:
    return GRAPHS


def _plan(
    schema: Schema, tokenizer: PieceTokenizer, settings: Settings, budget: int
) -> tuple[Prompt, ...]:
    check_classes_only(schema, "An embedding checkpoint")
    for task in schema.classification_tasks:
        check_gaps(task.labels, tokenizer)
    wanted = [
        [task_template(task, settings.template).fill(label) for label in task.labels]
        for task in schema.classification_tasks
    ]
    texts = tuple(dict.fromkeys(text for task in wanted for text in task))
    row = {text: number for number, text in enumerate(texts)}
    before, after = tokenizer.frame
    prompt = settings.text_prompt
    return (
        Prompt(
            texts=texts,
            rows=tuple(tuple(row[text] for text in task) for task in wanted),
            labels=tuple(framed(texts, tokenizer, settings.limits.pieces, reader=_READER)),
            before=before,
            after=after,
            text_prompt=prompt,
            head=len(tokenizer.located(prompt)[0]) + 1 if prompt else 0,
            limit=settings.limits.pieces,
        ),
    )


def _prepare(
    prompts: Sequence[Prompt], settings: Settings, backend: Backend, known: LabelVectors | None
) -> tuple[Ready, ...]:
    """Return the prompts with the vectors of their labels: those that are known, and the others."""
    size = settings.config.size
    rows = {t: row for one in prompts for t, row in zip(one.texts, one.labels, strict=True)}
    held = vectors_of(
        rows, known, size, lambda new: _embed([rows[text] for text in new], size, backend)
    )
    return tuple(
        Ready(prompt, of_length_one(np.stack([held[text] for text in prompt.texts])))
        for prompt in prompts
    )


def _encode_labels(
    labels: Sequence[Label], settings: Settings, backend: Backend
) -> tuple[list[str], Float32s]:
    check_gaps(labels, settings.tokenizer)
    texts = [settings.template.fill(label) for label in labels]
    rows = framed(texts, settings.tokenizer, settings.limits.pieces, reader=_READER)
    return texts, _embed(rows, settings.config.size, backend)


def _embed(rows: Sequence[Int64s], size: int, backend: Backend) -> Float32s:
    def run(ids: Int64s, mask: Int64s) -> Float32s:
        vectors: Float32s = backend.run("embed", {"ids": ids, "mask": mask})[0]
        return vectors

    return encode_rows(rows, size, run)


def _score(
    readings: Sequence[Reading], settings: Settings, backend: Backend, asking: Asking
) -> list[Float32s]:
    return score(readings, settings.scale, backend)


EMBEDDING = Family(
    name="embedding",
    network="onepass.models.embedding.network.checkpoint:load_network",
    facts=embedding_facts,
    read_config=_read_config,
    limits=_limits,
    graphs=_graphs,
    plan=_plan,
    prepare=_prepare,
    read_text=read_text,
    read_window=read_window,
    score=_score,
    decode=decode,
    encode_labels=_encode_labels,
    keys=("template", "text_prompt", "scale"),
    convert_more=convert_modules,
)
