"""A bound of what is found in a text, kept before results are made."""

import pytest

from onepass.decoding import assemble as module
from onepass.decoding.assemble import Choice, assemble
from onepass.decoding.candidates import Candidates
from onepass.decoding.findings import Findings, WindowFindings
from onepass.decoding.result_limit import at_most
from onepass.errors import TooMuchFound
from onepass.results.types import Coverage, Extraction
from onepass.schema import Schema
from onepass.text.windows import Window
from onepass.text.words import split_words


def found() -> Extraction:
    """Return an extraction of two entities."""
    findings = Findings(Candidates([0, 2], [1, 3], [0.9, 0.8], [0, 0]))
    parts = [WindowFindings(Window(0, 3), (findings,))]
    words, schema = split_words("Ann met Bo"), Schema().entities(["person"])
    return assemble(words, schema, parts, Choice("all", ()), Coverage(10, 10, 1, False))


def test_more_than_the_bound_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch):
    with at_most(2, "the limit"):
        assert len(found().entities) == 2
    monkeypatch.setattr(module, "Entity", None)
    refused = pytest.raises(TooMuchFound, match="2 values were found, but the limit is 1;")
    with at_most(1, "the limit"), refused:
        found()
