"""A recognizer for Presidio: finds its entity types with a model, many texts at a time.

``OnepassRecognizer`` goes into an ``AnalyzerEngine`` like any other. Presidio asks recognizers for
one text after the other; ``OnepassBatchAnalyzer`` lets the model read a batch first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import Request
from onepass.errors import InputError, MissingExtra
from onepass.integrations.opening import extractor_of
from onepass.results.types import Entity
from onepass.schema import Schema
from onepass.schema.options import CallOptions, OnLong, Overlap, Threshold

try:
    from presidio_analyzer import (
        AnalysisExplanation,
        AnalyzerEngine,
        BatchAnalyzerEngine,
        LocalRecognizer,
        RecognizerResult,
    )
except ImportError as error:
    raise MissingExtra("The recognizer for Presidio", "presidio") from error

if TYPE_CHECKING:
    from onepass.extractor import Extractor

# What the model is asked, and the entity type of Presidio that it stands for.
ENTITY_MAPPING: Mapping[str, str] = {
    "person": "PERSON",
    "organization": "ORGANIZATION",
    "location": "LOCATION",
    "address": "LOCATION",
    "date": "DATE_TIME",
    "email address": "EMAIL_ADDRESS",
    "phone number": "PHONE_NUMBER",
    "credit card number": "CREDIT_CARD",
    "IBAN": "IBAN_CODE",
    "IP address": "IP_ADDRESS",
    "URL": "URL",
}


class OnepassRecognizer(LocalRecognizer):
    """Recognizes entity types of Presidio, or any others, with a onepass model.

    Args:
        model: an `Extractor`, a hub id or a directory; None for the built-in model.
        entity_mapping: label that the model reads to the type that is reported.
        threshold: as in `Extractor.extract`; names are those of labels that the model reads.
        supported_language: of the texts.
        name: of the recognizer.
        overlap: as in `Extractor.extract`.
        on_long: as in `Extractor.extract`. Its ``solver`` is left out: no rules join entities
            alone.

    Raises:
        SchemaError: for labels that cannot be asked.
        InputError: for a mapping that is none, or an unknown option.
    """

    def __init__(
        self,
        model: Extractor | str | Path | None = None,
        entity_mapping: Mapping[str, str] | None = None,
        threshold: Threshold = None,
        supported_language: str = "en",
        name: str = "OnepassRecognizer",
        *,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
    ) -> None:
        mapping = ENTITY_MAPPING if entity_mapping is None else entity_mapping
        if not isinstance(mapping, Mapping) or not all(
            isinstance(kind, str) for kind in mapping.values()
        ):
            raise InputError(
                "entity_mapping must map labels to entity types of Presidio, but "
                f"{mapping!r:.60} was given."
            )
        self._mapping = dict(mapping)
        asked = Schema().entities(list(self._mapping)).checked()
        self._request = Request(asked, CallOptions(threshold, overlap, on_long))
        self._given = model
        self._ready: dict[str, Sequence[Entity]] = {}
        super().__init__(
            supported_entities=sorted(set(self._mapping.values())),
            supported_language=supported_language,
            name=name,
        )

    def load(self) -> None:
        """Open the model; Presidio calls this once."""
        self._model = extractor_of(self._given)

    def analyze(
        self, text: str, entities: Sequence[str] | None, nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return what is found in a text.

        Args:
            text: of any length.
            entities: types that are wanted; none, or an empty list, wants all.
            nlp_artifacts: not used.
        """
        found = self._ready.get(text)
        if found is None:
            found = self._read([text])[0]
        return [
            self._result(entity, self._mapping[entity.label])
            for entity in found
            if not entities or self._mapping[entity.label] in entities
        ]

    def analyze_batch(
        self, texts: Sequence[str], entities: Sequence[str] = ()
    ) -> list[list[RecognizerResult]]:
        """Return what is found in each text; they are read together."""
        with self.prepared(texts):
            return [self.analyze(text, entities) for text in texts]

    @contextmanager
    def prepared(self, texts: Sequence[str]) -> Iterator[None]:
        """Read texts together, so that `analyze` knows them while the block runs."""
        self._ready = dict(zip(texts, self._read(texts), strict=True))
        try:
            yield
        finally:
            self._ready = {}

    def _read(self, texts: Sequence[str]) -> list[Sequence[Entity]]:
        return [doc.entities for doc in self._request.many(self._model, texts)]

    def _result(self, entity: Entity, kind: str) -> RecognizerResult:
        why = AnalysisExplanation(
            recognizer=self.name,
            original_score=entity.score,
            textual_explanation=f"found as {entity.label!r}",
        )
        return RecognizerResult(
            entity_type=kind,
            start=entity.start,
            end=entity.end,
            score=entity.score,
            analysis_explanation=why,
            recognition_metadata={
                RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            },
        )


class OnepassBatchAnalyzer(BatchAnalyzerEngine):
    """Analyzes many texts, with the model reading them batch by batch.

    Args:
        analyzer_engine: that has an `OnepassRecognizer` among its recognizers.

    Raises:
        InputError: if it has none.
    """

    def __init__(self, analyzer_engine: AnalyzerEngine) -> None:
        super().__init__(analyzer_engine)
        self._recognizers = [
            one
            for one in analyzer_engine.registry.recognizers
            if isinstance(one, OnepassRecognizer)
        ]
        if len(self._recognizers) != 1:
            raise InputError(
                f"The engine has {len(self._recognizers)} recognizers of onepass; give one that "
                "has exactly one."
            )

    def analyze_iterator(
        self,
        texts: Iterable[str],
        language: str,
        batch_size: int = 64,
        n_process: int = 1,
        **options: Any,
    ) -> list[list[RecognizerResult]]:
        """Analyze texts as ``BatchAnalyzerEngine`` does, ``batch_size`` of them at a time.

        Raises:
            InputError: for a batch of no texts.
        """
        if batch_size < 1:  # no text would be read, and nothing found in any
            raise InputError(
                f"batch_size must be 1 or more, but {batch_size} was given; leave it out for 64."
            )
        results: list[list[RecognizerResult]] = []
        rest = iter(self._validate_types(texts))
        while batch := [str(text) for text in islice(rest, batch_size)]:
            with self._recognizers[0].prepared(batch):
                results += super().analyze_iterator(
                    batch, language, batch_size=batch_size, n_process=n_process, **options
                )
        return results
