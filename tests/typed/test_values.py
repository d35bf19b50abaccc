"""Texts read as values: what is read, what is refused, and how candidates fit rules."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from importlib import util
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.errors import MissingExtra, SchemaError
from onepass.schema import Rules, Schema
from onepass.schema.rules import KINDS, Money, Quantity
from onepass.typed.dates import read_datetime
from onepass.typed.fit import Fit
from onepass.typed.unreadable import UnreadableError
from onepass.typed.values import fit, keeps_bounds, read_value, text_to_read

needs_values = pytest.mark.skipif(
    any(util.find_spec(name) is None for name in ("dateparser", "price_parser", "stdnum")),
    reason="needs the extra 'values'",
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,299.00", "1299.00"), ("1.299,5", "1299.5"), ("12 500", "12500"), ("1,234", "1234"),
        ("1.234", "1.234"), ("0,125", "0.125"), ("1.234.567", "1234567"), ("1'000.50", "1000.50"),
        ("−3.5", "-3.5"), ("12,34", "12.34"), ("$49.90", "49.90"), ("no. 881", "881"),
        ("20 %", "20"), ("5kg", "5"), ("3 million", "3000000"), ("2.5k", "2500"),
        ("Twelve", "12"), ("a dozen", "12"), ("٣", "3"), (".5", "0.5"), ("$.50", "0.50"),
        ("2 dozen", "24"), ("two dozen", "24"), ("3 hundred", "300"), ("3 millions", "3000000"),
        ("2,5 Mrd.", "2500000000"), ("$2.5M", "2500000"), ("3½", "3.5"), ("1 ½", "1.5"),
        ("½", "0.5"), ("1 1/2", "1.5"), ("1/2 cup", "0.5"), ("no.5", "5"), ("1234,567", "1234.567"),
        ("1.234,567", "1234.567"), ("40 one-way tickets", "40"), ("5 m²", "5"),
        ("1e3", "1000"), ("2e-5", "0.00002"), ("6.02E23", "602" + "0" * 21), ("-1.5e+3 V", "-1500"),
        ("2e5", "200000"), ("2E-5", "0.00002"), ("2E+5", "200000"), ("2.0E5", "200000"),
        ("1,5E6", "1500000"), (".5E3", "500"), ("12 000E3", "12000000"),
        ("1,5e−1", "0.15"), (".5e1 V", "5"), ("1e3 million", "1000000000"), ("5 e-bikes", "5"),
        ("someone 5", "5"), ("canteen 5", "5"), ("5 canteens", "5"), ("Level one: 5", "5"),
        ("1,23,456", "123456"), ("12,34,567.89", "1234567.89"), ("₹ 2,50,000/-", "250000"),
    ],
)  # fmt: skip
def test_numbers(text: str, number: str) -> None:
    assert read_value(text, Rules(kind="decimal")) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    ["", "many", "INV-118", "B2", "3rd", "3-5", "1.2.3", "2024-05-03", "1 or 2", "12,3456,7",
     "1/2", "3/4/2024", "24/7", "3 and a half", "3 million five hundred", "5 to six", "a few", "5²",
     ",5", "...5", "0 500", "0,125,000", "one half", "1e3b", "1e3.5", "1e345", "1 e3", "1e3-2e3",
     "twenty 5", "five 10", "one 5", "twenty-5", "two hundred and 5", "a thousand 5", "five to 10",
     "costs twenty 5", "fifteen 5", "2E5", "3E8", "room 2E5", "-2E5", "1E3 m",
     "1万", "3億", "5百万", "5 千", "3만", "5 below zero", "5°C below zero", "5 °C sub-zero",
     "0,23,456", "123,45,678", "1,23,45", "1.23.456", "1,23,456,789"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(UnreadableError, match="is not a number"):
        read_value(text, Rules(kind="number"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5k steps", "5000"), ("3 millones", "3000000"), ("5 млн", "5000000"),
        ("2 Mio.", "2000000"),
        ("1 Mrd", "1000000000"), ("3 millions d'euros", "3000000"), ("2 milioni", "2000000"),
        ("2 milhões", "2000000"), ("4 миллиарда", "4000000000"), ("3 тыс. руб.", "3000"),
        ("30mila", "30000"), ("2 BILLIONEN", "2000000000000"), ("$3T", "3000000000000"),
        ("$5MM", "5000000"), ("3 hundred thousand", "300000"), ("two hundred thousand", "200000"),
    ],
)  # fmt: skip
def test_sizes_of_numbers(text: str, number: str) -> None:
    assert read_value(text, Rules(kind="decimal")) == Decimal(number)


@pytest.mark.parametrize("kind", ["integer", "number", "decimal"])
@pytest.mark.parametrize(
    "text",
    ["2M visitors", "3M inhabitants", "3 M", "3T", "9 B", "5MM", "$2 mil", "3 mil millones",
     "5 mill.", "two mil", "3 Md", "TEUR 500", "M€ 5", "Mio. CHF 5", "5 MEUR", "3 € million",
     "$300t", "500 T€"],
)  # fmt: skip
def test_what_may_be_a_size_is_not_left_out(kind: Any, text: str) -> None:
    with pytest.raises(UnreadableError, match="is not a number"):
        read_value(text, Rules(kind=kind))


@pytest.mark.parametrize(
    "text",
    ["5 m", "5 mm", "5 b", "5 t", "5 millionaires", "5 T-shirts", "5 K-pop albums", "5 M&Ms",
     "5 milligrams", "Plan B USB 5", "HK$ 5"],
)  # fmt: skip
def test_what_is_no_size(text: str) -> None:
    assert read_value(text, Rules(kind="decimal")) == 5


@needs_values
@pytest.mark.parametrize("kind", ["decimal", "money"])
@pytest.mark.parametrize(
    "text", ["€ 1.299,-", "1.299,--", "1.299,– €", "1.299.-", "1,299,-", "1'299.- CHF", "1299,-"]
)
def test_an_amount_without_cents_is_whole(kind: Any, text: str) -> None:
    value = read_value(text, Rules(kind=kind))
    assert (value.amount if isinstance(value, Money) else value) == 1299
    with pytest.raises(UnreadableError):
        read_value("12,50.-", Rules(kind=kind))


@needs_values
@pytest.mark.parametrize("kind", ["integer", "number", "decimal", "money"])
@pytest.mark.parametrize(
    "text",
    ["-$75", "-€75", "$-75", "$ -75", "- $75", "-US$75", "-EUR 75", "EUR -75", "-kr 75",
     "minus $75", "negative €75", "balance -$75.", "–75 €", "−75 €", "($75)", "$(75)",
     "(75.00) EUR", "(75 €)", "$75-", "75.00- EUR", "75 EUR-", "-$75.-", "➖$75", "➖\ufe0f75 €",
     "˗75 €", "(\u200e75) dollars", "(\u200e75.00\u200e)", "75.00\u200f-", "\u200e-\u200e75",
     "\u2066-\u2069\u206675\u2069", "−\u206075", "minus\u200e 75", "EUR\u200e -75"],
)  # fmt: skip
def test_a_minus_counts_wherever_it_is_written(kind: Any, text: str) -> None:
    value = read_value(text, Rules(kind=kind))
    assert (value.amount if isinstance(value, Money) else value) == -75


@needs_values
@pytest.mark.parametrize("kind", ["number", "money"])
@pytest.mark.parametrize(
    "text",
    ["due - $75", "$75 -", "75- lamps", "-($75)", "--75", "$75--", "±75", "(75", "loss (75)"],
)
def test_what_may_be_a_minus_is_not_read(kind: Any, text: str) -> None:
    with pytest.raises(UnreadableError, match="is not "):
        read_value(text, Rules(kind=kind))


@pytest.mark.parametrize(
    "text", ["75-year plan", "75 - lamps", "(75 seats)", "75.-", "75,–", "pre-tax 75", "75)"]
)
def test_what_is_no_minus(text: str) -> None:
    assert read_value(text, Rules(kind="decimal")) == 75


@pytest.mark.parametrize(
    ("text", "number", "read"),
    [
        ("balance −\u206075 EUR", "75", "−75"), ("was minus\u200e 75", "75", "minus 75"),
        ("due\u200b-75", "75", "-75"), ("debt 75.00\u200f-", "75.00", "75.00-"),
        ("pre-\u00ad75", "75", "75"),
    ],
)  # fmt: skip
def test_a_minus_beside_what_nobody_sees_is_added(text: str, number: str, read: str) -> None:
    start = text.index(number)
    assert text_to_read(text, start, start + len(number), Rules(kind="decimal")) == read


@pytest.mark.parametrize("unseen", ["\u200b", "\u200e", "\u00ad"])
def test_what_nobody_sees_joins_no_digits(unseen: str) -> None:
    with pytest.raises(UnreadableError):
        read_value(f"75{unseen}80", Rules(kind="decimal"))


@pytest.mark.parametrize("kind", ["integer", "number", "decimal", "quantity"])
def test_no_number_is_too_long_to_be_written(kind: Any) -> None:
    with pytest.raises(UnreadableError):
        read_value("9" * 200, Rules(kind=kind))
    assert fit("9" * 99 + " million", Rules(kind=kind, ge=1)) is Fit.GOOD


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"text", "email", "url"}))
def test_what_is_too_long_for_a_value_is_refused_at_once(kind: Any) -> None:
    for start in ("1", "May 3 "):
        with pytest.raises(UnreadableError, match=f"too many for the kind '{kind}'"):
            read_value(start * 200_000, Rules(kind=kind))


def test_moments_before_the_first_year_compare() -> None:
    early = Rules(kind="datetime", lt="2024-01-01")
    assert fit("0001-01-01T00:00:00+14:00", early) is Fit.GOOD


def test_whole_numbers_have_no_fraction() -> None:
    assert read_value("1,200", Rules(kind="integer")) == 1200
    with pytest.raises(UnreadableError, match=r"'2.5' is not a whole number"):
        read_value("2.5", Rules(kind="integer"))


@needs_values
@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$1,299.00", "1299.00", "$"), ("€1.299,50", "1299.50", "EUR"), ("5 CHF", "5", "CHF"),
        ("1 299,00 €", "1299.00", "EUR"), ("-$20", "-20", "$"), ("$3m", "3000000", "$"),
        ("2.5 million USD", "2500000", "USD"), ("£0.99", "0.99", "GBP"),
        ("price $3.459 per gallon", "3.459", "$"), ("€0.125", "0.125", "EUR"),
        ("€1.599", "1.599", "EUR"), ("$0.005", "0.005", "$"), ("€0,125", "0.125", "EUR"),
        ("$1,299", "1299", "$"), ("1.234,56 €", "1234.56", "EUR"), ("$1,234.56", "1234.56", "$"),
        ("€12.500.000", "12500000", "EUR"), ("EUR5", "5", "EUR"), ("CHF-5", "-5", "CHF"),
        ("¥500", "500", "¥"), ("￥500", "500", "￥"), ("JPY 500", "500", "JPY"),
        ("CN¥500", "500", "CNY"), ("CN¥ 1,234.50", "1234.50", "CNY"), ("RMB 500", "500", "CNY"),
        ("JP¥500", "500", "JPY"), ("500円", "500", "JPY"), ("500 円", "500", "JPY"),
        ("500元", "500", "元"), ("500 元", "500", "元"), ("500圆", "500", "圆"),
        ("元 500", "500", "元"), ("元500", "500", "元"), ("圓-1,200", "-1200", "圓"),
        ("500원", "500", "KRW"), ("500¥", "500", "¥"), ("500 kr", "500", "kr"),
        ("CHF 20.-", "20", "CHF"), ("$2B", "2000000000", "$"), ("$5MM", "5000000", "$"),
        ("$5mm", "5000000", "$"), ("$3T", "3000000000000", "$"), ("$5 mill", "5000000", "$"),
        ("3 M€", "3000000", "EUR"), ("3 Md€", "3000000000", "EUR"), ("5 млн ₽", "5000000", "RUB"),
        ("3 millions d'euros", "3000000", "EUR"), ("EUR 3 Mio.", "3000000", "EUR"),
        ("€500 VAT", "500", "EUR"), ("$20 USB", "20", "$"), ("$20 TOP", "20", "$"),
        ("$500 CAD", "500", "CAD"), ("Mex$5", "5", "MXN"), ("CAD$5", "5", "CAD"),
        ("TOP OFFER 20 EUR", "20", "EUR"), ("5 Euro", "5", "EUR"), ("5 euros", "5", "EUR"),
        ("$US 5", "5", "$"), ("500 CFA", "500", "CFA"), ("500 SKK", "500", "SKK"),
    ],
)  # fmt: skip
def test_money(text: str, amount: str, currency: str) -> None:
    assert read_value(text, Rules(kind="money")) == Money(Decimal(amount), currency)


@needs_values
@pytest.mark.parametrize("text", ["1,200 VAT included", "1,200 PRO", "1200 Lemons", "1200 AFL"])
def test_a_word_is_no_currency(text: str) -> None:
    assert read_value(text, Rules(kind="money")) == Money(Decimal(1200), None)


@needs_values
@pytest.mark.parametrize(
    "text",
    ["85¢", "¢85", "99 cents", "99 Cent", "1 cent", "50p", "50 p.", "50 pence", "a 50-cent coin",
     "1 penny", "5 c", "80 ct", "12,5 cts", "-85¢", "(85¢)", "99 US cents", "99 euro cents",
     "99 Eurocent", "20 centimes", "50 Rappen", "50 øre", "2 million pence"],
)  # fmt: skip
def test_cents_are_no_whole_money(text: str) -> None:
    with pytest.raises(UnreadableError, match="it is in cents"):
        read_value(text, Rules(kind="money"))


@needs_values
@pytest.mark.parametrize(
    "text", ["£25 p.a.", "£25 p/w", "25 C$", "$25 per person", "€25 c/o Acme", "$25 from Penny"]
)
def test_what_is_no_cent(text: str) -> None:
    value = read_value(text, Rules(kind="money"))
    assert isinstance(value, Money)
    assert value.amount == 25


@needs_values
@pytest.mark.parametrize(
    "text",
    ["3 to 5 dollars", "$5-10", "INV-118", "five dollars", "twenty 5 dollars", "$2E5", "500万円",
     "1.5万元", "3億円", "3억원", "$2 mil", "R$ 5 mi", "₹5 cr", "₹5 L", "TEUR 500", "5 MUSD",
     "T EUR 500", "500 T EUR", "5 T Euro", "€m 5", "£bn 5", "EUR mn 5", "5 EURm",
     "$300t", "Mio. € 5", "5 T€", "500T €"],
)  # fmt: skip
def test_a_range_is_no_amount(text: str) -> None:
    with pytest.raises(UnreadableError, match="not one amount"):
        read_value(text, Rules(kind="money"))


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("2.5 kg", "2.5", "kg"),
        ("three boxes", "3", "boxes"),
        ("12", "12", None),
        ("5°C", "5", "°C"),
        ("1/2 cup", "0.5", "cup"), ("1 1/2 cups", "1.5", "cups"), ("3½ hours", "3.5", "hours"),
        ("2 dozen eggs", "24", "eggs"), ("a dozen eggs", "12", "eggs"), ("an hour", "1", "hour"),
        ("3 million people", "3000000", "people"), ("minus 5 degrees", "-5", "degrees"),
        ("- 5 kg", "-5", "kg"), ("5-year plan", "5", "year plan"), ("5 m", "5", "m"),
        ("2e-5 mol", "0.00002", "mol"), ("1.5e3 mg", "1500", "mg"), ("5 e-bikes", "5", "e-bikes"),
        ("-6.02E23 atoms", "-602" + "0" * 21, "atoms"), ("1e3", "1000", None),
        ("5k steps", "5000", "steps"), ("9 B", "9", "B"), ("5 M", "5", "M"), ("273 K", "273", "K"),
        ("5 MN", "5", "MN"), ("5 mm", "5", "mm"), ("3 millones de casas", "3000000", "de casas"),
        ("2 Mio. t", "2000000", "t"), ("1,000+ users", "1000", "users"), ("5+ kg", "5", "kg"),
        ("1 W m-2 K-1", "1", "W m-2 K-1"), ("5 kg m-2 s", "5", "kg m-2 s"),
        ("5 mg/100 ml", "5", "mg/100 ml"), ("5 kg CO2", "5", "kg CO2"), ("5 W m-2", "5", "W m-2"),
        ("20 m2", "20", "m2"), ("6 ft2", "6", "ft2"), ("2 ft3/s", "2", "ft3/s"),
        ("5 H2O", "5", "H2O"), ("5 m3/h", "5", "m3/h"), ("90h", "90", "h"),
    ],
)  # fmt: skip
def test_quantities(text: str, amount: str, unit: str | None) -> None:
    assert read_value(text, Rules(kind="quantity")) == Quantity(Decimal(amount), unit)


@pytest.mark.parametrize(
    "text",
    ["5 x 10 cm", "5×10 cm", "5-10 kg", "5 to 10 kg", "5 kg 200 g", "one or two boxes",
     "a few boxes", "one half cup", "5- kg", "2 and a half kg", "(5 kg)", "$5", "about 5 kg",
     "1e345 kg", "1.5e3mg", "1.5 e3 mg", "1½e3 mg", "1e3 x 10 cm", "2M visitors", "3 B users",
     "3 mil personas", "20 kg-25 kg", "20 cm–30 cm", "5 m-6 m", "5 degrees below zero",
     "five degrees below zero", "1h30", "1 h30min", "2d4h", "1m80", "1m5s", "5ft11", "6ft2in",
     "5lb3oz"],
)  # fmt: skip
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(UnreadableError, match="is not "):
        read_value(text, Rules(kind="quantity"))


@needs_values
@pytest.mark.parametrize(
    "text",
    ["2024-05-03", "3 May 2024", "May 3, 2024", "3. Mai 2024", "03.05.2024", "20240503",
     "Monday, 3 May 2024", "3rd of May 2024", "Freitag, den 3. Mai 2024", "dem 3. Mai 2024",
     "Den 3.5.2024", "il 3 maggio 2024", "venerdì il 3 maggio 2024", "el 3 de mayo de 2024"],
)  # fmt: skip
def test_dates(text: str) -> None:
    assert read_value(text, Rules(kind="date")) == date(2024, 5, 3)


@needs_values
@pytest.mark.parametrize(
    "text",
    ["1º de maio de 2024", "1.º de maio de 2024", "quarta-feira, 1º de maio de 2024",
     "1º maggio 2024", "1o de maio de 2024", "1ro de mayo de 2024", "Weds 1 May 2024"],
)  # fmt: skip
def test_the_first_of_a_month_and_short_weekdays(text: str) -> None:
    assert read_value(text, Rules(kind="date")) == date(2024, 5, 1)


@needs_values
@pytest.mark.parametrize("text", ["Thurs. 9 May 2024", "Thurs., May 9, 2024", "Thur 9 May 2024"])
def test_a_thursday_in_short(text: str) -> None:
    assert read_value(text, Rules(kind="date")) == date(2024, 5, 9)


@needs_values
@pytest.mark.parametrize("text", ["l'8 maggio 2024", "L’8 maggio 2024"])
def test_an_article_may_be_cut_short(text: str) -> None:
    assert read_value(text, Rules(kind="date")) == date(2024, 5, 8)


@needs_values
@pytest.mark.parametrize(
    "text",
    ["tomorrow", "March 2024", "3 May", "2024", "10:30", "soon", "2024-W18", "2024-W18T10:30",
     "3. Mai 10 Uhr",
     "3.5. um 17 Uhr", "3 maggio ore 15", "3 mei 15 uur", "3 mai 17h", "May 3 at 10",
     "3 May 30 minutes"],
)  # fmt: skip
def test_a_date_that_depends_on_today_is_none(text: str) -> None:
    with pytest.raises(UnreadableError, match="is not a whole date"):
        read_value(text, Rules(kind="date"))


@needs_values
@pytest.mark.parametrize(
    "text",
    ["2024-13-01", "2024-31-03", "2024-02-30", "2024-13-01T10:30", "due 2024-13-01", "2024/31/03",
     "2024.31.03", "2024–13–01"],
)  # fmt: skip
@pytest.mark.parametrize("order", [None, "DMY", "YMD"])
def test_a_day_that_does_not_exist_is_no_other_one(text: str, order: Any) -> None:
    with pytest.raises(UnreadableError, match="is not a whole date"):
        read_value(text, Rules(kind="date", order=order))


@needs_values
@pytest.mark.parametrize(
    "text",
    ["2024-05-03-07", "2024-05-03/04", "2024-05-03–07", "20240503/07", "2024-05-03 07",
     "2024-05-03 – 2024-05-07", "3-7 May 2024", "den 3.–7. Mai 2024", "03.05.-07.05.2024",
     "13-15/05/2024", "13-15 05 2024"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize("order", [None, "YMD"])
def test_a_range_of_days_is_no_day_with_a_time(text: str, kind: Any, order: Any) -> None:
    with pytest.raises(UnreadableError, match="is not a whole date"):
        read_value(text, Rules(kind=kind, order=order))


@needs_values
def test_a_year_before_a_dash_is_no_range() -> None:
    assert read_value("2024 - 12 May", Rules(kind="date")) == date(2024, 5, 12)


@pytest.mark.parametrize("text", ["2024-05-03T10:30", "2024-05-03 10:30", "20240503T1030"])
def test_iso_moments(text: str) -> None:
    assert read_datetime(text) == datetime(2024, 5, 3, 10, 30)


@needs_values
def test_a_date_that_reads_two_ways_needs_its_order() -> None:
    with pytest.raises(UnreadableError, match="may be read in two ways"):
        read_value("03/04/2024", Rules(kind="date"))
    assert read_value("03/04/2024", Rules(kind="date", order="MDY")) == date(2024, 3, 4)
    assert read_value("03/04/2024", Rules(kind="date", order="DMY")) == date(2024, 4, 3)
    assert read_value("04/13/2024", Rules(kind="date")) == date(2024, 4, 13)
    assert read_value("5/5/2024", Rules(kind="date")) == date(2024, 5, 5)


@needs_values
@pytest.mark.parametrize(
    "text",
    ["3/4/2024", "Mon 3/4/2024", "(3/4/2024)", "on 3/4/2024", "3 / 4 / 2024", "1 2 2024",
     "3/4-2024", "3.4/2024", "3–4–2024", "3/4/24", "3/4/'24", "10:30 3/04/2024", "3/4/2024 10:30",
     "3/4/2024 10 30"],
)  # fmt: skip
def test_what_stands_around_a_date_does_not_tell_its_order(text: str) -> None:
    with pytest.raises(UnreadableError, match="may be read in two ways"):
        read_value(text, Rules(kind="datetime"))


@needs_values
@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Mon 4/13/2024", date(2024, 4, 13)), ("4 / 13 / 2024", date(2024, 4, 13)),
        ("on 13/4/2024", date(2024, 4, 13)), ("3. 4. 2024", date(2024, 4, 3)),
        ("2024/3/4", date(2024, 3, 4)), ("2024 3 4 10:30", date(2024, 3, 4)),
    ],
)  # fmt: skip
def test_numbers_that_tell_the_order_of_a_date(text: str, day: date) -> None:
    assert read_value(text, Rules(kind="date")) == day


@needs_values
@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("87/05/03", date(1987, 5, 3)), ("99-05-03", date(1999, 5, 3)),
        ("45.06.07", date(2045, 6, 7)), ("32-12-11", date(2032, 12, 11)),
        ("45 06 07", date(2045, 6, 7)), ("on '87-05-03", date(1987, 5, 3)),
        ("00-05-03", date(2000, 5, 3)), ("24-05-24", date(2024, 5, 24)),
        ("24-05-87", date(1987, 5, 24)), ("24/05/03", date(2003, 5, 24)),
    ],
)  # fmt: skip
def test_years_of_two_digits(text: str, day: date) -> None:
    assert read_value(text, Rules(kind="date")) == day


@needs_values
@pytest.mark.parametrize("text", ["24-05-03", "Fri 24-05-03", "24–05–03", "13-1-31", "05-05-07"])
def test_a_year_of_two_digits_may_be_a_day(text: str) -> None:
    with pytest.raises(UnreadableError, match="may be read in two ways"):
        read_value(text, Rules(kind="date"))
    assert read_value("24-05-03", Rules(kind="date", order="DMY")) == date(2003, 5, 24)
    assert read_value("24-05-03", Rules(kind="date", order="YMD")) == date(2024, 5, 3)


@needs_values
@pytest.mark.parametrize("order", [None, "DMY", "MDY"])
def test_a_year_of_two_digits_is_followed_by_its_month(order: Any) -> None:
    with pytest.raises(UnreadableError, match="is not a whole date"):
        read_value("87/13/03", Rules(kind="date", order=order))
    assert read_value("87/05/03", Rules(kind="date", order=order)) == date(1987, 5, 3)


@needs_values
@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("3 May 2024 10:30 +02:00", "2024-05-03T10:30:00+02:00"),
        ("3 May 2024 10:30 UTC", "2024-05-03T10:30:00+00:00"),
        ("2024-05-03T10:30+02:00", "2024-05-03T10:30:00+02:00"),
        ("3 May 2024 10:30", "2024-05-03T10:30:00"),
    ],
)
def test_a_time_keeps_its_offset(text: str, iso: str) -> None:
    value = read_value(text, Rules(kind="datetime"))
    assert isinstance(value, datetime)
    assert value.isoformat() == iso
    assert read_value(text, Rules(kind="date")) == date(2024, 5, 3)


@needs_values
@pytest.mark.parametrize(
    "zone", ["IST", "CST", "BST", "AST", "PST", "bst", "ET", "PT", "BDT", "AMST"]
)
def test_a_name_of_several_time_zones_gives_no_moment(zone: str) -> None:
    text = f"3 May 2024 10:30 {zone}"
    with pytest.raises(UnreadableError, match="names several time zones"):
        read_value(text, Rules(kind="datetime"))
    assert read_value(text, Rules(kind="date")) == date(2024, 5, 3)


def test_iso_dates_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onepass.typed.dates.find_spec", lambda name: None)
    assert read_datetime("2024-05-03T10:30") == datetime(2024, 5, 3, 10, 30)
    with pytest.raises(UnreadableError, match=r"onepass\[values\]"):
        read_datetime("3 May 2024")


@needs_values
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("phone", "+41 (0)44 668 18 00", "+41446681800"),
        ("iban", "GB82 WEST 1234 5698 7654 32", "GB82WEST12345698765432"),
        ("email", "Ann@Example.ORG", "Ann@example.org"),
        ("email", "mailto:a.b@c.de", "a.b@c.de"),
        ("url", "youtube.com/@ann", "https://youtube.com/@ann"),
        ("url", "www.Example.org/A", "https://www.example.org/A"),
        ("url", "https://u@Ex.com:80/x?y#z", "https://u@ex.com:80/x?y#z"),
        ("url", "www.example.org.", "https://www.example.org"),
        ("url", "https://y.org/z).", "https://y.org/z"),
        ("url", "https://y.org/z>.", "https://y.org/z"),
        ("url", 'https://y.org/z".', "https://y.org/z"),
        ("url", "https://y.org/z\u201c.", "https://y.org/z"),
        ("url", "https://y.org/Rust_(language)", "https://y.org/Rust_(language)"),
        ("iban", "IBAN: de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("text", " as it is ", " as it is "),
    ],
)
def test_spellings(kind: Any, text: str, value: str) -> None:
    assert read_value(text, Rules(kind=kind)) == value


@needs_values
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("phone", "044 668 18 00"), ("phone", "+1 23"), ("iban", "DE89370400440532013001"),
        ("iban", "DE89"), ("iban", ""), ("url", "ann@example.com"), ("email", "a@b"),
        ("email", "<a@b.co>"), ("url", "e.g."), ("url", "a b.com"), ("url", "a.com b"),
        ("url", "http://[::1"),
    ],
)  # fmt: skip
def test_what_is_none(kind: Any, text: str) -> None:
    with pytest.raises(UnreadableError, match=r" is not an? "):
        read_value(text, Rules(kind=kind))


@needs_values
def test_a_national_number_needs_its_region() -> None:
    for region in ("CH", "ch"):
        rules = Rules(kind="phone", region=region)
        assert read_value("044 668 18 00", rules) == "+41446681800"


@needs_values
@given(st.text(max_size=20) | st.from_regex(r"[-$€]?\d{1,4}[./, -]\d{1,4}[./, -]?\d{0,4}[ a-z]?"))
@settings(max_examples=40, deadline=None)
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for kind in KINDS:
        assert fit(text, Rules(kind=kind)) in (Fit.UNREADABLE, Fit.GOOD)


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        ("12", Rules(kind="integer", le=10), Fit.REFUSED),
        ("10", Rules(kind="integer", le=10), Fit.GOOD),
        ("10", Rules(kind="integer", lt=10), Fit.REFUSED),
        ("many", Rules(kind="integer"), Fit.UNREADABLE),
        ("many", Rules(kind="integer", ge=0), Fit.REFUSED),
        ("A-12", Rules(pattern=r"^[A-Z]-\d+$"), Fit.GOOD),
        ("A-x", Rules(pattern=r"^[A-Z]-\d+$"), Fit.REFUSED),
        ("ab", Rules(min_length=3), Fit.REFUSED),
        ("abcd", Rules(max_length=3), Fit.REFUSED),
        ("0.1", Rules(kind="decimal", ge=0.1), Fit.GOOD),  # no binary fraction comes between
        ("0.3", Rules(kind="decimal", le="0.3"), Fit.GOOD),
        ("2024-05-03", Rules(kind="date", ge="2024-05-03"), Fit.GOOD),
        ("2024-05-03", Rules(kind="date", gt="2024-05-03"), Fit.REFUSED),
        ("2024-05-03T10:00+02:00", Rules(kind="datetime", le="2024-05-03T08:00"), Fit.GOOD),
        ("5 kg", Rules(kind="quantity", gt=5), Fit.REFUSED),
    ],
)
def test_candidates_fit_or_not(text: str, rules: Rules, expected: Fit) -> None:
    assert fit(text, rules) is expected


def test_amounts_are_compared_by_their_number() -> None:
    assert keeps_bounds(Money(Decimal("9.50"), "EUR"), Rules(kind="money", lt=10))
    assert not keeps_bounds(Money(Decimal("9.50"), "EUR"), Rules(kind="money", lt="9.5"))


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"kind": "colour"}, "kind must be one of text, "),
        ({"pattern": "("}, "is not a regular expression"),
        ({"pattern": 3}, "pattern must be a string, but 3 was given"),
        ({"ge": 3}, "ge bounds numbers and dates, but the kind is 'text'"),
        ({"kind": "date", "ge": 3}, "ge must be a date as ISO text, but 3 was given"),
        ({"kind": "date", "ge": "soon"}, "ge must be a date as ISO text"),
        ({"kind": "integer", "ge": "many"}, "ge must be a number, but 'many' was given"),
        ({"kind": "integer", "ge": float("nan")}, "ge must be a number, but nan was given"),
        ({"min_length": -1}, "min_length must be a whole number from 0 up"),
        ({"max_items": True}, "max_items must be a whole number from 0 up"),
        ({"exclusive": "yes"}, "exclusive must be true or false"),
        ({"region": 41}, "region must be the two letters of a country"),
        ({"order": "DYM"}, "order must be one of DMY, MDY, YMD"),
        ({"kind": "integer", "ge": 5, "le": 3}, "Nothing fits both ge 5 and le 3; raise le or"),
        ({"kind": "decimal", "ge": "0.1", "lt": 0.1}, "Nothing fits both ge '0.1' and lt 0.1"),
        ({"kind": "number", "gt": 2, "le": 2.0}, "Nothing fits both gt 2 and le 2.0"),
        (
            {"kind": "datetime", "gt": "2024-05-03T10:00+02:00", "lt": "2024-05-03T08:00"},
            "Nothing fits both gt '2024-05-03T10:00+02:00' and lt '2024-05-03T08:00'",
        ),
        ({"min_length": 5, "max_length": 3}, "Nothing fits both min_length 5 and max_length 3"),
        ({"min_items": 3, "max_items": 2}, "Nothing fits both min_items 3 and max_items 2"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(rules: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        Rules(**rules)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "rules",
    [
        {"kind": "number", "ge": "0.1", "le": 0.1},
        {"kind": "integer", "gt": 1, "le": 2},
        {"kind": "date", "ge": "2024-05-03", "le": "2024-05-03"},
        {"min_length": 3, "max_length": 3, "min_items": 2, "max_items": 2},
    ],
)
def test_rules_that_one_value_keeps_are_taken(rules: dict[str, Any]) -> None:
    assert Rules(**rules).given().items() >= rules.items()


def test_a_kind_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Schema().structure("bill", [{"name": "total", "dtype": "str", "kind": "money"}])
    monkeypatch.setattr("onepass.schema.rules.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"kind 'money' needs the extra 'values'"):
        schema.checked()


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("2 million dollars", "$"), ("3 million US dollars", "USD"), ("5-dollar", "$"),
        ("2.5 million U.S. dollars", "USD"), ("100 Canadian dollars", "CAD"), ("300 yen", "JPY"),
        ("20 pounds sterling", "GBP"), ("20 pounds", "pounds"), ("5 dollars a pound", "$"),
        ("100 dollars USD", "USD"), ("€ 5 dollars", "EUR"), ("100 Swiss Francs", "CHF"),
        ("5k dollars", "$"), ("5 m US dollars", "USD"), ("10 zlotys", "PLN"),
        ("20 Danish krone", "Danish krone"), ("5 randoms", None), ("3 pounded", None),
        ("5 a pound", None),
    ],
)  # fmt: skip
def test_names_of_currencies(text: str, currency: str | None) -> None:
    value = read_value(text, Rules(kind="money"))
    assert isinstance(value, Money)
    assert value.currency == currency
