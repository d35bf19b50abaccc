"""``onepass data`` from files to what it says about them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.corpus.jsonl import read_examples, write_examples

Onepass = Callable[..., Any]
LONG = " ".join(f"word{number}" for number in range(40))


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    task = GoldTask("tone", ("calm", "angry"), ("calm",))
    examples = [
        Example("a big dog", (Mention(2, 9, "dog"),), ("dog", "cat"), classifications=(task,)),
        Example(LONG, (Mention(0, 5, "dog"),), ("dog",)),
    ]
    write_examples(path, examples)
    return path


def test_stats(onepass: Onepass, gold: Path):
    done = onepass("data", "stats", str(gold))
    assert (done.code, done.err) == (0, "")
    assert "  texts            2\n" in done.out
    assert "  dog  2\n  cat  0\n" in done.out
    report = json.loads(onepass("data", "stats", str(gold), "-f", "json").out)
    assert report["entities"] == {"dog": 2, "cat": 0}
    assert report["mention_words"] == {"1": 1, "2": 1}
    assert report["classifications"] == {"tone": {"calm": 1, "angry": 0}}


def test_validate_says_all_that_is_wrong(onepass: Onepass, gold: Path):
    rows = [
        {"text": "a dog", "entities": [{"start": 2, "end": 9, "label": "dog"}]},
        {"text": "A  big DOG", "asked": ["bird"]},
        {"text": "a big dog", "asked": ["dog"]},
        {"text": "alone"},
    ]
    with gold.open("a") as file:
        file.write("not json\n" + "".join(json.dumps(row) + "\n" for row in rows))
    done = onepass("data", "validate", str(gold))
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("error: ")
    assert "line 3: not valid JSON" in lines[0]
    assert "line 4" in lines[1]
    assert [line.split(":")[0] for line in lines[2:-1]] == ["duplicate", "conflict", "nothing"]
    assert lines[-1] == ("5 texts read: 2 errors, 1 duplicate, 1 conflict, 1 unannotated text.")
    report = json.loads(onepass("data", "validate", str(gold), "-f", "json").out)
    assert [p["place"] for p in report["problems"]] == [f"line {n}" for n in range(3, 8)]


def test_validate_finds_leaks(onepass: Onepass, gold: Path, tmp_path: Path):
    dev = tmp_path / "dev.jsonl"
    part = " ".join(LONG.split()[10:30])
    write_examples(dev, [Example(f"Before: {part} and after", asked=("dog",))])
    train = tmp_path / "train.jsonl"
    write_examples(train, [Example(part, asked=("dog",)), Example("short", asked=("dog",))])
    done = onepass("data", "validate", str(train), "--against", str(dev))
    assert done.code == 1
    assert done.out.splitlines()[0].startswith(f"leak: {train}, line 1: ")
    assert done.out.splitlines()[-1] == "2 texts read: 1 leak."
    assert onepass("data", "validate", str(gold)).out == "2 texts read: no problems.\n"


def test_validate_caps_the_lines_of_a_kind(onepass: Onepass, tmp_path: Path):
    path = tmp_path / "same.jsonl"
    write_examples(path, [Example("a dog", asked=("dog",))] * 1000 + [Example("a cat")])
    done = onepass("data", "validate", str(path))
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line.split(":")[0] for line in lines[:-2]] == ["duplicate"] * 20 + ["nothing"]
    assert lines[-2:] == [
        "duplicate: ... and 979 more (--format json lists all)",
        "1,001 texts read: 999 duplicates, 1 unannotated text.",
    ]
    report = json.loads(onepass("data", "validate", str(path), "-f", "json").out)
    assert len(report["problems"]) == 1000


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", "\n"), ("a.json", "[]")])
def test_validate_refuses_a_file_without_a_text(
    onepass: Onepass, gold: Path, tmp_path: Path, name: str, content: str
):
    path = tmp_path / name
    path.write_text(content)
    done = onepass("data", "validate", str(gold), str(path))
    assert (done.code, done.out.splitlines()) == (
        1,
        [
            f"error: {path} holds no text; give annotated ones, or leave it out.",
            "2 texts read: 1 error.",
        ],
    )


def test_one_is_singular(onepass: Onepass, tmp_path: Path):
    path = tmp_path / "one.jsonl"
    write_examples(path, [Example("a dog", asked=("dog",))])
    assert onepass("data", "validate", str(path)).out == "1 text read: no problems.\n"
    out = tmp_path / "out.jsonl"
    done = onepass("data", "convert", str(path), "-o", str(out))
    assert done.err == f"1 example is in {out}\n"


def test_convert(onepass: Onepass, gold: Path, tmp_path: Path):
    columns = tmp_path / "train.conll"
    columns.write_text("Ann B-person\nran O\n")
    out = tmp_path / "all.jsonl.gz"
    done = onepass("data", "convert", str(columns), str(gold), "-o", str(out))
    assert (done.code, done.out) == (0, "")
    assert done.err == f"3 examples are in {out}\n"
    assert gzip.decompress(out.read_bytes()).count(b"\n") == 3
    assert [example.text[:3] for example in read_examples(out)] == ["Ann", "a b", "wor"]


def test_convert_a_table(onepass: Onepass, tmp_path: Path):
    table, out = tmp_path / "a.csv", tmp_path / "out.jsonl"
    table.write_text("text,label\na dog,animal\n")
    assert onepass("data", "convert", str(table), "-o", str(out)).code == 0
    (example,) = read_examples(out)
    assert example.classifications == (GoldTask("class", ("animal",), ("animal",)),)
    table.write_text("text,label\na, dog,animal\n")
    done = onepass("data", "convert", str(table), "-o", str(out))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert f"{table}, line 2: the row has 3 cells" in done.err


@pytest.mark.parametrize("command", [("convert", "GOLD"), ("synthesize", "1")])
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.tsv.gz"])
def test_what_is_written_must_be_what_the_name_says(
    onepass: Onepass, gold: Path, tmp_path: Path, command: tuple[str, str], name: str
):
    pytest.importorskip("faker")
    given = str(gold) if command[1] == "GOLD" else command[1]
    done = onepass("data", command[0], given, "-o", str(tmp_path / name))
    assert (done.code, done.out, (tmp_path / name).exists()) == (2, "", False)
    assert "but JSON is written; give a name in .jsonl or .jsonl.gz" in done.err


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_name_in_json_gets_one_list(onepass: Onepass, tmp_path: Path, count: int):
    source, out = tmp_path / "a.json", tmp_path / "out.json"
    source.write_text(json.dumps([{"text": "Bo", "asked": ["dog"]}] * count))
    assert onepass("data", "convert", str(source), "-o", str(out)).code == 0
    assert json.loads(out.read_text()) == json.loads(source.read_text())


def test_tasks_that_nobody_annotated_are_counted(onepass: Onepass, tmp_path: Path):
    source = tmp_path / "studio.json"
    value = {"start": 0, "end": 2, "labels": ["dog"]}
    done_task = {
        "data": {"text": "Bo"},
        "annotations": [{"result": [{"type": "labels", "value": value}]}],
    }
    cancelled = {"data": {"text": "Al"}, "annotations": [{"was_cancelled": True, "result": []}]}
    source.write_text(json.dumps([done_task, cancelled, {**cancelled, "annotations": []}]))
    told = (
        f"{source}: 2 rows are left out: not annotated, or only with an annotation that was "
        "cancelled.\n"
    )
    out = str(tmp_path / "out.jsonl")
    assert told in onepass("data", "convert", str(source), "-o", out).err
    assert onepass("data", "stats", str(source)).err == told
    done = onepass("data", "validate", str(source))
    assert (done.code, done.err) == (0, told)


def test_a_hyphen_is_standard_output(
    onepass: Onepass, gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    done = onepass("data", "convert", "gold.jsonl", "-o", "-")
    assert (done.code, done.out) == (0, gold.read_text(encoding="utf-8"))
    assert done.err == "2 examples are on standard output\n"
    made = onepass("data", "synthesize", "1", "-o", "-")
    assert made.code == 0
    assert json.loads(made.out)["text"]
    assert [path.name for path in tmp_path.iterdir()] == ["gold.jsonl"]


@pytest.mark.parametrize("arguments", [("convert", "gold.jsonl"), ("synthesize", "1")])
def test_a_directory_is_no_file_to_write(
    onepass: Onepass, gold: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
):
    monkeypatch.chdir(gold.parent)
    done = onepass("data", *arguments, "-o", "out/")
    assert done.code == 2
    assert "'out/' is the name of a directory" in done.err
    assert not (gold.parent / "out").exists()


def test_convert_does_not_read_what_it_writes(onepass: Onepass, gold: Path):
    before = gold.read_bytes()
    for source in (gold, gold.parent):
        done = onepass("data", "convert", str(source), "-o", str(gold))
        assert (done.code, gold.read_bytes()) == (2, before)
        assert done.err == f"onepass: The output {gold} is the data, too; give it another name.\n"


def test_a_pipe_is_refused_in_one_sentence(onepass: Onepass):
    done = onepass("data", "stats", "/dev/null")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "onepass: /dev/null is a pipe or a device, which cannot be read more than once; write what "
        "it gives to a file, and give that.\n"
    )


def test_the_same_seed_gives_the_same_texts_in_every_process():
    pytest.importorskip("faker")
    made = set()
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "onepass", "data", "synthesize", "400", "--seed", "3"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        made.add(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
    assert len(made) == 1


def test_synthesize(onepass: Onepass, tmp_path: Path):
    pytest.importorskip("faker")
    out = tmp_path / "made.jsonl"
    assert onepass("data", "synthesize", "3", "--seed", "4", "-o", str(out)).code == 0
    assert len(list(read_examples(out))) == 3
    again = onepass("data", "synthesize", "3", "--seed", "4").out
    assert again == out.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stats", "nowhere"), "There is no file or directory nowhere"),
        (("validate", "nowhere"), "There is no file or directory nowhere"),
        (("convert", "nowhere", "-o", "x.jsonl"), "There is no file or directory nowhere"),
        (("synthesize", "0"), "greater than or equal to 1"),
    ],
)
def test_bad_input(onepass: Onepass, arguments, message):
    done = onepass("data", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_page_is_refused(onepass: Onepass, gold: Path):
    done = onepass("data", "stats", str(gold), "-f", "html")
    assert done.code == 2
    assert "'html' is not one of 'table', 'json'" in done.err


def test_no_command_is_one_sentence(onepass: Onepass):
    done = onepass("data")
    assert (done.code, done.err) == (2, "onepass: Missing command (see  onepass data --help)\n")


def test_a_byte_that_is_not_utf8_spoils_its_own_line(onepass: Onepass, tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\n{"text": "\xff"}\n{"text": "b"}\n{oops\n')
    done = onepass("data", "validate", str(path))
    assert done.code == 1
    assert "a.jsonl, line 2: not UTF-8 (byte 0xff); convert the file" in done.out
    assert "a.jsonl, line 4: not valid JSON" in done.out
    assert "2 texts read" in done.out


def test_what_a_directory_has_beside_its_rows_is_said(onepass: Onepass, gold: Path):
    (gold.parent / "more.conll").write_text("Bo B-dog\n")
    (gold.parent / "gold.labels.json").write_text("{}")
    done = onepass("data", "stats", str(gold.parent))
    assert "  texts            2\n" in done.out
    assert done.err == (
        f"{gold.parent / 'more.conll'} is left out: its directory has files that are read before "
        "it. To read it, name it.\n"
    )


def test_convert_to_the_format_of_gliner(onepass: Onepass, gold: Path, tmp_path: Path):
    out = tmp_path / "out" / "g.jsonl"
    out.parent.mkdir()
    done = onepass("data", "convert", str(gold), "--to", "gliner", "-o", str(out))
    assert (done.code, list(out.parent.iterdir())) == (2, [])
    assert "Example 1 cannot be written: GLiNER's format holds entities and relations" in done.err
    write_examples(gold, [Example("a big dog", (Mention(2, 9, "dog"),), ("dog",))])
    assert onepass("data", "convert", str(gold), "--to", "gliner", "-o", str(out)).code == 0
    assert json.loads(out.read_text())["ner"] == [[1, 2, "dog"]]


def test_what_the_format_of_gliner_loses_is_said_once(onepass: Onepass, gold: Path, tmp_path: Path):
    told = Example("a dog", asked=("dog",), descriptions={"dog": "it barks"}, unsure=("cat",))
    write_examples(gold, [told, told, Example("Bo", asked=("dog",))])
    out = tmp_path / "g.json"
    done = onepass("data", "convert", str(gold), "--to", "gliner", "-o", str(out))
    assert done.err == (
        "GLiNER's format has no place for descriptions of labels of 2 examples, unsure labels of "
        f"2 examples; they are left out.\n3 examples are in {out}\n"
    )
    assert "left out" not in onepass("data", "convert", str(gold), "-o", str(out)).err
