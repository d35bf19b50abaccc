"""Graphs as ONNX Runtime optimized them for this machine, kept so that they open at once.

A large graph is parsed, rewritten and copied whenever a session opens. Its optimized form is kept
with the weights in a file beside it, which the runtime maps into memory instead of reading it. When
one is added, those go that were not used for longest, until the rest is small enough. This module
knows files and sessions, not what the graphs compute.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from onepass.backends.base import MANIFEST, WEIGHTS
from onepass.backends.cache_pruning import mark_used, prune
from onepass.backends.cpu import cpu
from onepass.backends.onnx_runtime import onnxruntime
from onepass.hub.owner import OWNER, is_ours

FORMAT = 2  # raise it when what is kept can no longer be run by this version
SMALLEST = 1_000_000  # bytes of a graph for which it pays
MOST = 2 << 30  # bytes of all graphs that are kept; those that were not used for longest go
_GRAPH, _WEIGHTS = "graph.onnx", "weights.bin"
_MAPPED = "1024"  # bytes of the smallest weight that goes into the second file

log = logging.getLogger("onepass.backends")


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return options for one run at a time on so many threads.

    >>> session_options(2).intra_op_num_threads
    2
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A checkpoint has several graphs, each with threads of its own, which would go on spinning
    # beside those of the next graph: on two cores a text took 77 ms. Threads that wait between the
    # operations of a run may spin: without it, the built-in model takes 18.5 in place of 15.1 ms.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def giving_back() -> onnxruntime.RunOptions:
    """Return options of a run after which the session gives back the memory that it took.

    Shapes change from call to call: a pool that stays as large as the largest batch needs would
    hold hundreds of MB. Without a pool, pages are asked of the system and cleared in every run,
    which takes up to a third of the time of a batch.
    """
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Return a session of a graph as it is; the runtime raises a dozen kinds of its own."""
    return _session(path, session_options(threads))


def open_cached(path: Path, threads: int, cache: Path) -> onnxruntime.InferenceSession | None:
    """Return a session of the optimized form of a graph, which is made if it is not there yet.

    Args:
        path: of the graph.
        threads: of the session.
        cache: directory that optimized graphs are kept in; is made.

    Returns:
        None if the graph is small, or if its optimized form cannot be kept or read here. Why it
        cannot is logged as "onepass.backends", for debugging: the graph itself can still be run.
    """
    if _bytes(path) < SMALLEST:
        return None
    kept = cache / _key(path)
    if not os.path.isfile(kept / _GRAPH):  # `Path.is_file` fails where a cache may not be entered
        if not _keep(path, kept):
            return None
        prune(cache, _GRAPH, MOST)
    try:
        trusted = is_ours(cache, kept, *kept.iterdir())
    except OSError:  # another process removed it
        trusted = False
    if not trusted:
        log.debug(
            "The optimized form of %s in %s is another user's, or others may write it.", path, kept
        )
        return None
    mark_used(kept / _GRAPH)
    options = session_options(threads)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return _session(kept / _GRAPH, options)
    except Exception as error:  # noqa: BLE001  damaged: the graph itself is still there
        log.debug("The optimized form of %s in %s is removed: %s", path, kept, error)
        shutil.rmtree(kept, ignore_errors=True)
        return None


def _bytes(path: Path) -> int:
    """Return the size of a graph, with the weights that lie beside it."""
    weights = _weights_of(path)
    return path.stat().st_size + (weights.stat().st_size if weights.is_file() else 0)


def _weights_of(path: Path) -> Path:
    """Return where the weights of a graph lie if they are beside it."""
    return path.with_name(path.name.partition(".")[0] + WEIGHTS)


def _key(path: Path) -> str:
    """Return a name that changes with the graph, its weights, the runtime and the CPU."""
    # The weights may change beside a graph that stays the same, and files of the same size and time
    # may hold others: the manifest names what they were made of.
    files = [file for file in (path, _weights_of(path)) if file.is_file()]
    states = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    manifest = path.with_name(MANIFEST)
    made_of = manifest.read_bytes() if manifest.is_file() else b""
    name, features = cpu()
    parts = (
        FORMAT, path.resolve(), states, made_of, onnxruntime.__version__, name, features,
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _keep(path: Path, kept: Path) -> bool:
    """Write the optimized form of a graph and say whether it is there now.

    It is written under another name first: several processes may do so at once.
    """
    staged = kept.with_name(f".{kept.name}-{uuid4().hex}")
    options = session_options(1)
    options.optimized_model_filepath = str(staged / _GRAPH)
    for key, value in (
        ("session.optimized_model_external_initializers_file_name", _WEIGHTS),
        ("session.optimized_model_external_initializers_min_size_in_bytes", _MAPPED),
    ):
        options.add_session_config_entry(key, value)
    try:
        kept.parent.mkdir(OWNER, parents=True, exist_ok=True)
        staged.mkdir(OWNER)
        _session(path, options)
        for file in staged.iterdir():  # a power cut must not leave zeros under a whole name
            _sync(file)
        with suppress(OSError):  # another process was faster
            staged.rename(kept)
    except Exception as error:  # noqa: BLE001  not writable, full, or a graph that cannot be run
        log.debug("The optimized form of %s is not kept in %s: %s", path, kept.parent, error)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return os.path.isfile(kept / _GRAPH)


def _sync(file: Path) -> None:
    with file.open("rb+") as written:
        os.fsync(written.fileno())


def _session(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
