"""Files of any bytes: rows, bad rows or one sentence, never anything else."""

import gzip
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onepass.batch.columns import find_columns
from onepass.batch.reading import read_chunks
from onepass.batch.rows import BadRow, Row
from onepass.batch.sources import find_sources
from onepass.errors import InputError

pytest.importorskip("pyarrow")

PIECES = st.sampled_from(
    [b'{"text": "a"}', b'{"text":', b'"', b",", b"\n", b"\r", b"\t", b"text", b"\xff", b"\0",
     b"[1]", b"\xef\xbb\xbf", b"\xff\xfe", b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"1e999",
     b"\\ud83d"]
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=12).map(b"".join))
NAMES = ["a.jsonl", "a.csv", "a.tsv", "a.txt", "a.parquet", "a.jsonl.gz", "a.csv.zst", "a.txt.gz"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=BYTES, whole=st.booleans())
def test_any_bytes(tmp_path: Path, name: str, content: bytes, whole: bool):
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if whole and name.endswith(".gz") else content)
    for unit in ("line", "file"):
        sources = find_sources(path, text_unit=unit)
        with suppress(InputError):
            for chunk in read_chunks(sources, "text"):
                assert all(isinstance(row, Row | BadRow) for row in chunk.rows)
        with suppress(InputError):
            assert "error" not in find_columns(sources, "text")
