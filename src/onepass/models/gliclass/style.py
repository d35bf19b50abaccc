"""The generations of GLiClass prompts: in which order labels, prompt, examples and text stand.

Checkpoints do not say which generation they were trained with. All are read as the newest, unless
``onepass.json`` beside a checkpoint says otherwise::

    {"prompt_style": "v1", "label_case": "lower"}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onepass.errors import CheckpointError
from onepass.models.gliclass.config import EXAMPLE, SEP

PROMPTS = ("prompt_style", "label_case")  # what ``onepass.json`` may say of them
_Example = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Style:
    """One generation of prompts.

    Attributes:
        name: by the day from which the reference library wrote it.
        extras: whether there are prompts and examples.
        lower: whether labels are read in lower case.
        prompt_leads: whether the prompt and the examples stand in front of the labels.
        examples_last: whether examples stand behind everything, the text included.
    """

    name: str
    extras: bool = True
    lower: bool = False
    prompt_leads: bool = False
    examples_last: bool = True

    def examples(self, examples: Sequence[_Example]) -> list[str]:
        r"""Return what is read of examples, in parts that each begin with a marker.

        Args:
            examples: texts, already made plain, with their labels.

        >>> STYLES["2026-02"].examples([("He sued", ("law",))])
        ['<<EXAMPLE>>He sued \nLabels:\n law', '<<SEP>>']
        """
        if not examples:
            return []
        if self.examples_last:
            return [f"{EXAMPLE}{t} \nLabels:\n {', '.join(own)}" for t, own in examples] + [SEP]
        parts = []
        for text, own in examples:
            parts += [f"{EXAMPLE}{text}\nLabels: {', '.join(own)}", SEP]
        return parts


STYLES: Mapping[str, Style] = {
    style.name: style
    for style in (
        Style("v1", extras=False, lower=True),
        Style("2026-01-10", lower=True, prompt_leads=True, examples_last=False),
        Style("2026-01-22", examples_last=False),
        Style("2026-02"),
    )
}
NEWEST = STYLES["2026-02"]


def read_style(own: Mapping[str, Any], name: str) -> Style:
    """Return the generation that a checkpoint's ``onepass.json`` names.

    Args:
        own: its content.
        name: of the checkpoint, for messages.

    Raises:
        CheckpointError: for an unknown generation or case.

    >>> read_style({"label_case": "lower"}, "mine").lower
    True
    """
    asked = own.get("prompt_style", NEWEST.name)
    if not isinstance(asked, str) or asked not in STYLES:
        raise CheckpointError(
            f"The prompt_style {asked!r} in onepass.json of {name} is not known; "
            f"{', '.join(STYLES)} are."
        )
    style = STYLES[asked]
    case = own.get("label_case")
    if case is None:
        return style
    if case not in ("lower", "as given"):
        raise CheckpointError(
            f"The label_case in onepass.json of {name} must be 'lower' or 'as given', not {case!r}."
        )
    lower = case == "lower"
    return Style(style.name, style.extras, lower, style.prompt_leads, style.examples_last)
