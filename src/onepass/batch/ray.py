"""The same jobs on a Ray cluster, by Ray Data: actors that open the model once, retries, order.

Every node must have onepass and see the files under the same names. Ray reads a file in a task,
answers chunks of its rows in actors, and tries again what is lost with a node; this process reads
along, puts rows and answers together and writes them, as it does for other jobs.
"""

from __future__ import annotations

import base64
import json
import logging
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import (
    Answer,
    Read,
    Refused,
    Request,
    answers,
    column_answers,
    open_model,
)
from onepass.batch.engines import Answered, Engine
from onepass.batch.extras import arrow
from onepass.batch.job import BUILTIN, ModelChoice
from onepass.batch.reading import read_chunks
from onepass.batch.rows import CHUNK_ROWS, Chunk, Position
from onepass.batch.sources import Source
from onepass.batch.states import settled
from onepass.errors import BackendError, InputError, MissingExtra, OnepassError
from onepass.schema.options import CallOptions

if TYPE_CHECKING:
    from onepass.batch.job import Job
    from onepass.extractor import Extractor
    from onepass.schema.options import OnLong, Overlap, Solver, Threshold

__all__ = ["extract"]  # the rest is for jobs on files

# One row of Ray's data is a chunk: the place where it ends, and texts or answers as JSON, since
# Arrow cannot hold every string of Python.
_Block = dict[str, list[Any]]
_READ_CPUS = 0.1  # reading waits for answers most of the time


def on_cluster(job: Job, request: Request, sources: Sequence[Source], start: Position) -> Engine:
    """Return an engine of up to ``job.workers`` actors on a Ray cluster.

    Args:
        job: says the model, the number of actors and the address of the cluster; "auto" would be
            found out by each actor for itself.
        request: what is asked.
        sources: what the job reads; not streams.
        start: where the job goes on.

    Raises:
        MissingExtra: if Ray is not installed.
        InputError: for a stream, which no other machine can read.
    """
    ray = _ray()
    for source in sources:
        if source.is_stream:
            raise InputError(f"{source.name} is a stream, which a cluster cannot read; use a file.")

    def run(chunks: Iterable[Chunk]) -> Answered:
        own = not ray.is_initialized()
        if own:
            ray.init(address=job.address, log_to_driver=False, logging_level=logging.WARNING)
        try:
            yield from _joined(chunks, _results(ray, job, request, sources, start))
        except ray.exceptions.RayError as error:
            said = str(error).strip().splitlines()[-1]
            raise BackendError(
                f"The job failed on the cluster ({said}); resume=True (--resume) goes on with it."
            ) from error
        finally:
            if own:
                ray.shutdown()

    return run


def extract(  # noqa: PLR0913  what is asked stays flat, as everywhere
    dataset: Any,
    schema: object,
    *,
    text_field: str = "text",
    threshold: Threshold = None,
    overlap: Overlap = "flat",
    on_long: OnLong = "window",
    solver: Solver = "greedy",
    model: ModelChoice = BUILTIN,
    workers: tuple[int, int] = (1, 1),
) -> Any:
    """Return a dataset of Ray Data with what is found in each row.

    Its twin for Spark is `onepass.integrations.spark.extract_frames`.

    Args:
        dataset: a ``ray.data.Dataset``.
        schema: as in `Extractor.extract`.
        text_field: the column of the text.
        threshold: as in `Extractor.extract`.
        overlap: as in `Extractor.extract`.
        on_long: as in `Extractor.extract`.
        solver: as in `Extractor.extract`; nodes need the extra exact for "exact".
        model: the model that each actor opens once, with one thread; nodes must have it. Where it
            says "auto", it is opened here, too, so that all nodes run the same.
        workers: the least and the most actors; Ray makes more of them when rows wait.

    Returns:
        The dataset with the columns "extraction" (JSON) and "error", one of which is null.

    Raises:
        MissingExtra: if Ray is not installed.
        SchemaError: for a schema that cannot be asked.
        InputError: for an option that is not known.
        OnepassError: for a model that is to be opened here, and cannot be.
    """
    from onepass.schema import read_schema

    options = CallOptions(threshold, overlap, on_long, solver)
    request = Request(read_schema(schema).checked(), options)
    ray, chosen = _ray(), settled(model).of_worker()
    return dataset.map_batches(
        _ColumnActor,
        fn_constructor_args=(chosen, request.to_dict(), text_field),
        batch_size=CHUNK_ROWS,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(min_size=workers[0], max_size=workers[1]),
        num_cpus=1,
    )


def _ray() -> Any:
    if find_spec("ray") is None:
        raise MissingExtra("Running on a cluster", "ray")
    import ray
    import ray.data

    return ray


def _results(
    ray: Any, job: Job, request: Request, sources: Sequence[Source], start: Position
) -> Iterator[Mapping[str, Any]]:
    """Yield what the actors answer, a chunk at a time, in order."""
    context = ray.data.DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.target_max_block_size = 1  # bytes: every chunk is a block, and goes to any actor
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    with ray.data.DataContext.current(context):
        read = ray.data.read_datasource(
            _source(ray, sources, job.text_field, start),
            override_num_blocks=len(sources),
            num_cpus=_READ_CPUS,
        )
        done = read.map_batches(
            _ChunkActor,
            fn_constructor_args=(job.model.of_worker(), request.to_dict()),
            batch_size=1,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=job.workers),
            num_cpus=1,
        )
        yield from done.iter_rows()


def _source(ray: Any, sources: Sequence[Source], text_field: str, start: Position) -> Any:
    """Return what Ray Data reads: a task for each source that is left."""

    class Sources(ray.data.Datasource):  # type: ignore[misc]  # Ray is imported when it is needed
        def get_name(self) -> str:
            return "onepass"

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, *_: Any, **__: Any) -> list[Any]:
            unknown = ray.data.block.BlockMetadata(
                num_rows=None, size_bytes=None, input_files=None, exec_stats=None
            )
            return [
                ray.data.ReadTask(partial(_read, tuple(sources), index, text_field, first), unknown)
                for index in range(start.source, len(sources))
                for first in [start if index == start.source else Position(index, 0)]
            ]

    return Sources()


def _read(
    sources: tuple[Source, ...], index: int, text_field: str, start: Position
) -> Iterator[Any]:
    """Yield the chunks of one source as tables of one row; runs on the cluster."""
    pa = arrow("Ray's tables")
    try:
        for chunk in read_chunks(sources[: index + 1], text_field, start):
            yield pa.table(_block(chunk.end, json.dumps(chunk.texts)))
    except OnepassError as error:
        yield pa.table(_block(Position(index, -1), "[]", _told(error)))


def _block(end: Position, data: str, failure: str = "") -> _Block:
    return {"source": [end.source], "number": [end.number], "data": [data], "failure": [failure]}


class _ChunkActor:
    """An actor that answers chunks."""

    def __init__(self, choice: ModelChoice, request: dict[str, Any]) -> None:
        self._open = _Opened(choice)
        self._request = Request.from_dict(request)

    def __call__(self, block: Mapping[str, Any]) -> _Block:
        end = Position(int(block["source"][0]), int(block["number"][0]))
        failure = str(block["failure"][0])
        if failure:
            return _block(end, "[]", failure)
        try:
            got = answers(self._open(), self._request, json.loads(str(block["data"][0])))
        except OnepassError as error:
            return _block(end, "[]", _told(error))
        return _block(end, json.dumps([asdict(answer) for answer in got]))


class _ColumnActor:
    """An actor that answers the rows of a table."""

    def __init__(self, choice: ModelChoice, request: dict[str, Any], field: str) -> None:
        self._open = _Opened(choice)
        self._request = Request.from_dict(request)
        self._field = field

    def __call__(self, table: Any) -> Any:
        pa = arrow("Ray's tables")
        texts = table.column(self._field).to_pylist()
        found, errors = column_answers(self._open(), self._request, texts)
        for name, values in (("extraction", found), ("error", errors)):
            if name in table.column_names:
                table = table.drop_columns([name])
            table = table.append_column(name, pa.array(values, pa.string()))
        return table


class _Opened:
    """A model that is opened when it is first needed, so that its errors can be answers."""

    def __init__(self, choice: ModelChoice) -> None:
        self._choice = choice
        self._model: Extractor | None = None

    def __call__(self) -> Extractor:
        self._model = self._model or open_model(self._choice)
        return self._model


def _told(error: OnepassError) -> str:
    """Return an error as text, which a cell of Arrow holds whatever is in it."""
    return base64.b64encode(pickle.dumps(error)).decode("ascii")


def _error_of(told: str) -> OnepassError:
    """Return an error that a node of the cluster told."""
    error: OnepassError = pickle.loads(base64.b64decode(told))
    return error


def _unpacked(given: dict[str, Any]) -> Answer:
    return Refused(**given) if "error" in given else Read(**given)


def _joined(chunks: Iterable[Chunk], results: Iterable[Mapping[str, Any]]) -> Answered:
    """Put the chunks that this process reads and the answers of the cluster together."""
    for chunk, result in zip_longest(chunks, results):
        if result is not None and result["failure"]:
            raise _error_of(str(result["failure"]))
        if (
            chunk is None
            or result is None
            or chunk.end != Position(int(result["source"]), int(result["number"]))
        ):
            raise BackendError(
                "The nodes of the cluster read other rows than this machine; give files that all "
                "of them see under the same names, and do not change them while the job runs."
            )
        got = json.loads(result["data"])
        yield chunk, [_unpacked(one) for one in got]
