"""Runs the code of README.md and docs/*.md and compares what it prints with what the page says.

A page is read from top to bottom, in a temporary directory of its own:

- a `python` block runs in the namespace of its page; the `text` block right after it is what it
  prints, and a block without one prints nothing;
- a `console` block holds commands (`$ onepass ...`, also with pipes or `\\` at the end of a line),
  each followed by what it prints: standard output, and standard error too if the command fails;
- `<!-- file: NAME -->` on the line before any block writes the block to that file;
- `<!-- no-run -->` on the line before a block leaves it out: for blocks that need the network, or
  data that are not in the repository;
- `<!-- needs: PACKAGE -->` leaves it out where an optional package is not installed, with a warning
  that names it; `make guests` installs them all but Spark;
- other blocks are only shown. Neither they nor `bash` hold Python or a command with what it prints.

`NOT_RUN` says how many blocks nothing runs. Rerun their commands by hand when the built-in model
changes; `make docs` names those with a mark.

The text must be equal. Only numbers from 0 to 1 (scores) may differ, by `SCORE_TOLERANCE`: int8
kernels are not the same on every CPU.
"""

import difflib
import io
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# The most blocks that nothing runs, on all pages together. Raise a number only for a block that no
# test can run.
NOT_RUN = {"no-run": 5, "needs: pyspark": 1, "only shown": 19}
SCORE_TOLERANCE = 0.05
COMMANDS = {"onepass", "cat", "echo", "head", "printf"}  # what a console block may start with
SHOWN_ONLY = {"", "bash", "diff", "html", "json", "jsonl", "mermaid", "toml", "yaml"}
LANGUAGES = SHOWN_ONLY | {"python", "console", "text"}

FENCE = re.compile(r"```(\w*)\s*")
MARK = re.compile(r"<!-- (no-run|file: [\w.-]+|needs: \w+) -->\s*")
PYTHON = re.compile(r"^\s*(>>> |from [\w.]+ import |import [\w.]+( as \w+)?\s*$)", re.MULTILINE)
SCORE = re.compile(r"(?<![\w.$])(?:0\.\d+|1\.0+)(?![\w.])")


class PageError(AssertionError):
    """A page that does not follow the rules above, or whose code does not do what it says."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    code: str
    line: int  # of the first line of code, counted from 1
    mark: str = ""  # "no-run", "file: NAME", "needs: PACKAGE" or nothing
    output: str | None = None  # the text block that follows


@dataclass(frozen=True)
class Command:
    """One command of a console block."""

    command: str
    output: str
    line: int


def fences(text: str) -> Iterator[tuple[Block, bool]]:
    """Yield every block, and whether nothing but blank lines stands between it and the last one."""
    lines = text.splitlines()
    number, adjacent = 0, False
    while number < len(lines):
        opening = FENCE.fullmatch(lines[number])
        if opening is None:
            adjacent = adjacent and not lines[number].strip()
            number += 1
            continue
        end = next((n for n in range(number + 1, len(lines)) if lines[n].rstrip() == "```"), None)
        if end is None:
            raise PageError(f"line {number + 1}: this block is not closed")
        mark = MARK.fullmatch(lines[number - 1]) if number else None
        code = "\n".join(lines[number + 1 : end]) + "\n"
        yield Block(opening[1], code, number + 2, mark[1] if mark else ""), adjacent
        number, adjacent = end + 1, True


def read_page(text: str) -> list[Block]:
    """Return the blocks of a page, each text block as the output of the python block before it."""
    blocks: list[Block] = []
    for block, adjacent in fences(text):
        if block.language not in LANGUAGES:
            raise PageError(f"line {block.line - 1}: no rule for {block.language!r} blocks")
        if block.language == "bash" and re.search(r"^\s*(\$ )?onepass ", block.code, re.MULTILINE):
            raise PageError(f"line {block.line - 1}: onepass commands go into a console block")
        if block.language in ("", "bash") and PYTHON.search(block.code):
            raise PageError(f"line {block.line - 1}: Python goes into a python block")
        if block.language in ("", "bash") and re.search(r"^\$ ", block.code, re.MULTILINE):
            raise PageError(f"line {block.line - 1}: commands that print go into a console block")
        if block.language != "text":
            blocks.append(block)
            continue
        if not adjacent or blocks[-1].language != "python" or blocks[-1].output is not None:
            raise PageError(f"line {block.line - 1}: a text block must follow a python block")
        last = blocks.pop()
        blocks.append(Block(last.language, last.code, last.line, last.mark, block.code))
    return blocks


def read_console(block: Block) -> list[Command]:
    """Split a console block into commands and what they print."""
    commands: list[Command] = []
    continued = False
    for line, text in enumerate(block.code.splitlines(), start=block.line):
        if text.startswith("$ "):
            commands.append(Command(text[2:], "", line))
        elif not commands:
            raise PageError(f"line {line}: a console block must start with a command ('$ ...')")
        elif continued:
            last = commands.pop()
            commands.append(Command(f"{last.command}\n{text}", "", last.line))
        else:
            last = commands.pop()
            commands.append(Command(last.command, f"{last.output}{text}\n", last.line))
        continued = (continued or text.startswith("$ ")) and text.endswith("\\")
    return commands


def check_output(where: str, expected: str, printed: str) -> None:
    """Compare two outputs, apart from blanks at the ends of lines and small changes of scores."""
    wanted = "\n".join(line.rstrip() for line in expected.rstrip().splitlines())
    got = "\n".join(line.rstrip() for line in printed.rstrip().splitlines())
    pairs = zip(SCORE.findall(wanted), SCORE.findall(got), strict=False)
    if SCORE.sub("#", wanted) == SCORE.sub("#", got) and all(
        abs(float(a) - float(b)) <= SCORE_TOLERANCE for a, b in pairs
    ):
        return
    diff = difflib.unified_diff(
        wanted.splitlines(), got.splitlines(), "page", "printed", lineterm=""
    )
    raise PageError(f"{where} prints something else:\n" + "\n".join(diff))


def run_python(page: Path, block: Block, namespace: dict[str, object]) -> None:
    """Run a python block and compare what it prints."""
    stdout = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")  # lines of the page
    with redirect_stdout(stdout):
        exec(code, namespace)
    check_output(f"{page.name}:{block.line}", block.output or "", stdout.getvalue())


def run_console(page: Path, block: Block) -> None:
    """Run the commands of a console block with the scripts of this interpreter."""
    commands = read_console(block)
    scripts = Path(sys.executable).parent
    if not (scripts / "onepass").exists():
        raise PageError(f"no onepass command beside {sys.executable}: run  pip install -e .")
    env = os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    for command in commands:
        if command.command.split()[0] not in COMMANDS:
            raise PageError(f"{page.name}:{command.line}: only {sorted(COMMANDS)} are run")
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.command],
            capture_output=True,
            text=True,
            env=env,
        )
        printed = done.stdout + (done.stderr if done.returncode else "")
        check_output(f"{page.name}:{command.line}", command.output, printed)


def has_what_it_needs(block: Block) -> bool:
    """Say whether the optional package of a block is installed."""
    needed = block.mark.removeprefix("needs: ")
    return needed == block.mark or find_spec(needed) is not None


def run_page(page: Path) -> None:
    """Run a page in the current directory."""
    module = ModuleType(f"page_{page.stem}")  # dataclasses and pydantic look their module up
    sys.modules[module.__name__] = module
    for block in read_page(page.read_text(encoding="utf-8")):
        if block.mark.startswith("file: "):
            Path(block.mark.removeprefix("file: ")).write_text(block.code, encoding="utf-8")
        elif block.mark == "no-run":
            continue
        elif not has_what_it_needs(block):
            warnings.warn(f"{page.name}: a block is left out ({block.mark})", stacklevel=2)
        elif block.language == "python":
            run_python(page, block, module.__dict__)
        elif block.language == "console":
            run_console(page, block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_does_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONEPASS_CACHE", os.environ["ONEPASS_CACHE"])  # pages may take it away
    run_page(page)


def test_few_blocks_are_not_run():
    found: dict[str, list[str]] = {kind: [] for kind in NOT_RUN}
    for page in PAGES:
        for block in read_page(page.read_text(encoding="utf-8")):
            kind = block.mark or ("only shown" if block.language in SHOWN_ONLY else "run")
            found.get(kind, []).append(f"{page.name}:{block.line}")
    for kind, places in found.items():
        assert len(places) <= NOT_RUN[kind], f"{kind}: {places}"


def run_text(text: str) -> None:
    """Run a page given as text, in the current directory."""
    page = Path("page.md")
    page.write_text(text, encoding="utf-8")
    run_page(page)


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("in_tmp_path")
def test_a_page_keeps_its_names_and_files():
    run_text(
        "<!-- file: a.txt -->\n```json\n{}\n```\n"
        "```python\nx = 0.97\n```\n"
        "```python\nprint(x, open('a.txt').read())\n```\n\n```text\n0.98 {}\n```\n"
        "<!-- no-run -->\n```python\n1 / 0\n```\n"
    )


@pytest.mark.usefixtures("in_tmp_path")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\nprint(1)\n```\n```text\n2\n```\n", "page.md:2 prints something else"),
        ("```python\nprint(1)\n```\n", "prints something else"),
        ("```python\nprint(0.91)\n```\n```text\n0.97\n```\n", "prints something else"),
        ("```python\nprint('$0.91')\n```\n```text\n$0.92\n```\n", "prints something else"),
        ("```python\nprint(1)\n```\nIt prints:\n```text\n1\n```\n", "must follow a python block"),
        ("```python\n", "not closed"),
        ("```py\nprint(1)\n```\n", "no rule for 'py'"),
        ("```bash\nonepass doctor\n```\n", "console block"),
        ("```console\nonepass doctor\n```\n", "must start with a command"),
        ("```\n$ onepass doctor\nfine\n```\n", "go into a console block"),
        ("```\nimport json\n\njson\n```\n", "goes into a python block"),
        ("```\nfrom onepass.batch.ray import extract\n```\n", "goes into a python block"),
        ("```bash\n>>> 1\n2\n```\n", "goes into a python block"),
    ],
)
def test_a_wrong_page_fails(text: str, message: str):
    with pytest.raises(PageError, match=re.escape(message)):
        run_text(text)


def test_commands_are_split_at_prompts():
    block = Block("console", "$ onepass models \\\n    --all\none\n\ntwo\n$ cat a\n", 1)
    assert read_console(block) == [
        Command("onepass models \\\n    --all", "one\n\ntwo\n", 1),
        Command("cat a", "", 6),
    ]
