"""A reranker learns which candidates for values of records are right."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

import numpy as np
import torch
from reranker import SOURCES, Group, batches, gathered, labeled, main, pairs_of, trained
from tests.tiny import make_tiny_checkpoint

from onepass.corpus.example import Example, GoldField, GoldRelation, GoldStructure, GoldValue
from onepass.corpus.jsonl import write_examples
from onepass.hub import locate
from onepass.models.choosing import Wanted
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.models.gliner2.rivals import AN_END, packed, rivals
from onepass.models.opening import open_backend
from onepass.models.reader import Reader
from onepass.models.registry import read_model
from onepass.text.words import split_words

TEXT = "Tim Cook runs Apple in Paris and Rome."
TRIP = GoldStructure(
    "trip",
    (
        GoldField("who", dtype="str"),
        GoldField("where", dtype="list"),
        GoldField("kind", choices=("a", "b")),
    ),
    ({"who": (GoldValue(0, 8),), "where": (GoldValue(23, 28), GoldValue(33, 37))},),
)


def groups(count: int) -> list[Group]:
    """Return groups where the spans of capitals are right, which logits do not tell."""
    rng = np.random.default_rng(0)
    out = []
    for _ in range(count):
        logits = rng.normal(-2, 1, (2, 2, 12, 2)).astype(np.float32)
        shapes = rng.choice([10, 11], 12)
        found = rivals(logits, shapes, np.ones(2, bool), np.zeros(2, np.int64))
        out.append(Group(found, (found.places[:, 4] == 11).astype(np.float32)))
    return out


def test_it_learns_what_is_right():
    reranker = trained(groups(300), random.Random(0))
    (new,) = groups(1)
    inputs = {n: torch.from_numpy(a) for n, a in packed([new.candidates]).items()}
    with torch.no_grad():
        said = reranker(**inputs)[0].numpy() > 0
    assert (said == (new.right > 0)).mean() > 0.9


def test_batches_hold_each_group_once():
    every = groups(40)
    drawn = batches(list(every), random.Random(0))
    assert sorted(id(one) for batch in drawn for one in batch) == sorted(map(id, every))


def test_candidates_are_right_where_the_record_has_their_words(tmp_path: Path):
    directory = make_tiny_checkpoint(tmp_path)
    (directory / "onepass.json").write_text('{"least_records": 1}')
    model = read_model(locate(directory))
    reader = Reader(model, open_backend(model, locate(directory), Wanted(backend="torch")))
    example = Example(TEXT, structures=(TRIP,))
    (group,) = gathered(reader, [example], random.Random(0))
    texts = {}
    words = [(0, 3), (4, 8), (9, 13), (14, 19), (20, 22), (23, 28), (29, 32), (33, 37), (37, 38)]
    for (_, item, word, width), right in zip(group.candidates.cells, group.right, strict=True):
        texts.setdefault(int(item), {})[TEXT[words[word][0] : words[word + width][1]]] = right
    wanted = {0: {"Tim Cook"}, 1: {"Paris", "Rome"}}
    assert set(texts) <= {0, 1}
    found = [{text for text, right in texts[item].items() if right} for item in texts]
    assert all(own <= wanted[item] for item, own in zip(texts, found, strict=True))


def test_ends_of_a_pair_are_right_where_both_are_its_own():
    words = split_words(TEXT)  # Tim Cook runs Apple in Paris and Rome .
    runs = (GoldRelation("runs", (0, 8), (14, 19)), GoldRelation("runs", (14, 19), (23, 28)))
    wanted = pairs_of(Example(TEXT, relations=(*runs, runs[0])), "runs")
    assert len(wanted) == 2
    logits = np.full((2, 2, len(words), 2), -9.0, dtype=np.float32)
    logits[0, 0, 0, 1] = logits[0, 1, 3, 0] = 1.0  # the first pair
    logits[0, 1, 5, 0] = 0.0  # the tail of the other
    logits[1, 0, 7, 0] = logits[1, 1, 5, 0] = -3.0  # Rome, and the right tail
    shapes = np.zeros(len(words), np.int64)
    found = rivals(logits, shapes, np.ones(2, bool), np.full(2, AN_END))
    right = labeled(found, ("head", "tail"), wanted, words)
    assert found.cells[:, :3].tolist() == [[0, 0, 0], [0, 1, 3], [0, 1, 5], [1, 0, 7], [1, 1, 5]]
    assert right.tolist() == [1, 1, 0, 0, 1]


def test_a_checkpoint_gets_one(tmp_path: Path):
    directory = make_tiny_checkpoint(tmp_path / "plain")
    (directory / "onepass.json").write_text('{"least_records": 1}')
    (tmp_path / "converted").mkdir()
    for name in (*(f"converted/{source}" for source in SOURCES), "some"):
        write_examples(tmp_path / f"{name}.jsonl", [Example(TEXT, structures=(TRIP,))] * 3)
    main(directory, tmp_path / "with", tmp_path / "converted", tmp_path / "some.jsonl")
    network = load_network(tmp_path / "with")
    assert network.config.reranker
    assert (tmp_path / "with/onepass.json").read_text() == '{"least_records": 1}'
    before = load_network(directory).state_dict()
    for name, values in before.items():
        torch.testing.assert_close(network.state_dict()[name], values)
