"""Two models on the same files, as text, as JSON and as a page."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.evaluation.comparison import compared, compared_dict, differences
from onepass.evaluation.files import SuiteReport
from onepass.evaluation.page import report_page
from onepass.evaluation.run import evaluate
from onepass.results.types import Entity, Extraction

EXAMPLES = [
    Example(f"Bo ran {number}", (Mention(0, 2, "<dog>"),), ("<dog>",)) for number in range(60)
]


@pytest.fixture
def reports(canned) -> dict[str, SuiteReport]:
    found = [Extraction(one.text, (Entity("<dog>", "Bo", 0, 2, 0.9),)) for one in EXAMPLES]
    return {
        "good & new": SuiteReport({"dogs": evaluate(canned(*found), EXAMPLES)}),
        "poor": SuiteReport({"dogs": evaluate(canned(*found[:20]), EXAMPLES)}),
    }


def test_difference_of_a_file(reports):
    found = differences(*reports.values())["dogs"]["entities", "f1"]
    assert found.difference == pytest.approx(0.5 - 1.0)
    assert found.p_value < 0.01


def test_as_text(reports):
    text = compared(reports)
    assert "poor against good & new" in text
    row = next(line for line in text.splitlines() if line.startswith("dogs, entities f1"))
    assert row.split()[3] == "-0.500"


def test_as_json(reports):
    again = json.loads(json.dumps(compared_dict(reports)))
    assert "against" not in again["good & new"]
    found = again["poor"]["against"]["good & new"]["dogs"]["entities"]["f1"]
    assert found["difference"] == pytest.approx(-0.5)


class Tags(HTMLParser):
    """Checks that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.append(tag)
        assert not any(name in ("src", "href") for name, _ in attrs)
        if tag not in ("meta", "line", "rect", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag) -> None:
        if tag not in ("rect", "circle", "line"):
            assert self.open.pop() == tag


def test_as_a_page(reports):
    page = report_page(reports)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.seen.count("h4") == 2  # what follows is of this model
    assert tags.seen.count("svg") == 6  # of each model: reliability, words, labels
    assert "<dog>" not in page
    assert "good &amp; new" in page
    assert "against" in page


def test_page_of_one_model(reports):
    page = report_page({"good & new": reports["good & new"]})
    assert "against" not in page
    assert "<h4>" not in page
    assert "<circle" in page


def test_long_names_are_told_apart(reports):
    long = "runs/a-rather-long-name-of-a-directory-with-checkpoints/"
    one, other = reports.values()
    text = compared({f"{long}first": one, f"{long}second": other})
    assert f"{long}first" in text.split("\n\n")[0]
    assert f"{long}second" in text.split("\n\n")[0]


def test_a_plot_has_one_score(canned):
    tasks = {"s": GoldTask("s", ("a",), ("a",)), "m": GoldTask("m", ("a",), ("a",), True)}
    examples = [Example(name, classifications=(task,)) for name, task in tasks.items()]
    page = report_page({"one": SuiteReport({"both": evaluate(canned(), examples)})})
    for score in ("accuracy", "micro f1"):
        for size in ("words", "labels"):
            assert page.count(f"<figcaption>{score} by {size}</figcaption>") == 1
