"""Documents in a folder: found by their words, and never read from anywhere else."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import (
    ConnectorConfigError,
    ConnectorValidationError,
    LocalDocsConnector,
    ResolvedConnection,
    evidence_connector,
)
from tests.connectors.evidence.notes import NOW, quiet
from tests.doubles.messages import CANARY


def run(work: Any) -> Any:
    """Run one coroutine in an event loop of its own."""
    return asyncio.run(work)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with documents, and what must not be found in and beside it."""
    root = tmp_path / "docs"
    (root / "deep" / "er").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "tea.md").write_text("# On tea\n\nTea, tea and cake.\n")
    (root / "deep" / "er" / "cake.txt").write_text("Cake " + "x" * 5000 + " with tea")
    (root / "page.html").write_text("<title>Coffee</title><p>No <b>tea</b></p><script>x</script>")
    (root / "empty.md").touch()
    (root / "binary.md").write_bytes(b"tea\0tea")
    (root / "tea.exe").write_text("tea")
    (root / ".hidden.md").write_text("tea")
    (root / ".git" / "tea.md").write_text("tea")
    (tmp_path / "secret.md").write_text(f"tea {CANARY}")
    (tmp_path / "docs2").mkdir()
    (tmp_path / "docs2" / "secret.md").write_text(f"tea {CANARY}")
    (root / "link.md").symlink_to(tmp_path / "secret.md")
    (root / "folder").symlink_to(tmp_path / "docs2", target_is_directory=True)
    (root / "inside.md").symlink_to(root / "tea.md")
    for path in root.rglob("*.*"):
        if not path.is_symlink():
            os.utime(path, (NOW, NOW))
    return root


def docs(root: Path, **options: Any) -> LocalDocsConnector:
    """A connector for a folder."""
    return LocalDocsConnector(root=root, **quiet(**options))


@pytest.mark.inventory("S3-TYPE-04", "S3-BASE-06")
def test_search(root: Path) -> None:
    """Documents with most of the words come first, each with the place where they stand."""
    found = run(docs(root).search("tea cake"))
    assert [item.id for item in found] == ["tea.md", "inside.md", "deep/er/cake.txt", "page.html"]
    titles = [item.title for item in found]
    assert titles == ["On tea", "On tea", "deep/er/cake.txt", "Coffee"]
    assert len(found[2].content) <= 600
    assert (found[3].content, found[3].freshness) == ("No tea", 1.0)
    assert len(run(docs(root).search("cake", limit=1))) == 1
    assert run(docs(root).search("lemonade")) == []
    assert CANARY not in str(run(docs(root).search(CANARY)))


@pytest.mark.inventory("S3-TYPE-04", "S3-BASE-07")
def test_fetch(root: Path) -> None:
    """A document as a whole, with the time of its last change."""
    found = run(docs(root).fetch("deep/er/cake.txt"))
    assert found.content.startswith("Cake xxx")
    assert found.content.endswith("with tea")
    assert found.created_at == "2026-09-21T14:13:20+00:00"
    assert run(docs(root).fetch("page.html")).content == "No tea"
    assert run(docs(root).fetch("inside.md")).title == "On tea"


@pytest.mark.parametrize(
    "id",
    ["", ".", "..", "../secret.md", "deep/../../secret.md", "link.md", "folder/secret.md",
     "../docs2/secret.md", "/etc/passwd", "{root}/tea.md", "missing.md", "deep", "tea.exe",
     "binary.md", "tea.md\0", "tea.md/x.md", "a" * 5000 + ".md", "//x.md", "pipe.md",
     "C:\\x.md", "~/x.md"],
)  # fmt: skip
def test_what_is_not_below_the_folder(root: Path, id: str) -> None:
    """Neither `..`, nor absolute paths, nor links, nor what is no text; a pipe never blocks."""
    os.mkfifo(root / "pipe.md")
    assert run(docs(root).fetch(id.replace("{root}", str(root)))) is None


def test_a_folder_beside_with_the_same_beginning(root: Path) -> None:
    """`docs2` is not below `docs`."""
    (root / "beside.md").symlink_to(root.parent / "docs2" / "secret.md")
    assert run(docs(root).fetch("beside.md")) is None
    assert CANARY not in str(run(docs(root).search("tea")))


def test_large_documents(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are left out of a search, and say so when they are fetched."""
    monkeypatch.setattr("osiris_lsp.connectors.evidence.local_docs.MAX_FILE", 100)
    assert "deep/er/cake.txt" not in [item.id for item in run(docs(root).search("cake"))]
    with pytest.raises(ConnectorValidationError) as caught:
        run(docs(root).fetch("deep/er/cake.txt"))
    assert caught.value.code == "file.too_large"


def test_folders_without_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search ends after a number of files; a link in a circle is no folder."""
    (root / "deep" / "circle").symlink_to(root, target_is_directory=True)
    monkeypatch.setattr("osiris_lsp.connectors.evidence.files.MOST", 3)
    assert len(run(docs(root).search("tea"))) <= 3


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is told before anything is searched."""
    made = docs(tmp_path / "none")
    assert made.is_configured is False
    with pytest.raises(ConnectorConfigError) as caught:
        run(made.search("tea"))
    assert (caught.value.code, caught.value.field) == ("file.no_folder", "root")


def test_from_a_connection(root: Path) -> None:
    """A relative `root` counts from the connections file; the endings can be chosen."""
    values = {"root": "docs", "suffixes": [".TXT"]}
    connection = ResolvedConnection("local_docs", "main", values, base=str(root.parent))
    made = evidence_connector(connection)
    assert made.is_configured
    assert [item.id for item in run(made.search("tea"))] == ["deep/er/cake.txt"]
