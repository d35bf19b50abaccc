"""From a schema to the passes that ask all of it.

Entities, with the relation types of checkpoints that have a relation part, share a pass; every
question and every classification is an instruction with a pass of its own. What does not fit into
one pass is split over several, and no label is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from onepass.decoding.finds import SpanFind
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.family import NO_NAMING
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.prompt import Instruction, Kind, Prompt, Writer
from onepass.schema import ClassificationTask, Label, Question, RelationType, Schema
from onepass.schema.types import shown

# The wording that multi-task checkpoints were trained with.
CLASSIFY = "Classify text into the following classes"
ANSWER = "Answer the following question"
SUMMARIZE = "Summarize the following text highlighting the most important information:"
RELATE = "Extract relationships between entities from the text:"

Passes = list[Prompt]


def plan_prompts(
    schema: Schema, tokenizer: PieceTokenizer, config: GlinerConfig, budget: int
) -> Passes:
    """Return as few prompts as ask everything within a budget each.

    Args:
        schema: what is asked.
        tokenizer: of the text encoder.
        config: of the checkpoint.
        budget: pieces that one prompt may have.

    Raises:
        SchemaError: for a task that this checkpoint cannot answer, or a label that is longer than
            the budget.
    """
    check_tasks(schema, config)
    writer = Writer(tokenizer, config, budget)
    prompts = _entity_prompts(schema, writer) if schema.entity_labels else []
    first = len(schema.entity_labels)
    for number, question in enumerate(schema.questions, first):
        prompts.append(_question_prompt(number, question, writer))
    for number, task in enumerate(schema.classification_tasks):
        prompts += _class_prompts(number, task, range(len(task.labels)), writer)
    return prompts


def check_tasks(schema: Schema, config: GlinerConfig) -> None:
    """Refuse what no GLiNER checkpoint can answer.

    Raises:
        SchemaError: that says what can be asked.
    """
    kind = config.architecture
    if schema.structures:
        raise SchemaError(
            f"A {kind} checkpoint finds no records (structure {shown(schema.structures[0].name)}); "
            "use a GLiNER2 checkpoint or the built-in model for them."
        )
    if schema.relation_types and not schema.entity_labels:
        raise SchemaError(
            f"A {kind} checkpoint relates entities, but the schema asks for relations only; add "
            "the entity labels of their heads and tails, and ask with extract()."
        )


def check_naming(schema: Schema, config: GlinerConfig) -> None:
    """Refuse names of a checkpoint that writes none, and all else of one whose prompt has no words.

    Raises:
        SchemaError: that says what can be asked.
    """
    if schema.naming is not None and config.decoder is None:
        raise SchemaError(NO_NAMING)
    if not config.bare_prompt:
        return
    if schema.questions or schema.classification_tasks or schema.relation_types:
        raise SchemaError(
            "This checkpoint reads no labels (its decoder_mode is 'prompt'): it finds entities and "
            "names them, and answers nothing else; leave the rest to another checkpoint."
        )
    if schema.naming is None:
        raise SchemaError(
            "This checkpoint reads no labels (its decoder_mode is 'prompt'): it only counts them, "
            "and names what it finds; add name_entities() to the schema."
        )


def label_text(label: Label | RelationType) -> str:
    """Return what the model reads of a label: its description if it has one, as in GLiNER."""
    return label.description or label.name


def relation_prompts(
    schema: Schema, heads: Sequence[tuple[str, SpanFind]], writer: Writer
) -> Passes:
    """Return prompts that ask what entities are related to, for checkpoints without that part.

    A label is ``entity <> type``; its answers are the tails.

    Args:
        schema: whose relation types are asked.
        heads: entities as they stand in the text, with their words.
        writer: of prompts.
    """
    instruction = writer.instruct(RELATE)
    every = [
        (index, f"{text} <> {label_text(kind)}", head)
        for text, head in heads
        for index, kind in enumerate(schema.relation_types)
    ]
    # What is as long as a whole prompt is no entity that could be asked about.
    asked = [
        one
        for one in every
        if writer.write(Kind.TAILS, [one[0]], [one[1]], instruction=instruction).pieces
        <= writer.budget
    ]
    if not asked:
        return []

    def write(rows: Sequence[int]) -> Prompt:
        own = [asked[row] for row in rows]
        texts = [text for _, text, _ in own]
        types = [index for index, _, _ in own]
        prompt = writer.write(Kind.TAILS, types, texts, instruction=instruction)
        return replace(prompt, heads=tuple(head for _, _, head in own))

    return _halved(
        range(len(asked)), write, writer.budget, lambda row: f"The question {shown(asked[row][1])}"
    )


def _entity_prompts(schema: Schema, writer: Writer) -> Passes:
    """Return the passes of entity labels and, where the checkpoint has that part, of relations.

    Relation types are split first, each part with all labels. Where the labels alone do not fit, a
    relation between entities whose labels are in different parts cannot be seen by any pass.
    """
    texts = [label_text(label) for label in schema.entity_labels]
    kinds = list(enumerate(label_text(kind) for kind in schema.relation_types))
    if writer.config.relations is None:
        kinds = []

    def with_types(labels: Sequence[int]) -> Callable[[Sequence[int]], Prompt]:
        own = [texts[i] for i in labels]
        return lambda rows: writer.write(
            Kind.SPANS, labels, own, types=[kinds[row] for row in rows]
        )

    def name(row: int) -> str:
        return f"The entity label {shown(schema.entity_labels[row].name)}"

    every = range(len(texts))
    if writer.config.bi_encoder:
        return [with_types(every)([])]
    whole = with_types(every)(range(len(kinds)))
    if whole.pieces <= writer.budget:
        return [whole]
    least = [[row] for row in range(len(kinds))] or [[]]
    longest = max(least, key=lambda rows: with_types([])(rows).pieces)
    parts = _halved(every, lambda rows: with_types(rows)(longest), writer.budget, name)
    return [
        prompt
        for part in parts
        for prompt in _halved(
            range(len(kinds)),
            with_types(part.items),
            writer.budget,
            lambda row: f"The relation type {shown(kinds[row][1])}",
        )
    ]


def _question_prompt(number: int, question: Question, writer: Writer) -> Prompt:
    """Return the pass of one question."""
    if question.kind == "summary":
        text, label = SUMMARIZE, "summary"
    elif question.kind == "open":
        text, label = str(question.text), question.name
    else:
        text, label = f"{ANSWER}: {question.text}", "answer"
    prompt = writer.write(Kind.SPANS, [number], [label], instruction=writer.instruct(text))
    if prompt.pieces > writer.budget:
        name = f"The question {shown(question.name)}"
        raise _too_long(name, prompt.pieces, writer.budget)
    return prompt


def _class_prompts(
    number: int, task: ClassificationTask, labels: Sequence[int], writer: Writer
) -> Passes:
    """Return the passes of one classification: an instruction that lists the classes."""

    def write(rows: Sequence[int]) -> Prompt:
        text = f"{task.prompt or CLASSIFY}: "
        places: list[tuple[int, int]] = []
        for row in rows:
            text += ", " if places else ""
            places.append((len(text), len(text) + len(task.labels[row].name)))
            text += task.labels[row].name
        instruction = writer.instruct(text, places)
        if not writer.config.tokens:
            _check_widths(task, rows, instruction, writer.config.max_width)
        prompt = writer.write(Kind.CLASSES, rows, ["match"], instruction=instruction)
        return replace(prompt, task=number)

    return _halved(
        labels, write, writer.budget, lambda row: f"The label {shown(task.labels[row].name)}"
    )


def _check_widths(
    task: ClassificationTask, rows: Sequence[int], instruction: Instruction, most: int
) -> None:
    """Refuse a class of more words than the checkpoint's longest span."""
    first, last = instruction.places.T
    for row, words in zip(rows, (last - first + 1).tolist(), strict=True):
        if words > most:
            raise SchemaError(
                f"The label {shown(task.labels[row].name)} has {words} words, but this checkpoint "
                f"chooses spans of at most {most} words; shorten it."
            )


def _halved(
    rows: Sequence[int],
    write: Callable[[Sequence[int]], Prompt],
    budget: int,
    name: Callable[[int], str],
) -> Passes:
    """Return one prompt of all rows, or of each half where that does not fit."""
    prompt = write(rows)
    if prompt.pieces <= budget:
        return [prompt]
    if len(rows) <= 1:
        raise _too_long(name(rows[0]) if rows else "The prompt", prompt.pieces, budget)
    middle = len(rows) // 2
    return [
        one for half in (rows[:middle], rows[middle:]) for one in _halved(half, write, budget, name)
    ]


def _too_long(name: str, pieces: int, budget: int) -> SchemaError:
    return SchemaError(
        f"{name} takes {pieces} pieces with its prompt, but a prompt of this "
        f"model may have {budget}; shorten it."
    )
