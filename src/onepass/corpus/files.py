"""Which files of a directory are annotated ones, and what they are called in reports.

It knows names, and nothing of what is in a file but whether it holds columns or a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path

from onepass.corpus.conll import is_columns
from onepass.corpus.docbin import SUFFIX as DOCUMENTS
from onepass.corpus.rows import check_regular
from onepass.corpus.tables import SUFFIXES as TABLES
from onepass.errors import InputError

_SUFFIXES = (".jsonl", ".jsonl.gz")


def find_files(
    paths: Sequence[Path], *, left_out: Callable[[Path], None] | None = None
) -> dict[str, Path]:
    """Return annotated files by name.

    Args:
        paths: files and directories. Directories are searched for ``.jsonl`` and ``.jsonl.gz``;
            where there are none, for ``.json`` and columns (``.conll``, ``.txt``, ...); where there
            are none either, for tables (``.csv``, ``.parquet``) and documents of spaCy
            (``.spacy``). A file of a directory is named by its place below it, without the suffix;
            a file of its own by its name. Where that name is taken it is the whole path, then the
            path with the suffix.
        left_out: is told of each such file that stands in a directory beside others, which are
            read in its place; but not of ``NAME.labels.json``.

    Raises:
        InputError: if a path does not exist or is a pipe, or a directory has no such file.
    """
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise InputError(f"There is no file or directory {path}; give one that exists.")
        check_regular(path)
        files = [path] if path.is_file() else _below(path, left_out)
        if not files:
            raise InputError(
                f"The directory {path} has no {' or '.join(_SUFFIXES)} file, no columns such as "
                "in .conll, and no table or documents in .csv, .parquet or .spacy."
            )
        base = path.parent if path.is_file() else path
        for file in files:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                found[_name(file, base, found)] = file
    return found


def _name(file: Path, base: Path, taken: Mapping[str, Path]) -> str:
    """Return the first name of a file that is not taken."""
    whole = file.as_posix()
    counted = (f"{whole} {number}" for number in count(2))
    names = chain((_stem(file.relative_to(base)), _stem(file), whole), counted)
    return next(name for name in names if name not in taken)


def _below(directory: Path, left_out: Callable[[Path], None] | None) -> list[Path]:
    files = sorted(file for file in directory.rglob("*") if file.is_file())
    rows = [file for file in files if file.name.endswith(_SUFFIXES)]
    others = [
        file
        for file in files
        if is_columns(file) or (file.suffix == ".json" and not file.name.endswith(".labels.json"))
    ]
    tables = [file for file in files if _is_table(file)]
    read, *beside = [kind for kind in (rows, others, tables) if kind] or [[]]
    if left_out is not None:
        for file in chain.from_iterable(beside):
            left_out(file)
    return read


def _is_table(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith((*TABLES, DOCUMENTS))


def _stem(path: Path) -> str:
    name = path.as_posix().removesuffix(".gz").removesuffix(".jsonl")
    if is_columns(path) or _is_table(path):
        return str(Path(name).with_suffix(""))
    return name.removesuffix(".json")
