"""What a run is scored on."""

from dataclasses import replace
from pathlib import Path

import pytest

from onepass.errors import InputError
from onepass.training.config import TrainConfig
from onepass.training.data import LineFile
from onepass.training.material import held_out
from onepass.training.sources import Sources


@pytest.mark.parametrize("content", ["", '{"text": "Bo", "answer": "reject"}'])
def test_a_dev_file_without_an_example_is_refused(tmp_path: Path, content: str):
    dev = tmp_path / "dev.jsonl"
    dev.write_text(content)
    config = TrainConfig("builtin", data=(str(dev),), output=str(tmp_path), dev=str(dev))
    with pytest.raises(InputError, match=r"dev\.jsonl \(dev\) holds no annotated text; give a"):
        held_out(config, Sources({}, {}, ()), print)


def test_texts_of_the_dev_file_that_are_also_learned_from_are_told(tmp_path: Path, write):
    data = write("data.jsonl", {"text": "Bo runs"}, {"text": "Al runs"})
    mention = [{"label": "dog", "start": 0, "end": 2}]
    rows = [{"text": f"{name} runs", "entities": mention} for name in ("Bo", "Cy", "Di")]
    config = TrainConfig("builtin", data=(str(data),), output=str(tmp_path))
    sources = Sources({"data": LineFile(data)}, {}, ())

    def told(*rows) -> list[str]:
        lines: list[str] = []
        dev = write("dev.jsonl", *rows)
        held_out(replace(config, dev=str(dev)), sources, lines.append)
        return lines

    assert told(*rows[1:]) == []
    (line,) = told(*rows)
    assert line.startswith("1 of 3 held-out texts are also trained on")
