"""Requests travel to other processes as plain values."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onepass.batch import Job, run
from onepass.batch.answering import Request, column_answers
from onepass.builtin import builtin_checkpoint
from onepass.errors import InputError
from onepass.extractor import Extractor
from onepass.schema.options import CallOptions
from onepass.schema.schema import Schema


def test_a_request_survives_json():
    schema = (
        Schema()
        .entities({"city": "a town", "person": None})
        .classification("tone", ["calm", "angry"], abstain=True)
        .structure("product", ["name::str", "size::[s|m]::str"])
        .relations(["born in"])
    )
    for threshold in (None, 0.4, {"city": 0.3}):
        request = Request(schema, CallOptions(threshold, "nested", "error", "exact"))
        assert Request.from_dict(json.loads(json.dumps(request.to_dict()))) == request


def test_a_job_of_an_earlier_version_finds_what_it_asked_as_it_wrote_it():
    schema = Schema().entities(["city"])
    for given in (1, np.float32(1), {"city": np.int8(1)}):
        asked = Request(schema, CallOptions(given, on_long="error")).to_dict()
        least = '{"city": 1.0}' if isinstance(given, dict) else "1.0"
        assert json.dumps(asked) == (
            f'{{"schema": {json.dumps(schema.to_dict())}, "threshold": {least}, '
            '"overlap": "flat", "on_long": "error", "solver": "greedy"}'
        )


def test_texts_that_fail_do_not_keep_others_from_being_read(load):
    request = Request(Schema().entities(["city"]), CallOptions(on_long="error"))
    values = ["in Warsaw", 5, "word " * 5000, "in Bern"]
    found, errors = column_answers(load(), request, values)
    assert [text is None for text in found] == [False, True, True, False]
    assert [error is None for error in errors] == [True, False, False, True]
    assert [json.loads(found[n])["entities"][0]["text"] for n in (0, 3)] == ["Warsaw", "Bern"]


WRONG = [
    ({"threshold": 5}, "threshold must be a number from 0 to 1, but 5 was given"),
    ({"threshold": {"persn": 0.5}}, "'persn', which is neither"),
    ({"overlap": "bogus"}, "overlap 'bogus' is not known"),
    ({"on_long": "bogus"}, "on_long 'bogus' is not known"),
    ({"solver": "x"}, "solver 'x' is not known"),
]


@pytest.mark.parametrize(("option", "message"), WRONG)
def test_a_wrong_option_is_an_error_of_the_request(
    load, tmp_path: Path, option: dict[str, Any], message: str
):
    (tmp_path / "in.txt").write_text("in Warsaw\nin Bern\n")
    out = tmp_path / "out.jsonl"
    out.write_text("good")
    schema = {"entities": ["city"]}
    with pytest.raises(InputError, match=message):
        run(Job(input=tmp_path / "in.txt", output=out, schema=schema, **option), load=load)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["in.txt", "out.jsonl"]
    assert out.read_text() == "good"
    for texts in (["in Bern"], [None], []):
        with pytest.raises(InputError, match=message):
            column_answers(load(), Request(Schema.from_dict(schema), CallOptions(**option)), texts)


def test_a_threshold_of_numpy(load, tmp_path: Path):
    (tmp_path / "in.txt").write_text("in Warsaw\n")
    given: list[Any] = [np.float32(0.5), {"city": np.float64(0.5)}, 1]
    for threshold in given:
        out = tmp_path / "out.jsonl"
        schema = {"entities": ["city"]}
        job = Job(input=tmp_path / "in.txt", output=out, schema=schema, threshold=threshold)
        assert run(job, load=load).failed == 0


def test_a_text_on_which_a_graph_fails_spoils_its_own_row(tmp_path: Path):
    broken = Path(shutil.copytree(builtin_checkpoint().directory, tmp_path / "broken"))
    tokenizer = json.loads((broken / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["tim"] = 10**6  # the graph has no row for it
    (broken / "tokenizer.json").write_text(json.dumps(tokenizer))
    model = Extractor.from_pretrained(broken, threads=1, backend="onnx")
    request = Request(Schema().entities(["city"]))
    found, errors = column_answers(model, request, ["in Bern", "tim", "in Warsaw"])
    assert [text is None for text in found] == [False, True, False]
    assert [error and "fails on the text" in error for error in errors] == [None, True, None]
