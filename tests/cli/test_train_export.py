"""``onepass train`` and ``onepass export`` on a tiny checkpoint, up to an extraction with it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import make_tiny_checkpoint

from onepass.cli import loading, main
from onepass.corpus.example import Example, Mention
from onepass.corpus.jsonl import write_examples

Onepass = Callable[..., Any]
TEXT = "tim cook runs apple in paris"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_checkpoint(tmp_path_factory.mktemp("start") / "tiny")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "gold.jsonl"
    found = Mention(0, 8, "person"), Mention(14, 19, "company"), Mention(23, 28, "place")
    write_examples(path, [Example(TEXT, found)] * 40)
    return path


def test_train_from_a_file_and_options(onepass: Onepass, start: Path, data: Path, tmp_path: Path):
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps(
            {"model": str(start), "data": str(data), "output": "unused", "steps": 50, "pool": 8}
        )
    )
    run = tmp_path / "run"
    done = onepass(
        "train", str(config), "-o", str(run), "--steps", "2", "--device", "cpu", "--dev", str(data)
    )
    assert done.code == 0, done.err
    summary = json.loads(done.out)
    assert summary["steps"] == 2
    assert Path(summary["final"], "model.safetensors").is_file()
    assert done.err, "progress goes to standard error"
    assert json.loads((run / "train.json").read_text())["steps"] == 2


def test_rates_by_option(onepass: Onepass, start: Path, data: Path, tmp_path: Path):
    run = tmp_path / "run"
    done = onepass(
        "train", "-m", str(start), "-d", str(data), "-o", str(run), "--steps", "1",
        "--encoder-rate", "3e-5", "--head-rate", "0.0007",
    )  # fmt: skip
    assert done.code == 0, done.err
    kept = json.loads((run / "train.json").read_text())
    assert (kept["encoder_rate"], kept["head_rate"]) == (3e-5, 7e-4)
    assert "encoder_rate 3e-05, head_rate 0.0007, 1 step\n" in done.err
    assert json.loads(done.out)["next"].startswith("onepass calibrate ")


def test_train_from_options_alone(onepass: Onepass, start: Path, data: Path, tmp_path: Path):
    command = ["train", "-m", str(start), "-d", str(data), "-o", str(tmp_path), "--steps", "1"]
    assert onepass(*command).code == 0
    again = onepass(*command)
    assert (again.code, again.out) == (2, ""), "an old run is not overwritten"
    assert again.err.count("\n") == 1


def test_resume(onepass: Onepass, start: Path, data: Path, tmp_path: Path):
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"model": str(start), "data": [str(data)], "score_every": 1, "pool": 8})
    )
    command = ["train", str(config), "-o", str(tmp_path / "run")]
    assert onepass(*command, "--steps", "2").code == 0
    done = onepass(*command, "--steps", "4", "--resume")
    assert done.code == 0, done.err
    assert json.loads(done.out)["steps"] == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is no file"),
        (b"{bad", "must be JSON"),
        (b'{"text": "\xff"}', "is not UTF-8"),
        (b"[]", "must be a JSON object"),
        (b'{"modle": "a"}', "no key 'modle'"),
        (b'{"model": "a", "data": "b", "output": "c", "steps": 0}', "'steps' must be"),
        (b'{"model": "a", "data": "b", "output": "c", "device": "tpu"}', "'device' must be"),
    ],
)
def test_wrong_configurations(
    onepass: Onepass, tmp_path: Path, content: bytes | None, message: str
):
    config = tmp_path / "config.json"
    if content is not None:
        config.write_bytes(content)
    done = onepass("train", str(config))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("onepass: ")
    assert done.err.count("\n") == 1
    assert message in done.err


@pytest.mark.parametrize("data", ["nope.json", "--model=builtin --data=nope.jsonl --output=run"])
def test_a_mistyped_path_is_told_before_torch_is_loaded(tmp_path: Path, data: str):
    code = """
import sys
from onepass.cli import main
code = main(["train", *sys.argv[1].split()])
print(code, "torch" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, data], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "2 False\n"
    assert "There is no file" in done.stderr


def test_options_leave_the_other_keys_of_their_section(
    onepass: Onepass, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    asked: list[Any] = []
    monkeypatch.setattr(
        "onepass.training.run.train_from_config", lambda config, report: asked.append(config)
    )
    config = tmp_path / "config.json"
    sections = {
        "lora": {"rank": 8, "dropout": 0.1},
        "distill": {"teacher": "large", "weight": 0.5},
        "self_train": {"texts": "texts.jsonl", "labels": ["person"], "smoothing": 0.2},
    }
    config.write_text(json.dumps({"model": "a", "output": "c"} | sections))
    done = onepass("train", str(config), "--lora", "4", "--distill", "base", "-t", "0.5")
    assert done.code == 0, done.err
    (found,) = asked
    assert (found.lora.rank, found.lora.alpha, found.lora.dropout) == (4, 8.0, 0.1)
    assert (found.distill.teacher, found.distill.weight) == ("base", 0.5)
    assert (found.self_train.threshold, found.self_train.smoothing) == (0.5, 0.2)
    assert found.self_train.labels == ("person",)
    assert onepass("train", str(config), "-e", r"a\,b, c", "-r", "works for").code == 0
    assert asked[1].self_train.labels == ("a,b", "c")
    assert asked[1].self_train.relations == ("works for",)


@pytest.mark.parametrize("option", ["-e", "-r"])
def test_self_training_asks_without_descriptions(onepass: Onepass, option: str):
    given = ("-m", "a", "-o", "b", "--self-train", "texts.jsonl")
    done = onepass("train", *given, option, "firm=a company")
    assert (done.code, done.out) == (2, "")
    assert "'firm' was given with a description" in done.err


def test_nothing_to_train(onepass: Onepass):
    done = onepass("train")
    assert (done.code, done.out) == (2, "")
    assert "give model, data and output (--model, --data, --output)" in done.err


@pytest.mark.parametrize("command", [["train", "config.json"], ["export", "some/model"]])
def test_without_torch_it_says_what_to_install(
    onepass: Onepass, monkeypatch: pytest.MonkeyPatch, command: list[str]
):
    monkeypatch.setattr(loading, "find_spec", lambda _: None)
    done = onepass(*command)
    assert (done.code, done.out) == (2, "")
    assert "pip install 'onepass[" in done.err


def test_export_then_extract(start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """With the real loader: graphs are written, found, and run without torch."""
    checkpoint = make_tiny_checkpoint(tmp_path / "tiny")
    assert main(["export", str(checkpoint)]) == 0
    written = Path(capsys.readouterr().out.removesuffix("\n"))
    assert list(written.glob("*.onnx"))
    options = ["--model", str(checkpoint), "--backend", "onnx", "-t", "0", "--overlap", "all"]
    assert main(["extract", TEXT, "-e", "person", *options]) == 0
    assert json.loads(capsys.readouterr().out)["entities"]


def test_export_of_what_is_not_there(onepass: Onepass):
    done = onepass("export", "./no-such-directory")
    assert (done.code, done.out) == (2, "")
    assert "no-such-directory" in done.err
