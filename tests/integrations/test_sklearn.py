"""The classifier in scikit-learn: its own checks, and a search, a pipeline, a cross-validation."""

from collections.abc import Iterator

import numpy as np
import pytest

from onepass import Extractor
from onepass.errors import InputError

pytest.importorskip("sklearn")
guest = pytest.importorskip("onepass.integrations.sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

TEXTS = [
    "She won the tennis match in three sets.",
    "The striker scored twice in the final.",
    "Parliament voted for the new tax law.",
    "The minister resigned after the election.",
] * 2
LABELS = ["sport", "sport", "politics", "politics"] * 2


@pytest.mark.filterwarnings("ignore:Can't test estimator")
def test_the_checks_of_scikit_learn() -> None:
    results = check_estimator(guest.OnepassClassifier(), on_fail=None)
    assert [one["check_name"] for one in results if one["status"] == "failed"] == []


@pytest.mark.parametrize(
    "name",
    [
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_get_params_invariance",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_set_params",
        "check_valid_tag_types",
    ],
)
def test_the_checks_that_it_leaves_out_for_want_of_numbers(name: str) -> None:
    getattr(estimator_checks, name)("OnepassClassifier", guest.OnepassClassifier())


def test_probabilities_and_labels(model: Extractor) -> None:
    classifier = guest.OnepassClassifier("topic", model=model).fit(TEXTS, LABELS)
    assert classifier.classes_.tolist() == ["politics", "sport"]
    scores = classifier.predict_proba(TEXTS)
    assert scores.shape == (8, 2)
    assert scores.sum(axis=1) == pytest.approx(np.ones(8))
    direct = model.classify(TEXTS[0], ["politics", "sport"], name="topic")
    assert scores[0, 1] == pytest.approx(direct.scores["sport"], abs=1e-3)
    assert classifier.predict(np.array(TEXTS)).tolist() == LABELS
    assert classifier.score(TEXTS, LABELS) == 1
    assert classifier.predict_proba([]).shape == (0, 2)


def test_it_goes_where_classifiers_go() -> None:
    classifier = guest.OnepassClassifier("topic", descriptions={"sport": "games and matches"})
    assert clone(classifier).get_params() == classifier.get_params()
    piped = make_pipeline(FunctionTransformer(), classifier).fit(TEXTS, LABELS)
    assert piped.predict(TEXTS[:1]).tolist() == ["sport"]
    assert cross_val_score(classifier, TEXTS, LABELS, cv=2).tolist() == [1, 1]


def test_labels_keep_their_type() -> None:
    numbers = guest.OnepassClassifier().fit(["", ""], [1, 2])
    assert numbers.predict(["one"]).dtype == numbers.classes_.dtype


@pytest.mark.parametrize("texts", ["one", 5, [1, 2], [["a"], ["b"]], [None, None]])
def test_other_things_than_texts_are_refused(texts: object) -> None:
    with pytest.raises(InputError, match=r"must be a (list or a column of strings|string, but)"):
        guest.OnepassClassifier().fit(texts, ["a", "b"])


class Table:
    """Loops over the names of its columns, as those of pandas do."""

    columns = ("title", "body")

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


def test_a_table_is_refused_in_place_of_classifying_the_names_of_its_columns() -> None:
    with pytest.raises(InputError, match="a table \\(Table\\) was given; give one column"):
        guest.OnepassClassifier().fit(Table(), ["a", "b"])
    with pytest.raises(InputError, match="a table \\(Table\\) was given; give one column"):
        guest.OnepassClassifier().fit(["", ""], ["a", "b"]).predict(Table())


def test_another_task_counts_from_the_next_fit_on() -> None:
    classifier = guest.OnepassClassifier("topic").fit(TEXTS, LABELS)
    before = classifier.predict_proba(TEXTS)
    assert (classifier.set_params(task="tone").predict_proba(TEXTS) == before).all()


def test_labels_must_match_texts() -> None:
    with pytest.raises(InputError, match="as many labels as texts"):
        guest.OnepassClassifier().fit(["a"], ["b", "c"])
    with pytest.raises(NotFittedError):
        guest.OnepassClassifier().predict(["a"])


@pytest.mark.parametrize("labels", [["a", None], ["a", 1.5j]])
def test_labels_of_several_kinds_are_refused(labels: list[object]) -> None:
    with pytest.raises(InputError, match="The labels must be of one kind"):
        guest.OnepassClassifier().fit(["", ""], np.array(labels, dtype=object))


def test_descriptions_must_be_a_mapping() -> None:
    with pytest.raises(InputError, match="descriptions must be a mapping"):
        guest.OnepassClassifier(descriptions=["games"]).fit([""], ["sport"])


def test_a_description_of_no_label_is_told() -> None:
    classifier = guest.OnepassClassifier(descriptions={"sprot": "games"})
    with pytest.warns(UserWarning, match="'sprot', which is none of the labels \\(sport\\)"):
        classifier.fit([""], ["sport"])
