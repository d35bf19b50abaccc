import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.builtin import builtin_checkpoint
from onepass.corpus.question import Question, RecordAnswer
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.prompt import Kind
from onepass.models.gliner2.targets import Asked, Targets, ask, build_targets
from onepass.schema import Field, Schema
from onepass.text.words import split_words

MAX_WIDTH = 3
TEXT = "Tim Cook runs Apple in Paris and Rome"


def cells(targets: Targets) -> set[tuple[int, int, int, int]]:
    """Return the gold cells (row, query, word, width - 1)."""
    return set(zip(*(part.tolist() for part in targets.gold.index()), strict=True))


def slow_end(one: Asked, end: int) -> int:
    """Return where a span ends without the white space at its end."""
    return len(one.words.text[:end].rstrip())


def slow_cell(one: Asked, start: int, end: int) -> tuple[int, int] | None:
    """Return the cell of a span by looking at every word."""
    places = zip(one.words.starts.tolist(), one.words.ends.tolist(), strict=True)
    covered = [i for i, (s, e) in enumerate(places) if s < end and e > start]
    if not covered or len(covered) > MAX_WIDTH or slow_end(one, end) > one.words.ends[-1]:
        return None
    return one.reading.prompt.prefix_words + covered[0], len(covered) - 1


def slow_instances(one: Asked, kind: Kind, task: int) -> list[RecordAnswer]:
    question, last = one.question, one.words.ends[-1] if len(one.words) else 0
    if kind is Kind.ENTITIES:
        return [RecordAnswer(question.entities)]
    if kind is Kind.RELATION:
        pairs = [((0, *p[:2]), (1, *p[2:])) for p in question.pairs[task]]
        return [RecordAnswer(p) for p in pairs if all(slow_cell(one, *s[1:]) for s in p)]
    kept = []
    for record in question.records[task]:
        found = any(slow_cell(one, s, e) for _, s, e in record.spans)
        behind = len(record.spans) > 0 and all(slow_end(one, e) > last for _, _, e in record.spans)
        if found or (record.choices and not behind):
            kept.append(record)
    return kept


def slow_row(one: Asked, words: int) -> tuple[dict, set, list[tuple[Kind, int]]]:
    """Return for one row {(query, word, width): counts}, the gold cells, and (kind, count)."""
    counts: dict[tuple[int, int, int], bool] = {}
    gold: set[tuple[int, int, int]] = set()
    groups = []
    query, prompt = 0, one.reading.prompt
    text = range(prompt.prefix_words, one.reading.words)
    for number, group in enumerate(prompt.groups):
        if group.kind is Kind.CLASSES:
            continue
        instances = slow_instances(one, group.kind, group.task)[:19]
        groups.append((group.kind, 1 if group.kind is Kind.ENTITIES else len(instances)))
        for slot in range(max(1, len(instances))):
            record = instances[slot] if slot < len(instances) else RecordAnswer()
            for item in group.items:
                choices = prompt.choices.get((number, item))
                right = {(int(choices[c]), 0) for i, c in record.choices if i == item} | {
                    slow_cell(one, s, e) for i, s, e in record.spans if i == item
                } - {None}
                left_out = set()
                if group.kind is Kind.ENTITIES:
                    both = (*one.question.ignored, *one.question.outranked)
                    left_out = {slow_cell(one, s, e) for i, s, e in both if i == item}
                for word in range(words):
                    for width in range(MAX_WIDTH):
                        if choices is None:
                            allowed = word in text and word + width in text
                        else:
                            allowed = word in choices.tolist() and width == 0
                        allowed &= item not in record.unknown and (word, width) not in left_out
                        is_gold = (word, width) in right
                        counts[query, word, width] = allowed or is_gold
                        if is_gold:
                            gold.add((query, word, width))
                query += 1
    return counts, gold, groups


@st.composite
def questions(draw) -> Question:
    words = draw(
        st.lists(st.sampled_from(["Tim", "Cook,", "apple-pie", "is", "red", "."]), min_size=1)
    )
    text = " ".join(words[:12])
    place = st.integers(0, len(text))
    span = st.tuples(place, place).filter(lambda p: p[0] != p[1]).map(lambda p: tuple(sorted(p)))
    answer = st.builds(lambda i, s: (i, *s), st.integers(0, 1), span)
    answers = st.lists(answer, max_size=3).map(tuple)
    schema = Schema().entities(["person", "place"])
    schema.structure("car", [Field("name"), Field("color", "str", ("red", "light blue"))])
    schema.relations(["works for"]).classification("tone", ["calm", "angry", "bad"])
    record = st.builds(
        RecordAnswer,
        st.lists(span, max_size=2).map(lambda spans: tuple((0, *s) for s in spans)),
        st.sampled_from([(), ((1, 0),), ((1, 1),)]),
        st.sampled_from([(), (0,), (1,)]),
    )
    entities = draw(answers)
    pairs = st.lists(st.tuples(span, span).map(lambda p: (*p[0], *p[1])), max_size=3).map(tuple)
    return Question(
        text,
        schema,
        entities,
        tuple(a for a in draw(answers) if a not in entities),
        tuple(a for a in draw(answers) if a not in entities),
        (tuple(draw(st.lists(record, max_size=3))),),
        (draw(pairs),),
        (draw(st.sampled_from([(), (0,), (2,)])),),
    )


@settings(max_examples=60)
@given(asked=st.lists(questions(), min_size=1, max_size=3), cut=st.sampled_from([512, 75, 69]))
def test_cells_are_those_of_a_slow_computation(tokenizer, asked, cut):
    rows = [ask(question, tokenizer, max_pieces=cut) for question in asked]
    rows = [one for one in rows if len(one.words)]
    if not rows:
        return
    targets = build_targets(rows, MAX_WIDTH)
    weight = np.zeros_like(targets.weight)
    gold, groups = set(), []
    for row, one in enumerate(rows):
        counts, right, kinds = slow_row(one, weight.shape[2])
        gold |= {(row, *cell) for cell in right}
        groups += [(row, *kind) for kind in kinds]
        for (query, word, width), allowed in counts.items():
            weight[row, query, word, width] = allowed
    assert cells(targets) == gold
    assert (targets.weight == weight).all()
    assert [(g.row, g.kind, g.count) for g in targets.spans] == groups
    assert [g.true.tolist() for g in targets.classes] == [
        [float(i in one.question.classes[0]) for i in range(3)] for one in rows
    ]


def test_a_span_inside_a_word_is_the_word(tokenizer):
    schema = Schema().entities(["place"])
    one = ask(Question("New-York is red", schema, ((0, 4, 8),)), tokenizer, max_pieces=99)
    assert cells(build_targets([one], MAX_WIDTH)) == {(0, 0, 0, 0)}


def test_a_span_that_begins_with_what_cannot_be_seen_is_the_words_that_can(tokenizer):
    text = "\u200bTim \u200b Cook\u200b runs \u200b"
    schema = Schema().entities(["person"])
    seen, unseen = ((0, 0, 11), (0, 0, 10), (0, 1, 10)), ((0, 17, 18),)
    one = ask(Question(text, schema, entities=(*seen, *unseen)), tokenizer, max_pieces=100)
    assert one.words.forms() == ["Tim", "Cook", "runs"]
    assert cells(build_targets([one], MAX_WIDTH)) == {(0, 0, 0, 1)}


@pytest.mark.parametrize("text", ["Met Ann\ufffd", "Met Jos\ufffd\ufffd", "Met Ann \u0301"])
def test_a_span_that_ends_with_what_the_tokenizer_drops_is_kept(text):
    builtin = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    question = Question(text, Schema().entities(["person"]), ((0, 4, len(text)),))
    one = ask(question, builtin, max_pieces=99)
    assert len(one.words) == 2
    assert cells(build_targets([one], MAX_WIDTH)) == {(0, 0, 1, 0)}


def test_the_added_full_stop_is_read_and_is_never_gold(tokenizer):
    schema = Schema().entities(["place"])
    one = ask(Question(TEXT, schema), tokenizer, max_pieces=99)
    assert one.reading.words == len(one.words) + 1
    targets = build_targets([one], MAX_WIDTH)
    assert targets.weight[0, 0, len(split_words(TEXT)), 0]
    assert not cells(targets)


def test_competitors_of_a_gold_cell(tokenizer):
    schema = Schema().entities(["person", "place", "tim", "human"])
    question = Question(
        TEXT,
        schema,
        entities=((0, 0, 8), (1, 23, 28)),
        ignored=((2, 0, 8),),
        outranked=((3, 0, 8),),
    )
    targets = build_targets([ask(question, tokenizer, max_pieces=99)], MAX_WIDTH)
    assert targets.ranked.tolist() == [[0, 0, 1], [0, 5, 0]]
    assert targets.rivals.tolist() == [[1, -1, 0, -1], [-1, 1, -1, -1]]
    assert not targets.weight[0, 2:, 0, 1].any()  # neither right nor wrong as cells of their own
    assert targets.weight[0, 1, 0, 1]


def test_instances_compete_and_one_more_finds_nothing(tokenizer):
    schema = Schema().structure("trip", [Field("who"), Field("where")])
    records = (
        RecordAnswer(spans=((0, 0, 8), (1, 23, 28))),
        RecordAnswer(spans=((1, 23, 28),), unknown=(0,)),
    )
    question = Question(TEXT, schema, records=(records,))
    plain = build_targets([ask(question, tokenizer, max_pieces=99)], MAX_WIDTH)
    assert (plain.spans[0].instances, plain.slotted.shape) == (2, (0, 3))
    targets = build_targets([ask(question, tokenizer, max_pieces=99)], MAX_WIDTH, slots=True)
    (group,) = targets.spans
    assert (group.instances, group.count, targets.queries) == (3, 2, 6)
    assert targets.slotted.tolist() == [[0, 0, 1], [0, 5, 0]]  # who, where
    # of who: right in the first, not known in the second, wrong in the third
    assert targets.slot_rivals.tolist() == [[1, 0, 0, 0, -1, 0], [0, 1, 0, 1, 0, -1]]
    assert targets.weight[0, 4:].any()
    assert not any(query >= 4 for query in targets.gold.queries)


def test_an_instance_with_a_place_that_is_known_beside_one_that_is_not_wins_there(tokenizer):
    # "who" is a list: Tim Cook, and somebody who does not stand in the text.
    schema = Schema().structure("trip", [Field("who"), Field("where")])
    record = RecordAnswer(spans=((0, 0, 8), (1, 23, 28)), unknown=(0,))
    question = Question(TEXT, schema, records=((record,),))
    targets = build_targets([ask(question, tokenizer, max_pieces=99)], MAX_WIDTH, slots=True)
    assert targets.slot_rivals.tolist() == [[1, 0, -1, 0], [0, 1, 0, -1]]


def test_one_label_alone_has_no_competitors(tokenizer):
    question = Question(TEXT, Schema().entities(["person"]), ((0, 0, 8),))
    targets = build_targets([ask(question, tokenizer, max_pieces=99)], MAX_WIDTH)
    assert targets.ranked.shape == (0, 3)
    assert targets.rivals.shape == (0, 1)


def record(*spans: tuple[int, int], choice: bool = False) -> RecordAnswer:
    return RecordAnswer(tuple((0, *span) for span in spans), ((1, 0),) if choice else ())


@pytest.mark.parametrize(
    ("records", "count"),
    [
        ([], 0),
        ([record((0, 8))], 1),
        ([record((0, 8)), record((33, 37))], 1),  # Rome is cut off
        ([record((0, 8)), record((33, 37), choice=True)], 1),  # with all of its record
        ([record((0, 8), (33, 37), choice=True)], 1),
        ([record(choice=True), record(choice=True)], 2),  # choices have no place
        ([RecordAnswer(unknown=(0,))], 0),
        ([record((0, 3))] * 25, 19),
    ],
)
def test_instances_behind_the_window_are_left_out(tokenizer, records, count):
    schema = Schema().structure("trip", [Field("who"), Field("how", "str", ("red", "blue"))])
    question = Question(TEXT, schema, records=(tuple(records),))
    whole = ask(question, tokenizer, max_pieces=512)
    one = ask(question, tokenizer, max_pieces=whole.reading.pieces - 3)
    assert "Rome" not in one.words.forms()
    (group,) = build_targets([one], MAX_WIDTH).spans
    assert (group.count, group.instances) == (count, max(1, count))


def test_a_relation_needs_both_of_its_spans(tokenizer):
    question = Question(
        TEXT, Schema().relations(["runs"]), pairs=(((0, 8, 14, 19), (0, 8, 33, 37)),)
    )
    whole = ask(question, tokenizer, max_pieces=512)
    assert build_targets([whole], MAX_WIDTH).spans[0].count == 2
    cut = ask(question, tokenizer, max_pieces=whole.reading.pieces - 3)
    assert build_targets([cut], MAX_WIDTH).spans[0].count == 1


def test_a_prompt_that_fills_the_window_leaves_no_word(tokenizer):
    question = Question(TEXT, Schema().entities(["person"] + [f"place {i}" for i in range(20)]))
    one = ask(question, tokenizer, max_pieces=20)
    assert len(one.words) == 0
    assert one.reading.pieces > 20
