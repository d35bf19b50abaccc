"""Older tokenizer files become a tokenizer.json that reads as the original does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.gliner_checkpoints import encoder_config

from onepass.errors import CheckpointError, MissingExtra
from onepass.nn import convert_tokenizer as module
from onepass.nn.convert_tokenizer import convert_tokenizer

TEXT = "tim cook runs apple in paris and rome , the iphone costs 999 dollars\n"


@pytest.fixture(scope="module")
def deberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the hub has of a DeBERTa-v3: spm.model, and settings that name no class."""
    from sentencepiece import SentencePieceTrainer

    directory = tmp_path_factory.mktemp("deberta")
    (directory / "text").write_text(TEXT * 20)
    SentencePieceTrainer.train(
        input=str(directory / "text"), model_prefix=str(directory / "spm"), vocab_size=60,
        hard_vocab_limit=False, character_coverage=1.0, minloglevel=2, pad_id=0, bos_id=1,
        eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]",
        unk_piece="[UNK]",
    )  # fmt: skip
    (directory / "config.json").write_text(json.dumps(encoder_config("deberta-v2", 16, 1)))
    (directory / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    return directory


@pytest.mark.parametrize("text", ["tim cook runs", "tim  costs 99 .", "ﬁn Ａpple ９ … ½ é"])
def test_sentencepiece(deberta: Path, text: str) -> None:
    """The last text is made of characters that transformers 5 by itself reads as unknown."""
    from sentencepiece import SentencePieceProcessor

    own = SentencePieceProcessor(model_file=str(deberta / "spm.model"))
    found = convert_tokenizer(deberta).encode(text)
    assert found.ids == [1, *own.encode(text), 2]


def test_special_tokens_of_the_family_are_there(deberta: Path) -> None:
    tokenizer = convert_tokenizer(deberta)
    assert tokenizer.token_to_id("[MASK]") == tokenizer.get_vocab_size() - 1


def test_without_sentencepiece_the_extra_is_named(
    deberta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"spm\.model .*run  pip install 'onepass\[torch\]'"):
        convert_tokenizer(deberta)


def test_a_frame_that_is_missing_is_put_around(
    deberta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = convert_tokenizer(deberta)
    tokenizer.post_processor = None
    module._mend_frame(tokenizer, "[CLS]", "[SEP]")
    assert tokenizer.encode("tim").tokens[0] == "[CLS]"
    assert tokenizer.encode("tim").tokens[-1] == "[SEP]"


def test_word_pieces(tmp_path: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "tim", "##s"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces))
    (tmp_path / "config.json").write_text(json.dumps(encoder_config("bert", 16, 1)))
    assert convert_tokenizer(tmp_path).encode("Tims").tokens == ["[CLS]", "tim", "##s", "[SEP]"]


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_broken_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spm.model").write_bytes(content)
    (tmp_path / "config.json").write_text(json.dumps(encoder_config("deberta-v2", 16, 1)))
    with pytest.raises(CheckpointError, match=r"could not be converted to a tokenizer\.json") as e:
        convert_tokenizer(tmp_path)
    assert "\n" not in str(e.value)


def test_code_of_a_model_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'made')!r}, 'w')\nclass T: pass")
    settings = {"auto_map": {"AutoTokenizer": ["evil.T", None]}, "tokenizer_class": "T"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "config.json").write_text('{"model_type": "unheard-of"}')
    (tmp_path / "vocab.txt").write_text("[UNK]\na")
    with pytest.raises(CheckpointError, match="could not be converted"):
        convert_tokenizer(tmp_path)
    assert not (tmp_path / "made").exists()
    assert "evil" not in sys.modules
