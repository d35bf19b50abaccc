"""Passwords, keys and user names behind a word that names them: `DB_PASSWORD=`, `"login": `.

What they are is said by the name alone, since they have no form of their own. So what follows a
name must not be a word of a sentence, nor stand for a value (`<password>`, `${PASSWORD}`, `****`).
Patterns are written so that no text makes them slow: what can repeat is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from onepass.redact.plain import ALL
from onepass.redact.readings import Finder, Span, plainly

_START = r"(?:(?<![^\W_])|(?<=[a-z0-9])(?=[A-Z]))"  # of a word, also inside of one: db_user, dbUser
_BETWEEN = "[ _-]?"
# What stands between a name and its value; the quotation mark of a key in JSON says that it is one,
# and a name may be in bold.
_BEHIND = (
    r"[0-9]{0,2}[*_]{0,2}(?P<key>\\{0,3}[\"'`]\]?)?"
    r"[ \t\u00a0\u202f]{0,8}(?P<sign>=>|:=|={1,2}|:)(?:\*\*(?=[ \t]))?[ \t\u00a0\u202f]{0,8}"
)
_QUOTED = re.compile(
    r"(?P<mark>\\{0,3}[\"'`])(?P<value>(?!(?P=mark))[^\r\n]{1,8000}?)(?<!\\)(?P=mark)"
)
# It ends before the next name of a row (user=bo;password=hunter2;port=1), and before a tag.
_RUN = re.compile(
    r"(?P<value>(?![\"'`(\[{<,;)])"
    r"(?:(?!\\?\"|[;,&|](?=[\w ]{1,40}[=:])|<[/a-z]|['`][,;)\]}])\S){1,8000})",
    re.I,
)
_CUT_OFF = re.compile(rf"([\"'`])(?!\1){_RUN.pattern}", re.I)  # where a text ends inside of marks
_CLOSING = ",;:.\"'`\\"
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))

# Words that say how a value is, or of what type, and no value.
_WORDS = (
    "required|optional|mandatory|needed|missing|empty|blank|hidden|redacted|masked|removed|unknown|"
    "invalid|incorrect|wrong|bad|weak|strong|expired|forgotten|forgot|changed|unchanged|reset|set|"
    "unset|not|no|yes|on|off|ok|true|false|none|null|nil|undefined|default|any|n/a|see|same|as|the|"
    "an?|your|my|is|are|please|enter|type|string|str|text|bytes|char|varchar|int|integer|number|"
    "bool|boolean|object|date|secret(?:str)?|optional\\[.*|failed|failure|success|successful|"
    "successfully|denied|accepted|rejected|error|ja|nein|erforderlich|falsch|oui|non|requis|bearer|basic"
)
_NO_VALUE = re.compile(
    rf"(?:{_WORDS})[.!?:]?"
    r"|[*\u2022\u25cf.\u2026_#?-]+|x{2,}"  # hidden
    r"|<.*>|\[.*\]|\{.*\}|[$#][{(].*|\(.*\)|%[a-z]{1,40}%?|%\(.*"  # of templates
    r"|your[_-].*"
    r"|[a-z_.]{1,100}\((?:.*\)|['\"].*|[a-z_.]*)"  # of programs
    r"|(?:os|self|this|process|env|environ|config|settings|"
    r"request|args)[.\[].*",
    re.I | re.S,
)
_VARIABLE = re.compile(r"\$(?:[A-Z_][A-Z0-9_]*|[a-z][a-z_]*)")
_LETTER = re.compile(r"[^\W\d_]")
_ODD = re.compile(r"[0-9]|[^\w\s.,:\"'\u2019/?!-]|[a-z][A-Z]")  # no word of a sentence has it
_NUMBER = re.compile(r"[\d.,:/+-]{1,20}(?:%|[a-z]{1,2})?")
_UNIT = re.compile(
    r"[ -](?:char|letter|digit|sign|symbol|minute|hour|day|Zeichen|caract|teken)", re.I
)
_LINE_BEGINS = re.compile(r"(?:^|[\r\n])[^\w\r\n]{0,20}[\w.-]{0,40}\Z")
_LONGEST_BEFORE = 64
_LINE_ENDS = re.compile(r"[^\w\r\n]{0,10}(?:[\r\n]|\Z)")


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of values of a kind, and when what follows one is a value.

    Attributes:
        pattern: of a name and what stands before its value.
        least: characters of a value in a sentence.
        sure: whether the name is no other word, so that any run behind "=" and any that ends its
            line is a value.
    """

    pattern: re.Pattern[str]
    least: int
    sure: bool


def _named(names: str, begins: str, *, least: int, sure: bool) -> _Names:
    pattern = f"(?i:(?=[{begins}]))(?P<name>{names}){_BEHIND}"  # most letters begin none: fast
    return _Names(re.compile(pattern), least, sure)


_PASSWORDS = (
    _named(
        "(?i:password|passwd|passwort|passphrase|kennwort|wachtwoord|contrase\u00f1a|"
        "\u043f\u0430\u0440\u043e\u043b\u044c|\u5bc6\u7801|\u5bc6\u78bc|\u30d1\u30b9\u30ef\u30fc\u30c9|"
        "\ube44\ubc00\ubc88\ud638)"
        f"|{_START}(?i:pass{_BETWEEN}(?:word|phrase|code)|pwd|pw|mots? de passe|contrasena|senha)",
        r"ckmpsw\u0080-\uffff",
        least=4, sure=True,
    ),
    _named(f"{_START}(?i:pass)", "p", least=5, sure=False),
)  # fmt: skip
_KEYS = (
    _named(
        f"{_START}(?i:(?:api|access|secret|private|account|encryption|signing|master|auth)"
        f"{_BETWEEN}key|(?:client|app|api|consumer|webhook|shared){_BETWEEN}secret"
        f"|(?:access|auth|authentication|api|refresh|bearer|session|security|csrf|bot|oauth)"
        f"{_BETWEEN}token)",
        "abcemoprsw",
        least=6, sure=True,
    ),
    _named(f"{_START}(?i:secret|token)", "st", least=8, sure=False),
)  # fmt: skip
_USER = re.compile(
    f"(?i:(?=[bglnpu]))(?P<name>{_START}(?<!(?i:last)[ _-])(?<!//)"
    f"(?i:user{_BETWEEN}name|user{_BETWEEN}id|(?:pg)?user|login{_BETWEEN}name|login|benutzername|"
    f"usuario|gebruikersnaam|nom d['\u2019]utilisateur)){_BEHIND}"
)
_LOGIN = re.compile(r"(?P<value>[^\W\d_][\w.@+\\-]{0,63})(?<![.@+\\-])")
_CUT = re.compile(r"[!?(\[\w@+\\-]|:\S|\.[^\s.]")  # a call, a link, a longer run, a question
_GOES_ON = re.compile(r"[ \t]{1,8}(?![\w -]{1,20}[:=])[^\W_]")
_NO_WORD = re.compile(r"[0-9_]|[^\W\d]\.[^\W\d]")


def _secrets(kinds: tuple[_Names, ...]) -> Finder:
    @plainly(ALL)
    def find(text: str) -> Iterator[Span]:
        found: set[Span] = set()
        for names in kinds:
            done = 0
            for name in names.pattern.finditer(text):
                place = None if name.start() < done else _value(text, name.end())
                if place is None:
                    continue
                if _is_secret(text, name, place, names):
                    found.add(place)
                elif place[0] > name.end():  # in quotation marks, where sentences may stand
                    continue
                done = place[1]
        yield from sorted(found)

    return find


passwords = _secrets(_PASSWORDS)
keys = _secrets(_KEYS)


def _value(text: str, at: int) -> Span | None:
    """Return where a value stands: inside of quotation marks, or up to a blank."""
    quoted = _QUOTED.match(text, at)
    if quoted is not None:
        return quoted.span("value")
    run = _RUN.match(text, at) or _CUT_OFF.match(text, at)
    if run is None:
        return None
    start, end = run.span("value")
    sole = {last: run["value"].count(last) - run["value"].count(first) for first, last in _PAIRS}
    while start < end:
        last = text[end - 1]
        if last in sole:  # a bracket that the value opens is part of it
            if sole[last] <= 0:
                break
            sole[last] -= 1
        elif last not in _CLOSING:
            break
        end -= 1
    return (start, end) if start < end else None


def _is_secret(text: str, name: re.Match[str], place: Span, names: _Names) -> bool:
    start, end = place
    value = text[start:end]
    if not value.strip() or _NO_VALUE.fullmatch(value) or _VARIABLE.fullmatch(value):
        return False
    if name["name"].lower() == "pwd" and value.startswith(("/", "~")):  # of a shell: where it is
        return False
    variable = text[name.start() - 1 : name.start()] == "_" and text[name.end() - 1] == "="
    if variable or (names.sure and (name["key"] or name["sign"] != ":")):
        return True
    if names.sure and _is_line(text, name.start(), end):
        return True
    return (
        end - start >= names.least
        and _ODD.search(value) is not None
        and (names.sure or (_LETTER.search(value) is not None and not _NUMBER.fullmatch(value)))
        and _UNIT.match(text, end) is None
    )


def _is_line(text: str, start: int, end: int) -> bool:
    """Say whether a line holds nothing but a name, of one word, and its value."""
    first = max(0, start - _LONGEST_BEFORE)
    begins = _LINE_BEGINS.search(text[first:start])
    if begins is None or (first and not begins.start() and begins[0][:1] not in ("\r", "\n")):
        return False
    return _LINE_ENDS.match(text, end) is not None


@plainly(ALL)
def usernames(text: str) -> Iterator[Span]:
    """Yield the places of user names behind a name of them.

    >>> list(usernames("login: falsayed / DB_USER=bo")), list(usernames("User: the one who pays"))
    ([(7, 15), (26, 28)], [])
    """
    for name in _USER.finditer(text):
        quoted = _QUOTED.match(text, name.end())
        value = _LOGIN.match(text, name.end() if quoted is None else quoted.start("value"))
        if value is None or _NO_VALUE.fullmatch(value[0]):
            continue
        if quoted is not None:
            whole = value.end() == quoted.end("value")
        else:
            whole = _is_login(text, name, value)
        if whole:
            yield value.span()


def _is_login(text: str, name: re.Match[str], value: re.Match[str]) -> bool:
    """Say whether a run is a user name: it has signs that words have not, or it stands alone."""
    if _CUT.match(text, value.end()):
        return False
    if _NO_WORD.search(value[0]) or text[name.end() - 1] == "=":
        return True
    says = name["name"] == "User" and name["sign"] == ":"  # as in the lines of a chat
    return not says and _GOES_ON.match(text, value.end()) is None
