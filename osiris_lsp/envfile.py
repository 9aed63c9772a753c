"""Storing a secret in `.env` without losing or leaking one."""

import os
from collections.abc import Callable
from typing import Final

from osiris_lsp import git
from osiris_lsp.discovery import GitIgnore
from osiris_lsp.files import replace
from osiris_lsp.text import lazy

_TIMEOUT: Final = 5.0
"""Seconds that git may take."""

_BARE: Final = lazy(r"[A-Za-z0-9_./:@%+,=-]+")


class EnvFileError(Exception):
    """Why a value was not stored; the message holds no value."""


def store(path: str, name: str, value: str) -> Callable[[], None] | None:
    """Add a variable to a `.env`, which only its owner may read, and have git ignore the file.

    A link, a file that git tracks, or a variable that has another value already is left alone, and
    what was written is read back first. Returns how to take all of it back, None where the variable
    was there already. Both raise EnvFileError.
    """
    if os.path.islink(path):
        raise EnvFileError(f"{path} is a link; nothing was written")
    if is_tracked(path):
        raise EnvFileError(
            f"{path} is tracked by git; run `git rm --cached {os.path.basename(path)}` first"
        )
    before = _text(path)
    known = parse(before)
    if known.get(name) == value:
        return None
    if known.get(name):
        raise EnvFileError(f"`{name}` has another value in {path} already; nothing was written")
    added = f"{name}={_quoted(value)}\n"
    after = f"{_closed(before)}{added}"
    if parse(after) != {**known, name: value}:
        raise EnvFileError(f"`.env` cannot hold this value of `{name}`; nothing was written")
    is_new = not os.path.exists(path)
    try:
        withdraw_line = _ignore(path)
        replace(path, after.encode(), 0o600)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise EnvFileError(f"{path} cannot be written: {reason}") from error

    def withdraw() -> None:
        try:
            _take_out(path, added, None if is_new else before)
            withdraw_line()
        except (OSError, UnicodeDecodeError) as error:
            raise EnvFileError(
                f"`{name}` could not be taken out of {path} again: {type(error).__name__}"
            ) from error

    return withdraw


def variables(path: str) -> dict[str, str | None]:
    """Return the variables of a `.env`, none where there is no file; raises EnvFileError."""
    return parse(_text(path))


def _text(path: str) -> str:
    try:
        return _read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvFileError(f"{path} cannot be read: {type(error).__name__}") from error


def _take_out(path: str, line: str, before: str | None) -> None:
    """Take out a line that was added, and nothing else; `before` is None for a new file."""
    text = _read(path)
    at = text.rfind(line)
    if text == _closed(before or "") + line:
        rest = before
    elif at == 0 or (at > 0 and text[at - 1] in "\r\n"):
        rest = text[:at] + text[at + len(line) :]
    else:
        return
    if rest is None:
        os.unlink(path)
    else:
        replace(path, rest.encode(), _mode(path))


def _closed(text: str) -> str:
    """Return a text that ends with a line end, if it is not empty."""
    return text if not text or text.endswith(("\n", "\r")) else f"{text}\n"


def _mode(path: str) -> int:
    return os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o644


def parse(text: str) -> dict[str, str | None]:
    """Return the variables of a `.env`, as the resolver reads them."""
    import io

    from dotenv.parser import parse_stream

    # `dotenv_values` would log each line that it cannot read.
    bindings = parse_stream(io.StringIO(text))
    return {binding.key: binding.value for binding in bindings if binding.key is not None}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _quoted(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _ignore(path: str) -> Callable[[], None]:
    """Add the file to the `.gitignore` beside it, unless git ignores it already.

    Returns how to take that back.
    """
    folder, name = os.path.split(os.path.abspath(path))
    if GitIgnore(folder).ignores(os.path.join(folder, name), False):
        return lambda: None
    listed = os.path.join(folder, ".gitignore")
    before = _read(listed) if os.path.exists(listed) else None
    added = f"{name}\n"
    replace(listed, f"{_closed(before or '')}{added}".encode(), _mode(listed))
    return lambda: _take_out(listed, added, before)


def is_tracked(path: str) -> bool:
    """Tell whether git tracks a file; False where there is no git."""
    if not os.path.lexists(path):
        return False
    folder, name = os.path.split(path)
    try:
        git.ask(folder, "ls-files", "--error-unmatch", name, timeout=_TIMEOUT)
    except git.GitError:
        return False
    return True
