import json
import random
from itertools import pairwise

import pytest

from onepass.corpus.example import Example, Mention
from onepass.errors import InputError
from onepass.training.data import LineFile, Mixture
from onepass.training.gliner2 import Gliner2Trainee
from onepass.training.sampling import Sampler
from onepass.training.stream import BatchOptions, QuestionStream, split_by_length
from onepass.training.trainee import Ask


@pytest.fixture(scope="module")
def ask(checkpoint) -> Ask:
    return Gliner2Trainee(checkpoint).ask


@pytest.fixture
def make(write, ask):
    """Return what makes a stream over texts of 1 to 40 words and one row without annotations."""
    rows = [{"text": "tim " * n, "asked": ["person"]} for n in range(1, 41)]
    path = write("data.jsonl", *rows, {"text": "nothing annotated"})

    def make_stream(**options: int) -> QuestionStream:
        mixture = Mixture({"data": LineFile(path)}, None, seed=0)
        return QuestionStream(mixture, Sampler(), ask, BatchOptions(**options), seed=2)

    return make_stream


def drawn(stream: QuestionStream, count: int) -> list[list[str]]:
    batches = stream.batches()
    return [[one.question.text for one in next(batches)] for _ in range(count)]


def test_batches_hold_similar_lengths_within_the_budget(make):
    options = {"batch_pieces": 200, "max_batch": 6, "max_pieces": 512, "pool": 41}
    stream = make(**options)
    batches = stream.batches()
    lengths = []
    while stream.seen < 41:
        batch = next(batches)
        pieces = [one.reading.pieces for one in batch]
        assert len(batch) == 1 or max(pieces) * len(batch) <= 200
        assert len(batch) <= 6
        lengths.append((min(pieces), max(pieces)))
    assert lengths != sorted(lengths)  # batches are shuffled
    ordered = sorted(lengths)
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))


def test_every_example_of_a_pool_is_used_or_counted_as_skipped(make):
    stream = make(pool=41)
    batches = stream.batches()
    texts: list[str] = []
    while stream.seen < 41:
        texts += [one.question.text for one in next(batches)]
    assert len(set(texts)) == 40
    assert (stream.seen, stream.skipped) == (41, 1)


def test_a_restored_stream_goes_on_where_it_was(make):
    options = {"pool": 13, "max_batch": 4}
    for before in (0, 1, 4, 7, 12):
        stream, again = make(**options), make(**options)
        drawn(stream, before)
        state = json.loads(json.dumps(stream.state()))
        again.restore(state)
        expected = make(**options)
        whole = drawn(expected, before + 9)
        assert drawn(again, 9) == whole[before:]
        assert (again.seen, again.skipped) == (expected.seen, expected.skipped)


def test_data_that_cannot_be_asked_is_refused(write, ask):
    rows = [{"text": "a"}, {"text": "b", "asked": ["person " * 20]}]
    mixture = Mixture({"data": LineFile(write("data.jsonl", *rows))}, None, seed=0)
    options = BatchOptions(max_pieces=16, pool=4)
    stream = QuestionStream(mixture, Sampler(), ask, options)
    reasons = "entity labels beside relations.*longer than its spans or than the 16 pieces"
    with pytest.raises(InputError, match=f"None of 4 examples drawn could be asked.*{reasons}"):
        next(stream.batches())


def test_a_text_without_words_is_asked_about_its_full_stop(ask):
    question = Sampler().question(Example(" ", asked=("person",)), random.Random(0))
    (one,) = ask(question, 64)
    assert (len(one.words), one.reading.words) == (0, 1)


def test_an_example_longer_than_the_budget_is_a_batch_of_its_own(ask):
    import random

    example = Example("tim " * 50, (Mention(0, 3, "person"),))
    asked = [
        one for i in range(3) for one in ask(Sampler().question(example, random.Random(i)), 99)
    ]
    assert [len(b) for b in split_by_length(asked, BatchOptions(batch_pieces=8))] == [1, 1, 1]
