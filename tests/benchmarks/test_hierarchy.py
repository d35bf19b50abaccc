"""The benchmark of records runs on what is in the repository, and its page is of its result."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hierarchy import build, page, run, sources, together  # noqa: E402
from benchmarks.hierarchy.generated import generate  # noqa: E402
from benchmarks.hierarchy.scored import SHAPES, levels, pruned, question, score  # noqa: E402
from benchmarks.hierarchy.systems import SYSTEMS, answers, in_turn  # noqa: E402

from onepass import Extractor  # noqa: E402
from onepass.corpus.example import Example, GoldField, GoldStructure, GoldTask  # noqa: E402
from onepass.corpus.jsonl import example_from_dict  # noqa: E402
from onepass.evaluation import schema_of  # noqa: E402
from onepass.evaluation.records import RecordScorer  # noqa: E402
from onepass.results.types import Entity  # noqa: E402

ABOUT = json.loads((build.DATA / "sets.json").read_text(encoding="utf-8"))
HERE = {s.name: rows for s in sources.SOURCES if (rows := build.rows_of(s, None)) is not None}


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor(threads=1)


def words_of(record: dict) -> list[str]:
    return [
        word
        for values in record.values()
        for one in values
        for word in ([one] if isinstance(one, str) else words_of(one))
    ]


def test_the_sets_are_those_that_sets_json_tells_of():
    assert list(ABOUT) == [source.name for source in sources.SOURCES]
    for name, rows in HERE.items():
        assert build.fingerprint(rows) == ABOUT[name]["fingerprint"], name
        assert 0 < len(rows) == ABOUT[name]["texts"] <= sources.SIZE
    copies = {path.name.split(".")[0] for path in build.DATA.glob("*.jsonl.gz")}
    assert copies == {s.name for s in sources.SOURCES if s.copied and s.path is not None}
    assert all(s.terms != "not stated" for s in sources.SOURCES if s.copied)


def test_public_texts_are_held_out():
    for source in sources.SOURCES:
        if source.name in HERE and source.path is not None:
            assert all(sources.held_out(row["text"]) for row in HERE[source.name])


def test_nested_values_are_in_their_texts():
    for name in ("nested", "phee"):
        for row in HERE[name]:
            values = [word for record in row["records"] for word in words_of(record)]
            assert all(word in row["text"] for word in values), row["text"]
    assert {row["shape"] for row in HERE["nested"]} == {"order", "event", "company"}
    assert list(generate(4)) == list(generate(4))


def test_shapes_are_cut_at_a_level():
    order = SHAPES["order"]
    assert [levels(pruned(order, depth)) for depth in (1, 2, 3)] == [1, 2, 3]
    row = HERE["nested"][0]
    assert [len(question(row, depth=depth).structures) for depth in (1, 2, 3)] == [1, 2, 3]


def test_flat_sets_have_the_scores_of_the_evaluation(model: Extractor):
    rows = HERE["tasteset_recipes"][:3] + HERE["sgd_records"][:2]
    scorer = RecordScorer()
    for example in map(example_from_dict, rows):
        scorer.add(model.extract(example.text, schema_of(example)), example)
    assert scorer.scores()["f1"] > 0
    ours = score(model, map(question, rows), ("records",))["records"]
    for name in ("f1", "record_f1", "count_accuracy"):
        assert ours[name] == pytest.approx(scorer.scores()[name], abs=1e-4)


def test_every_system_answers(model: Extractor):
    said = answers(model, *_asked(HERE["nested"][0]))
    assert list(said) == list(SYSTEMS)
    for name, rows in said["records"].records.items():
        assert said["K = 1"].records[name] == rows[:1]
    assert all(len(rows) <= 1 for rows in said["entities, one record"].records.values())


def _asked(row: dict) -> tuple:
    one = question(row)
    return one.text, one.structures


def test_a_field_that_comes_again_begins_a_record():
    spans = [("a", 0), ("b", 2), ("b", 4), ("a", 6), ("b", 8)]
    mentions = [(name, Entity(name, "x", start, start + 1, 0.9)) for name, start in spans]
    assert [{k: len(v) for k, v in row.items()} for row in in_turn(mentions, {"b"})] == [
        {"a": 1, "b": 2},
        {"a": 1, "b": 1},
    ]
    assert len(in_turn(mentions, set())) == 3


def test_an_order_asks_the_same():
    example = Example(
        "text",
        asked=tuple("abcdef"),
        classifications=(GoldTask("tone", tuple("uvwxyz"), ("u",)),),
        structures=(GoldStructure("s", tuple(map(GoldField, "klmnop")), ()),),
        asked_relations=tuple("ghij"),
    )
    mixed = together.permuted(example, 1)
    assert mixed == together.permuted(example, 1) != together.permuted(example, 2)
    assert mixed.asked != example.asked
    assert set(mixed.asked) == set(example.asked)
    assert set(mixed.classifications[0].labels) == set("uvwxyz")
    assert {field.name for field in mixed.structures[0].fields} == set("klmnop")


def test_a_task_is_borrowed_from_the_next_text():
    texts = [Example("1", asked=("a",)), Example("2"), Example("3", asked_relations=("r",))]
    assert together.borrowed(texts, 1, "relations").text == "3"
    assert together.borrowed(texts, 1, "entities").text == "1"
    both = replace(texts[0], asked_relations=("r",))
    assert together.only(both, "entities") == texts[0]


def test_it_runs_and_a_page_is_made_of_it(tmp_path: Path):
    output = tmp_path / "result.json"
    assert run.main(["--limit", "1", "--output", str(output)]) == 0
    result = json.loads(output.read_text(encoding="utf-8"))
    text = page.page(result)
    for title in ("## Level by level", "## Depth", "## Tasks beside each other"):
        assert title in text
    assert "Not here when this was run: casie, muc4" in text
    assert "A try with 1 texts" in text


def test_the_page_is_that_of_the_committed_result():
    result = json.loads(page.RESULT.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.page(result)
    assert list(result["sets"]) == list(ABOUT)
