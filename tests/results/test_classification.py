"""Answers about the whole text: their paths, and what they refuse."""

from __future__ import annotations

import json
import pickle

import pytest

from onepass.errors import InputError
from onepass.results.types import Classification, Extraction, LabelScore

SCORES = {"sport": 0.25, "science": 0.75, "science/physics": 0.5, "science/life": 0.25}
CHOSEN = (LabelScore("science", 0.75), LabelScore("science/physics", 0.5))
TREE = Classification(CHOSEN, SCORES, (("science", "physics"),), 0.625)


def test_the_path_of_every_kind_of_answer() -> None:
    assert TREE.path == ("science", "physics")
    assert Classification(CHOSEN[:1], SCORES).path == ("science",)
    slashed = Classification((LabelScore("TV/radio", 0.5),), {"TV/radio": 0.5})
    assert slashed.path == ("TV/radio",)  # the label of a list is one name
    assert Classification((), SCORES).path == ()
    assert Classification((), SCORES, ()).path == ()
    several = Classification(
        (*CHOSEN, LabelScore("sport", 0.25)), SCORES, (("science", "physics"), ("sport",))
    )
    assert several.path == ("science", "physics")


def test_what_a_task_does_not_have_is_not_written() -> None:
    def written(answer: Classification) -> dict[str, object]:
        found: dict[str, object] = Extraction("", classifications={"t": answer}).to_dict()[
            "classifications"
        ]["t"]
        return found

    assert list(written(Classification((), SCORES))) == ["labels", "scores"]
    assert written(Classification((), SCORES, (), 0.25)) == {
        "labels": [],
        "scores": SCORES,
        "paths": [],
        "fit": 0.25,
    }
    assert written(TREE)["paths"] == [["science", "physics"]]


@pytest.mark.parametrize(
    "answer", [TREE, Classification((), SCORES, (), 0.0), Classification(CHOSEN, SCORES)]
)
def test_paths_and_fits_survive_json_and_pickle(answer: Classification) -> None:
    doc = Extraction("", classifications={"t": answer})
    assert Extraction.from_dict(json.loads(doc.to_json())) == doc
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_contradictions_are_refused() -> None:
    with pytest.raises(ValueError, match="paths exactly if there are labels"):
        Classification((), SCORES, (("science",),))
    with pytest.raises(ValueError, match="paths exactly if there are labels"):
        Classification(CHOSEN, SCORES, ())
    with pytest.raises(ValueError, match="The score of the best label by itself must be"):
        Classification((), SCORES, fit=1.5)
    stored = {"text": "", "classifications": {"t": {"labels": [], "scores": {}, "paths": 3}}}
    with pytest.raises(InputError, match="cannot be read"):
        Extraction.from_dict(stored)


def test_a_label_has_one_score() -> None:
    with pytest.raises(ValueError, match=r"'a' was chosen with a score of 0\.9, but has 0\.1"):
        Classification((LabelScore("a", 0.9),), {"a": 0.1})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"labels": [{"label": 3, "score": 0.5}]}, "'label' must be a string, but 3"),
        ({"scores": {3: 0.5}}, "A label in scores must be a string, but 3"),
        ({"scores": {"a": "0.5"}}, "The score of the label 'a' must be a number, but '0.5'"),
        ({"labels": {}}, "'labels' must be a list, but {}"),
        ({"paths": {}}, "'paths' must be a list, but {}"),
        ({"labels": [{"label": "a", "score": 0.5}], "paths": ["a"]}, "A path must be a list"),
        ({"labels": [{"label": "a", "score": 0.5}], "paths": [[3]]}, "A name in paths must be"),
        ({"fit": True}, "The score of the best label by itself must be a number, but True"),
    ],
)
def test_stored_answers_of_wrong_types_are_refused(answer: dict[str, object], said: str) -> None:
    given = {"labels": [], "scores": {"a": 0.5}} | answer
    with pytest.raises(InputError, match=said):
        Extraction.from_dict({"text": "", "classifications": {"t": given}})


def test_equal_answers_hash_equal() -> None:
    turned = Classification(CHOSEN, dict(reversed(SCORES.items())), TREE.paths, TREE.fit)
    assert {TREE, turned} == {TREE}
    with pytest.raises(InputError, match="The name of a task must be a string, but 3"):
        Extraction.from_dict({"text": "", "classifications": {3: {"labels": [], "scores": {}}}})


def test_an_answer_cannot_be_changed() -> None:
    paths = [["science", "physics"]]
    answer = Classification(CHOSEN, SCORES, paths)  # type: ignore[arg-type]
    paths[0].append("optics")
    assert answer.paths == (("science", "physics"),)
