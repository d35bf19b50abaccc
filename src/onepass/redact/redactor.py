"""Redaction: a model and patterns find personal data, and every place of it is replaced.

What stands between the places is copied as it is. This module puts the parts together; it does not
know files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from onepass.errors import InputError, MissingExtra
from onepass.models.kept import Kept
from onepass.models.texts import checked_texts
from onepass.models.thresholds import DEFAULT
from onepass.redact.actions import Replacer
from onepass.redact.checks import libraries
from onepass.redact.find import Finders
from onepass.redact.kinds import PII, kind_of, spelled
from onepass.redact.patterns import phones_in
from onepass.redact.places import Place
from onepass.redact.readings import Finder
from onepass.results.redacted import Found, Redacted
from onepass.results.types import Extraction
from onepass.schema import Schema
from onepass.schema.shown import shown

if TYPE_CHECKING:
    from onepass.extractor import Extractor

Labels = Sequence[str] | Mapping[str, str]
Action = str | Mapping[str, str]
# The least probability of what is replaced: a name that stays costs as much as six blanks too many
# (1 / 0.15 - 1 = 5.7).
LIKELY = 0.15


@dataclass(frozen=True, slots=True)
class Options:
    """How texts are redacted.

    Options of a call are left out: ``on_long``, since what is not read would stay in the text, and
    ``overlap`` and ``solver``, since places that touch become one and no rules join labels.

    Attributes:
        labels: names of what to look for, or a mapping of names to descriptions.
        action: "mask", "label", "hash" or "pseudonym"; or one for each label, where that of ""
            (or "label") holds for the others.
        key: a secret of 16 bytes or more; hashes need it.
        faker: a locale whose names are pseudonyms, such as "en_US"; None numbers them.
        threshold: the least score of what the model finds; None is what the checkpoint has for a
            label, else what it has for entities, but at most `LIKELY` where its scores were
            calibrated and no pattern finds most of its values.
        patterns: whether fixed forms (e-mail, links, cards, ...) are looked for without the model.
        region: two letters of the country whose phone numbers may lack their country code.

    Raises:
        InputError: for an action or a threshold of another type.

    >>> Options(["person", "email"], {"email": "mask"}).actions
    {'': 'label', 'email': 'mask'}
    """

    labels: Labels = PII
    action: Action = "label"
    key: bytes | None = field(default=None, repr=False)
    faker: str | None = None
    threshold: float | None = None
    patterns: bool = True
    region: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.action, str | Mapping) or not all(
            isinstance(one, str) for one in self.action
        ):
            raise InputError(
                f"The action must be a word, or a mapping of labels to words, but "
                f"{self.action!r:.60} was given."
            )
        if self.threshold is not None and not isinstance(self.threshold, int | float):
            raise InputError(
                f"The threshold must be a number from 0 to 1, but {self.threshold!r:.60} was given."
            )

    @property
    def actions(self) -> dict[str, str]:
        """Return the action of each label that has one of its own, and that of "" for the rest."""
        return {"": self.action} if isinstance(self.action, str) else {"": "label", **self.action}


class Redactor:
    """Redacts texts, with one pseudonym for one value through all of them.

    Args:
        model: the model that finds what has no fixed form.
        options: labels to look for, and the text to put in their place; None for the defaults.

    Attributes:
        options: the options that were given, or the defaults.
        schema: the schema of what the model is asked for.
        threshold: the least score of what it finds, or that of each label.

    Raises:
        SchemaError: for labels that cannot be asked.
        InputError: for an unknown action, one for a label that is not asked, or a missing key.
        MissingExtra: if ``faker`` or ``region`` is given and its library is not installed.

    >>> from onepass import Extractor
    >>> redactor = Redactor(Extractor(), Options(["email"], "pseudonym"))
    >>> [one.text for one in redactor.stream(["Ask a@b.org.", "Not c@d.org, but a@b.org."])]
    ['Ask [email 1].', 'Not [email 2], but [email 1].']
    """

    def __init__(self, model: Extractor, options: Options | None = None) -> None:
        if options is not None and not isinstance(options, Options):
            raise InputError(f"The options must be Options, but {options!r:.60} was given.")
        self.options = options or Options()
        schema = Schema().entities(self.options.labels)
        names = [label.name for label in schema.entity_labels]
        self._model = model
        self.schema = schema
        threshold = self.options.threshold
        self.threshold = (
            _likely(model.kept, names, patterns=self.options.patterns)
            if threshold is None
            else threshold
        )
        self._replacer = Replacer(
            _by_label(self.options.actions, names), key=self.options.key, faker=self.options.faker
        )
        self._finders = Finders(
            names, patterns=self.options.patterns, special=_special(self.options.region)
        )

    def one(self, text: str) -> Redacted:
        """Redact a text.

        Raises:
            InputError: if it is not a string.
        """
        if not isinstance(text, str):
            raise InputError(
                f"A text must be a string, but {shown(text)} was given; for several texts use "
                "stream."
            )
        return self.of(self._model.extract(text, self.schema, threshold=self.threshold))

    def stream(self, texts: Iterable[str]) -> Iterator[Redacted]:
        """Yield texts after their redaction, in their order, holding only a few at a time.

        Raises:
            InputError: if one is not a string.
        """
        docs = self._model.stream(texts, self.schema, threshold=self.threshold)
        return map(self.of, docs)

    def of(self, doc: Extraction) -> Redacted:
        """Redact a text that the model has read elsewhere.

        Args:
            doc: the extraction of a text by `schema` at `threshold`.

        >>> from onepass import Extractor
        >>> model = Extractor()
        >>> redactor = Redactor(model, Options(["email"]))
        >>> doc = model.extract("Ask a@b.org.", redactor.schema, threshold=redactor.threshold)
        >>> redactor.of(doc).text
        'Ask [email].'
        """
        self._replacer.avoid(doc.text)
        return replaced(doc, self._finders.places(doc), self._replacer)

    def avoid(self, texts: Iterable[str]) -> None:
        """Give nobody a number that stands as a pseudonym in texts that are still to come.

        A redactor avoids those of the texts that it has read by itself.

        >>> from onepass import Extractor
        >>> redactor = Redactor(Extractor(), Options(["email"], "pseudonym"))
        >>> redactor.avoid(["[email 1] wrote."])
        >>> redactor.one("Ask a@b.org.").text
        'Ask [email 2].'
        """
        for text in texts:
            self._replacer.avoid(text)

    def remember(self, found: Iterable[Found]) -> None:
        """Take over the pseudonyms that another redactor gave, in their order.

        Args:
            found: the places that the other one replaced.

        >>> from onepass import Extractor
        >>> redactor = Redactor(Extractor(), Options(["email"], "pseudonym"))
        >>> how = ("pattern", True, "pseudonym", "[email 1]", 0)
        >>> redactor.remember([Found("email", "a@b.org", 0, 7, 0.9, *how)])
        >>> redactor.one("Ask c@d.org, not a@b.org.").text
        'Ask [email 2], not [email 1].'
        """
        for one in found:
            self._replacer.remember(one.label, one.text, one.replacement)


def replaced(doc: Extraction, places: Iterable[Place], replacer: Replacer) -> Redacted:
    """Replace places of a text, and nothing else.

    Args:
        doc: whose text it is.
        places: in the order of the text; they do not overlap.
        replacer: that says by what.
    """
    out: list[str] = []
    found: list[Found] = []
    done = at = 0  # in the text that was given, in the new one
    for place in places:
        text = doc.text[place.start : place.end]
        between, new = doc.text[done : place.start], replacer.replacement(place.label, text)
        at += len(between)
        found.append(
            Found(
                place.label, text, place.start, place.end, place.score, place.source, place.check,
                replacer.action(place.label), new, at,
            )
        )  # fmt: skip
        out += between, new
        done, at = place.end, at + len(new)
    return Redacted("".join([*out, doc.text[done:]]), tuple(found), doc.coverage)


def _by_label(actions: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the action of each label, which may have been given under another name of its kind.

    Raises:
        InputError: if one is given for a label that is not asked.

    >>> _by_label({"email": "mask"}, ["person", "email address"])
    {'email address': 'mask'}
    """
    others: dict[str, str] = {}
    for label, action in actions.items():
        kind = kind_of(label)
        same = [n for n in names if spelled(n) == spelled(label) or (kind and kind_of(n) is kind)]
        if label and not same:
            raise InputError(
                f"An action was given for {shown(label)}, which is not among the labels: "
                f"{', '.join(names)}."
            )
        others |= dict.fromkeys(same, action)
    # what a label is called itself comes before another name of its kind
    return others | {label: actions[label] for label in ("", *names) if label in actions}


def _likely(kept: Kept, labels: Iterable[str], *, patterns: bool) -> dict[str, float]:
    """Return the threshold of each label.

    That of entities holds where scores were not calibrated, and so are no probabilities, and for
    what patterns find, too, and not behind a name alone.

    >>> from onepass.models.kept import Calibration
    >>> fitted = {"entities": Calibration(0.8)}
    >>> kept = Kept({"entities": 0.4}, fitted, {"plate": 0.3})
    >>> _likely(kept, ["age", "plate", "URL", "password"], patterns=True)
    {'age': 0.15, 'plate': 0.3, 'URL': 0.4, 'password': 0.15}
    >>> _likely(Kept({"entities": 0.4}), ["age"], patterns=True)
    {'age': 0.4}
    """
    usual = kept.thresholds.get("entities", DEFAULT)
    low = min(usual, LIKELY) if "entities" in kept.calibration else usual

    def found_otherwise(label: str) -> bool:
        kind = kind_of(label)
        return patterns and kind is not None and kind.finder is not None and not kind.partly

    return {
        label: kept.labels.get(label, usual if found_otherwise(label) else low) for label in labels
    }


def _special(region: str | None) -> dict[str, Finder]:
    if region is None:
        return {}
    if not libraries()["phonenumbers"]:
        raise MissingExtra("Finding phone numbers of a country", "redact")
    import phonenumbers

    if not isinstance(region, str) or region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise InputError(
            "The region must be the two letters of a country, such as US or DE, but "
            f"{region!r:.60} is none whose phone numbers are known."
        )
    return {"phone number": phones_in(region.upper())}


@overload
def redact(  # type: ignore[overload-overlap]  # a string is a sequence of strings, too
    model: Extractor,
    text: str,
    labels: Labels = PII,
    *,
    action: Action = "label",
    key: bytes | None = None,
    faker: str | None = None,
    threshold: float | None = None,
    region: str | None = None,
) -> Redacted: ...
@overload
def redact(
    model: Extractor,
    text: Iterable[str],
    labels: Labels = PII,
    *,
    action: Action = "label",
    key: bytes | None = None,
    faker: str | None = None,
    threshold: float | None = None,
    region: str | None = None,
) -> list[Redacted]: ...


def redact(
    model: Extractor,
    text: str | Iterable[str],
    labels: Labels = PII,
    *,
    action: Action = "label",
    key: bytes | None = None,
    faker: str | None = None,
    threshold: float | None = None,
    region: str | None = None,
) -> Redacted | list[Redacted]:
    """Replace personal data in a text, or in several with the same pseudonyms.

    For many texts, or without patterns, make a `Redactor`.

    Args:
        model: an `onepass.Extractor`.
        text: one text, or several; all are held, since a pseudonym may stand in a later one.
        labels: names of what to look for, or a mapping of names to descriptions.
        action: "mask", "label", "hash" or "pseudonym", or one for each label.
        key: a secret of 16 bytes or more; hashes need it.
        faker: a locale whose names are pseudonyms.
        threshold: the least score of what the model finds, see `Options`.
        region: two letters of the country whose phone numbers may lack their country code.

    Returns:
        The new text with what was found, or a list of them.

    Raises:
        SchemaError, InputError, MissingExtra: as `Redactor` does.

    >>> from onepass import Extractor
    >>> redact(Extractor(), "Write to anna@example.com.", ["email"]).text
    'Write to [email].'
    """
    options = Options(labels, action, key, faker, threshold, region=region)
    redactor = Redactor(model, options)
    if isinstance(text, str):
        return redactor.one(text)
    texts = list(checked_texts(text))
    redactor.avoid(texts)
    return list(redactor.stream(texts))
