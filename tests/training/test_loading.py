import os
import subprocess
import sys

import pytest
import torch
from tests.training.test_run import ROWS

from onepass.errors import InputError
from onepass.training.config import TrainConfig
from onepass.training.data import LineFile, Mixture
from onepass.training.gliner2 import Gliner2Trainee
from onepass.training.loading import Direct, Loaders
from onepass.training.run import train_from_config
from onepass.training.sampling import Sampler
from onepass.training.stream import BatchOptions, QuestionStream

OPTIONS = BatchOptions(max_batch=2, pool=3)


@pytest.fixture
def stream(checkpoint, write):
    """Return a stream of questions about the rows, with its own place in them."""
    rows = [
        {"text": row["input"], "entities": [], "classifications":
         [{"name": "c", "labels": ["a", "b"], "true": ["a"]}]} for row in ROWS
    ]  # fmt: skip
    file = LineFile(write("own.jsonl", *rows))
    trainee = Gliner2Trainee(checkpoint)

    def make(index: int = 0, count: int = 1, ask=trainee.ask) -> QuestionStream:
        mixture = Mixture({"own": file}, None, seed=0)
        return QuestionStream(mixture, Sampler(), ask, OPTIONS, share=(index, count))

    make.build = trainee.build
    return make


def taken(feed, count: int) -> list:
    """Return what the next batches hold."""
    batches = feed.batches()
    found = [next(batches) for _ in range(count)]
    batches.close()
    return found


def ids(built) -> list:
    return built.batch.ids.tolist()


def test_one_loader_hands_out_what_the_stream_does(stream):
    plain = taken(Direct(stream()), 5)
    loaded = taken(Loaders([stream()], stream.build), 5)
    assert [ids(stream.build(one.asked)) for one in plain] == [ids(one.built) for one in loaded]
    assert [one.places for one in plain] == [one.places for one in loaded]
    assert not any(one.asked for one in loaded)


def test_several_take_turns_and_count_together(stream):
    loaders = Loaders([stream(i, 3) for i in range(3)], stream.build)
    found = taken(loaders, 6)  # a pool of three is two batches
    each = [taken(Loaders([stream(i, 3)], stream.build), 2) for i in range(3)]
    assert [ids(one.built) for one in found] == [
        ids(each[reader][turn].built) for turn in range(2) for reader in range(3)
    ]
    assert (loaders.seen, loaders.skipped) == (9, 0)


def test_a_state_goes_on_with_the_next_turn(stream):
    whole = taken(Loaders([stream(i, 2) for i in range(2)], stream.build), 7)
    before = Loaders([stream(i, 2) for i in range(2)], stream.build)
    taken(before, 3)
    after = Loaders([stream(i, 2) for i in range(2)], stream.build)
    after.restore(before.state())
    assert after.seen == before.seen
    assert [ids(one.built) for one in taken(after, 4)] == [ids(one.built) for one in whole[3:]]


def test_another_number_of_loaders_cannot_go_on(stream):
    state = Loaders([stream(i, 2) for i in range(2)], stream.build).state()
    with pytest.raises(InputError, match="had 2 loaders, but this one has 0; give the same"):
        Direct(stream()).restore(state)
    with pytest.raises(InputError, match="had 0 loaders, but this one has 1"):
        Loaders([stream()], stream.build).restore(Direct(stream()).state())


def test_what_cannot_be_asked_is_said_in_one_sentence(stream):
    def refuse(question, longest):
        raise InputError("a label is too long.")

    with pytest.raises(InputError, match=r"^own.jsonl:\d: a label is too long.$"):
        taken(Loaders([stream(ask=refuse)], stream.build), 1)


def test_what_cannot_be_built_is_left_to_the_one_that_counts_failures(stream):
    def fail(asked):
        raise IndexError("7")

    (one,) = taken(Loaders([stream()], fail), 1)
    assert one.built is None
    assert len(one.asked) == len(one.places) == 2


@pytest.mark.parametrize(("set_to", "seen"), [(None, "false"), ("true", "true")])
def test_a_loader_tokenizes_with_one_thread(stream, monkeypatch, set_to, seen):
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    if set_to:
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", set_to)

    def build(asked):
        return os.environ.get("TOKENIZERS_PARALLELISM")

    found = taken(Loaders([stream(i, 2) for i in range(2)], build), 2)
    assert [one.built for one in found] == [seen, seen]
    assert os.environ.get("TOKENIZERS_PARALLELISM") == set_to


ORPHANED = """
import os, time
from tests.training.test_loading import Endless
from onepass.training.loading import Loaders

def build(asked):
    print(os.getpid(), flush=True)
    return bytes(1 << 20)  # more than a pipe holds

batches = Loaders([Endless(), Endless()], build).batches()
next(batches)
time.sleep(2)  # until they wait for a reader
os.kill(os.getpid(), 9)
"""


class Endless:
    """A stream that always has something."""

    seen = skipped = 0

    def batches(self):
        while True:
            yield [None]

    def places(self, asked):
        return [""]

    def state(self):
        return {}


@pytest.mark.skipif(os.name == "nt", reason="loaders need processes that are forked")
def test_loaders_end_with_the_process_that_trains():
    """Its standard output is theirs, too, and is closed when the last of them is gone."""
    done = subprocess.run(
        [sys.executable, "-c", ORPHANED], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -9
    assert done.stdout


def test_a_run_learns_with_loaders_as_without(tmp_path, checkpoint, write):
    data = str(write("data.jsonl", *ROWS))
    weights = []
    for loaders in (0, 1):
        config = TrainConfig.from_dict(
            {"model": str(checkpoint), "data": data, "output": str(tmp_path / str(loaders)),
             "steps": 3, "precision": "fp32", "device": "cpu", "loaders": loaders, "held_out": 0.0}
        )  # fmt: skip
        summary = train_from_config(config)
        weights.append(Gliner2Trainee(tmp_path / str(loaders) / "final").network.state_dict())
        assert summary["examples"] > 0
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name]), name


def test_rewards_are_learned_without_loaders():
    with pytest.raises(InputError, match="'loaders' is of supervised training"):
        TrainConfig.from_dict({"model": "m", "data": "d", "output": "o", "loaders": 2, "rl": {}})
