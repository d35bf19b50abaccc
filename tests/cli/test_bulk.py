"""What a file job that is stopped says on standard error."""

from pathlib import Path
from typing import NoReturn

import pytest

from onepass.batch import Watch
from onepass.batch.folder import folder_of
from onepass.batch.journal import INPUT, STREAM, Journal
from onepass.cli.bulk import kept


@pytest.mark.parametrize(("given", "says"), [("a digest", True), (STREAM, False), ("", False)])
def test_an_interrupt_says_that_a_job_goes_on_if_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, says: bool
):
    output = tmp_path / "out.jsonl"

    def stopped(_: Watch) -> NoReturn:
        folder_of(output).mkdir()
        if given:
            Journal(folder_of(output), {INPUT: given}, resume=False).close(remove=False)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(output, stopped)
    assert ("--resume goes on from there" in capsys.readouterr().err) == says
