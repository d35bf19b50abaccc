"""How guests name a model."""

from __future__ import annotations

import pytest

from onepass import Extractor
from onepass.errors import InputError
from onepass.integrations.opening import extractor_of


def test_an_open_model_stays_and_a_name_opens_one(model: Extractor) -> None:
    assert extractor_of(model) is model
    assert extractor_of("builtin").name == "builtin"
    for named in (model, None):
        with pytest.raises(InputError, match=r"revision='v1'.* is for a hub id"):
            extractor_of(named, "v1")


@pytest.mark.parametrize("wrong", [5, ["builtin"], b"builtin"])
def test_what_names_no_model_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match="must be an Extractor, a hub id or a directory"):
        extractor_of(wrong)  # type: ignore[arg-type]
