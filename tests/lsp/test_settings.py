"""Settings of a project that cannot be used: the editor is told, and how often."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from osiris_lsp.baseline import NAME
from osiris_lsp.cli import main
from tests.cli.conftest import CONNECTIONS, PIPELINE, write
from tests.lsp.raw import Raw

BROKEN = PIPELINE.replace("mysql.default", "mysql.prod")
SETTINGS = f'ignore = ["unused-connection"]\nbaseline = "{NAME}"\n'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Raw]:
    """A client that pulls, in a project with one finding and a baseline in its settings."""
    write(tmp_path, {"osiris_connections.yaml": CONNECTIONS, "osiris-lsp.toml": SETTINGS})
    write(tmp_path, {"a.yaml": BROKEN, "b.yaml": BROKEN})
    raw = Raw(tmp_path)
    raw.initialize(capabilities={"textDocument": {"diagnostic": {}}})
    yield raw
    raw.end()
    raw.kill()


def shown(client: Raw) -> list[str]:
    """Return what the editor shows in messages, and forget it; every one is a warning."""
    found = [item for item in client.received if item.get("method") == "window/showMessage"]
    client.received.clear()
    assert {item["params"]["type"] for item in found} <= {2}
    return [item["params"]["message"] for item in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, f"there is no baseline `{NAME}`; write it with `osiris-lsp baseline create`"),
        (b"", f"`{NAME}` is no baseline: it is no JSON (line 1); restore it, or write it anew"),
        (b'{\n"schema', f"`{NAME}` is no baseline: it is no JSON (line 2); restore it, or"),
        (b'{"schema_version": 9, "findings": []}', "is no baseline: it has no `schema_version` 1;"),
        (b"\xff\xfe\xff", f"the baseline `{NAME}` cannot be used: "),
    ],
    ids=["missing", "empty", "broken", "version", "encoding"],
)
def test_a_baseline_that_cannot_be_used(
    client: Raw, text: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It hides nothing, and is named once; the shell says the same."""
    if text is not None:
        (client.folder / NAME).write_bytes(text)
    for name in ("a.yaml", "b.yaml"):
        assert len(client.pull(client.open(name, BROKEN))) == 1
    (said,) = shown(client)
    assert said.startswith("osiris-lsp.toml:2: ")
    assert words in said
    assert said.endswith("; until then it hides nothing")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(client.folder)
        assert main(["lint"]) == 2
    error = capsys.readouterr().err.removeprefix("osiris-lsp: error: ").strip()
    assert said == f"osiris-lsp.toml:2: {error}; until then it hides nothing"


def test_a_baseline_that_is_repaired(client: Raw) -> None:
    """It hides what it lists, without a word; broken once more it is named once more."""
    uri = client.open("a.yaml", BROKEN)
    assert len(client.pull(uri)) == 1
    assert len(shown(client)) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(client.folder)
        assert main(["baseline", "create"]) == 0
    assert client.pull(uri) == []
    assert shown(client) == []
    (client.folder / NAME).unlink()
    assert len(client.pull(uri)) == 1
    assert len(shown(client)) == 1


def test_settings_that_cannot_be_used(client: Raw) -> None:
    """The first mistake is shown, others are in the log; what was said is not said again."""
    uri = client.open("a.yaml", BROKEN)
    file = client.folder / "osiris-lsp.toml"
    file.write_text('profle = "contract"\nignore = ["unused-conection"]\n')
    client.pull(uri)
    (logged,) = [item for item in client.received if item.get("method") == "window/logMessage"]
    assert logged["params"]["message"] == (
        "osiris-lsp.toml:2: `ignore`: `unused-conection` is no rule; "
        "did you mean `unused-connection`?"
    )
    (said,) = shown(client)
    assert said == (
        "osiris-lsp.toml:1: `profle` is no setting; did you mean `profile`?; 1 more in the log"
    )
    file.write_text('# moved\nprofle = "contract"\n')
    client.pull(uri)
    assert shown(client) == []
    file.write_text('profle = "contract"\nprofile = [\n')
    client.pull(uri)
    (said,) = shown(client)
    assert said.startswith("osiris-lsp.toml:3: this is not valid TOML: ")
