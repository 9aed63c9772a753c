"""What every test shares: `--update`, the hypothesis profiles and the socket guard."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = ["tests.services.plugin", "tests.inventory"]

# A time limit for each example would only measure the machine.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update`."""
    parser.addoption("--update", action="store_true", help="rewrite the golden files of the tests")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cache of its own for each test, which no other run has filled."""
    folder = str(tmp_path_factory.mktemp("cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", folder)
    return folder


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether a golden test rewrites what it expects instead of comparing."""
    return bool(request.config.getoption("--update"))


def is_local(family: int, address: Any) -> bool:
    """Whether a socket address cannot leave this machine."""
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = str(address[0]).partition("%")[0]
    if host == "localhost":
        return True
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


@pytest.fixture(autouse=True)
def socket_guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that connects, or sends a datagram, to another machine."""
    attempts: list[str] = []

    def guard(name: str) -> None:
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, *args: Any) -> Any:
            # The address is the last argument of all three.
            if not is_local(self.family, args[-1]):
                attempts.append(f"{name}({args[-1]!r})")
                raise ConnectionRefusedError(f"refused by the socket guard: {attempts[-1]}")
            return original(self, *args)

        monkeypatch.setattr(socket.socket, name, guarded)

    for name in ("connect", "connect_ex", "sendto"):
        guard(name)
    yield
    # Told at the end too: the code under test may well survive a refused connection.
    if attempts:
        pytest.fail(f"the test reached for the network: {', '.join(attempts)}", pytrace=False)
