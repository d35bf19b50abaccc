"""Names of the streams of a process, such as /dev/stdout: what stands behind them is no matter.

It knows names, and what kind of file stands behind one.
"""

from __future__ import annotations

import re
from pathlib import Path

_NUMBERS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_NUMBERED = re.compile(r"/(dev|proc/self|proc/[0-9]+)/fd/([0-9]+)")
STDOUT = 1


def names_stream(path: Path) -> bool:
    """Return whether a path names a stream of a process, also where a file stands behind it.

    >>> [names_stream(Path(name)) for name in ("/dev/stdin", "/proc/7/fd/1", "a.txt")]
    [True, True, False]
    """
    name = path.as_posix()
    return name in _NUMBERS or _NUMBERED.fullmatch(name) is not None


def is_device(output: Path) -> bool:
    """Return whether a name is that of a device, a pipe or a stream of the process.

    Its ending may mean nothing, and what stands behind it must stay.
    """
    is_other = output.exists() and not output.is_file() and not output.is_dir()
    return is_other or names_stream(output)


def own_stream(path: Path) -> int | None:
    """Return the number of the stream of this process that a path names; None if it names none.

    >>> own_stream(Path("/dev/stdout")), own_stream(Path("/dev/fd/3")), own_stream(Path("a"))
    (1, 3, None)
    """
    name = path.as_posix()
    found = _NUMBERED.fullmatch(name)
    if found is None:
        return _NUMBERS.get(name)
    return int(found[2]) if found[1] in ("dev", "proc/self") else None
