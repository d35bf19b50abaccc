"""Values that stand inside a word of a checkpoint, which reads runs of letters as one word.

A span is a run of words, so the whole word is learned in place of such a value. In scripts without
blanks there are many; in others most are places that are off by a letter. This module knows neither
the checkpoint nor the loop.
"""

from __future__ import annotations

from collections.abc import Callable

from onepass.corpus.example import Example
from onepass.corpus.surfaces import whole_words
from onepass.text.words import split_words
from onepass.training.sources import Sources

_LOOKED_AT = 200  # examples of each file


def tell_of_borders(
    sources: Sources, answered: Callable[[Example], Example], report: Callable[[str], None]
) -> None:
    """Say how many values begin or end inside a word, or a run of letters without blanks.

    Args:
        sources: what is learned from; the first examples of each file are looked at.
        answered: keeps of an example what the checkpoint learns.
        report: is told, if there are any.
    """
    values = inside = cut = 0
    for file in sources.files.values():
        for index in range(min(len(file), _LOOKED_AT)):
            example = answered(file.example(index))
            spans = {span for span, _ in example.spans()}
            borders = _borders(example.text) if spans else set()
            values += len(spans)
            inside += sum(bool(borders.intersection(span)) for span in spans)
            cut += len(whole_words(example.text, spans)) if spans else 0
    if cut:
        report(
            f"{cut} of {values} values that were looked at begin or end inside a word: the whole "
            "word is learned in their place; onepass data validate names them."
        )
    if inside:
        report(
            f"{inside} of {values} values that were looked at begin or end inside a word, since "
            "this checkpoint takes a run of letters without blanks for one: the whole word is "
            "learned in their place; give word_splitter 'script' to have each of them a word."
        )


def _borders(text: str) -> set[int]:
    """Return where letters of scripts without blanks meet others inside a word of a text."""
    letters, words = split_words(text, splitter="script"), split_words(text)
    return set(letters.starts.tolist()) - set(words.starts.tolist())
