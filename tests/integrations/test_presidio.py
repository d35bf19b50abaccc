"""The recognizer in real engines of Presidio."""

import pytest

from onepass import Extractor
from onepass.errors import InputError

pytest.importorskip("presidio_analyzer")
spacy = pytest.importorskip("spacy")
guest = pytest.importorskip("onepass.integrations.presidio")

from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: E402
from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: E402

TEXTS = [
    "Anna Weiss lives in Bern.",
    "Write to anna@example.com.",
    "Nothing here.",
    "Anna Weiss lives in Bern.",
]


class Counting:
    """A model that counts how often it is called."""

    def __init__(self, model: Extractor) -> None:
        self.model, self.calls = model, 0

    def extract(self, *args: object, **options: object) -> object:
        self.calls += 1
        return self.model.extract(*args, **options)  # type: ignore[arg-type]


@pytest.fixture
def engine(model: Extractor) -> AnalyzerEngine:
    nlp = SpacyNlpEngine()
    nlp.nlp = {"en": spacy.blank("en")}
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.add_recognizer(guest.OnepassRecognizer(model))
    return AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["en"])


def test_types_and_places_are_reported(engine: AnalyzerEngine, model: Extractor) -> None:
    results = engine.analyze(TEXTS[0], language="en", entities=["PERSON"])
    assert [(r.entity_type, TEXTS[0][r.start : r.end]) for r in results] == [
        ("PERSON", "Anna Weiss")
    ]
    asked = model.extract(TEXTS[0], {"entities": list(guest.ENTITY_MAPPING)})
    assert results[0].score == pytest.approx(
        next(e.score for e in asked.entities if e.text == "Anna Weiss")
    )
    assert "PERSON" in engine.get_supported_entities("en")


def test_a_batch_is_read_at_once_and_equals_one_by_one(
    engine: AnalyzerEngine, model: Extractor
) -> None:
    recognizer = engine.registry.recognizers[0]
    recognizer._model = counting = Counting(model)
    batch = guest.OnepassBatchAnalyzer(engine).analyze_iterator(TEXTS, "en", batch_size=3)
    assert counting.calls == 2
    alone = [engine.analyze(text, "en") for text in TEXTS]
    assert counting.calls == 2 + len(TEXTS)
    for got, expected in zip(batch, alone, strict=True):
        places = [[(r.entity_type, r.start, r.end) for r in rows] for rows in (got, expected)]
        assert places[0] == places[1]
    assert [[r.entity_type for r in rows] for rows in recognizer.analyze_batch(TEXTS[:1])] == [
        [r.entity_type for r in alone[0]]
    ]


def test_labels_of_ones_own(model: Extractor) -> None:
    recognizer = guest.OnepassRecognizer(model, {"city": "PLACE"})
    assert recognizer.supported_entities == ["PLACE"]
    found = recognizer.analyze(TEXTS[0], ["PLACE"])
    assert [TEXTS[0][r.start : r.end] for r in found] == ["Bern"]
    assert recognizer.analyze(TEXTS[0], ["PERSON"]) == []


def test_an_engine_without_the_recognizer_is_refused(engine: AnalyzerEngine) -> None:
    engine.registry.recognizers.clear()
    with pytest.raises(InputError, match="0 recognizers of onepass"):
        guest.OnepassBatchAnalyzer(engine)


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_of_no_texts_is_refused(engine: AnalyzerEngine, size: int) -> None:
    with pytest.raises(InputError, match="batch_size must be 1 or more"):
        guest.OnepassBatchAnalyzer(engine).analyze_iterator(TEXTS, "en", batch_size=size)


@pytest.mark.parametrize("mapping", [["person"], {"person": 5}])
def test_a_mapping_that_is_none_is_refused(model: Extractor, mapping: object) -> None:
    with pytest.raises(InputError, match="entity_mapping must map labels to entity types"):
        guest.OnepassRecognizer(model, mapping)


def test_no_types_want_all(model: Extractor) -> None:
    recognizer = guest.OnepassRecognizer(model, {"person": "PERSON"})
    assert [r.entity_type for r in recognizer.analyze(TEXTS[0], None)] == ["PERSON"]
