"""What cannot be shown or written is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onepass import Extractor
from onepass.errors import OnepassError
from onepass.redact import Redactor
from onepass.results.render import to_fragment, to_html
from onepass.results.table import to_table
from onepass.results.types import Extraction

DOC = Extraction("a")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: to_html(5), "An Extraction is shown, but 5"),
        (lambda: to_html(None), "An Extraction is shown, but None"),
        (lambda: to_html("a"), "An Extraction is shown, but 'a'"),
        (lambda: to_html([DOC, 5]), "An Extraction is shown, but 5"),
        (lambda: to_html(DOC, title=5), "The title must be a string, but 5"),
        (lambda: DOC.to_html(title=5), "The title must be a string, but 5"),
        (lambda: to_table(5), "An Extraction is shown, but 5"),
        (lambda: to_fragment("a"), "An Extraction is shown, but 'a'"),
        (lambda: DOC.to_json(indent=[]), "The indent must be a whole number"),
        (lambda: DOC.to_pandas([]), "The part must be one of"),
        (lambda: DOC.to_prodigy([]), "There is no classification"),
        (lambda: Extractor.from_pretrained(5), "A checkpoint is named by"),
        (lambda: Extractor().records("a", 5), "structures must be a mapping"),
        (lambda: Redactor(Extractor(), 5), "The options must be Options"),
    ],
)
def test_misuse_is_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(OnepassError) as said:
        call()
    assert str(said.value).startswith(sentence)
    assert "\n" not in str(said.value)


def test_a_key_of_spans_must_be_a_string() -> None:
    pytest.importorskip("spacy")
    with pytest.raises(OnepassError, match="key of spans must be a string"):
        DOC.to_spacy(spans_key=5)


def test_the_method_gives_the_page_of_the_function() -> None:
    assert DOC.to_html(title="b") == to_html(DOC, title="b")
