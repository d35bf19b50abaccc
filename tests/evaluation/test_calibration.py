"""Calibration: what is fitted makes scores as frequent as they say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.errors import InputError
from onepass.evaluation import calibration, curves
from onepass.evaluation.calibration import (
    answer,
    calibrate,
    fit,
)
from onepass.evaluation.halves import held_out
from onepass.evaluation.judged import Judged
from onepass.evaluation.records import judged_choices
from onepass.results.types import Classification, Entity, Extraction, LabelScore, Value
from onepass.schema import Schema


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


class Overconfident:
    """Says 0.9 of everything it finds, and is right half of the time."""

    def extract(self, text: list[str], schema: Schema, /, **options: object) -> list[Extraction]:
        return [
            Extraction(
                one,
                entities=(Entity("dog", "Bo", 0, 2, 0.9),) if schema.entity_labels else (),
                classifications={
                    task.name: Classification((LabelScore("yes", 0.95),), {"yes": 0.95, "no": 0.05})
                    for task in schema.classification_tasks
                },
            )
            for one in text
        ]


def test_calibrate_lowers_what_is_too_sure() -> None:
    examples = [
        Example(
            "Bo met Al",
            (Mention(0, 2, "dog"),) if number % 2 else (),
            ("dog",),
            classifications=(GoldTask("true", ("yes", "no"), ("yes",) if number % 3 else ("no",)),),
        )
        for number in range(120)
    ]
    settings = calibrate(Overconfident(), examples)
    line = settings["calibration"]["entities"]
    logit = np.log(0.9 / 0.1)
    assert sigmoid(line["scale"] * logit + line["shift"]) == pytest.approx(0.5, abs=0.02)
    assert settings["calibration"]["single"]["scale"] < 0.5
    assert "relations" not in settings["thresholds"]  # too few findings to fit anything
    assert "abstain" not in settings["thresholds"]  # every question has an answer


class Honest:
    """Is sure of a label where one holds: in the texts that say so."""

    def extract(self, text: list[str], schema: Schema, /, **options: object) -> list[Extraction]:
        docs = []
        for one in text:
            alone = 0.6 if "fits" in one else 0.3
            answers = {
                task.name: Classification(
                    (LabelScore("yes", 0.9),), {"yes": 0.9, "no": 0.1}, fit=alone
                )
                if not task.multi_label
                else Classification((), {"a": alone, "b": 1 - alone})
                for task in schema.classification_tasks
            }
            assert [task.abstain for task in schema.classification_tasks] == [0.0, None]
            docs.append(Extraction(one, classifications=answers))
        return docs


@pytest.mark.parametrize("shift", [False, True])
def test_calibrate_finds_when_to_abstain(shift: bool) -> None:
    def example(number: int) -> Example:
        fits = number % 2 == 0
        kinds = ("b",) if shift else (("a",) if number % 10 < 6 else ("b",))
        return Example(
            f"It fits {number}" if fits else f"It does not {number}",
            classifications=(
                GoldTask("true", ("yes", "no"), ("yes",) if fits else ()),
                GoldTask("kind", ("a", "b"), kinds, multi_label=True),
            ),
        )

    settings = calibrate(Honest(), map(example, range(120)))
    line = settings["calibration"]["classifications"]
    calibrated = [sigmoid(line["scale"] * np.log(p / (1 - p)) + line["shift"]) for p in (0.3, 0.6)]
    assert min(calibrated) < settings["thresholds"]["abstain"] < max(calibrated)


def test_errors_are_those_of_the_half_that_was_not_fitted_on() -> None:
    def example(number: int) -> Example:
        right = number % 40 == 1 if number % 2 else number % 4 == 2  # odd texts rarely, else half
        return Example("Bo met Al", (Mention(0, 2, "dog"),) if right else (), ("dog",))

    answered = answer(Overconfident(), map(example, range(240)))
    found = held_out(answered)["entities"]
    before, after = found.before.error, found.after.error
    assert before == pytest.approx(0.9 - 0.275)
    assert after == pytest.approx(0.45, abs=0.02)  # each half learns what the other one is not


class Scored:
    """Finds a dog in every text, as surely as the text says."""

    def extract(self, text: list[str], schema: Schema, /, **options: object) -> list[Extraction]:
        return [Extraction(one, (Entity("dog", "Bo", 0, 2, float(one[3:])),)) for one in text]


def found(score: float, *, right: bool) -> Example:
    return Example(f"Bo {score}", (Mention(0, 2, "dog"),) if right else (), ("dog",))


def test_a_threshold_is_never_above_what_it_keeps() -> None:
    """Where a score parts right from wrong, what is right stays, and what is wrong does not."""
    examples = [found(0.9999, right=True)] * 4000 + [found(0.6, right=False)] * 4000
    examples += [found(0.9998, right=True)] * 4000
    settings = calibrate(Scored(), examples)
    line, threshold = settings["calibration"]["entities"], settings["thresholds"]["entities"]
    low, high = (
        sigmoid(line["scale"] * np.log(score / (1 - score)) + line["shift"])
        for score in (0.6, 0.9998)
    )
    assert low < threshold <= high
    assert threshold < 1


def test_a_threshold_is_that_of_the_line_that_is_kept() -> None:
    examples = [found(0.5, right=number % 10 > 0) for number in range(1000)]
    examples += [found(0.47, right=False)] * 1000
    settings = calibrate(Scored(), examples)
    line, threshold = settings["calibration"]["entities"], settings["thresholds"]["entities"]
    raw = np.float64(0.475)  # as good as 0.5
    kept = sigmoid(line["scale"] * np.log(raw / (1 - raw)) + line["shift"])
    assert 0 <= kept - threshold < 1e-6


@pytest.mark.parametrize("right", [True, False])
def test_a_kind_that_is_always_right_or_always_wrong_is_not_fitted(right: bool) -> None:
    examples = [
        Example(
            "Bo met Al",
            (Mention(0, 2, "dog"),) if right else (),
            ("dog",),
            classifications=(GoldTask("true", ("yes", "no"), ("yes" if right else "no",)),),
        )
    ] * 120
    settings = calibrate(Overconfident(), examples)
    assert settings["calibration"] == settings["thresholds"] == {}


def test_errors_of_answers_with_one_label() -> None:
    def example(number: int) -> Example:
        right = ("yes",) if number % 20 < 10 else ("no",)
        return Example("Bo", classifications=(GoldTask("true", ("yes", "no"), right),))

    answered = answer(Overconfident(), map(example, range(240)))
    found = held_out(answered)["single"]
    before, after = found.before.error, found.after.error
    assert before == pytest.approx(0.95 - 0.5)
    assert after < 0.1


class Chooser:
    """Always chooses a size, a little surer where the text has one, beside a sure name."""

    def extract(self, text: list[str], schema: Schema, /, **options: object) -> list[Extraction]:
        def row(one: str) -> dict[str, Value]:
            size = Value("S", None, None, 0.6 if "small" in one else 0.41)
            return {"name": Value("Bo", 0, 2, 0.9), "size": size}

        return [Extraction(one, records={"coat": (row(one),)}) for one in text]


def coats(*, empty: int) -> list[Example]:
    fields = (
        GoldField("name", dtype="str"), GoldField("size", choices=("S", "L"), dtype="str"),
    )  # fmt: skip

    def coat(number: int) -> Example:
        size = {"size": (GoldValue(choice="S" if number % 8 else "L"),)}
        row = {"name": (GoldValue(0, 2),)} | (size if number >= empty else {})
        text = f"Bo {number}" if number < empty else f"Bo small {number}"
        if number % 10 == 9:  # a name that is wrong
            row["name"] = (GoldValue(0, 1),)
        return Example(text, structures=(GoldStructure("coat", fields, (row,)),))

    return [coat(number) for number in range(200)]


def test_choices_learn_from_fields_that_are_left_empty_when_to_abstain() -> None:
    settings = calibrate(Chooser(), coats(empty=100))
    line, least = settings["calibration"]["choices"], settings["thresholds"]["choices"]
    low, high = (sigmoid(line["scale"] * np.log(p / (1 - p)) + line["shift"]) for p in (0.41, 0.6))
    assert low < least <= high
    assert low < 0.1
    assert high > 0.7
    assert settings["calibration"]["records"] != line


def test_choices_are_judged_once_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are matched for that, which takes the longest."""
    answered = answer(Chooser(), coats(empty=100))
    texts: list[str] = []

    def counted(prediction: Extraction, gold: Example) -> list[Judged]:
        texts.append(gold.text)
        return judged_choices(prediction, gold)

    for module in (calibration, curves):
        monkeypatch.setattr(module, "judged_choices", counted)
    for judge in (fit, held_out):
        texts.clear()
        judge(answered)
        assert len(texts) == len(set(texts)) == 200


def test_choices_are_left_out_where_too_few_are_empty() -> None:
    settings = calibrate(Chooser(), coats(empty=20))
    assert "choices" not in settings["calibration"]
    assert "choices" not in settings["thresholds"]
    assert "records" in settings["calibration"]


class TwoLabels:
    """Finds a dog and a cat in every text; a sure dog is right, and so is an unsure cat."""

    def extract(self, text: list[str], schema: Schema, /, **options: object) -> list[Extraction]:
        return [
            Extraction(
                one,
                (
                    Entity("dog", "Bo", 0, 2, 0.8 if "x" in one else 0.4),
                    Entity("cat", "Al", 3, 5, 0.4 if "x" in one else 0.3),
                ),
            )
            for one in text
        ]


def pets(number: int) -> Example:
    mentions = (Mention(0, 2, "dog"), Mention(3, 5, "cat")) if number % 4 < 2 else ()
    return Example(f"Bo Al {'x' * (number % 4 < 2)}{number}", mentions, ("dog", "cat"))


def test_labels_get_thresholds_of_their_own() -> None:
    """No one threshold keeps both labels and nothing else."""
    answered = answer(TwoLabels(), map(pets, range(240)))
    found = fit(answered, per_label=True)
    line = found["calibration"]["entities"]

    def kept(raw: float) -> float:
        return float(sigmoid(line["scale"] * np.log(raw / (1 - raw)) + line["shift"]))

    assert kept(0.4) < found["labels"]["dog"] <= kept(0.8)
    assert kept(0.3) < found["labels"]["cat"] <= kept(0.4)
    assert held_out(answered)["entities"].counts.f1 < 0.9
    assert held_out(answered, per_label=True)["entities"].counts.f1 == 1.0
    assert list(found["labels"]) == ["cat", "dog"]  # sorted, whatever the seed of hashes
    assert "labels" not in fit(answered)


def test_a_label_that_is_annotated_rarely_has_no_threshold() -> None:
    answered = answer(TwoLabels(), map(pets, range(90)))
    assert fit(answered, per_label=True)["labels"] == {}


class General:
    """Finds a person in every text, a little surer than it finds a politician there."""

    def extract(self, text: list[str], schema: Schema, /, **options: object) -> list[Extraction]:
        found = (Entity("person", "Bo", 0, 2, 0.64), Entity("politician", "Bo", 0, 2, 0.6))
        return [Extraction(one, found) for one in text]


def test_a_general_label_may_stand_back_at_low_thresholds_alone() -> None:
    """Of a label without annotations there is nothing at all then."""
    examples = [
        Example(
            f"Bo {number}",
            (Mention(0, 2, "politician"),) if number % 3 else (),
            ("person", "politician"),
        )
        for number in range(150)
    ]
    found = fit(answer(General(), examples), per_label=True)
    assert found["fitted_labels"] == {"politician": "entities"}


def test_thresholds_are_those_of_a_goal_and_scores_are_not() -> None:
    """Also where scores are as high as they are seldom right."""
    for low in (0.3, 0.9):
        step = (0.999 - low) / 100
        examples = [found(round(low + step * n, 5), right=n % 10 < n / 10) for n in range(100)] * 4
        each = [calibrate(Scored(), examples, goal=g) for g in ("f1", "precision=0.9", "recall=1")]
        assert each[0]["calibration"] == each[1]["calibration"] == each[2]["calibration"]
        thresholds = [one["thresholds"]["entities"] for one in each]
        assert thresholds[2] <= thresholds[0] < thresholds[1]


def test_an_unknown_goal_is_told_before_the_work() -> None:
    def examples() -> Iterator[Example]:
        raise AssertionError
        yield

    with pytest.raises(InputError, match="A goal is f1"):
        calibrate(Scored(), examples(), goal="precision=90")
