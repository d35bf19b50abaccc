"""Words of Stanza, whose models read one language each.

A model is loaded when the first text of its language is read, and none is ever downloaded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

from onepass.errors import CheckpointError
from onepass.text.aligning import Places, Split
from onepass.text.languages import language_finder
from onepass.text.libraries import not_downloaded

_DEFAULT = "en"
_SEED = 42  # that of gliner
_NAMES = {"zh-cn": "zh-hans", "zh": "zh-hans", "zh-tw": "zh-hant", "no": "nb"}  # of langdetect


def by_stanza(languages: str | None) -> Split:
    """Return the words that Stanza finds, on the CPU.

    Args:
        languages: codes with commas, among which the language of a text is looked for; the first is
            that of the others. One is that of all texts. None are all that Stanza has, with "en"
            for the others.

    Raises:
        CheckpointError: if a model that is needed was not downloaded, here or when a text is split.
    """
    chosen = [_NAMES.get(code, code) for code in languages.split(",")] if languages else []
    default = chosen[0] if chosen else _DEFAULT
    models = _Models(default)
    known = frozenset(chosen) or models.languages
    for code in chosen or [default]:
        models.load(code)
    if len(chosen) == 1:
        return lambda text: models.split(text, default)
    find = language_finder(_SEED)

    def split(text: str) -> Places:
        code = find(text)
        code = _NAMES.get(code, code) if code else default
        return models.split(text, code if code in known else default)

    return split


class _Models:
    """The loaded models by language; they read one text at a time.

    Args:
        first: the language that is needed first.
    """

    def __init__(self, first: str) -> None:
        from stanza.resources.common import load_resources_json

        self._pipelines: dict[str, Any] = {}
        self._lock = Lock()
        try:
            known = load_resources_json()
        except FileNotFoundError as error:  # nothing was ever downloaded
            raise _not_downloaded(first) from error
        has = ("tokenize", "alias")  # others have no words
        self.languages = frozenset(
            code for code, of_it in known.items() if any(key in of_it for key in has)
        )

    def load(self, code: str, *, guessed: bool = False) -> Any:
        """Return the pipeline of a language.

        Args:
            code: of the language.
            guessed: whether the language is what a text was taken for.

        Raises:
            CheckpointError: if there is no such model, or it is not here.
        """
        from stanza import Pipeline

        if code not in self.languages:
            raise CheckpointError(
                f"Stanza has no model of words for the language {code!r}; it has those of "
                f"{', '.join(sorted(self.languages))}."
            )
        if code not in self._pipelines:
            try:
                self._pipelines[code] = Pipeline(
                    code, processors="tokenize", download_method=None, use_gpu=False, verbose=False
                )
            except FileNotFoundError as error:
                raise _not_downloaded(code, guessed=guessed) from error
        return self._pipelines[code]

    def split(self, text: str, code: str) -> Places:
        """Return the words of a text in a language."""
        with self._lock:
            sentences = self.load(code, guessed=True)(text).sentences  # the others are loaded
        return [place for one in sentences for token in one.tokens for place in _places(token)]


def _places(token: Any) -> Places:
    """Return the places of the words of a token, that of the token where they have none."""
    own: Sequence[Any] = token.words
    if len(own) > 1 and all(word.start_char is not None for word in own):
        return [(word.start_char, word.end_char) for word in own]
    return [(token.start_char, token.end_char)]


def _not_downloaded(code: str, *, guessed: bool = False) -> CheckpointError:
    command = f"import stanza; stanza.download('{code}', processors='tokenize')"
    if not guessed:
        return not_downloaded("Stanza", code, command)
    return CheckpointError(
        f"langdetect takes a text for {code!r}, whose model of Stanza was not downloaded: name the "
        "languages that there are, as the word_splitter 'stanza:de,en' does, or run  "
        f'python -c "{command}"'
    )
