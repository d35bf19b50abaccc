"""The GLiNER family as one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from onepass.arrays import Float32s
from onepass.backends.base import Backend, Graph
from onepass.encoding.sequences import encoder_limit
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import InputError, SchemaError
from onepass.hub.base import TOKENIZER
from onepass.hub.checkpoint import GLINER_CONFIG
from onepass.hub.files import read_json
from onepass.models.family import Asking, Family, FollowUp, Limits, Seen
from onepass.models.gliner.complete import DECODER, LABELS, missing
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.decode import decode, heads_of
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.facts import gliner_facts
from onepass.models.gliner.fixed_labels import read_fixed
from onepass.models.gliner.graphs import graphs
from onepass.models.gliner.naming import Namer, read_namer
from onepass.models.gliner.plan import (
    RELATE,
    check_naming,
    label_text,
    labels_of,
    plan_prompts,
    relation_prompts,
)
from onepass.models.gliner.prompt import Instruction, Prompt, Writer
from onepass.models.gliner.read_prompts import read_prompts
from onepass.models.gliner.score import ReadingScores, score
from onepass.models.gliner.splitting import named_splitter
from onepass.models.gliner.text import read_text, read_window
from onepass.models.label_encoding import encode_texts, refuse_vectors, vectors_of
from onepass.models.labels import LabelVectors
from onepass.models.readable import check_readable, labels_read
from onepass.schema import Label, Schema
from onepass.schema.shown import shown


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """A checkpoint without its weights.

    Attributes:
        config: which parts it has.
        label_tokenizer: of the label encoder; None without one.
        namer: what writes names; None without a decoder.
    """

    config: GlinerConfig
    label_tokenizer: PieceTokenizer | None
    namer: Namer | None


def _read_config(directory: Path, own: Mapping[str, Any]) -> Settings:
    config = GlinerConfig.from_dict(read_json(directory / GLINER_CONFIG))
    labels = None
    if config.bi_encoder:
        labels = PieceTokenizer(directory / LABELS / TOKENIZER)
    return Settings(config, labels, read_namer(directory, config))


def _limits(settings: Settings) -> Limits:
    return Limits(encoder_limit(settings.config.encoder or {}), settings.config.max_words)


def _graphs(settings: Settings) -> tuple[Graph, ...]:
    return graphs(settings.config)


def _plan(
    schema: Schema, tokenizer: PieceTokenizer, settings: Settings, budget: int
) -> Sequence[Prompt]:
    check_naming(schema, settings.config)
    if settings.label_tokenizer is not None:
        check_readable(labels_of(schema), settings.label_tokenizer)
        _check_labels(schema.entity_labels, settings.label_tokenizer, _label_room(settings))
    prompts = plan_prompts(schema, tokenizer, settings.config, budget)
    if schema.naming is not None and settings.namer is not None:
        settings.namer.allowed(schema.naming)  # says so before anything is read
    return prompts


def _check_labels(labels: Sequence[Label], tokenizer: PieceTokenizer, room: int) -> None:
    """Refuse a label that its encoder would cut.

    Raises:
        SchemaError: naming the label.
    """
    texts = [tokenizer.plain(label_text(label)) for label in labels]
    for label, pieces in zip(labels, tokenizer.pieces(texts), strict=True):
        if len(pieces) > room:
            raise SchemaError(
                f"The entity label {shown(label.name)} takes {len(pieces)} pieces with its "
                f"description, but the label encoder of this model reads {room}; shorten it."
            )


def _label_room(settings: Settings) -> int:
    """Return how many pieces of its own a label may have."""
    if settings.label_tokenizer is None:
        return 0
    before, after = settings.label_tokenizer.frame
    return encoder_limit(settings.config.label_encoder or {}) - len(before) - len(after)


def prepare(
    prompts: Sequence[Prompt], settings: Settings, backend: Backend, known: LabelVectors | None
) -> tuple[Prompt, ...]:
    """Return the prompts with label vectors where those are the same in front of every text.

    Args:
        prompts: what is asked.
        settings: of the checkpoint.
        backend: that runs its graphs.
        known: vectors of labels that need not be encoded again.

    Raises:
        InputError: for vectors that are not for this model.
    """
    fixed = settings.config.fixed
    if settings.label_tokenizer is None and fixed is None:
        refuse_vectors(known, f"a {settings.config.architecture} checkpoint")
        if settings.config.streaming is not None:
            return read_prompts(prompts, settings.config, backend)
        return tuple(prompts)
    texts = list(dict.fromkeys(text for prompt in prompts for text in prompt.texts))
    row = {text: number for number, text in enumerate(texts)}
    if fixed is None:
        vectors = _vectors(texts, settings, backend, known)
    else:
        vectors = read_fixed(texts, fixed, backend, known)
    # Spans read labels as queries, which depend on the text only where the two are fused.
    early = not settings.config.tokens and not settings.config.fusion and len(texts) > 0
    queries = backend.run("queries", {"label_states": vectors[None]})[0][0] if early else None
    ready = []
    for prompt in prompts:
        own = [row[text] for text in prompt.texts]
        ready.append(prompt.with_vectors(vectors[own], None if queries is None else queries[own]))
    return tuple(ready)


def _vectors(
    texts: Sequence[str], settings: Settings, backend: Backend, known: LabelVectors | None
) -> Float32s:
    """Return (labels, hidden): what the label encoder makes of labels, or made of them before."""
    hidden = settings.config.hidden
    held = vectors_of(texts, known, hidden, lambda new: _encode_texts(new, settings, backend))
    return np.stack([held[text] for text in texts]) if texts else np.zeros((0, hidden), "f4")


def _encode_labels(
    labels: Sequence[Label], settings: Settings, backend: Backend
) -> tuple[list[str], Float32s]:
    texts = [label_text(label) for label in labels]
    if settings.label_tokenizer is not None:
        check_readable(labels_read(labels, texts), settings.label_tokenizer)
    return texts, _encode_texts(texts, settings, backend)


def _encode_texts(texts: Sequence[str], settings: Settings, backend: Backend) -> Float32s:
    """Return (labels, hidden) vectors."""
    tokenizer = settings.label_tokenizer
    if tokenizer is None:
        held = settings.config.fixed is not None
        raise InputError(
            f"A {settings.config.architecture} checkpoint has no label encoder: its labels are "
            + ("compressed into it." if held else "read together with each text.")
        )
    longest = encoder_limit(settings.config.label_encoder or {})
    return encode_texts(texts, tokenizer, backend, longest=longest, hidden=settings.config.hidden)


def _follow(schema: Schema, settings: Settings) -> FollowUp | None:
    """Relations of checkpoints without that part are asked entity by entity."""
    if not schema.relation_types or settings.config.relations is not None:
        return None
    labels = settings.label_tokenizer
    room = _label_room(settings) - (0 if labels is None else _longest_type(schema, labels))

    @cache  # the same for all windows
    def writing(tokenizer: PieceTokenizer, budget: int) -> tuple[Writer, Instruction]:
        writer = Writer(tokenizer, settings.config, budget)
        return writer, writer.instruct(RELATE)

    def follow(seen: Seen, asking: Asking, tokenizer: PieceTokenizer, budget: int) -> list[Prompt]:
        heads = heads_of(seen, asking)
        if labels is not None:  # a name that is too long for it is not asked about
            names = labels.pieces([labels.plain(name) for name, _ in heads])
            heads = [one for one, own in zip(heads, names, strict=True) if len(own) <= room]
        if not heads:
            return []
        return relation_prompts(schema, heads, *writing(tokenizer, budget))

    return follow


def _longest_type(schema: Schema, tokenizer: PieceTokenizer) -> int:
    """Return the most pieces that a relation type adds to the name of an entity."""
    texts = [tokenizer.plain(f" <> {label_text(kind)}") for kind in schema.relation_types]
    return max(map(len, tokenizer.pieces(texts))) + 2  # a seam may split differently


def _score(
    readings: Sequence[Reading], settings: Settings, backend: Backend, asking: Asking
) -> list[ReadingScores]:
    return score(readings, settings.config, backend, asking, settings.namer)


GLINER = Family(
    name="gliner",
    network="onepass.models.gliner.network.checkpoint:load_network",
    facts=gliner_facts,
    read_config=_read_config,
    limits=_limits,
    graphs=_graphs,
    plan=_plan,
    prepare=prepare,
    read_text=read_text,
    read_window=read_window,
    score=_score,
    decode=decode,
    follow=_follow,
    ties="first",
    encode_labels=_encode_labels,
    missing=missing,
    named_splitter=named_splitter,
    folders=(LABELS, DECODER),
    adapter_bases={
        "token_rep_layer.bert_layer.": "model_name",
        "token_rep_layer.labels_encoder.": "labels_encoder",
        "token_rep_layer.decoder_layer.": "model_name",
    },
)
