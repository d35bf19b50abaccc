"""What a question becomes for a GLiNER checkpoint: passes, gold cells, labels, spans and pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.gliner_checkpoints import BI, DECODERS, TOKENS, save_tokenizer
from tests.training.gliner_data import make_learner

from onepass.corpus.example import Example, GoldRelation, GoldTask, Mention
from onepass.corpus.question import Question
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.decoder_targets import LabelWriting
from onepass.models.gliner.label_batch import LabelReader
from onepass.models.gliner.prompt import Kind
from onepass.models.gliner.targets import build_targets
from onepass.models.gliner.training_passes import BLANK, Asked, ask
from onepass.schema import Schema
from onepass.training.holdout import whole_question

TEXT = "tim cook runs apple in paris and rome"
EXAMPLE = Example(
    TEXT,
    (Mention(0, 8, "person"), Mention(14, 19, "company"), Mention(23, 28, "place")),
    asked=("person", "company", "place", "color"),
    relations=(GoldRelation("runs", (0, 8), (14, 19)), GoldRelation("in", (14, 19), (23, 28))),
    asked_relations=("runs", "in", "owns"),
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PieceTokenizer:
    """With the markers of all kinds of checkpoint."""
    directory = make_learner(tmp_path_factory.mktemp("markers") / "x", relations_layer="none")
    return PieceTokenizer(directory / "tokenizer.json")


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> LabelReader:
    path = save_tokenizer(tmp_path_factory.mktemp("labels") / "x")
    return LabelReader(PieceTokenizer(path / "tokenizer.json"))


def config_of(**given) -> GlinerConfig:
    return GlinerConfig.from_dict({"max_width": 4} | given)


RELEX = config_of(relations_layer="dot")


def passes(tokenizer, config=None, example=EXAMPLE, max_pieces=200) -> list[Asked]:
    return ask(whole_question(example), tokenizer, config or config_of(), max_pieces=max_pieces)


def shown(one: Asked, answers) -> list[tuple[str, str]]:
    """Return answers as (label, words)."""
    before = one.reading.before
    forms = one.words.forms()
    return [
        (one.names[label], " ".join(forms[first - before : last + 1 - before]))
        for label, first, last in answers
    ]


def test_labels_and_relations_are_one_pass_where_there_is_a_part_for_them(tokenizer):
    (one,) = passes(tokenizer, RELEX)
    assert one.names == ("person", "company", "place", "color")
    assert shown(one, one.gold) == [
        ("person", "tim cook"), ("company", "apple"), ("place", "paris")
    ]  # fmt: skip
    assert one.pairs == ((0, 0, 1, 3, 3), (1, 3, 3, 5, 5))
    assert one.reading.prompt.types == (0, 1, 2)


def test_without_that_part_entities_are_asked_for_their_tails(tokenizer):
    first, *tails = passes(tokenizer)
    assert first.reading.prompt.kind is Kind.SPANS
    assert first.pairs == ()
    found = [pair for one in tails for pair in shown(one, one.gold)]
    assert found == [("tim cook <> runs", "apple"), ("apple <> in", "paris")]
    names = [name for one in tails for name in one.names]
    assert "paris <> owns" in names  # an entity without a tail
    assert all(one.reading.before for one in tails)


def test_mentions_with_one_name_share_their_tails(tokenizer):
    text = "tim runs apple and tim runs red"
    spans = {"a": (0, 3), "b": (19, 22), "x": (9, 14), "y": (28, 31)}
    relations = tuple(GoldRelation("runs", spans[h], spans[t]) for h, t in ("ax", "by"))
    (tails,) = passes(tokenizer, example=Example(text, relations=relations))
    assert tails.names == ("tim <> runs",)
    assert shown(tails, tails.gold) == [("tim <> runs", "apple"), ("tim <> runs", "red")]


def test_a_classification_is_a_choice_in_its_instruction(tokenizer):
    tasks = (
        GoldTask("tone", ("calm", "great person", "angry"), ("great person",)),
        GoldTask("color", ("red", "blue"), ("red", "blue"), multi_label=True, prompt="Colors"),
    )
    tone, color = passes(tokenizer, example=Example("paris", classifications=tasks))
    first = 9  # Classify text into the following classes : calm , great person
    assert tone.gold == ((0, first, first + 1),)
    assert (tone.names, tone.reading.prompt.task) == (("match",), 0)
    assert color.gold == ((0, 2, 2), (0, 4, 4))


def test_records_are_not_asked(tokenizer):
    schema = Schema().structure("car", ["name"])
    question = Question("a red car", schema, records=((),))
    assert ask(question, tokenizer, config_of(), max_pieces=99) == []


def test_the_text_is_cut_where_the_window_ends(tokenizer):
    (whole,) = passes(tokenizer, RELEX)
    prompt = len(whole.reading.prompt.ids)
    longer = replace(EXAMPLE, text=f"{TEXT} {TEXT} {TEXT} {TEXT}", relations=())
    last = Mention(len(longer.text) - 4, len(longer.text), "place")
    (cut,) = passes(
        tokenizer, RELEX, replace(longer, entities=(*EXAMPLE.entities, last)), 2 * prompt
    )
    assert len(cut.words) == prompt - 1  # words of one piece; one for the end
    assert cut.reading.pieces == 2 * prompt
    assert len(cut.gold) == 3
    (short,) = passes(tokenizer, replace(RELEX, max_words=2))
    assert short.words.forms() == ["tim", "cook"]
    assert ([label for label, *_ in short.gold], short.pairs) == ([0], ())


def test_labels_that_do_not_fit_are_split_and_a_label_that_is_too_long_is_not_asked(tokenizer):
    (whole,) = passes(tokenizer, RELEX)
    parts = passes(tokenizer, RELEX, max_pieces=2 * len(whole.reading.prompt.ids) - 2)
    assert len(parts) > 1
    found = {pair for one in parts for pair in shown(one, one.gold)}
    assert found == set(shown(whole, whole.gold))
    assert passes(tokenizer, RELEX, max_pieces=8) == []


def test_what_cannot_be_asked_is_left_out_and_the_rest_is_asked(tokenizer):
    wide = GoldTask("tone", ("a very great bad person", "red"), ("red",))
    color = GoldTask("color", ("red", "blue"), ("blue",))
    example = replace(EXAMPLE, classifications=(wide, color))
    spans, task = passes(tokenizer, RELEX, example)
    assert (len(spans.gold), len(spans.pairs)) == (3, 2)
    assert (task.reading.prompt.task, task.gold) == (1, ((0, 9, 9),))
    _, whole, task = passes(tokenizer, config_of(relations_layer="dot", **TOKENS), example)
    assert (whole.reading.prompt.task, task.reading.prompt.task) == (0, 1)  # spans of any width


def test_relations_are_asked_beside_entity_labels_where_there_is_a_part_for_them(tokenizer):
    alone = replace(EXAMPLE, entities=(), asked=())
    assert passes(tokenizer, RELEX, alone) == []
    assert passes(tokenizer, config_of(), alone)


@pytest.mark.parametrize("long", ["price " * 60, "\u200b"])
def test_a_label_that_cannot_be_asked_is_left_out_alone(tokenizer, long):
    (whole,) = passes(tokenizer, RELEX)
    label = replace(EXAMPLE, asked=("person", long, "company", "place", "color"))
    (one,) = passes(tokenizer, RELEX, label, max_pieces=100)
    assert one.names == ("person", "company", "place", "color")
    assert (shown(one, one.gold), one.pairs) == (shown(whole, whole.gold), whole.pairs)
    kind = replace(EXAMPLE, asked_relations=("runs", long, "in", "owns"))
    (one,) = passes(tokenizer, RELEX, kind, max_pieces=100)
    assert one.reading.prompt.types == (0, 2, 3)
    assert shown(one, one.gold) == shown(whole, whole.gold)
    assert len(one.pairs) == len(whole.pairs)
    joined = {"runs": {"head": ["person"], "tail": [long]}}
    question = Question(TEXT, Schema().entities(["person", long]).relations(joined), pairs=((),))
    (one,) = ask(question, tokenizer, RELEX, max_pieces=100)
    assert (one.names, one.reading.prompt.types) == (("person",), (0,))
    only = Example(TEXT, (Mention(0, 8, long),))
    assert passes(tokenizer, RELEX, only, max_pieces=100) == []


def test_the_grid_of_spans(tokenizer):
    (one,) = passes(tokenizer, RELEX)
    short = Example("tim", (Mention(0, 3, "person"),), asked=("color",))
    (other,) = passes(tokenizer, RELEX, short)
    grid = build_targets([one, other], RELEX).grid
    assert grid.gold.shape == (2, 4, 8, 4)
    assert np.argwhere(grid.gold).tolist() == [
        [0, 0, 0, 1], [0, 1, 3, 0], [0, 2, 5, 0], [1, 1, 0, 0]
    ]  # fmt: skip
    assert grid.counted[0].sum() == 4 * (8 + 7 + 6 + 5)
    assert grid.counted[1].sum() == 2  # one word, two labels


def test_spans_that_are_too_wide_are_left_out(tokenizer):
    config = replace(RELEX, max_width=1)
    (one,) = passes(tokenizer, config)
    assert build_targets([one], config).grid.gold.sum() == 2


def test_spans_that_are_too_wide_are_not_scored_by_themselves(tokenizer):
    """No checkpoint that enumerates spans finds them, and some have no vector of theirs."""
    config = replace(RELEX, max_width=1)
    (one,) = passes(tokenizer, config)
    assert len(one.gold) == 3  # a report of what cannot be found counts all
    targets = build_targets([one], config, candidates=6)
    places = targets.spans.places[0].tolist()
    assert places[:2] == [[3, 3], [5, 5]]
    assert len(places) > 2
    assert all(first == last for first, last in places)  # wrong ones, too
    pairs = targets.pairs
    held = pairs.types.gold.any(1)
    assert (pairs.heads[held].tolist(), pairs.tails[held].tolist()) == ([0], [1])


def test_the_grid_of_words(tokenizer):
    config = config_of(**TOKENS)
    one = passes(tokenizer, config)[0]
    grid = build_targets([one], config).grid
    assert grid.gold.shape == (1, 4, 8, 3)
    assert grid.gold[0, 0].astype(int).tolist()[:3] == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]
    assert grid.gold[0, 3].sum() == 0
    assert grid.counted.all()


@pytest.mark.parametrize("tokens", [False, True])
def test_what_is_unsure_does_not_count_unless_it_holds(tokenizer, tokens):
    config = config_of(**(TOKENS if tokens else {}))
    schema = Schema().entities(["person", "company"])
    question = Question(
        TEXT, schema, entities=((0, 0, 8),), ignored=((1, 0, 8),), outranked=((1, 14, 19),)
    )
    (one,) = ask(question, tokenizer, config, max_pieces=99)
    assert one.unsure == ((1, 0, 1), (1, 3, 3))
    counted = build_targets([one], config).grid.counted[0]
    assert counted[0].sum() == (24 if tokens else 26)
    assert counted[1].sum() == (24 - 4 - 3 if tokens else 24)
    holds = replace(question, entities=((0, 0, 8), (1, 0, 8)))
    (one,) = ask(holds, tokenizer, config, max_pieces=99)
    grid = build_targets([one], config).grid
    assert grid.counted[grid.gold].all()


def test_spans_that_are_scored_by_themselves(tokenizer):
    config = config_of(represent_spans=True, neg_spans_ratio=2, **TOKENS)
    one = passes(tokenizer, config)[0]
    spans = build_targets([one], config, candidates=2).spans
    assert spans is not None
    assert spans.counts.tolist() == [9]
    places = [tuple(place) for place in spans.places[0].tolist()]
    assert places[:3] == [(0, 1), (3, 3), (5, 5)]
    assert len(set(places)) == 9
    assert all(0 <= first <= last < 8 for first, last in places)
    assert np.argwhere(spans.labels.gold[0]).tolist() == [[0, 0], [1, 1], [2, 2]]
    again = build_targets([one], config, candidates=2).spans
    assert again is not None
    assert (again.places == spans.places).all()
    assert build_targets([one], config, candidates=0).spans.counts.tolist() == [3]


def test_pairs_are_those_that_hold_and_all_others(tokenizer):
    (one,) = passes(tokenizer, RELEX)
    alone = Example("tim", (Mention(0, 3, "person"),), asked_relations=("runs",))
    (other,) = passes(tokenizer, RELEX, alone)
    targets = build_targets([one, other], RELEX, candidates=0)
    pairs = targets.pairs
    assert pairs is not None
    chosen = list(zip(pairs.heads.tolist(), pairs.tails.tolist(), strict=True))
    assert chosen == [(0, 1), (1, 2), (0, 2), (1, 0), (2, 0), (2, 1)]
    assert pairs.types.gold.astype(int).tolist()[:2] == [[1, 0, 0], [0, 1, 0]]
    assert not pairs.types.gold[2:].any()
    assert pairs.types.counted.all()
    assert pairs.rows.tolist() == [0] * 6
    near = pairs.near
    assert near.gold[0].astype(int).tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]  # either way
    assert near.counted[0].sum() == 6
    assert not near.counted[1].any()


def test_pairs_of_texts_that_are_asked_nothing_of_pairs_do_not_count(tokenizer):
    (one,) = passes(tokenizer, RELEX)
    (other,) = passes(tokenizer, RELEX, replace(EXAMPLE, relations=(), asked_relations=()))
    pairs = build_targets([one, other], RELEX, candidates=0).pairs
    assert pairs is not None
    assert pairs.near.counted.any((1, 2)).tolist() == [True, False]
    assert set(pairs.rows.tolist()) == {0}
    (alone,) = passes(tokenizer, RELEX, Example("tim", asked=("x",), asked_relations=("runs",)))
    nothing = build_targets([alone], RELEX).pairs
    assert nothing is not None
    assert (len(nothing.rows), nothing.types.gold.shape) == (0, (0, 1))


def test_a_long_list_of_entities_has_not_all_its_pairs(tokenizer):
    words = [f"w{i}" for i in range(40)]
    text = " ".join(words)
    starts = [text.index(f"{word} ") for word in words[:-1]]
    mentions = tuple(Mention(a, a + len(w), "person") for a, w in zip(starts, words, strict=False))
    ends = (mentions[0].start, mentions[0].end), (mentions[1].start, mentions[1].end)
    example = Example(text, mentions, relations=(GoldRelation("in", *ends),))
    (one,) = passes(tokenizer, RELEX, example, max_pieces=500)
    pairs = build_targets([one], RELEX, candidates=0).pairs
    assert pairs is not None
    assert 128 < len(pairs.rows) <= 257
    assert pairs.types.gold.sum() == 1


def test_labels_of_a_batch_are_read_once_and_asked_of_all(tokenizer, labels):
    config = config_of(**BI)
    other = Example("rome", (Mention(0, 4, "place"),), asked=("date",))
    asked = [passes(tokenizer, config, example)[0] for example in (EXAMPLE, other)]
    targets = build_targets(asked, config, labels=labels)
    batch = targets.labels
    assert batch is not None
    texts = ["person", "company", "place", "color", "date"]
    rows = [[texts[i] for i in row[:n]] for row, n in zip(batch.rows, batch.counts, strict=True)]
    assert (rows[0][:4], set(rows[1][:2])) == (texts[:4], {"place", "date"})
    assert set(rows[0]) == set(rows[1]) == set(texts)
    assert len(batch.ids) == 5
    assert targets.grid.counted.any((2, 3)).all()
    assert targets.grid.gold[1].any((1, 2)).tolist() == [name == "place" for name in rows[1]]


def test_labels_that_may_hold_are_not_asked_of_others(tokenizer, labels):
    config = config_of(**BI)
    question = whole_question(Example("tim", (Mention(0, 3, "human"),)))
    knowing = replace(question, known=frozenset({"person", "place"}))
    first = ask(knowing, tokenizer, config, max_pieces=99)
    second = passes(tokenizer, config)[:1]
    batch = build_targets([*first, *second], config, labels=labels).labels
    assert batch is not None
    assert batch.counts.tolist() == [3, 5]  # human, company, color; all four and human
    few = replace(labels, in_batch=0)
    alone = build_targets([*first, *second], config, labels=few).labels
    assert alone is not None
    assert alone.counts.tolist() == [1, 4]


def test_labels_of_instructions_are_their_own(tokenizer, labels):
    config = config_of(**BI)
    task = GoldTask("tone", ("calm", "angry"), ("calm",))
    choice = passes(tokenizer, config, Example("tim", classifications=(task,)))
    batch = build_targets([*choice, *passes(tokenizer, config)[:1]], config, labels=labels).labels
    assert batch is not None
    assert batch.counts.tolist() == [1, 4]


def test_long_labels_are_cut(labels):
    (ids,) = replace(labels, max_pieces=5).pieces(["person of the red company in paris"])
    assert len(ids) == 5
    assert ids[-1] == labels.pieces(["a"])[0][-1]


@pytest.fixture(scope="module")
def decoder(tmp_path_factory) -> Callable[..., LabelWriting]:
    path = save_tokenizer(tmp_path_factory.mktemp("decoder") / "x")

    @cache
    def make(*, full_context: bool = True) -> LabelWriting:
        return LabelWriting(
            PieceTokenizer(Path(path) / "tokenizer.json"), 3, full_context=full_context
        )

    return make


def test_labels_are_written_behind_the_words_of_their_span(tokenizer, decoder):
    config = config_of(**DECODERS["decoder-span"], blank_entity_prob=0)
    one = passes(tokenizer, config)[0]
    written = build_targets([one], config, writing=decoder(), candidates=0).written
    assert written is not None
    pieces = decoder().tokenizer.pieces
    flat = [sum(pieces(words), ()) for words in (["tim", "cook"], ["apple"], ["paris"])]
    assert [tuple(i for i in row if i >= 0) for row in written.pieces.tolist()] == flat
    names = [(*pieces([name])[0], 3) for name in ("person", "company", "place")]
    assert [tuple(i for i in row if i >= 0) for row in written.labels.tolist()] == names
    assert written.columns.tolist() == [0, 1, 2]
    without = build_targets([one], config, writing=decoder(full_context=False)).written
    assert without is not None
    assert without.pieces.shape == (3, 0)


def test_labels_of_spans_that_are_too_wide_are_not_written(tokenizer, decoder):
    config = config_of(**DECODERS["decoder-span"], blank_entity_prob=0, max_width=1)
    one = passes(tokenizer, config)[0]
    written = build_targets([one], config, writing=decoder(), candidates=0).written
    assert written is not None
    (company,), (place,) = decoder().tokenizer.pieces(["company", "place"])
    assert written.labels.tolist() == [[company, 3], [place, 3]]


def test_a_decoder_is_also_asked_for_entities_of_any_kind(tokenizer, decoder):
    config = config_of(**DECODERS["decoder-span"], blank_entity_prob=1)
    one = passes(tokenizer, config)[0]
    assert one.names == (BLANK,)
    assert {label for label, *_ in one.gold} == {0}
    assert one.written == ("person", "company", "place")
    targets = build_targets([one], config, writing=decoder())
    assert targets.grid.gold.sum() == 3
    assert targets.written is not None


def test_labels_that_are_replaced_come_in_the_order_of_the_text(tokenizer, decoder):
    config = config_of(**DECODERS["decoder-span"], decoder_mode="prompt")
    example = replace(EXAMPLE, asked=("color", "place", "company", "person"))
    one = passes(tokenizer, config, example)[0]
    assert one.names == ("person", "company", "place", "color")
    assert one.gold == ((0, 0, 1), (1, 3, 3), (2, 5, 5))
    writing = replace(decoder(), bare=True)
    written = build_targets([one], config, writing=writing).written
    assert written is not None
    assert (written.of_labels, written.columns.tolist()) == (True, [0, 1, 2])
    assert written.pieces.shape == (3, 0)


def test_nothing_to_write_is_nothing(tokenizer, decoder):
    config = config_of(**DECODERS["decoder-span"])
    one = passes(tokenizer, config, Example("tim", asked=("color",)))[0]
    assert build_targets([one], config, writing=decoder()).written is None
