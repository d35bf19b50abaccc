"""JSON files of a checkpoint, read strictly. Knows nothing of what stands in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from onepass.errors import CheckpointError
from onepass.schema.nesting import TOO_DEEP, is_too_deep
from onepass.schema.shown import json_reason


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of a checkpoint.

    Args:
        path: a UTF-8 file.

    Raises:
        CheckpointError: if it is missing, cannot be read, or does not hold a JSON object.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "config.json")
    ...     _ = path.write_text('{"max_width": 8}')
    ...     read_json(path)
    {'max_width': 8}
    """
    if not path.is_file():
        raise CheckpointError(
            f"The checkpoint {path.parent} has no {path.name}; copy the file there, or download "
            "the checkpoint again."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {json_reason(error)}"
        raise _unreadable(path, reason) from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"byte {error.start} is not UTF-8") from error
    except RecursionError as error:
        raise _unreadable(path, TOO_DEEP) from error
    except (OSError, ValueError) as error:  # ValueError: an int of 5,000 digits
        raise _unreadable(path, str(error)) from error
    if is_too_deep(content):
        raise _unreadable(path, TOO_DEEP)
    if not isinstance(content, dict):
        raise CheckpointError.damaged(
            path, f"must hold a JSON object, not a {type(content).__name__}"
        )
    return content


def _unreadable(path: Path, reason: str) -> CheckpointError:
    return CheckpointError.damaged(path, f"is not readable JSON ({reason})")
