"""Name lookup that fails: a real resolver library, and name servers that do not do their work."""

import json
import subprocess
from collections.abc import Callable

import pytest

RunWithNames = Callable[[str, str], "subprocess.CompletedProcess[str]"]

CHECK = """
import json, time
from osiris_lsp.connectors.families import connector
found = []
for family, fields in {
    "mysql": {"host": "db.example.com", "user": "u", "password": "p", "database": "d"},
    "postgres": {"host": "db.example.com", "user": "u", "password": "p", "database": "d"},
    "api": {"base_url": "https://api.example.com/v1"},
    "supabase": {"url": "https://x.example.com", "key": "sb_secret_c4n4ry"},
}.items():
    start = time.monotonic()
    result = connector(family).examine(fields, 0.6)
    found.append([family, result.category, result.details["code"], result.details["stage"],
                  result.details["field"], time.monotonic() - start])
print(json.dumps(found))
"""
FIELDS = {"mysql": "host", "postgres": "host", "api": "base_url", "supabase": "url"}


@pytest.mark.inventory("S1-CONN009-05")
@pytest.mark.parametrize(
    ("answer", "category", "code"),
    [
        ("silence", "timeout", "dns.timeout"),
        ("nxdomain", "network", "dns.nxdomain"),
        ("servfail", "network", "dns.failed"),
    ],
)
def test_names_that_cannot_be_looked_up(
    run_with_names: RunWithNames, answer: str, category: str, code: str
) -> None:
    """Each has its code and the field with the name, and none takes longer than its deadline."""
    done = run_with_names(CHECK, answer)
    found = json.loads(done.stdout.splitlines()[-1])
    assert [entry[:5] for entry in found] == [
        [family, category, code, "dns", field] for family, field in FIELDS.items()
    ]
    assert max(entry[5] for entry in found) < 1.1
