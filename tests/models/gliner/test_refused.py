"""Parts of GLiNER that are missing here are refused in one sentence, wherever one comes in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.models.gliner.conftest import Case

from onepass import Extractor
from onepass.errors import CheckpointError
from onepass.hub import locate
from onepass.hub.files import read_json
from onepass.models.convert import convert_checkpoint
from onepass.training.families import open_trainee

PAGE = Path(__file__).resolve().parents[3] / "docs" / "gliner.md"
MISSING = {
    "precomputed_prompts_mode": (
        {
            "precomputed_prompts_mode": True,
            "id_to_classes": {"1": "person"},
            "relations_layer": "none",
        },
        "This UniEncoderSpanRelex checkpoint has its labels compressed into it "
        "(precomputed_prompts_mode), which is not supported; those of UniEncoderSpan and "
        "UniEncoderToken are: use the checkpoint that it was made from.",
    ),
}
WAYS: dict[str, Callable[[Path, Path], Any]] = {
    "open": lambda directory, other: Extractor.from_pretrained(directory),
    "open in torch": lambda directory, other: Extractor.from_pretrained(directory, backend="torch"),
    "train": lambda directory, other: open_trainee(directory),
    "convert": lambda directory, other: convert_checkpoint(locate(directory), other),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", MISSING)
def test_what_is_missing_is_refused(
    part: str, way: str, case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    change, said = MISSING[part]
    directory = shutil.copytree(case_of("span").directory, tmp_path / "copy")
    path = directory / "gliner_config.json"
    path.write_text(json.dumps(read_json(path) | change))
    with pytest.raises(CheckpointError) as refused:
        WAYS[way](directory, tmp_path / "other")
    assert str(refused.value) == said
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("part", MISSING)
def test_the_page_says_what_is_missing(part: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    _, _, missing = page.partition("\n## Not supported\n")
    missing, _, _ = missing.partition("\n## ")
    assert part in missing
