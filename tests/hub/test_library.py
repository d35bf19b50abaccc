"""huggingface_hub, as onepass loads it, sends no telemetry unless it is told to."""

import os
import subprocess
import sys

import pytest

SWITCH = "HF_HUB_DISABLE_TELEMETRY"
ASK = "from onepass.hub.library import constants; print(constants.HF_HUB_DISABLE_TELEMETRY)"


@pytest.mark.parametrize(("given", "disabled"), [({}, "True"), ({SWITCH: "0"}, "False")])
def test_telemetry_is_off_unless_it_is_turned_on(given: dict[str, str], disabled: str) -> None:
    told = {name: value for name, value in os.environ.items() if name != SWITCH}
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        check=True, capture_output=True, text=True, env=told | given,
    )  # fmt: skip
    assert said.stdout.strip() == disabled
