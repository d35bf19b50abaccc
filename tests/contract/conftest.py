from __future__ import annotations

from collections.abc import Iterator

import pytest

from onepass import Extractor
from tests.contract.checkpoints import CHECKPOINTS, EXPORTED, MODELS, Opened, turn


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Every checkpoint under every backend that runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield Opened(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="session", params=CHECKPOINTS)
def checkpoint(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session", params=EXPORTED)
def exported(request: pytest.FixtureRequest) -> str:
    """A checkpoint that runs under both backends."""
    name: str = request.param
    return name


@pytest.fixture(scope="session", params=MODELS, ids="-".join)
def model(request: pytest.FixtureRequest, opened: Opened) -> Extractor:
    """One checkpoint under one backend."""
    return opened.model(*request.param)


@pytest.fixture(scope="session", params=CHECKPOINTS)
def reader(request: pytest.FixtureRequest, opened: Opened) -> Extractor:
    """Every checkpoint under one of its backends; see `turn`, which says why that is enough."""
    return opened.model(request.param, turn(request.param))
