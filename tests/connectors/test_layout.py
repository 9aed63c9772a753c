"""Where the modules are that seed 002 documents."""

from importlib import import_module

import pytest

MODULES = {
    "mysql/connection": ("clients.sql.mysql", ["MySQLConnection", "test_connection"]),
    "mysql/utils": ("clients.sql.reading", ["validate_read_only"]),
    "supabase/connection": ("clients.supabase", ["SupabaseConnection"]),
    "supabase/utils": ("clients.supabase", ["batch_insert", "get_table_schema"]),
    "filesystem/utils": (
        "clients.filesystem",
        ["ensure_directory", "atomic_write", "write_csv_deterministic"],
    ),
}


@pytest.mark.inventory("S2-MOD-01")
@pytest.mark.parametrize("documented", MODULES)
def test_each_documented_module_has_its_equivalent(documented: str) -> None:
    """With all the names that the seed has in it."""
    path, names = MODULES[documented]
    module = import_module(f"osiris_lsp.connectors.{path}")
    assert [name for name in names if not callable(getattr(module, name, None))] == []
