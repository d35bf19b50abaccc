"""The reasoning cell by its formulas; gliclass itself is compared in tests/parity."""

from __future__ import annotations

import pytest
import torch

from onepass.nn.reasoning_cell import ReasoningCell, heads_of


def made(hidden: int, *, reads_text: bool) -> ReasoningCell:
    torch.manual_seed(0)
    return ReasoningCell(hidden, reads_text=reads_text).eval()


@torch.no_grad()
def test_gates_choose_between_what_was_said_and_what_is() -> None:
    cell = made(8, reads_text=False)
    state, inputs = torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    for bias, wanted in ((-50.0, state), (50.0, 3 * inputs)):  # nothing is taken over, or all
        cell.update.bias.fill_(bias)
        cell.reset.bias.fill_(-50.0)  # the state plays no part in the candidate
        found = cell(state, inputs, lambda x: 3 * x)
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_only_pieces_of_the_text_are_read() -> None:
    cell = made(8, reads_text=True)
    state, text = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]).bool()
    found = cell(state, state, lambda x: x, cell.memory(text, mask))
    text[1, 2:] = 100.0
    torch.testing.assert_close(cell(state, state, lambda x: x, cell.memory(text, mask)), found)
    text[1, 0] = 0.5
    other = cell(state, state, lambda x: x, cell.memory(text, mask))
    assert (other[1] - found[1]).abs().max() > 1e-3


@pytest.mark.parametrize(("hidden", "heads"), [(32, 1), (64, 1), (128, 2), (1024, 16)])
def test_heads_have_64_numbers_where_there_are_so_many(hidden: int, heads: int) -> None:
    assert heads_of(hidden) == heads


def test_the_table_names_every_weight() -> None:
    for reads_text in (False, True):
        cell = made(8, reads_text=reads_text)
        table = cell.keys()
        assert {entry.ours for entry in table} == set(cell.state_dict())
