"""What goes to a Ray cluster and what comes back, without one."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from onepass.batch import Job, ModelChoice, ray, running
from onepass.batch.answering import Read, Refused, Request, answers
from onepass.batch.engines import Engine, in_this_process
from onepass.batch.rows import Chunk, Position, Row
from onepass.errors import CheckpointError
from onepass.schema import Schema
from onepass.schema.options import CallOptions

SCHEMA = {"entities": ["city"]}
CHUNK = Chunk((Row(1, {}, "Bo lives in Bern."),), Position(0, 1))


def first(block: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return the only row of a block, as Ray hands it over."""
    return {name: values[0] for name, values in block.items()}


def test_an_error_of_a_node_is_raised_as_what_it_was():
    choice = ModelChoice("./no-such-directory", backend="onnx", precision="fp32")
    actor = ray._ChunkActor(choice, Request(Schema.from_dict(SCHEMA)).to_dict())
    block = actor(ray._block(CHUNK.end, json.dumps(CHUNK.texts)))
    with pytest.raises(CheckpointError, match="no-such-directory"):
        list(ray._joined([CHUNK], [first(block)]))


def test_answers_of_a_node_are_what_they_are_here(load, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ray, "open_model", lambda _: load())
    request = Request(Schema.from_dict(SCHEMA), CallOptions(on_long="truncate"))
    texts = ["Bo lives in Bern.", "word " * 1000]
    block = ray._ChunkActor(ModelChoice(), request.to_dict())(
        ray._block(CHUNK.end, json.dumps(texts))
    )
    [(_, got)] = ray._joined([CHUNK], [first(block)])
    assert got == answers(load(), request, texts)
    assert [one.truncated for one in got] == [False, True]
    refused = request.to_dict() | {"on_long": "error"}
    block = ray._ChunkActor(ModelChoice(), refused)(ray._block(CHUNK.end, json.dumps(texts)))
    [(_, got)] = ray._joined([CHUNK], [first(block)])
    assert [type(one) for one in got] == [Read, Refused]


def test_all_nodes_run_what_auto_is_where_the_job_was_started(
    load, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    seen = []

    def on_cluster(job: Job, request: Request, *_: object) -> Engine:
        seen.append(job.model)
        return in_this_process(load, request)

    monkeypatch.setattr(ray, "on_cluster", on_cluster)
    (tmp_path / "in.txt").write_text("in Bern\n")
    job = Job(input=tmp_path / "in.txt", output=tmp_path / "out", schema=SCHEMA, engine="ray")
    running.run(job)
    assert [(one.backend, one.precision) for one in seen] == [(load().backend, load().precision)]


def test_all_actors_of_a_dataset_run_what_auto_is_here(load, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        ray, "_ray", lambda: SimpleNamespace(data=SimpleNamespace(ActorPoolStrategy=dict))
    )
    dataset = SimpleNamespace(map_batches=lambda _actor, **how: how)
    how = ray.extract(dataset, SCHEMA)
    chosen, *_ = how["fn_constructor_args"]
    assert chosen == ModelChoice(backend=load().backend, precision=load().precision, threads=1)
