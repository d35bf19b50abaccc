"""Write what the code of README.md and docs/*.md prints into the pages, and api.md (``make docs``).

For use after a change of the built-in model: look at the difference before it is committed. The
rules of the pages are in test_docs.py.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parent))
import write_api
from test_docs import PAGES, Block, fences, has_what_it_needs, read_console


def written(page: Path) -> str:
    """Return a page with the outputs that its code prints now."""
    text = page.read_text(encoding="utf-8")
    lines = text.splitlines()
    module = ModuleType(f"page_{page.stem}")
    sys.modules[module.__name__] = module
    blocks = list(fences(text))
    changes: list[tuple[int, int, list[str]]] = []  # first line, last line, new lines
    for number, (block, _) in enumerate(blocks):
        if block.mark.startswith("file: "):
            Path(block.mark.removeprefix("file: ")).write_text(block.code, encoding="utf-8")
        elif block.mark == "no-run" or not has_what_it_needs(block):
            sys.stderr.write(f"not run: {page.name}:{block.line} ({block.mark})\n")
        elif block.language == "python":
            out = io.StringIO()
            with redirect_stdout(out):
                exec(compile(block.code, str(page), "exec"), module.__dict__)
            following = blocks[number + 1] if number + 1 < len(blocks) else None
            if following and following[0].language == "text" and following[1]:
                changes.append((*_extent(following[0]), _clean(out.getvalue())))
        elif block.language == "console":
            changes.append((*_extent(block), _console(block)))
    for first, last, new in reversed(changes):
        lines[first:last] = new
    return "\n".join(lines) + "\n"


def _extent(block: Block) -> tuple[int, int]:
    return block.line - 1, block.line - 1 + len(block.code.splitlines()) - (block.code == "\n")


def _clean(printed: str) -> list[str]:
    return [line.rstrip() for line in printed.rstrip().splitlines()]


def _console(block: Block) -> list[str]:
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    lines: list[str] = []
    for command in read_console(block):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.command],
            capture_output=True, text=True, env=env, check=False,
        )  # fmt: skip
        first, *rest = command.command.splitlines()
        lines += [f"$ {first}", *rest]
        lines += _clean(done.stdout + (done.stderr if done.returncode else ""))
    return lines


def main(names: list[str]) -> None:
    """Rewrite the pages with these names, or all."""
    for page in PAGES:
        if names and page.name not in names:
            continue
        if page == write_api.PAGE:
            text = write_api.page()
        else:
            with tempfile.TemporaryDirectory() as directory, chdir(directory):
                text = written(page)
        if text != page.read_text(encoding="utf-8"):
            page.write_text(text, encoding="utf-8")
            sys.stderr.write(f"rewrote {page.name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
