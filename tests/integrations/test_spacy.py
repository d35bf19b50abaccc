"""The component in real pipelines of spaCy."""

from pathlib import Path

import pytest

from onepass import Classification, Entity, Extraction, Extractor, LabelScore
from onepass.errors import InputError, SchemaError
from onepass.results import spacy_doc

spacy = pytest.importorskip("spacy")
pytest.importorskip("onepass.integrations.spacy")  # the factory

LABELS = ["person", "company", "location"]


def pipeline(**config: object) -> "spacy.language.Language":
    nlp = spacy.blank("en")
    nlp.add_pipe("onepass", config={"labels": LABELS, **config})
    return nlp


def test_entities_and_spans_are_those_of_the_model(model: Extractor, texts: list[str]) -> None:
    found = model.extract(texts, {"entities": LABELS})
    docs = list(pipeline().pipe(texts, batch_size=2))
    assert [doc.text for doc in docs] == texts
    for doc, one in zip(docs, found, strict=True):
        assert [(e.label_, e.start_char, e.end_char) for e in doc.ents] == [
            (e.label, e.start, e.end) for e in one.entities
        ]
        assert [span.text for span in doc.spans["onepass"]] == [e.text for e in one.entities]
        assert doc.spans["onepass"].attrs["scores"] == pytest.approx(
            [e.score for e in one.entities], abs=1e-3
        )
    assert "Angela Merkel" in [ent.text for ent in docs[2].ents]


def test_options_reach_the_model(model: Extractor, texts: list[str]) -> None:
    options = {"threshold": {"person": 0.9}, "overlap": "all", "on_long": "truncate"}
    found = model.extract(texts[2], {"entities": LABELS}, solver="exact", **options)
    doc = pipeline(solver="exact", **options)(texts[2])
    assert doc.user_data["onepass"]["entities"] == found.to_dict()["entities"]
    for name in ("overlap", "on_long", "solver"):
        with pytest.raises(ValueError, match=f"{name}.*'best' is not"):
            pipeline(**{name: "best"})
    with pytest.raises(InputError, match="The threshold must be a number from 0 to 1"):
        pipeline(threshold=2.0)
    with pytest.raises(InputError, match="revision='v1'"):
        pipeline(revision="v1")


def test_one_document_is_read_as_in_a_pipe(texts: list[str]) -> None:
    nlp = pipeline()
    assert [str(e) for e in nlp(texts[0]).ents] == [str(e) for e in next(nlp.pipe(texts)).ents]


def test_classes_and_relations() -> None:
    schema = {"classifications": {"mood": ["good", "bad"]}, "relations": ["runs"]}
    doc = pipeline(schema=schema)("Tim Cook runs Apple and I love it.")
    assert set(doc.cats) == {"good", "bad"}
    assert doc.user_data["onepass"]["text"] == doc.text
    assert "relations" in doc.user_data["onepass"]


def test_two_components_keep_what_each_found() -> None:
    nlp = pipeline(schema={"relations": ["runs"]})
    nlp.add_pipe("onepass", name="more", config={"labels": ["company"], "spans_key": "more"})
    doc = nlp("Tim Cook runs Apple in Cupertino.")
    first, second = (doc.user_data[key] for key in ("onepass", "more"))
    assert [one["type"] for one in first["relations"]] == ["runs"]
    assert {one["label"] for one in second["entities"]} == {"company"}


def test_a_text_of_any_length_becomes_a_document() -> None:
    text = "Tim " * 250_001  # spaCy refuses more than a million characters
    assert len(Extraction(text, (Entity("x", "Tim", 0, 3, 0.9),)).to_spacy()) == 250_001


def test_a_pipeline_is_stored_and_loaded(tmp_path: Path, texts: list[str]) -> None:
    nlp = pipeline(threshold=0.2)
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert [str(e) for e in again(texts[2]).ents] == [str(e) for e in nlp(texts[2]).ents]
    restored = spacy.tokens.Doc(nlp.vocab).from_bytes(nlp(texts[2]).to_bytes())
    assert [str(e) for e in restored.ents] == [str(e) for e in nlp(texts[2]).ents]


def test_earlier_entities_stay_unless_they_give_way(texts: list[str]) -> None:
    for overwrite, expected in ((False, "NAME"), (True, "person")):
        nlp = spacy.blank("en")
        ruler = nlp.add_pipe("entity_ruler")
        ruler.add_patterns([{"label": "NAME", "pattern": "Tim Cook"}])
        nlp.add_pipe("onepass", config={"labels": LABELS, "overwrite_ents": overwrite})
        labels = {ent.text: ent.label_ for ent in nlp(texts[0]).ents}
        assert labels["Tim Cook"] == expected
        assert "Cupertino" in labels  # of the model


def test_nothing_asked_is_refused() -> None:
    with pytest.raises(SchemaError, match="Nothing is asked for"):
        spacy.blank("en").add_pipe("onepass")


def test_places_inside_tokens_are_widened_and_kept_exactly() -> None:
    text = "antidemocratic 😀 act"
    found = Extraction(
        text,
        (
            Entity("x", "democratic", 4, 14, 0.9),
            Entity("y", "antidemocratic 😀", 0, 16, 0.5),
            Entity("z", "act", 17, 20, 0.7),
        ),
        {
            "a": Classification((LabelScore("p", 0.75),), {"p": 0.75}),
            "b": Classification((), {"p": 0.25}),
        },
    )
    doc = found.to_spacy()
    assert doc.text == text
    assert [(e.label_, e.text) for e in doc.ents] == [("x", "antidemocratic"), ("z", "act")]
    group = doc.spans["onepass"]
    assert [span.text for span in group] == ["antidemocratic", "antidemocratic 😀", "act"]
    assert group.attrs == {"scores": [0.9, 0.5, 0.7], "offsets": [[4, 14], [0, 16], [17, 20]]}
    assert doc.cats == {"a/p": 0.75, "b/p": 0.25}


def test_lone_surrogates_are_replaced_and_nothing_moves() -> None:
    first, second = chr(0xD83D), chr(0xD83E)
    found = Extraction(
        "a \ud800 Bo",
        (Entity("x\udfff", "\ud800 Bo", 2, 6, 0.9),),
        {"t": Classification((LabelScore(first, 0.5),), {first: 0.5, second: 0.25})},
    )
    doc = found.to_spacy()
    assert doc.text == "a \ufffd Bo"
    assert [(e.label_, e.text) for e in doc.ents] == [("x\\udfff", "\ufffd Bo")]
    assert doc.cats == {"\\ud83d": 0.5, "\\ud83e": 0.25}  # two names stay two
    held = Extraction.from_dict(doc.user_data["onepass"])
    assert (held.text, held.entities[0].label) == (doc.text, "x\\udfff")
    assert held.classifications["t"].scores == doc.cats
    assert spacy.tokens.Doc(doc.vocab).from_bytes(doc.to_bytes()).text == doc.text


def test_a_result_of_whole_strings_is_not_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacy_doc, "_encodable", lambda value: pytest.fail("it is UTF-8"))
    found = Extraction("Bø 😀", (Entity("namn på", "Bø", 0, 2, 0.9),))
    assert found.to_spacy().user_data["onepass"] == found.to_dict()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InputError, match="batch_size must be 1 or more, but 0"):
        pipeline(batch_size=0)
    with pytest.raises(InputError, match="nlp must be a pipeline of spaCy, but 'en'"):
        Extraction("").to_spacy("en")


def test_a_pipeline_knows_its_labels_and_is_evaluated() -> None:
    from spacy.training import Example

    nlp = pipeline()
    assert nlp.pipe_labels["onepass"] == LABELS
    right = {"entities": [(0, 8, "person"), (14, 19, "company")]}
    missed = {"entities": [(0, 8, "person"), (14, 19, "company"), (9, 13, "location")]}
    text = "Tim Cook runs Apple."
    examples = [Example.from_dict(nlp.make_doc(text), gold) for gold in (right, missed)]
    scores = nlp.evaluate(examples)
    assert (scores["ents_p"], scores["ents_r"]) == (1.0, 0.8)
    assert scores["ents_per_type"]["location"]["r"] == 0.0
