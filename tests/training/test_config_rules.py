"""What the values of a configuration may be."""

import re

import pytest

from onepass.errors import InputError
from onepass.training.config import TrainConfig

LEAST = {"model": "start", "data": "data.jsonl", "output": "run"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": ""}, "'model' must be a path or a hub id, but '' was given"),
        ({"data": []}, "'data' must be a path or a list of paths, but [] was given"),
        ({"data": [3]}, "'data' must be a path or a list of paths"),
        ({"data": ""}, "'data' must be a path or a list of paths, but [''] was given"),
        ({"dev": " "}, "'dev' must be a path or null, but ' ' was given"),
        ({"dev": 3}, "'dev' must be a path or null, but 3 was given"),
        ({"steps": 0}, "'steps' must be a whole number from 1, or null, but 0 was given"),
        ({"steps": 1.5}, "'steps' must be a whole number"),
        ({"steps": True}, "'steps' must be a whole number"),
        ({"minutes": -1}, "'minutes' must be a number above 0, or null, but -1 was given"),
        ({"epochs": "5"}, "'epochs' must be a number above 0"),
        ({"head_rate": -1e-5}, "'head_rate' must be a number from 0"),
        ({"clip": 0}, "'clip' must be a number above 0"),
        ({"held_out": 1}, "'held_out' must be a share from 0 to below 1"),
        ({"betas": [0.9]}, "'betas' must be two numbers"),
        ({"betas": [0.9, 1.0]}, "'betas' must be two numbers"),
        ({"precision": "int8"}, "'precision' must be one of auto, bf16, fp16, fp32, but 'int8'"),
        ({"samples": -1}, "'samples' must be a whole number from 0"),
        ({"device": "gpu"}, "'device' must be one of auto, cpu, cuda, but 'gpu'"),
        ({"freeze": [["a"]]}, "'freeze' must be a list of text_encoder"),
        ({"freeze": ["nose"]}, "label_encoder, decoder, heads, but ['nose'] was given"),
        ({"threads": 0}, "'threads' must be a whole number from 1, or null, but 0"),
        ({"seed": 10**23}, "'seed' must be a whole number from 0 to 9223372036854775807, but 1000"),
        ({"seed": 2**63}, "'seed' must be a whole number from 0 to 9223372036854775807"),
        ({"resume": 1}, "'resume' must be true or false"),
        ({"keep": 0}, "'keep' must be a whole number from 1"),
        ({"ema": 1}, "'ema' must be a number above 0 and below 1, or null, but 1 was given"),
        ({"patience": 0}, "'patience' must be a whole number from 1, or null"),
        ({"license": ""}, "'license' must be a name such as 'apache-2.0'"),
        ({"word_splitter": "moses"}, "'word_splitter' must be one of char, script, camel, "),
        ({"word_splitter": ["char"]}, "'word_splitter' must be one of char, script, camel, "),
        ({"word_splitter": "script:de"}, "stanza, universal, or null, but 'script:de' was given"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(given, message):
    with pytest.raises(InputError, match=re.escape(message)):
        TrainConfig.from_dict(LEAST | given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"patience": 2, "score_every": 0}, "'score_every' is 0, which scores only at the end"),
        ({"distill": "big", "rl": {"rewards": {"f1": 1}}}, "'distill' is of supervised training"),
        ({"ema": 0.9, "rl": {"rewards": {"f1": 1}}}, "'ema' is of supervised training"),
        (
            {"quantize": True, "lora": {"rank": 4}},
            "'quantize' rounds whole weights, which 'lora' does not",
        ),
        ({"precision": "fp16", "rl": {"rewards": {"f1": 1}}}, "has no 'precision' fp16"),
    ],
)
def test_values_that_do_not_go_together_are_refused(given, message):
    with pytest.raises(InputError, match=re.escape(message)):
        TrainConfig.from_dict(LEAST | given)
