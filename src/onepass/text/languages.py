"""In which language a text is, by langdetect: the same answer at any time, on any machine.

The library draws at random, and reads its profiles in the order of the directory; here it has a
seed and an order, and nothing of it that other code of the process may use is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


def language_finder(seed: int) -> Callable[[str], str | None]:
    """Return what tells the language of a text, None where nothing in it tells one.

    Codes are those of langdetect: "en", "zh-cn", "zh-tw", ...

    Args:
        seed: of its random choices.
    """
    from langdetect import LangDetectException

    profiles = _profiles()

    def find(text: str) -> str | None:
        detector = profiles.create()
        detector.seed = seed
        detector.append(text)
        try:
            code: str = detector.detect()
        except LangDetectException:
            return None
        return None if code == detector.UNKNOWN_LANG else code

    return find


@cache
def _profiles() -> Any:
    """Return the profiles of all languages."""
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    factory = DetectorFactory()
    files = sorted(path for path in Path(PROFILES_DIRECTORY).iterdir() if path.is_file())
    factory.load_json_profile([path.read_text(encoding="utf-8") for path in files])
    return factory
