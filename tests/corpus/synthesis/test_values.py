"""Made-up identifiers are such as checks let pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stdnum import bic, get_cc_module, isbn, luhn

from onepass.corpus.synthesis.values import Maker
from onepass.redact.checks import registered_iban

NUMBERS = [
    get_cc_module(country, name).is_valid
    for country, name in (
        ("us", "ssn"), ("ca", "sin"), ("fr", "nir"), ("es", "nif"), ("it", "codicefiscale"),
        ("nl", "bsn"), ("pl", "pesel"), ("br", "cpf"), ("se", "personnummer"), ("fi", "hetu"),
        ("no", "fodselsnummer"), ("tr", "tckimlik"), ("hr", "oib"),
    )
]  # fmt: skip


def is_national_id(value: str) -> bool:
    british = value.startswith("ZZ")  # which is never given out, and has no check digit
    return british or any(is_valid(value) for is_valid in NUMBERS)


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker(3)


@pytest.mark.parametrize(
    ("kind", "is_valid"),
    [
        ("iban", registered_iban),  # of the length that its country has, too
        ("national id", is_national_id),
        ("card number", luhn.is_valid),
        ("bic", bic.is_valid),
        ("isbn", isbn.is_valid),
    ],
)
def test_identifiers_are_valid(maker: Maker, kind: str, is_valid: Callable[[str], bool]) -> None:
    made = [maker.make(kind) for _ in range(500)]
    assert [value for value in made if not is_valid(value)] == []
    assert len(set(made)) > 400
