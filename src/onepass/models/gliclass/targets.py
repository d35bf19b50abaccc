"""Questions as GLiClass reads them, with their gold answers, and batches of them.

A task whose labels do not fit into one sequence is asked in several passes, each of which knows
which of its labels hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onepass.arrays import Array, Bools, Float32s, Int64s
from onepass.corpus.question import Question
from onepass.encoding.sequences import encoder_limit, padded
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.gliclass.encode import Reading, collate, read_window
from onepass.models.gliclass.family import Settings
from onepass.models.gliclass.prompt import Prompt, Writer
from onepass.models.gliclass.text import read_text
from onepass.schema import ClassificationTask
from onepass.text.windows import Window
from onepass.text.words import Splitter

_LEAST_TEXT = 1  # pieces that a prompt must leave


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One pass over a text that asks a task, or a part of its labels.

    Attributes:
        reading: what is read.
        true: (labels,) which of them hold.
        single: whether the task is asked for exactly one label, all of them in this pass.
    """

    reading: Reading
    true: Bools
    single: bool


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """A batch of passes.

    Attributes:
        inputs: of the graph "classify"; without label vectors.
        true: (batch, labels) 1 at labels that hold.
        label_mask: (batch, labels) 1 at real labels.
        single: (batch,) whether a pass asks for exactly one label.
        label_ids: (texts, pieces) of the different labels, for a label encoder; None without one.
        label_rows: (batch, labels) which of them each label is; None likewise.
    """

    inputs: dict[str, Array]
    true: Float32s
    label_mask: Int64s
    single: Bools
    label_ids: tuple[Int64s, Int64s] | None = None
    label_rows: Int64s | None = None


def ask(
    question: Question,
    tokenizer: PieceTokenizer,
    settings: Settings,
    *,
    max_pieces: int,
    splitter: Splitter | None = None,
) -> list[Asked]:
    """Return the passes that ask the tasks of a question; the text is cut where it must be.

    Args:
        question: other questions than classifications are not asked.
        tokenizer: of texts.
        settings: of the checkpoint.
        max_pieces: longest sequence.
        splitter: that the checkpoint names; None for the words of the family.

    Returns:
        The passes: prompts and examples that the checkpoint does not read are left out, and so are
        tasks with a label that is too long for it.
    """
    frame = sum(map(len, tokenizer.frame))
    writer = Writer(settings.config, settings.style, tokenizer, (max_pieces - frame) // 2)
    tasks = question.schema.classification_tasks
    prompts = [own for number, task in enumerate(tasks) for own in _prompts(writer, number, task)]
    rooms = [max_pieces - frame - prompt.pieces for prompt in prompts]
    half = max(max_pieces // 2, 1)
    text = read_text(question.text, tokenizer, max_word_pieces=half, splitter=splitter)
    ends = np.cumsum(text.lengths)
    asked = []
    for prompt, room in zip(prompts, rooms, strict=True):
        if room < _LEAST_TEXT:
            continue
        words = int(np.searchsorted(ends, room, side="right"))
        most = max_pieces - frame - len(prompt.head) - len(prompt.tail)  # less than at inference
        reading = read_window(replace(prompt, most=most), text, Window(0, words))
        true = np.isin(np.array(prompt.items), np.array(question.classes[prompt.task]))
        task = tasks[prompt.task]
        whole = len(prompt.items) == len(task.labels)
        single = not task.multi_label and whole
        asked.append(Asked(reading, true, single))
    return asked


def _prompts(writer: Writer, number: int, task: ClassificationTask) -> list[Prompt]:
    """Return the prompts of a task; none if one of its labels is too long."""
    try:
        return list(writer.write(number, writer.readable(task)))
    except SchemaError:
        return []


def build_targets(asked: Sequence[Asked], settings: Settings) -> Targets:
    """Return the batch of several passes.

    Args:
        asked: the rows.
        settings: of the checkpoint.
    """
    readings = [one.reading for one in asked]
    inputs = collate(readings, settings.config, vectors=False)
    mask = inputs["label_mask"]
    true = np.zeros(mask.shape, dtype=np.float32)
    true[mask.astype(bool)] = np.concatenate([one.true for one in asked])
    single = np.array([one.single for one in asked])
    if settings.label_tokenizer is None:
        return Targets(inputs, true, mask, single)
    texts = [text for reading in readings for text in reading.prompt.texts]
    index = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    rows = np.zeros(mask.shape, dtype=np.int64)
    rows[mask.astype(bool)] = [index[text] for text in texts]
    ids = padded(_label_pieces(list(index), settings, settings.label_tokenizer))
    return Targets(inputs, true, mask, single, ids, rows)


def _label_pieces(
    texts: Sequence[str], settings: Settings, tokenizer: PieceTokenizer
) -> list[Int64s]:
    """Return the pieces of labels, framed and cut to the longest."""
    before, after = tokenizer.frame
    room = encoder_limit(settings.config.label_encoder or {}) - len(before) - len(after)
    return [
        np.concatenate([before, np.array(own[:room], dtype=np.int64), after])
        for own in tokenizer.pieces([tokenizer.plain(text) for text in texts])
    ]
