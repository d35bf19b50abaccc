"""Random checkpoints of the size of DeBERTa-v3-base (or tiny), made by the libraries they are of.

Weights are random: they say nothing about quality, and take as long as trained ones. The last layer
of each head is scaled so that logits differ by about 1 around -2: some spans hold, most do not, and
scores are not so near to 0 or 1 that a difference could hide there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from benchmarks.common.encoders import Size, encoder_config, write_tokenizer  # noqa: E402
from benchmarks.speed.wording import make_labels, make_text, tokenizer  # noqa: E402

SEED = 2
SPREAD, MEAN = 1.0, -2.0  # of logits
SHARED = 0.8  # of the mean query, that is taken away
ENCODER_SPREAD = 0.03  # of a trained encoder's weights; larger ones amplify rounding
_MAX_WIDTH = {"gliner2": 8, "gliner": 12}  # words of a span, as published
_MAX_WORDS = 1024  # that gliner reads, so that no text of the grid is cut


def make_gliner2(directory: Path, size: Size) -> Path:
    """Write a span checkpoint with gliner2; return where it is."""
    from gliner2 import GLiNER2
    from gliner2.configuration import ExtractorConfig
    from transformers import DebertaV2Config, PreTrainedTokenizerFast

    own = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(size.vocabulary), pad_token="[PAD]", unk_token="[UNK]",
        cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    encoder = encoder_config(size)
    del encoder["model_type"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = GLiNER2(
            ExtractorConfig(
                model_name="deberta-v3", counting_layer="count_lstm_v2",
                max_width=_MAX_WIDTH["gliner2"],
            ),
            encoder_config=DebertaV2Config(**encoder),
            tokenizer=own,
        ).eval()  # fmt: skip
        spread = ENCODER_SPREAD if size.hidden > 100 else 0.2
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(0, spread)
            # Two instances of everything: a count that depends on chance would be of no text.
            model.count_pred[2].bias[2] += 30.0
    _settle_gliner2(model)
    model.save_pretrained(str(directory))
    return directory


@torch.no_grad()
def _settle_gliner2(model: Any) -> None:
    """Give span logits their spread and their mean, through the last layer that makes span vectors.

    Its bias moves the logit of each query by its product with that query. Before that, most of what
    all queries share is taken away: else head and tail of a relation would be the same span, which
    is no pair.
    """
    layer = model.span_rep.span_rep_layer
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    plain = layer.score_queries

    def noted(h: Any, queries: Any, *args: Any, **options: Any) -> torch.Tensor:
        seen.append((queries, plain(h, queries, *args, **options)))
        return seen[-1][1]

    last = layer.out_project[3]
    layer.score_queries = noted
    model.extract_relations(make_text(100), list(make_labels(20)))
    shared = torch.cat([one.flatten(0, -2) for one, _ in seen]).mean(0)
    model.count_embed.transformer.out_projector[4].bias -= SHARED * shared
    for _ in range(3):
        seen.clear()
        model.extract_entities(make_text(100), list(make_labels(20)))
        queries, logits = (
            torch.cat([one.flatten(0, -2) for one in part]) for part in zip(*seen, strict=True)
        )
        finite = logits[torch.isfinite(logits)]
        last.weight.mul_(SPREAD / finite.std())
        last.bias.mul_(SPREAD / finite.std())
        mean = queries.clone().mean(0)
        last.bias += (MEAN - SPREAD * finite.mean() / finite.std()) * mean / (mean @ mean)
    layer.score_queries = plain


def make_gliner(directory: Path, size: Size, **parts: Any) -> Path:
    """Write a span checkpoint with gliner; return where it is."""
    from gliner import GLiNER
    from tests.gliner_checkpoints import center_spans, reference_batch, settle

    base = write_tokenizer(
        directory.with_name(f"{directory.name}-base"), tokenizer(size.vocabulary - 4)
    )
    content = {
        "model_name": str(base), "hidden_size": size.hidden, "max_width": _MAX_WIDTH["gliner"],
        "max_len": _MAX_WORDS, "encoder_config": encoder_config(size), **parts,
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = GLiNER.from_config(content, backbone_from_pretrained=False).eval()
        with torch.no_grad():
            for weight in model.model.parameters():
                weight += 0.01 * torch.randn_like(weight)
    labels = make_labels(20)
    words = 12 if parts else 60  # every pair of spans is related below
    batch = reference_batch(model, [make_text(words)], labels, labels[:5])

    def said(name: str, threshold: float) -> torch.Tensor:
        related = {"adjacency_threshold": 0.0} if parts else {}
        found: torch.Tensor = model.model(**batch, threshold=threshold, **related)[name]
        return found

    network = model.model
    if parts:
        center_spans(network, lambda: said("logits", 0.0))
    settle(network.prompt_rep_layer[3], lambda: said("logits", 0.9), (0, 1, 2, 3), (SPREAD, MEAN))
    if parts:
        last = network.pair_rep_layer[3]
        settle(last, lambda: said("rel_logits", 0.3), (0, 1, 2), (SPREAD, MEAN))
    model.save_pretrained(str(directory), safe_serialization=True)
    return directory


def make_related(directory: Path, size: Size) -> Path:
    """Write a checkpoint that relates what it finds with gliner; return where it is."""
    return make_gliner(directory, size, relations_layer="none")


def make_gliclass(directory: Path, size: Size) -> Path:
    """Write a uni-encoder, labels first, with gliclass; return where it is."""
    from tests.gliclass_checkpoints import MARKERS, make_reference, save_reference
    from tokenizers import AddedToken

    own = tokenizer(size.vocabulary - len(MARKERS))
    own.add_special_tokens([AddedToken(marker, special=True) for marker in MARKERS])
    ids = [own.token_to_id(marker) for marker in MARKERS]
    model = make_reference(
        encoder_config=encoder_config(size), vocab_size=size.vocabulary, hidden_size=size.hidden,
        class_token_index=ids[0], text_token_index=ids[1], example_token_index=ids[2],
        prompt_first=True, scorer_type="mlp",
    )  # fmt: skip
    save_reference(model, directory)
    return write_tokenizer(directory, own)


# The kinds of checkpoints, and the library that makes and runs each.
MAKERS: Mapping[str, Callable[[Path, Size], Path]] = {
    "gliner2": make_gliner2,
    "gliner": make_gliner,
    "gliner-relations": make_related,
    "gliclass": make_gliclass,
}
LIBRARIES: Mapping[str, str] = {
    "gliner2": "gliner2",
    "gliner": "gliner",
    "gliner-relations": "gliner",
    "gliclass": "gliclass",
}


def make(kind: str, root: Path, size: Size) -> Path:
    """Return a checkpoint under a directory, made if it is not there yet."""
    directory = root / f"{kind}-{size.hidden}"
    if not (directory / "done").is_file():
        MAKERS[kind](directory, size)
        (directory / "done").touch()
    return directory
