"""Each prompt's scores are calibrated as what it asks for, side by side in one run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.training.gliner_data import make_learner

from onepass import Extraction, Extractor, Schema

TEXT = "Tim runs Apple in Paris"
LINE = {"scale": 2.0, "shift": -0.5}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_learner(tmp_path_factory.mktemp("gliner") / "span", seed=2)


def read(checkpoint: Path, calibration: dict[str, dict[str, float]]) -> Extraction:
    (checkpoint / "onepass.json").write_text(json.dumps({"calibration": calibration}))
    schema = Schema().entities(["person", "place"]).relations(["works for"])
    schema.classification("topic", ["news", "sports"], multi_label=True)
    model = Extractor.from_pretrained(checkpoint, backend="torch", threads=1)
    return model.extract(TEXT, schema, threshold=0.0, overlap="all")


def entities(doc: Extraction) -> np.ndarray:
    return np.array(
        [one.score for one in sorted(doc.entities, key=lambda e: (e.start, e.end, e.label))]
    )


def relations(doc: Extraction) -> np.ndarray:
    found = {(r.head.start, r.head.end, r.tail.start, r.tail.end): r.score for r in doc.relations}
    return np.array([found[place] for place in sorted(found)])


def classes(doc: Extraction) -> np.ndarray:
    return np.array(list(doc.classifications["topic"].scores.values()))


@pytest.mark.parametrize("kind", ["entities", "relations", "classifications"])
def test_a_line_changes_scores_of_its_own_kind(checkpoint: Path, kind: str) -> None:
    plain, lined = read(checkpoint, {}), read(checkpoint, {kind: LINE})
    for name, scores in (
        ("entities", entities), ("relations", relations), ("classifications", classes)
    ):  # fmt: skip
        before, after = scores(plain), scores(lined)
        assert len(before) > 1, name
        if name == kind:
            logits = np.log(before / (1 - before))
            before = 1 / (1 + np.exp(-(LINE["scale"] * logits + LINE["shift"])))
        np.testing.assert_allclose(after, before, atol=1e-5, err_msg=name)
