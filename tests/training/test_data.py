import json
import random
import re
from collections import Counter

import pytest

from onepass.corpus.rows import read_rows
from onepass.errors import InputError
from onepass.training.data import LineFile, Mixture


def numbered(write, name: str, count: int) -> LineFile:
    return LineFile(write(name, *({"text": f"{name} {i}"} for i in range(count))))


def test_lines_are_read_in_any_order(write):
    file = numbered(write, "a", 3)
    assert len(file) == 3
    assert [file.example(i).text for i in (2, 0, 1)] == ["a 2", "a 0", "a 1"]


def test_blank_lines_and_a_missing_last_line_end_do_not_count(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'\n{"text": "a"}\r\n  \r\n\t\n{"text": "caf\xc3\xa9"}')
    file = LineFile(path)
    assert [file.example(i).text for i in range(len(file))] == ["a", "café"]


def test_a_byte_order_mark_and_long_blank_lines_are_no_rows(tmp_path):
    path = tmp_path / "data.jsonl"
    long = b" " * 40 + b"\t\v\f\r"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\n' + long + b'\n  {"text": "b"}\n' + long)
    file = LineFile(path)
    assert [file.example(i).text for i in range(len(file))] == ["a", "b"]
    assert [file.place(i) for i in range(len(file))] == ["data.jsonl:1", "data.jsonl:3"]
    assert [row["text"] for _, row in read_rows(path)] == ["a", "b"]
    path.write_bytes(b"\xef\xbb\xbf\n" + long)
    with pytest.raises(InputError, match="has no entry to use"):
        LineFile(path)


def test_a_file_that_is_written_anew_while_it_is_read_is_refused(write):
    """What a shorter one no longer has would end the process by a signal."""
    file = numbered(write, "a", 3000)
    assert file.example(2999).text == "a 2999"
    file.path.write_text('{"text": "b"}\n')
    with pytest.raises(InputError, match="was changed while the run reads it; train on a copy"):
        file.example(2999)


def test_entries_can_be_left_out(write):
    path = write("a", *({"text": str(i)} for i in range(5)))
    file = LineFile(path, without=[3, 0])
    assert [file.example(i).text for i in range(len(file))] == ["1", "2", "4"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{}", "line 3: the row needs the key 'text'"),
        (b'{"text": 3}', "line 3: text must be a string"),
        (b'{"text": ', "line 3: not valid JSON"),
        (b'{"text": "\xff"}', "line 3: not UTF-8"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, message):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"text": "a"}\n\n' + line + b"\n")
    with pytest.raises(InputError, match=re.escape(message)):
        LineFile(path).example(1)


@pytest.mark.parametrize(("content", "message"), [(b"", "is empty"), (b"\n \n", "has no entry")])
def test_a_file_without_entries_is_refused(tmp_path, content, message):
    path = tmp_path / "data.jsonl"
    with pytest.raises(InputError, match="There is no file"):
        LineFile(path)
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        LineFile(path)


def test_every_turn_holds_each_example_once_in_a_new_order(write):
    mixture = Mixture({"a": numbered(write, "a", 20)}, None, seed=1)
    texts = [drawn.example.text for drawn in mixture.draw(60, random.Random(0))]
    turns = [texts[:20], texts[20:40], texts[40:]]
    assert all(sorted(turn) == sorted(turns[0]) for turn in turns)
    assert len({tuple(turn) for turn in turns}) == 3


def test_sources_are_drawn_by_weight(write):
    files = {name: numbered(write, name, 10) for name in ("a", "b", "c")}
    mixture = Mixture(files, {"a": 30, "b": 0}, seed=1)
    drawn = Counter(e.example.text[0] for e in mixture.draw(4000, random.Random(0)))
    assert drawn["b"] == 0
    assert drawn["a"] / drawn["c"] == pytest.approx(3, rel=0.15)


def test_a_restored_mixture_goes_on_where_it_was(write):
    files = {name: numbered(write, name, 7) for name in ("a", "b")}
    mixture, again = (Mixture(files, None, seed=3) for _ in range(2))
    rng = random.Random(5)
    mixture.draw(23, rng)
    state = json.loads(json.dumps(mixture.state()))
    position = rng.getstate()
    expected = [e.example.text for e in mixture.draw(30, rng)]
    again.restore(state)
    rng.setstate(position)
    assert [e.example.text for e in again.draw(30, rng)] == expected


def test_another_mixture_is_not_restored(write):
    mixture = Mixture({"a": numbered(write, "a", 2)}, None, seed=0)
    with pytest.raises(InputError, match="drew from 'b', which is not in the data now; give the"):
        mixture.restore({"a": 1, "b": 1})
    with pytest.raises(InputError, match="did not draw from 'a', which is in the data now; give"):
        mixture.restore({"b": 0})
    with pytest.raises(InputError, match="not in the data now, and did not draw from 'a'"):
        mixture.restore({"b": 1})


def test_a_mixture_is_restored_without_a_file_that_was_never_drawn(write):
    mixture = Mixture({"a": numbered(write, "a", 2)}, None, seed=0)
    mixture.restore({"a": 1, "b": 0})  # b had the weight 0
    assert mixture.state() == {"a": 1}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"b": 1}, "weighs 'b', but there is no file"),
        ({"a": -1}, "must not be below 0"),
        ({"a": 0}, "one must be above"),
        ({"a": float("nan")}, "one must be above"),
        ({"a": float("inf")}, "their sum must be finite"),
    ],
)
def test_impossible_weights_are_refused(write, weights, message):
    with pytest.raises(InputError, match=message):
        Mixture({"a": numbered(write, "a", 2)}, weights, seed=0)


def test_no_files_are_refused():
    with pytest.raises(InputError, match="one must be above"):
        Mixture({}, None, seed=0)
