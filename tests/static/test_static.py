"""What a user of `mypy --strict` sees of the public names."""

import re
import subprocess
import sys
from pathlib import Path

ACCEPTED, REFUSED = (Path(__file__).with_name(f"{name}.py") for name in ("accepted", "refused"))
# Beside that of `make lint`: what it found of other packages, and of modules that are as they were,
# need not be found again.
CACHE = Path(__file__).parents[2] / ".mypy_cache" / "static"


def test_results_have_types_and_wrong_arguments_are_errors(tmp_path: Path):
    options = ["--strict", "--config-file=", f"--cache-dir={CACHE}", "--no-error-summary"]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(ACCEPTED), str(REFUSED)],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    found = re.findall(r"^(.*?):(\d+): error: .*$", ran.stdout, re.MULTILINE)
    lines = REFUSED.read_text("utf-8").splitlines()
    meant = [number for number, line in enumerate(lines, 1) if line.endswith("# refused")]
    errors = [(Path(file).name, int(line)) for file, line in found]
    assert errors == [(REFUSED.name, number) for number in meant], ran.stdout + ran.stderr
