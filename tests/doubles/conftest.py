"""A running double, and an authority for its certificate."""

import contextlib
from collections.abc import Iterator

import pytest
import trustme

from tests.doubles.clients import Serve
from tests.doubles.server import Server


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a double, which stops with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda double: stack.enter_context(Server(double))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()
