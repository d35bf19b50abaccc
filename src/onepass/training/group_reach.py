"""How many gold answers of a pass the two GLiNER2 architectures can learn.

It knows neither networks nor batches.
"""

from __future__ import annotations

from collections.abc import Iterator

from onepass.models.gliner2.placing import count_answers
from onepass.models.gliner2.prompt import SECTION_OF, Kind
from onepass.models.gliner2.targets import Asked
from onepass.text.placing import Placer
from onepass.training.trainee import Reach


def reach_of_groups(one: Asked, max_width: int | None) -> Iterator[tuple[Kind, Reach]]:
    """Yield what a pass of both GLiNER2 architectures reaches of each group of spans.

    Args:
        one: the pass.
        max_width: longest span that is scored, in words; None for any.
    """
    words, kept = one.reading.document, len(one.words)
    places = (
        Placer(words, 0, None),
        Placer(words, 0, max_width),
        Placer(words, 0, max_width, kept=kept),
    )
    for group in one.reading.prompt.groups:
        if group.kind is not Kind.CLASSES:
            every, narrow, read = (count_answers(one.question, group, place) for place in places)
            section = SECTION_OF[group.kind]
            yield group.kind, Reach(section, every, behind=narrow - read, wide=every - narrow)
