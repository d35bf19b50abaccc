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


NOTHING = "\u200b\u00ad"  # a word, but of no piece


@pytest.mark.parametrize(
    ("schema", "config", "what"),
    [
        (Schema().entities(["person", NOTHING]), SPAN, "entity label"),
        (Schema().entities({"person": NOTHING}), SPAN, "entity label 'person'"),
        (Schema().entities(["person"]).relations([NOTHING]), RELEX, "relation type"),
        (Schema().entities(["person"]).relations([NOTHING]), SPAN, "relation type"),
        (Schema().classification("tone", ["calm", NOTHING]), SPAN, "label"),
        (Schema().classification("tone", ["calm", NOTHING]), BI, "label"),
        (Schema().ask({"who": NOTHING}), SPAN, "question 'who'"),
        (Schema().ask({NOTHING: {"text": "Find it", "kind": "open"}}), SPAN, "question"),
    ],
)
def test_what_has_no_piece_is_refused(
    schema: Schema, config: GlinerConfig, what: str, tokenizer: PieceTokenizer
) -> None:
    with pytest.raises(SchemaError) as refused:
        plan_prompts(schema, tokenizer, config, 100)
    assert str(refused.value).startswith(f"The {what}")
    assert str(refused.value).endswith(
        f"is read as {NOTHING!r}, in which the tokenizer of this checkpoint finds nothing to read; "
        "write it with other characters."
    )


def test_a_label_that_is_not_read_may_be_anything(tokenizer: PieceTokenizer) -> None:
    bare = GlinerConfig.from_dict({"labels_decoder": "gpt2", "decoder_mode": "prompt"})
    [prompt] = plan_prompts(Schema().entities(["person", NOTHING]), tokenizer, bare, 100)
    assert words(prompt, tokenizer) == "[CLS] <<ENT>> <<ENT>> <<SEP>>"
    [described] = plan_prompts(Schema().entities({NOTHING: "a name"}), tokenizer, SPAN, 100)
    assert words(described, tokenizer) == "[CLS] <<ENT>> a name <<SEP>>"


def test_what_is_too_long_is_what_is_blamed(tokenizer: PieceTokenizer) -> None:
    long = "great " * 60
    for schema, config, said in (
        (
            Schema().classification("tone", ["calm", "red"], prompt=long),
            SPAN,
            "The prompt of the classification 'tone' takes 70 pieces with one label, but a prompt "
            "of this model may have 50; shorten it.",
        ),
        (
            Schema().classification("tone", ["calm", "x" * 60], prompt="Which"),
            SPAN,
            "The label 'xxxx",
        ),
        (
            Schema().entities(["person", "place"]).relations(["in", long]),
            RELEX,
            "The relation type 'great great",
        ),
        (
            Schema().entities(["person", "x" * 60]).relations(["in"]),
            RELEX,
            "The entity label 'xxxx",
        ),
    ):
        with pytest.raises(SchemaError) as refused:
            plan_prompts(schema, tokenizer, config, 50)
        assert str(refused.value).startswith(said)


def test_words_of_an_instruction_are_half_of_a_window_at_most(tokenizer: PieceTokenizer) -> None:
    config = GlinerConfig.from_dict({"max_len": 40})
    task = Schema().classification("tone", [f"calm {i}" for i in range(30)])
    prompts = plan_prompts(task, tokenizer, config, 1000)
    assert [item for prompt in prompts for item in prompt.items] == list(range(30))
    assert max(prompt.words for prompt in prompts) <= 20
    for schema, said in (
        (Schema().ask(["who " * 20]), "^The question .* takes 25 words with its prompt, but"),
        (
            Schema().classification("tone", ["calm", "red"], prompt="great " * 20),
            "^The prompt of the classification 'tone' takes 22 words with one label, but a prompt "
            "of this model may have 20; shorten it.",
        ),
    ):
        with pytest.raises(SchemaError, match=said):
            plan_prompts(schema, tokenizer, config, 1000)


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
