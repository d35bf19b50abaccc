"""The facade: what it accepts, what it returns, and one sentence for everything it refuses."""

from __future__ import annotations

import copy
import inspect
import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import BaseModel

import onepass
from onepass import Extractor, Schema
from onepass.errors import (
    BackendError,
    InputError,
    OnepassError,
    SchemaError,
    TextTooLong,
)
from onepass.hub import locate
from onepass.models.export import export_checkpoint
from onepass.results.types import Extraction
from onepass.shortcuts import _ELSEWHERE
from tests.tiny import make_tiny_checkpoint

TEXT = "Tim Cook runs Apple in Paris."
LABELS = {"entities": ["person", "place"]}
EVERYTHING = (
    Schema()
    .entities(["person", "place"])
    .classification("tone", ["calm", "angry"])
    .structure("product", ["name::str", "price"])
    .relations(["works for"])
)


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint with its graphs beside it."""
    made = make_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "model")
    export_checkpoint(locate(made))
    return made


@pytest.fixture(scope="session")
def model(directory: Path) -> Extractor:
    return Extractor.from_pretrained(directory)


def refused(call: Callable[[], object], kind: type[OnepassError] = InputError) -> str:
    """Check that a call is refused in one sentence, and return it."""
    with pytest.raises(kind) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said
    assert 20 < len(said) < 700
    return said


# -- what it accepts -----------------------------------------------------------------------------


class Product(BaseModel):
    """A product."""

    name: str
    color: Literal["red", "blue"]


@pytest.mark.parametrize(
    "schema",
    [
        Schema().entities(["person"]),
        {"entities": ["person"]},
        '{"entities": ["person"]}',
        Product,
    ],
)
def test_schemas_in_every_form(model: Extractor, schema: object) -> None:
    doc = model.extract(TEXT, schema)
    assert doc.text == TEXT
    if schema is Product:
        assert list(doc.records) == ["product"]


@pytest.mark.parametrize("collection", [list, tuple, iter])
def test_texts_in_every_form(model: Extractor, collection: Callable[[list[str]], Any]) -> None:
    texts = [TEXT, "", "cook"]
    docs = model.extract(collection(texts), LABELS)
    assert [doc.text for doc in docs] == texts
    assert model.extract(collection([]), LABELS) == []


def test_a_checkpoint_given_to_the_class_is_told_where_it_goes() -> None:
    with pytest.raises(InputError) as refused:
        Extractor("urchade/x")  # type: ignore[misc]
    assert str(refused.value) == (
        "Extractor() is the built-in model and takes options by their names, but 'urchade/x' was "
        "given; open a checkpoint with Extractor.from_pretrained('urchade/x')."
    )
    assert next(iter(inspect.signature(Extractor).parameters)) == "backend"


def test_more_texts_than_are_held_at_once(model: Extractor) -> None:
    texts = [f"tim {number}" for number in range(600)]
    docs = model.extract(texts, {"classifications": {"tone": ["calm", "angry"]}})
    assert [doc.text for doc in docs] == texts


def test_strings_of_other_classes(model: Extractor) -> None:
    class Note(str):
        __slots__ = ()

    assert model.extract(Note(TEXT), LABELS).to_dict() == model.extract(TEXT, LABELS).to_dict()
    assert model.extract(np.str_(TEXT), LABELS).entities == model.extract(TEXT, LABELS).entities


def test_shortcuts_are_one_task_each(model: Extractor) -> None:
    doc = model.extract(TEXT, EVERYTHING, threshold=0.4)
    assert isinstance(doc, Extraction)
    entities = model.entities(TEXT, ["person", "place"], threshold=0.4, overlap="all")
    expected = model.extract(TEXT, LABELS, threshold=0.4, overlap="all").entities
    assert entities == expected
    answer = model.classify(TEXT, {"calm": "good", "angry": None}, name="tone")
    asked = Schema().classification("tone", {"calm": "good", "angry": None})
    assert answer == model.extract(TEXT, asked).classifications["tone"]
    several = model.classify(TEXT, ["calm", "angry"], multi_label=True, threshold=0.0)
    assert len(several.labels) == 2
    records = model.records(TEXT, {"product": ["name::str"], "place": ["name"]})
    assert list(records) == ["product", "place"]
    relations = model.relations(TEXT, {"works for": "in a company"}, threshold=0.0)
    assert isinstance(relations, tuple)


def test_trees_and_abstaining_reach_the_model(model: Extractor) -> None:
    tree = {"person": ["cook", "runs"], "place": {"paris": ["apple"], "tim": []}}
    answer = model.classify(TEXT, tree)
    assert answer.fit is None
    assert answer.paths == (answer.path,)
    assert [one.label for one in answer.labels] == [
        "/".join(answer.path[: depth + 1]) for depth in range(len(answer.path))
    ]
    below = answer.scores["place/paris"] + answer.scores["place/tim"]
    assert below == pytest.approx(answer.scores["place"])
    assert answer.scores["person"] + answer.scores["place"] == pytest.approx(1.0)
    none = model.classify(TEXT, tree, abstain=1.0)
    assert (none.labels, none.paths, dict(none.scores)) == ((), (), dict(answer.scores))
    assert none.fit is not None
    assert model.classify(TEXT, tree, abstain=none.fit).path
    with pytest.raises(SchemaError, match="abstain is for tasks with one answer"):
        model.classify(TEXT, tree, abstain=True, multi_label=True)


def test_a_tree_whose_one_root_always_holds_is_refused(model: Extractor) -> None:
    tree = {"tone": ["calm", "angry"]}
    said = refused(lambda: model.classify(TEXT, tree), SchemaError)
    assert "one root, 'tone', which always holds" in said
    assert "name='tone'" in said
    assert model.classify(TEXT, tree, multi_label=True).scores["tone"] < 1
    assert model.classify(TEXT, tree, abstain=True).fit is not None


def test_the_floor_of_a_checkpoint(directory: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(directory, tmp_path / "model"))
    for floor in (0.0, 1.0):
        (own / "onepass.json").write_text(json.dumps({"thresholds": {"abstain": floor}}))
        reader = Extractor.from_pretrained(own)
        assert bool(reader.classify(TEXT, ["calm", "angry"], abstain=True).labels) == (floor == 0)
        assert reader.classify(TEXT, ["calm", "angry"]).labels


def test_windows_of_a_class_come_together_as_asked(model: Extractor) -> None:
    long = "tim runs apple. " * 300 + "cook paris " * 300
    scores = {
        how: model.classify(long, ["calm", "angry"], multi_label=True, window_scores=how).scores
        for how in (None, "max", "mean", "length")
    }
    assert scores[None] == scores["max"]
    for label in ("calm", "angry"):
        assert scores["mean"][label] < scores["max"][label]
    assert scores["mean"] != scores["length"]


def test_thresholds_and_policies_reach_the_model(model: Extractor) -> None:
    def count(**options: Any) -> int:
        return len(model.extract(TEXT, LABELS, **options).entities)

    assert count(threshold=1.0) == 0
    everywhere = count(threshold=0.0, overlap="all")
    assert everywhere == 2 * sum(min(4, 7 - start) for start in range(7))  # spans of up to 4 words
    assert (
        count(threshold=0.0, overlap="flat") <= count(threshold=0.0, overlap="label") < everywhere
    )
    one_label = model.extract(TEXT, LABELS, threshold={"person": 0.0, "place": 1.0}, overlap="all")
    assert {entity.label for entity in one_label.entities} == {"person"}


def test_what_it_says_of_itself(model: Extractor, directory: Path) -> None:
    assert (model.name, model.family) == (str(directory), "gliner2")
    assert (model.backend, model.precision, model.max_pieces) == ("onnx", "fp32", 512)
    assert repr(model) == f"Extractor({str(directory)!r}, gliner2, onnx)"


def test_calibration_beside_a_checkpoint(directory: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(directory, tmp_path / "model"))
    plain = Extractor.from_pretrained(own).extract(TEXT, LABELS, threshold=0.0, overlap="all")
    settings = {
        "thresholds": {"entities": 0.9},
        "calibration": {"entities": {"scale": 0.0, "shift": 3}},
    }
    (own / "onepass.json").write_text(json.dumps(settings))
    calibrated = Extractor.from_pretrained(own)
    docs = calibrated.extract(TEXT, LABELS, overlap="all")
    assert len(docs.entities) == len(plain.entities)  # sigmoid(3) = 0.95, above the 0.9
    assert {round(entity.score, 3) for entity in docs.entities} == {0.953}


# -- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, 3, 1.5, object(), b"bytes", {"text": "a"}])
def test_a_text_that_is_none(model: Extractor, text: Any) -> None:
    said = refused(lambda: model.extract(text, LABELS))
    assert said.startswith("The text must be a string or a list of strings, but a ")
    refused(lambda: model.entities(text, ["person"]))


@pytest.mark.parametrize("texts", [{"Ann left.", "Bo too."}, frozenset({"Ann left."}), set()])
def test_texts_without_an_order(model: Extractor, texts: Any) -> None:
    said = refused(lambda: model.extract(texts, LABELS))
    assert said == (
        "The texts must be a list, but a set was given, which has no order; give sorted(...) of it."
    )
    assert said == refused(lambda: model.stream(texts, LABELS))


@pytest.mark.parametrize("wrong", [None, 3, b"bytes", ["a"]])
def test_a_list_with_something_else(model: Extractor, wrong: Any) -> None:
    said = refused(lambda: model.extract(["a", wrong], LABELS))
    assert said.startswith("Text 2 must be a string, but ")
    assert type(wrong).__name__ in said
    refused(lambda: list(model.stream(iter(["a", wrong]), LABELS)))


def test_a_list_is_checked_before_anything_is_read(model: Extractor) -> None:
    said = refused(lambda: model.extract(["a"] * 1_000 + [None], LABELS))  # type: ignore[list-item]
    assert said.startswith("Text 1001 must be")


def test_one_string_is_not_a_stream_of_characters(model: Extractor) -> None:
    assert "put it into a list" in refused(lambda: model.stream("abc", LABELS))


def test_a_shortcut_is_for_one_text(model: Extractor) -> None:
    said = refused(lambda: model.entities([TEXT], ["person"]))  # type: ignore[arg-type]
    assert said.startswith("A shortcut reads one text, but a list was given")


def test_the_built_in_model_is_opened_as_any_other() -> None:
    with pytest.raises(BackendError, match="Only torch compiles what it runs"):
        Extractor(compiled=True)
    with pytest.raises(BackendError, match="for device='cuda' ask for backend='torch'"):
        Extractor(backend="onnx", device="cuda")
    opened = inspect.signature(Extractor).parameters
    named = inspect.signature(Extractor.from_pretrained).parameters
    assert [*opened.values()] == [named[name] for name in opened]


def test_relations_and_records_by_the_exact_solver(model: Extractor) -> None:
    rules = {"runs": {"max_tails": 1}}
    for solver in ("greedy", "exact"):
        doc = model.extract(TEXT, {"relations": rules}, solver=solver)
        assert model.relations(TEXT, rules, solver=solver) == doc.relations


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"overlap": "longest"}, "overlap 'longest' is not known; all, nested, label, flat are."),
        ({"on_long": "split"}, "on_long 'split' is not known; window, error, truncate are."),
        ({"threshold": 1.5}, "The threshold must be a number from 0 to 1, but 1.5 was given."),
        ({"threshold": "0.5"}, "The threshold must be a number from 0 to 1, but '0.5' was given."),
        ({"threshold": {"person": -1}}, "The threshold of 'person' must be a number from 0 to 1"),
        ({"threshold": {"animal": 0.5}}, "A threshold was given for 'animal', which is neither"),
    ],
)
def test_wrong_options(model: Extractor, options: dict[str, Any], said: str) -> None:
    assert refused(lambda: model.extract(TEXT, LABELS, **options)).startswith(said)
    assert refused(lambda: model.extract([], LABELS, **options)).startswith(said)
    assert refused(lambda: model.stream([], LABELS, **options)).startswith(said)  # at once


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({"entities": ["x y " * 2500]}, {}),
        ({"relations": ["x y " * 2500]}, {}),
        ({"structures": {"x y " * 2500: {"fields": ["a"]}}}, {}),
        ({"classifications": [{"task": "t", "labels": ["a", "x y " * 2500]}]}, {}),
        (LABELS, {"threshold": {"x" * 5000: 0.5}}),
        (LABELS, {"threshold": {"person": "x" * 5000}}),
        (LABELS, {"threshold": "x" * 5000}),
        (LABELS, {"overlap": "x" * 5000}),
        (LABELS, {"on_long": "x" * 5000}),
        (LABELS, {"solver": "x" * 5000}),
    ],
)
def test_a_long_value_is_not_repeated_whole(
    model: Extractor, asked: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(OnepassError) as caught:
        model.extract(TEXT, asked, **options)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "schema",
    [Schema(), {}, {"entities": []}, None, ["person"], "person", 3, {"entites": ["person"]}],
)
def test_a_schema_that_cannot_be_asked(model: Extractor, schema: Any) -> None:
    refused(lambda: model.extract(TEXT, schema), SchemaError)
    refused(lambda: model.stream([], schema), SchemaError)


@pytest.mark.parametrize("labels", [[], [""], ["person", "person"], [3]])
def test_labels_that_cannot_be_asked(model: Extractor, labels: Any) -> None:
    refused(lambda: model.entities(TEXT, labels), SchemaError)
    refused(lambda: model.classify(TEXT, labels), SchemaError)
    refused(lambda: model.relations(TEXT, labels), SchemaError)


def test_a_text_too_long(model: Extractor) -> None:
    texts = iter(["tim", "tim " * 600, "cook"])
    docs = model.stream(texts, LABELS, on_long="error")
    assert next(docs).text == "tim"
    said = refused(lambda: next(docs), TextTooLong)
    assert said.startswith("Text 2 has 600 pieces, but ")


# -- without torch -------------------------------------------------------------------------------

BLOCKED = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "onnx"):
            raise ModuleNotFoundError(f"{name} is blocked by the test", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def expected(model: Extractor) -> dict[str, Any]:
    return model.extract(TEXT, EVERYTHING, threshold=0.45).to_dict()


def test_all_four_tasks_without_torch(directory: Path, expected: dict[str, Any]) -> None:
    script = f"""
import json
from onepass import Extractor, Schema

schema = Schema.from_dict({EVERYTHING.to_dict()!r})
model = Extractor.from_pretrained({str(directory)!r})
print(json.dumps(model.extract({TEXT!r}, schema, threshold=0.45).to_dict()))
assert not {{"torch", "transformers", "onnx"}} & set(sys.modules)
"""
    command = [sys.executable, "-c", BLOCKED + script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected
    assert expected["entities"]
    assert expected["records"]["product"]
    assert expected["classifications"]["tone"]["labels"]


def test_words_that_are_not_read_whole_are_said() -> None:
    short, long = "Tim " + "a" * 90, "Tim " + "a" * 500
    builtin = Extractor(threads=1)
    assert builtin.extract(short, LABELS).coverage.chars_read == len(short)
    read = builtin.extract(long, LABELS).coverage
    assert (read.chars_read, read.truncated) == (4, True)  # one unknown piece, whatever is in it
    said = refused(lambda: builtin.extract(long, LABELS, on_long="error"), TextTooLong)
    assert said == (
        "The text has words that are too long to be read whole (500 characters in all); break "
        "them with blanks, or read all but them with on_long='window'."
    )


# -- in other processes --------------------------------------------------------------------------


def test_a_pickle_is_opened_anew_as_the_model_was(directory: Path) -> None:
    # Arrange
    model = Extractor.from_pretrained(directory, backend="torch", token="secret")
    expected = model.extract(TEXT, EVERYTHING, threshold=0.45).to_dict()

    # Act
    pickled = pickle.dumps(model)
    same = pickle.loads(pickled)

    # Assert
    assert b"secret" not in pickled
    assert len(pickled) < 1000
    assert repr(same) == repr(model)
    assert same.extract(TEXT, EVERYTHING, threshold=0.45).to_dict() == expected


def test_a_copy_stays_uncalibrated() -> None:
    model = Extractor(threads=1).uncalibrated()
    expected = model.extract(TEXT, LABELS, threshold=0.1).to_dict()
    assert copy.deepcopy(model).extract(TEXT, LABELS, threshold=0.1).to_dict() == expected


def test_a_model_goes_to_another_process(directory: Path) -> None:
    model = Extractor.from_pretrained(directory, threads=1)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(model.extract, TEXT, EVERYTHING, threshold=0.45).result()
    assert found.to_dict() == model.extract(TEXT, EVERYTHING, threshold=0.45).to_dict()


# -- what was read -------------------------------------------------------------------------------


def test_a_link_that_is_cut_and_given_up_stops_no_other_text() -> None:
    query = "&".join(f"utm_{i}=a{i}b{i * 7}" for i in range(60))
    link = f"https://shop.example.com/r?{query}&token={'aZ9' * 50}"
    docs = Extractor(threads=1).extract(["Tim Cook left.", link], LABELS)
    assert docs[0].coverage.chars_read == 14
    assert (docs[1].coverage.chars_read, docs[1].coverage.truncated) == (0, True)


def test_words_behind_the_cut_were_not_read_and_are_not_subtracted() -> None:
    model, text = Extractor(threads=1), "x " * 3000
    plain = model.extract(text, LABELS, on_long="truncate").coverage
    longer = model.extract(text + "a" * 600, LABELS, on_long="truncate").coverage
    assert plain.chars_read == longer.chars_read


@pytest.mark.parametrize("text", ["", "  \n"])
def test_choices_are_not_made_of_nothing(text: str) -> None:
    schema = Schema().structure("product", ["name::str", "size::[small|medium]"])
    assert Extractor(threads=1).extract(text, schema, threshold=0.01).records == {"product": ()}


UNSEEN = "\u200b", "\ufeff\u200b", "\u2060\u200e"


def without(unseen: str, doc: Extraction) -> Extraction:
    """Return the extraction that the text would have without what cannot be seen."""

    def clear(found: Any) -> Any:
        if isinstance(found, dict):
            own = {key: clear(value) for key, value in found.items()}
            for place in own.keys() & {"start", "end", "chars", "chars_read"}:
                own[place] = len(doc.text[: own[place]].replace(unseen, ""))
            return own
        if isinstance(found, list):
            return [clear(one) for one in found]
        return found.replace(unseen, "") if isinstance(found, str) else found

    return Extraction.from_dict(clear(doc.to_dict()))


@pytest.mark.parametrize("unseen", UNSEEN)
def test_what_cannot_be_seen_changes_nothing(unseen: str) -> None:
    hidden = f"{unseen}Tim {unseen} Cook runs {unseen}Apple{unseen} in Paris. " + (
        f"Ann {f' {unseen}' * 12}Lee works for Acme.{unseen}"
    )
    schema = (
        Schema()
        .entities(["person", "company", "city"])
        .relations(["works for"])
        .structure("job", ["person::str", "company::str"])
        .classification("topic", ["work", "sports"])
    )
    model = Extractor()
    doc = model.extract(hidden, schema, threshold=0.3)
    plain = model.extract(hidden.replace(unseen, ""), schema, threshold=0.3)  # with all its spaces
    assert len(plain.entities) > 3
    assert plain.records["job"]
    assert plain.relations
    assert all(entity.text.strip(unseen) == entity.text for entity in doc.entities)
    assert without(unseen, doc) == plain


@pytest.mark.parametrize("unseen", UNSEEN)
def test_a_text_in_which_nothing_can_be_seen_is_empty(unseen: str) -> None:
    doc = Extractor().extract(f"{unseen} {unseen}", {"entities": ["person"]}, threshold=0.0)
    assert doc.entities == ()
    assert doc.coverage.chars_read == len(doc.text)


@pytest.mark.parametrize("name", _ELSEWHERE)
def test_a_method_of_another_library_says_what_it_is_here(name: str) -> None:
    assert not hasattr(Extractor, name)
    with pytest.raises(AttributeError, match=rf"^{name} of other libraries is .* here\.$"):
        getattr(Extractor(), name)
    here = _ELSEWHERE[name].partition("(")[0]
    owner = onepass if here.startswith("onepass.") else Extractor
    assert callable(getattr(owner, here.removeprefix("onepass.")))


def test_what_nobody_has_is_told_as_ever() -> None:
    with pytest.raises(AttributeError, match="'Extractor' object has no attribute 'entity'"):
        getattr(Extractor(), "entity")  # noqa: B009
