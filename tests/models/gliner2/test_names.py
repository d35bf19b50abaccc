"""Names that are not written as words are read as words, and come back as they were given."""

from __future__ import annotations

import numpy as np
import pytest

from onepass import Extractor
from onepass.corpus.question import Question
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError, SchemaError
from onepass.models.gliner2.names import AS_WRITTEN, Names
from onepass.models.gliner2.passes import split_groups
from onepass.models.gliner2.prompt import all_groups, encode_prompt
from onepass.models.gliner2.targets import ask
from onepass.schema import Schema

NAMES = Names({"per": "person", "dob": "date of birth"}, split=True)


def schema(*, short: bool) -> Schema:
    """Return one schema in tags and camel case, or in the words that they are read as."""
    label, field, other = ("PER", "DOB", "unitPrice") if short else (
        "person", "date of birth", "unit Price",
    )  # fmt: skip
    structure, task, relation = ("lineItem", "mainTopic", "worksFor") if short else (
        "line Item", "main Topic", "works For",
    )  # fmt: skip
    return (
        Schema()
        .entities({label: "who it is", "place": None})
        .structure(structure, [field, f"{other}::[JavaScript|per]"])
        .relations({relation: "is employed by"})
        .classification(task, ["JavaScript", "per"])
    )


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Per", "person"),
        ("per", "person"),
        ("permit", "permit"),
        ("firstName", "first Name"),
        ("FirstName", "First Name"),
        ("userID", "user ID"),
        ("TVShow", "TV Show"),
        ("line2Total", "line2 Total"),
        ("iPhone", "iPhone"),
        ("pH", "pH"),
        ("PhD", "PhD"),
        ("PERSON", "PERSON"),
        ("unit price", "unit price"),
        ("unitPrice (net)", "unitPrice (net)"),
        ("größeMax", "größeMax"),
    ],
)
def test_a_name(name: str, read: str) -> None:
    assert NAMES.read(name) == read
    assert AS_WRITTEN.read(name) == name


@pytest.mark.parametrize(
    "own",
    [{"read_as": ["per"]}, {"read_as": {"PER": "person"}}, {"read_as": {"per": " "}},
     {"read_as": {"per": 1}}, {"split_names": 1}],
)  # fmt: skip
def test_other_settings_are_refused(own: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match=rf"{next(iter(own))} in here/onepass\.json must"):
        Names.from_dict(own, "here")


def test_settings_come_back() -> None:
    assert Names.from_dict(NAMES.to_dict() | {"thresholds": {}}, "") == NAMES
    assert Names.from_dict({}, "") == AS_WRITTEN
    assert AS_WRITTEN.to_dict() == {}


def test_a_prompt_is_that_of_the_words(tokenizer: PieceTokenizer) -> None:
    short, words = (schema(short=one) for one in (True, False))
    read = encode_prompt(short, all_groups(short), tokenizer, NAMES)
    assert read.ids.tolist() == encode_prompt(words, all_groups(words), tokenizer).ids.tolist()
    assert read.ids.tolist() != encode_prompt(short, all_groups(short), tokenizer).ids.tolist()


def test_what_is_trained_on_is_what_is_asked(tokenizer: PieceTokenizer) -> None:
    asked = schema(short=True)
    prompt = encode_prompt(asked, all_groups(asked), tokenizer, NAMES)
    trained = ask(Question("Ann.", asked), tokenizer, max_pieces=512, names=NAMES)
    assert np.array_equal(trained.reading.prompt.ids, prompt.ids)


def test_the_words_count_against_the_budget(tokenizer: PieceTokenizer) -> None:
    asked = Schema().entities(["per", "place"])
    names = Names({"per": "person " * 20})
    budget = len(encode_prompt(asked, all_groups(asked), tokenizer).ids)
    assert len(split_groups(asked, tokenizer, budget)) == 1
    with pytest.raises(SchemaError, match="entity label 'per' takes"):
        split_groups(asked, tokenizer, budget, names=names)


def test_the_built_in_model_reads_tags() -> None:
    model, text = Extractor(), "Barack Obama met Angela Merkel in Berlin."
    tags = model.extract(text, {"entities": ["PER", "LOC"]}).entities
    words = model.extract(text, {"entities": ["person", "location"]}).entities
    assert [entity.label for entity in tags] == ["PER", "PER", "LOC"]
    assert [(e.start, e.end, e.score) for e in tags] == [(e.start, e.end, e.score) for e in words]
