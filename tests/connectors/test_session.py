"""What a session shares: one pool or client for one configuration."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from osiris_lsp.connectors.session import Session, config_key
from osiris_lsp.secret import Secret


class Pool:
    """Counts how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def test_equal_configurations_share_and_others_do_not() -> None:
    """The order of fields does not matter; a secret, a nested value and the kind do (R-25)."""
    session = Session()
    config = {"host": "db", "password": Secret("one"), "ssl": {"ca": Path("/ca.pem")}}
    pool = session.shared("sql", config, Pool)
    assert session.shared("sql", dict(reversed(config.items())), Pool) is pool
    others = [
        session.shared("sql", {**config, "password": Secret("two")}, Pool),
        session.shared("sql", {**config, "ssl": {}}, Pool),
        session.shared("llm", config, Pool),
    ]
    assert len({id(held) for held in (pool, *others)}) == 4


def test_a_race_makes_one() -> None:
    """Of many threads that ask at once, one makes it."""
    session, made, gate = Session(), list[Pool](), threading.Barrier(16)

    def make() -> Pool:
        made.append(Pool())
        return made[-1]

    def ask(_: int) -> Pool:
        gate.wait(5)
        return session.shared("sql", {"host": "db"}, make)

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(ask, range(16)))) == len(made) == 1


def test_close_all_closes_once_and_forgets() -> None:
    """Of one kind or of all; whoever asks again gets a new one."""
    session = Session()
    pool, client = (session.shared(kind, {}, Pool) for kind in ("sql", "llm"))
    session.close_all("sql")
    assert (pool.closed, client.closed) == (1, 0)
    assert session.shared("sql", {}, Pool) is not pool
    session.close_all()
    session.close_all()
    assert (pool.closed, client.closed) == (1, 1)


def test_a_forked_process_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """And does not close what belongs to the other, which still uses it."""
    session = Session()
    pool = session.shared("sql", {}, Pool)
    with monkeypatch.context() as forked:
        forked.setattr("os.getpid", lambda: 0)
        assert session.shared("sql", {}, Pool) is not pool
        session.close_all()
    assert pool.closed == 0
    assert session.shared("sql", {}, Pool) is pool


def test_a_key_says_nothing_and_refuses_what_it_cannot_tell_apart() -> None:
    """No secret is in it; a value without a form of its own is refused."""
    assert "c4n4ry" not in config_key({"password": Secret("c4n4ry")})
    with pytest.raises(TypeError, match="a configuration cannot hold object"):
        config_key({"engine": object()})
