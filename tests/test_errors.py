"""Errors as values: what they say goes through a pickle."""

import pickle

import pytest

from onepass import errors
from onepass.errors import MissingExtra, OnepassError, ServiceError

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
