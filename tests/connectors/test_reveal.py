"""Where secrets are revealed: a list that every change has to pass (DESIGN invariant 7)."""

import ast
from pathlib import Path

import osiris_lsp

ALLOWED = {
    "secret.py": "the redactor has to know what it looks for",
    "connectors/connection.py": "`text()` and `reveal()` for drivers, and parts of URLs to redact",
    "connectors/credentials/cache.py": "a provider gives plain text",
    "lsp/moves.py": "a secret that is written out goes to `.env`",
    "relocation.py": "the same without an editor, under a name that is free",
    "connectors/auth/manager.py": "puts credentials into requests",
    "connectors/auth/oauth2.py": "shows the client's own secret to the token server",
    "connectors/environment/oauth_connector.py": "the header of a token is a secret, too",
    "connectors/runner.py": "a driver gets the connection of its step as a plain dict (CONN-006)",
    "connectors/clients/graphql.py": "headers of a connection may be credentials",
    "connectors/clients/rest.py": "its headers and parameters may be credentials",
    "connectors/clients/snowflake.py": "puts a token that is made anew into each request",
    "connectors/clients/bigquery.py": "the key of a service account may stand in the connection",
    "connectors/wire.py": "the address of a proxy may hold its password",
    "connectors/integrations/docusign/credentials.py": "signs claims with the private key",
    "connectors/integrations/webhooks.py": "checks signatures with the secret",
    "connectors/session.py": "two configurations with other secrets are two, keyed by an HMAC",
    "connectors/display.py": "tells a whole `${VAR}`, which may be shown; builds DSNs",
}


ROOT = Path(osiris_lsp.__file__).parent


def calls(path: Path, *names: str) -> bool:
    """Whether a module calls a method of one of these names."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in names
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_secrets_are_revealed_in_few_places_only() -> None:
    """Beside the families, which put them into a driver or a header."""
    families = ROOT / "connectors" / "families"
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if families not in path.parents and calls(path, "reveal")
    }
    assert found == set(ALLOWED)


def test_what_reports_and_decides_never_asks_for_plain_text() -> None:
    """The command line, the rules, the doctor and the trust store."""
    modules = [*(ROOT / "cli").rglob("*.py"), *(ROOT / "rules").rglob("*.py")]
    modules += [ROOT / "connectors" / name for name in ("doctor.py", "trust.py", "health.py")]
    assert [path.name for path in modules if calls(path, "reveal", "text")] == []
