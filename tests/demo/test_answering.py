"""What the page shows, and that nothing that is asked becomes a traceback or markup."""

import json

import pytest

from onepass import Extractor
from onepass.demo.answering import Answer, Answering
from onepass.demo.form import Asked, entity_part, one_task, read_threshold


@pytest.fixture(scope="module")
def answering() -> Answering:
    return Answering(Extractor(), "Extractor()")


def test_an_answer_has_the_text_the_json_and_the_code(answering: Answering):
    answer = answering.answer(lambda: Asked("Ann Lee met Bo Ray.", (entity_part("person"),)))
    assert answer.html.startswith('<div class="onepass"><style>')
    found = json.loads(answer.json)["entities"]
    assert [entity["text"] for entity in found] == ["Ann Lee", "Bo Ray"]
    assert "Ann Lee met Bo Ray." in answer.code


@pytest.mark.parametrize(
    ("threshold", "overlap", "sentence"),
    [
        ("2", "flat", "The threshold must be a number from 0 to 1, but 2.0 was given."),
        ("firm = 0.5", "flat", "A threshold was given for &#x27;firm&#x27;, which is neither"),
        ("nan", "flat", "The threshold must be a number from 0 to 1"),
        ("", "most", "overlap"),
    ],
)
def test_a_refusal_is_one_sentence(
    answering: Answering, threshold: str, overlap: str, sentence: str
):
    answer = answering.answer(
        lambda: Asked("Ann", (entity_part("person"),), read_threshold(threshold), overlap)
    )
    assert answer.html.startswith('<p class="refused" role="alert">')
    assert sentence in answer.html
    assert "Traceback" not in answer.html
    assert answer == Answer(answer.html)


def test_markup_in_a_refusal_is_text(answering: Answering):
    answer = answering.answer(
        lambda: Asked("Ann", (one_task("<b>", "<i>\n<i>", several=False, none=False),))
    )
    assert "refused" in answer.html
    assert "<i>" not in answer.html
    assert "<b>" not in answer.html


def test_a_bug_is_not_taken_for_a_refusal(answering: Answering):
    def broken() -> Asked:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        answering.answer(broken)
