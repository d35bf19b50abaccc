"""The GLiClass family as one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onepass.arrays import Float32s
from onepass.backends.base import Backend, Graph
from onepass.encoding.sequences import encoder_limit
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import InputError
from onepass.hub.base import TOKENIZER
from onepass.hub.checkpoint import CONFIG
from onepass.hub.files import read_json
from onepass.models.family import Asking, Family, Limits
from onepass.models.gliclass.complete import LABEL_TOKENIZER, missing
from onepass.models.gliclass.config import BI, LABEL, SEP, GliclassConfig
from onepass.models.gliclass.encode import Reading, read_window
from onepass.models.gliclass.facts import gliclass_facts
from onepass.models.gliclass.graphs import graphs
from onepass.models.gliclass.prompt import Prompt, Writer, label_text
from onepass.models.gliclass.score import decode, score
from onepass.models.gliclass.style import PROMPTS, Style, read_style
from onepass.models.gliclass.text import read_text
from onepass.models.label_encoding import encode_texts, refuse_vectors, vectors_of
from onepass.models.labels import LabelVectors
from onepass.models.readable import check_readable, labels_read
from onepass.models.wording import check_classes_only
from onepass.schema import Label, Schema

_SPACED = ("modernbert",)  # encoders whose tokenizers read every text as if a space were before it


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """A checkpoint without its weights.

    Attributes:
        config: which parts it has.
        style: of its prompts.
        label_tokenizer: of the label encoder; None without one.
    """

    config: GliclassConfig
    style: Style
    label_tokenizer: PieceTokenizer | None

    @property
    def size(self) -> int:
        """Return the size of label vectors: that of the text encoder's."""
        return self.config.encoder_hidden


def _read_config(directory: Path, own: Mapping[str, Any]) -> Settings:
    config = GliclassConfig.from_dict(read_json(directory / CONFIG))
    style = read_style(own, str(directory))
    labels = None
    if config.label_encoder is not None:
        labels = PieceTokenizer(directory / LABEL_TOKENIZER / TOKENIZER)
    return Settings(config, style, labels)


def _open_tokenizer(directory: Path, settings: Settings) -> PieceTokenizer:
    config = settings.config
    tokenizer = PieceTokenizer(directory / TOKENIZER)
    for marker in () if config.architecture == BI else (LABEL, SEP):
        tokenizer.id_of(marker)  # says so if there is none
    if config.decoder is not None:  # a decoder reads from the first piece of the prompt on
        return tokenizer.unframed
    return tokenizer.spaced if config.encoder.get("model_type") in _SPACED else tokenizer


def _limits(settings: Settings) -> Limits:
    return Limits(encoder_limit(settings.config.encoder))


def _graphs(settings: Settings) -> tuple[Graph, ...]:
    return graphs(settings.config)


def _plan(
    schema: Schema, tokenizer: PieceTokenizer, settings: Settings, budget: int
) -> tuple[Prompt, ...]:
    check_classes_only(schema, "A GLiClass checkpoint", examples=True)
    for task in schema.classification_tasks:
        _check_labels(task.labels, settings)
    writer = Writer(settings.config, settings.style, tokenizer, budget)
    return tuple(
        prompt
        for number, task in enumerate(schema.classification_tasks)
        for prompt in writer.write(number, task)
    )


def _prepare(
    prompts: Sequence[Prompt], settings: Settings, backend: Backend, known: LabelVectors | None
) -> tuple[Prompt, ...]:
    """Return the prompts with label vectors where labels have an encoder of their own."""
    if settings.label_tokenizer is None:
        refuse_vectors(known, f"a {settings.config.architecture} checkpoint of GLiClass")
        return tuple(prompts)
    texts = [text for prompt in prompts for text in prompt.texts]
    held = vectors_of(texts, known, settings.size, lambda new: _encode(new, settings, backend))
    return tuple(
        prompt.with_vectors(np.stack([held[text] for text in prompt.texts])) for prompt in prompts
    )


def _encode(texts: Sequence[str], settings: Settings, backend: Backend) -> Float32s:
    if settings.label_tokenizer is None:
        raise InputError(
            f"A GLiClass checkpoint of the kind {settings.config.architecture} has no label "
            "encoder: its labels are read together with each text."
        )
    longest = encoder_limit(settings.config.label_encoder or {})
    return encode_texts(
        texts, settings.label_tokenizer, backend, longest=longest, hidden=settings.size
    )


def _encode_labels(
    labels: Sequence[Label], settings: Settings, backend: Backend
) -> tuple[list[str], Float32s]:
    texts = _check_labels(labels, settings)
    return texts, _encode(texts, settings, backend)


def _check_labels(labels: Sequence[Label], settings: Settings) -> list[str]:
    """Return what is read of labels; if they have an encoder, it has to find something in each."""
    texts = [label_text(label, settings.style) for label in labels]
    if settings.label_tokenizer is not None:
        check_readable(labels_read(labels, texts), settings.label_tokenizer)
    return texts


def _score(
    readings: Sequence[Reading], settings: Settings, backend: Backend, asking: Asking
) -> list[Float32s]:
    return score(readings, settings.config, backend)


GLICLASS = Family(
    name="gliclass",
    network="onepass.models.gliclass.network.checkpoint:load_network",
    facts=gliclass_facts,
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
    open_tokenizer=_open_tokenizer,
    keys=PROMPTS,
    missing=missing,
    folders=(LABEL_TOKENIZER,),
    adapter_bases={"model.": "encoder_model_name"},
)
