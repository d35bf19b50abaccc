"""Logits become findings by place, and what was added to the text is never an answer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from onepass import Schema
from onepass.decoding.candidates import ChoiceFind, SpanFind
from onepass.decoding.findings import Findings
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.family import Asking
from onepass.models.gliner2.decode import decode
from onepass.models.gliner2.encode import Reading
from onepass.models.gliner2.prompt import all_groups, encode_prompt
from onepass.models.gliner2.score import ReadingScores, SpanScores
from onepass.models.gliner2.text import read_text, read_window
from onepass.models.kept import Calibration, Kept
from onepass.models.thresholds import resolve_thresholds
from onepass.schema import Field
from onepass.schema.rules import Rules
from onepass.text.windows import Window

WIDTH = 3
TEXT = "Tim Cook runs Apple in Paris"  # and a full stop is added
OWN_WORDS = 6
LOW, HALF, HIGH = -9.0, 0.0, 2.0

Cell = tuple[int, int, int, int]  # instance, item, word (choice words first), width


def read(tokenizer: PieceTokenizer, schema: Schema) -> Reading:
    text = read_text(TEXT, tokenizer, max_word_pieces=50)
    prompt = encode_prompt(schema, all_groups(schema), tokenizer)
    return read_window(prompt, text, Window(0, OWN_WORDS))


def found(
    tokenizer: PieceTokenizer,
    schema: Schema,
    cells: Mapping[Cell, float],
    *,
    instances: int = 1,
    threshold: object = None,
    calibration: Mapping[str, Calibration] | None = None,
    spare: bool = False,
    distinct: bool = False,
) -> Findings:
    """Decode the first group with logits that are low but for some cells."""
    reading = read(tokenizer, schema)
    items = len(reading.prompt.groups[0].items)
    logits = np.full((instances, items, reading.words, WIDTH), LOW, dtype=np.float32)
    for cell, logit in cells.items():
        logits[cell] = logit
    kept = Kept(calibration=calibration or {})
    limits = resolve_thresholds(schema, threshold, kept)  # type: ignore[arg-type]
    scores = ReadingScores({0: SpanScores(instances, logits, spare, distinct)}, {})
    return decode(scores, reading, Asking(schema, limits, "flat"), OWN_WORDS)


def spans(findings: Findings) -> list[tuple[int, int, int]]:
    table = findings.entities
    columns = (table.labels, table.starts, table.ends)
    return list(zip(*(column.tolist() for column in columns), strict=True))


ENTITIES = Schema().entities(["person", "place"])
STRUCTURE = Schema().structure(
    "product", ["color::[red|blue|green]::list", "size::[red|bad]::str", "name::str", "price"]
)
RELATION = Schema().relations(["works for"])
HIGH_SCORE = pytest.approx(1 / (1 + np.exp(-HIGH)))


def test_entities_keep_label_place_and_score(tokenizer: PieceTokenizer) -> None:
    findings = found(tokenizer, ENTITIES, {(0, 0, 0, 1): HIGH, (0, 1, 5, 0): HALF})
    assert spans(findings) == [(0, 0, 2), (1, 5, 6)]
    assert findings.entities.scores.tolist() == [HIGH_SCORE, 0.5]  # a threshold is inclusive


def test_thresholds_belong_to_labels(tokenizer: PieceTokenizer) -> None:
    cells = {(0, 0, 0, 0): HALF, (0, 1, 0, 0): HALF}
    assert spans(found(tokenizer, ENTITIES, cells, threshold={"place": 0.6})) == [(0, 0, 1)]
    assert spans(found(tokenizer, ENTITIES, cells, threshold=0.6)) == []


@pytest.mark.parametrize(("word", "width"), [(6, 0), (5, 1), (4, 2), (6, 2)])
def test_the_added_full_stop_is_never_in_an_answer(
    tokenizer: PieceTokenizer, word: int, width: int
) -> None:
    assert spans(found(tokenizer, ENTITIES, {(0, 0, word, width): HIGH})) == []
    prefix = read(tokenizer, STRUCTURE).prompt.prefix_words
    findings = found(tokenizer, STRUCTURE, {(0, 2, prefix + word, width): HIGH})
    assert findings.records == {0: ()}
    cells = {(0, 0, word, width): HIGH, (0, 1, 0, 0): HIGH}
    assert found(tokenizer, RELATION, cells).relations == ()


def test_choice_words_are_never_spans(tokenizer: PieceTokenizer) -> None:
    prefix = read(tokenizer, STRUCTURE).prompt.prefix_words
    assert prefix > 10
    cells = {(0, 2, word, width): HIGH for word in range(prefix) for width in range(WIDTH)}
    assert found(tokenizer, STRUCTURE, cells).records == {0: ()}


def test_choices_are_looked_up_by_their_own_place(tokenizer: PieceTokenizer) -> None:
    rows = read(tokenizer, STRUCTURE).prompt.choices
    red_size, bad_size = rows[0, 1].tolist()
    findings = found(tokenizer, STRUCTURE, {(0, 1, red_size, 0): HIGH, (0, 0, red_size, 0): HIGH})
    ((record,),) = findings.records.values()
    assert record.fields[1] == (ChoiceFind(0, HIGH_SCORE),)
    assert record.fields[0] == ()  # "red" of the other field
    findings = found(tokenizer, STRUCTURE, {(0, 1, red_size, 0): HALF, (0, 1, bad_size, 0): HIGH})
    assert findings.records[0][0].fields[1] == (ChoiceFind(1, HIGH_SCORE),)  # the best of a str


def test_a_list_of_choices_holds_all_that_reach_the_threshold(tokenizer: PieceTokenizer) -> None:
    red, _, green = read(tokenizer, STRUCTURE).prompt.choices[0, 0].tolist()
    findings = found(tokenizer, STRUCTURE, {(0, 0, red, 0): HALF, (0, 0, green, 0): HIGH})
    assert findings.records[0][0].fields[0] == (ChoiceFind(0, 0.5), ChoiceFind(2, HIGH_SCORE))


def test_choices_are_calibrated_by_themselves(tokenizer: PieceTokenizer) -> None:
    prompt = read(tokenizer, STRUCTURE).prompt
    red, bad = prompt.choices[0, 1].tolist()
    cells = {(0, 1, red, 0): 1.0, (0, 1, bad, 0): 0.5, (0, 2, prompt.prefix_words, 0): 1.0}

    def scores(calibration: Mapping[str, Calibration]) -> list[float]:
        (record,) = found(tokenizer, STRUCTURE, cells, calibration=calibration).records[0]
        return [find.score for held in record.fields for find in held]

    def sigmoid(logit: float) -> object:
        return pytest.approx(1 / (1 + np.exp(-logit)))

    records = Calibration(1.0, 2.0)
    assert scores({"records": records}) == [sigmoid(3.0), sigmoid(3.0)]
    own = {"records": records, "choices": Calibration(1.0, -0.5)}
    assert scores(own) == [sigmoid(0.5), sigmoid(3.0)]
    assert scores(own | {"choices": Calibration(1.0, -2.0)}) == [sigmoid(3.0)]  # abstains


def test_values_of_a_list_do_not_overlap(tokenizer: PieceTokenizer) -> None:
    prefix = read(tokenizer, STRUCTURE).prompt.prefix_words
    cells = {
        (0, 3, prefix, 0): HALF, (0, 3, prefix, 1): HIGH, (0, 3, prefix + 5, 0): HALF,
        (0, 2, prefix, 0): HALF, (0, 2, prefix, 1): HIGH, (0, 2, prefix + 5, 0): HALF,
    }  # fmt: skip
    (record,) = found(tokenizer, STRUCTURE, cells).records[0]
    assert record.fields[3] == (SpanFind(0, 2, HIGH_SCORE), SpanFind(5, 6, 0.5))
    assert record.fields[2] == (SpanFind(0, 2, HIGH_SCORE),)  # a str holds its best


def test_instances_are_records_and_empty_ones_are_dropped(tokenizer: PieceTokenizer) -> None:
    prefix = read(tokenizer, STRUCTURE).prompt.prefix_words
    cells = {(0, 2, prefix, 0): HIGH, (2, 2, prefix + 3, 0): HIGH}
    records = found(tokenizer, STRUCTURE, cells, instances=4).records[0]
    assert [record.fields[2] for record in records] == [
        (SpanFind(0, 1, HIGH_SCORE),),
        (SpanFind(3, 4, HIGH_SCORE),),
    ]


def test_a_pair_is_the_best_head_and_the_best_tail(tokenizer: PieceTokenizer) -> None:
    cells = {(0, 0, 0, 1): HIGH, (0, 0, 2, 0): HALF, (0, 1, 3, 0): HALF, (1, 0, 0, 0): HIGH}
    (pair,) = found(tokenizer, RELATION, cells, instances=2).relations  # one has no tail
    assert (pair.type, pair.head, pair.tail) == (
        0, SpanFind(0, 2, HIGH_SCORE), SpanFind(3, 4, 0.5),
    )  # fmt: skip
    assert pair.score == 0.5  # no surer than its weaker end


def test_a_span_is_not_related_to_itself(tokenizer: PieceTokenizer) -> None:
    cells = {(0, 0, 0, 1): HIGH, (0, 1, 0, 1): HIGH}
    assert found(tokenizer, RELATION, cells).relations == ()


def test_a_group_that_is_not_there_gives_nothing(tokenizer: PieceTokenizer) -> None:
    for schema in (ENTITIES, STRUCTURE, RELATION):
        scores = ReadingScores({0: SpanScores(0, None)}, {})
        limits = resolve_thresholds(schema, 0.0, Kept())
        findings = decode(
            scores, read(tokenizer, schema), Asking(schema, limits, "flat"), OWN_WORDS
        )
        assert not len(findings.entities)
        assert findings.relations == ()
        assert not any(findings.records.values())


def test_class_logits_are_handed_on(tokenizer: PieceTokenizer) -> None:
    schema = Schema().classification("tone", ["calm", "angry"])
    logits = np.array([1.5, -2.0], dtype=np.float32)
    limits = resolve_thresholds(schema, None, Kept())
    reading = read(tokenizer, schema)
    findings = decode(
        ReadingScores({}, {0: logits}), reading, Asking(schema, limits, "flat"), OWN_WORDS
    )
    assert findings.classes == {(0, (0, 1)): logits}


def test_calibrated_scores_are_compared(tokenizer: PieceTokenizer) -> None:
    calibration = {"entities": Calibration(2.0, -1.0), "relations": Calibration(0.0, 9.0)}
    findings = found(tokenizer, ENTITIES, {(0, 0, 0, 0): HIGH}, calibration=calibration)
    assert findings.entities.scores.tolist() == [pytest.approx(1 / (1 + np.exp(-3.0)))]
    assert spans(found(tokenizer, ENTITIES, {(0, 0, 0, 0): HALF}, calibration=calibration)) == []


@pytest.mark.filterwarnings("error")
def test_extreme_logits_are_probabilities(tokenizer: PieceTokenizer) -> None:
    findings = found(tokenizer, ENTITIES, {(0, 0, 0, 0): 1e4, (0, 1, 0, 0): -1e4}, threshold=0.0)
    assert findings.entities.scores.max() == 1.0
    assert findings.entities.scores.min() >= 0.0


def test_a_spare_instance_that_repeats_another_one_is_no_record(tokenizer: PieceTokenizer) -> None:
    name, prefix = 2, read(tokenizer, STRUCTURE).prompt.prefix_words
    cells = {
        (0, name, prefix, 0): HIGH, (1, name, prefix + 3, 0): HIGH, (2, name, prefix + 3, 0): HALF,
    }  # fmt: skip
    plain, spare = (
        found(tokenizer, STRUCTURE, cells, instances=3, spare=spare).records[0]
        for spare in (False, True)
    )
    assert [record.fields[name][0].score for record in plain] == [HIGH_SCORE, HIGH_SCORE, 0.5]
    assert [record.fields[name][0].score for record in spare] == [HIGH_SCORE, HIGH_SCORE]


@pytest.mark.parametrize("ruled", [(), ("seller",), ("buyer",), ("seller", "buyer")])
def test_values_of_a_record_share_no_word_where_a_checkpoint_says_so(
    tokenizer: PieceTokenizer, ruled: tuple[str, ...]
) -> None:
    fields = [
        Field(name, "str", rules=Rules(pattern="." if name in ruled else None))
        for name in ("seller", "buyer")
    ]
    schema = Schema().structure("sale", [*fields, Field("goods")])
    cells: dict[Cell, float] = {
        (0, 0, 0, 1): 3.0, (0, 1, 0, 1): 2.0, (0, 1, 3, 0): 1.0, (0, 2, 0, 1): 1.0,
    }  # fmt: skip
    (both,) = found(tokenizer, schema, cells).records[0]
    assert [held[0].start for held in both.fields if held] == [0, 0, 0]  # type: ignore[union-attr]
    (apart,) = found(tokenizer, schema, cells, distinct=True).records[0]
    assert [held[0].start for held in apart.fields if held] == [0, 3, 0]  # type: ignore[union-attr]


@pytest.mark.parametrize("first", [0, 4])
def test_no_finding_cuts_a_form_where_a_checkpoint_says_so(
    tokenizer: PieceTokenizer, first: int
) -> None:
    text = read_text("Up at 2024-11-05 or 2024-11-05T08:30:00Z today", tokenizer, max_word_pieces=9)
    prompt = encode_prompt(ENTITIES, all_groups(ENTITIES), tokenizer)
    reading = read_window(prompt, text, Window(first, len(text.words)))
    stamp = 4 - first  # of its five words the first
    logits = np.full((1, 2, reading.words, WIDTH), LOW, dtype=np.float32)
    logits[0, 0, stamp, 0], logits[0, 1, stamp + 2, 1] = HIGH, HALF  # "2024-11-05T08", "30:"
    asking = Asking(ENTITIES, resolve_thresholds(ENTITIES, None, Kept()), "flat")
    cut, whole = (
        spans(decode(
            ReadingScores({0: SpanScores(1, logits, whole=whole)}, {}),
            reading, asking, len(text.words) - first,
        ))
        for whole in (False, True)
    )  # fmt: skip
    assert cut == [(0, stamp, stamp + 1), (1, stamp + 2, stamp + 4)]
    assert whole == [(0, stamp, stamp + 5), (1, stamp, stamp + 5)]


def test_what_cannot_be_read_stands_where_nothing_else_is_left(tokenizer: PieceTokenizer) -> None:
    fields = [Field("since", "str", rules=Rules(kind="integer")), Field("name", "str")]
    schema = Schema().structure("sale", fields)
    cells: dict[Cell, float] = {(0, 0, 0, 0): 3.0, (0, 1, 0, 1): 2.0, (0, 1, 3, 0): 1.0}
    (record,) = found(tokenizer, schema, cells, distinct=True).records[0]
    assert [held[0].start for held in record.fields if held] == [0, 3]  # type: ignore[union-attr]
