"""The real files of an Osiris project: our own demo, and the shared corpus where it is at hand."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "corpus" / "osiris"
DEMO = ROOT / "osiris_lsp" / "demo"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared corpus is not beside this checkout"
)

CONNECTIONS = """\
version: 1
connections:
  mysql:
    db_movies:
      host: db.example.com
      database: movies
      user: reader
      password: ${MYSQL_PASSWORD}
      default: true
  supabase:
    main:
      url: https://abc.supabase.co
      service_role_key: ${SUPABASE_SERVICE_ROLE_KEY}
      default: true
"""
"""The connections that the pipelines of the shared corpus refer to."""


def files() -> list[Path]:
    """Return all YAML files of the demo and, where it is at hand, of the shared corpus."""
    folders = [DEMO, *([SHARED] if SHARED.is_dir() else [])]
    return sorted(path for folder in folders for path in folder.rglob("*.yaml"))
