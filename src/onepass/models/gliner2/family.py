"""The GLiNER2 span family as one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onepass.backends.base import Backend, Graph
from onepass.encoding.sequences import encoder_limit
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.hub.checkpoint import CONFIG
from onepass.hub.files import read_json
from onepass.models.family import NO_NAMING, Asking, Closer, Family, Limits
from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.decode import decode
from onepass.models.gliner2.encode import Reading, collate
from onepass.models.gliner2.facts import ENCODER, gliner2_facts
from onepass.models.gliner2.graphs import graphs
from onepass.models.gliner2.instances import KEYS, Instances
from onepass.models.gliner2.names import AS_WRITTEN, NAME_KEYS, Names
from onepass.models.gliner2.passes import split_groups
from onepass.models.gliner2.prompt import Kind, Prompt, encode_prompt
from onepass.models.gliner2.rerank import rerank
from onepass.models.gliner2.score import ReadingScores, score
from onepass.models.gliner2.text import read_text, read_window
from onepass.models.label_encoding import unprepared
from onepass.schema import Schema


@dataclass(frozen=True, slots=True)
class Settings:
    """A checkpoint without its weights.

    Attributes:
        config: which parts it has.
        limits: how much it reads at once.
        looked_for: instances beyond those that the count head predicts.
        names: how labels and fields are read.
    """

    config: Gliner2Config
    limits: Limits
    looked_for: Instances = field(default_factory=Instances)
    names: Names = AS_WRITTEN


def _read_config(directory: Path, own: Mapping[str, Any]) -> Settings:
    encoder = read_json(directory / ENCODER / CONFIG)
    config = Gliner2Config.from_dict(read_json(directory / CONFIG))
    looked_for = Instances.from_dict(own, str(directory))
    names = Names.from_dict(own, str(directory))
    return Settings(config, Limits(encoder_limit(encoder)), looked_for, names)


def _limits(settings: Settings) -> Limits:
    return settings.limits


def _graphs(settings: Settings) -> tuple[Graph, ...]:
    return graphs(shapes=settings.config.shapes, reranker=settings.config.reranker)


def _plan(
    schema: Schema, tokenizer: PieceTokenizer, settings: Settings, budget: int
) -> tuple[Prompt, ...]:
    if schema.naming is not None:
        raise SchemaError(NO_NAMING)
    names = settings.names
    passes = split_groups(schema, tokenizer, budget, names=names)
    return tuple(encode_prompt(schema, groups, tokenizer, names) for groups in passes)


def _closer(
    schema: Schema, tokenizer: PieceTokenizer, settings: Settings, budget: int
) -> Closer | None:
    """Ask relations again: of many pairs in a long text, few are found at once."""
    words, names = settings.looked_for.pair_words, settings.names
    if not words or not schema.relation_types:
        return None
    passes = split_groups(schema, tokenizer, budget, kinds={Kind.RELATION}, names=names)
    return Closer(words, [encode_prompt(schema, groups, tokenizer, names) for groups in passes])


def _score(
    readings: Sequence[Reading], settings: Settings, backend: Backend, asking: Asking
) -> list[ReadingScores]:
    config = settings.config
    asked = {group.kind for reading in readings for group in reading.prompt.groups}
    spans = asked != {Kind.CLASSES}
    batch = collate(readings, pooling=config.pooling, shapes=config.shapes, words=spans)
    scores = score(batch, backend, settings.looked_for)
    if config.reranker:
        rerank(scores, readings, backend, asking.schema)
    return scores


GLINER2 = Family(
    name="gliner2",
    network="onepass.models.gliner2.network.checkpoint:load_network",
    from_graphs="onepass.models.gliner2.network.from_graphs",
    facts=gliner2_facts,
    read_config=_read_config,
    limits=_limits,
    graphs=_graphs,
    plan=_plan,
    prepare=unprepared("a GLiNER2 checkpoint"),
    read_text=read_text,
    read_window=read_window,
    score=_score,
    decode=decode,
    closer=_closer,
    keys=KEYS + NAME_KEYS,
    folders=(ENCODER,),
)
