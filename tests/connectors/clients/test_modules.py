"""The modules of seed 002 and the way through all of them."""

from importlib import import_module
from pathlib import Path

import pytest

from osiris_lsp.connectors import (
    ConnectionPool,
    ConnectionResolver,
    MySQLConnection,
    SupabaseConnection,
    ensure_directory,
    write_csv_deterministic,
)
from tests.doubles.server import Server as HttpServer
from tests.doubles.supabase import SERVICE_ROLE_KEY, Supabase
from tests.services.processes import Server

MODULES = {
    "clients.sql.mysql": ("MySQLConnection", "test_connection", "handle_connection_error"),
    "clients.sql.reading": ("validate_read_only",),
    "clients.sql.pool": ("ConnectionPool",),
    "clients.supabase": ("SupabaseConnection", "batch_insert", "get_table_schema"),
    "clients.filesystem": ("ensure_directory", "atomic_write", "write_csv_deterministic"),
}


@pytest.mark.inventory("S2-MOD-01")
@pytest.mark.parametrize("module", MODULES)
def test_modules(module: str) -> None:
    """What the seed has in connection and utils of each family is in a module here, and public."""
    found = import_module(f"osiris_lsp.connectors.{module}")
    public = import_module("osiris_lsp.connectors")
    for name in MODULES[module]:
        assert getattr(public, name) is getattr(found, name)


@pytest.mark.inventory("S2-MOD-02")
def test_from_the_file_to_the_pool_the_client_and_the_folder(
    mariadb: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File and environment give connections; rows go from MySQL over Supabase into a file."""
    file = tmp_path / "osiris_connections.yaml"
    file.write_text(
        "version: 1\nconnections:\n"
        "  mysql:\n    db:\n      host: ${MYSQL_HOST:-localhost}\n      port: ${MYSQL_PORT:-3306}\n"
        "      database: shop\n      user: reader\n      password: ${MYSQL_PASSWORD}\n"
        "  supabase:\n    main:\n      url: ${SUPABASE_URL}\n"
        "      key: ${SUPABASE_SERVICE_ROLE_KEY}\n"
        "  filesystem:\n    out:\n      base_dir: out\n"
    )
    double = Supabase({"orders": []})
    with HttpServer(double) as server:
        monkeypatch.setenv("MYSQL_HOST", mariadb.host)
        monkeypatch.setenv("MYSQL_PORT", str(mariadb.port))
        monkeypatch.setenv("SUPABASE_URL", server.url)
        secrets = f"MYSQL_PASSWORD='{mariadb.password}'\n"
        secrets += f"SUPABASE_SERVICE_ROLE_KEY={SERVICE_ROLE_KEY}\n"
        (tmp_path / ".env").write_text(secrets)
        for name in ("MYSQL_PASSWORD", "SUPABASE_SERVICE_ROLE_KEY"):
            monkeypatch.delenv(name, raising=False)
        resolver = ConnectionResolver(str(file))
        source, target = resolver.resolve("@mysql.db"), resolver.resolve("@supabase.main")
        with MySQLConnection(source) as database:
            table = database.execute_query("SELECT id, customer FROM orders ORDER BY id")
        with SupabaseConnection(target) as project:
            assert project.insert("orders", table) == {"inserted": 3}
        folder = ensure_directory(resolver.resolve("@filesystem.out").path("base_dir"))
        write_csv_deterministic(table, folder / "orders.csv")
        pool = ConnectionPool()
        try:
            with pool.get_connection(source) as connection:
                assert connection.exec_driver_sql("SELECT COUNT(*) FROM orders").scalar() == 3
        finally:
            pool.close_all()
    assert [row["id"] for row in double.tables["orders"]] == [1, 2, 3]
    lines = (tmp_path / "out" / "orders.csv").read_text(encoding="utf-8").splitlines()
    assert lines == ["customer,id", "Ada,1", "Žofie 🛒,2", "O'Hara,3"]
