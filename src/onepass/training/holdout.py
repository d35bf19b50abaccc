"""Held-out scores while training: what a network says of known questions, cell by cell.

Quick and rough: no thresholds, overlap or windows, and the gold says how many records and pairs
there are. `onepass.evaluation` scores a finished checkpoint as it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from onepass.corpus.example import Example, GoldTask
from onepass.corpus.question import Question
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.evaluation.asking import schema_of
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.outputs import run_network
from onepass.models.gliner2.prompt import Kind
from onepass.models.gliner2.targets import Targets, build_targets
from onepass.schema import Schema
from onepass.training.asking.records import pairs_by_type, record_answers
from onepass.training.stream import BatchOptions, fitting, split_by_length

MOST_LABELS = 48  # asked of one task or one text: more would leave short windows no room

_SECTIONS = {Kind.ENTITIES: "entities", Kind.STRUCTURE: "records", Kind.RELATION: "relations"}


@dataclass(slots=True)
class _Counts:
    """True positives, and what was predicted and gold."""

    right: int = 0
    predicted: int = 0
    gold: int = 0

    def f1(self) -> float:
        total = self.predicted + self.gold
        return 2 * self.right / total if total else 1.0


class Holdout:
    """Questions that a network is scored on.

    Args:
        examples: everything that was annotated in them is asked, up to `MOST_LABELS` labels.
        tokenizer: of the checkpoint.
        options: how large batches are; the part of a text behind ``max_pieces`` is not read.

    Attributes:
        asked: how many examples are asked; those without annotations, or without room for their
            text, are not.
    """

    def __init__(
        self, examples: Sequence[Example], tokenizer: PieceTokenizer, options: BatchOptions
    ) -> None:
        questions = [whole_question(example) for example in examples]
        asked = fitting(questions, tokenizer, options.max_pieces)
        self.asked = len(asked)
        self._batches = split_by_length(asked, options)

    def score(self, network: Gliner2Network) -> dict[str, float]:
        """Return the scores of a network in evaluation mode, in fp32.

        Returns:
            Micro F1 over exact cells of ``entities``, ``records`` and ``relations`` at a score of
            0.5; ``classes``, the share of tasks that are answered exactly; and ``score``, their
            mean. What no question asks is left out.
        """
        spans: dict[str, _Counts] = {}
        right: list[bool] = []
        config = network.config
        with torch.no_grad():
            for asked in self._batches:
                targets = build_targets(asked, config.max_width, pooling=config.pooling)
                outputs = run_network(network, targets)
                if outputs.spans is not None:
                    _count_spans(outputs.spans.cpu().numpy(), targets, spans)
                if outputs.classes is not None:
                    right += _exact_tasks(outputs.classes.cpu().numpy(), targets)
        scores = {name: counts.f1() for name, counts in sorted(spans.items())}
        if right:
            scores["classes"] = sum(right) / len(right)
        if scores:
            scores["score"] = sum(scores.values()) / len(scores)
        return scores


def _count_spans(logits: np.ndarray, targets: Targets, counts: dict[str, _Counts]) -> None:
    """Count the cells of each section.

    Args:
        logits: (batch, queries, words, width).
        targets: the gold.
        counts: is added to.
    """
    gold = np.zeros(logits.shape, dtype=bool)
    gold[targets.gold.index()] = True
    said = (logits > 0) & targets.weight
    used = dict.fromkeys(range(len(logits)), 0)  # queries of each row that were counted
    for group in targets.spans:
        first = used[group.row]
        used[group.row] = first + group.instances * group.items
        cells = (group.row, slice(first, used[group.row]))
        section = counts.setdefault(_SECTIONS[group.kind], _Counts())
        section.right += int((said[cells] & gold[cells]).sum())
        section.predicted += int(said[cells].sum())
        section.gold += int(gold[cells].sum())


def _exact_tasks(logits: np.ndarray, targets: Targets) -> list[bool]:
    """Return for each task whether its labels were chosen exactly; logits are (tasks, items)."""
    right = []
    for line, group in enumerate(targets.classes):
        own = logits[line, : group.items]
        if group.multi_label:
            right.append(bool(((own > 0) == (group.true > 0)).all()))
        elif group.true.any():  # a single-label task with no true label has no right answer
            right.append(bool(group.true[own.argmax()]))
    return right


def whole_question(example: Example) -> Question:
    """Return the question that asks everything that was annotated, under the annotated names.

    Args:
        example: of its labels, those that hold and the first others are asked, up to `MOST_LABELS`.

    >>> from onepass.corpus.example import Mention
    >>> whole_question(Example("Bo barks.", (Mention(0, 2, "dog"),), asked=("cat",))).entities
    ((1, 0, 2),)
    """
    example = _trimmed(example)
    schema: Schema = schema_of(example)
    labels = {label.name: i for i, label in enumerate(schema.entity_labels)}
    pairs = pairs_by_type(example)
    return Question(
        example.text,
        schema,
        entities=tuple((labels[m.label], m.start, m.end) for m in example.entities),
        records=tuple(
            record_answers(gold, asked.fields)
            for gold, asked in zip(example.structures, schema.structures, strict=True)
        ),
        pairs=tuple(pairs.get(kind.name, ()) for kind in schema.relation_types),
        classes=tuple(
            tuple(i for i, label in enumerate(task.labels) if label in task.true)
            for task in example.classifications
        ),
    )


def _trimmed(example: Example) -> Example:
    """Return the example with few labels, and with one structure or task of a name."""
    present = {mention.label for mention in example.entities}
    tasks = {task.name: _trimmed_task(task) for task in reversed(example.classifications)}
    structures = {structure.name: structure for structure in reversed(example.structures)}
    return replace(
        example,
        asked=_first(example.asked, present),
        asked_relations=_first(example.asked_relations, {r.type for r in example.relations}),
        classifications=tuple(reversed(tasks.values())),
        structures=tuple(reversed(structures.values())),
    )


def _trimmed_task(task: GoldTask) -> GoldTask:
    labels = _first(task.labels, set(task.true))
    examples = tuple(pair for pair in task.examples if pair[1] in labels)
    return replace(task, labels=labels, examples=examples)


def _first(labels: Sequence[str], needed: set[str]) -> tuple[str, ...]:
    """Return the needed labels and the first of the others, in their order."""
    others = [label for label in labels if label not in needed]
    chosen = needed | set(others[: max(0, MOST_LABELS - len(needed))])
    return tuple(label for label in labels if label in chosen)
