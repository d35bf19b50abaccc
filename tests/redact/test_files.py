"""Redaction of files from Python: the rows of any files, in order, and how many failed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from onepass import Extractor
from onepass.batch import Counts, Job, Watch
from onepass.builtin import builtin_checkpoint
from onepass.errors import InputError
from onepass.redact import Options, RedactJob, Report, redact_files, redact_stream
from onepass.redact.files import redacted_rows

PEOPLE = Options(labels=["email"], action="pseudonym")


@pytest.fixture(scope="module")
def model() -> Extractor:
    return Extractor()


@pytest.fixture
def mails(tmp_path: Path) -> list[Path]:
    (tmp_path / "a.jsonl").write_text('{"text": "a@b.org, c@d.org"}\nno json\n')
    (tmp_path / "b.txt").write_text("c@d.org\nnobody\n")
    return [tmp_path / "a.jsonl", tmp_path / "b.txt"]


def test_files_to_a_file(model: Extractor, mails: list[Path], tmp_path: Path) -> None:
    report, failures, states = Report(), list[str](), list[Counts]()
    job = RedactJob(input=mails, output=tmp_path / "clean.jsonl", options=PEOPLE)
    watch = Watch(states.append, lambda place, error: failures.append(place))
    counts = redact_files(job, report=report, watch=watch, load=lambda: model)
    assert (counts.rows, counts.failed) == (4, 1)
    assert states[-1].rows == 4
    assert failures == [f"{mails[0]}, row 2"]
    rows = [json.loads(line) for line in (tmp_path / "clean.jsonl").read_text().splitlines()]
    assert [row.get("text") for row in rows] == ["[email 1], [email 2]", None, "[email 2]",
                                                "nobody"]  # fmt: skip
    assert report.to_dict()["found"]["email"]["count"] == 3


def test_lines_as_they_come(model: Extractor, mails: list[Path], tmp_path: Path) -> None:
    lines: list[str] = []
    job = RedactJob(input=mails[1], output="-", options=PEOPLE)
    counts = redact_stream(job, lines.append, load=lambda: model)
    assert (counts.rows, counts.failed) == (2, 0)
    assert json.loads("".join(lines).splitlines()[0])["text"] == "[email 1]"


def test_numbers_stay_apart_from_those_of_all_files(model: Extractor, mails: list[Path]) -> None:
    with mails[1].open("a") as file:
        file.write("[email 1]\n")
    job = RedactJob(input=mails, output="-", options=PEOPLE)
    lines: list[str] = []
    redact_stream(job, lines.append, load=lambda: model)
    assert json.loads("".join(lines).splitlines()[0])["text"] == "[email 2], [email 3]"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"output": "clean.csv"}, "ends in .csv"),
        ({"format": "csv"}, "the format 'csv' was given"),
        ({"output": 3}, "output must be a path"),
    ],
)
def test_jobs_that_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RedactJob(**{"input": "a.jsonl", "output": "b.jsonl", **given})  # type: ignore[arg-type]


def test_fields_that_cannot_hold_the_text(mails: list[Path]) -> None:
    job = RedactJob(input=mails[1], output="b.jsonl", text_field="body")
    with pytest.raises(InputError, match="Text files have no fields"):
        job.sources()
    with pytest.raises(InputError, match="give that field another name"):
        redact_files(RedactJob(input=mails, output="b.jsonl", text_field="redacted"))


@pytest.mark.parametrize("what", ["lines", "json"])
def test_results_that_somebody_changed_stop_it(
    model: Extractor, mails: list[Path], tmp_path: Path, what: str
) -> None:
    job = RedactJob(input=mails, output=tmp_path / "clean.jsonl", options=PEOPLE, resume=True)
    states = list[Counts]()

    def stop(counts: Counts) -> None:
        states.append(counts)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        redact_files(job, watch=Watch(stop), load=lambda: model)
    [rows] = (tmp_path / "clean.jsonl.job").glob("rows*")
    whole = rows.read_bytes()
    rows.write_bytes(whole.replace(b"\n", b" ") if what == "lines" else b"[" * len(whole))
    with pytest.raises(InputError, match="is not what the job wrote any more"):
        redact_files(job, load=lambda: model)
    rows.write_bytes(whole)
    assert redact_files(job, load=lambda: model).rows == 4


def test_rows_for_a_program(model: Extractor, mails: list[Path]) -> None:
    from onepass.redact import Redacted, Redactor

    job = RedactJob(input=mails, output="-", options=PEOPLE)
    chunks = redacted_rows(Redactor(model, PEOPLE), job.sources(), "text")
    texts = [done.text for rows in chunks for _, done in rows if isinstance(done, Redacted)]
    assert texts == ["[email 1], [email 2]", "[email 2]", "nobody"]


KEYS = b"""{"anna@example.com": 1, "Anna Weiss": 2}
{"text": "a", "Anna Weiss": 1, "Anna Weiss": 2}
{"text": "b", "phone": 2125550100e999}
"""


def test_keys_are_in_no_message_and_no_result(model: Extractor, tmp_path: Path) -> None:
    given, output, failures = tmp_path / "keys.jsonl", tmp_path / "o.jsonl", list[str]()
    given.write_bytes(KEYS)
    watch = Watch(failure=lambda _, error: failures.append(error))
    redact_files(RedactJob(input=given, output=output), watch=watch, load=lambda: model)
    assert failures == [
        "no field 'text' (the number of fields is 2); name it with text_field (--text-field)",
        "not JSON that can be read (a key stands twice in one object)",
        "not JSON that can be read (a number is too large)",
    ]
    assert [json.loads(line)["error"] for line in output.read_text().splitlines()] == failures


def test_the_first_row_of_a_file_without_a_header_is_in_no_message(
    model: Extractor, tmp_path: Path
) -> None:
    given = tmp_path / "people.csv"
    given.write_text("Anna Weiss,anna@example.com\nBo Lund,bo@example.com\n")
    with pytest.raises(InputError, match=r"no column 'text' \(the number of columns is 2\)"):
        redact_files(RedactJob(input=given, output=tmp_path / "o.jsonl"), load=lambda: model)


def test_names_of_columns_of_parquet_are_in_no_message(model: Extractor, tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    given = tmp_path / "people.parquet"
    pq.write_table(pa.table({"Anna": ["a"], "x": [{"Bo": 1}]}), given)
    for field, expected in (("text", "the number of columns is 2"), ("x", "holds nested values")):
        job = RedactJob(input=given, output=tmp_path / "o.jsonl", text_field=field)
        with pytest.raises(InputError, match=expected):
            redact_files(job, load=lambda: model)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input": 3}, "input must be a path or a list of paths"),
        ({"text_field": 3}, "text_field must be a string"),
        ({"text_unit": "word"}, "text_unit is 'line' or 'file'"),
        ({"max_line": 0}, "one byte or more, but max_line is 0"),
        ({"model": "builtin"}, "model must be a ModelChoice"),
    ],
)
def test_fields_of_another_kind_are_refused_by_every_job(
    given: dict[str, object], message: str
) -> None:
    fields = {"input": "a.jsonl", "output": "b.jsonl", **given}
    with pytest.raises(InputError, match=message):
        RedactJob(**fields)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        Job(schema={"entities": ["city"]}, **fields)  # type: ignore[arg-type]


def test_options_of_another_kind_are_refused() -> None:
    with pytest.raises(InputError, match="options must be Options"):
        RedactJob(input="a.jsonl", options={"label": "x"})  # type: ignore[arg-type]


def test_a_stream_needs_no_output_and_a_file_does(model: Extractor, mails: list[Path]) -> None:
    with pytest.raises(InputError, match="take the lines from redact_stream"):
        redact_files(RedactJob(input=mails), load=lambda: model)
    for job in (RedactJob(input=mails), RedactJob(input=mails, output="clean.jsonl.gz")):
        lines: list[str] = []
        redact_stream(job, lines.append, load=lambda: model)
        assert "".join(lines).startswith('{"file": ')


def test_a_wrong_column_is_told_before_a_model_is_loaded(tmp_path: Path) -> None:
    def load() -> Extractor:
        raise AssertionError("the model was loaded")

    given = tmp_path / "a.csv"
    given.write_text("id,body\n1,a@b.org\n")
    with pytest.raises(InputError, match="no column 'text'"):
        redact_files(RedactJob(input=given, output=tmp_path / "o.jsonl"), load=load)


def test_a_text_that_the_tokenizer_fails_on_is_in_no_message_and_no_result(tmp_path: Path) -> None:
    broken = Path(shutil.copytree(builtin_checkpoint().directory, tmp_path / "broken"))
    tokenizer = json.loads((broken / "tokenizer.json").read_text())
    words = [[word, -1.0] for word in tokenizer["model"]["vocab"]]
    tokenizer["model"] = {"type": "Unigram", "unk_id": None, "vocab": words}
    (broken / "tokenizer.json").write_text(json.dumps(tokenizer))
    given, output, failures = tmp_path / "in.jsonl", tmp_path / "o.jsonl", list[str]()
    given.write_text('{"text": "Dear Ko\\ua66eski"}\n{"text": "bo"}\n')
    redact_files(
        RedactJob(input=given, output=output),
        watch=Watch(failure=lambda _, error: failures.append(error)),
        load=lambda: Extractor.from_pretrained(broken, threads=1, backend="onnx"),
    )
    first, second = map(json.loads, output.read_text().splitlines())
    assert [first["error"]] == failures
    assert "tokenizer.json fails on the text" in first["error"]
    assert "eski" not in output.read_text()
    assert "redacted" in second
