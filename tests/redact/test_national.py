"""Numbers of persons: found in the forms of their country, and seldom where other numbers stand."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests.linear import assert_grows_in_proportion

from onepass.redact import national
from onepass.redact.find import Finders
from onepass.redact.national import NUMBERS, national_id, national_ids
from onepass.redact.plain import plain, unbroken
from onepass.results.types import Extraction

FOUND = {
    "Codice fiscale RCCMNL83S18D969H, or RCC MNL 83S18 D969H, not RCCMNL83S18D969I": [
        "RCCMNL83S18D969H", "RCC MNL 83S18 D969H",
    ],
    "DNI 12345678Z, 12345678-Z, 12.345.678-Z; NIE X-1234567-L y X1234567L, no 12345678A": [
        "12345678Z", "12345678-Z", "12.345.678-Z", "X-1234567-L", "X1234567L",
    ],
    "NIR 2 95 10 99 126 111 93, 295109912611193, 253072B07300470, 2951099126111 93": [
        "2 95 10 99 126 111 93", "295109912611193", "253072B07300470", "2951099126111 93",
    ],
    "PESEL 44051401359, not 44051401358": ["44051401359"],
    "Her BSN is 111222333, BSN-nummer: 1112.22.333. Sofinummer 111222333!": [
        "111222333", "1112.22.333", "111222333",
    ],
    '{"bsn": "111222333", "order": "111222333"} of 111222333': ["111222333"],
    "131052-308T, 131052+308T; 131052\u2011308T, not 131052-308U": [
        "131052-308T", "131052+308T", "131052\u2011308T",
    ],
    "880320-0016, 19880320-0016 eller 8803200016; 880320-0018": [
        "880320-0016", "19880320-0016", "8803200016",
    ],
    "f.nr. 151086 95088 or 15108695088": ["151086 95088", "15108695088"],
    "CPR 211062-5629, CPR-nr. 2110625629, 2110625629": ["211062-5629", "2110625629"],
    "85.07.30-033.28, 85073003328, 85.07.30-033-28": [
        "85.07.30-033.28", "85073003328", "85.07.30-033-28",
    ],
    "CPF 123.456.789-09, CPF n\u00ba 12345678909, pedido 12345678909": [
        "123.456.789-09", "12345678909",
    ],
    "CURP BOXW310820HNERXN09": ["BOXW310820HNERXN09"],
    "2341 2341 2346, Aadhaar no: 234123412346, 2341-2341-2347, 2341 2341 2346 2024": [
        "2341 2341 2346", "234123412346",
    ],
    "NHS number: 943 476 5919, call 943 476 5919": ["943 476 5919"],
    "AB 12 34 56 C, AB123456C, BG123456C, AB123456E": ["AB 12 34 56 C", "AB123456C"],
    "SIN 130 692 544, Social Insurance Number: 130-692-544, since 130 692 544": [
        "130 692 544", "130-692-544",
    ],
    "TFN 123 456 782, total 123 456 782": ["123 456 782"],
    "971013-9019902, RRN 9710139019902, 주민등록번호: 9710139019902, 971013-9019903": [
        "971013-9019902", "9710139019902", "9710139019902",
    ],
    "身份证号11010519491231002X，身份证110105199003072338": [
        "11010519491231002X", "110105199003072338",
    ],
    "ID 7503305044089, 750330 5044 089": ["7503305044089", "750330 5044 089"],
    "T.C. Kimlik No: 17291716060, TC 17291716060 (tel 17291716060)": ["17291716060"] * 2,
    "ITIN 912-90-3456, 912903456, ITIN: 912903456, 912-49-3456": ["912-90-3456", "912903456"],
    "AHV 756.9217.0769.85, 7569217076985; 756.9217.0769.84": [
        "756.9217.0769.85", "7569217076985",
    ],
    "r.\u010d. 710319/2745, 710319/2746": ["710319/2745"],
    "CNP 1630615123457": ["1630615123457"],
    "RUT 12.531.909-2 o RUT 12531909-2": ["12.531.909-2", "12531909-2"],
    "IdNr. 36574261809, 36 574 261 809": ["36574261809", "36 574 261 809"],
    "PPS number 6433435F, part 6433435F": ["6433435F"],
    "NIF 501 964 843": ["501 964 843"],
    "SVNR 1237 010180": ["1237 010180"],
    "OIB 33392005961": ["33392005961"],
    "36805280109": ["36805280109"],
    "kennitala 120174-3399": ["120174-3399"],
    "ЕГН 7523169263": ["7523169263"],
    "0101006500006": ["0101006500006"],
    "Tax ID: 123456782, national identity number 111222333, Tax Number 943-476-5919": [
        "123456782", "111222333", "943-476-5919",
    ],
    "１２３．４５６．７８９－０９, 123\u200b.456.789-09": [
        "１２３．４５６．７８９－０９", "123\u200b.456.789-09",
    ],
    "a,44051401359,1\n2,85073003328,x": ["44051401359", "85073003328"],
    # parts of other numbers, times, versions, names of files
    "+44051401359 0.44051401359 44051401359.5 12-44051401359 x44051401359 144051401359": [],
    "880320-0016-1, 1/880320-0016, 12 2341 2341 2346, 943 476 5919": [],
    "20240511-1030 240511-1030 1709251200 1709251200123 20240511103015 2405111030": [],
    "2023 2024 2025, 10.1016/j.electacta.2016.04.152, 2016.04.152": [],
    "Personnummer 120305-1233": ["120305-1233"],  # its name tells it from a time
}  # fmt: skip


@pytest.fixture
def stdnum() -> None:
    pytest.importorskip("stdnum")


@pytest.mark.usefixtures("stdnum")
@pytest.mark.parametrize("text", list(FOUND))
def test_numbers_of_persons_are_found(text: str) -> None:
    values = [text[start:end] for start, end in national_ids(text)]
    assert values == FOUND[text]
    assert all(national_id(unbroken(plain(value))) for value in values)


@pytest.mark.usefixtures("stdnum")
def test_every_number_of_the_table_is_among_them() -> None:
    values = {re.sub("[0-9A-Z]", "9", plain(one)) for ones in FOUND.values() for one in ones}
    for number in NUMBERS:
        forms = re.sub("[A#]", "9", f"{number.alone}|{number.named}").split("|")
        assert values.intersection(forms), number.module


def _digits(form: str) -> Callable[[random.Random], str]:
    return lambda chance: re.sub("9", lambda _: chance.choice("0123456789"), form)


def _date(form: str) -> Callable[[random.Random], str]:
    first, last = datetime(2010, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    def made(chance: random.Random) -> str:
        seconds = chance.uniform(first.timestamp(), last.timestamp())
        return datetime.fromtimestamp(seconds, UTC).strftime(form)

    return made


@pytest.mark.usefixtures("stdnum")
@pytest.mark.parametrize(
    ("most", "made"),
    [
        *((0.015, _digits("9" * count)) for count in range(8, 20)),
        *((0.0, _digits(form)) for form in (
            "999 999 999", "999-999-999", "999 999 9999", "999-999-9999", "9999.99.999",
            "978-9-999-99999-9", "9,999,999,999.99", "9.999.999.999,99", "0.99999999999",
            "999.99.999.999", "ORD-99999999", "+99999999999",
        )),
        (0.015, _digits("999.999.999-99")),
        (0.005, _digits("99 999 999 999")),
        (0.05, _digits("999999-9999")),
        (0.1, _digits("9999 9999 9999")),
        *((0.0, _date(form)) for form in ("%s", "%Y%m%d%H%M", "%y%m%d-%H%M", "%Y%m%d-%H%M%S")),
        (0.01, _date("%s000")),
        (0.001, lambda chance: f"{chance.getrandbits(160):040x}"),
        (0.001, lambda chance: f"{chance.getrandbits(36):09x}"),
    ],
)  # fmt: skip
def test_other_numbers_are_seldom_taken_for_one(
    most: float, made: Callable[[random.Random], str]
) -> None:
    chance = random.Random(0)
    texts = [f"It is {made(chance)} now" for _ in range(3000)]
    assert sum(any(national_ids(text)) for text in texts) <= most * len(texts)


def test_without_the_library_only_those_without_check_digits_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_name: str) -> None: ...

    monkeypatch.setattr(national, "loaded", missing)
    national._check.cache_clear()
    try:
        text = "CPF 123.456.789-09, DNI 12345678Z, AB 12 34 56 C"
        assert [text[start:end] for start, end in national_ids(text)] == ["AB 12 34 56 C"]
        assert national_id("12345678Z") is None
    finally:
        national._check.cache_clear()


@pytest.mark.usefixtures("stdnum")
@pytest.mark.parametrize("label", ["national ID number", "tax id"])
def test_they_are_replaced_under_the_label_that_was_asked(label: str) -> None:
    text = "CPF 123.456.789-09, 123.456.789-08, SSN 536-90-4399, 943-476-5919"
    finders = Finders([label, "social security number", "phone number"], patterns=True)
    places = finders.places(Extraction(text, ()))
    assert [(one.label, text[one.start : one.end], one.check) for one in places] == [
        (label, "123.456.789-09", True),
        ("social security number", "536-90-4399", True),
        ("phone number", "943-476-5919", None),  # an NHS number, had it been named
    ]


@pytest.mark.usefixtures("stdnum")
@pytest.mark.parametrize(
    "piece", ["1", "1 ", "1.", "1-", "99 ", "999 ", "999.", "999999-9999 ", "44051401359 ", "A",
     "AAAAAA80A01", "AAA AAA ", "bsn ", "bsn 111222333 ", "personnummer", "１", "1\u200b", "5-"],
)  # fmt: skip
def test_no_text_makes_them_slow(piece: str) -> None:
    def finding(size: int) -> Callable[[], object]:
        text = piece * (size // len(piece))
        return lambda: list(national_ids(text))

    assert_grows_in_proportion(finding, 8_000)


def test_what_is_no_number_is_not_known_to_be_none() -> None:
    assert national_id("hello") is None
    assert national_id("12") is None  # a Dutch one could be, with zeros before it
