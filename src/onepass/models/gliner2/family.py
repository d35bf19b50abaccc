"""The GLiNER2 span family as one record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onepass.backends.base import Backend
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.hub.files import read_json
from onepass.models.family import Family
from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.decode import decode
from onepass.models.gliner2.encode import Reading, collate
from onepass.models.gliner2.graphs import GRAPHS
from onepass.models.gliner2.prompt import Prompt, encode_prompt, split_groups
from onepass.models.gliner2.score import ReadingScores, score
from onepass.models.gliner2.text import read_text, read_window
from onepass.schema import Schema


def _read_config(directory: Path) -> Gliner2Config:
    return Gliner2Config.from_dict(read_json(directory / "config.json"))


def _plan(schema: Schema, tokenizer: PieceTokenizer, budget: int) -> tuple[Prompt, ...]:
    passes = split_groups(schema, tokenizer, budget)
    return tuple(encode_prompt(schema, groups, tokenizer) for groups in passes)


def _score(
    readings: Sequence[Reading], config: Gliner2Config, backend: Backend
) -> list[ReadingScores]:
    return score(collate(readings, pooling=config.pooling), backend)


GLINER2 = Family(
    name="gliner2",
    graphs=GRAPHS,
    network="onepass.models.gliner2.network.checkpoint:load_network",
    read_config=_read_config,
    plan=_plan,
    read_text=read_text,
    read_window=read_window,
    score=_score,
    decode=decode,
)
