"""What a service is told when it starts: where it listens, and its limits.

It does not know how a limit is kept. Nothing here needs the extra, so the command line can show the
defaults without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from math import inf

from onepass.errors import InputError

KEY_LENGTH = 16  # characters of the shortest API key that is taken


def with_flag(name: str) -> str:
    """Return the name of a setting with its flag, as messages have it.

    >>> with_flag("max_labels")
    'max_labels (--max-labels)'
    """
    return f"{name} (--{name.replace('_', '-')})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a service; flags of ``onepass serve`` and refusals have the same names.

    Args:
        host: the address that it listens on.
        port: the port; 0 lets the system choose.
        api_keys: the API keys, any of which opens the service; with none it is open. They are never
            shown.
        redact_key: a secret of 16 bytes or more, by which values of redacted texts are hashed and
            names of Faker chosen; the same in all processes, and never shown. Without one, no hash
            can be asked for, and names of Faker are others in each request.
        max_body_bytes: the largest request body, in bytes.
        max_text_chars: the longest text, in characters.
        max_schema_chars: the longest schema, in characters of JSON.
        max_labels: the most labels, fields, choices and relation types of one schema, as
            `onepass.Schema.labels_total` counts.
        max_texts: the most texts of a batch request.
        max_found: the most values found in one text: entities, values of records, two for a
            relation.
        max_requests: the most requests in the service at one time, those being received included.
        queue_texts: the most texts in the queue; more are refused.
        queue_seconds: the longest queue, in seconds of work by the speed of the last batches; more
            is refused.
        batch_chars: the most characters that are read together; schemas count, they are read with
            each text.
        batch_texts: the most texts that are read together.
        batch_delay_ms: milliseconds that a text waits for others, if nothing else is being read.
        timeout: seconds in which a body has to arrive, and then those until its answer.

    Raises:
        InputError: for a limit that leaves nothing, or a key that is too short.

    >>> Settings(api_keys=("a-secret-of-16-characters",))
    Settings(host='127.0.0.1', port=8000, max_body_bytes=1048576, max_text_chars=100000, ...)
    >>> Settings(max_texts=0)
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: max_texts (--max-texts) must be a number above 0, but 0 was given.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    redact_key: bytes | None = field(default=None, repr=False)
    max_body_bytes: int = 1_048_576
    max_text_chars: int = 100_000
    max_schema_chars: int = 131_072
    max_labels: int = 256
    max_texts: int = 64
    max_found: int = 10_000
    max_requests: int = 128
    queue_texts: int = 512
    queue_seconds: float = 10.0
    batch_chars: int = 8_000
    batch_texts: int = 32
    batch_delay_ms: float = 5.0
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if not self.host.strip():
            raise InputError("The host is empty; give an address, such as 0.0.0.0 for all of them.")
        if not 0 <= self.port <= 65535:
            raise InputError(f"The port must be from 0 to 65535, but {self.port} was given.")
        if not 0 <= self.batch_delay_ms < inf:
            raise InputError(
                f"{with_flag('batch_delay_ms')} must be a number from 0 up, but "
                f"{self.batch_delay_ms} was given."
            )
        for name in (one.name for one in fields(self) if one.name not in _NO_LIMITS):
            value = getattr(self, name)
            if not 0 < value < inf:
                raise InputError(
                    f"{with_flag(name)} must be a number above 0, but {value} was given."
                )
        if self.redact_key is not None and len(self.redact_key) < KEY_LENGTH:
            raise InputError(
                f"The key of redaction has {len(self.redact_key)} bytes; give one of {KEY_LENGTH} "
                "or more, made at random."
            )
        for key in self.api_keys:
            if len(key) < KEY_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
                raise InputError(
                    f"An API key must have at least {KEY_LENGTH} characters, all of them printable "
                    "ASCII without spaces; one of those given has not."
                )


_NO_LIMITS = {"host", "port", "api_keys", "redact_key", "batch_delay_ms"}
