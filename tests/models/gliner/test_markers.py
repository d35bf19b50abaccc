"""Special tokens get the ids that a checkpoint was trained with, or the checkpoint is refused."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, models

from onepass.errors import CheckpointError
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.markers import add_markers, markers

PIECES = 10


def tokenizer(*added: str) -> Tokenizer:
    made = Tokenizer(models.WordLevel({f"w{i}": i for i in range(PIECES)}, unk_token="w0"))
    made.add_special_tokens([AddedToken(token, special=True) for token in added])
    return made


def ids(config: dict[str, Any], rows: int | None, *added: str) -> list[int | None]:
    """Return the ids of [FLERT], <<ENT>>, <<SEP>> and <<REL>> after what is missing was added."""
    made = tokenizer(*added)
    add_markers(made, GlinerConfig.from_dict(config), rows, "mine")
    return [made.token_to_id(token) for token in ("[FLERT]", "<<ENT>>", "<<SEP>>", "<<REL>>")]


RELEX = {"relations_layer": "dot"}


@pytest.mark.parametrize(
    ("config", "rows", "added", "expected"),
    [
        ({}, None, (), [10, 11, 12, None]),  # the rule of the reference library
        ({}, 13, (), [10, 11, 12, None]),
        ({}, 12, (), [None, 10, 11, None]),  # the rows say that there was no [FLERT]
        ({"class_token_index": 11, "vocab_size": 13}, 13, (), [10, 11, 12, None]),
        ({"class_token_index": 10}, None, (), [None, 10, 11, None]),
        ({"class_token_index": 10, "vocab_size": 16}, 16, (), [None, 10, 11, None]),  # spare rows
        ({}, 14, ("[MASK]",), [11, 12, 13, None]),
        ({}, 13, ("<<SEP>>",), [11, 12, 10, None]),  # one is there already
        ({}, 13, ("[FLERT]", "<<ENT>>", "<<SEP>>"), [10, 11, 12, None]),
        ({"ent_token": "w3", "class_token_index": 3}, 12, (), [10, None, 11, None]),
        (RELEX, None, (), [None, 10, 11, 12]),
        (RELEX, 14, (), [10, 11, 12, 13]),
        (RELEX | {"class_token_index": 10, "rel_token_index": 12}, 13, (), [None, 10, 11, 12]),
        ({"labels_encoder": "bge"}, 10, (), [None] * 4),  # its labels are not in the prompt
    ],
)
def test_ids(
    config: dict[str, Any], rows: int | None, added: tuple[str, ...], expected: list[int | None]
) -> None:
    assert ids(config, rows, *added) == expected


@pytest.mark.parametrize(
    ("config", "rows", "said"),
    [
        ({}, 100, "mine, which has 100 rows of embeddings; put"),
        ({}, 11, "mine, which has 11 rows of embeddings; put"),
        ({"class_token_index": 40}, None, "mine, which has the class_token_index 40; put"),
        ({"class_token_index": 11}, 12, "12 rows of embeddings and the class_token_index 11"),
        (RELEX | {"class_token_index": 10, "rel_token_index": 15}, 13, "the class_token_index 10"),
    ],
)
def test_what_does_not_fit_is_refused(config: dict[str, Any], rows: int | None, said: str) -> None:
    with pytest.raises(CheckpointError) as refused:
        ids(config, rows)
    assert said in str(refused.value)
    assert "A tokenizer of 10 pieces, to which " in str(refused.value)


def test_tokens_of_a_prompt() -> None:
    assert markers(GlinerConfig.from_dict({"ent_token": "[E]"})) == ("[E]", "<<SEP>>")
    assert markers(GlinerConfig.from_dict(RELEX)) == ("<<ENT>>", "<<SEP>>", "<<REL>>")
    assert markers(GlinerConfig.from_dict({"labels_encoder": "bge"})) == ()


def test_markers_are_read_whole_wherever_they_stand() -> None:
    made = tokenizer()
    add_markers(made, GlinerConfig.from_dict({}), None, "mine")
    assert made.encode("<<ENT>>").ids == [11]
