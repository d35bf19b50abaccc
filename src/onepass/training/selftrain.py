"""Self-training: a model labels texts itself, and what it is sure of becomes training data.

What is asked of a text says that everything else is absent. So a label of which the model is
neither sure that it is there nor that it is not is no question of that text: it is noted as unsure.

The first half of two; the second is an ordinary run on the examples that are written here, with
smoothed targets, since some of them are wrong. It needs no torch by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from onepass.corpus.checks import as_names, known_keys
from onepass.corpus.example import Example, GoldRelation, GoldTask, Mention
from onepass.corpus.formats import read_any
from onepass.corpus.jsonl import write_examples
from onepass.errors import InputError
from onepass.evaluation.predict import Extracts, predict
from onepass.results.types import Entity, Extraction, Relation
from onepass.schema.options import CallOptions
from onepass.schema.shown import shown
from onepass.training.checks import check, is_from_0, is_path

UNSURE = 0.1  # score from which something may be there: it is not taught to be absent
_KINDS = ("entities", "classifications", "records", "relations")


@dataclass(frozen=True, slots=True)
class SelfTraining:
    """What a model labels itself.

    Attributes:
        texts: files in any format that `onepass eval` reads. What is annotated in a row (``asked``,
            ``asked_relations``, ``classifications``) is asked again; what was found is not used.
        labels: entity labels that are asked of every text, beside those of its row.
        relations: relation types, likewise.
        threshold: score from which an answer counts as true. What has an answer between `UNSURE`
            and this one is not asked of that text.
        smoothing: of the targets, see `onepass.models.gliner.loss.GlinerLoss`.

    >>> SelfTraining.from_dict({"texts": "texts.jsonl", "labels": ["person"]}).threshold
    0.8
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    threshold: float = 0.8
    smoothing: float = 0.1

    def __post_init__(self) -> None:
        paths = isinstance(self.texts, tuple) and all(map(is_path, self.texts))
        some = paths and bool(self.texts)
        check("self_train.texts", self.texts, some, "a path or a list of paths")
        for name, share in (("threshold", self.threshold), ("smoothing", self.smoothing)):
            right = is_from_0(share) and share <= 1
            check(f"self_train.{name}", share, right, "a number from 0 to 1")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; `from_dict` reads it back equal."""
        lists = {name: list(asdict(self)[name]) for name in ("texts", "labels", "relations")}
        return asdict(self) | lists

    @classmethod
    def from_dict(cls, given: object) -> SelfTraining:
        """Read the JSON form.

        Raises:
            InputError: for an unknown or missing key, or a wrong value.
        """
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise InputError(f"'self_train' must be an object, but {shown(given)} was given.")
        known_keys(given, [f.name for f in fields(cls)], "'self_train'")
        if "texts" not in given:
            raise InputError(
                "'self_train' needs 'texts', the files that the model labels; write them there, or "
                "on the command line give --self-train FILE."
            )
        values = dict(given)
        if isinstance(values["texts"], str):
            values["texts"] = [values["texts"]]
        if isinstance(values["texts"], list):
            values["texts"] = tuple(values["texts"])
        for name in ("labels", "relations"):
            if name in values:
                values[name] = as_names(values[name], f"'self_train.{name}'")
        return cls(**values)


def write_weak_labels(
    model: Extracts,
    options: SelfTraining,
    path: Path,
    *,
    report: Callable[[str], None] = lambda line: None,
) -> int:
    """Let a model label texts, and write them as examples.

    Args:
        model: an `Extractor`, or anything with its ``extract``.
        options: which texts, what is asked, and what counts.
        path: the JSONL file that is written; texts without a sure answer are left out.
        report: is told how much was found.

    Returns:
        The number of examples.

    Raises:
        InputError: if a file cannot be read, nothing is asked of any text, or nothing is found.
        SchemaError: if the model cannot answer what is asked.
    """
    found = {"texts": 0, "entities": 0, "relations": 0, "classes": 0}

    def counted(examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            found["texts"] += 1
            found["entities"] += len(example.entities)
            found["relations"] += len(example.relations)
            found["classes"] += sum(len(task.true) for task in example.classifications)
            if example.asked or example.asked_relations or example.classifications:
                yield example

    count = write_examples(path, counted(weak_examples(model, options)))
    texts = found.pop("texts")
    if not any(found.values()):
        path.unlink()  # a resumed run would take it for what the model said
        raise InputError(_nothing(options, texts))
    report(
        f"{count} of {texts} texts labeled by the model itself at {options.threshold}: "
        f"{found['entities']} entities, {found['relations']} relations, {found['classes']} classes"
    )
    return count


def _nothing(options: SelfTraining, texts: int) -> str:
    """Return why there is nothing to learn from."""
    files = ", ".join(options.texts)
    if not texts:
        return (
            f"Nothing is asked of the texts in {files}; give labels or relation types, or rows "
            "with 'asked'."
        )
    return (
        f"The model is sure of nothing in the {texts} texts of {files} at a threshold of "
        f"{options.threshold}; give a lower threshold, other labels, or a model that finds them."
    )


def weak_examples(model: Extracts, options: SelfTraining) -> Iterator[Example]:
    """Yield what a model is sure of, as examples; texts that are asked nothing are left out.

    Args:
        model: an `Extractor`, or anything with its ``extract``.
        options: which texts, what is asked, and what counts.
    """
    questions = (
        _question(example, options) for name in options.texts for example in read_any(Path(name))
    )
    threshold = dict.fromkeys(_KINDS, min(UNSURE, options.threshold))
    for batch in predict(model, questions, CallOptions(threshold, overlap="all")):
        for answer, example in batch.pairs():
            yield _answered(example, answer, options.threshold)


def _question(example: Example, options: SelfTraining) -> Example:
    """Return what is asked of a text."""
    return replace(
        example,
        entities=(),
        asked=_joined(options.labels, example.asked),
        structures=(),
        relations=(),
        asked_relations=_joined(options.relations, example.asked_relations),
        unsure=(),
        unsure_relations=(),
    )


def _joined(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *second]))


def _answered(example: Example, answer: Extraction, threshold: float) -> Example:
    """Return a text with what the model says of it, asked what it is sure of."""
    sure, unsure = _sure(answer.entities, threshold)
    unsure_types = {r.type for r in answer.relations if _score(r) < threshold}
    relations = (
        GoldRelation(r.type, (r.head.start, r.head.end), (r.tail.start, r.tail.end))
        for r in answer.relations
        if r.type not in unsure_types
        if r.head.start is not None and r.head.end is not None
        if r.tail.start is not None and r.tail.end is not None
    )
    tasks = (_task(task, answer, threshold) for task in example.classifications)
    return replace(
        example,
        entities=tuple(Mention(e.start, e.end, e.label) for e in sure),
        asked=tuple(label for label in example.asked if label not in unsure),
        classifications=tuple(task for task in tasks if task is not None),
        relations=tuple(dict.fromkeys(relations)),
        asked_relations=tuple(kind for kind in example.asked_relations if kind not in unsure_types),
        unsure=tuple(sorted(unsure)),
        unsure_relations=tuple(sorted(unsure_types)),
    )


def _sure(found: Sequence[Entity], threshold: float) -> tuple[list[Entity], set[str]]:
    """Return the mentions that count, none across another, and the labels that may hold otherwise.

    Args:
        found: all findings from `UNSURE` on, also of several labels at one place.
        threshold: score from which one counts.
    """
    kept: list[Entity] = []
    unsure: set[str] = set()
    for one in sorted(found, key=lambda entity: -entity.score):
        across = [other for other in kept if other.start < one.end and one.start < other.end]
        if one.score >= threshold and not across:
            kept.append(one)
        elif all(other.label != one.label for other in across):
            unsure.add(one.label)
    kept.sort(key=lambda entity: (entity.start, entity.end))
    return [one for one in kept if one.label not in unsure], unsure


def _score(relation: Relation) -> float:
    """Return the score of a relation, which is no surer than its ends."""
    return min(relation.score, relation.head.score, relation.tail.score)


def _task(task: GoldTask, answer: Extraction, threshold: float) -> GoldTask | None:
    """Return a task with its sure answers; None if there is no sure one."""
    found = answer.classifications[task.name].labels
    true = tuple(one.label for one in found if one.score >= threshold)
    if not task.multi_label:
        return replace(task, true=true) if true else None
    unsure = {one.label for one in found} - set(true)
    labels = tuple(label for label in task.labels if label not in unsure)
    if not labels:
        return None
    shown_ones = tuple(one for one in task.examples if unsure.isdisjoint(one[1]))
    return replace(task, labels=labels, true=true, examples=shown_ones)
