"""How readings are put together into runs of the backbone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass import Extractor
from onepass.models.batching import ON_CPU, ON_GPU, Budget, batches, budget_of


def put_together(lengths: list[int], budget: Budget) -> list[list[int]]:
    return list(batches(lengths, lambda length: length, budget))


def test_readings_of_similar_length_run_together_within_a_budget():
    wide = Budget(300, 1.0)
    assert put_together([10, 300, 20, 100, 90, 700], wide) == [[700], [300], [100, 90, 20], [10]]
    assert put_together([], wide) == []


def test_padding_is_kept_small():
    budget = Budget(1000, 0.1)
    assert put_together([100, 95, 90, 60, 58], budget) == [[100, 95, 90], [60, 58]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 900)), st.integers(1, 1000), st.floats(0, 1))
def test_nothing_is_lost_and_budgets_hold(lengths: list[int], pieces: int, padding: float):
    found = put_together(lengths, Budget(pieces, padding))
    assert [one for batch in found for one in batch] == sorted(lengths, reverse=True)
    for batch in found:
        padded = len(batch) * batch[0]
        assert len(batch) == 1 or padded <= min(pieces, (1 + padding) * sum(batch))


def test_results_do_not_depend_on_the_budget(monkeypatch: pytest.MonkeyPatch):
    model = Extractor()
    texts = [f"Tim Cook met {name} in Rome. " * count for count, name in enumerate(["A", "Bo"], 1)]
    texts += ["", "Ada Lovelace lived in London.", texts[1] * 3]
    schema = {"entities": ["person", "city"], "classifications": {"tone": ["calm", "angry"]}}
    found = []
    for most in (1, 64, 4096):
        monkeypatch.setattr(model._reader, "batching", Budget(most, 1.0))
        found.append(model.extract(texts, schema))
    places = [[[(e.label, e.start, e.end) for e in doc.entities] for doc in docs] for docs in found]
    assert places[0] == places[1] == places[2]
    assert any(places[0])
    assert [doc.text for doc in found[0]] == texts


def test_a_gpu_is_given_larger_runs():
    assert (budget_of("cpu"), budget_of("cuda")) == (ON_CPU, ON_GPU)
    assert ON_GPU.pieces > ON_CPU.pieces
    lengths = [10 * n for n in range(1, 36)]  # 6,300 pieces
    assert len(put_together(lengths, ON_CPU)) > 10
    assert len(put_together(lengths, ON_GPU)) == 1  # of 12,250 pieces, half of them padding
    assert Extractor()._reader.batching == ON_CPU
