"""The fixtures: real servers, each started once in a run by the first test that asks for it.

All workers of a run share the servers of session scope; `Run` and `keeper` say how they end.
A test that changes a server starts its own with `start_mariadb` or `start_postgres`.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.services import certificates as authority
from tests.services import mariadb as mariadb_server
from tests.services import names, processes, redis
from tests.services import postgres as postgres_server
from tests.services.certificates import Certificates
from tests.services.processes import Server
from tests.services.run import Run, Unavailable

T = TypeVar("T")
RUN = pytest.StashKey[Run]()
StartServer = Callable[..., Server]


def pytest_configure(config: pytest.Config) -> None:
    """Open the run, or join the one of the controlling process."""
    shared = getattr(config, "workerinput", {}).get("services")
    config.stash[RUN] = Run(shared[0], Path(shared[1])) if shared else Run()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_configure_node(node: Any) -> None:
    """Tell a worker which run it belongs to."""
    run = node.config.stash[RUN]
    node.workerinput["services"] = (run.pid, str(run.folder))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End all servers when the controlling process is done."""
    run = config.stash.get(RUN, None)
    if run is not None and run.pid == os.getpid():
        for keeper in run.folder.glob("*/keeper"):
            processes.stop(keeper.parent)
        shutil.rmtree(run.folder, ignore_errors=True)


def once(run: Run, name: str, make: Callable[[Path], T]) -> T:
    """What `run.once` gives; without it the test is skipped, and fails where `CI` is set."""
    try:
        return run.once(name, make)
    except Unavailable as error:
        reason = f"no {name} for the tests: {error}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def service_run(pytestconfig: pytest.Config) -> Run:
    """The run that servers belong to."""
    return pytestconfig.stash[RUN]


@pytest.fixture(scope="session")
def certificates(service_run: Run) -> Certificates:
    """The certificates that all servers of the run use."""
    return once(service_run, "certificates", authority.issue)


@pytest.fixture(scope="session")
def mariadb_data(service_run: Run) -> Path:
    """The data with which each MariaDB server starts."""
    return once(service_run, "mariadb-data", mariadb_server.data)


@pytest.fixture(scope="session")
def mariadb(service_run: Run, certificates: Certificates, mariadb_data: Path) -> Server:
    """MariaDB for all tests, with the accounts of `mariadb.SEED`."""

    def make(folder: Path) -> Server:
        return mariadb_server.start(service_run, folder, certificates, mariadb_data)

    return once(service_run, "mariadb", make)


@pytest.fixture
def start_mariadb(
    service_run: Run, certificates: Certificates, mariadb_data: Path
) -> Iterator[StartServer]:
    """Start a MariaDB server for one test, with options such as `--max-connections=10`."""
    with ExitStack() as started:

        def start(*options: str) -> Server:
            folder = service_run.new("mariadb")
            server = mariadb_server.start(service_run, folder, certificates, mariadb_data, *options)
            started.callback(server.stop)
            return server

        yield start


@pytest.fixture
def mariadb_full(start_mariadb: StartServer) -> Iterator[Server]:
    """MariaDB that has no connection left (1040)."""
    import pymysql

    server = start_mariadb("--max-connections=10")  # it takes no smaller number
    with ExitStack() as held:
        for _ in range(10):
            connection = pymysql.connect(
                host=server.host, port=server.port, user="reader", password=server.password
            )
            held.callback(connection.close)
        yield server


@pytest.fixture(scope="session")
def postgres_data(service_run: Run) -> Path:
    """The data with which each PostgreSQL server starts."""
    return once(service_run, "postgres-data", postgres_server.data)


@pytest.fixture(scope="session")
def postgres(service_run: Run, certificates: Certificates, postgres_data: Path) -> Server:
    """PostgreSQL for all tests, with the roles of `postgres.ROLES`."""

    def make(folder: Path) -> Server:
        return postgres_server.start(service_run, folder, certificates, postgres_data)

    return once(service_run, "postgres", make)


@pytest.fixture(scope="session")
def postgres_german(service_run: Run, certificates: Certificates, postgres_data: Path) -> Server:
    """PostgreSQL whose messages are German."""
    variables, setting = once(service_run, "german", postgres_server.german)

    def make(folder: Path) -> Server:
        return postgres_server.start(
            service_run, folder, certificates, postgres_data, setting, variables=variables
        )

    return once(service_run, "postgres-german", make)


@pytest.fixture(scope="session")
def postgres_starting(service_run: Run, certificates: Certificates, postgres_data: Path) -> Server:
    """PostgreSQL that never gets ready (57P03)."""

    def make(folder: Path) -> Server:
        return postgres_server.start(service_run, folder, certificates, postgres_data, standby=True)

    return once(service_run, "postgres-starting", make)


@pytest.fixture
def start_postgres(
    service_run: Run, certificates: Certificates, postgres_data: Path
) -> Iterator[StartServer]:
    """Start a PostgreSQL server for one test, with settings such as `max_connections=1`."""
    with ExitStack() as started:

        def start(*settings: str) -> Server:
            folder = service_run.new("postgres")
            server = postgres_server.start(
                service_run, folder, certificates, postgres_data, *settings
            )
            started.callback(server.stop)
            return server

        yield start


@pytest.fixture
def postgres_full(start_postgres: StartServer) -> Iterator[Server]:
    """PostgreSQL that has no connection left (53300)."""
    server = start_postgres("max_connections=1", "superuser_reserved_connections=0")
    with postgres_server.holding(server):
        yield server


@pytest.fixture
def postgres_stopping(start_postgres: StartServer) -> Iterator[Server]:
    """PostgreSQL that shuts down but waits for its last client (57P03)."""
    server = start_postgres()
    with postgres_server.holding(server):
        server.signal(signal.SIGTERM)
        postgres_server.wait_for(server, "stopping")
        yield server


@pytest.fixture(scope="session")
def redis_server(service_run: Run, certificates: Certificates) -> Server:
    """Redis for all tests, with the accounts that `redis.start` names."""
    return once(service_run, "redis", lambda folder: redis.start(service_run, folder, certificates))


@pytest.fixture(scope="session")
def run_with_names(service_run: Run) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`names.run`: run Python code for which each name gets an answer such as `silence`."""
    return partial(names.run, once(service_run, "network", lambda _: names.unshared()))
