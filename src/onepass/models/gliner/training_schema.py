"""What of a schema a checkpoint can be asked in training, where the rest is left out.

At inference a label that is too long is an error. An example has other answers to learn from: only
the label, the relation type or the classification that cannot be asked is not asked of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.plan import plan_prompts
from onepass.models.gliner.prompt import Prompt
from onepass.schema import Label, RelationType, Schema

_Plan = Callable[[Schema], list[Prompt] | None]  # None for what cannot be asked


def plan_askable(
    schema: Schema, tokenizer: PieceTokenizer, config: GlinerConfig, budget: int
) -> list[Prompt]:
    """Return the passes of the labels, relation types and classifications that can be asked.

    Relation types are asked beside labels, by checkpoints that have a part for them. A
    classification with one class that cannot be asked is left out, since the others say nothing
    without it.

    Args:
        schema: of a question.
        tokenizer: of the text encoder.
        config: of the checkpoint.
        budget: pieces that one prompt may have.
    """

    def plan(part: Schema) -> list[Prompt] | None:
        try:
            return plan_prompts(part, tokenizer, config, budget)
        except SchemaError:
            return None

    kinds = () if config.relations is None else schema.relation_types
    prompts = _span_prompts(schema.entity_labels, kinds, plan)
    for number, task in enumerate(() if config.bare_prompt else schema.classification_tasks):
        own = Schema().classification(
            task.name, task.labels, multi_label=task.multi_label, prompt=task.prompt
        )
        prompts += [replace(prompt, task=number) for prompt in plan(own) or ()]
    return prompts


def _span_prompts(
    labels: Sequence[Label], kinds: Sequence[RelationType], plan: _Plan
) -> list[Prompt]:
    """Return the passes of labels that can be asked, with the types that all of them leave room."""
    if not labels:
        return []
    whole = plan(_related(labels, kinds))
    if whole is not None:
        return whole
    kept = [i for i, label in enumerate(labels) if plan(_related([label], ())) is not None]
    if not kept:
        return []
    own = [labels[i] for i in kept]
    types = [i for i, kind in enumerate(kinds) if plan(_related(own, [kind])) is not None]
    return [
        replace(
            prompt,
            items=tuple(kept[item] for item in prompt.items),
            types=tuple(types[kind] for kind in prompt.types),
        )
        for prompt in plan(_related(own, [kinds[i] for i in types])) or ()
    ]


def _related(labels: Sequence[Label], kinds: Sequence[RelationType]) -> Schema:
    schema = Schema().entities(labels)
    if not kinds:
        return schema
    # What a type joins is no part of a prompt, and may be a label that is left out.
    return schema.relations([RelationType(kind.name, kind.description) for kind in kinds])
