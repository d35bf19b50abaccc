"""Generations of prompts, and what ``onepass.json`` says of them."""

from __future__ import annotations

from typing import Any

import pytest

from onepass.errors import CheckpointError
from onepass.models.gliclass.style import NEWEST, STYLES, read_style

EXAMPLES = [("He sued", ("law", "news")), ("Goal", ("sport",))]


def test_the_newest_is_the_default() -> None:
    assert read_style({}, "mine") is NEWEST
    assert read_style({"prompt_style": "v1"}, "mine") is STYLES["v1"]


@pytest.mark.parametrize("style", STYLES)
def test_the_case_of_labels_can_be_said(style: str) -> None:
    for case, lower in (("lower", True), ("as given", False)):
        read = read_style({"prompt_style": style, "label_case": case}, "mine")
        assert (read.name, read.lower) == (style, lower)
        assert (read.extras, read.prompt_leads, read.examples_last) == (
            STYLES[style].extras, STYLES[style].prompt_leads, STYLES[style].examples_last,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"prompt_style": "v2"}, "The prompt_style 'v2' in onepass.json of mine is not known"),
        ({"prompt_style": None}, "The prompt_style None"),
        ({"prompt_style": ["v1"]}, "The prompt_style \\['v1'\\]"),
        ({"label_case": "upper"}, "label_case .* of mine must be 'lower' or 'as given'"),
    ],
)
def test_wrong_values_are_refused(own: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read_style(own, "mine")


def test_examples_end_as_the_generation_has_it() -> None:
    assert STYLES["2026-02"].examples(EXAMPLES) == [
        "<<EXAMPLE>>He sued \nLabels:\n law, news", "<<EXAMPLE>>Goal \nLabels:\n sport", "<<SEP>>",
    ]  # fmt: skip
    for style in ("2026-01-10", "2026-01-22"):
        assert STYLES[style].examples(EXAMPLES) == [
            "<<EXAMPLE>>He sued\nLabels: law, news", "<<SEP>>",
            "<<EXAMPLE>>Goal\nLabels: sport", "<<SEP>>",
        ]  # fmt: skip
    assert NEWEST.examples([]) == []


def test_the_newest_examples_are_those_of_the_reference() -> None:
    module = pytest.importorskip("gliclass.pipeline")
    shown = [{"text": text, "labels": list(labels)} for text, labels in EXAMPLES]
    assert "".join(NEWEST.examples(EXAMPLES)) == module.format_examples_prompt(shown)
