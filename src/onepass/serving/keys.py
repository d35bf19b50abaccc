"""API keys: where they come from, and whether a request has one.

They come from a file or from the environment, never from the command line, where other users of the
machine would see them. It does not know what a key opens.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from onepass.errors import InputError

VARIABLE = "ONEPASS_API_KEYS"


class Keys:
    """The keys of a service; only their digests are kept.

    >>> keys = Keys(["a-secret-of-16-characters"])
    >>> keys.open_for({b"authorization": b"Bearer a-secret-of-16-characters"})
    True
    >>> keys.open_for({b"x-api-key": b"a guess"})
    False
    >>> Keys([]).open_for({})
    True
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = [_digest(key.encode()) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def open_for(self, headers: Mapping[bytes, bytes]) -> bool:
        """Say whether a request may go on; how long that takes does not depend on the key.

        Args:
            headers: by lower-case names; ``Authorization: Bearer KEY`` or ``X-API-Key: KEY``. If
                both are there, one has to be right.
        """
        if not self._digests:
            return True
        scheme, _, bearer = headers.get(b"authorization", b"").partition(b" ")
        # Both are looked at: a proxy may send a bearer token of its own beside the key.
        given = (
            bearer.strip() if scheme.lower() == b"bearer" else b"",
            headers.get(b"x-api-key", b""),
        )
        digests = [_digest(one) for one in given]
        # Digests have one length, and all are compared: no time tells which key, or how much of it.
        return (
            sum(hmac.compare_digest(one, known) for one in digests for known in self._digests) > 0
        )


def read_keys(environment: Mapping[str, str], file: Path | None = None) -> tuple[str, ...]:
    """Return the keys of the environment and of a file.

    Args:
        environment: ``ONEPASS_API_KEYS`` holds keys with commas between them.
        file: one key a line; empty lines and lines that start with # are left out.

    Raises:
        InputError: if the file cannot be read or has no key in it, or the variable has only blanks
            and commas.

    >>> read_keys({"ONEPASS_API_KEYS": "first-key, second-key"})
    ('first-key', 'second-key')
    """
    given = environment.get(VARIABLE, "")
    keys = [key.strip() for key in given.split(",")]
    if given and not any(keys):
        raise InputError(f"{VARIABLE} has no key in it; put keys there, or leave it out.")
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The file of API keys {file} cannot be read; give a text file with one key a line."
            ) from error
        kept = [line.strip() for line in lines if not line.lstrip().startswith("#")]
        if not any(kept):
            raise InputError(f"The file of API keys {file} has no key in it; write one a line.")
        keys += kept
    return tuple(dict.fromkeys(key for key in keys if key))


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
