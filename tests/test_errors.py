"""Errors as values: what they say goes through a pickle."""

import pickle
from pathlib import Path

import pytest

from onepass import errors
from onepass.errors import CheckpointError, MissingExtra, OnepassError, ServiceError

KINDS = [one for one in vars(errors).values() if isinstance(one, type)]
PLAIN = [k for k in KINDS if issubclass(k, OnepassError) and k not in (MissingExtra, ServiceError)]


@pytest.mark.parametrize(
    "error",
    [
        *(kind("A sentence.") for kind in PLAIN),
        MissingExtra("The service", "serve"),
        ServiceError("It is busy.", status=503, code="busy"),
    ],
)
def test_an_error_goes_through_a_pickle(error: OnepassError):
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert (str(back), vars(back)) == (str(error), vars(error))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "onepass.json"])
def test_a_pointer_of_git_lfs_is_told_from_a_damaged_file(tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")
    said = f"{path} is a pointer of Git LFS in place of the file; run  git lfs pull  in {tmp_path}."
    assert str(CheckpointError.damaged(path, "is broken")) == said


def test_settings_that_users_write_are_to_be_corrected():
    error = CheckpointError.damaged(Path("mine/onepass.json"), "is not readable JSON")
    assert str(error) == "mine/onepass.json is not readable JSON; correct it."
