"""The checkpoints of families that only classify, which the contract of classification is run on.

``python -m tests.contract.classifiers`` writes the table of GLiClass architectures into its page.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from onepass.hub.registry import KNOWN
from onepass.models.embedding.network.checkpoint import load_network as load_embedding
from onepass.models.embedding.network.checkpoint import save_network as save_embedding
from onepass.models.gliclass.config import ARCHITECTURES
from onepass.models.gliclass.network.checkpoint import load_network as load_gliclass
from onepass.models.gliclass.network.checkpoint import save_network as save_gliclass
from onepass.models.nli.network.checkpoint import load_network as load_nli
from onepass.models.nli.network.checkpoint import save_network as save_nli
from tests.embedding_checkpoints import make_embedding
from tests.gliclass_checkpoints import AGAIN, DECODER, write_checkpoint
from tests.nli_checkpoints import make_nli

BACKENDS = ("torch", "onnx")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "gliclass.md"
BEGIN, END = "<!-- architectures -->", "<!-- end of architectures -->"


@dataclass(frozen=True)
class Kind:
    """A kind of checkpoint that classifies.

    Attributes:
        family: as `Extractor.family` has it.
        make: writes one into a directory.
        resave: loads one with our code and saves it into a second directory.
        architecture: of GLiClass checkpoints, as their configuration has it.
        parity: where its scores are compared with the reference library's.
        apart: whether each label is scored by itself, whatever others are asked.
    """

    family: str
    make: Callable[[Path], object]
    resave: Callable[[Path, Path], None]
    architecture: str = ""
    parity: str = ""
    apart: bool = False


def gliclass(parity: str, encoder: str = "bert", pieces: str = "wordpiece", **given: Any) -> Kind:
    """Return a GLiClass checkpoint that the reference library makes."""

    def make(directory: Path) -> None:
        write_checkpoint(directory, encoder=encoder, pieces=pieces, **given)

    def resave(source: Path, directory: Path) -> None:
        save_gliclass(load_gliclass(source), directory, tokenizer_from=source)

    architecture = given.get("architecture_type", "uni-encoder")
    return Kind("gliclass", make, resave, architecture, parity)


def nli(kind: str) -> Kind:
    def resave(source: Path, directory: Path) -> None:
        save_nli(load_nli(source), directory, tokenizer_from=source)

    return Kind("nli", lambda directory: make_nli(directory, kind), resave, apart=True)


def embedding(kind: str) -> Kind:
    def make(directory: Path) -> None:
        make_embedding(directory, kind)
        shutil.rmtree(directory.with_name(f"{directory.name}-base"), ignore_errors=True)

    def resave(source: Path, directory: Path) -> None:
        save_embedding(load_embedding(source), directory, source=source)

    return Kind("embedding", make, resave, apart=True)


_STRINGS = "scores of strings"
_IDS = "logits of ids"
CLASSIFIERS: Mapping[str, Kind] = {
    "uni": gliclass(_STRINGS, scorer_type="mlp", prompt_first=True),
    "uni-deberta": gliclass(
        _STRINGS, "deberta-v2", "unigram", scorer_type="weighted-dot", pooling_strategy="avg"
    ),
    "uni-modernbert": gliclass(
        _STRINGS, "modernbert", "byte pairs", scorer_type="hopfield", pooling_strategy="max",
        prompt_first=True, extract_text_features=True,
    ),
    "uni-layers": gliclass(
        "equations 3 to 6", squeeze_layers=True, use_segment_embeddings=True, prompt_first=True
    ),
    "bi": gliclass(
        _STRINGS, "deberta-v2", "unigram", architecture_type="bi-encoder", pooling_strategy="avg",
        normalize_features=True,
    ),
    "fused": gliclass(
        _STRINGS, architecture_type="bi-encoder-fused", prompt_first=True, use_calibrator=True
    ),
    "decoder": gliclass(_IDS, "t5", "unigram", architecture_type="encoder-decoder"),
    "decoder-cls": gliclass(_IDS, "t5", "unigram", architecture_type="encoder-decoder-cls"),
    "kv": gliclass(_STRINGS, pieces="byte pairs", **DECODER),
    "kv-again": gliclass(_STRINGS, pieces="unigram", **DECODER, **AGAIN),
    "nli": nli("bert"),
    "nli-bytes": nli("roberta"),
    "nli-deberta": nli("deberta-v3"),
    "nli-modernbert": nli("modernbert-mean"),
    "nli-bart": nli("bart"),
    "embedding": embedding("mean"),
    "embedding-max": embedding("max"),
    "embedding-bytes": embedding("mean-sqrt"),
    "embedding-modernbert": embedding("weighted"),
    "embedding-t5": embedding("t5"),
}  # fmt: skip


def table() -> str:
    """Return the table of GLiClass architectures: one row each, in their order."""
    rows = [
        "| architecture | torch | ONNX | equals gliclass | contract | published |",
        "| --- " * 6 + "|",
    ]
    for architecture in ARCHITECTURES:
        own = [k for k in CLASSIFIERS.values() if k.architecture == architecture]
        compared = ", ".join(dict.fromkeys(kind.parity for kind in own))
        known = [
            f"`{m.id}`" for m in KNOWN if m.family == "gliclass" and m.architecture == architecture
        ]
        count = "1 checkpoint" if len(own) == 1 else f"{len(own)} checkpoints"
        rows.append(
            f"| {architecture} | yes | yes | {version('gliclass')}: {compared} | {count} "
            f"| {', '.join(known) or '-'} |"
        )
    return "\n".join(rows)


def written(page: str) -> str:
    """Return the page with the table of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
