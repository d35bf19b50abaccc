"""From a schema to the passes that ask all of it.

Entities, with the relation types of checkpoints that have a relation part, share a pass; every
question and every classification is an instruction with a pass of its own. What does not fit into
one pass is split over several, and no label is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from onepass.decoding.candidates import SpanFind
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.family import NO_NAMING
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.fixed_labels import check_asked
from onepass.models.gliner.prompt import Instruction, Kind, Prompt, Writer
from onepass.models.readable import Named, check_readable
from onepass.schema import ClassificationTask, Label, Question, RelationType, Schema
from onepass.schema.shown import shown

# The wording that multi-task checkpoints were trained with.
CLASSIFY = "Classify text into the following classes"
ANSWER = "Answer the following question"
SUMMARIZE = "Summarize the following text highlighting the most important information:"
RELATE = "Extract relationships between entities from the text:"

Passes = list[Prompt]
_WITH_PROMPT, _WITH_LABEL = "with its prompt", "with one label"


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
            the budget or has no piece at all.
    """
    check_tasks(schema, config)
    check_readable(_words_of(schema), tokenizer)
    if config.fixed is not None:
        check_asked(schema, config.fixed)
    elif not (config.bi_encoder or config.bare_prompt):
        check_readable(labels_of(schema), tokenizer)
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


def labels_of(schema: Schema) -> Iterator[Named]:
    """Yield what stands where a checkpoint reads labels."""
    for label in schema.entity_labels:
        yield f"entity label {shown(label.name)}", label_text(label)
    for question in schema.questions:
        if question.kind == "open":
            yield f"question {shown(question.name)}", question.name
    for kind in schema.relation_types:
        yield f"relation type {shown(kind.name)}", label_text(kind)


def _words_of(schema: Schema) -> Iterator[Named]:
    """Yield what stands in instructions, which are words of a text to every checkpoint."""
    for question in schema.questions:
        if question.text is not None:
            yield f"question {shown(question.name)}", question.text
    for task in schema.classification_tasks:
        for label in task.labels:
            yield f"label {shown(label.name)}", label.name


def relation_prompts(
    schema: Schema,
    heads: Sequence[tuple[str, SpanFind]],
    writer: Writer,
    instruction: Instruction | None = None,
) -> Passes:
    """Return prompts that ask what entities are related to, for checkpoints without that part.

    A label is ``entity <> type``; its answers are the tails.

    Args:
        schema: whose relation types are asked.
        heads: entities as they stand in the text, with their words.
        writer: of prompts.
        instruction: what ``writer.instruct(RELATE)`` returned, if that was needed before.
    """
    instruction = instruction or writer.instruct(RELATE)
    every = [
        (index, f"{text} <> {label_text(kind)}", head)
        for text, head in heads
        for index, kind in enumerate(schema.relation_types)
    ]
    # What is as long as a whole prompt is no entity that could be asked about.
    asked = [
        one
        for one in every
        if writer.fits(writer.write(Kind.TAILS, [one[0]], [one[1]], instruction=instruction))
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
        range(len(asked)),
        write,
        writer,
        lambda row: (f"The question {shown(asked[row][1])}", _WITH_PROMPT),
    )


def _entity_prompts(schema: Schema, writer: Writer) -> Passes:
    """Return the passes of entity labels and, where the checkpoint has that part, of relations.

    Relation types are split first, each part with all labels. Where the labels alone do not fit, a
    relation between entities whose labels are in different parts cannot be seen by any pass.
    """
    fixed = writer.config.fixed is not None  # which knows no label by what it means
    texts = [label.name if fixed else label_text(label) for label in schema.entity_labels]
    kinds = list(enumerate(label_text(kind) for kind in schema.relation_types))
    later = 0
    if writer.config.relations is None:  # they are asked afterwards, see `relation_prompts`
        later = len(writer.instruct(RELATE).lengths) if kinds else 0
        kinds = []

    def with_types(labels: Sequence[int]) -> Callable[[Sequence[int]], Prompt]:
        own = [texts[i] for i in labels]

        def write(rows: Sequence[int]) -> Prompt:
            prompt = writer.write(Kind.SPANS, labels, own, types=[kinds[row] for row in rows])
            return replace(prompt, later=later)

        return write

    every = range(len(texts))
    if writer.config.without_labels:
        return [with_types(every)([])]
    whole = with_types(every)(range(len(kinds)))
    if writer.fits(whole):
        return [whole]
    least = [[row] for row in range(len(kinds))] or [[]]
    longest = max(least, key=lambda rows: with_types([])(rows).pieces)

    def name_type(row: int) -> Named:
        return f"The relation type {shown(schema.relation_types[row].name)}", _WITH_PROMPT

    def name(row: int) -> Named:
        if longest and _mostly(with_types([])(longest), with_types([row])(longest)):
            return name_type(longest[0])
        return f"The entity label {shown(schema.entity_labels[row].name)}", _WITH_PROMPT

    parts = _halved(every, lambda rows: with_types(rows)(longest), writer, name)
    return [
        prompt
        for part in parts
        for prompt in _halved(range(len(kinds)), with_types(part.items), writer, name_type)
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
    if not writer.fits(prompt):
        raise _too_long((f"The question {shown(question.name)}", _WITH_PROMPT), prompt, writer)
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

    def name(row: int) -> Named:
        if task.prompt is not None and _mostly(write([]), write([row])):
            return f"The prompt of the classification {shown(task.name)}", _WITH_LABEL
        return f"The label {shown(task.labels[row].name)}", _WITH_PROMPT

    return _halved(labels, write, writer, name)


def _mostly(part: Prompt, whole: Prompt) -> bool:
    """Return whether a part of a prompt is why the whole of it does not fit."""
    return 2 * part.pieces > whole.pieces


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
    writer: Writer,
    name: Callable[[int], Named],
) -> Passes:
    """Return one prompt of all rows, or of each half where that does not fit."""
    prompt = write(rows)
    if writer.fits(prompt):
        return [prompt]
    if len(rows) <= 1:
        raise _too_long(name(rows[0]) if rows else ("The prompt", "with its marks"), prompt, writer)
    middle = len(rows) // 2
    return [
        one for half in (rows[:middle], rows[middle:]) for one in _halved(half, write, writer, name)
    ]


def _too_long(named: Named, prompt: Prompt, writer: Writer) -> SchemaError:
    name, beside = named
    number, unit, most = prompt.pieces, "pieces", writer.budget
    if number <= most:
        number, unit, most = len(prompt.instruction.lengths), "words", writer.most_words
    return SchemaError(
        f"{name} takes {number} {unit} {beside}, but a prompt of this model may have {most}; "
        "shorten it."
    )
