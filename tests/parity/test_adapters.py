"""Checkpoints with LoRA: ours answer as the library does that reads the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

for package in ("peft", "gliner2", "gliner", "gliclass"):
    pytest.importorskip(package)

from peft import LoraConfig, get_peft_model  # noqa: E402

from onepass import Extractor, Schema  # noqa: E402
from onepass.errors import CheckpointError  # noqa: E402
from onepass.hub import locate  # noqa: E402
from onepass.models.convert import convert_checkpoint  # noqa: E402
from tests import gliclass_checkpoints, gliner_checkpoints  # noqa: E402
from tests.parity import reference  # noqa: E402

TEXT = "Tim Cook runs Apple in Paris and Rome, costs 9 ."
LABELS = ["person", "city", "price"]
TARGETS = ["query", "value", "key_proj", "query_proj", "dense"]
Spans = dict[tuple[str, int, int], float]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))


def settings(**options: Any) -> LoraConfig:
    return LoraConfig(r=4, lora_alpha=6, target_modules=TARGETS, **options)


def stir(model: Any) -> None:
    """Give changes to what peft begins with none of."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.2, generator=generator)


def spans(model: Extractor, overlap: str) -> Spans:
    doc = model.extract(TEXT, Schema().entities(LABELS), threshold=0.3, overlap=overlap)
    return {(one.label, one.start, one.end): one.score for one in doc.entities}


def same(ours: Spans, theirs: Spans) -> bool:
    return len(theirs) > 2 and ours == pytest.approx(theirs, abs=1e-4)


def of_gliner2(model: Any) -> Spans:
    options = {"threshold": 0.3, "include_confidence": True, "include_spans": True}
    found = model.extract_entities(TEXT, LABELS, overlap_policy="allow", **options)["entities"]
    return {(k, one["start"], one["end"]): one["confidence"] for k, v in found.items() for one in v}


@pytest.fixture
def adapter(tmp_path: Path) -> tuple[Path, Path]:
    """An adapter that gliner2 saved, and the directory of the checkpoint that it changes."""
    base, mine = tmp_path / "base", tmp_path / "mine"
    from gliner2 import GLiNER2

    reference.make_reference(base, seed=1)
    trained = GLiNER2.from_pretrained(str(base)).apply_lora(r=4, alpha=6)
    stir(trained)
    trained.save_pretrained(str(mine))
    return mine, base


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_adapters_of_gliner2(adapter: tuple[Path, Path], backend: str) -> None:
    from gliner2 import GLiNER2

    mine, base = adapter
    theirs = GLiNER2.from_pretrained(str(base)).eval()
    plain = of_gliner2(theirs)
    theirs.load_adapter(str(mine))
    adapted = of_gliner2(theirs.eval())
    assert same(spans(Extractor.from_pretrained(mine, backend=backend), "all"), adapted)
    assert same(spans(Extractor.from_pretrained(base, backend=backend), "all"), plain)
    assert not same(plain, adapted)


@pytest.mark.parametrize("targets", ["encoder", "all_task_heads"])
def test_adapters_of_boundary_checkpoints(targets: str, tmp_path: Path) -> None:
    from gliner2 import BoundaryExtractor
    from peft import PeftModel

    from tests.boundary_checkpoints import make_boundary

    base, mine = str(make_boundary(tmp_path / "base", seed=21)), tmp_path / "mine"
    trained = BoundaryExtractor.from_pretrained(base).apply_lora(r=4, alpha=6, targets=[targets])
    stir(trained)
    trained.save_pretrained(str(mine))
    theirs = BoundaryExtractor.from_pretrained(base).eval()
    plain = of_gliner2(theirs)
    adapted = of_gliner2(PeftModel.from_pretrained(theirs, str(mine)).merge_and_unload().eval())
    assert same(spans(Extractor.from_pretrained(mine, backend="torch"), "all"), adapted)
    assert not same(plain, adapted)


def test_an_adapter_is_written_as_a_checkpoint_of_its_own(
    adapter: tuple[Path, Path], tmp_path: Path
) -> None:
    from gliner2 import GLiNER2

    whole = convert_checkpoint(locate(adapter[0]), tmp_path / "whole")
    assert not any("lora" in name for name in load_file(whole / "model.safetensors"))
    own = spans(Extractor.from_pretrained(whole, backend="torch"), "all")
    assert same(own, of_gliner2(GLiNER2.from_pretrained(str(whole)).eval()))
    assert same(own, spans(Extractor.from_pretrained(adapter[0], backend="torch"), "all"))


def test_what_neither_reads_is_said(tmp_path: Path) -> None:
    """gliner2 cannot load what it saves of a model with an adapter in it."""
    from gliner2 import GLiNER2

    reference.make_reference(tmp_path / "base")
    model = GLiNER2.from_pretrained(str(tmp_path / "base"))
    stir(model.apply_lora(r=4, alpha=6))
    model.save_pretrained(str(tmp_path / "saved"))
    with pytest.raises(RuntimeError):
        GLiNER2.from_pretrained(str(tmp_path / "saved"))
    with pytest.raises(CheckpointError, match=r"has no adapter_config.json.*merge_and_unload"):
        Extractor.from_pretrained(tmp_path / "saved", backend="torch")


@pytest.mark.parametrize("options", [{}, {"use_rslora": True}], ids=["plain", "rslora"])
@pytest.mark.parametrize("name", ["deberta-v2", "bert", "bi"])
def test_gliner_checkpoints_with_lora_in_them(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    from gliner import GLiNER

    kind = {"labels_encoder": "x"} if name == "bi" else {"encoder": name}
    made = gliner_checkpoints.make_reference(tmp_path / "mine", **kind)
    settings(inference_mode=True, **options).save_pretrained(str(tmp_path / "mine-base"))
    parts = made.model.token_rep_layer
    for part in [parts.bert_layer, *([parts.labels_encoder] if name == "bi" else [])]:
        part.model = get_peft_model(part.model, settings(**options))
    stir(made.model)
    made.save_pretrained(str(tmp_path / "mine"), safe_serialization=True)
    theirs = GLiNER.from_pretrained(str(tmp_path / "mine"), local_files_only=True).eval()
    assert any("lora_A" in name for name, _ in theirs.model.named_parameters())
    (found,) = theirs.inference([TEXT], LABELS, threshold=0.3, flat_ner=False, multi_label=True)
    expected = {(one["label"], one["start"], one["end"]): one["score"] for one in found}
    assert same(
        spans(Extractor.from_pretrained(tmp_path / "mine", backend="torch"), "nested"), expected
    )


def test_gliclass_checkpoints_with_lora_in_them(tmp_path: Path) -> None:
    from gliclass import GLiClassModel

    from tests.parity.test_gliclass import PreTrainedTokenizerFast, pipeline

    base, mine = tmp_path / "base", tmp_path / "mine"
    made, tokenizer = gliclass_checkpoints.write_checkpoint(
        mine, prompt_first=True, encoder_model_name=str(base)
    )
    settings().save_pretrained(str(base))
    made.model.encoder_model = get_peft_model(made.model.encoder_model, settings())
    stir(made)
    made.save_pretrained(str(mine))
    read = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]")
    theirs = pipeline(GLiClassModel.from_pretrained(str(mine)).eval(), read)
    (found,) = theirs([TEXT], LABELS, threshold=0.0)
    ours = Extractor.from_pretrained(mine, backend="torch").classify(TEXT, LABELS, multi_label=True)
    assert ours.scores == pytest.approx({one["label"]: one["score"] for one in found}, abs=1e-5)
