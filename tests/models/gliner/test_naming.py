"""Entities are named by checkpoints that generate labels, from a schema to the results."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from gliner import GLiNER
from safetensors.torch import load_file, save_file
from tests.gliner_checkpoints import LABELS, NAMERS, TEXTS
from tests.models.gliner.conftest import Case

from onepass import Extractor, Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import BackendError, CheckpointError, SchemaError
from onepass.hub import locate
from onepass.hub.files import read_json
from onepass.models.export import export_checkpoint
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.network.checkpoint import load_network, save_network
from onepass.models.gliner.plan import plan_prompts
from onepass.models.registry import read_model
from onepass.results.types import Extraction

IN_WORDS = [name for name in NAMERS if "prompt" not in name]
PROMPTED = [name for name in NAMERS if "prompt" in name]
CHOICES = ["city", "river", "person of note"]
LONG = " ".join(f"{text} {number}" for number, text in enumerate(TEXTS * 20))

Open = Callable[[str], Extractor]


@pytest.fixture(scope="module")
def opened(case_of: Callable[[str], Case]) -> Open:
    return cache(lambda name: Extractor.from_pretrained(case_of(name).directory))


@pytest.fixture
def copy_of(case_of: Callable[[str], Case], tmp_path: Path) -> Callable[[str], Path]:
    """Returns a checkpoint that a test may change."""
    return lambda name: Path(shutil.copytree(case_of(name).directory, tmp_path / name))


def naming(choices: list[str] | None = None, count: int = 1) -> Schema:
    return Schema().entities(list(LABELS)).name_entities(choices, count=count)


def named(doc: Extraction) -> list[Any]:
    """Return the entities with their names."""
    return [
        (e.label, e.start, e.end, [name.label for name in e.names], e.names[0].score)
        for e in doc.entities
    ]


def assert_same(one: Extraction, other: Extraction) -> None:
    assert len(one.entities) == len(other.entities) > 0
    for mine, yours in zip(named(one), named(other), strict=True):
        assert mine[:-1] == yours[:-1]
        assert mine[-1] == pytest.approx(yours[-1], rel=1e-3)


@pytest.mark.parametrize("name", NAMERS)
def test_only_choices_are_written(name: str, opened: Open) -> None:
    seen = set()
    for count in (1, 2, 9):
        docs = opened(name).extract(list(TEXTS), naming(CHOICES, count), overlap="all")
        for entity in (entity for doc in docs for entity in doc.entities):
            labels = [one.label for one in entity.names]
            assert len(labels) == len(set(labels)) == min(count, len(CHOICES))
            assert all(0 < one.score <= 1 for one in entity.names)
            seen.update(labels)
    assert seen == set(CHOICES)


@pytest.mark.parametrize("name", NAMERS)
def test_a_text_is_named_the_same_beside_others(name: str, opened: Open) -> None:
    texts = [*TEXTS, "rome", "tim cook runs a great apple company in the red and blue paris"]
    for schema in (naming(count=2), naming(CHOICES)):
        together = opened(name).extract(texts, schema, overlap="all")
        alone = [opened(name).extract(text, schema, overlap="all") for text in texts]
        assert sum(len(doc.entities) for doc in alone) > 10
        for one, other in zip(together, alone, strict=True):
            if one.entities or other.entities:
                assert_same(one, other)


@pytest.mark.parametrize("name", IN_WORDS)
def test_nothing_is_drawn_by_chance_and_a_span_has_one_name(name: str, opened: Open) -> None:
    schema = naming()
    once, twice = (opened(name).extract(TEXTS[0], schema, overlap="all") for _ in range(2))
    assert once == twice
    places = {}
    for entity in once.entities:
        assert places.setdefault((entity.start, entity.end), entity.names) == entity.names


@pytest.mark.parametrize("name", NAMERS)
def test_nothing_found_is_nothing_named(name: str, opened: Open) -> None:
    model = opened(name)
    for text in ("", "...", TEXTS[0]):
        assert model.extract(text, naming(count=2), threshold=1.0).entities == ()
    some = model.extract(["", *TEXTS], naming())
    assert some[0].entities == ()


@pytest.mark.parametrize("overlap", ["flat", "nested"])
@pytest.mark.parametrize("name", ["names-span", "names-token-alone", "names-prompt-span"])
def test_windows_of_a_long_text(name: str, overlap: str, opened: Open) -> None:
    doc = opened(name).extract(LONG, naming(CHOICES), threshold=0.3, overlap=overlap)
    assert doc.coverage.windows > 1
    assert doc.coverage.chars_read == len(LONG)
    assert len(doc.entities) > 5
    without = [entity for entity in doc.entities if not entity.names]
    # Random token models find thousands of spans, each of which overrules others.
    assert len(without) <= (len(doc.entities) / 2 if name == "names-token-alone" else 0)
    assert Extraction.from_dict(json.loads(doc.to_json())) == doc


def test_thresholds_of_labels_hold(opened: Open) -> None:
    schema = Schema().entities({"person": {"threshold": 1.0}, "company": None}).name_entities()
    doc = opened("names-span").extract(TEXTS[0], schema, threshold=0.1, overlap="all")
    assert {entity.label for entity in doc.entities} == {"company"}


def test_other_tasks_beside_names(opened: Open) -> None:
    model = opened("names-span")
    schema = naming().ask({"who": "Who runs it?"}).classification("tone", ["red", "blue"])
    doc = model.extract(TEXTS[0], schema, threshold=0.2, overlap="all")
    assert doc.classifications["tone"].labels
    answers = [entity for entity in doc.entities if entity.label == "who"]
    assert answers
    assert not any(entity.names for entity in answers)
    assert all(entity.names for entity in doc.entities if entity.label != "who")


# --- names in place of labels ---


@pytest.mark.parametrize("name", PROMPTED)
def test_the_best_name_is_the_label(name: str, opened: Open) -> None:
    doc = opened(name).extract(TEXTS[0], naming(CHOICES, 2), overlap="all")
    assert doc.entities
    for entity in doc.entities:
        assert entity.label == entity.names[0].label
        assert len(entity.names) == 2
    places = [(e.start, e.end, e.label) for e in doc.entities]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("name", PROMPTED)
def test_labels_are_only_counted(name: str, opened: Open, case_of: Callable[[str], Case]) -> None:
    model = opened(name)
    mine = model.extract(TEXTS[0], naming(), overlap="all")
    others = Schema().entities(["x", "y y", "z"]).name_entities()
    assert mine == model.extract(TEXTS[0], others, overlap="all")
    read = read_model(locate(case_of(name).directory))
    config, tokenizer = read.settings.config, read.tokenizer
    (prompt,) = plan_prompts(naming(), tokenizer, config, 99)
    pieces = [tokenizer.id_of(config.ent_token)] * 3 + [tokenizer.id_of(config.sep_token)]
    assert prompt.ids.tolist() == [*tokenizer.frame[0].tolist(), *pieces]
    assert prompt.label_places.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (Schema().entities(["a"]), "only counts them, and names what it finds; add name_entities"),
        (naming().ask(["Who?"]), "finds entities and names them, and answers nothing else"),
        (naming().classification("tone", ["a"]), "and answers nothing else"),
        (naming().relations(["in"]), "and answers nothing else"),
    ],
)
def test_what_cannot_be_asked_without_words(schema: Schema, said: str, opened: Open) -> None:
    with pytest.raises(SchemaError, match=said):
        opened("names-prompt-span").extract("text", schema)


# --- refusals ---


def test_checkpoints_without_a_decoder_name_nothing(case_of: Callable[[str], Case]) -> None:
    models = (
        Extractor(),
        Extractor.from_pretrained(case_of("span").directory, backend="torch"),
        Extractor.from_pretrained(case_of("bi-span").directory, backend="torch"),
    )
    for model in models:
        with pytest.raises(SchemaError, match="writes no names of its own"):
            model.extract("text", naming())


def test_choices_that_cannot_be_written(opened: Open) -> None:
    with pytest.raises(SchemaError, match="but this checkpoint writes 254 at most; shorten it"):
        opened("names-span").extract("text", naming(["a" * 2000]))
    with pytest.raises(SchemaError, match="has no piece in the vocabulary"):
        opened("decoder-span").extract("text", naming(["\u200d"]))


@pytest.mark.parametrize("name", ["names-span", "names-prompt-token"])
def test_such_a_checkpoint_runs_in_torch_only(
    name: str, case_of: Callable[[str], Case], opened: Open, tmp_path: Path
) -> None:
    directory = case_of(name).directory
    assert opened(name).backend == "torch"
    for options in ({"backend": "onnx"}, {"precision": "int8"}):
        with pytest.raises(BackendError, match="runs in torch and fp32 only"):
            Extractor.from_pretrained(directory, **options)
    with pytest.raises(BackendError, match="there are no ONNX graphs of it"):
        export_checkpoint(locate(directory), tmp_path)
    assert not list(tmp_path.iterdir())


# --- files ---


@pytest.mark.parametrize("name", NAMERS)
def test_what_we_save_names_the_same(
    name: str, opened: Open, case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    case = case_of(name)
    save_network(case.network, tmp_path / "saved", tokenizer_from=case.directory)
    again = Extractor.from_pretrained(tmp_path / "saved")
    schema = naming(count=2)
    mine, yours = (m.extract(TEXTS[0], schema, overlap="all") for m in (opened(name), again))
    assert mine == yours
    assert mine.entities


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["names-span-alone", "names-token-alone"])
def test_the_reference_names_the_same_with_what_we_save(
    name: str, case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    case = case_of(name)
    save_network(case.network, tmp_path / "saved", tokenizer_from=case.directory)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = GLiNER.from_pretrained(str(tmp_path / "saved"), local_files_only=True)
    expected, found = (
        model.inference([TEXTS[0]], list(LABELS), do_sample=False) for model in (case.model, again)
    )
    assert found == expected
    assert found[0][0]["generated_labels"]


def test_a_file_that_does_not_say_what_is_tied(
    copy_of: Callable[[str], Path], case_of: Callable[[str], Case]
) -> None:
    directory = copy_of("names-span")
    path = directory / "model.safetensors"
    save_file(load_file(path), path)  # as other tools do
    network = load_network(directory)
    model = network.decoder.model
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    known = case_of("names-span").network.state_dict()
    assert all(torch.equal(known[key], tensor) for key, tensor in network.state_dict().items())


def test_the_end_of_a_name_must_be_known(copy_of: Callable[[str], Path], opened: Open) -> None:
    directory = copy_of("names-span")
    settings = directory / "decoder_tokenizer" / "tokenizer_config.json"
    content = read_json(settings)
    for role in ("eos_token", "bos_token"):
        content.pop(role, None)
    settings.write_text(json.dumps(content))
    (directory / "decoder_tokenizer" / "special_tokens_map.json").unlink(missing_ok=True)
    model = Extractor.from_pretrained(directory)  # its configuration has it
    mine, yours = (m.extract(TEXTS[0], naming(CHOICES)) for m in (model, opened("names-span")))
    assert mine == yours
    config = read_json(directory / "gliner_config.json")
    config["labels_decoder_config"]["eos_token_id"] = None
    (directory / "gliner_config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="Nothing says which piece ends a name"):
        Extractor.from_pretrained(directory)


def test_a_missing_tokenizer(copy_of: Callable[[str], Path]) -> None:
    directory = copy_of("names-span")
    shutil.rmtree(directory / "decoder_tokenizer")
    config = read_json(directory / "gliner_config.json")
    config["labels_decoder"] = str(directory / "nowhere")
    (directory / "gliner_config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError):
        Extractor.from_pretrained(directory)


def test_bare_prompts_have_markers_only(case_of: Callable[[str], Case]) -> None:
    raw = read_json(case_of("names-prompt-span").directory / "gliner_config.json")
    assert GlinerConfig.from_dict(raw).bare_prompt
    assert not GlinerConfig.from_dict(raw | {"decoder_mode": "span"}).bare_prompt
    assert not GlinerConfig.from_dict({}).bare_prompt


def test_pieces_become_text(case_of: Callable[[str], Case]) -> None:
    folder = case_of("names-span").directory / "decoder_tokenizer"
    tokenizer = PieceTokenizer(folder / "tokenizer.json")
    (pieces,) = tokenizer.pieces(["place to be"])
    assert tokenizer.text([*pieces, tokenizer.id_of("<|endoftext|>")]) == " place to be"
