"""The kinds of personal data that are known by name: how they look and how they are checked.

A label that is not listed here is found by the model alone. Labels are matched whatever their case,
hyphens and the spelling of e-mail.
"""

from __future__ import annotations

from dataclasses import dataclass

from onepass.redact import checks, named, national, patterns, tokens
from onepass.redact.checks import Check
from onepass.redact.readings import Finder, together

# What is looked for if nothing is said: a name the model reads, and what helps it.
PII = (
    "person", "address", "date of birth", "email address", "phone number", "username", "password",
    "access token",
    "credit card number", "bank account number", "IBAN", "IP address", "URL",
    "social security number", "national ID number", "passport number", "driver's license number",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known about a kind.

    Attributes:
        names: other names of it.
        finder: of its fixed form.
        score: of what the finder finds, before the check.
        check: of its values.
        partly: whether the finder knows only those behind a word that names them, so that the model
            is asked for others as if there were none.
    """

    names: tuple[str, ...]
    check: Check
    finder: Finder | None = None
    score: float = 0.0
    partly: bool = False


_KINDS = (
    Kind(("email", "email address"), checks.email, patterns.emails, 0.8),
    Kind(("url", "link", "web address", "website"), checks.url, patterns.urls, 0.8),
    Kind(("ip", "ip address"), checks.ip, patterns.ips, 0.5),
    Kind(("iban",), checks.iban, patterns.ibans, 0.6),
    Kind(
        ("credit card number", "credit card", "card number", "payment card"),
        checks.luhn,
        patterns.cards,
        0.5,
    ),
    Kind(("phone number", "phone", "telephone number", "telephone"), checks.phone,
         patterns.phones, 0.6),
    Kind(("social security number", "ssn"), checks.ssn, patterns.ssns, 0.5),
    Kind(("bank account number", "bank account", "account number"), checks.account),
    Kind(
        ("national id number", "national id", "identity number", "tax id", "tax number"),
        national.national_id,
        national.national_ids,
        0.5,
    ),
    Kind(
        ("access token", "api token", "api key", "secret key", "private key", "jwt"),
        tokens.token,
        together(tokens.tokens, named.keys),
        0.8,
    ),
    Kind(("password", "passphrase"), checks.unknown, named.passwords, 0.8, partly=True),
    Kind(("username", "user name", "login"), checks.unknown, named.usernames, 0.8, partly=True),
)  # fmt: skip
_BY_NAME = {name: kind for kind in _KINDS for name in kind.names}


def kind_of(label: str) -> Kind | None:
    """Return what is known about a label.

    >>> kind_of("E-Mail address") is kind_of("email"), kind_of("person")
    (True, None)
    """
    return _BY_NAME.get(spelled(label))


def spelled(label: str) -> str:
    """Return the one spelling of a label.

    >>> spelled("Phone_Number"), spelled("E-Mail"), spelled("credit-card")
    ('phone number', 'email', 'credit card')
    """
    one = label.lower().replace("e-mail", "email").replace("_", " ").replace("-", " ")
    return " ".join(one.split())
