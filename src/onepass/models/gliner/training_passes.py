"""A question turned into passes over its text, each with its gold answers in words.

The passes are those that ask the same of a text at inference: labels (with relation types, where
the checkpoint has a part for them), a classification, and without that part the tails of entities.
This module knows no arrays.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onepass.corpus.question import Question
from onepass.decoding.candidates import SpanFind
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.words import TextPieces
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.plan import relation_prompts
from onepass.models.gliner.prompt import Kind, Prompt, Writer
from onepass.models.gliner.text import read_text, read_window
from onepass.models.gliner.training_schema import plan_askable
from onepass.text.placing import Placer
from onepass.text.windows import Window
from onepass.text.words import Splitter, Words

BLANK = "entity"  # the label that stands for all, for checkpoints that write labels
_OTHER_HEADS = 4  # entities without a tail that are asked for one, at most

Answer = tuple[int, int, int]  # (label of the prompt, first word, last word)
Pair = tuple[int, int, int, int, int]  # (type of the prompt, words of the head, of the tail)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One pass over the part of a text that fits in.

    Attributes:
        question: what it asks, or a part of it.
        reading: the prompt with the text's words.
        words: of the text, those that are read.
        names: of the prompt's labels, in lower case.
        gold: what holds; words are those of the reading, its instruction included.
        unsure: what counts neither as right nor as wrong.
        pairs: relations that hold.
        written: for each of ``gold``, the label that a decoder shall write.
        behind: how many more hold behind the words that are read.
        pairs_behind: how many more relations do, with one end there or both.
    """

    question: Question
    reading: Reading
    words: Words
    names: tuple[str, ...]
    gold: tuple[Answer, ...] = ()
    unsure: tuple[Answer, ...] = ()
    pairs: tuple[Pair, ...] = ()
    written: tuple[str, ...] = ()
    behind: int = 0
    pairs_behind: int = 0


def ask(
    question: Question,
    tokenizer: PieceTokenizer,
    config: GlinerConfig,
    *,
    max_pieces: int,
    splitter: Splitter | None = None,
    reads: Callable[[str], bool] = lambda text: True,
) -> list[Asked]:
    """Return the passes that ask a question.

    Args:
        question: what is asked, with its answers. Records are not asked: these checkpoints find
            none.
        tokenizer: of the text encoder.
        config: of the checkpoint.
        max_pieces: longest sequence; half of it is for the prompt, and the text is cut where the
            rest ends.
        splitter: that the checkpoint names; None for the words of the family.
        reads: whether the label encoder reads the text of a label whole, where there is one.

    Returns:
        The passes of what can be asked; labels that are too long for the checkpoint are left out.
    """
    budget = max_pieces // 2
    most = max(max_pieces - budget - 1, 1)
    text = read_text(question.text, tokenizer, max_word_pieces=most, splitter=splitter)
    prompts = [
        *plan_askable(question.schema, tokenizer, config, budget),
        *_tail_prompts(question, text, Writer(tokenizer, config, budget)),
    ]
    asked = []
    for prompt in (_readable(own, reads) for own in prompts):
        if not prompt.texts:
            continue
        room = max_pieces - prompt.pieces - len(prompt.end)
        fits = int(np.searchsorted(np.cumsum(text.lengths), room, side="right"))
        fits = min(fits, config.max_words - len(prompt.instruction.lengths))
        if fits > 0:
            asked.append(_answered(question, prompt, text, fits))
    if config.decoder is not None:
        writer, blank = Writer(tokenizer, config, budget), config.decoder.blank
        return [_for_decoder(one, writer, blank) for one in asked]
    return asked


def _readable(prompt: Prompt, reads: Callable[[str], bool]) -> Prompt:
    """Return a prompt without the labels that their own encoder would have to cut."""
    if all(map(reads, prompt.texts)):
        return prompt
    kept = [row for row, text in enumerate(prompt.texts) if reads(text)]
    return replace(
        prompt,
        items=tuple(prompt.items[row] for row in kept),
        texts=tuple(prompt.texts[row] for row in kept),
        heads=tuple(prompt.heads[row] for row in kept if prompt.heads),
    )


def _for_decoder(one: Asked, writer: Writer, blank: float) -> Asked:
    """Return a pass as a checkpoint that writes labels is trained with it.

    Where names stand for the labels, the labels that hold come first, in the order of the text: the
    prompt does not say which marker is which. Where names stand beside them, entities of any kind
    are asked for now and then, under one label that says nothing.
    """
    if one.reading.prompt.kind is not Kind.SPANS:
        return one
    if writer.config.bare_prompt:
        mentioned = dict.fromkeys(label for label, *_ in sorted(one.gold, key=_place))
        others = [label for label in range(len(one.names)) if label not in mentioned]
        return _relabeled(one, writer, [*mentioned, *others])
    if one.gold and _is_blank(one, blank):
        prompt = writer.write(Kind.SPANS, [0], [BLANK])
        gold = tuple((0, first, last) for _, first, last in one.gold)
        reading = replace(one.reading, prompt=prompt)
        return replace(one, reading=reading, names=(BLANK,), gold=gold, unsure=())
    return one


def _place(answer: Answer) -> tuple[int, int]:
    return answer[1], answer[2]


def _is_blank(one: Asked, chance: float) -> bool:
    """Return whether a pass asks for entities of any kind: always the same for the same question.

    Args:
        one: the pass.
        chance: how often it does.
    """
    return random.Random(f"{one.question.text}/{'/'.join(one.names)}").random() < chance


def _relabeled(one: Asked, writer: Writer, order: Sequence[int]) -> Asked:
    """Return a pass with its labels in another order."""
    prompt = one.reading.prompt
    column = {label: i for i, label in enumerate(order)}
    items = [prompt.items[label] for label in order]
    own = writer.write(prompt.kind, items, [prompt.texts[label] for label in order])
    return replace(
        one,
        reading=replace(one.reading, prompt=own),
        names=tuple(one.names[label] for label in order),
        gold=tuple((column[label], first, last) for label, first, last in one.gold),
        unsure=tuple((column[label], first, last) for label, first, last in one.unsure),
    )


def _tail_prompts(question: Question, text: TextPieces, writer: Writer) -> list[Prompt]:
    """Return the passes that ask for the tails of entities, one name each."""
    config = writer.config
    if config.relations or config.bare_prompt or not question.schema.relation_types:
        return []
    heads = {(start, end) for own in question.pairs for start, end, _, _ in own}
    entities = sorted({(start, end) for _, start, end in question.entities} - heads)
    named: dict[str, SpanFind] = {}
    for start, end in [*sorted(heads), *entities[:_OTHER_HEADS]]:
        cell = Placer(text.words, 0, None).cell(start, end)
        if cell is not None:
            name = _surface(text.words, cell[0], sum(cell))
            named.setdefault(name, SpanFind(cell[0], sum(cell) + 1, 1.0))
    return list(relation_prompts(question.schema, list(named.items()), writer)) if named else []


def _surface(words: Words, first: int, last: int) -> str:
    return words.text[int(words.starts[first]) : int(words.ends[last])]


def _answered(question: Question, prompt: Prompt, text: TextPieces, fits: int) -> Asked:
    """Return one pass with its gold answers."""
    reading = read_window(prompt, text, Window(0, fits))
    words = Words(text.words.text, text.words.starts[:fits], text.words.ends[:fits])
    place = Placer(text.words, reading.before, None, kept=fits)
    whole = Placer(text.words, reading.before, None)
    schema = question.schema
    if prompt.kind is Kind.CLASSES:
        places = prompt.instruction.places.tolist()
        true = question.classes[prompt.task]
        gold = [(0, *places[row]) for row, item in enumerate(prompt.items) if item in true]
        return Asked(question, reading, words, ("match",), tuple(gold))
    if prompt.kind is Kind.TAILS:
        bare = Placer(text.words, 0, None, kept=fits)
        tails = dict.fromkeys(_tails(question, prompt, words, (bare, place)))
        bare = Placer(text.words, 0, None)
        every = set(_tails(question, prompt, text.words, (bare, whole)))
        names = tuple(text.lower() for text in prompt.texts)
        behind = len(every) - len(tails)
        return Asked(question, reading, words, names, tuple(tails), behind=behind)
    column = {item: label for label, item in enumerate(prompt.items)}
    gold = list(_placed(question.entities, column, place))
    pairs = tuple(_related(question, prompt, place))
    names = tuple(schema.entity_labels[item].name for item in prompt.items)
    return Asked(
        question,
        reading,
        words,
        tuple(name.lower() for name in names),
        tuple(gold),
        tuple(_placed((*question.ignored, *question.outranked), column, place)),
        pairs,
        tuple(names[label] for label, _, _ in gold),
        sum(1 for _ in _placed(question.entities, column, whole)) - len(gold),
        sum(1 for _ in _related(question, prompt, whole)) - len(pairs),
    )


def _related(question: Question, prompt: Prompt, place: Placer) -> Iterator[Pair]:
    """Yield the relations between spans that are read, of the types that a prompt asks."""
    row = {kind: column for column, kind in enumerate(prompt.types)}
    for kind, pairs in enumerate(question.pairs):
        for head_start, head_end, tail_start, tail_end in pairs if kind in row else ():
            for head in _span(place, head_start, head_end):
                for tail in _span(place, tail_start, tail_end):
                    yield (row[kind], *head, *tail)


def _span(place: Placer, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last word of a character span, if it is read."""
    cell = place.cell(start, end)
    if cell is not None:
        yield cell[0], sum(cell)


def _placed(
    answers: Sequence[tuple[int, int, int]], column: dict[int, int], place: Placer
) -> Iterator[Answer]:
    for item, start, end in answers:
        if item in column:
            for span in _span(place, start, end):
                yield (column[item], *span)


def _tails(
    question: Question, prompt: Prompt, words: Words, places: tuple[Placer, Placer]
) -> Iterator[Answer]:
    """Yield the tails of each label, which is an entity with a relation type.

    Args:
        question: with its pairs.
        prompt: that asks for tails.
        words: of the text, those that are read.
        places: of spans among these words, and among those of the reading.
    """
    bare, place = places
    wanted: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for kind, pairs in enumerate(question.pairs):
        for head_start, head_end, tail_start, tail_end in pairs:
            for first, last in _span(bare, head_start, head_end):
                name = _surface(words, first, last)
                wanted.setdefault((name, kind), []).extend(_span(place, tail_start, tail_end))
    for label, (head, kind) in enumerate(zip(prompt.heads, prompt.items, strict=True)):
        if head.end <= len(words):
            name = _surface(words, head.start, head.end - 1)
            for span in wanted.get((name, kind), ()):
                yield (label, *span)
