"""A large file, several processes, three kills: is the output the same, and the memory constant?

It makes a file of short texts, runs a job over it undisturbed, runs it again while killing it with
SIGKILL at a quarter, at half and at three quarters, resumes it each time, and prints what it saw:

    python benchmarks/files/kill_resume.py --rows 200000 --workers 2

It reads memory from /proc, so it needs Linux. Exit code 1 means that something was not as it
should be.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("Maria Lopez", "Bo Anders", "Anna Weiss", "Tom Reed", "Li Wei", "Olga Petrova")
VERBS = ("lives in", "moved to", "works in", "came from", "wrote from", "flew to")
CITIES = ("Warsaw", "Bern", "Madrid", "Lisbon", "Osaka", "Nairobi", "Quito", "Oslo")
ONEPASS = [sys.executable, "-c", "import sys; from onepass.cli import main; sys.exit(main())"]
KILLS = (0.25, 0.5, 0.75)  # shares of the rows
LOOK = 0.05  # seconds between two looks at a job
GROWTH = 1.10  # of memory, second half against first half, that counts as constant


@dataclass
class Seen:
    """What was seen of a job while it ran.

    Args:
        memory: (rows that were done, MiB of all its processes) at each look.
    """

    seconds: float = 0.0
    code: int | None = None
    memory: list[tuple[int, float]] = field(default_factory=list)
    orphans: int = 0


def make_input(path: Path, rows: int) -> None:
    """Write rows of 6 to 8 words; every thousandth is not valid JSON."""
    rng = random.Random(7)
    with path.open("w") as file:
        for number in range(rows):
            text = f"{rng.choice(NAMES)} {rng.choice(VERBS)} {rng.choice(CITIES)} today."
            row = json.dumps({"id": number, "text": text})
            file.write((row[:-1] if number % 1000 == 999 else row) + "\n")


def rows_done(folder: Path) -> int:
    """Return how many rows the last whole line of a journal counts."""
    journal = folder / "journal"
    if not journal.exists():
        return 0
    with journal.open("rb") as file:
        file.seek(max(0, journal.stat().st_size - 1000))
        lines = file.read().rpartition(b"\n")[0].splitlines()
    last = lines[-1] if lines else b"{}"
    return int(json.loads(last).get("rows", 0)) if last.startswith(b"{") else 0


def children(pid: int) -> list[int]:
    """Return the ids of the processes that a process started, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def mebibytes(pid: int) -> float:
    """Return the memory that a process holds; 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) / 1024 if sizes else 0.0


def is_alive(pid: int) -> bool:
    """Return whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def run_job(source: Path, out: Path, workers: int, kill_at: int | None = None) -> Seen:
    """Run a job to its end, or kill it when so many rows are done."""
    command = [*ONEPASS, "extract", "-i", str(source), "-o", str(out), "-e", "city"]
    command += ["--workers", str(workers), "--resume"]
    seen, start = Seen(), time.monotonic()
    folder = out.with_name(f"{out.name}.job")
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            done, family = rows_done(folder), [process.pid, *children(process.pid)]
            seen.memory.append((done, sum(map(mebibytes, family))))
            if kill_at is not None and done >= kill_at:
                process.send_signal(signal.SIGKILL)
                process.wait()
                time.sleep(2)  # for the workers to notice
                seen.orphans = sum(map(is_alive, family[1:]))
            time.sleep(LOOK)
    seen.seconds, seen.code = time.monotonic() - start, process.returncode
    return seen


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def peaks(seen: Seen, rows: int) -> list[float]:
    """Return the most memory in each quarter of a job, in MiB."""
    quarters = [
        [size for done, size in seen.memory if low <= done / rows < low + 0.25]
        for low in (0, 0.25, 0.5, 0.75)
    ]
    return [max(quarter, default=0.0) for quarter in quarters]


def check_rows(path: Path, rows: int) -> tuple[int, int]:
    """Return how many rows are there in their order, and how many of them failed."""
    right = failed = 0
    with path.open() as file:
        for number, line in enumerate(file):
            row = json.loads(line)
            failed += "error" in row
            right += row.get("id", row.get("row", 0) - 1) == number
    return right, failed


def undisturbed(source: Path, out: Path, rows: int, workers: int) -> list[bool]:
    """Run the job in one go; print and judge its memory."""
    seen = run_job(source, out, workers)
    quarters = peaks(seen, rows)
    constant = max(quarters[2:]) <= GROWTH * max(quarters[:2])
    print(
        f"undisturbed: {seen.seconds:.1f} s, {rows / seen.seconds:,.1f} rows/s, "
        f"exit code {seen.code} (1: rows failed)"
    )
    print(f"memory by quarters, peak MiB: {', '.join(f'{size:.0f}' for size in quarters)}")
    print(f"second half at most {GROWTH:.2f} of the first: {said(constant)}")
    return [constant, seen.code == 1]


def disturbed(source: Path, out: Path, rows: int, workers: int) -> list[bool]:
    """Run the job with kills; print and judge what each of them left."""
    fine, seconds = [], 0.0
    for share in KILLS:
        seen = run_job(source, out, workers, int(rows * share))
        kept = rows_done(out.with_name(f"{out.name}.job"))
        seconds += seen.seconds
        print(f"killed: exit code {seen.code}, {kept:,} rows kept, {seen.orphans} workers left")
        fine.append(seen.code == -signal.SIGKILL and seen.orphans == 0 and 0 < kept < rows)
    last = run_job(source, out, workers)
    print(f"resumed to the end: exit code {last.code}; all runs {seconds + last.seconds:.1f} s")
    return [*fine, last.code == 1]


def said(holds: bool) -> str:
    """Return a word for it."""
    return "yes" if holds else "NO"


def report(place: Path, rows: int, workers: int) -> bool:
    """Run everything, print what was seen, and return whether all is as it should be."""
    source, plain, killed = place / "in.jsonl", place / "plain.jsonl", place / "killed.jsonl"
    make_input(source, rows)
    print(f"{rows:,} rows, {source.stat().st_size:,} bytes, {workers} workers")
    fine = undisturbed(source, plain, rows, workers) + disturbed(source, killed, rows, workers)
    right, failed = check_rows(killed, rows)
    print(f"rows in their place: {right:,} of {rows:,}, {failed:,} of them recorded as failed")
    print(f"sha256 undisturbed:    {digest(plain)}")
    print(f"sha256 killed, resumed: {digest(killed)}")
    same = digest(plain) == digest(killed)
    print(f"byte-identical: {said(same)}")
    left = sorted(path.name for path in place.iterdir())
    print(f"nothing else left: {said(left == ['in.jsonl', 'killed.jsonl', 'plain.jsonl'])}")
    return all(fine) and same and (right, failed, len(left)) == (rows, rows // 1000, 3)


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        return 0 if report(Path(place), given.rows, given.workers) else 1


if __name__ == "__main__":
    sys.exit(main())
