"""Lines of JSONL: what is read can be written again, and the rest has a reason."""

import json
from io import BytesIO

import pytest

from onepass.batch.lines import LongLine, check_first, json_rows, plain_lines
from onepass.batch.rows import BadRow, Row
from onepass.errors import InputError
from onepass.schema.nesting import DEEPEST


def nested(depth: int) -> bytes:
    """Return a row with so many levels in all."""
    return b'{"text": "a", "more": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}\n"


@pytest.mark.parametrize("depth", [DEEPEST + 1, 950, 1100, 100_000])
def test_a_row_that_is_nested_too_deeply_is_bad_and_the_next_is_read(depth: int):
    deep, good = json_rows([nested(depth), b'{"text": "b"}\n'], "text")
    assert deep == BadRow(1, "not JSON that can be read (it is nested on more than 200 levels)")
    assert not isinstance(good, BadRow)


def test_a_row_at_the_limit_is_read_and_can_be_written():
    (row,) = json_rows([nested(DEEPEST)], "text")
    assert not isinstance(row, BadRow)
    assert json.loads(json.dumps(row.values)) == row.values


@pytest.mark.parametrize(
    "row", [b'{"text": "a", "text": "b"}', b'{"text": "a", "n": [{"k": 1, "k": 1}]}']
)
def test_a_key_that_stands_twice_makes_a_bad_row(row: bytes):
    bad, good = json_rows([row, b'{"text": "c"}'], "text")
    assert isinstance(bad, BadRow)
    assert "stands twice in one object" in bad.error
    assert isinstance(good, Row)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'{"text": "a", "n": %b}' % (b"1" * 5000), "a number has too many digits; shorten it"),
        (b'{"text": "a", "n": %b.5e9}' % (b"1" * 5000), "1" * 60 + " is too large"),
        (b'\xef\xbb\xbf{"text": "a"}', "a byte order mark stands before it; take it out"),
    ],
)
def test_a_row_that_python_does_not_read_has_a_reason_of_its_own(row: bytes, reason: str):
    bad, good = json_rows([row, b'{"text": "c"}'], "text")
    assert isinstance(bad, BadRow)
    assert bad.error.endswith(f"({reason})")
    assert isinstance(good, Row)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b'[\n{"text": "a"}\n]', "a JSON list"),
        (b'\n [ {"text": "a"},\n{"text": "b"}]', "a JSON list"),
        (b'[{"text": "' + b"a" * 3000 + b'"}]', "a JSON list"),
        (b'{\n  "text": "a"\n}\n', "JSON over several lines"),
    ],
)
def test_json_that_is_not_one_object_a_line_is_told_by_its_start(start: bytes, what: str):
    with pytest.raises(InputError, match=f"^It is {what}, but JSONL has one object a line; write"):
        check_first(plain_lines(BytesIO(start), "It", 1024), "It")


@pytest.mark.parametrize(
    "start", [b"", b"\n", b'{"text": "a"}\n{\n', b'["a"]\n', b'{"text":\n', b"x\n["]
)
def test_other_first_lines_are_rows_good_or_bad(start: bytes):
    check_first(plain_lines(BytesIO(start), "It", 1024), "It")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
@pytest.mark.parametrize("length", range(5, 14))
def test_a_byte_order_mark_is_no_part_of_the_first_line(mark: bytes, length: int):
    whole = b"x" * (length - 1) + b"\n"
    first, second = plain_lines(BytesIO(mark + whole + b"Tim\n"), "It", 8)
    assert second == b"Tim\n"
    if length <= 8:
        assert first == whole
    else:
        assert isinstance(first, LongLine)


def test_the_pieces_of_a_long_line_are_all_of_it_but_the_mark():
    whole = b"x" * 300 + b"\n"
    lines = plain_lines(BytesIO(b"\xef\xbb\xbf" + whole), "It", 8)
    first = next(lines)
    assert isinstance(first, LongLine)
    assert b"".join(first.pieces) == whole
