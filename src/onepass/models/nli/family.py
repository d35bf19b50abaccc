"""Zero-shot classifiers that were trained on entailment, as one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onepass.arrays import Float32s
from onepass.backends.base import Backend, Graph
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.whole import read_whole
from onepass.hub.checkpoint import CONFIG, SETTINGS_FILE
from onepass.hub.files import read_json
from onepass.models.family import Asking, Family, Limits
from onepass.models.label_encoding import unprepared
from onepass.models.limits import longest_sequence, tokenizer_config
from onepass.models.nli.config import NliConfig
from onepass.models.nli.encode import Reading, read_window
from onepass.models.nli.facts import nli_facts
from onepass.models.nli.graphs import graphs
from onepass.models.nli.prompt import TEMPLATE, Prompt, plan_prompts
from onepass.models.nli.score import decode, score
from onepass.models.wording import Template, own_template
from onepass.schema import Schema


@dataclass(frozen=True, slots=True)
class Settings:
    """A checkpoint without its weights.

    Attributes:
        config: what its classes are.
        limits: how much it reads at once.
        template: of hypotheses.
        typed: whether its encoder is told which of the two texts a piece is of.
    """

    config: NliConfig
    limits: Limits
    template: Template
    typed: bool


def _read_config(directory: Path, own: Mapping[str, Any]) -> Settings:
    raw = read_json(directory / CONFIG)
    config = NliConfig.from_dict(raw)
    tokenizer = tokenizer_config(directory)
    given = tokenizer.get("model_input_names")
    return Settings(
        config,
        Limits(longest_sequence(raw, tokenizer)),
        own_template(own, directory / SETTINGS_FILE, Template.parse(TEMPLATE)),
        config.types > 1 and (not isinstance(given, list) or "token_type_ids" in given),
    )


def _limits(settings: Settings) -> Limits:
    return settings.limits


def _graphs(settings: Settings) -> tuple[Graph, ...]:
    return graphs(typed=settings.config.types > 1)


def _plan(
    schema: Schema, tokenizer: PieceTokenizer, settings: Settings, budget: int
) -> tuple[Prompt, ...]:
    return plan_prompts(schema, tokenizer, settings.template, budget, typed=settings.typed)


def _score(
    readings: Sequence[Reading], settings: Settings, backend: Backend, asking: Asking
) -> list[Float32s]:
    return score(readings, settings.config, backend)


NLI = Family(
    name="nli",
    network="onepass.models.nli.network.checkpoint:load_network",
    facts=nli_facts,
    read_config=_read_config,
    limits=_limits,
    graphs=_graphs,
    plan=_plan,
    prepare=unprepared("an NLI checkpoint"),
    read_text=read_whole,
    read_window=read_window,
    score=_score,
    decode=decode,
    keys=("template",),
)
