"""Numbers that countries give to persons: how they are written, and what checks them.

A form that other numbers have too counts only behind a word that names it. So does one of digits
alone, unless its check holds a date or lets less than one number in a hundred pass, and what may be
a time. They are checked by python-stdnum: where it is not installed, none is found but one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import groupby

from onepass.redact.checks import BLANKS, DASHES, PLAIN, WORD, loaded
from onepass.redact.plain import ALL
from onepass.redact.readings import Span, plainly


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a country.

    In a form 9 is a digit, A a capital, # a digit or one of the capitals that stand for digits; a
    blank and a hyphen are any of theirs, all else is itself.

    Attributes:
        module: of python-stdnum, that checks it; "" if it has no check digit.
        alone: forms that count wherever they stand, separated by "|".
        named: others, that count behind a word that names them.
        words: such words, separated by "|"; one of four letters or less is no beginning of others.
        begins: pattern of how it begins without blanks and marks, where the module passes more.
    """

    module: str
    alone: str
    named: str = ""
    words: str = ""
    begins: str = ""


_MMDD = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_DDMM = "(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])"
NUMBERS = (
    Number("at.vnr", "", "9999999999|9999 999999",
           "SVNR|SV-Nummer|Sozialversicherung|Versicherungsnummer"),
    Number("au.tfn", "", "999999999|999 999 999", "TFN|tax file"),
    Number("be.nn", "99999999999|99.99.99-999.99|99.99.99-999-99|99.99.99 999 99|999999-999-99"
           "|999999-999.99|99 99 99 999 99"),
    Number("bg.egn", "", "9999999999", "EGN|ЕГН"),
    Number("br.cpf", "999.999.999-99", "99999999999|999999999-99|999 999 999 99", "CPF"),
    Number("ca.sin", "", "999999999|999 999 999|999-999-999",
           "SIN|social insurance|assurance sociale"),
    Number("ch.ssn", "9999999999999|999.9999.9999.99|999 9999 9999 99", begins="756"),
    Number("cl.rut", "99.999.999-9|99.999.999-A|9.999.999-9|9.999.999-A",
           "99999999-9|99999999-A|9999999-9|9999999-A|999999999|99999999A", "RUT"),
    Number("cn.ric", "999999999999999999|99999999999999999A", begins=f".{{6}}(?:19|20)..{_MMDD}"),
    Number("cz.rc", "999999/9999", "9999999999|999999/999", "rodné|rodne|RČ"),
    Number("de.idnr", "99 999 999 999", "99999999999",
           "SteuerID|Steuer-ID|Steueridentif|Identifikationsn|IdNr"),
    Number("dk.cpr", "999999-9999", "9999999999|999999 9999", "CPR|personnummer"),
    Number("ee.ik", "99999999999", begins=f"[3-6]..{_MMDD}"),  # Lithuania's too
    Number("es.dni", "99999999A|99999999-A|99.999.999-A", "99999999 A|99.999.999A", "DNI|NIF"),
    Number("es.nie", "A9999999A|A-9999999-A|A-9999999A|A9999999-A", begins="[XYZ]"),
    Number("fi.hetu", "999999-999A|999999-9999|999999+999A|999999+9999|999999A999A|999999A9999"),
    Number("fr.nir", "999999999999999|9999999999999 99|9 99 99 99 999 999 99|999999A99999999"
           "|999999A999999 99|9 99 99 9A 999 999 99",
           begins="[12]..(?:0[1-9]|1[0-2]|[2-9].)"),
    Number("gb.nhs", "", "9999999999|999 999 9999|999-999-9999", "NHS"),
    Number("", "AA999999A|AA 99 99 99 A|AA 999999 A",  # Britain's National Insurance
           begins="(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]"),
    Number("hr.oib", "", "99999999999", "OIB"),
    Number("ie.pps", "", "9999999A|9999999AA", "PPS|PPSN"),
    Number("in_.aadhaar", "9999 9999 9999|9999-9999-9999", "999999999999",
           "Aadhaar|Aadhar|UIDAI|आधार", "(?!20..(?:19|20))"),  # no years
    Number("is_.kennitala", "999999-9999", "9999999999", "kennitala|kennitölu|kt"),
    Number("it.codicefiscale", "AAAAAA##A##A###A|AAA AAA ##A## A###A"),
    Number("kr.rrn", "999999-9999999", "9999999999999",
           "RRN|주민등록번호|주민번호|resident registration"),
    Number("mx.curp", "AAAA999999AAAAAA99|AAAA999999AAAAAAA9"),
    Number("nl.bsn", "", "999999999|999 999 999|999.999.999|9999.99.999|9999 99 999",
           "BSN|burgerservicenummer|sofinummer|sofi-nummer"),
    Number("no.fodselsnummer", "99999999999|999999 99999|999999-99999"),
    Number("pl.pesel", "99999999999", begins="..(?:[02][1-9]|[13][0-2])[0-3]"),  # 1900 to 2099
    Number("pt.nif", "", "999999999|999 999 999", "NIF|contribuinte"),
    Number("ro.cnp", "9999999999999", begins=f"[1-8]..{_MMDD}"),
    Number("se.personnummer", "9999999999|999999-9999|999999+9999|999999999999|99999999-9999",
           "999999 9999", "personnummer|pnr",
           f"(?:(?:19|20)..|..(?!.{{10}})){_MMDD}"),
    Number("si.emso", "9999999999999", begins=f"{_DDMM}[09]"),
    Number("tr.tckimlik", "", "99999999999", "TC|T.C.|TCKN|kimlik|TCKimlik"),
    Number("us.itin", "999-99-9999", "999999999", "ITIN"),
    Number("za.idnr", "9999999999999|999999 9999 999|999999 9999 99 9",
           begins=f"(?!1[4-9])..{_MMDD}"),  # no milliseconds since 1970
)  # fmt: skip
_WORDS = "identity number|identity card|national id|tax id|tax number"  # of any of them
_SIGNS = {"9": "[0-9]", "A": "[A-Z]", "#": "[0-9L-NP-V]", " ": f"[{BLANKS}]", "-": f"[{DASHES}]"}
# YYMMDD-hhmm(ss) from 2010 on, and seconds since 1970.
_TIME = re.compile(
    r"(?:20)?[12][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])-?(?:[01][0-9]|2[0-3])[0-5][0-9]"
    r"(?:[0-5][0-9])?|1[0-9]{9}"
)
_MARKS = re.compile(r"[ ./-]")
_GROUP_BEFORE, _GROUP_BEHIND = re.compile(rf"[0-9][{BLANKS}]\Z"), re.compile(rf"[{BLANKS}][0-9]")
_SHORT = 4  # letters of a word that is no beginning of others
_FAR = 48  # characters before a number in which its name stands


class _Form:
    """One form: which numbers are written in it, and whether a value of this form is one of them.

    Attributes:
        whole: pattern of a value of it; it is seldom asked, and compiled then.
    """

    def __init__(self, form: str) -> None:
        self.whole = "".join(map(_sign, form))
        alone = [one for one in NUMBERS if form in one.alone.split("|")]
        numbers = alone + [one for one in NUMBERS if form in one.named.split("|")]
        self._alone = [(re.compile(one.begins), one.module) for one in alone]
        self._numbers = [(re.compile(one.begins), one.module) for one in numbers]
        self._in_groups = " " in form
        words = "|".join([_WORDS, *(one.words for one in numbers)]).lower().split("|")
        self._words = sorted({*words} - {""})
        ends = (re.escape(one) + (r"\w*" if len(one) > _SHORT else "") for one in self._words)
        self._named = rf"(?i)(?<![^\W\d_])(?:{'|'.join(ends)})(?![^\W\d_])[^0-9]{{0,24}}\Z"

    def stands(self, text: str, start: int, end: int) -> bool:
        """Tell whether one of its numbers stands in a text."""
        if self._in_groups and (
            _GROUP_BEFORE.search(text, max(0, start - 2), start) or _GROUP_BEHIND.match(text, end)
        ):
            return False
        value = text[start:end]
        if self._alone and self.passes(value, alone=True):
            return True
        before = text[max(0, start - _FAR) : start]
        small = before.lower()
        if not any(word in small for word in self._words):  # told fast, and most have none
            return False
        return re.search(self._named, before) is not None and self.passes(value)

    def passes(self, value: str, *, alone: bool = False) -> bool:
        """Tell whether a value of this form passes the check of a number, which it may name."""
        plain = value.translate(PLAIN)
        if alone and _TIME.fullmatch(plain):
            return False
        solid = _MARKS.sub("", plain)
        return any(
            begins.match(solid) and any(map(_check(module), {plain, solid}))
            for begins, module in (self._alone if alone else self._numbers)
        )


def _sign(sign: str) -> str:
    return _SIGNS.get(sign) or re.escape(sign)


@cache
def _check(module: str) -> Callable[[str], bool]:
    if not module:
        return lambda _: True
    if loaded("stdnum") is None:
        return lambda _: False
    check: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return check


def _tree(forms: Iterable[str], begun: str, found: list[_Form]) -> str:
    """Return a pattern of how forms go on behind a beginning, with a group where each one ends.

    They are a tree of their signs, so that how many there are costs little; the longest that fits
    is taken.

    Args:
        forms: what is left of them.
        begun: the signs before.
        found: to which the form of each group is added.
    """
    branches = []
    for sign, same in groupby(sorted(forms, reverse=True), lambda form: form[:1]):
        if sign:
            branches.append(_sign(sign) + _tree((form[1:] for form in same), begun + sign, found))
        else:
            found.append(_FORMS[begun])
            branches.append("()")
    return f"(?:{'|'.join(branches)})"


def _finder(first: str) -> tuple[re.Pattern[str], list[_Form]]:
    """Return a pattern of all forms with this first sign, and the form of each of its groups.

    What stands before that sign is looked at behind it, so that other signs are passed over fast.
    """
    forms: list[_Form] = []
    tree = _tree((form[1:] for form in _FORMS if form[0] == first), first, forms)
    return re.compile(
        rf"{_SIGNS[first]}(?<![{WORD}+].)(?<![0-9][./{DASHES}].){tree}"
        rf"(?![{WORD}]|[./{DASHES}][0-9])"
    ), forms


_FORMS = {
    form: _Form(form)
    for number in NUMBERS
    for form in f"{number.alone}|{number.named}".strip("|").split("|")
}
_FINDERS = (_finder("9"), _finder("A"))


@plainly(ALL)
def national_ids(text: str) -> Iterator[Span]:
    """Yield the places of numbers of persons that pass the check of their country.

    >>> text = "CPF 123.456.789-09, not 123.456.789-08"
    >>> list(national_ids(text)) if loaded("stdnum") else [(4, 18)]
    [(4, 18)]
    """
    found = []
    for pattern, forms in _FINDERS:
        for match in pattern.finditer(text):
            if forms[(match.lastindex or 0) - 1].stands(text, *match.span()):
                found.append(match.span())
    yield from sorted(found)


def national_id(text: str) -> bool | None:
    """Check the number of a person: True if it fits one of the table, else None.

    A number that fits none may be that of another country, so that it never fails.

    >>> national_id("hello") is None
    True
    """
    value = text.strip().upper()
    forms = (form for form in _FORMS.values() if re.fullmatch(form.whole, value))
    return any(form.passes(value) for form in forms) or None
