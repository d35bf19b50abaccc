"""Values of slots: names, dates, money, identifiers with valid check digits, from many countries.

Each kind of value is a function of a `Maker`. It knows nothing about texts or records.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from onepass.corpus.synthesis import words
from onepass.errors import InputError, MissingExtra

LOCALES = (
    "en_US", "en_GB", "en_AU", "en_CA", "en_IE", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT",
    "nl_NL", "pl_PL", "pt_BR", "sv_SE", "da_DK", "fi_FI", "no_NO", "cs_CZ", "tr_TR", "hr_HR",
)  # fmt: skip
# Of India Faker makes IBANs, of a length that no country has.
_IBANS = dict.fromkeys((name for name in LOCALES if name != "en_IN"), "iban")
# Of the other countries it has no numbers, or some whose check digits are wrong.
_NATIONAL_IDS = {
    "en_US": "ssn", "en_GB": "ssn", "en_CA": "ssn", "fr_FR": "ssn", "es_ES": "nif", "it_IT": "ssn",
    "nl_NL": "ssn", "pl_PL": "ssn", "pt_BR": "ssn", "sv_SE": "ssn", "fi_FI": "ssn", "no_NO": "ssn",
    "tr_TR": "ssn", "hr_HR": "ssn",
}  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST_DAY = date(1985, 1, 1)
_LAST_DAYS = 15_000


class Maker:
    """Makes values; the same seed makes the same ones.

    Args:
        seed: of everything that is drawn.

    Raises:
        MissingExtra: if Faker is not installed.

    >>> Maker(0).make("currency code") in words.CURRENCY_CODES
    True
    """

    def __init__(self, seed: int) -> None:
        try:
            from faker import Faker
        except ImportError as error:
            raise MissingExtra("Making texts up", "data") from error
        self.rng = random.Random(seed)
        self._fakers: dict[str, Any] = {name: Faker(name) for name in LOCALES}
        for number, faker in enumerate(self._fakers.values()):
            faker.seed_instance(seed * 1000 + number)
        # Faker makes this list of a set, whose order is another one in every process.
        for provider in self._fakers["it_IT"].get_providers():
            if hasattr(provider, "cities"):
                provider.cities = sorted(provider.cities)

    def make(self, kind: str) -> str:
        """Return a value of a kind, one of `KINDS`.

        Raises:
            InputError: for another kind.
        """
        made = KINDS.get(kind)
        if made is None:
            raise InputError(f"{kind!r} is not a kind of value; {', '.join(sorted(KINDS))} are.")
        return " ".join(made(self).split())

    @property
    def faker(self) -> Any:
        """Return a generator of some country, English-speaking half of the time."""
        return self._fakers[self._locale(LOCALES)]

    def fake(self, methods: Mapping[str, str]) -> str:
        """Return what a generator makes.

        Args:
            methods: locale to the method of Faker that makes it there.
        """
        name = self._locale(tuple(methods))
        return str(self._fakers[name].format(methods[name]))

    def _locale(self, names: tuple[str, ...]) -> str:
        english = tuple(name for name in names if name.startswith("en_"))
        return self.rng.choice(english if self.rng.random() < 0.5 else names)

    def english(self) -> Any:
        """Return a generator of an English-speaking country."""
        return self._fakers[self.rng.choice(LOCALES[:5])]

    def pick(self, options: tuple[str, ...]) -> str:
        """Return one of several strings."""
        return str(self.rng.choice(options))

    def digits(self, pattern: str) -> str:
        """Return a pattern with each # as a digit and each ? as a capital letter."""
        letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
        return "".join(
            str(self.rng.randint(0, 9)) if c == "#" else self.rng.choice(letters) if c == "?" else c
            for c in pattern
        )


def _person(maker: Maker) -> str:
    name = f"{maker.faker.first_name()} {maker.faker.last_name()}"
    roll = maker.rng.random()
    if roll < 0.08:
        return str(maker.english().last_name())
    if roll < 0.16:
        return f"{name[0]}. {name.split(' ', 1)[1]}"
    return name


def _city(maker: Maker) -> str:
    return maker.pick(words.CITIES) if maker.rng.random() < 0.6 else str(maker.faker.city())


def _date(maker: Maker) -> str:
    day = _FIRST_DAY + timedelta(days=maker.rng.randrange(_LAST_DAYS))
    month = _MONTHS[day.month - 1]
    return maker.pick(
        (
            day.isoformat(), f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}",
            f"{day.day:02}/{day.month:02}/{day.year}", f"{day.month}/{day.day}/{day.year}",
            f"{day.day:02}.{day.month:02}.{day.year}", f"{day.day} {month[:3]} {day.year}",
            f"{month[:3]} {day.day}", f"{day.day} {month}",
            f"{_DAYS[day.weekday()]} {day.day} {month}",
            f"{day.day:02}-{month[:3]}-{day.year % 100:02}",
        )
    )  # fmt: skip


def _time(maker: Maker) -> str:
    hour, minute = maker.rng.randrange(24), maker.rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50))
    half = "am" if hour < 12 else "pm"
    return maker.pick(
        (
            f"{hour:02}:{minute:02}", f"{hour:02}:{minute:02}", f"{hour}.{minute:02}",
            f"{(hour - 1) % 12 + 1}:{minute:02} {half}", f"{(hour - 1) % 12 + 1}{half}",
            f"{hour:02}h{minute:02}",
        )
    )  # fmt: skip


def _money(maker: Maker) -> str:
    rng = maker.rng
    value = round(10 ** rng.uniform(0.3, 6.5), 2)
    if rng.random() < 0.6 or value > 1000:
        value = float(round(value))
    plain = f"{value:.2f}" if value % 1 else f"{value:.0f}"
    grouped = f"{value:,.2f}" if value % 1 else f"{value:,.0f}"
    symbol, code, noun = rng.choice(words.CURRENCIES)
    forms = [f"{symbol}{grouped}", f"{symbol}{grouped}", f"{code} {grouped}", f"{grouped} {code}",
             f"{grouped} {noun}", f"{plain} {symbol}"]  # fmt: skip
    if value > 2_000_000:
        forms = [f"{symbol}{value / 1e6:.1f} million", f"{value / 1e6:.1f} million {noun}",
                 f"{symbol}{value / 1e6:.1f}m"]  # fmt: skip
    return rng.choice(forms)


def _measure(units: tuple[str, ...], low: float, high: float) -> Callable[[Maker], str]:
    def make(maker: Maker) -> str:
        value = maker.rng.uniform(low, high)
        number = f"{value:.1f}" if maker.rng.random() < 0.35 else f"{value:.0f}"
        gap = "" if maker.rng.random() < 0.25 else " "
        return f"{number}{gap}{maker.pick(units)}"

    return make


def _product(maker: Maker) -> str:
    rng = maker.rng
    brand = rng.choice((maker.faker.last_name(), rng.choice(words.BRANDS)))
    model = rng.choice(
        (
            maker.digits("?#"), maker.digits("##0"), maker.digits("??-###"),
            str(rng.randint(2, 16)),
            rng.choice(words.MODELS), f"{rng.choice(words.MODELS)} {rng.randint(2, 9)}",
            f"{rng.choice(words.MODELS)} {rng.choice(words.EDITIONS)}",
        )
    )  # fmt: skip
    return f"{brand} {model}"


def _item(maker: Maker) -> str:
    noun = maker.pick(words.ITEMS)
    return noun if maker.rng.random() < 0.5 else f"{maker.pick(words.ADJECTIVES)} {noun}"


def _work(maker: Maker) -> str:
    rng = maker.rng
    a, b = rng.choice(words.TITLE_NOUNS), rng.choice(words.TITLE_NOUNS)
    return rng.choice(
        (f"The {a}", f"{a} of {b}", f"The {a} and the {b}",
         f"{rng.choice(words.TITLE_ADJECTIVES)} {a}",
         f"A {a} in {maker.english().city()}", f"No {a}")
    )  # fmt: skip


def _organization(maker: Maker) -> str:
    rng = maker.rng
    return rng.choice(
        (
            maker.faker.company(), f"University of {maker.english().city()}",
            f"{maker.faker.city()} {rng.choice(words.BODIES)}",
            f"{rng.choice(words.BODIES)} of {maker.faker.city()}",
        )
    )  # fmt: skip


def _street(maker: Maker) -> str:
    faker = maker.faker
    return maker.pick(
        (faker.street_address(), f"{faker.street_address()}, {faker.postcode()} {faker.city()}")
    )


def _percent(maker: Maker) -> str:
    value = maker.rng.uniform(0.5, 99)
    return f"{value:.1f}%" if maker.rng.random() < 0.5 else f"{value:.0f} percent"


def _code(*patterns: str) -> Callable[[Maker], str]:
    return lambda maker: maker.digits(maker.pick(patterns))


def _of(options: tuple[str, ...]) -> Callable[[Maker], str]:
    return lambda maker: maker.pick(options)


def _faked(method: str) -> Callable[[Maker], str]:
    return _faked_in(dict.fromkeys(LOCALES, method))


def _faked_in(methods: Mapping[str, str]) -> Callable[[Maker], str]:
    return lambda maker: maker.fake(methods)


KINDS: dict[str, Callable[[Maker], str]] = {
    "person": _person,
    "company": _faked("company"),
    "organization": _organization,
    "city": _city,
    "country": lambda maker: str(maker.english().country()),
    "street address": _street,
    "postcode": _faked("postcode"),
    "date": _date,
    "time": _time,
    "year": lambda maker: str(maker.rng.randint(1890, 2030)),
    "duration": _measure(("minutes", "hours", "days", "weeks", "months", "h", "min"), 1, 60),
    "money": _money,
    "percent": _percent,
    "currency code": _of(words.CURRENCY_CODES),
    "quantity": lambda maker: str(round(10 ** maker.rng.uniform(0, 3))),
    "weight": _measure(("kg", "g", "t", "lb", "tonnes"), 1, 900),
    "length": _measure(("m", "km", "cm", "mm", "miles", "ft"), 1, 900),
    "temperature": _measure(("°C", "C", "°F", "degrees"), -20, 120),
    "dose": _measure(("mg", "ml", "mcg", "IU", "g"), 1, 500),
    "score": _code("#:#", "#-#", "#–#"),
    "product": _product,
    "item": _item,
    "work": _work,
    "job": lambda maker: str(maker.english().job()).split(",")[0].lower(),
    "department": _of(words.DEPARTMENTS),
    "color": _of(words.COLORS),
    "material": _of(words.MATERIALS),
    "food": _of(words.FOODS),
    "drug": _of(words.DRUGS),
    "illness": _of(words.ILLNESSES),
    "animal": _of(words.ANIMALS),
    "plant": _of(words.PLANTS),
    "vehicle": _of(words.VEHICLES),
    "sport": _of(words.SPORTS),
    "language": _of(words.LANGUAGES),
    "subject": _of(words.SUBJECTS),
    "instrument": _of(words.INSTRUMENTS),
    "error": _of(words.ERRORS),
    "room": _code("room ###", "R#.##", "hall #", "lab ##", "B#-##"),
    "order number": _code("#######", "ORD-#####", "#####-##", "PO ######", "?-####"),
    "invoice number": _code("INV-####-###", "RE######", "##/####", "F-#####"),
    "article number": _code("##-###-##", "???-####", "SKU######", "####.###"),
    "serial number": _code("SN ########", "?#?######", "##??#####"),
    "ticket": _code("#####", "INC#######", "TCK-####", "REQ######", "BUG-####"),
    "flight": _code("?? ###", "??####", "?# ###"),
    "version": _code("#.#", "#.#.#", "v#.##", "##.#.#"),
    "license plate": _faked("license_plate"),
    "national id": _faked_in(_NATIONAL_IDS),
    "email": _faked("email"),
    "phone": _faked("phone_number"),
    "iban": _faked_in(_IBANS),
    "card number": lambda maker: str(maker.english().credit_card_number()),
    "bic": _faked("swift"),
    "url": _faked("url"),
    "user name": _faked("user_name"),
    "ip address": _faked("ipv4"),
    "mac address": _faked("mac_address"),
    "file path": _faked("file_path"),
    "host name": _faked("hostname"),
    "isbn": _faked("isbn13"),
}  # fmt: skip
