"""Help texts say alone what an option is: nobody reads them from top to bottom."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from onepass.cli.app import app

# A phrase that begins so goes on with the name of its option, or of the one before.
LEANS = {"Of", "It", "They", "Its", "Their", "Asked", "How", "What", "Where", "Whether", "So"}


def commands(group: Any, path: str = "onepass") -> Iterator[tuple[str, Any]]:
    """Yield the command line as a whole, and every command below it."""
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_told_in_a_phrase_of_its_own(command: str):
    for one in COMMANDS[command].params:
        if not getattr(one, "hidden", False):
            said = re.sub(r" ?\[default: .*\]$", "", one.help or "")
            assert said.endswith("."), f"{one.name}: {one.help}"
            assert said[0].isupper() or said[0].isdigit(), f"{one.name}: {one.help}"
            assert said.split()[0] not in LEANS, f"{one.name}: {one.help}"


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "onepass"])
def test_every_command_is_told_in_a_line(command: str):
    short = COMMANDS[command].short_help
    assert short, "there is none"
    assert short[0].isupper(), short
    assert short.endswith("."), short
    assert len(short) <= 60, short
