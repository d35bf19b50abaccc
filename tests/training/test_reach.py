"""Values behind the cut of a text or too wide for a checkpoint: told, and missed where scored."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.boundary_checkpoints import EACH, make_boundary
from tests.gliner_checkpoints import TOKENS
from tests.training.gliner_data import make_learner

from onepass.corpus.example import Example, GoldTask
from onepass.corpus.jsonl import example_from_dict
from onepass.training.data import LineFile
from onepass.training.families import open_trainee
from onepass.training.holdout import Holdout, whole_question
from onepass.training.reach import tell_of_reach
from onepass.training.sampling import Sampler
from onepass.training.sources import Sources
from onepass.training.stream import BatchOptions
from onepass.training.tally import Tally
from onepass.training.trainee import Reach, Trainee

FILLER = "red " * 150
TEXT = f"Tim runs Apple. {FILLER}Cook runs Rome."
MOST = 100  # pieces, which end in the filler


def at(surface: str) -> dict[str, int]:
    start = TEXT.index(surface)
    return {"start": start, "end": start + len(surface)}


def pair(span: dict[str, int]) -> list[int]:
    return [span["start"], span["end"]]


FIRST, WIDE, LAST = at("Tim"), at("red " * 20 + "red"), at("Cook")
NEAR = {"type": "runs", "head": pair(FIRST), "tail": pair(at("Apple"))}
FAR = {"type": "runs", "head": pair(FIRST), "tail": pair(at("Rome"))}


def row(*spans: dict[str, int], **more: Any) -> dict[str, Any]:
    return {"text": TEXT, "entities": [{"label": "person", **span} for span in spans]} | more


@pytest.fixture(scope="module")
def gliner(tmp_path_factory: pytest.TempPathFactory) -> Trainee:
    return open_trainee(make_learner(tmp_path_factory.mktemp("gliner") / "plain"))


@pytest.fixture(scope="module")
def relex(tmp_path_factory: pytest.TempPathFactory) -> Trainee:
    path = tmp_path_factory.mktemp("gliner") / "relex"
    return open_trainee(make_learner(path, relations_layer="mlp"))


@pytest.fixture(scope="module")
def boundary(tmp_path_factory: pytest.TempPathFactory) -> Trainee:
    path = tmp_path_factory.mktemp("boundary")
    make_boundary(path, head=EACH)
    return open_trainee(path)


@pytest.fixture(scope="module")
def gliner2(checkpoint: Path) -> Trainee:
    return open_trainee(checkpoint)


@pytest.fixture(params=["gliner2", "gliner", "relex", "boundary"])
def trainee(request: pytest.FixtureRequest) -> Trainee:
    one: Trainee = request.getfixturevalue(request.param)
    one.network.eval()
    return one


def reached(trainee: Trainee, given: dict[str, Any]) -> list[Reach]:
    question = whole_question(example_from_dict(given))
    return [reach for one in trainee.ask(question, MOST) for reach in trainee.reach(one)]


def test_a_value_is_read_or_behind_the_cut(trainee):
    assert reached(trainee, row(FIRST)) == [Reach("entities", 1)]
    assert reached(trainee, row(FIRST, LAST)) == [Reach("entities", 2, behind=1)]
    half = {"start": FIRST["start"], "end": LAST["end"]}
    assert reached(trainee, row(half))[0].answers == 1
    assert sum(reached(trainee, row(half))[0][2:]) == 1


def test_a_span_is_too_wide_for_those_that_enumerate_spans(gliner2, gliner, boundary, tmp_path):
    for trainee in (gliner2, gliner):
        assert reached(trainee, row(WIDE, LAST)) == [Reach("entities", 2, behind=1, wide=1)]
    words = open_trainee(make_learner(tmp_path / "tokens", **TOKENS))
    for trainee in (boundary, words):
        assert reached(trainee, row(WIDE, LAST)) == [Reach("entities", 2, behind=1)]


def test_a_relation_is_too_wide_with_one_end(gliner2, relex):
    for far in ({"tail": pair(WIDE)}, {"head": pair(WIDE)}):
        given = row(FIRST, relations=[NEAR, FAR, NEAR | far])
        for trainee in (gliner2, relex):
            assert Reach("relations", 3, behind=1, wide=1) in reached(trainee, given)


def test_a_relation_is_behind_with_one_end(gliner2, relex, boundary):
    given = row(FIRST, LAST, relations=[NEAR, FAR])
    for trainee in (gliner2, relex, boundary):
        assert Reach("relations", 2, behind=1) in reached(trainee, given)


def test_tails_behind_the_cut_are_counted(gliner):
    given = row(FIRST, relations=[NEAR, FAR, FAR | {"head": pair(LAST)}])
    tails = [reach for reach in reached(gliner, given) if reach.section == "relations"]
    # The last has its head behind the cut, where it is asked for as any other.
    assert [sum(numbers) for numbers in list(zip(*tails, strict=True))[1:]] == [3, 2, 0]


def test_a_value_of_a_record_is_read_at_one_of_its_places(gliner2, boundary):
    twice = [FIRST, at("Cook"), at("Rome")]

    def structure(*values: dict[str, int]) -> dict[str, Any]:
        fields = [{"name": "who"}, {"name": "how", "choices": ["good", "bad"]}]
        record = {"who": list(values), "how": [{"choice": "good"}]}
        return {"name": "job", "fields": fields, "records": [record]}

    runs = {"start": 4, "end": 8}, {"start": TEXT.rindex("runs"), "end": TEXT.rindex("runs") + 4}
    for trainee in (gliner2, boundary):
        for values, told in (
            (runs, Reach("records", 2)),
            (twice, Reach("records", 4, behind=2)),
            (twice[1:], Reach("records", 3, behind=3)),
        ):
            given = row(structures=[structure(*values)])
            assert reached(trainee, given) == [told]


def test_labels_are_of_the_whole_text(gliner2):
    example = Example(TEXT, classifications=(GoldTask("tone", ("calm", "angry"), ("calm",)),))
    (asked,) = gliner2.ask(whole_question(example), MOST)
    assert list(gliner2.reach(asked)) == []


def test_what_is_not_read_is_missed_where_it_is_scored(trainee):
    behind = Holdout([example_from_dict(row(LAST))], trainee, BatchOptions(max_pieces=MOST))
    assert behind.asked == 1
    assert behind.score(trainee.network)["entities"] == 0.0  # whatever it finds


@torch.no_grad()
def test_all_gold_is_counted_once_wherever_it_stands(gliner2, relex, boundary):
    given = row(FIRST, WIDE, LAST, relations=[NEAR, FAR])
    question = whole_question(example_from_dict(given))
    for trainee, relations in ((gliner2, 4), (relex, 2), (boundary, 2)):  # cells, or pairs
        for most in (MOST, 512):
            tally = Tally()
            trainee.tally(trainee.network.eval(), trainee.ask(question, most), tally)
            assert tally.spans["entities"].gold == 3
            assert tally.spans["relations"].gold == relations


def test_what_is_lost_is_told_once(trainee, write):
    told: list[str] = []

    def tell(max_pieces: int, *rows: dict[str, Any]) -> None:
        told.clear()
        sources = Sources({"long": LineFile(write("long.jsonl", *rows))}, {}, ())
        tell_of_reach(sources, Sampler(), trainee, max_pieces, told.append)

    tell(MOST, *[row(FIRST)] * 3)
    assert told == []
    tell(MOST, *[row(LAST)] * 5)
    (line,) = told
    assert line == (
        "5 of 5 values that were looked at stand behind the place where their texts are cut "
        "(max_pieces is 100) and are not learned from; split the texts, or raise max_pieces."
    )
    tell(512, *[row(LAST)] * 5)
    assert told == []


def test_what_is_too_wide_is_told(gliner2, write):
    told: list[str] = []
    sources = Sources({"wide": LineFile(write("wide.jsonl", *[row(WIDE)] * 2))}, {}, ())
    tell_of_reach(sources, Sampler(), gliner2, 512, told.append)
    (line,) = told
    assert line == (
        "2 of 2 values that were looked at are wider than this checkpoint's max_width and are not "
        "learned from."
    )
