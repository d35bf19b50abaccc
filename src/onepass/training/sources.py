"""The files that a run trains on: found, checked, brought into one format, a part held out.

It knows file names and formats, not what is done with the examples.
"""

from __future__ import annotations

import json
import os
import random
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from onepass.corpus.checks import as_object
from onepass.corpus.example import Example
from onepass.corpus.formats import Format, format_of, read_any
from onepass.corpus.jsonl import read_examples, write_examples
from onepass.corpus.rows import is_one_json
from onepass.errors import InputError
from onepass.schema.shown import shown
from onepass.training.asking.means import Borrowed
from onepass.training.checks import is_from_0
from onepass.training.data import LineFile

MOST_HELD_OUT = 500

_MIX = "mix.json"
_SHOWN = 3  # missing surfaces that are told one by one


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """What a run trains on.

    Attributes:
        files: name of a source to its file.
        weights: name to relative weight; those without one weigh as their number of entries.
        held_out: examples that are in none of the files.
        borrowed: name of a file in GLiNER's format that never says which names do not hold in a
            text, to the names of all of its texts, which have to serve.
        mixes: of each directory with a ``mix.json`` the weights that it gives, all above 0.
    """

    files: Mapping[str, LineFile]
    weights: Mapping[str, float]
    held_out: tuple[Example, ...]
    borrowed: Mapping[str, Borrowed] = field(default_factory=dict)
    mixes: tuple[Mapping[str, float], ...] = ()


class FoundFiles(NamedTuple):
    """Training files: by name, and of each directory with a ``mix.json`` the weights in it."""

    files: Mapping[str, Path]
    mixes: Sequence[Mapping[str, float]]


def find_files(paths: Sequence[Path]) -> FoundFiles:
    """Return the files that are trained on, without a look into them.

    Args:
        paths: as in `open_sources`.

    Raises:
        InputError: if there is no file, or two have the same name.
    """
    found: dict[str, Path] = {}
    mixes: list[Mapping[str, float]] = []
    for path in paths:
        here, mix = _files(path)
        for name, file in here.items():
            _add(found, name, file)
        if mix:
            mixes.append(mix)
    if not found:
        raise InputError(
            f"There is nothing to train on in {', '.join(map(str, paths))}: no file has a weight "
            f"above 0 in {_MIX}; give one."
        )
    return FoundFiles(found, mixes)


def open_sources(
    paths: Sequence[Path],
    *,
    into: Path,
    held_out: float,
    seed: int,
    report: Callable[[str], None],
    whole: Collection[str] = (),
) -> Sources:
    """Find, check and open training files.

    Args:
        paths: files (of lines, or of one JSON list), or directories of ``.jsonl`` and
            ``.jsonl.gz`` files; of a directory with a ``mix.json`` only the files that it gives a
            weight above 0.
        into: directory that receives what has to be converted.
        held_out: share of all entries that is held out, at most `MOST_HELD_OUT`.
        seed: of their choice.
        report: is told of what was converted, and of what was not found in its text.
        whole: names of files of which nothing is held out.

    Raises:
        InputError: if there is no file, a file is wrong, or two have the same name.
    """
    found, mixes = find_files(paths)
    names = {name: _Names() for name in found}
    plain = {name: _plain(path, name, into, names[name], report) for name, path in found.items()}
    files = {name: LineFile(path) for name, path in plain.items()}
    chosen = _choose({n: f for n, f in files.items() if n not in whole}, held_out, seed)
    examples = [files[name].example(i) for name, indices in chosen.items() for i in indices]
    files |= {name: LineFile(plain[name], without=own) for name, own in chosen.items()}
    lent = {name: one.borrowed() for name, one in names.items()}
    borrowed = {name: one for name, one in lent.items() if one != Borrowed()}
    weights = weights_of(files, mixes)
    return Sources(files, weights, tuple(examples), borrowed, tuple(mixes))


def weights_of(
    files: Mapping[str, LineFile], mixes: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """Return the relative weights of files, where they do not weigh as their number of entries.

    Weights of mixes count among each other as they are. Beside a file without a weight each mix
    weighs as all entries of its files do, and shares that out.

    Args:
        files: name to file.
        mixes: name to weight, of each directory that gives weights; names without a file do not
            count.
    """
    own = [{name: mix[name] for name in mix if name in files} for mix in mixes]
    if set(files) != {name for mix in own for name in mix}:
        own = [_sized(mix, files) for mix in own]
    return {name: weight for mix in own for name, weight in mix.items()}


def _sized(mix: Mapping[str, float], files: Mapping[str, LineFile]) -> dict[str, float]:
    """Return weights in the same proportions whose sum is the number of entries."""
    largest = max(mix.values(), default=1.0)
    shares = {name: weight / largest for name, weight in mix.items()}  # their sum is finite
    entries, whole = sum(len(files[name]) for name in mix), sum(shares.values())
    return {name: entries * share / whole for name, share in shares.items()}


def by_length(sources: Sources, bounds: Sequence[int]) -> Sources:
    """Return sources whose texts of different length are drawn equally often.

    Args:
        sources: everything that there is.
        bounds: rising numbers of words; a text belongs to the first that it is shorter than, or
            behind the last.
    """
    files: dict[str, LineFile] = {}
    weights: dict[str, float] = {}
    for name, file in sources.files.items():
        buckets: list[list[int]] = [[] for _ in range(len(bounds) + 1)]
        for i in range(len(file)):
            words = len(file.example(i).text.split())
            buckets[bisect_right(bounds, words)].append(i)
        filled = [(number, own) for number, own in enumerate(buckets) if own]
        whole = sources.weights.get(name, float(len(file)))
        for number, own in filled:
            key = f"{name} {number}"
            files[key] = file.only(own)
            weights[key] = whole / len(filled)
    return replace(sources, files=files, weights=weights)


@dataclass(slots=True)
class _Names:
    """Labels and relation types of a file, and whether some text says which do not hold in it."""

    labels: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    negative_labels: bool = False
    negative_types: bool = False

    def noted(self, examples: Iterable[Example]) -> Iterator[Example]:
        """Yield examples and note what they ask."""
        for example in examples:
            self.labels.update(example.asked)
            self.types.update(example.asked_relations)
            self.negative_labels |= not set(example.asked) <= {m.label for m in example.entities}
            held = {relation.type for relation in example.relations}
            self.negative_types |= not set(example.asked_relations) <= held
            yield example

    def borrowed(self) -> Borrowed:
        """Return what texts of the file are asked of each other."""
        return Borrowed(
            () if self.negative_labels else tuple(sorted(self.labels)),
            () if self.negative_types else tuple(sorted(self.types)),
        )


def _files(path: Path) -> tuple[dict[str, Path], dict[str, float]]:
    """Return the files of a path by name, and their weights, if there is a mix."""
    if path.is_file():
        return {_name(path): path}, {}
    if not path.is_dir():
        raise InputError(f"There is no file or directory {path}; give the path of training data.")
    files: dict[str, Path] = {}
    for file in sorted(path.iterdir()):
        if file.name.endswith((".jsonl", ".jsonl.gz")):
            _add(files, _name(file), file)
    if not files:
        raise InputError(
            f"The directory {path} has no .jsonl or .jsonl.gz file; give files with other endings "
            "(.json, columns, tables) by their names."
        )
    if not (path / _MIX).is_file():
        return files, {}
    weights = _read_mix(path / _MIX)
    for name in weights:
        if name not in files:
            raise InputError(f"{path / _MIX} names {name!r}, but {path} has no {name}.jsonl.")
    used = {name: weight for name, weight in weights.items() if weight}
    return {name: files[name] for name in files if name in used}, used


def _add(files: dict[str, Path], name: str, file: Path) -> None:
    if name in files:
        if files[name].resolve() == file.resolve():
            raise InputError(f"{file} is given twice; give it once.")
        raise InputError(f"{files[name]} and {file} are both called {name!r}; rename one of them.")
    files[name] = file


def _name(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")


def _read_mix(path: Path) -> dict[str, float]:
    try:
        row = as_object(json.loads(path.read_text(encoding="utf-8")), "the mixture")
    except ValueError as error:  # of JSON, of UTF-8, and InputError
        raise InputError(f"{path} is not a JSON object of names and weights: {error}") from error
    for name, weight in row.items():
        if not is_from_0(weight):
            raise InputError(
                f"{path}: the weight of {name!r} must be a finite number from 0, "
                f"not {shown(weight)}."
            )
    return {name: float(weight) for name, weight in row.items()}


def _plain(path: Path, name: str, into: Path, names: _Names, report: Callable[[str], None]) -> Path:
    """Return a file in onepass's own format, uncompressed, every line of it checked."""
    form = format_of(path)
    if form is Format.ONEPASS and path.suffix != ".gz" and not is_one_json(path):
        for _ in read_examples(path):  # a wrong line is told now, not hours later
            pass
        return path
    into.mkdir(parents=True, exist_ok=True)
    missing: list[str] = []
    converted = into / f"{name}.jsonl"
    left_out: list[str] = []
    examples = read_any(path, on_missing=missing.append, on_left_out=left_out.append)
    if form is Format.GLINER:
        examples = names.noted(examples)
    count = write_at_once(converted, examples)
    report(f"{path}: {count} examples read, format {form.value}")
    for sentence in (*left_out, *missing[:_SHOWN]):
        report(sentence)
    if len(missing) > _SHOWN:
        report(f"{path}: {len(missing) - _SHOWN} more values do not stand in their texts")
    if not count:
        raise InputError(f"{path} holds no example; give a file that holds some.")
    return converted


def write_at_once(path: Path, examples: Iterable[Example]) -> int:
    """Write examples to a file that others may be reading, and return how many there were."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        count = write_examples(partial, examples)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _choose(
    files: Mapping[str, LineFile], held_out: float, seed: int
) -> dict[str, tuple[int, ...]]:
    """Return the indices of each file that are held out; every file keeps an entry."""
    places = [(name, index) for name, file in files.items() for index in range(len(file))]
    count = min(round(held_out * len(places)), MOST_HELD_OUT)
    drawn = random.Random(f"{seed}/held out").sample(places, count)
    chosen: dict[str, list[int]] = {name: [] for name in files}
    for name, index in drawn:
        if len(chosen[name]) < len(files[name]) - 1:
            chosen[name].append(index)
    return {name: tuple(sorted(indices)) for name, indices in chosen.items()}
