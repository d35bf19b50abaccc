"""Patterns and checks: what they find, what they leave, and that no text makes them slow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.redact import checks, patterns
from onepass.redact.find import Finders
from onepass.redact.kinds import kind_of
from onepass.redact.plain import HIDING
from onepass.redact.readings import Span, over_lines
from onepass.results.types import Entity, Extraction

FOUND = {
    "emails": {
        "Mail a.b+c@ex-ample.co.uk.": ["a.b+c@ex-ample.co.uk"],
        "jörg@müller.de, @x, a@b": ["jörg@müller.de"],
        "请发邮件至anna@example.com我们会尽快处理": ["anna@example.com"],
        "메일은anna@example.kr입니다, 用户@例子.公司, x@почта.рф, a@b.xn--p1ai": [
            "anna@example.kr", "用户@例子.公司", "x@почта.рф", "a@b.xn--p1ai",
        ],
        "a&b.shop@example.com x/y@example.com anna@example.com-Adresse": [
            "a&b.shop@example.com", "x/y@example.com", "anna@example.com",
        ],
        "'a@b.org' **c@d.org** 1|Bo|e@f.org": ["a@b.org", "c@d.org", "e@f.org"],
        "宛先／anna＠example.com，我！ａｎｎａ＠ｂ．ｏｒｇ．お": [
            "anna＠example.com", "ａｎｎａ＠ｂ．ｏｒｇ",
        ],
        "anna.weiss@\u200bexample.com, a.b@exa\u00admple.com\u200b, می‌خواهمc@d.org": [
            "anna.weiss@\u200bexample.com", "a.b@exa\u00admple.com", "c@d.org",
        ],
        "user=a@b.org u_id='a@b.org' name=Bo&to=a@b.org {mail=a@b.org} x{a@b.org} ab`a@b.org`": [
            "a@b.org"
        ] * 6,
        "logo@2x.png a@3X.JPEG x@2x.de a@2x.pngs.org": ["x@2x.de", "a@2x.pngs.org"],
        "bounce+anna=example.com@b.org, =a@b.org": ["bounce+anna=example.com@b.org", "a@b.org"],
    },
    "urls": {
        "见ｈｔｔｐｓ：／／ａ．ｏｒｇ／ｘ，和www.b.cn：好": [
            "ｈｔｔｐｓ：／／ａ．ｏｒｇ／ｘ", "www.b.cn",
        ],
        "See https://a.org/x?y=(z).": ["https://a.org/x?y=(z"],
        "(www.a.org) ftp://b.c/d, http://": ["www.a.org", "ftp://b.c/d"],
        "DB=postgres://bo:p?w@db.example.org:5432/x file:///home/bo wss://a.org/s?token=1, a://b": [
            "postgres://bo:p?w@db.example.org:5432/x", "file:///home/bo", "wss://a.org/s?token=1",
        ],
        "访问https://a.cn/北京，好。（www.b.cn）是「http://c.cn」“http://d.cn”": [
            "https://a.cn/北京", "www.b.cn", "http://c.cn", "http://d.cn",
        ],
    },
    "ips": {
        "１９２．１６８．１．１０, ２００１：ｄｂ８：：１": [
            "１９２．１６８．１．１０", "２００１：ｄｂ８：：１",
        ],
        "at 10.0.0.1. Version 1.2.3, 1.2.3.4.5": ["10.0.0.1"],
        "at 192.168.1\u200b.10\u2060.": ["192.168.1\u200b.10"],
        "2001:db8::8a2e:370:7334 and 12:30:45": ["2001:db8::8a2e:370:7334", "12:30:45"],
        "([IPv6:2001:db8::1]) addr:fe80::1. 2001:db8::2: no answer, at:12:30, 2001:db8::3:x": [
            "2001:db8::1", "fe80::1", "2001:db8::2",
        ],
        "服务器192.168.1.10无法访问，地址2001:db8::1无法": ["192.168.1.10", "2001:db8::1"],
    },
    "cards": {
        "Card: ４１１１ １１１１ １１１１ １１１１ please 卡号４１１１１１１１１１１１１１１１": [
            "４１１１ １１１１ １１１１ １１１１", "４１１１１１１１１１１１１１１１",
        ],
        "ＶＩＳＡ４１１１－１１１１－１１１１－１１１１ 号－4111111111111111": [
            "４１１１－１１１１－１１１１－１１１１", "4111111111111111",
        ],
        "٤١١١ ١١١١ ١١١١ ١١١١ ४१११११११११११११११": ["٤١١١ ١١١١ ١١١١ ١١١١", "४१११११११११११११११"],
        "4111-1111-1111-1111 378282246310005 2024 1111": [
            "4111-1111-1111-1111", "378282246310005",
        ],
        "Visa-4111 1111 1111 1111, Karte-Nr.-4111111111111111, 1-4111111111111111": [
            "4111 1111 1111 1111", "4111111111111111",
        ],
        "Diners 3056 930902 5904 or 3056-930902-5904": ["3056 930902 5904", "3056-930902-5904"],
        "6304 0000 0000 0000 00, 6011 1111 1111 1117 123, 6304-0000-0000-0000-00": [
            "6304 0000 0000 0000 00", "6011 1111 1111 1117", "6304-0000-0000-0000-00",
        ],
        "4111 1111 1111 1111 123, 5500 0055 5555 5559 4111 1111 1111 1111": [
            "4111 1111 1111 1111", "5500 0055 5555 5559", "4111 1111 1111 1111",
        ],
        "4111 1111-1111 1111 x4111111111111111 é4111111111111111 4111111111111111я": [],
        "卡号4111 1111 1111 1111已过期, 카드4111111111111111로": [
            "4111 1111 1111 1111", "4111111111111111",
        ],
        "4111\u00a01111 1111\u202f1111 4111\u20111111\u20111111\u20111111": [
            "4111\u00a01111 1111\u202f1111", "4111\u20111111\u20111111\u20111111",
        ],
        "4111\u20131111\u20131111\u20131111 \u200e4111\u00ad1111\u200b11111111\u200e": [
            "4111\u20131111\u20131111\u20131111", "4111\u00ad1111\u200b11111111",
        ],
        "card 4111 1111\n1111 1111, Visa: 4111-1111-\r\n  1111-1111\nAmex 3782 822463\n> 10005!": [
            "4111 1111\n1111 1111", "4111-1111-\r\n  1111-1111", "3782 822463\n> 10005",
        ],
        "4111 1111\n1111 1111\n2 4111 1111\n1111 1111\nSum 4111 1111\n1111 1112": [],
        "card 4111\n1111 1111\n1111, card 4111 1111\n\n1111 1111, card 411111111\n1111111": [],
    },
    "ibans": {
        "ＤＥ８９　３７０４　００４４　０５３２　０１３０　００": [
            "ＤＥ８９　３７０４　００４４　０５３２　０１３０　００",
        ],
        "GB82 WEST 1234 5698 7654 32 from NL91ABNA0417164300": [
            "GB82 WEST 1234 5698 7654 32", "NL91ABNA0417164300",
        ],
        "AB12 3456 7890 1234": [],
        "IT60 X 05428 11101 000000123456, IT 60 X0542811101000000123456": [
            "IT60 X 05428 11101 000000123456", "IT 60 X0542811101000000123456",
        ],
        "ES91 2100 0418 45 0200051332 or FR14-20041-01005-0500013M026-06 12": [
            "ES91 2100 0418 45 0200051332", "FR14-20041-01005-0500013M026-06",
        ],
        "IT60 X 05428 11101 000000123457, IT60 X 05428 11101 0000001234567": [],
        "账号DE89370400440532013000。": ["DE89370400440532013000"],
        "BE68 5390 0754 7034 NL91 ABNA 0417 1643 00 are closed": [
            "BE68 5390 0754 7034", "NL91 ABNA 0417 1643 00",
        ],
        "de89370400440532013000, De89 3704 0044 0532 0130 00 and nl91 abna 0417 1643 00 too": [
            "de89370400440532013000", "De89 3704 0044 0532 0130 00", "nl91 abna 0417 1643 00",
        ],
        "AB12 CD34 DE89 3704 0044 0532 0130 00 was paid": ["DE89 3704 0044 0532 0130 00"],
        "DE89\u00a03704\u20090044\u20070532-0130-00": [
            "DE89\u00a03704\u20090044\u20070532-0130-00",
        ],
        "DE89\u20133704\u20130044\u20120532\u22120130\u201300 D\u200bE893704\u200b00440532013000": [
            "DE89\u20133704\u20130044\u20120532\u22120130\u201300",
            "D\u200bE893704\u200b00440532013000",
        ],
        "Pay to DE89 3704 0044 0532\n0130 00, or\n> to NL91 ABNA\n> 0417-1643-\n00 or": [
            "DE89 3704 0044 0532\n0130 00",
        ],
        "DE22 3704\n0044 0532, DE89\n3704 0044\n0532 0130 00": [],  # too short; over three lines
    },
    "ssns": {
        "536-90-4399 1536-90-4399 536-90-4399-1": ["536-90-4399"],
        "SSN-536-90-4399, 536-90-4399-B, 12-536-90-4399": ["536-90-4399", "536-90-4399"],
        "号码536\u201190\u20114399。": ["536\u201190\u20114399"],
        "536\u201390\u22124399 53\u200b6-90-4399 536-90-\n4399 536-\n  90-4399 536-90\n4399": [
            "536\u201390\u22124399", "53\u200b6-90-4399", "536-90-\n4399", "536-\n  90-4399",
        ],
    },
    "phones": {
        "電話０３－１２３４－５６７８、（０３）１２３４－５６７８、ＴＥＬ＋８１ ３ １２３４": [
            "０３－１２３４－５６７８", "（０３）１２３４－５６７８", "＋８１ ３ １２３４",
        ],
        "03-1234-5678 090-1234-5678 0467-22-1234 02-123-4567": [
            "03-1234-5678", "090-1234-5678", "0467-22-1234", "02-123-4567",
        ],
        "01-02-2024, 012-34-5678, 0000-0002-1825-0097, 0123-4567-8901, 0-306-40615-2": [],
        "+49 30 901820, (020) 7946 0018 or 212-555-0100": [
            "+49 30 901820", "(020) 7946 0018", "212-555-0100",
        ],
        "0044 20 7946 0018; 3.14159; 2024-11-26; 1234567": ["0044 20 7946 0018"],
        "电话+86 138 0013 8000。Tel.+49 171 1234567": ["+86 138 0013 8000", "+49 171 1234567"],
        "+33\u00a06\u00a012\u00a034\u00a056\u00a078 212\u2011555\u20110100": [
            "+33\u00a06\u00a012\u00a034\u00a056\u00a078", "212\u2011555\u20110100",
        ],
        "(+49) 30 901820, +49 (0) 30 / 901820": ["(+49) 30 901820", "+49 (0) 30 / 901820"],
        "+1 (212) 555-0100-2, +49 30 901820-0": ["+1 (212) 555-0100-2", "+49 30 901820-0"],
        "\u202a+49\u200b30\u200b901820\u202c": ["+49\u200b30\u200b901820"],
        "J. Chem. (2019) 567\u2013589, 120 340\u20131200": [],  # dashes between pages
        "+55 11 9 8765-4321, +49 30 9 01 82 01, +1 212 - 555 - 0100": [
            "+55 11 9 8765-4321", "+49 30 9 01 82 01", "+1 212 - 555 - 0100",
        ],
        "0033 1 42 68 53 00 75008 Paris": ["0033 1 42 68 53 00"],
        "Nature (2020) 1234, J. Chem. (2019) 567, (2012) 555-1234": ["(2012) 555-1234"],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, cases in FOUND.items() for text in cases]
)
def test_forms_are_found(name: str, text: str) -> None:
    places = getattr(patterns, name)(text)
    assert [text[start:end] for start, end in places] == FOUND[name][text]


@pytest.mark.parametrize("name", list(FOUND))
@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "1.", "a.", "a@", "www.", "+1 ", ":", "A1", "(", "1-", "http://",
     "AB12 ", "@-.", "@a.", "(2020) 1", "1\u00a0", "卡", "www.((", "１", "０１－", "ａ．",
     "＠ａ．", "：", "0-", "００ ", "a-", "ab12 abcd ", "6304 ", "(+1 / ", "\n", "1234\n", "AB12\n",
     "AB12 ABCD-\n", "AB\r\n> >", "a 4111 1111\n", "\u200b", "1\u200b", "\u00ada@", "a=", "&a=",
     "://", "a+", "IPv6:", "addr::", "IT60 X 05428 ", "+1 212 555 0100 24 ", "+1 - 2 "],
)  # fmt: skip
def test_no_text_makes_them_slow(name: str, piece: str) -> None:
    def finding(size: int) -> Callable[[], object]:
        text = piece * (size // len(piece))
        return lambda: list(getattr(patterns, name)(text))

    assert_grows_in_proportion(finding, 8_000)


def test_lines_on_which_no_value_is_begun_are_read_once() -> None:
    read: list[str] = []

    def find(text: str) -> Iterator[Span]:
        read.append(text)
        return iter(())

    list(over_lines(re.compile(r"AB12\Z"))(find)("1234 5678\n1234 AB12\n1234\n"))
    assert read[1:] == ["1234 AB12 1234"]


@pytest.mark.parametrize(
    ("name", "rows", "begun"),
    [
        ("_IBAN_BEGUN", ["1234 5678 9012 3456 AB12", "4111 1111"], ["de89", "GB82 WEST 1234-"]),
        ("_CARD_BEGUN", ["4111 1111", "Card 1234 AB12"], ["Card 4111 1111", "\u5361\u53f74111-"]),
        ("_SSN_BEGUN", ["4111 1111", "AB12"], ["SSN 536-", "536-90-"]),
    ],
)
def test_how_lines_end_on_which_a_value_is_begun(
    name: str, rows: list[str], begun: list[str]
) -> None:
    pattern = getattr(patterns, name)
    assert [one for one in rows + begun if pattern.search(one)] == begun


def test_invisible_characters_of_emoji_hide_nothing() -> None:
    assert HIDING.search("\u2764\ufe0f \U0001f469\u200d\U0001f4bb, \U0001f44d\U0001f3fd") is None
    assert all(map(HIDING.search, ("a\u200b@b.org", "\u22121\ufe0f2", " \u200b1")))


@settings(max_examples=50)
@given(st.integers(10**10, 10**17).map(str))
def test_luhn_knows_one_last_digit(digits: str) -> None:
    right = [last for last in "0123456789" if checks.luhn(digits + last)]
    assert len(right) == 1
    changed = str((int(digits[0]) + 1) % 10) + digits[1:] + right[0]
    assert not checks.luhn(changed)  # any one digit that is wrong is noticed


@settings(max_examples=50)
@given(st.text("ABCXYZ0123456789", min_size=11, max_size=30))
def test_iban_notices_a_wrong_digit(rest: str) -> None:
    number = int("".join(str(int(letter, 36)) for letter in rest + "DE00"))
    digits = f"{98 - number % 97:02d}"
    assert checks.iban(f"DE{digits}{rest}")
    other = 2 + (int(digits) - 1) % 97  # check digits are 02 to 98
    assert not checks.iban(f"DE{other:02d}{rest}")


@given(st.ip_addresses())
def test_every_ip_address_passes_and_is_found(address: object) -> None:
    text = str(address)
    assert checks.ip(text) is (text != "::")
    if ip_address(text).version == 4:
        assert list(patterns.ips(f"at {text}.")) == [(3, 3 + len(text))]


def test_signs_that_keep_a_line_together_pass() -> None:
    assert checks.luhn("4111\u00a01111\u202f1111\u20111111")
    assert checks.iban("DE89\u00a03704\u20070044\u20090532\u20100130\u201100")
    assert checks.ssn("536\u201190\u20114399")
    assert checks.email("a@b.xn--p1ai")
    assert checks.email("jo\u0308rg@mu\u0308ller.de")


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("credit card number", "4111 1111\n1111\u200b 1111"),
        ("IBAN", "DE89 3704 0044\r\n> 0532 0130\u00ad 00"),
        ("social security number", "536-90-\n4399"),
        ("email address", "anna@exa\u00admple.com"),
        ("IP address", "192.168.1\u200b.10"),
    ],
)
def test_a_value_passes_its_check_however_it_is_wrapped(label: str, value: str) -> None:
    text = f"It is {value} now"
    doc = Extraction(text, entities=(Entity(label, value, 6, 6 + len(value), 0.5),))
    [place] = Finders([label], patterns=False).places(doc)
    assert place.check is True


def test_phone_numbers_of_the_library() -> None:
    pytest.importorskip("phonenumbers")
    assert checks.phone("+49 30 901820") is True
    assert checks.phone("+33\u202f6\u202f12\u202f34\u202f56\u202f78") is True
    assert checks.phone("+1 (212) 555-0100-2") is True
    assert checks.phone("+49 1") is False
    assert checks.phone("+999 123 456 789") is False
    assert checks.phone("030 901820") is None
    find = patterns.phones_in("DE")
    assert (4, 14) in list(find("Tel 030 901820!"))


@pytest.mark.parametrize(
    "more", [" 24 hours", " 10001 New York", " 2024-05-03 10:30", "/19", " 0044 20 7946 0018"]
)
def test_numbers_behind_a_phone_number_are_no_part_of_it(more: str) -> None:
    pytest.importorskip("phonenumbers")
    assert next(patterns.phones("+1 212 555 0100" + more)) == (0, 15)


def test_phone_numbers_are_found_behind_any_number_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = pytest.importorskip("phonenumbers")
    few = (library.Leniency.VALID, 2, 1)  # others that the library passes before it gives up
    monkeypatch.setattr(library.PhoneNumberMatcher.__init__, "__defaults__", few)
    assert list(patterns.phones_in("DE")("12345, 12345, 12345, 030 901820")) == [(21, 31)]
    assert not list(patterns.phones_in("DE")(""))


def test_labels_are_known_by_several_names() -> None:
    for name in ("E-mail", "email_address", "Email  address"):
        assert kind_of(name) is kind_of("email")
    assert kind_of("person") is None
