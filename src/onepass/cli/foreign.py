"""A word about texts that the built-in model was not made for."""

from __future__ import annotations

from onepass.batch.job import ModelChoice
from onepass.builtin import NAME
from onepass.cli.output import say
from onepass.text.alphabets import LATIN, main_script


def tell_of_script(text: str, chosen: ModelChoice) -> None:
    """Say on standard error that a text is in a script that the built-in model does not know.

    Args:
        text: that is read.
        chosen: the model that reads it; of others nothing is known.
    """
    script = LATIN if chosen.name not in (None, NAME) else main_script(text)
    if script != LATIN:
        say(
            f"onepass: most of the text is in another script than Latin ({script}), and the "
            "built-in model reads English: it finds little there; name another with --model"
        )
