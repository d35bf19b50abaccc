"""The GLiNER2 boundary family as one record: prompts and texts are those of the span family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onepass.backends.base import Backend, Graph
from onepass.encoding.sequences import encoder_limit
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.hub.checkpoint import CONFIG
from onepass.hub.files import read_json
from onepass.models.boundary.config import BoundaryConfig
from onepass.models.boundary.decode import decode
from onepass.models.boundary.facts import boundary_facts
from onepass.models.boundary.graphs import graphs
from onepass.models.boundary.score import score
from onepass.models.boundary.scores import BoundaryScores, How
from onepass.models.family import NO_NAMING, Asking, Family, Limits
from onepass.models.gliner2.encode import Reading, collate
from onepass.models.gliner2.facts import ENCODER
from onepass.models.gliner2.passes import split_groups
from onepass.models.gliner2.prompt import Kind, Prompt, encode_prompt
from onepass.models.gliner2.text import read_text, read_window
from onepass.models.label_encoding import unprepared
from onepass.schema import Schema


@dataclass(frozen=True, slots=True)
class Settings:
    """A checkpoint without its weights.

    Attributes:
        config: which parts it has.
        limits: how much it reads at once.
    """

    config: BoundaryConfig
    limits: Limits


def _read_config(directory: Path, own: Mapping[str, Any]) -> Settings:
    encoder = read_json(directory / ENCODER / CONFIG)
    config = BoundaryConfig.from_dict(read_json(directory / CONFIG))
    return Settings(config, Limits(encoder_limit(encoder)))


def _limits(settings: Settings) -> Limits:
    return settings.limits


def _graphs(settings: Settings) -> tuple[Graph, ...]:
    return graphs(settings.config)


def _plan(
    schema: Schema, tokenizer: PieceTokenizer, settings: Settings, budget: int
) -> tuple[Prompt, ...]:
    if schema.naming is not None:
        raise SchemaError(NO_NAMING)
    config = settings.config
    for asked, part, name in (
        (schema.structures, config.records, "records"),
        (schema.relation_types, config.relations, "relations"),
    ):
        if asked and part is None:
            raise SchemaError(
                f"This checkpoint has no head for {name} (enable_{name} in its config.json); "
                f"leave the {name} out of the schema, or open another checkpoint."
            )
    passes = split_groups(schema, tokenizer, budget)
    return tuple(encode_prompt(schema, groups, tokenizer) for groups in passes)


def _score(
    readings: Sequence[Reading], settings: Settings, backend: Backend, asking: Asking
) -> list[BoundaryScores]:
    asked = {group.kind for reading in readings for group in reading.prompt.groups}
    batch = collate(readings, pooling=settings.config.pooling, words=asked != {Kind.CLASSES})
    return score(batch, How(backend, settings.config, asking))


BOUNDARY = Family(
    name="gliner2-boundary",
    network="onepass.models.boundary.network.checkpoint:load_network",
    facts=boundary_facts,
    read_config=_read_config,
    limits=_limits,
    graphs=_graphs,
    plan=_plan,
    prepare=unprepared("a GLiNER2 checkpoint"),
    read_text=read_text,
    read_window=read_window,
    score=_score,
    decode=decode,
    folders=(ENCODER,),
)
