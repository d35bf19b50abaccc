"""Keys and tokens: what is found, what only looks a little like it, and that no text is slow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.linear import assert_grows_in_proportion

from onepass import Extractor
from onepass.redact import redact
from onepass.redact.tokens import token, tokens

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlc2ln"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc/d+==\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Authorization: Bearer {JWT} 200", [JWT]),
        ("authorization: basic dXNlcjpwYXNzMTIz==", ["dXNlcjpwYXNzMTIz=="]),
        ("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE;", ["AKIAIOSFODNN7EXAMPLE"]),
        (f"?token={JWT}&page=2", [JWT]),
        ("git clone https://ghp_" + "a1B2" * 9 + "@host.org/x", ["ghp_" + "a1B2" * 9]),
        ("'sk-ant-api03-AbCdEf0123456789AbCdEf'", ["sk-ant-api03-AbCdEf0123456789AbCdEf"]),
        (f"Sign:\n{KEY}\nbye", [KEY]),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", ["-----BEGIN PRIVATE KEY-----"]),
        ("Authorization: Basic cm9vdDpyb290", ["cm9vdDpyb290"]),  # root:root
        ("Basic Ym86aHVudGVyMg== 200", ["Ym86aHVudGVyMg=="]),
        ("basic math, Basic form4, basic cm9vdHJvb3Q=", []),  # no name and password
        ("Basic considerations, basic internationalization, basic question-answering", []),
        ("eyJhbGciOiJIUzI1NiJ9", []),  # a header alone
        ("risk-free-investments-of-the-year, task-12345678901234567890", []),
        ("xAKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLEx", []),
        ("-----BEGIN CERTIFICATE-----", []),
    ],
)
def test_what_is_found(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in tokens(text)] == found


def test_a_value_of_the_model_is_checked() -> None:
    assert [token(JWT), token(KEY), token("hunter2")] == [True, True, None]


@pytest.mark.parametrize(
    "part", ["eyJ", "eyJaaaaaaaa.", "sk-", "Bearer ", "-----BEGIN PRIVATE KEY-----", "a", "."]
)
def test_no_text_is_slow(part: str) -> None:
    def finding(size: int) -> Callable[[], object]:
        text = part * (size // len(part))
        return lambda: list(tokens(text))

    assert_grows_in_proportion(finding, 8_000)


def test_it_is_among_what_is_looked_for() -> None:
    done = redact(Extractor(), f"curl -H 'Authorization: Bearer {JWT}' failed")
    assert JWT not in done.text
    assert [one.label for one in done.found if one.source == "pattern"] == ["access token"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("Basic cm9vdDpyb290", True), ("Basic plan", None), ("basic internationalization", None)],
)
def test_a_word_behind_basic_is_no_token(text: str, said: bool | None):
    assert token(text) is said
