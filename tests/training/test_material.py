"""What a run is scored on."""

from pathlib import Path

import pytest

from onepass.errors import InputError
from onepass.training.config import TrainConfig
from onepass.training.material import held_out
from onepass.training.sources import Sources


@pytest.mark.parametrize("content", ["", '{"text": "Bo", "answer": "reject"}'])
def test_a_dev_file_without_an_example_is_refused(tmp_path: Path, content: str):
    dev = tmp_path / "dev.jsonl"
    dev.write_text(content)
    config = TrainConfig("builtin", data=(str(dev),), output=str(tmp_path), dev=str(dev))
    with pytest.raises(InputError, match=r"dev\.jsonl \(dev\) holds no annotated text; give a"):
        held_out(config, Sources({}, {}, ()), print)
