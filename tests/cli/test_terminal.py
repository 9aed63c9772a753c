"""What depends on the terminal: progress, width."""

import io
import sys

import pytest

from osiris_lsp.cli.terminal import Progress
from osiris_lsp.text import width


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _show(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, seconds: float) -> str:
    clock = iter([0.0, *[seconds + step for step in range(5)]])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress()
    progress(1200, 2000)
    progress.clear()
    return stream.getvalue()


def test_progress_is_for_long_runs_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It appears after half a second, goes away again, and never gets into a file."""
    shown = _show(monkeypatch, _Terminal(), 1.0)
    assert "linting 1200 of 2000 files" in shown
    assert shown.endswith("\r\x1b[K")
    assert _show(monkeypatch, _Terminal(), 0.3) == ""
    assert _show(monkeypatch, io.StringIO(), 1.0) == ""


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("漢字", 4), ("😀", 2), ("e\u0301", 1)])
def test_wide_and_combining_characters_take_their_columns(text: str, columns: int) -> None:
    """Carets are aligned by columns of the terminal, not by characters."""
    assert width(text) == columns
