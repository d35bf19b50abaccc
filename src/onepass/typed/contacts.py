"""Phone numbers (phonenumbers), e-mail addresses, URLs and IBANs (python-stdnum), in one
spelling each.

An address that reads well may still not exist: nothing is looked up.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from onepass.text.links import link_end
from onepass.typed.unreadable import UnreadableError

_LOCAL = r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"(?P<local>{_LOCAL})@(?P<domain>(?:{_LABEL}\.)+[^\W\d_]{{2,63}})")
_IBAN_WORD = re.compile(r"\s*IBAN\b[:\s]*", re.IGNORECASE)
_HOST = re.compile(rf"(?:{_LABEL}\.)+[^\W\d_]{{2,63}}|localhost|\d{{1,3}}(?:\.\d{{1,3}}){{3}}")


def read_phone(text: str, region: str | None = None) -> str:
    """Return a phone number as E.164.

    Args:
        text: as people write it.
        region: the country whose national numbers are meant; None reads those with a "+" only.

    Raises:
        UnreadableError: if it is no possible number.

    >>> read_phone("+41 (0)44 668 18 00")
    '+41446681800'
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region and region.upper())
    except phonenumbers.NumberParseException as error:
        hint = "" if region else "; a national number needs its region"
        raise UnreadableError(f"{text!r} is not a phone number{hint}.") from error
    if not phonenumbers.is_valid_number(number):
        raise UnreadableError(f"{text!r} is not a phone number that exists in its country.")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def read_email(text: str) -> str:
    """Return an e-mail address with its domain in lower case.

    Raises:
        UnreadableError: if it is none.

    >>> read_email("Ann.Lee@Example.COM")
    'Ann.Lee@example.com'
    """
    found = _EMAIL.fullmatch(_bare(text).removeprefix("mailto:"))
    if found is None:
        raise UnreadableError(f"{text!r} is not an e-mail address.")
    return f"{found['local']}@{found['domain'].lower()}"


def read_url(text: str) -> str:
    """Return a URL with a scheme, its host in lower case; "www.x.org" is read as https.

    Raises:
        UnreadableError: if it is none.

    >>> read_url("WWW.Example.org/Path")
    'https://www.example.org/Path'
    """
    given = text.strip()
    given = given[: link_end(given, 0, len(given))]
    host = re.split(r"[/?#]", given, maxsplit=1)[0]
    if "://" not in given and "@" not in host:  # which would be an e-mail address
        given = f"https://{given}"
    try:
        parts = urlsplit(given)
        host = parts.hostname or ""
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError as error:
        raise UnreadableError(f"{text!r} is not a URL.") from error
    if not _HOST.fullmatch(host) or re.search(r"\s", given):
        raise UnreadableError(f"{text!r} is not a URL.")
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{host}{port}").geturl()


def read_iban(text: str) -> str:
    """Return an IBAN without spaces, its check digits and the form of its country checked.

    Raises:
        UnreadableError: if it is none.

    >>> read_iban("DE89 3704 0044 0532 0130 00")
    'DE89370400440532013000'
    """
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    try:
        return str(iban.validate(_IBAN_WORD.sub("", text)))
    except ValidationError as error:
        raise UnreadableError(f"{text!r} is not an IBAN: {error}") from error


def _bare(text: str) -> str:
    """Return a text without the marks that end its sentence."""
    return text.strip().rstrip(".,;:!?")
