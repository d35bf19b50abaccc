"""Where the weights of a network are in its exported graphs, and the weights read back from them.

Graphs hold weights under names of the exporter, in parts, turned, and multiplied by what was folded
into them. Where each part went is found once, by its values, when the graphs are written; a table
of it beside the graphs makes them a checkpoint that can be trained on, without a second copy of the
weights. Graphs in eight bits give the weights as they were rounded.

This module knows no family.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import numpy_helper

from onepass.arrays import Array, Bools, Float32s
from onepass.errors import BackendError, CheckpointError
from onepass.hub.exports import PLACES
from onepass.nn.graphs.constants import lift_constants

_CUTS = (1, 2, 3, 6)  # parts that the rows of a constant may be: gates of a cell, twice
_MOST_PARTS = 8  # a constant is at least an eighth of a weight
_SAMPLES = 64
_CLOSE = 1e-5  # of the largest value: factors are multiplied in fp32


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a weight.

    Attributes:
        weight: its name in the network.
        row: its first row.
        column: its first column; 0 for a vector.
        turned: whether its columns are the rows of the constant that it became.
        factor: what it was multiplied by.
    """

    weight: str
    row: int
    column: int
    turned: bool
    factor: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of a weight is in the graphs.

    Attributes:
        part: what is there.
        graph: name of the graph.
        tensor: name of a constant of it.
        start: first row of that constant.
        stop: the row after its last.
    """

    part: Part
    graph: str
    tensor: str
    start: int
    stop: int


def write_places(
    directory: Path, graphs: Path, state: Mapping[str, Float32s], unused: Sequence[str] = ()
) -> None:
    """Find the weights of a network in its graphs, and write the table of their places.

    Args:
        directory: receives the table.
        graphs: directory of all graphs of the network, in fp32.
        state: its weights by name.
        unused: how names of weights begin that may be missing in the graphs, whole or in part.

    Raises:
        BackendError: if a graph holds numbers that are not found in a weight, or a weight is not
            found in the graphs.
    """
    free = {name: np.ones(values.shape, bool) for name, values in state.items()}
    places: list[Place] = []
    for path in sorted(graphs.glob("*.onnx")):
        model = onnx.load(path)
        lift_constants(model.graph)
        for name, values in _tensors(model.graph).items():
            if values.dtype != np.float32 or values.ndim == 0 or not values.size:
                continue
            found = _find(_rows_of(values), state, free, own=name.partition(".")[2])
            if found is None and values.size == 1:  # a number of a formula
                continue
            if found is None:
                raise BackendError(
                    f"{name} of the graph {path.stem} is not found in the weights of the network, "
                    "so these cannot be read back from its graphs; call export_checkpoint() with "
                    "places=False."
                )
            places += (Place(part, path.stem, name, start, stop) for part, start, stop in found)
    places += _equals(places, state, free)
    missing = [name for name, left in free.items() if left.any() and not _begins(name, unused)]
    if missing:
        raise BackendError(
            f"{len(missing)} weights are not found in the graphs, {missing[0]} among them, so they "
            "cannot be read back; call export_checkpoint() with places=False."
        )
    used = {place.part.weight for place in places}
    shapes = {name: list(values.shape) for name, values in state.items() if name in used}
    rows = [asdict(place) for place in places]
    table = {"shapes": shapes, "places": rows}
    (directory / PLACES).write_text(json.dumps(table) + "\n", encoding="utf-8")


def read_weights_of(directory: Path) -> dict[str, Float32s]:
    """Read the weights of a network back from its graphs.

    Args:
        directory: of graphs in fp32 or int8 with their table.

    Returns:
        Weights by their names in the network; what no graph uses is missing, or zero where other
        rows of it are used.

    Raises:
        CheckpointError: if the table or a graph is broken.
    """
    try:
        table = json.loads((directory / PLACES).read_text(encoding="utf-8"))
        places = [Place(**row | {"part": Part(**row["part"])}) for row in table["places"]]
        state = {name: np.zeros(shape, np.float32) for name, shape in table["shapes"].items()}
        tensors: dict[str, Mapping[str, Array]] = {}
        for place in places:
            if place.graph not in tensors:
                model = onnx.load(directory / f"{place.graph}.onnx")
                tensors[place.graph] = _tensors(model.graph)
            rows = _rows_of(_restored(tensors[place.graph], place.tensor))
            _put(state[place.part.weight], place.part, rows[place.start : place.stop])
    except (
        OSError, ValueError, LookupError, TypeError, AttributeError, DecodeError, RecursionError,
    ) as error:  # fmt: skip
        raise _broken(directory, error) from error
    except onnx.checker.ValidationError as error:  # a file of weights that is not there
        raise _broken(directory, error) from error
    return state


def _broken(directory: Path, error: Exception) -> CheckpointError:
    said = str(error).partition("\n")[0]
    return CheckpointError(
        f"The weights in {directory} cannot be read back ({said:.200}); install or export them "
        "again."
    )


def _begins(name: str, beginnings: Sequence[str]) -> bool:
    return name.startswith(tuple(beginnings))


def _equals(
    places: Sequence[Place], state: Mapping[str, Float32s], free: Mapping[str, Bools]
) -> list[Place]:
    """Return places of weights that equal another one, which the exporter has written once."""
    found: dict[str, list[Place]] = {}
    for place in places:
        found.setdefault(place.part.weight, []).append(place)
    more: list[Place] = []
    for name, left in free.items():
        if not left.all():
            continue
        for other, own in found.items():
            if not free[other].any() and np.array_equal(state[other], state[name]):
                more += (replace(place, part=replace(place.part, weight=name)) for place in own)
                left[...] = False
                break
    return more


def _put(weight: Float32s, part: Part, values: Float32s) -> None:
    own = (values.T if part.turned else values) / np.float32(part.factor)
    region = _region(weight, part.row, part.column, own)
    region[...] = own.reshape(region.shape)


def _restored(tensors: Mapping[str, Array], name: str) -> Float32s:
    """Return a constant of a graph, from eight bits where `quantize` put it there."""
    if name in tensors:
        return np.asarray(tensors[name], np.float32)
    values: Float32s = tensors[f"{name}.int8"].astype(np.float32) * tensors[f"{name}.scale"]
    inverse = tensors.get(f"{name}.inverse")
    return values if inverse is None else values * inverse[:, None]


def _tensors(graph: onnx.GraphProto) -> dict[str, Array]:
    """Return the constants of a graph, whether they are nodes or not."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    found[node.output[0]] = numpy_helper.to_array(attribute.t)
    return found


def _rows_of(values: Float32s) -> Float32s:
    """Return a tensor as a matrix: a vector as one column, one of several axes row by row."""
    return values.reshape(-1, 1) if _is_vector(values) else values.reshape(-1, values.shape[-1])


def _is_vector(values: Float32s) -> bool:
    return values.size == max(values.shape)


def _find(
    matrix: Float32s, state: Mapping[str, Float32s], free: Mapping[str, Bools], own: str
) -> list[tuple[Part, int, int]] | None:
    """Return where a matrix comes from, in as few parts as can be; None if that is not known.

    Args:
        matrix: (rows, columns); a vector has one column.
        state: the weights.
        free: what of them was not found yet; what is found now is taken out.
        own: the name that the weight may have.

    Returns:
        Parts, each with the first row of the matrix that it became, and the one after its last.
    """
    order = [own] if own in state else []
    order += [name for name in state if name != own]
    for cuts in _CUTS:
        if len(matrix) % cuts:
            continue
        size = len(matrix) // cuts
        found: list[tuple[Part, int, int]] = []
        taken = []
        for start in range(0, len(matrix), size):
            block = matrix[start : start + size]
            part = next(_matches(block, order, state, free), None)
            if part is None:
                break
            block = block.T if part.turned else block
            taken.append(_region(free[part.weight], part.row, part.column, block))
            taken[-1][...] = False
            found.append((part, start, start + size))
        if len(found) == cuts:
            return found
        for region in taken:
            region[...] = True
    return None


def _matches(
    block: Float32s,
    order: list[str],
    state: Mapping[str, Float32s],
    free: Mapping[str, Bools],
) -> Iterator[Part]:
    """Yield the parts of weights that a block may come from, and that were not found yet."""
    for name in order:
        if state[name].ndim not in (1, 2):
            continue
        grid = state[name].reshape(len(state[name]), -1)
        for turned in (False, True):
            own = block.T if turned else block
            for row, column in _places(grid.shape, own.shape):
                if not _region(free[name], row, column, own).all():
                    continue
                factor = _factor(own, _region(grid, row, column, own))
                if factor is not None:
                    yield Part(name, row, column, turned, factor)


def _places(whole: tuple[int, ...], part: tuple[int, ...]) -> Iterable[tuple[int, int]]:
    """Return the first rows and columns of the parts that a matrix falls into; none if too many."""
    (rows, columns), (height, width) = whole, part
    if rows % height or columns % width or rows // height * (columns // width) > _MOST_PARTS:
        return ()
    return product(range(0, rows, height), range(0, columns, width))


_Grid = TypeVar("_Grid", Float32s, Bools)


def _region(grid: _Grid, row: int, column: int, block: Float32s) -> _Grid:
    """Return the part of a vector or matrix that a block covers, as a view."""
    rows = slice(row, row + len(block))
    return grid[rows] if grid.ndim == 1 else grid[rows, column : column + block.shape[1]]


def _factor(values: Float32s, part: Float32s) -> float | None:
    """Return what a part of a weight was multiplied by to give values; None if that is not it."""
    if not part.any():
        return None if values.any() else 1.0
    picked = np.random.default_rng(0).integers(part.size, size=_SAMPLES)
    some, own = part.reshape(-1)[picked], values.reshape(-1)[picked]
    at = int(np.abs(some).argmax())
    if some[at] == 0:  # nearly all of it is zero
        at = int(np.abs(part).argmax())
        some, own = part.reshape(-1), values.reshape(-1)
    if own[at] == 0:
        return None
    factor = float(own[at] / some[at])
    if abs(factor - 1) < _CLOSE or part.size == 1:
        factor = 1.0
    if np.abs(some * factor - own).max() > _CLOSE * float(np.abs(own).max()):
        return None
    off = np.abs(part * np.float32(factor) - values).max()
    return factor if off <= _CLOSE * float(np.abs(values).max()) else None
