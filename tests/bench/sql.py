"""Rows into MariaDB and PostgreSQL and out again, beside plain SQLAlchemy with the same driver."""

import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, column, create_engine, insert, table, text

from osiris_lsp.connectors import Database
from osiris_lsp.connectors.clients.sql.engine import connection_of, url_of
from tests.services import certificates, mariadb, postgres, processes
from tests.services.processes import Server
from tests.services.run import Run

ROWS: Final = 10_000
COLUMNS: Final = ("id", "name", "size", "note")
SELECT: Final = "SELECT id, name, size, note FROM measured"

HEADER: Final = (
    "| server | what | ours min, ms | ours median, ms | plain min, ms | plain median, ms "
    "| ours / plain | CPU of ours / plain |\n|---|---|--:|--:|--:|--:|--:|--:|"
)


class Cost(NamedTuple):
    """Wall time in milliseconds, CPU time of this process in seconds."""

    wall: float
    cpu: float


Records = list[dict[str, Any]]
Ways = Mapping[str, tuple[Callable[[], object], Callable[[], object]]]


def report(runs: int) -> None:
    """Start both servers, measure in turns, and print a table."""
    print(f"\n### {ROWS:,} rows, {runs} runs in turns, SQLAlchemy with PyMySQL and pg8000\n")
    print(HEADER)
    with servers() as found:
        for name, server in found:
            for line in measure(name, server, runs):
                print(line)


@contextmanager
def servers() -> Iterator[list[tuple[str, Server]]]:
    """MariaDB and PostgreSQL, for as long as the block."""
    run = Run()
    try:
        issued = run.once("certificates", certificates.issue)
        starts = []
        for name, service in (("mysql", mariadb), ("postgres", postgres)):
            data = run.once(f"{name}-data", service.data)
            starts.append((name, service.start(run, run.new(name), issued, data)))
        yield starts
    finally:
        for keeper in run.folder.glob("*/keeper"):
            processes.stop(keeper.parent)
        shutil.rmtree(run.folder, ignore_errors=True)


def measure(family: str, server: Server, runs: int) -> Iterator[str]:
    """Measure one server: writing and reading, ours and plain in turns."""
    config = {
        "family": family,
        "host": server.host,
        "port": server.port,
        "database": "shop",
        "user": server.root,
        "password": server.root_password,
        "ssl": False,
    }
    rows: Records = [
        {"id": i, "name": f"name {i}", "size": i % 97, "note": None if i % 3 else "x" * 40}
        for i in range(ROWS)
    ]
    plain = create_engine(url_of(connection_of(config)))
    with Database(config) as ours:
        ours.execute_command(
            "CREATE TABLE measured (id int PRIMARY KEY, name varchar(50), size int, note text)"
        )
        spent: dict[str, list[tuple[Cost, Cost]]] = {}
        for number in range(runs):
            print(f"{family}: run {number + 1} of {runs}", file=sys.stderr)
            for what, pair in ways(ours, plain, rows).items():
                costs = {}
                for way in pair if number % 2 else pair[::-1]:
                    if what == "in":
                        ours.execute_command("DELETE FROM measured")
                    costs[way] = timed(way)
                spent.setdefault(what, []).append((costs[pair[0]], costs[pair[1]]))
    plain.dispose()
    for what, pairs in spent.items():
        yield row(family, what, pairs)


def ways(ours: Database, plain: Engine, rows: Records) -> Ways:
    """What is measured: (ours, plain)."""
    measured = table("measured", *map(column, COLUMNS))

    def write() -> None:
        with plain.begin() as connection:
            connection.execute(insert(measured), rows)

    def read() -> Records:
        with plain.connect() as connection:
            return [dict(item) for item in connection.execute(text(SELECT)).mappings()]

    return {
        "in": (lambda: ours.insert_many("measured", rows), write),
        "out": (lambda: ours.execute_query(SELECT), read),
    }


def timed(way: Callable[[], object]) -> Cost:
    """What something takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    way()
    return Cost((time.perf_counter() - wall) * 1000, time.process_time() - cpu)


def row(family: str, what: str, pairs: list[tuple[Cost, Cost]]) -> str:
    """One line of the table; a ratio is the median over the pairs of one round."""
    cells = []
    for costs in zip(*pairs, strict=True):
        walls = [cost.wall for cost in costs]
        cells += [f"{min(walls):,.0f}", f"{statistics.median(walls):,.0f}"]
    cells.append(f"{statistics.median(ours.wall / plain.wall for ours, plain in pairs):.2f}")
    cells.append(f"{statistics.median(ours.cpu / plain.cpu for ours, plain in pairs):.2f}")
    return f"| {family} | {what} | {' | '.join(cells)} |"
