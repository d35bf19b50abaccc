"""Results for other tools: places stay exact, and what annotators send back is read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.corpus.label_studio import LabelStudio
from onepass.corpus.prodigy import Prodigy
from onepass.errors import InputError
from onepass.results.types import (
    Classification,
    Entity,
    Extraction,
    LabelScore,
    Relation,
    Value,
)

TEXT = "😀 Tim Cook sells the 𝐢Phone 15 in Köln. 😀"


def value(text: str, score: float = 0.5) -> Value:
    start = TEXT.index(text)
    return Value(text, start, start + len(text), score)


def entity(label: str, text: str, score: float = 0.75) -> Entity:
    start = TEXT.index(text)
    return Entity(label, text, start, start + len(text), score)


DOC = Extraction(
    TEXT,
    (entity("person", "Tim Cook"), entity("product", "𝐢Phone 15", 0.5)),
    {"mood": Classification((LabelScore("good", 0.75),), {"good": 0.75, "bad": 0.25})},
    {"sale": ({"what": value("𝐢Phone 15"), "colors": (), "kind": Value("toy", None, None, 0.5)},)},
    (Relation("sells in", value("Tim Cook"), value("Köln"), 0.25),),
)


def test_label_studio_there_and_back(tmp_path: Path) -> None:
    task = DOC.to_label_studio("annotations")
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task]), encoding="utf-8")
    back = LabelStudio(path).example(task)
    assert back is not None
    assert back.text == TEXT
    assert {(m.label, TEXT[m.start : m.end]) for m in back.entities} == {
        ("person", "Tim Cook"), ("product", "𝐢Phone 15"),
    }  # fmt: skip
    relation = back.relations[0]
    assert (relation.type, TEXT[slice(*relation.head)], TEXT[slice(*relation.tail)]) == (
        "sells in", "Tim Cook", "Köln",
    )  # fmt: skip
    assert [(t.name, t.true) for t in back.classifications] == [("mood", ("good",))]


def test_label_studio_predictions_say_how_sure_they_are() -> None:
    prediction = DOC.to_label_studio(model_version="m1")["predictions"][0]
    assert (prediction["model_version"], prediction["score"]) == ("m1", 0.25)
    places = [one["value"] for one in prediction["result"] if one["type"] == "labels"]
    units = TEXT.encode("utf-16-le")
    for place in places:  # as a browser cuts
        piece = units[2 * place["start"] : 2 * place["end"]].decode("utf-16-le")
        assert piece == place["text"]
    assert Extraction("").to_label_studio()["predictions"][0]["result"] == []
    with pytest.raises(InputError, match="'predictions' or 'annotations'"):
        DOC.to_label_studio("drafts")


def test_prodigy_there_and_back(tmp_path: Path) -> None:
    task = {**DOC.to_prodigy(), "answer": "accept"}
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps(task) + "\n", encoding="utf-8")
    back = Prodigy(path).example(task)
    assert back is not None
    assert {(m.label, TEXT[m.start : m.end]) for m in back.entities} == {
        ("person", "Tim Cook"), ("product", "𝐢Phone 15"),
    }  # fmt: skip
    assert TEXT[slice(*back.relations[0].tail)] == "Köln"
    assert back.classifications[0].true == ("good",)


@st.composite
def marked(draw: st.DrawFn) -> Extraction:
    text = draw(st.text(st.sampled_from("ab1 .-é😀\n"), max_size=20))
    entities = []
    for _ in range(draw(st.integers(0, 5))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        entities.append(Entity("x", text[start:end], start, end, 0.5))
    return Extraction(text, tuple(entities))


@settings(max_examples=50)
@given(marked())
def test_tokens_of_prodigy_hold_every_span(doc: Extraction) -> None:
    task = doc.to_prodigy()
    tokens = task["tokens"]
    for n, token in enumerate(tokens):
        assert token["id"] == n
        assert doc.text[token["start"] : token["end"]] == token["text"]
    assert "".join(token["text"] for token in tokens) == "".join(doc.text.split())
    for span in task["spans"]:
        assert tokens[span["token_start"]]["start"] == span["start"]
        assert tokens[span["token_end"]]["end"] == span["end"]


def test_prodigy_asks_one_question() -> None:
    answers = {name: Classification((), {"yes": 0.25}) for name in ("a", "b")}
    doc = Extraction("x", classifications=answers)
    assert doc.to_prodigy("b")["options"] == [{"id": "yes", "text": "yes"}]
    with pytest.raises(InputError, match="asks one question"):
        doc.to_prodigy()
    with pytest.raises(InputError, match="no classification 'c'"):
        doc.to_prodigy("c")


def test_prodigy_lets_choose_several_labels_where_the_task_does(tmp_path: Path) -> None:
    chosen = (LabelScore("sport", 0.75), LabelScore("law", 0.5))
    for labels, style in [((), "single"), (chosen[:1], "single"), (chosen, "multiple")]:
        topics = Classification(labels, {"sport": 0.75, "law": 0.5})
        doc = Extraction("x", classifications={"topics": topics})
        assert doc.to_prodigy()["config"] == {"choice_style": style}
        task = {**doc.to_prodigy(multi_label=True), "answer": "accept"}
        path = tmp_path / f"{len(labels)}.jsonl"
        path.write_text(json.dumps(task) + "\n", encoding="utf-8")
        back = Prodigy(path).example(task)
        assert back is not None
        assert back.classifications[0].multi_label


def test_pandas() -> None:
    pytest.importorskip("pandas")
    frame = DOC.to_pandas()
    assert frame.to_dict("records") == [
        {"label": e.label, "text": e.text, "start": e.start, "end": e.end, "score": e.score}
        for e in DOC.entities
    ]
    classes = DOC.to_pandas("classifications")
    assert classes["chosen"].tolist() == [True, False]
    records = DOC.to_pandas("records")
    assert records["field"].tolist() == ["what", "kind"]
    assert records["start"].isna().tolist() == [False, True]
    assert DOC.to_pandas("relations")["tail"].tolist() == ["Köln"]
    for part in ("entities", "classifications", "records", "relations"):
        empty = Extraction("").to_pandas(part)
        assert list(empty.dtypes) == list(DOC.to_pandas(part).dtypes)
    with pytest.raises(InputError, match="must be one of 'entities'"):
        DOC.to_pandas("entity")


def test_pandas_gets_no_lone_surrogates() -> None:
    pytest.importorskip("pandas")
    odd = Value("a\ud800b", 0, 3, 0.5)
    doc = Extraction(
        "a\ud800b",
        (Entity("\udfff", odd.text, 0, 3, 0.5),),
        {"t": Classification((), {"\ud83d": 0.5})},
        {"r": ({"f": odd},)},
        (Relation("r", odd, odd, 0.5),),
    )
    entities = doc.to_pandas()
    assert (entities["label"][0], entities["text"][0]) == ("\ufffd", "a\ufffdb")
    assert doc.to_pandas("classifications")["label"][0] == "\ufffd"
    assert doc.to_pandas("records")["text"][0] == "a\ufffdb"
    assert doc.to_pandas("relations")["tail"][0] == "a\ufffdb"
