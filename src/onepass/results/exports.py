"""Results for other tools: tables of pandas, documents of spaCy, tasks for annotators.

The methods that `Extraction` has for them. How each of these is built stands in a file of its own,
loaded when it is first asked for; none of them knows where an extraction came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from onepass.results.types import Extraction


class Exports:
    """What an extraction can be turned into."""

    __slots__ = ()

    def to_html(self, *, title: str = "onepass") -> str:
        """Return a self-contained page, see `onepass.results.to_html`.

        Args:
            title: the title of the page.

        Raises:
            InputError: for a title that is not a string.

        >>> from onepass.results.types import Extraction
        >>> Extraction("a < b").to_html()[:15]
        '<!DOCTYPE html>'
        """
        from onepass.results.render import to_html

        return to_html(cast("Extraction", self), title=title)

    def to_table(self) -> str:
        """Return aligned plain text, see `onepass.results.to_table`.

        >>> from onepass.results.types import Entity, Extraction
        >>> table = Extraction("Ann", (Entity("person", "Ann", 0, 3, 0.9),)).to_table()
        >>> table.splitlines()[:2]
        ['Entities', '  person  Ann  0:3  0.900']
        """
        from onepass.results.table import to_table

        return to_table(cast("Extraction", self))

    def to_pandas(self, part: str = "entities") -> Any:
        """Return one part as a pandas DataFrame, one row for each finding.

        Args:
            part: "entities", "classifications" (a row for each label), "records" (a row for each
                value) or "relations".

        Returns:
            The frame. It has the same columns and types if nothing was found; offsets are "Int64",
            missing where a value has none. U+FFFD stands for a lone surrogate.

        Raises:
            InputError: for another part.
            MissingExtra: if pandas is not installed.
        """
        from onepass.results.frames import to_frame

        return to_frame(cast("Extraction", self), part)

    def to_spacy(self, nlp: Any = None, *, spans_key: str = "onepass") -> Any:
        """Return a spaCy Doc with ``ents``, ``spans`` and ``cats``.

        Spans of spaCy begin and end with tokens, so that one which ends inside a token is widened;
        the exact offsets and the scores are attributes of the span group. U+FFFD stands for a lone
        surrogate, here and in ``doc.user_data``.

        Args:
            nlp: a pipeline whose tokenizer makes the tokens; a blank multilingual one if None.
            spans_key: the key of ``doc.spans`` that holds all entities, and of ``doc.user_data``
                that holds `to_dict`; ``doc.ents`` holds the entities that do not overlap, the
                surest first.

        Raises:
            InputError: if ``nlp`` is no pipeline.
            MissingExtra: if spaCy is not installed.
        """
        from onepass.results.spacy_doc import to_doc

        return to_doc(cast("Extraction", self), nlp, spans_key)

    def to_label_studio(
        self, section: str = "predictions", *, model_version: str = "onepass"
    ) -> dict[str, Any]:
        """Return a task of Label Studio: entities, classes and relations with their scores.

        Records have no counterpart there and are left out.

        Args:
            section: "predictions" to be corrected, or "annotations" that count as done.
            model_version: the name under which the prediction is listed.

        Raises:
            InputError: for another section.

        >>> from onepass.results.types import Entity, Extraction
        >>> doc = Extraction("😀 Bo", entities=(Entity("dog", "Bo", 2, 4, 0.9),))
        >>> doc.to_label_studio()["predictions"][0]["result"][0]["value"]  # counts as browsers do
        {'start': 3, 'end': 5, 'text': 'Bo', 'labels': ['dog']}
        """
        from onepass.results.label_studio import to_task

        return to_task(cast("Extraction", self), section, model_version)

    def to_prodigy(self, task: str | None = None, *, multi_label: bool = False) -> dict[str, Any]:
        """Return a task of Prodigy: tokens, spans, relations, and the options of one question.

        Args:
            task: the name of the classification to ask, needed only if there are several.
            multi_label: whether several of its labels may be chosen. An extraction does not say how
                its task was asked; where several labels were found, they may be in any case.

        Raises:
            InputError: if there are several and none is named, or there is none of this name.

        >>> from onepass.results.types import Entity, Extraction
        >>> doc = Extraction("Bo barks", entities=(Entity("dog", "Bo", 0, 2, 0.9),))
        >>> doc.to_prodigy()["spans"]
        [{'start': 0, 'end': 2, 'token_start': 0, 'token_end': 0, 'label': 'dog', 'score': 0.9}]
        """
        from onepass.results.prodigy import to_task

        return to_task(cast("Extraction", self), task, multi_label=multi_label)
