"""What a value is replaced by: stars, its label, a keyed hash or a pseudonym.

It knows values and labels, not where they stand.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from operator import methodcaller
from typing import Any

from onepass.errors import InputError, MissingExtra
from onepass.redact.kinds import kind_of, spelled
from onepass.redact.plain import unbroken

ACTIONS = ("mask", "label", "hash", "pseudonym")
LEAST_KEY = 16  # bytes
_DIGITS = 16  # of a hash: 64 bits
_TRIES = 100  # for a name that is not taken
_NUMBERED = re.compile(r"\[[^\[\]\n]{1,200} [0-9]{1,9}\]")

# Between fixed days, or the same key would give another date tomorrow.
_BORN = {"min": date(1940, 1, 1).toordinal(), "max": date(2005, 12, 31).toordinal()}

# What of Faker stands in for a label; other labels get a number.
_FAKES = {
    "person": "name", "name": "name", "full name": "name", "address": "address",
    "email address": "ascii_safe_email", "email": "ascii_safe_email",
    "phone number": "phone_number",
    "organization": "company", "company": "company", "location": "city", "city": "city",
    "username": "user_name", "url": "url", "ip address": "ipv4_private", "iban": "iban",
    "credit card number": "credit_card_number",
}  # fmt: skip
_MAKERS: Mapping[str, Callable[[Any], object]] = {
    **{label: methodcaller(name) for label, name in _FAKES.items()},
    "date of birth": lambda faker: date.fromordinal(faker.random_int(**_BORN)),
}


class Replacer:
    """Makes replacements; one value has one pseudonym as long as the replacer lives.

    It remembers the pseudonyms that it gave, some hundred bytes for each value, and numbers that
    it was told to avoid.

    Args:
        actions: what is done, by label; "" is for all others.
        key: of hashes and of Faker's names; the same key gives the same ones again.
        faker: a locale, such as "en_US", whose names are pseudonyms; None numbers them.

    Raises:
        InputError: for an unknown action, or a hash without a key of 16 bytes.
        MissingExtra: if Faker is asked for and not installed.

    >>> replacer = Replacer({"": "pseudonym", "phone number": "mask"})
    >>> [replacer.replacement("person", name) for name in ("Anna Weiss", "Bo", "ANNA  WEISS")]
    ['[person 1]', '[person 2]', '[person 1]']
    >>> replacer.replacement("phone number", "555 0100")
    '*** ****'
    """

    def __init__(
        self, actions: Mapping[str, str], *, key: bytes | None = None, faker: str | None = None
    ) -> None:
        for action in actions.values():
            if action not in ACTIONS:
                raise InputError(
                    f"The action must be one of {', '.join(ACTIONS)}, but {action!r:.60} was given."
                )
        if "hash" in actions.values() and key is None:
            raise InputError(
                "The action hash needs a key, or anybody could try names until one fits; give one "
                "that you keep secret: key in Python, --key-file or the variable "
                "ONEPASS_REDACT_KEY on the command line."
            )
        if key is not None and not isinstance(key, bytes):
            raise InputError(
                f"The key must be bytes, but a {type(key).__name__} was given; write b'...' or "
                "encode it."
            )
        if key is not None and len(key) < LEAST_KEY:
            raise InputError(
                f"The key has {len(key)} bytes; give one of {LEAST_KEY} or more, made at random."
            )
        self._actions = dict(actions)
        self._key = key or secrets.token_bytes(32)
        self._given: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._avoided: set[str] = set()  # "[label n]" in lower case
        self._faker = None if faker is None else _open_faker(faker)

    def action(self, label: str) -> str:
        """Return what is done with a label."""
        return self._actions.get(label, self._actions.get("", "label"))

    def replacement(self, label: str, text: str) -> str:
        """Return what a value is replaced by."""
        action = self.action(label)
        if action == "mask":
            return re.sub(r"\S", "*", text)
        if action == "label":
            return f"[{label}]"
        if action == "hash":
            return f"[{label} {self._digest(normal(text)).hex()[:_DIGITS]}]"
        at = (label, normal(text))
        if at not in self._given:
            self._given[at] = self._pseudonym(label, at[1])
        return self._given[at]

    def avoid(self, text: str) -> None:
        """Give no value a numbered pseudonym that stands in a text, where it is somebody else's.

        >>> replacer = Replacer({"": "pseudonym"})
        >>> replacer.avoid("[person 1] met Bo.")
        >>> replacer.replacement("person", "Bo")
        '[person 2]'
        """
        if "pseudonym" in self._actions.values():
            self._avoided.update(match[0].casefold() for match in _NUMBERED.finditer(text))

    def remember(self, label: str, text: str, replacement: str) -> None:
        """Give a value the pseudonym that it was given elsewhere.

        >>> replacer = Replacer({"": "pseudonym"})
        >>> replacer.remember("person", "Bo", "[person 1]")
        >>> replacer.replacement("person", "Anna"), replacer.replacement("person", "BO")
        ('[person 2]', '[person 1]')
        """
        at = (label, normal(text))
        if self.action(label) != "pseudonym" or at in self._given:
            return
        self._given[at] = replacement
        number = replacement.removeprefix(f"[{label} ").removesuffix("]")
        if self._fake(label) is None and number.isdecimal():  # some may have been left out
            self._counts[label] = max(self._counts[label], int(number))
        else:
            self._taken.add(replacement)

    def _fake(self, label: str) -> Callable[[Any], object] | None:
        """Return what of Faker stands in for a label; None for a number."""
        if self._faker is None:
            return None
        kind = kind_of(label)
        names = (spelled(label),) if kind is None else kind.names
        return next((_MAKERS[name] for name in names if name in _MAKERS), None)

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def _pseudonym(self, label: str, value: str) -> str:
        fake = self._fake(label)
        if fake is None:
            while True:
                self._counts[label] += 1
                name = f"[{label} {self._counts[label]}]"
                if name.casefold() not in self._avoided:
                    return name
        for attempt in range(_TRIES):
            name = self._named(fake, f"{value}\0{attempt}")
            if name not in self._taken and normal(name) != value:
                break
        self._taken.add(name)
        return name

    def _named(self, fake: Callable[[Any], object], seed: str) -> str:
        if self._faker is None:
            raise AssertionError("no Faker")
        self._faker.seed_instance(int.from_bytes(self._digest(seed)[:8], "big"))
        return " ".join(str(fake(self._faker)).split())  # one line


def normal(text: str) -> str:
    r"""Return the form of a value in which equal ones are equal.

    Case, blanks, line ends and what is invisible do not count.

    >>> normal(" Anna\nWEI\u00adSS, ")
    'anna weiss'
    """
    folded = unicodedata.normalize("NFKC", unbroken(text)).casefold()
    return " ".join(folded.split()).strip(" .,;:!?'\"()[]") or folded


def _open_faker(locale: str) -> Any:
    try:
        from faker import Faker
    except ImportError as error:
        raise MissingExtra("A pseudonym of Faker", "redact") from error
    try:
        return Faker(locale)
    except AttributeError as error:
        raise InputError(
            f"Faker has no locale {locale!r:.60}; give one such as en_US or de_DE."
        ) from error
