"""Labels in front of a text: their pieces, their places, and how they are split over passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.tiny import tiny_tokenizer
from tokenizers import AddedToken, processors

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.plan import plan_prompts
from onepass.models.gliner.prompt import Prompt
from onepass.schema import Schema

SPAN = GlinerConfig.from_dict({})
RELEX = GlinerConfig.from_dict({"relations_layer": "dot"})
BI = GlinerConfig.from_dict({"labels_encoder": "bge"})


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PieceTokenizer:
    inner = tiny_tokenizer()
    names = ["<<ENT>>", "<<SEP>>", "<<REL>>"]
    inner.add_special_tokens([AddedToken(name, special=True) for name in names])
    ids = [(name, inner.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=ids
    )
    path: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    inner.save(str(path))
    return PieceTokenizer(path)


def words(prompt: Prompt, tokenizer: PieceTokenizer) -> str:
    """Return the pieces of a prompt as text."""
    inner = tokenizer._tokenizer
    return " ".join(str(inner.id_to_token(int(i))) for i in prompt.ids)


def test_markers_labels_and_the_end_of_the_prompt(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities(["person", "product name"])
    [prompt] = plan_prompts(schema, tokenizer, SPAN, 100)
    assert words(prompt, tokenizer) == "[CLS] <<ENT>> person <<ENT>> product name <<SEP>>"
    assert prompt.ids[prompt.label_places].tolist() == [tokenizer.id_of("<<ENT>>")] * 2
    assert prompt.items == (0, 1)


def test_relation_types_have_a_part_of_their_own(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities(["person", "place"]).relations(["works for", "in"])
    [prompt] = plan_prompts(schema, tokenizer, RELEX, 100)
    assert words(prompt, tokenizer) == (
        "[CLS] <<ENT>> person <<ENT>> place <<SEP>> <<REL>> works for <<REL>> in <<SEP>>"
    )
    assert prompt.ids[prompt.type_places].tolist() == [tokenizer.id_of("<<REL>>")] * 2


def test_the_second_end_is_there_without_a_relation(tokenizer: PieceTokenizer) -> None:
    [prompt] = plan_prompts(Schema().entities(["person"]), tokenizer, RELEX, 100)
    assert words(prompt, tokenizer) == "[CLS] <<ENT>> person <<SEP>> <<SEP>>"
    assert not len(prompt.type_places)


def test_a_label_is_its_first_piece_where_the_checkpoint_says_so(tokenizer: PieceTokenizer) -> None:
    config = GlinerConfig.from_dict({"embed_ent_token": False})
    [prompt] = plan_prompts(Schema().entities(["person", "place"]), tokenizer, config, 100)
    names = [tokenizer.id_of("person"), tokenizer.id_of("place")]
    assert prompt.ids[prompt.label_places].tolist() == names


def test_a_description_is_read_in_place_of_the_label(tokenizer: PieceTokenizer) -> None:
    [prompt] = plan_prompts(Schema().entities({"person": "a name"}), tokenizer, SPAN, 100)
    assert words(prompt, tokenizer) == "[CLS] <<ENT>> a name <<SEP>>"


def test_a_label_cannot_bring_markers_with_it(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities(["<<ENT>> person", "place<<SEP>>"])
    [prompt] = plan_prompts(schema, tokenizer, SPAN, 100)
    marker, end = tokenizer.id_of("<<ENT>>"), tokenizer.id_of("<<SEP>>")
    assert prompt.ids.tolist().count(marker) == 2
    assert prompt.ids.tolist().count(end) == 1


def test_a_label_encoder_needs_no_prompt(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities({f"label {i}": None for i in range(1000)})
    [prompt] = plan_prompts(schema, tokenizer, BI, 20)
    assert words(prompt, tokenizer) == "[CLS]"
    assert len(prompt.texts) == 1000


def test_labels_are_split_over_passes_and_none_is_lost(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities([f"person {i}" for i in range(965)])
    prompts = plan_prompts(schema, tokenizer, SPAN, 64)
    assert [label for prompt in prompts for label in prompt.items] == list(range(965))
    assert max(prompt.pieces for prompt in prompts) <= 64


def test_types_are_split_with_all_labels_beside_each_part(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities(["person", "place"]).relations([f"in {i}" for i in range(40)])
    prompts = plan_prompts(schema, tokenizer, RELEX, 40)
    assert [one for prompt in prompts for one in prompt.types] == list(range(40))
    assert all(prompt.items == (0, 1) for prompt in prompts)


@pytest.mark.parametrize(
    ("schema", "config", "said"),
    [
        (Schema().structure("product", ["name"]), SPAN, "finds no records (structure 'product')"),
        (Schema().relations(["in"]), RELEX, "asks for relations only; add the entity labels"),
        (Schema().entities(["person " * 99]), SPAN, "takes 102 pieces with its prompt"),
    ],
)
def test_what_cannot_be_asked(
    schema: Schema, config: GlinerConfig, said: str, tokenizer: PieceTokenizer
) -> None:
    with pytest.raises(SchemaError, match=re.escape(said)):
        plan_prompts(schema, tokenizer, config, 50)
