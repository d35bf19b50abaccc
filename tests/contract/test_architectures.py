"""The page about GLiNER says what the tests cover, and the tests cover what the page says."""

from __future__ import annotations

from tests.contract.architectures import PAGE, written
from tests.contract.checkpoints import CHECKPOINTS


def test_the_table_is_that_of_the_tests() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), (
        "docs/gliner.md is out of date: run  python -m tests.contract.architectures"
    )


def test_every_architecture_is_in_the_contract() -> None:
    kinds = {kind.architecture for kind in CHECKPOINTS.values() if kind.family == "gliner"}
    assert kinds == {
        "UniEncoderSpan",
        "UniEncoderToken",
        "BiEncoderSpan",
        "BiEncoderToken",
        "BiEncoderSpan (poly-encoder)",
        "BiEncoderToken (poly-encoder)",
        "StreamingSpan",
        "UniEncoderSpanRelex",
        "UniEncoderTokenRelex",
        "UniEncoderSpanDecoder",
        "UniEncoderTokenDecoder",
    }
