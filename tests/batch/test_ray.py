"""Jobs on a Ray cluster: the same bytes as here, even if a node dies meanwhile."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onepass.batch import Counts, Job, ModelChoice, Watch, run
from onepass.errors import CheckpointError

ray = pytest.importorskip("ray")
pytest.importorskip("pyarrow")

SCHEMA = {"entities": ["city"]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of this process without CPUs and two nodes with two each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        cluster.add_node(num_cpus=2)
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"{number}.jsonl" for number in range(6)]
    for number, file in enumerate(files):
        rows = [json.dumps({"text": f"Person {n} lives in Warsaw.", "id": n}) for n in range(9)]
        file.write_text("\n".join([*rows[:number], "{bad", *rows[number:]]))
    return files


def node_of_an_actor(cluster: Any) -> Any:
    """Return the node that the answers come from."""
    actors = ray._private.state.actors().values()
    alive = {actor["Address"]["NodeID"] for actor in actors if actor["State"] == "ALIVE"}
    return next(node for node in cluster.worker_nodes if node.node_id in alive)


def test_a_node_dies(cluster: Any, files: list[Path], tmp_path: Path):
    run(Job(input=files, output=tmp_path / "here.jsonl", schema=SCHEMA))
    dead = []

    def progress(counts: Counts) -> None:
        if not dead:
            dead.append(node_of_an_actor(cluster))
            cluster.remove_node(dead[0], allow_graceful=False)

    out = tmp_path / "there.jsonl"
    counts = run(Job(input=files, output=out, schema=SCHEMA, engine="ray"), watch=Watch(progress))
    assert (counts.rows, counts.failed, len(dead)) == (60, 6, 1)
    assert out.read_bytes() == (tmp_path / "here.jsonl").read_bytes()


@pytest.mark.usefixtures("cluster")
def test_a_dataset():
    from onepass.batch.ray import extract

    texts = ["She lives in Warsaw.", None, "He lives in Berlin."]
    data = ray.data.from_items([{"id": n, "body": text} for n, text in enumerate(texts)])
    rows = sorted(extract(data, SCHEMA, text_field="body").take_all(), key=lambda row: row["id"])
    cities = [json.loads(row["extraction"])["entities"][0]["text"] for row in rows[::2]]
    assert cities == ["Warsaw", "Berlin"]
    assert rows[1]["extraction"] is None
    assert rows[1]["error"] == "the text must be a string"


@pytest.mark.usefixtures("cluster")
def test_a_model_that_is_not_there(files: list[Path], tmp_path: Path):
    for precision in ("auto", "fp32"):  # which the driver would find out, or the first actor
        model = ModelChoice("./no-such-directory", backend="onnx", precision=precision)
        job = Job(input=files[0], output=tmp_path / "a", schema=SCHEMA, engine="ray", model=model)
        with pytest.raises(CheckpointError, match="no-such-directory"):
            run(job)
    assert not (tmp_path / "a.job").exists()
