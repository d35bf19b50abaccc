from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from onepass import Extractor
from tests.contract.checkpoints import BACKENDS, CHECKPOINTS, open_all


@pytest.fixture(scope="session")
def opened(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, dict[str, Extractor]]]:
    """Every checkpoint under every backend."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield open_all(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="session", params=CHECKPOINTS)
def checkpoint(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session", params=BACKENDS)
def model(
    request: pytest.FixtureRequest, checkpoint: str, opened: Mapping[str, dict[str, Extractor]]
) -> Extractor:
    """One checkpoint under one backend."""
    return opened[checkpoint][request.param]
