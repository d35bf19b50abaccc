"""Which files a job reads: a file, a pattern, a directory, or a list of them, in a fixed order.

It knows names and sizes, not what is in the files.
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NoReturn, get_args

from onepass.batch.lines import LINE_BYTES
from onepass.batch.packing import ending, packing, unpacked_name
from onepass.batch.streams import names_stream
from onepass.errors import InputError

STDIN = "-"
TextUnit = Literal["line", "file"]  # what one text is in a text file
TEXT_UNITS: tuple[TextUnit, ...] = get_args(TextUnit)
KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "text",
    ".md": "text",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_EXPECTED = "give .jsonl, .csv, .tsv, .txt, .md (each also as .gz or .zst) or .parquet files"


@dataclass(frozen=True, slots=True)
class Source:
    """Something with rows that is there and of a kind that can be read.

    Args:
        kind: "jsonl", "text" (a text a line), "files" (a text a file), "csv", "tsv" or "parquet".
        paths: one file; of the kind "files" any number; none for standard input.
        root: the directory that names of "files" are relative to, if it is read alone.
        most: the bytes that one row may have, or one file of the kind "files".
        named: whether messages may tell the names of its fields: in a file without a header they
            are the data of its first row, and objects may have persons as keys.
        several: whether the job reads others, too.
    """

    kind: str
    paths: tuple[Path, ...] = ()
    root: Path | None = None
    most: int = LINE_BYTES
    named: bool = True
    several: bool = False

    @property
    def path(self) -> Path | None:
        """The file, of kinds that have one; None for standard input."""
        return self.paths[0] if self.paths else None

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return "Standard input" if self.path is None else f"The file {self.path}"

    @property
    def is_stream(self) -> bool:
        """Whether it can be read once only: standard input or a pipe."""
        return self.path is None or _is_stream(self.path)

    @property
    def has_fields(self) -> bool:
        """Whether its rows have fields of their own."""
        return self.kind not in ("text", "files")

    def file_of(self, path: Path) -> str | None:
        """Return what rows of one of its files have in the field "file"; None if they have none.

        >>> Source("csv", (Path("a.csv"),), several=True).file_of(Path("a.csv"))
        'a.csv'
        """
        if self.several or (self.kind == "files" and self.root is None):
            return str(path)
        # a directory of texts is one source of many files
        return (
            path.relative_to(self.root).as_posix() if self.kind == "files" and self.root else None
        )

    def size(self) -> int:
        """Return its bytes on disk; 0 for a stream."""
        return 0 if self.is_stream else sum(path.stat().st_size for path in self.paths)


def find_sources(
    given: str | Path | Sequence[str | Path],
    *,
    text_unit: TextUnit | None = None,
    most: int = LINE_BYTES,
) -> tuple[Source, ...]:
    """Return what a job reads, in the order in which it reads it.

    A directory stands for all files below it whose kind is known, without those whose name or
    directory starts with a dot or an underscore: sorted by name, but first those with rows, and
    then those that are one text each. A link to a file is read under its own name, but not where
    that file is read anyway; a link to a directory is not followed.

    Args:
        given: a path, a pattern with ``*``, ``?``, ``[]`` or ``**``, a directory, or a list of
            them; "-" is standard input.
        text_unit: whether a text file holds a text a "line" or is one text ("file"); None means
            one text in directories, and a text a line elsewhere. With "line" streams hold a text a
            line, too; else they are JSONL.
        most: the bytes that one row may have; longer ones are bad rows, which are never held in
            memory.

    Raises:
        InputError: if there is no such file, its kind is not known, or a link leads nowhere.

    >>> find_sources("a.csv")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: There is no input file a.csv; give the path of an existing file.
    """
    if text_unit not in (None, *TEXT_UNITS):
        raise InputError(f"text_unit is 'line' or 'file', but {text_unit!r} was given.")
    found = []
    for item in _items(given):
        try:
            found += _sources(item, text_unit)
        except OSError as error:  # a name too long, a directory that is closed
            where = "" if error.filename in (None, item) else f" at {error.filename}"
            raise InputError(
                f"The input {item:.80} cannot be read{where}: {error.strerror}."
            ) from error
    if not found:
        raise InputError("No input is given; name at least one file.")
    seen: set[str] = set()
    for path in (path for source in found for path in source.paths):
        real = os.path.realpath(path)
        if real in seen:
            raise InputError(f"The input file {path} is named twice; name it once.")
        seen.add(real)
    if sum(source.path is None for source in found) and len(found) > 1:
        raise InputError("Standard input cannot be joined with files; give one of them.")
    return tuple(replace(source, most=most, several=len(found) > 1) for source in found)


def job_sources(
    given: str | Path | Sequence[str | Path],
    *,
    text_field: str,
    text_unit: TextUnit | None,
    most: int,
) -> tuple[Source, ...]:
    """Return what a job reads, as `find_sources` does, if it can have the field of the job.

    Args:
        given: as in `find_sources`, like the last two.
        text_field: the key or column that holds the text.
        text_unit: what one text is in a text file.
        most: the bytes that one row may have.

    Raises:
        InputError: as `find_sources` does, or if a field is named and none of them has fields, or
            a unit of texts and all of them have fields.
    """
    sources = find_sources(given, text_unit=text_unit, most=most)
    if text_unit is not None and all(source.has_fields for source in sources):
        raise InputError(
            "No text file is among the inputs, and no stream of lines; leave text_unit "
            f"{text_unit!r} (--text-unit) out."
        )
    if text_field != "text" and not any(source.has_fields for source in sources):
        raise InputError("Text files have no fields; leave text_field (--text-field) out.")
    return sources


def left_out(given: str | Path | Sequence[str | Path]) -> Counter[str]:
    """Return how many files of directories are not read since their kind is not known, by ending.

    Args:
        given: as in `find_sources`; names with a dot or an underscore at their start do not count.

    >>> left_out("a.csv")
    Counter()
    """
    folders = [Path(item) for item in _items(given) if item != STDIN and os.path.isdir(item)]
    files = (file for folder in folders for file in _listed(folder, onerror=None))
    return Counter(ending(file) for file in files if _kind(file) is None and file.is_file())


def _items(given: str | Path | Sequence[str | Path]) -> Iterator[str]:
    """Yield the inputs that are given, as strings.

    Raises:
        InputError: if one is no path.
    """
    for item in [given] if isinstance(given, str | os.PathLike) else given:
        path = os.fspath(item) if isinstance(item, str | os.PathLike) else None
        if not isinstance(path, str):  # an `os.DirEntry` of bytes is no string, either
            raise InputError(f"An input is the path of a file, but {item!r:.60} was given.")
        yield path


def is_one_file(first: str | Path, second: str | Path) -> bool:
    """Return whether two names are of one file: if both are there, the system says so.

    Disks of macOS and Windows take ``A.txt`` and ``a.txt`` for one.

    >>> is_one_file("not/there", "not/../not/there"), is_one_file("not/there", "not/here")
    (True, False)
    """
    try:
        return os.path.samefile(first, second)
    except OSError:
        one, other = (os.path.normcase(os.path.realpath(path)) for path in (first, second))
        return one == other


def _sources(given: str, text_unit: TextUnit | None) -> list[Source]:
    streamed = "text" if text_unit == "line" else "jsonl"
    if given == STDIN:
        return [Source(streamed)]
    if not given:
        raise InputError("The name of an input is empty; give the path of a file.")
    path = Path(given)
    if path.is_dir():
        files = _each_once(path, list(_below(path)))
        if not files:
            raise InputError(f"The directory {path} holds nothing that can be read; {_EXPECTED}.")
        return _grouped(files, path, text_unit or "file")
    if path.exists():
        if _is_stream(path):
            return [Source(streamed, (path,))]
        return _grouped([path], path.parent, text_unit or "line")
    if glob.has_magic(given):
        _check_entered(given)
        files = [Path(name) for name in sorted(glob.glob(given, recursive=True))]
        files = [file for file in files if _is_there(file)]
        if not files:
            raise InputError(f"No file fits the pattern {given}; give one that fits some.")
        return _grouped(files, _fixed_part(given), text_unit or "line")
    raise InputError(f"There is no input file {path}; give the path of an existing file.")


def _is_stream(path: Path) -> bool:
    """Return whether a path is a pipe or names a stream of the process, whatever stands behind it.

    >>> _is_stream(Path("/dev/stdin"))
    True
    """
    return not path.is_file() or names_stream(path)


def _grouped(files: Iterable[Path], root: Path, text_unit: TextUnit) -> list[Source]:
    """Return a source for each file, and one for all files that are one text each."""
    sources, documents = [], []
    for file in files:
        kind = _kind(file)
        if kind is None:
            raise InputError(f"The kind of the input file {file} is not known; {_EXPECTED}.")
        if kind == "text" and text_unit == "file":
            documents.append(file)
        else:
            sources.append(Source(kind, (file,)))
    if documents:
        sources.append(Source("files", tuple(documents), root))
    return sources


def _kind(path: Path) -> str | None:
    kind = KINDS.get(unpacked_name(path).suffix.lower())
    return None if kind == "parquet" and packing(path) else kind  # it is packed inside


def _below(root: Path) -> Iterator[Path]:
    """Yield the files below a directory that are read."""
    listed = _listed(root, onerror=_raised)  # a directory that is closed is an error
    return (file for file in listed if _kind(file) is not None and _is_there(file))


def _listed(root: Path, onerror: Callable[[OSError], None] | None) -> Iterator[Path]:
    """Yield all names below a directory that count; for ``onerror`` see `os.walk`."""
    for folder, folders, names in os.walk(root, onerror=onerror):
        folders[:] = [name for name in folders if name[0] not in "._"]
        yield from (Path(folder, name) for name in names if name[0] not in "._")


def _is_there(file: Path) -> bool:
    """Return whether a name that was listed is that of a file; a link that leads nowhere is not."""
    if file.is_symlink() and not file.exists():
        raise InputError(
            f"The input file {file} is a link to something that is not there; mend it or remove it."
        )
    return file.is_file()


def _each_once(root: Path, files: Sequence[Path]) -> list[Path]:
    """Return the files below a directory by name, without links to others of them."""
    links = [file for file in files if file.is_symlink()]
    kept, place = set(files).difference(links), Path(os.path.realpath(root))
    read = {place / file.relative_to(root) for file in kept}
    for link in sorted(links):
        target = Path(os.path.realpath(link))
        if target not in read:
            read.add(target)
            kept.add(link)
    return sorted(kept)


def _raised(error: OSError) -> NoReturn:
    raise error


def _check_entered(pattern: str) -> None:
    """Raise what the system says about a directory that a pattern leads to and that is closed.

    `glob` takes such directories for empty ones.
    """
    parts = Path(pattern).parts
    for count in range(len(_fixed_part(pattern).parts), len(parts) + (parts[-1] == "**")):
        before, after = parts[:count], "".join(parts[count : count + 1])
        is_listed = glob.has_magic(after) or before[-1:] == ("**",)
        for found in glob.iglob(str(Path(*before)), recursive=True):
            if os.path.isdir(found):
                if is_listed:
                    os.scandir(found).close()
                with suppress(FileNotFoundError):  # that it is not there is no matter
                    os.lstat(Path(found, after))


def _fixed_part(pattern: str) -> Path:
    """Return the directories that a pattern starts with.

    >>> _fixed_part("mails/2024/*.txt").as_posix()
    'mails/2024'
    """
    parts = Path(pattern).parts
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:fixed])
