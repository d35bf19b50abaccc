"""What Spark calls, called with frames as Spark hands them over."""

import json
import pickle

import pytest

from onepass.errors import InputError, SchemaError
from onepass.integrations.spark import COLUMNS, extract_frames

pandas = pytest.importorskip("pandas")


def test_frames_keep_their_columns_and_rows():
    read = pickle.loads(pickle.dumps(extract_frames({"entities": ["city"]}, text_field="body")))
    frames = [
        pandas.DataFrame({"id": [1, 2], "body": ["She lives in Warsaw.", None]}, index=[7, 7]),
        pandas.DataFrame({"id": [], "body": []}),
        pandas.DataFrame({"id": [3], "body": [""], "extraction": ["old"]}),
    ]
    first, empty, last = read(iter(frames))
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    assert [*first.columns] == [*empty.columns] == ["id", "body", *names]
    assert json.loads(first.extraction.iloc[0])["entities"][0]["text"] == "Warsaw"
    assert first.error.tolist() == [None, "the text must be a string"]
    assert (len(empty), last.id.tolist()) == (0, [3])
    assert json.loads(last.extraction.iloc[0])["text"] == ""


def test_frames_are_read_as_they_are_taken():
    taken = []

    def frames():
        for number in range(5):
            taken.append(number)
            yield pandas.DataFrame({"text": ["Bern"]})

    next(extract_frames({"entities": ["city"]})(frames()))
    assert taken == [0]


def test_all_executors_run_what_auto_is_here():
    read = extract_frames({"entities": ["city"]})
    assert "auto" not in (read.model.backend, read.model.precision)


def test_what_is_refused():
    with pytest.raises(InputError, match="overlap 'bogus' is not known"):
        extract_frames({"entities": ["city"]}, overlap="bogus")
    with pytest.raises(InputError, match="solver 'bogus' is not known"):
        extract_frames({"entities": ["city"]}, solver="bogus")
    with pytest.raises(SchemaError):
        extract_frames({})
    read = extract_frames({"entities": ["city"]})
    with pytest.raises(InputError, match=r"no column 'text' \(the columns are 'body'\)"):
        next(read(iter([pandas.DataFrame({"body": ["a"]})])))


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (["text", "text"], "'text', 'text'"),
        (pandas.MultiIndex.from_tuples([("text", "a"), ("text", "b")]), "'a', 'b'"),
    ],
)
def test_columns_of_one_name_are_not_read_as_texts(columns, shown):
    frame = pandas.DataFrame([["in Bern", "in Rome"]] * 2, columns=columns)
    with pytest.raises(InputError, match=f"must be one column of texts, .* table of {shown};"):
        next(extract_frames({"entities": ["city"]})(iter([frame])))
