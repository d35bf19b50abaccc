"""Redaction as a whole: nothing but the places that were found changes, and all of them do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass import Entity, Extraction, Extractor
from onepass.errors import InputError, MissingExtra, SchemaError
from onepass.redact import PII, Options, Redacted, Redactor, Report, redact
from onepass.redact.actions import Replacer
from onepass.redact.find import Finders
from onepass.redact.redactor import replaced

KEY = b"sixteen secret bytes"
LETTER = (
    "Anna Weiss wrote: call +49 30 901820 or mail anna@example.com. My card is "
    "4111 1111 1111 1111, my account DE89 3704 0044 0532 0130 00. Anna Weiss"
)
anything = st.text(st.characters(exclude_categories=()), max_size=12)
forms = st.sampled_from(
    ["a@b.org", "https://x.org/a.", "192.168.0.1", "4111 1111 1111 1111", " 536-90-4399 ", "Anna"]
)
texts = st.lists(anything | forms, max_size=8).map(" ".join)


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor()


@st.composite
def found(draw: st.DrawFn) -> Extraction:
    """Any text with any entities, nested and crossing ones too."""
    text = draw(texts)
    entities = []
    for _ in range(draw(st.integers(0, 6))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        label = draw(st.sampled_from(["person", "phone number", "IBAN", "x"]))
        entities.append(Entity(label, text[start:end], start, end, draw(st.floats(0, 1))))
    return Extraction(text, tuple(entities))


def check_only_places_changed(given_text: str, done: Redacted) -> None:
    read = at = 0
    for one in done.found:
        assert one.start >= read
        assert one.text == given_text[one.start : one.end]
        assert done.text[at : one.at] == given_text[read : one.start]  # between: unchanged
        assert done.text[one.at : one.at + len(one.replacement)] == one.replacement
        read, at = one.end, one.at + len(one.replacement)
    assert done.text[at:] == given_text[read:]


@settings(max_examples=50)
@given(found(), st.sampled_from(["mask", "label", "hash", "pseudonym"]), st.booleans())
def test_nothing_outside_the_places_changes(doc: Extraction, action: str, patterns: bool) -> None:
    finders = Finders([*PII, "x"], patterns=patterns)
    done = replaced(doc, finders.places(doc), Replacer({"": action}, key=KEY))
    check_only_places_changed(doc.text, done)
    covered = {at for one in done.found for at in range(one.start, one.end)}
    for entity in doc.entities:  # all that the model found is replaced, but marks between parts
        letters = (at for at in range(entity.start, entity.end) if doc.text[at].isalnum())
        assert covered.issuperset(letters)
    shown = done.to_extraction()
    assert [e.text for e in shown.entities] == [one.replacement for one in done.found]
    if action == "mask":
        assert len(done.text) == len(doc.text)


def test_a_letter(model: Extractor) -> None:
    done = redact(model, LETTER)
    check_only_places_changed(LETTER, done)
    for secret in ("Anna", "901820", "example.com", "4111", "DE89"):
        assert secret not in done.text
        assert secret not in repr(done.found)
        assert secret not in str(done.to_dict())
    assert "wrote: call" in done.text
    checks = {one.label: one.check for one in done.found}
    assert checks["credit card number"] is True
    assert checks["IBAN"] is True


def test_one_name_has_one_pseudonym_through_all_texts(model: Extractor) -> None:
    one, two = redact(model, ["Anna Weiss met Bo Lund.", "Bo Lund called ANNA WEISS."], ["person"],
                      action="pseudonym")  # fmt: skip
    assert one.text == "[person 1] met [person 2]."
    assert two.text == "[person 2] called [person 1]."


def test_hashes_depend_on_the_key_alone(model: Extractor) -> None:
    done = [redact(model, text, ["person"], action="hash", key=key)
            for text in ("Anna Weiss slept.", "I met Anna Weiss.")
            for key in (KEY, b"another key of bytes")]  # fmt: skip
    hashes = [one.found[0].replacement for one in done]
    assert hashes[0] == hashes[2] != hashes[1] == hashes[3]


def test_each_label_has_its_action(model: Extractor) -> None:
    text = "Anna Weiss: anna@example.com, https://example.com"
    done = redact(model, text, ["person", "email", "URL"], action={"": "mask", "email": "label"})
    assert done.text == "**** *****: [email], *******************"


def test_an_action_may_name_a_label_by_another_name_of_its_kind(model: Extractor) -> None:
    text = "Mail anna@example.com."
    assert redact(model, text, action={"email": "mask"}).text == "Mail ****************."
    both = {"e-mail": "mask", "email address": "label"}
    assert redact(model, text, action=both).text == "Mail [email address]."


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Our shop is at https://x.org/a?id=1, call us.", "Our shop is at [URL], call us."),
        ("Read the page (https://y.org/z). Then go.", "Read the page ([URL]). Then go."),
        ('See "https://y.org/z". Thanks.', 'See "[URL]". Thanks.'),
        ("Look at https://x.org/Rust_(language), please.", "Look at [URL], please."),
    ],
)
def test_what_stands_around_a_link_stays(model: Extractor, text: str, redacted: str) -> None:
    for patterns in (True, False):
        options = Options(labels=["URL"], patterns=patterns)
        assert Redactor(model, options).one(text).text == redacted


def test_what_the_model_found_once_is_found_everywhere() -> None:
    text = "Weiss, Weissbier, WEISS, Weiss"
    doc = Extraction(text, (Entity("person", "Weiss", 0, 5, 0.5),))
    places = Finders(["person"], patterns=True).places(doc)
    assert [(p.start, p.end, p.source) for p in places] == [(0, 5, "model"), (25, 30, "repeat")]


@pytest.mark.parametrize(
    ("text", "values", "left"),
    [
        ("Anna Weiss. Weiss-Meier. Anna Weiss-Meier!", ["Anna Weiss", "Weiss-Meier"], ". . !"),
        ("王伟强和强子。王伟强子。", ["王伟强", "强子"], "和。。"),
        ("Anna Weiss und Weiss. Anna Weiss.", ["Anna Weiss", "Weiss"], " und . ."),
    ],
)
def test_nothing_is_left_of_repeats_that_overlap(text: str, values: list[str], left: str) -> None:
    found = [(value, text.index(value)) for value in values]
    entities = [Entity("person", value, at, at + len(value), 0.5) for value, at in found]
    places = Finders(["person"], patterns=True).places(Extraction(text, tuple(entities)))
    ends = [0, *(place.end for place in places)]
    starts = [*(place.start for place in places), len(text)]
    assert "".join(text[end:start] for end, start in zip(ends, starts, strict=True)) == left


def test_values_of_scripts_without_blanks_are_found_everywhere() -> None:
    for text, value, starts in (
        ("王伟去了。后来王伟说他是王伟。", "王伟", [0, 7, 12]),
        ("김민수가 왔다. 김민수는 갔다.", "김민수", [0, 9]),
        ("Anna去了。后来Anna说。Annabel去。", "Anna", [0, 9]),
    ):
        doc = Extraction(text, (Entity("person", value, 0, len(value), 0.5),))
        places = Finders(["person"], patterns=True).places(doc)
        assert [p.start for p in places] == starts


def test_a_value_beside_letters_of_another_script_is_replaced(model: Extractor) -> None:
    text = (
        "账号DE89370400440532013000。服务器192.168.1.10无法访问。卡号4111 1111 1111 1111已过期。"
        "电话+86 138 0013 8000。请发邮件至anna@example.com我们会尽快处理。"
    )
    done = redact(model, text)
    for secret in ("DE89", "192.168", "1111", "8000", "138", "anna", "example"):
        assert secret not in done.text


def test_digits_and_signs_of_other_forms_are_replaced_whole() -> None:
    text = "Card: ４１１１ １１１１ １１１１ １１１１ please"
    doc = Extraction(text, (Entity("credit card", text[6:10], 6, 10, 0.6),))  # a part of it
    (place,) = Finders(["credit card"], patterns=True).places(doc)
    assert text[place.start : place.end] == text[6:25]
    assert place.check  # by the same digits


@pytest.mark.parametrize("texts", [
    ["[person 1] met Anna Weiss and Bo Lund. [Person 3] slept."],
    ["Anna Weiss met Bo Lund.", "[person 1] slept, and so did [Person 3]."],
])  # fmt: skip
def test_a_pseudonym_that_stands_in_a_text_is_not_given(model: Extractor, texts: list[str]) -> None:
    done = redact(model, texts, ["person"], action="pseudonym")
    given = [one.replacement for text in done for one in text.found if "[" not in one.text]
    assert given[:2] == ["[person 2]", "[person 4]"]


def test_numbers_go_on_after_those_that_were_left_out() -> None:
    replacer = Replacer({"": "pseudonym"})
    replacer.remember("person", "Anna", "[person 3]")
    assert replacer.replacement("person", "Bo") == "[person 4]"


def test_a_failed_check_lowers_a_score_and_a_pass_raises_it() -> None:
    text = "4111 1111 1111 1112, 4111 1111 1111 1111"
    doc = Extraction(
        text,
        (
            Entity("credit card number", text[:19], 0, 19, 0.8),
            Entity("credit card number", text[21:], 21, 40, 0.8),
        ),
    )
    finders = Finders(["credit card number"], patterns=False)
    low, high = finders.places(doc)  # what the model found stays
    assert (low.check, low.score) == (False, pytest.approx(0.2))
    assert (high.check, high.score) == (True, pytest.approx(0.95))
    found = Finders(["card number"], patterns=True).places(Extraction(text))
    assert [place.start for place in found] == [21]  # and what a pattern finds has to be sure


def test_a_value_that_is_sure_keeps_its_label_within_a_long_one() -> None:
    text = "IBAN DE89370400440532013000.\nE-Mail: s.gross@beispiel.de. Ausweis L01X00T471"
    long = Entity("email address", text[5:], 5, len(text), 0.6)
    labels = ["email address", "IBAN"]
    places = Finders(labels, patterns=True).places(Extraction(text, (long,)))
    assert [(text[p.start : p.end], p.label, p.check) for p in places] == [
        ("DE89370400440532013000", "IBAN", True),
        ("E-Mail", "email address", False),
        ("s.gross@beispiel.de", "email address", True),
        ("Ausweis L01X00T471", "email address", False),
    ]


@pytest.mark.parametrize("threshold", [0.05, 0.9])
def test_a_threshold_is_of_the_model_alone(model: Extractor, threshold: float) -> None:
    text = "Call (212) 555-0100, card 4111 1111 1111 1111."
    assert redact(model, text, threshold=threshold).text.count("4111") == 0
    assert "555-0100" not in redact(model, text, threshold=threshold).text


def test_more_is_replaced_than_would_be_extracted(model: Extractor) -> None:
    text = "moved to ivy's inbox, cc rose. will is late."
    doc = model.extract(text, {"entities": ["person"]}, threshold=0)
    extracted = model.extract(text, {"entities": ["person"]}).entities
    found = redact(model, text, ["person"], threshold=0.15).found
    assert len(extracted) < len(found) < len(doc.entities)
    assert redact(model, text, ["person"]).found == found
    assert (
        redact(model.uncalibrated(), text, ["person"]).found
        == redact(model.uncalibrated(), text, ["person"], threshold=0.5).found
    )


def test_faker_gives_names_that_stay_the_same(model: Extractor) -> None:
    pytest.importorskip("faker")
    done = [redact(model, "Anna Weiss met Bo Lund.", ["person"], action="pseudonym", key=KEY,
                   faker="de_DE") for _ in range(2)]  # fmt: skip
    assert done[0].text == done[1].text
    assert "Anna Weiss" not in done[0].text
    assert len({one.replacement for one in done[0].found}) == 2
    with pytest.raises(InputError, match="no locale 'xx_YY'"):
        redact(model, "", ["person"], faker="xx_YY")


def test_dates_of_faker_do_not_depend_on_today() -> None:
    pytest.importorskip("faker")
    replacer = Replacer({"": "pseudonym"}, key=KEY, faker="en_US")
    days = {replacer.replacement("date of birth", f"{n} May 1990") for n in range(60)}
    assert len(days) > 50
    assert all("1940-01-01" <= day <= "2005-12-31" for day in days)


def test_faker_knows_labels_by_their_other_names() -> None:
    pytest.importorskip("faker")
    for one, other in (
        ("phone", "phone number"),
        ("Phone_Number", "phone number"),
        ("e-mail", "email address"),
        ("credit card", "credit card number"),
        ("ip", "IP address"),
        ("link", "URL"),
        ("Full_Name", "person"),
    ):
        made = [
            Replacer({"": "pseudonym"}, key=KEY, faker="en_US").replacement(label, "a value")
            for label in (one, other)
        ]
        assert made[0] == made[1]
        assert not made[0].startswith("[")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(action="hash"), "needs a key"),
        (Options(action="hash", key=b"short"), "5 bytes"),
        (Options(action="drop"), "must be one of mask, label, hash, pseudonym"),
        (Options(action={"human": "mask"}), "'human', which is not among the labels"),
    ],
)
def test_wrong_options_are_refused(model: Extractor, options: Options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Redactor(model, options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"action": "hash", "key": "a secret in words"}, "The key must be bytes, but a str"),
        ({"action": 5}, "The action must be a word, or a mapping"),
        ({"action": {5: "mask"}}, "a mapping of labels to words, but {5: 'mask'}"),
        ({"threshold": {"person": 0.5}}, "The threshold must be a number"),
        ({"region": 49}, "two letters of a country"),
        ({"region": "XX"}, "such as US or DE, but 'XX' is none"),
    ],
)
def test_options_of_a_wrong_type_are_refused(
    model: Extractor, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        redact(model, "a", **options)


def test_texts_may_come_from_an_iterator(model: Extractor) -> None:
    texts = ["Mail a@b.org.", "As [email 1] and c@d.org said."]
    done = redact(model, iter(texts), ["email"], action="pseudonym")
    assert done == redact(model, texts, ["email"], action="pseudonym")
    assert [one.text for one in done] == ["Mail [email 2].", "As [email 1] and [email 3] said."]


@pytest.mark.parametrize("given_text", [None, 7, b"Anna", {"Anna": 1}, ["Anna", None]])
def test_what_is_no_text_is_refused(model: Extractor, given_text: Any) -> None:
    with pytest.raises(InputError):
        redact(model, given_text)
    with pytest.raises(InputError, match=r"^A text must be a string, but .* use stream\.$"):
        Redactor(model).one(given_text)


def test_labels_that_cannot_be_asked_are_refused(model: Extractor) -> None:
    with pytest.raises(SchemaError):
        redact(model, "a", [""])


def test_missing_libraries_are_named(model: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onepass.redact.redactor.libraries", lambda: {"phonenumbers": False})
    with pytest.raises(MissingExtra, match=r"pip install 'onepass\[redact\]'"):
        redact(model, "a", region="DE")


def test_report(model: Extractor) -> None:
    report = Report()
    for done in Redactor(model).stream([LETTER, "Nothing."]):
        report.add(done)
    counts = report.to_dict()
    assert counts["texts"] == 2
    assert counts["found"]["IBAN"]["passed"] == 1
    assert counts["found"]["person"]["count"] == 2
    assert report.summary().startswith("replaced in 2 texts: 2 person")


@pytest.mark.parametrize("before", [438, 440])
def test_a_name_at_the_border_of_two_windows_is_hidden_whole(model: Extractor, before: int) -> None:
    sentence = (
        "the terms of the contract apply to all deliveries and services of the seller "
        "and nothing else is agreed here ."
    )
    terms = sentence.split() * 60
    start, end = " ".join(terms[:before]), " ".join(terms[:490])
    text = f"{start} The customer is Maria del Carmen Rodriguez Lopez and she paid . {end}"
    done = redact(model, text, ["person", "address", "organization", "date of birth"])
    assert "The customer is [person] and she paid" in done.text
