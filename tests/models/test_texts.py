"""How many texts are read together, whatever reads them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest

from onepass import Extractor
from onepass.batch.answering import Request, column_answers
from onepass.errors import InputError, TextTooLong
from onepass.models import texts as module
from onepass.models.reader import Planned, Reader
from onepass.models.texts import checked_texts, read_all
from onepass.results.types import Extraction
from onepass.schema import read_schema

SCHEMA = {"entities": ["person"]}


class Noting:
    """A reader that notes how many texts it was given at a time."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    def read(self, texts: list[str], asked: object, first: int) -> list[str]:
        if "long" in texts:
            raise TextTooLong("It is long.", first + texts.index("long"))
        self.groups.append(len(texts))
        return list(texts)


def taken(texts: Any, *, all_there: bool) -> tuple[list[int], list[Any]]:
    reader, asked = Noting(), cast("Any", None)
    return reader.groups, list(
        read_all(cast("Any", reader), texts, asked, None, all_there=all_there)
    )


def test_texts_that_are_all_there_are_read_as_many_together_as_are_read_well() -> None:
    texts = [str(number) for number in range(600)]
    assert taken(iter(texts), all_there=True) == ([256, 256, 88], texts)


def test_texts_that_come_are_read_in_groups_that_grow() -> None:
    texts = [str(number) for number in range(700)]
    assert taken(iter(texts), all_there=False) == ([1, 4, 16, 64, 256, 256, 103], texts)


def test_nobody_waits_for_the_second_text_to_have_the_first() -> None:
    given = []

    def texts() -> Iterator[str]:
        for number in range(9):
            given.append(number)
            yield str(number)

    reader: Any = Noting()
    asked: Any = None
    answers: Any = read_all(reader, texts(), asked, None, all_there=False)
    assert (next(answers), given) == ("0", [0])
    assert (next(answers), given) == ("1", [0, 1, 2, 3, 4])


@pytest.mark.parametrize("all_there", [True, False])
def test_long_texts_are_read_in_small_groups(
    all_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHARS", 10)
    groups, found = taken(["x" * 4] * 9, all_there=all_there)
    assert len(found) == 9
    assert max(groups) == 3
    assert taken([], all_there=all_there) == ([], [])


def broken(texts: list[str]) -> Iterator[str]:
    yield from texts
    raise OSError("disk")


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (lambda: broken(["x"] * 25), OSError),
        (lambda: checked_texts(["x"] * 25 + [cast("Any", None), "y"]), InputError),
        (lambda: ["x"] * 25 + ["long", "y"], TextTooLong),
    ],
)
@pytest.mark.parametrize("all_there", [True, False])
def test_what_comes_before_an_error_is_read(
    source: Callable[[], Any], error: type[Exception], all_there: bool
) -> None:
    reader: Any = Noting()
    docs: Any = read_all(reader, source(), cast("Any", None), None, all_there=all_there)
    found: list[str] = []
    with pytest.raises(error):
        found.extend(iter(docs))
    assert found == ["x"] * 25


def test_a_long_text_among_several_is_named(model: Extractor) -> None:
    long = "tim " * 600
    for texts, name in (([long], "The text"), (["tim", "tim", long, "tim"], "Text 3")):
        with pytest.raises(TextTooLong, match=f"^{name} has 600 pieces, but ") as refused:
            model.extract(texts, SCHEMA, on_long="error")
        copy = pickle.loads(pickle.dumps(refused.value))
        assert copy.number == refused.value.number == (None if name == "The text" else 3)


class Table:
    """Loops over the names of its columns, as tables of pandas do."""

    @property
    def columns(self) -> list[str]:
        return ["body"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __repr__(self) -> str:
        return "body\n  Ann left."


def test_a_table_is_no_list_of_texts(model: Extractor) -> None:
    for read in (model.extract, model.stream):
        given: Any = Table()
        with pytest.raises(InputError) as refused:
            read(given, SCHEMA)
        assert str(refused.value) == (
            "The text must be a string or a list of strings, but a table (Table) was given; give "
            "one column of it, as in df['body']."
        )


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_tables_of_libraries_are_refused_and_their_columns_read(name: str) -> None:
    library = pytest.importorskip(name)
    table = library.DataFrame({"body": ["Ann left.", "Bo too."]})
    with pytest.raises(InputError, match="a table \\(DataFrame\\) was given"):
        checked_texts(table)
    assert list(checked_texts(table["body"])) == ["Ann left.", "Bo too."]


class Corpus:
    """Texts that have columns, of which a loop gives the cells of one."""

    columns: Sequence[str] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(("body", "Ann left."))

    def __getitem__(self, number: int) -> str:
        return list(self)[number]


class Lines:
    """Texts that can be read once."""

    column_names = ("body",)

    def __init__(self) -> None:
        self._left = iter(("body",))

    def __iter__(self) -> Iterator[str]:
        return self._left


class Rows(Corpus):
    """A loop gives rows, as data sets of Hugging Face do, whatever is known of their columns."""

    def __iter__(self) -> Iterator[Any]:
        return iter(({"body": "Ann left."},))


class Streamed(Rows):
    columns = ("body",)


@pytest.mark.parametrize("columns", [None, (), ("body",), ["body", "author"], 2])
def test_texts_that_have_columns_are_read(columns: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Corpus, "columns", columns)
    assert list(checked_texts(Corpus())) == ["body", "Ann left."]


def test_nothing_is_taken_from_what_is_read_once() -> None:
    assert list(checked_texts(Lines())) == ["body"]


@pytest.mark.parametrize("given", [Rows(), Streamed()])
def test_rows_with_columns_are_a_table(given: Any) -> None:
    with pytest.raises(InputError, match=r"a table \((Rows|Streamed)\) was given"):
        checked_texts(given)


class Cell:
    """An array without dimensions, as `numpy.array("Oslo")`: a loop over it is an error."""

    def __iter__(self) -> Iterator[str]:
        raise TypeError("iteration over a 0-d array")


def test_an_array_without_dimensions_is_no_list_of_texts() -> None:
    with pytest.raises(InputError, match="a string or a list of strings, but a Cell was given"):
        checked_texts(Cell())


def test_what_is_no_text_is_named_on_one_line() -> None:
    given: Any = ["Ann left.", Table()]
    with pytest.raises(InputError) as refused:
        list(checked_texts(given))
    assert str(refused.value) == "Text 2 must be a string, but body Ann left. (Table) was given."


TEXTS = ["Ann left."] * 300


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor(threads=1)


@pytest.fixture
def groups(model: Extractor, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts a reader is given at a time, once its model is open."""
    given: list[int] = []

    def read(
        self: Reader, texts: Sequence[str], asked: Planned, first: int | None = None
    ) -> list[Extraction]:
        given.append(len(texts))
        return [Extraction(text) for text in texts]

    monkeypatch.setattr(Reader, "read", read)
    return given


@pytest.mark.parametrize(
    ("come", "read"), [(list, [256, 44]), (tuple, [256, 44]), (iter, [1, 4, 16, 64, 215])]
)
def test_a_list_is_all_there_for_whoever_asks(
    model: Extractor, come: Any, read: list[int], groups: list[int]
) -> None:
    assert len(list(model.stream(come(TEXTS), SCHEMA))) == len(TEXTS)
    assert groups == read


def test_rows_of_files_are_all_there(model: Extractor, groups: list[int]) -> None:
    column_answers(model, Request(read_schema(SCHEMA)), TEXTS)
    assert groups == [256, 44]
