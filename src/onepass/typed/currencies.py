"""The currency that a text names: a code of ISO 4217, a sign, told by price-parser, or a name.

Three capital letters are a currency only where they are a code: not VAT, USB or PRO. A sign is no
part of a word. A name counts behind a number alone: 5 pounds, not 5 a pound. This module reads no
numbers.
"""

from __future__ import annotations

import re

from onepass.typed.signs import MINUS

# price-parser keeps its own list private; it has codes that ISO has not, and lacks new ones.
_ISO_4217 = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN "
    "BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP "
    "ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR "
    "ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR "
    "PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF "
    "XAG XAU XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG ZWL "
    "ATS BEF CYP DEM EEK ESP FIM FRF GRD IEP ITL LTL LUF LVL MTL NLG PTE SIT SKK "  # now the euro
    "BYR MRO STD VEF ZMK"  # replaced by others
)
_ISO = frozenset(_ISO_4217.split())
_NO_CODES = ("CFA", "CFP", "NTD", "RMB")  # but currencies
# Signs that stand for one currency alone; "$", "¥", "元" and "kr" stand for several and stay as
# written.
_CODES = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH",
    "₪": "ILS", "₫": "VND", "฿": "THB", "₦": "NGN", "US$": "USD", "A$": "AUD", "AU$": "AUD",
    "C$": "CAD", "CA$": "CAD", "Can$": "CAD", "MX$": "MXN", "Mex$": "MXN", "CN¥": "CNY",
    "RMB": "CNY", "JP¥": "JPY", "円": "JPY", "원": "KRW", "HK$": "HKD", "NZ$": "NZD", "R$": "BRL",
    "zł": "PLN", "Kč": "CZK", "eur": "EUR",
}  # fmt: skip
# English names; those of several currencies stay as written, but dollars are "$".
_NAMES = {
    "dollar": "$", "buck": "$", "pound": None, "pounds sterling": "GBP", "pound sterling": "GBP",
    "yen": "JPY", "franc": None, "rupee": None, "peso": None, "krone": None, "kroner": None,
    "krona": None, "kronor": None, "yuan": "CNY", "renminbi": "CNY", "rouble": "RUB",
    "ruble": "RUB", "zloty": "PLN", "forint": "HUF", "baht": "THB", "rand": "ZAR",
    "shekel": "ILS", "dirham": None, "dinar": None, "riyal": None, "naira": "NGN", "lira": None,
}  # fmt: skip
_OF_COUNTRIES = {
    ("us", "dollar"): "USD", ("u.s.", "dollar"): "USD", ("american", "dollar"): "USD",
    ("canadian", "dollar"): "CAD", ("australian", "dollar"): "AUD", ("singapore", "dollar"): "SGD",
    ("hong kong", "dollar"): "HKD", ("new zealand", "dollar"): "NZD", ("british", "pound"): "GBP",
    ("egyptian", "pound"): "EGP", ("swiss", "franc"): "CHF", ("indian", "rupee"): "INR",
    ("pakistani", "rupee"): "PKR", ("mexican", "peso"): "MXN", ("danish", "kroner"): "DKK",
    ("norwegian", "kroner"): "NOK", ("swedish", "kronor"): "SEK", ("turkish", "lira"): "TRY",
}  # fmt: skip
_NAME = re.compile(
    r"(?:\d(?:\s?(?:[kmb]|bn|mn))?|\b(?:hundred|thousand|million|billion|trillion))[\s)-]*"
    rf"(?P<written>(?:(?P<whose>{'|'.join(re.escape(whose) for whose, _ in _OF_COUNTRIES)})[\s-]+)?"
    rf"(?P<name>{'|'.join(sorted(_NAMES, key=len, reverse=True))})s?)(?![^\W\d_])",
    re.IGNORECASE,
)
_ALONE = re.compile("[€£₹₩₽₺₴₪₫฿₦]")
_OF_DOLLARS = re.compile("..D|ARS|BRL|CLP|COP|CVE|DOP|MXN|UYU")  # but not $20 TOP, $5 ALL
_EURO = re.compile(r"(?<![^\W\d_])euros?(?![^\W\d_])", re.IGNORECASE)
_CODE = re.compile(r"(?<![^\W\d_])[A-Z]{3}(?![^\W\d_])")
_DOLLARS = re.compile(r"(?<![^\W\d_])[A-Z][A-Za-z]{0,2}\$")
_BEFORE_DIGITS = rf"(?<![^\W\d_])(?=.\s?[{MINUS}]?\d)"  # not 美元 500, which are dollars
_YUAN_OR_YEN = re.compile(
    rf"(?P<country>CN|JP)\s?[¥￥]|(?:(?<=\d)\s?|{_BEFORE_DIGITS})(?P<unit>[元圆圓])"
)


def read_currency(text: str) -> tuple[str | None, str | None]:
    """Return the currency that a text names, and the letters or the sign that name it.

    Args:
        text: an amount of money, with what stands around it.

    Returns:
        A code, or a sign or a name as written where it stands for several currencies; and what is
        written.

    >>> read_currency("1.299 €"), read_currency("Mex$5"), read_currency("$5 CAD")
    (('EUR', '€'), ('MXN', 'Mex$'), ('CAD', 'CAD'))
    >>> read_currency("$20 USB"), read_currency("1,200 VAT included")
    (('$', '$'), (None, None))
    >>> read_currency("3 million US dollars")[0], read_currency("20 pounds")[0]
    ('USD', 'pounds')
    """
    from price_parser import Price

    sign = _sign(text, Price.fromstring(text).currency)
    code = None if _ALONE.search(text) else _code(text)  # a sign of one currency outdoes codes
    if code is not None:
        return code, code
    euro = _EURO.search(text)
    if euro is not None and not (sign and _ALONE.search(sign)):
        return "EUR", euro[0]
    return (_CODES.get(sign, sign), sign) if sign else _named(text)


def _named(text: str) -> tuple[str | None, str | None]:
    """Return the currency whose name stands behind a number, and the name as written."""
    found = _NAME.search(text)
    if found is None:
        return None, None
    name, whose = found["name"].lower(), (found["whose"] or "").lower()
    code = _OF_COUNTRIES.get((whose, name)) if whose else _NAMES[name]
    return code or found["written"], found["written"]


def _code(text: str) -> str | None:
    """Return the code nearest to a digit."""
    allowed = [place for place in _CODE.finditer(text) if place[0] in _ISO]
    if "$" in text:
        allowed = [place for place in allowed if _OF_DOLLARS.fullmatch(place[0])]
    digits = [place.start() for place in re.finditer(r"\d", text)]
    if not allowed or not digits:
        return None
    return min(allowed, key=lambda place: min(abs(place.start() + 1 - at) for at in digits))[0]


def _sign(text: str, told: str | None) -> str | None:
    """Return the sign that price-parser told, in full, unless it found it within a word."""
    yuan = _YUAN_OR_YEN.search(text)
    if yuan is not None:
        return yuan["unit"] or f"{yuan['country']}¥"
    if told is None or (_CODE.fullmatch(told) and told not in _ISO and told not in _NO_CODES):
        return None
    dollars = _DOLLARS.search(text)
    if told.endswith("$") and dollars is not None:
        return dollars[0]
    start = r"(?<![^\W\d_])" if told[0].isalpha() else ""
    has_endings = len(told) > 2 and not told.isascii()  # рублей
    end = r"(?![^\W\d_])" if told[-1].isalpha() and not has_endings else ""
    if re.search(f"{start}{re.escape(told)}{end}", text):
        return told
    return "$" if "$" in told else None
