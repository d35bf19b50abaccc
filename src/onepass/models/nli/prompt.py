"""What an NLI checkpoint is asked of a text: does this sentence follow from it?

Each label of a task makes a sentence of its own, the hypothesis: "This example is sports." A prompt
is one hypothesis, so there are as many as there are labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.wording import Template, check_classes_only, check_gaps, task_template
from onepass.schema import Schema
from onepass.schema.shown import shown

TEMPLATE = "This example is {}."
_AHEAD = 2  # pieces that a reader leaves free beside every prompt


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One hypothesis.

    Attributes:
        task: index of the classification.
        label: index of the label in it.
        before: (pieces,) in front of the text.
        after: (pieces,) behind the text, up to the end of the sequence.
        second: how many of the last pieces are of another type than the rest; 0 if none are.
    """

    task: int
    label: int
    before: Int64s
    after: Int64s
    second: int
    words: ClassVar[int] = 0  # no limit counts words

    @property
    def pieces(self) -> int:
        """Number of pieces, without the two that are left free beside every prompt."""
        return len(self.before) + len(self.after) - _AHEAD


def plan_prompts(
    schema: Schema, tokenizer: PieceTokenizer, template: Template, budget: int, *, typed: bool
) -> tuple[Prompt, ...]:
    """Return the hypotheses of a schema.

    Args:
        schema: classifications.
        tokenizer: of the checkpoint.
        template: of hypotheses, for tasks without a prompt.
        budget: pieces that a hypothesis may have with its frame.
        typed: whether the encoder is told which text a piece is of.

    Raises:
        SchemaError: for anything but classifications, a prompt without a gap, a label in which
            there is nothing to read, or a hypothesis that is too long.

    >>> from onepass.builtin import builtin_checkpoint
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> schema = Schema().classification("topic", ["sports", "art"])
    >>> prompts = plan_prompts(schema, tokenizer, Template.parse(TEMPLATE), 100, typed=True)
    >>> [tokenizer.text(prompt.after) for prompt in prompts]
    ['this example is sports.', 'this example is art.']
    """
    check_classes_only(schema, "An NLI checkpoint")
    frame = tokenizer.pair_frame
    prompts = []
    for number, task in enumerate(schema.classification_tasks):
        check_gaps(task.labels, tokenizer)
        own = task_template(task, template)
        texts = [tokenizer.plain(own.fill(label)) for label in task.labels]
        for index, pieces in enumerate(tokenizer.pieces(texts)):
            second = np.concatenate([np.array(pieces, dtype=np.int64), frame.after])
            last = len(second) if typed and frame.typed else 0
            after = np.concatenate([frame.between, second])
            prompts.append(Prompt(number, index, frame.before, after, last))
            if prompts[-1].pieces > budget:
                raise SchemaError(
                    f"The label {shown(task.labels[index].name)} of task {shown(task.name)} makes "
                    f"a sentence of {len(pieces)} pieces, but a prompt of this model may have "
                    f"{budget}; shorten it."
                )
    return tuple(prompts)
