"""``onepass serve``: what it says when it has started."""

from collections.abc import Callable
from typing import Any

import pytest

from onepass.serving import run


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "no API key: all may use it"),
        ("a" * 16, "1 API key"),
        (f"{'a' * 16},{'b' * 16}", "2 API keys"),
    ],
)
def test_it_says_how_many_keys_there_are(
    onepass: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, keys: str, said: str
):
    def serve(_model: object, _settings: object, *, started: Callable[[str], None]) -> None:
        started("http://here")

    monkeypatch.setattr(run, "serve", serve)
    monkeypatch.setenv("ONEPASS_API_KEYS", keys)
    done = onepass("serve")
    assert done.err == f"onepass serves echo at http://here, {said}; see http://here/docs\n"
