"""Published checkpoints that can be named: what stands in their documentation, frozen.

A list to look things up in, not a gate: every checkpoint of a supported architecture loads, listed
or not. It knows nothing of what is on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass

_ASK = "see model card"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A published checkpoint.

    Attributes:
        id: hub id.
        family: a key of `onepass.hub.checkpoint.KINDS`.
        architecture: variant within the family.
        parameters: number of parameters, rounded where no exact one is known; None if none is
            known.
        license: license of the weights.
        languages: languages of its training texts.
        supported: whether this version of onepass runs it.
        note: encoder, purpose, or what is missing.
    """

    id: str
    family: str
    architecture: str
    parameters: int | None
    license: str
    languages: str
    supported: bool
    note: str


def _span(name: str, parameters: int | None, languages: str, note: str) -> KnownModel:
    return KnownModel(f"fastino/{name}", "gliner2", "span", parameters, _ASK, languages, True, note)


def _boundary(name: str, parameters: int, languages: str, encoder: str) -> KnownModel:
    return KnownModel(
        f"fastino/{name}",
        "gliner2-boundary",
        "boundary",
        parameters,
        _ASK,
        languages,
        True,
        encoder,
    )


def _gliner(name: str, architecture: str, note: str, languages: str = _ASK) -> KnownModel:
    return KnownModel(name, "gliner", architecture, None, _ASK, languages, True, note)


def _gliclass(name: str, encoder: str) -> KnownModel:
    return KnownModel(
        f"knowledgator/{name}", "gliclass", "uni-encoder", None, _ASK, _ASK, True, encoder
    )


KNOWN: tuple[KnownModel, ...] = (
    _span("gliner2-base-v1", 208_476_821, "English", "DeBERTa-v3-base"),
    _span("gliner2-large-v1", 340_000_000, "English", "DeBERTa-v3-large"),
    _span("gliner2-multi-v1", None, "multilingual", "mDeBERTa-v3-base"),
    _span("GLiNER2.5-Decide", 340_000_000, "English", "DeBERTa-v3-large, for classification"),
    _span("GLiNER2-Guardrails-PII-Multi", None, "multilingual", "guardrails and personal data"),
    _boundary("gliner2.5-small-v1", 74_000_000, "English", "DeBERTa-v3-xsmall"),
    _boundary("gliner2.5-base-v1", 193_581_591, "English", "DeBERTa-v3-base"),
    _boundary("gliner2.5-multi-v1", 287_355_159, "multilingual", "mDeBERTa-v3-base"),
    _boundary("GLiNER2.5-multi-Decide", 287_000_000, "multilingual", "for classification"),
    _gliner("urchade/gliner_medium-v2.1", "UniEncoderSpan", "DeBERTa-v3-base"),
    _gliner("urchade/gliner_multi-v2.1", "UniEncoderSpan", "mDeBERTa-v3-base", "multilingual"),
    _gliner("knowledgator/gliner-decoder-small-v1.0", "UniEncoderSpanDecoder", "generates labels"),
    _gliner("knowledgator/gliner-relex-large-v0.5", "UniEncoderSpanRelex", "with relations"),
    _gliclass("gliclass-small-v1.0", "DeBERTa-v3"),
    _gliclass("gliclass-base-v1.0", "DeBERTa-v3"),
    _gliclass("gliclass-base-v3.0", "DeBERTa-v3"),
    _gliclass("gliclass-modern-large-v3.0", "ModernBERT"),
)


def find_known(name: str) -> KnownModel | None:
    """Return what is known of a hub id, whatever its case; None for one that is not listed.

    >>> model = find_known("fastino/gliner2-base-v1")
    >>> model.architecture, model.supported
    ('span', True)
    """
    return next((model for model in KNOWN if model.id.lower() == name.lower()), None)


def suggest(name: str) -> str | None:
    """Return the supported hub id that a mistyped name is closest to, if any is close.

    >>> suggest("gliner2-base")
    'fastino/gliner2-base-v1'
    """
    import difflib  # only ever needed for a message

    candidates = {}
    for model in KNOWN:
        if model.supported:
            candidates[model.id.lower()] = candidates[model.id.lower().split("/")[1]] = model.id
    close = difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=0.7)
    return candidates[close[0]] if close else None
