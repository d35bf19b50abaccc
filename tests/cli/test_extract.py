"""One text: where it comes from, what is asked, how it is written, what is refused."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepass.batch.job import ModelChoice
from onepass.cli import loading, main
from onepass.cli.file_options import ExtractFormat as Format
from onepass.cli.output import default_format
from onepass.cli.schema_option import schema_asked
from onepass.errors import CheckpointError
from onepass.results.types import Extraction
from onepass.schema import Naming, Schema

Onepass = Callable[..., Any]
SHAPE = {"text", "entities", "classifications", "records", "relations", "coverage"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("command", [("extract", "-e", "x"), ("redact",)])
def test_a_text_that_names_a_file_gets_a_hint(
    onepass: Onepass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
):
    monkeypatch.chdir(tmp_path)
    Path("my mails.jsonl").write_text('{"text": "a"}')
    done = onepass(*command, "my mails.jsonl")
    assert done.code == 0
    assert "is not read; to read what is in it: --input 'my mails.jsonl'\n" in done.err
    for text in ("mails.jsonl", ".", "a" * 5000, "a\0b"):
        assert "--input" not in onepass(*command, text).err
    assert "--input" not in onepass(*command, stdin=b"my mails.jsonl").err


def test_json_is_the_default_outside_a_terminal(onepass: Onepass):
    done = onepass("extract", "hé person", "-e", "person", "-c", "tone=calm,angry", "-s", "x: y")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert set(found) == SHAPE
    assert found["entities"] == [
        {"label": "person", "text": "person", "start": 3, "end": 9, "score": 0.9}
    ]
    assert found["classifications"]["tone"]["labels"] == [{"label": "calm", "score": 0.75}]
    assert found["records"] == {"x": []}
    assert "\n  " in done.out, "for people: indented"


def test_names_of_entities_are_asked_for():
    asked = [], [], [], [], '{"entities": ["place"]}'
    assert schema_asked([], *asked, names=None).naming is None
    assert schema_asked([], *asked, names=()).naming == Naming()
    assert schema_asked([], *asked, names=["city", "river"]).naming == Naming(("city", "river"))


def test_names_without_entities_are_refused(onepass: Onepass):
    for flags in (["--name-entities"], ["--name-choice", "city"]):
        done = onepass("extract", "a person", *flags)
        assert done.code != 0
        assert "names entities but asks for none" in done.err
        assert onepass("extract", "a person", "-e", "person", *flags).code == 0


def test_jsonl_is_one_line_that_can_be_read_back(onepass: Onepass):
    done = onepass("extract", "a\nperson", "-e", "person", "--format", "jsonl")
    assert done.out.count("\n") == 1
    assert Extraction.from_dict(json.loads(done.out)).entities[0].start == 2


def test_table(onepass: Onepass):
    done = onepass("extract", "a person", "-e", "person", "--format", "table")
    assert "person  person  2:8  0.900" in done.out
    assert done.out.endswith("\n")


def test_what_was_nearly_found_stands_beside_what_was(onepass: Onepass, model: Any):
    asked = ("extract", "a person", "-e", "person,place", "-t", "0.5", "--explain", "0.125")
    done = onepass(*asked, "--format", "table")
    assert done.out.endswith("Not kept\n  place  a  0:1  0.250  below 0.500\n")
    assert model.options[0]["threshold"] == 0.5
    told = json.loads(onepass(*asked).out)
    assert Extraction.from_dict(told["extraction"]).entities[0].label == "person"
    assert (told["floor"], told["missed"][0]["reason"]) == (0.125, "score")
    assert onepass(*asked, "--format", "jsonl").out.count("\n") == 1


def test_an_explanation_is_of_one_text_and_no_page(onepass: Onepass, tmp_path: Path):
    (tmp_path / "a.txt").write_text("a person\n")
    done = onepass("extract", "-i", str(tmp_path / "a.txt"), "-e", "person", "--explain", "0.1")
    assert (done.code, done.out) == (2, "")
    assert done.err == "onepass: --explain is for one text; leave out --input and give a TEXT.\n"
    done = onepass("extract", "a", "-e", "b", "--explain", "0.1", "-o", str(tmp_path / "a.html"))
    assert (done.code, list(tmp_path.glob("*.html"))) == (2, [])
    assert "--format html cannot hold --explain; give json, jsonl or table." in done.err


@pytest.mark.parametrize("command", [("extract", "-e", "person"), ("redact",)])
def test_a_script_that_the_built_in_model_does_not_know_is_told(
    onepass: Onepass, command: tuple[str, ...]
):
    name, *flags = command
    said = "onepass: most of the text is in another script than Latin (Cyrillic), and the built-in"
    text = "\u0410\u043d\u043d\u0430 \u0432 Bonn"
    assert said in onepass(name, text, *flags).err
    for other in ("Anna in K\u00f6ln", "\u0410\u043d\u043d\u0430 in Bonn"):
        assert "Latin" not in onepass(name, other, *flags).err
    assert "Latin" not in onepass(name, text, *flags, "--model", "echo").err


def test_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert default_format(None) is Format.TABLE
    assert default_format(Path("a.json")) is Format.JSON


def test_html_is_one_page(onepass: Onepass, tmp_path: Path):
    page = tmp_path / "page.html"
    done = onepass("extract", "<b> person", "-e", "person", "-o", str(page))
    assert (done.code, done.out) == (0, "")
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "&lt;b&gt;" in page.read_text()


@pytest.mark.parametrize(
    ("name", "start"), [("a.json", '{\n  "text"'), ("a.jsonl", '{"text"'), ("a", '{\n  "text"')]
)
def test_the_name_of_the_output_suggests_the_format(
    onepass: Onepass, tmp_path: Path, name: str, start: str
):
    onepass("extract", "person", "-e", "person", "-o", str(tmp_path / name))
    assert (tmp_path / name).read_text().startswith(start)


@pytest.mark.parametrize("argument", [(), ("-",)])
@pytest.mark.parametrize(
    ("stdin", "text"),
    [
        (b"a person\n", "a person"),
        (b"a person\r\n", "a person"),
        (b"\xef\xbb\xbfa\n\nperson\n\n", "a\n\nperson\n"),
        ("é 🙂".encode(), "é 🙂"),
    ],
)
def test_text_from_standard_input(
    onepass: Onepass, argument: tuple[str, ...], stdin: bytes, text: str
):
    done = onepass("extract", *argument, "-e", "person", stdin=stdin)
    assert json.loads(done.out)["text"] == text


def test_options_reach_the_model(onepass: Onepass, model: Any):
    onepass("extract", "a", "-e", "b", "-t", "0.3", "--overlap", "label", "--on-long", "truncate")
    onepass("extract", "a", "-e", "b", "--solver", "exact")
    assert model.options == [
        {"threshold": 0.3, "overlap": "label", "on_long": "truncate", "solver": "greedy"},
        {"threshold": None, "overlap": "flat", "on_long": "window", "solver": "exact"},
    ]


def test_a_threshold_may_be_given_by_name(onepass: Onepass, model: Any):
    onepass("extract", "a", "-e", "b", "-t", "b = 0.2", "-t", "a=b=1", "--threshold", "relations=0")
    assert model.options[0]["threshold"] == {"b": 0.2, "a=b": 1.0, "relations": 0.0}


@pytest.mark.parametrize("command", ["extract", "redact", "eval"])
def test_how_a_model_runs_reaches_it(
    onepass: Onepass, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
):
    given = []

    def load(chosen: ModelChoice) -> Any:
        given.append(chosen)
        raise CheckpointError("No model is opened here.")

    monkeypatch.setattr(loading, "load_model", load)
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"text": "a", "entities": []}\n')
    what = {"extract": ["a", "-e", "b"], "redact": ["a"], "eval": ["-d", str(gold)]}[command]
    how = ["--backend", "torch", "--precision", "bf16", "--threads", "3", "--device", "cpu"]
    which = ["--model", "owner/name", "--revision", "v1"]
    assert onepass(command, *what, *which, *how, "--compile").code == 2
    chosen = ModelChoice("owner/name", "torch", "bf16", threads=3, device="cpu", compiled=True)
    assert given == [replace(chosen, revision="v1")]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--device", "cuda", "--backend", "onnx"], "runs on the CPU"),
        (["--compile"], "Only torch compiles what it runs"),
        (["--precision", "fp32"], "which cannot compute in fp32; ask for backend='torch', or"),
        (["-m", ""], "The name of the checkpoint is empty"),
        (["--compile", "-m", "owner/none"], "Only torch compiles what it runs"),
        (["--device", "cuda", "--backend", "onnx", "-m", "owner/none"], "runs on the CPU"),
        (["--device", "tpu"], "tpu"),
    ],
)
def test_a_device_that_is_not_to_be_had_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], flags: list[str],
    sentence: str,
):  # fmt: skip
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(["extract", "a", "-e", "b", *flags]) == 2
    said = capfd.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ["extract", "a", "-e", "b"],
        ["redact", "a"],
        ["serve", "--port", "0"],
        ["models", "inspect", "builtin"],
        ["export", "builtin", "-o", "graphs"],
        ["export", "builtin", "--safetensors", "-o", "weights"],
    ],
)
def test_the_built_in_model_has_no_revision(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path,
    command: list[str],
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--revision", "v1"]) == 2
    said = capfd.readouterr().err
    assert "revision='v1' (--revision) is for a hub id, but 'builtin' comes with onepass" in said
    assert said.count("\n") == 1


def test_a_revision_is_of_one_model(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
):
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"text": "a", "entities": []}\n')
    command = ["eval", "-d", str(gold), "-m", "owner/a", "-m", "owner/b", "--revision", "v1"]
    assert main(command) == 2
    assert "--revision v1 is of one model, but 2 are compared" in capfd.readouterr().err


def test_a_model_runs_where_it_is_told(tmp_path: Path):
    from onepass.batch.answering import open_model
    from onepass.batch.job import ModelChoice

    with pytest.raises(CheckpointError):  # all that can be said of how it runs is accepted
        open_model(ModelChoice(str(tmp_path), "torch", "fp32", 1, "cpu", True))


def test_a_schema_may_hold_rules(onepass: Onepass):
    rules = '{"head": ["person"], "tail": ["city"], "max_tails": 1}'
    schema = f'{{"entities": ["person", "city"], "relations": {{"born in": {rules}}}}}'
    assert onepass("extract", "a person", "--schema", schema).code == 0
    wrong = schema.replace('"city"]', '"town"]', 1)
    done = onepass("extract", "a person", "--schema", wrong)
    assert done.code == 2
    assert "joins 'city', which is no entity label" in done.err


def test_schema_from_a_file_and_flags(onepass: Onepass, tmp_path: Path):
    schema = tmp_path / "schema.json"
    schema.write_text('\ufeff{"entities": ["é"], "classifications": {"t": ["x", "y"]}}', "utf-8")
    done = onepass(
        "extract", "é person", "--schema", str(schema), "-e", "person", "-c", "u*=v", "-s", "s: f"
    )
    found = json.loads(done.out)
    assert [entity["label"] for entity in found["entities"]] == ["é", "person"]
    assert list(found["classifications"]) == ["t", "u"]
    assert list(found["records"]) == ["s"]


@pytest.mark.parametrize("given", [["a person"], ["-i", "in.txt", "-f", "jsonl"]])
def test_results_do_not_take_the_place_of_the_schema(
    onepass: Onepass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str]
):
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("a person")
    Path("schema.json").write_text('{"entities": ["person"]}')
    done = onepass("extract", *given, "--schema", "schema.json", "-o", "schema.json")
    assert done.code == 2
    assert done.err == (
        "onepass: The output schema.json is the schema file, too; give it another name.\n"
    )
    assert Path("schema.json").read_text() == '{"entities": ["person"]}'


def test_options_of_a_class_are_kept_beside_a_schema():
    tree = '{"classifications": {"topic": {"labels": {"a": ["x", "y"], "b": []}}}}'
    flags = ["tone[abstain=0.4]=calm,angry", "color*[window_scores=mean]=red"]
    asked = schema_asked([], flags, [], [], [], tree)
    assert asked == (
        Schema()
        .classification("topic", {"a": ["x", "y"], "b": []})
        .classification("tone", ["calm", "angry"], abstain=0.4)
        .classification("color", ["red"], multi_label=True, window_scores="mean")
    )


def test_schema_as_json(onepass: Onepass):
    done = onepass("extract", "a person", "--schema", ' {"entities": ["person"]}')
    assert json.loads(done.out)["entities"][0]["label"] == "person"


def test_json_schema_of_an_object_as_schema(onepass: Onepass):
    schema = {"title": "Order", "type": "object", "properties": {"item": {"type": "string"}}}
    done = onepass("extract", "a person", "--schema", json.dumps(schema))
    assert list(json.loads(done.out)["records"]) == ["order"]


def refused(done: Any) -> str:
    """Check that nothing but one sentence was said, and return it."""
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("onepass: ")
    assert done.err.count("\n") == 1
    return done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["", "-e", "x"], "The text is empty"),
        (["a", "-e", "x", "-t", "0.2", "-t", "0.3"], "given twice for everything (0.2 and 0.3)"),
        (["a", "-e", "x", "-t", "x=0.2", "-t", "x=0.3"], "given twice for 'x' (0.2 and 0.3)"),
        (["a", "-e", "x", "-t", "0.2", "-t", "x=0.3"], "name a kind, such as entities=0.2"),
        (["a"], "Nothing is asked for"),
        (["a", "-e", "x", "-e", "x"], "'x' was given twice"),
        (["a", "-e", "x", "--schema", '{"entities": ["x"]}'], "asks for what --schema asks for"),
        (["a", "-e", ""], "In -e ''"),
        (["a", "-c", "tone"], "task=label,label"),
        (["a", "-s", "product"], "name: field, field"),
        (["a", "--schema", "missing.json"], "There is no schema file missing.json"),
        (["a", "--schema", "."], "is a directory"),
        (["a", "--schema", "{}"], "Nothing is asked for"),
        (["a", "--schema", '["x"]'], "must be an object"),
        (["a", "--schema", '{"entities": 5}'], "entities"),
        (["a", "-e", "x", "--model", "no/such"], "There is no model 'no/such'"),
        (["a", "-e", "x", "-o", "no/such/dir/a.json"], "There is no directory"),
        (["a", "-e", "x", "-o", "."], "is a directory"),
        (["a", "-e", "x", "--text-field", "body"], "--text-field belongs to --input"),
        (["a", "-e", "x", "--input", "a.jsonl"], "Both a TEXT and --input"),
        (["a" * 200, "-e", "x", "--on-long", "error"], "200 characters"),
        (["\udcff", "-e", "x"], "The text is not UTF-8"),
    ],
)
def test_bad_input_is_one_sentence(onepass: Onepass, arguments: list[str], message: str):
    assert message in refused(onepass("extract", *arguments))


def test_standard_input_that_is_no_text(onepass: Onepass):
    assert "is empty" in refused(onepass("extract", "-e", "x"))
    assert "is not UTF-8 (byte 0xff at position 2)" in refused(
        onepass("extract", "-e", "x", stdin=b"ab\xff")
    )
    assert "is UTF-16" in refused(onepass("extract", "-e", "x", stdin="ab".encode("utf-16")))


def test_nothing_to_read_on_a_terminal(onepass: Onepass):
    assert "There is no text" in refused(onepass("extract", "-e", "x", terminal=True))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"entities": ["\xe9"]}', "is not UTF-8 (byte 0xe9 at position 15)"),
        ('{"entities": ["e"]}'.encode("utf-16"), "is UTF-16"),
        (b'{"entities": [}', "not: Expecting value at line 1, column 15"),
        (b'{"entitys": ["a"]}', "In the schema file"),
    ],
)
def test_schema_file_that_cannot_be_read(
    onepass: Onepass, tmp_path: Path, content: bytes, message: str
):
    schema = tmp_path / "schema.json"
    schema.write_bytes(content)
    said = refused(onepass("extract", "a", "--schema", str(schema)))
    assert message in said
    assert str(schema) in said
