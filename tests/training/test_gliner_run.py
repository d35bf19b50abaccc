"""Runs of GLiNER checkpoints: resumed, frozen, self-trained, refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.gliner_checkpoints import BI, STREAMING, TOKENS
from tests.legacy import age
from tests.tiny import make_tiny_checkpoint
from tests.training.gliner_data import make_learner, sentences, write_sentences

from onepass import Extractor
from onepass.cli import main
from onepass.corpus.example import Example, GoldRelation, Mention
from onepass.corpus.gliner import example_from_gliner
from onepass.corpus.jsonl import example_to_dict, read_examples
from onepass.errors import CheckpointError, InputError
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner2.targets import LossWeights
from onepass.results.types import (
    Classification,
    Entity,
    Extraction,
    LabelScore,
    Relation,
    Value,
)
from onepass.training.adapters import adapt, merged
from onepass.training.config import TrainConfig, read_config
from onepass.training.families import loss_options
from onepass.training.gliner import GlinerTrainee
from onepass.training.holdout import Holdout, whole_question
from onepass.training.lora import LoraOptions
from onepass.training.material import DATA, WEAK
from onepass.training.run import train_from_config
from onepass.training.selftrain import UNSURE, SelfTraining, weak_examples, write_weak_labels
from onepass.training.stream import BatchOptions

BATCHES = BatchOptions()
Configure = Callable[..., TrainConfig]


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_learner(tmp_path_factory.mktemp("learner") / "relex", relations_layer="mlp")


@pytest.fixture(scope="module")
def bi_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_learner(tmp_path_factory.mktemp("learner") / "bi", **BI)


@pytest.fixture
def config(tmp_path: Path, learner: Path) -> Configure:
    """Return a configuration of a few quick steps, with changes."""
    data = write_sentences(tmp_path, relations=True)

    def make(**given) -> TrainConfig:
        least = {
            "model": str(learner), "data": str(data), "output": str(tmp_path / "run"),
            "steps": 4, "precision": "fp32", "device": "cpu", "score_every": 2, "max_batch": 5,
            "encoder_rate": 1e-3, "head_rate": 1e-3,
        }  # fmt: skip
        return TrainConfig.from_dict(least | given)

    return make


def weights(directory: str | Path) -> dict[str, torch.Tensor]:
    return load_file(Path(directory) / "model.safetensors")


def changed(before: Path, after: str | Path) -> set[str]:
    """Return the first parts of the names of the weights that are not the same."""
    old, new = weights(before), weights(after)
    assert old.keys() == new.keys()
    return {".".join(n.split(".")[:2]) for n in old if not torch.equal(old[n], new[n])}


def test_a_resumed_run_gives_the_same_numbers(tmp_path, config):
    whole = train_from_config(config(output=str(tmp_path / "whole")))
    (tmp_path / "part").mkdir()
    (tmp_path / "whole" / "step-2").rename(tmp_path / "part" / "step-2")
    part = train_from_config(config(output=str(tmp_path / "part"), resume=True))
    assert (part["steps"], part["examples"]) == (4, 20)
    ours, again = weights(whole["final"]), weights(part["final"])
    assert all(torch.equal(ours[name], again[name]) for name in ours)


def test_a_run_is_told_and_kept(tmp_path, config):
    lines: list[str] = []
    result = train_from_config(config(), report=lines.append)
    assert lines[0].endswith("20 examples read, format gliner")
    assert set(result["scores"]) <= {"entities", "relations", "score"}
    kept = read_config(tmp_path / "run" / "train.json")
    assert loss_options(kept) == GlinerLoss()
    assert kept == TrainConfig.from_dict(kept.to_dict())


def test_a_decoder_of_gpt2_learns_low_rank_changes(tmp_path, config):
    start = make_learner(tmp_path / "start", **STREAMING["streaming"])
    result = train_from_config(config(model=str(start), lora={"rank": 2}))
    before, after = weights(start), weights(result["final"])
    moved = [n for n in before if ".h." in n and not torch.equal(before[n], after[n])]
    assert {n.split(".")[-2] for n in moved} == {"c_attn", "c_proj", "c_fc"}
    for name in moved:
        assert torch.linalg.matrix_rank(after[name] - before[name], atol=1e-5) <= 2, name


@torch.no_grad()
def test_low_rank_changes_of_gpt2_say_the_same_when_they_are_saved(tmp_path):
    torch.manual_seed(0)
    trainee = GlinerTrainee(make_learner(tmp_path / "start", **STREAMING["streaming"]))
    batch = trainee.build(trainee.ask(whole_question(example_from_gliner(sentences()[0])), 512))
    *_, before = trainee.answer(trainee.network.eval(), batch)
    adapted = adapt(trainee.network, LoraOptions(rank=2), trainee.parts)
    for name, parameter in trainee.network.named_parameters():
        if "lora_" in name:
            parameter.normal_(0, 0.3)
    *_, changed = trainee.answer(trainee.network, batch)
    with merged(trainee.network, adapted):
        trainee.save(tmp_path / "saved")
    again = GlinerTrainee(tmp_path / "saved")
    *_, after = again.answer(again.network.eval(), batch)
    assert not torch.allclose(before.grid, changed.grid, atol=0.1)
    torch.testing.assert_close(after.grid, changed.grid, atol=1e-4, rtol=1e-4)


def test_a_label_that_its_encoder_would_cut_is_left_out_of_scores_too(bi_encoder):
    long = " ".join(["red"] * 600)
    bo = Mention(0, 2, "person")
    example = Example("Bo runs.", (bo,), asked=("person", long), descriptions={"person": "name"})
    trainee = GlinerTrainee(bi_encoder)
    (asked,) = trainee.ask(whole_question(example), 512)
    assert (asked.names, asked.gold) == (("person",), ((0, 0, 0),))
    holdout = Holdout([example, replace(example, descriptions={"person": long})], trainee, BATCHES)
    assert holdout.asked == 1
    assert "entities" in holdout.score(trainee.network.eval())


def test_labels_of_other_texts_are_asked_where_files_list_no_negatives(tmp_path, config, write):
    rows = [
        {"tokenized_text": ["tim"], "ner": [[0, 0, "person"]]},
        {"tokenized_text": ["rome"], "ner": [[0, 0, "place"]]},
    ]
    asked = set()
    real = GlinerTrainee.ask

    def listen(self, question, most):
        asked.add(frozenset(label.name for label in question.schema.entity_labels))
        return real(self, question, most)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GlinerTrainee, "ask", listen)
        data = str(write("data.jsonl", *rows))
        sampling = {"foreign": 1.0, "restyle": 0.0}
        train_from_config(config(data=data, sampling=sampling, held_out=0))
    assert {"person", "place"} in asked


@pytest.mark.parametrize(
    ("freeze", "still"),
    [
        (["text_encoder"], {"token_rep_layer.bert_layer"}),
        (["label_encoder"], {"token_rep_layer.labels_encoder"}),
        (["heads"], {"span_rep_layer.span_rep_layer", "prompt_rep_layer.0", "prompt_rep_layer.3"}),
    ],
)
def test_frozen_parts_stay_as_they_are(bi_encoder, config, freeze, still):
    result = train_from_config(config(model=str(bi_encoder), freeze=freeze))
    moved = changed(bi_encoder, result["final"])
    every = {
        "token_rep_layer.bert_layer", "token_rep_layer.labels_encoder",
        "span_rep_layer.span_rep_layer", "prompt_rep_layer.0", "prompt_rep_layer.3",
    }  # fmt: skip
    assert moved & every == every - still


def test_a_frozen_encoder_stays_in_bf16_too(bi_encoder, config):
    result = train_from_config(
        config(model=str(bi_encoder), freeze="text_encoder", precision="bf16")
    )
    assert "token_rep_layer.bert_layer" not in changed(bi_encoder, result["final"])


def test_encoders_and_the_rest_have_their_rates(bi_encoder, config):
    result = train_from_config(config(model=str(bi_encoder), encoder_rate=0.0))
    moved = changed(bi_encoder, result["final"])
    assert not moved & {"token_rep_layer.bert_layer", "token_rep_layer.labels_encoder"}
    assert "prompt_rep_layer.0" in moved


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"freeze": ["decoder"]}, InputError, "has text_encoder, heads only"),
        ({"freeze": ["text_encoder", "heads"]}, InputError, "names every part"),
        ({"freeze": ["encoder"]}, InputError, "'freeze' must be a list of text_encoder"),
        ({"loss": {"rank": 1}}, InputError, "has no key 'rank'; its keys are kind, alpha"),
        ({"loss": [1]}, InputError, "must be an object, but [1] was given"),
        ({"loss": {"gamma": -1}}, InputError, "'loss.gamma' must be a number from 0"),
        ({"loss": {"alpha": 2}}, InputError, "'loss.alpha' must be a number up to 1"),
        ({"loss": {"smoothing": 1.5}}, InputError, "'loss.smoothing' must be a number from 0 to 1"),
        ({"loss": {"masking": "all"}}, InputError, "one of none, global, label, span"),
        ({"loss": {"in_batch": 1.5}}, InputError, "'loss.in_batch' must be a whole number"),
        ({"loss": {"width_weight": 1}}, InputError, "'loss.width_weight' must be true or false"),
        ({"max_pieces": 4096}, InputError, "reads at most 2048 pieces"),
        ({"self_train": {"texts": []}}, InputError, "'self_train.texts' must be a path"),
        ({"self_train": 3}, InputError, "'self_train' must be an object"),
        ({"self_train": {"text": "a"}}, InputError, "'self_train' has the unknown key 'text'"),
        ({"self_train": {"texts": "a", "threshold": 2}}, InputError, "number from 0 to 1"),
        ({"self_train": {"texts": "a", "labels": [""]}}, InputError, "must not be empty"),
        ({"model": "nowhere"}, CheckpointError, "nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(config, given, error, message):
    with pytest.raises(error, match=re.escape(message)):
        train_from_config(config(**given))


def test_the_options_of_a_loss_are_those_of_its_family(tmp_path, config, learner):
    gliner2 = str(make_tiny_checkpoint(tmp_path / "gliner2"))
    assert loss_options(config()) == GlinerLoss()
    assert loss_options(config(model=gliner2)) == LossWeights()
    assert loss_options(config(loss={"gamma": 2})) == GlinerLoss(gamma=2)
    with pytest.raises(InputError, match=r"the gliner2 checkpoint .* has no key 'alpha'.*spans"):
        loss_options(config(model=gliner2, loss={"spans": 1, "alpha": 0.5}))
    with pytest.raises(InputError, match=r"'loss\.spans' must be a number from 0"):
        loss_options(config(model=gliner2, loss={"spans": -1}))
    with pytest.raises(InputError, match="must be an object, but LossWeights"):
        loss_options(replace(config(), loss=LossWeights()))
    self_train = {"texts": "a", "smoothing": 0.3}
    assert loss_options(config(self_train=self_train)) == GlinerLoss(smoothing=0.3)
    both = config(self_train=self_train, loss={"smoothing": 0.1})
    assert loss_options(both) == GlinerLoss(smoothing=0.1)


def test_an_old_checkpoint_is_trained_and_saved_whole(tmp_path, monkeypatch, config, learner):
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "cache"))
    old = age(learner, tmp_path / "old")
    result = train_from_config(config(model=str(old), steps=1))
    files = {path.name for path in Path(result["final"]).iterdir()}
    assert {"gliner_config.json", "model.safetensors", "tokenizer.json"} <= files
    model = Extractor.from_pretrained(result["final"], backend="torch")
    found = model.entities("tim cook runs apple", ["person"], threshold=0.0, overlap="all")
    assert len(found) == 4 + 3 + 2 + 1


class Knower:
    """Answers what it was told, whatever the scores."""

    def extract(self, texts, schema, *, threshold, overlap, **others):
        assert (threshold, overlap) == (dict.fromkeys(threshold, UNSURE), "all")
        assert set(threshold) == {"entities", "classifications", "records", "relations"}
        return [self.answer(text, schema) for text in texts]

    def answer(self, text, schema):
        place = Value("rome", 4, 8, 0.9)
        tone = (LabelScore("calm", 0.9),) if "tim" in text else ()
        scores = {"calm": 0.9}
        return Extraction(
            text,
            (Entity("person", text[:3], 0, 3, 0.9),),
            {task.name: Classification(tone, scores) for task in schema.classification_tasks},
            relations=(Relation("in", Value(text[:3], 0, 3, 0.9), place, 0.9),),
        )


def test_a_model_labels_texts(tmp_path):
    rows = [
        {"text": "tim rome", "asked": ["color"], "descriptions": {"color": "a hue"}},
        {"text": "bob rome", "entities": [{"start": 4, "end": 8, "label": "place"}]},
        {
            "text": "ann rome",
            "classifications": [{"name": "tone", "labels": ["calm", "x"], "true": ["x"]}],
        },
        {"text": "tim rome", "classifications": [{"name": "a", "labels": ["calm"], "true": []}]},
    ]
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = SelfTraining((str(path),), ("person",), ("in",))
    found = list(weak_examples(Knower(), options))
    assert sorted(example.asked for example in found) == [
        ("person",), ("person",), ("person", "color"), ("person", "place")
    ]  # fmt: skip
    for example in found:
        assert {m.label for m in example.entities} == {"person"}  # not what the row had
        assert [(r.type, r.tail) for r in example.relations] == [("in", (4, 8))]
    tasks = [task for example in found for task in example.classifications]
    assert [(task.name, task.true) for task in tasks] == [("a", ("calm",))]


class Doubter(Knower):
    """Is sure of Tim and of nothing else that it finds."""

    def answer(self, text, schema):
        tim, rome, place = Value("tim", 0, 3, 0.9), Value("rome", 4, 8, 0.3), Value("rome", 4, 8, 1)
        scores = {"calm": 0.9, "brief": 0.5, "loud": 0.01}
        found = tuple(LabelScore(name, score) for name, score in scores.items() if score > UNSURE)
        sure = Classification(found[:1], scores)
        entities = (
            Entity("person", "tim", 0, 3, 0.9), Entity("place", "rome", 4, 8, 0.9),
            Entity("place", "tim", 0, 3, 0.2), Entity("city", "rome", 4, 8, 0.3),
        )  # fmt: skip
        relations = (
            Relation("in", tim, place, 0.9), Relation("at", tim, place, 0.5),
            Relation("of", tim, rome, 0.9),
        )  # fmt: skip
        labels = {label.name for label in schema.entity_labels}
        types = {one.name for one in schema.relation_types}
        return Extraction(
            text,
            tuple(one for one in entities if one.label in labels),
            {
                task.name: Classification(found, scores)
                if task.multi_label
                else sure
                if task.name == "one"
                else Classification(found[1:], scores)
                for task in schema.classification_tasks
            },
            relations=tuple(one for one in relations if one.type in types),
        )


def test_what_a_model_is_unsure_of_is_not_taught_to_be_absent(tmp_path):
    labels, examples = ["calm", "brief", "loud"], [["hush", "calm"], ["in short", "brief"]]
    tasks = [
        {"name": "many", "labels": labels, "true": [], "multi_label": True, "examples": examples},
        {"name": "one", "labels": labels, "true": []},
        {"name": "two", "labels": labels, "true": []},
        {"name": "none", "labels": ["brief"], "true": [], "multi_label": True},
    ]
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"text": "tim rome", "classifications": tasks}))
    entities, types = ("person", "place", "city", "color"), ("in", "at", "of", "by")
    (example,) = weak_examples(Doubter(), SelfTraining((str(path),), entities, types))
    assert example.asked == ("person", "color")
    assert example.entities == (Mention(0, 3, "person"),)
    assert example.asked_relations == ("in", "by")
    assert example.relations == (GoldRelation("in", (0, 3), (4, 8)),)
    assert (example.unsure, example.unsure_relations) == (("city", "place"), ("at", "of"))
    many, one = example.classifications
    assert (many.labels, many.true) == (("calm", "loud"), ("calm",))
    assert many.examples == (("hush", ("calm",)),)
    assert (one.name, one.labels, one.true) == ("one", tuple(labels), ("calm",))


class Ranker(Knower):
    """Finds several labels at one place."""

    def answer(self, text, schema):
        return Extraction(
            text,
            (
                Entity("firm", "rome", 4, 8, 0.85), Entity("company", "rome", 4, 8, 0.9),
                Entity("company", "rome x", 4, 10, 0.95), Entity("brand", "x", 9, 10, 0.2),
                Entity("person", "tim", 0, 3, 0.9), Entity("person", "tim rome", 0, 8, 0.3),
                Entity("chief", "tim", 0, 3, 0.5), Entity("boss", "tim", 0, 3, 0.4),
            ),
        )  # fmt: skip


def test_what_another_label_outranks_is_not_taught_to_be_absent(tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"text": "tim rome x"}))
    labels = ("person", "company", "firm", "brand", "chief", "boss", "color")
    (example,) = weak_examples(Ranker(), SelfTraining((str(path),), labels))
    assert example.entities == (Mention(0, 3, "person"), Mention(4, 10, "company"))
    assert example.asked == ("person", "company", "color")
    assert example.unsure == ("boss", "brand", "chief", "firm")


def test_a_model_that_is_sure_of_nothing_teaches_nothing(tmp_path):
    path, weak = tmp_path / "texts.jsonl", tmp_path / "weak.jsonl"
    path.write_text('{"text": "tim rome"}\n')
    given = SelfTraining((str(path),), ("place", "city"))
    with pytest.raises(InputError, match=r"sure of nothing in the 1 texts of .* threshold of 0\.8"):
        write_weak_labels(Doubter(), given, weak)
    assert not weak.exists()  # a resumed run would learn from it


def test_texts_of_which_nothing_is_sure_are_left_out(tmp_path):
    rows = [{"text": "tim rome", "asked": [label]} for label in ("person", "city")]
    path, weak = tmp_path / "texts.jsonl", tmp_path / "weak.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = []
    assert write_weak_labels(Doubter(), SelfTraining((str(path),)), weak, report=told.append) == 1
    assert told == [
        "1 of 2 texts labeled by the model itself at 0.8: 1 entities, 0 relations, 0 classes"
    ]


def test_self_training_is_one_command(tmp_path, learner, capsys):
    """A learner knows its sentences, labels them, and learns from its own labels."""
    first = train_from_config(
        TrainConfig.from_dict(
            {
                "model": str(learner), "data": str(write_sentences(tmp_path, relations=True)),
                "output": str(tmp_path / "first"), "steps": 300, "encoder_rate": 3e-3,
                "head_rate": 3e-3, "clip": 100.0, "max_batch": 5, "warmup": 5,
                "precision": "fp32", "score_every": 0, "held_out": 0,
                "sampling": {"restyle": 0.0, "drop_label": 0.0, "foreign": 0.0},
            }
        )
    )  # fmt: skip
    gold = [example_from_gliner(row) for row in sentences(relations=True)]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": e.text}) + "\n" for e in gold))
    command = [
        "train", "--model", first["final"], "--self-train", str(texts), "--steps", "2",
        "-e", "person,company", "-e", "place", "-r", "runs", "-r", "in", "-t", "0.7",
        "--output", str(tmp_path / "second"), "--device", "cpu", "--freeze", "text_encoder",
    ]  # fmt: skip
    assert main(command) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["steps"], summary["skipped"]) == (2, 0)
    weak = tmp_path / "second" / DATA / WEAK
    found = list(read_examples(weak))
    assert [example.text for example in found] == [example.text for example in gold]
    assert [set(e.entities) for e in found] == [set(e.entities) for e in gold]
    assert [set(e.relations) for e in found] == [set(e.relations) for e in gold]
    kept = read_config(tmp_path / "second" / "train.json")
    assert loss_options(kept) == GlinerLoss(smoothing=0.1)
    assert kept.self_train == SelfTraining(
        (str(texts),), ("person", "company", "place"), ("runs", "in"), 0.7
    )
    rows = [example_to_dict(e) for e in found]
    assert rows[0]["asked"] == ["person", "company", "place"]


def test_options_of_self_training_need_texts(tmp_path, learner, capsys):
    command = ["train", "-m", str(learner), "-o", str(tmp_path / "run"), "-e", "person"]
    assert main(command) == 2
    assert "give --self-train FILE" in capsys.readouterr().err


@pytest.mark.parametrize("given", [("--threads", "100000"), ("--seed", "9" * 23)])
def test_numbers_that_are_too_large_are_refused(tmp_path, learner, capsys, given):
    command = ["train", "-m", str(learner), "-d", "none.jsonl", "-o", str(tmp_path / "run")]
    assert main([*command, *given]) == 2
    assert given[0] in capsys.readouterr().err


def test_texts_that_are_asked_nothing_are_refused(tmp_path, learner):
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "tim"}\n')
    config = {"model": str(learner), "output": str(tmp_path / "run"), "steps": 1}
    with pytest.raises(InputError, match="Nothing is asked of the texts"):
        train_from_config(TrainConfig.from_dict(config | {"self_train": {"texts": str(texts)}}))


def test_every_head_of_a_token_network_is_trained(tmp_path, config):
    start = make_learner(tmp_path / "start", represent_spans=True, **TOKENS)
    result = train_from_config(config(model=str(start)))
    assert {"scorer.out_mlp", "span_rep_layer.span_rep_layer", "rnn.lstm"} <= changed(
        start, result["final"]
    )
