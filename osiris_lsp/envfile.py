"""Storing a secret in `.env` without losing or leaking one."""

import os
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


def store(path: str, name: str, value: str) -> bool:
    """Add a variable to a `.env`, which only its owner may read, and have git ignore the file.

    A link, a file that git tracks, or a variable that has another value already is left alone, and
    what was written is read back first. False where it was there already. Raises EnvFileError.
    """
    if os.path.islink(path):
        raise EnvFileError(f"{path} is a link; nothing was written")
    if is_tracked(path):
        raise EnvFileError(
            f"{path} is tracked by git; run `git rm --cached {os.path.basename(path)}` first"
        )
    try:
        before = _read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvFileError(f"{path} cannot be read: {type(error).__name__}") from error
    known = parse(before)
    if known.get(name) == value:
        return False
    if known.get(name):
        raise EnvFileError(f"`{name}` has another value in {path} already; nothing was written")
    line = "" if not before or before.endswith(("\n", "\r")) else "\n"
    after = f"{before}{line}{name}={_quoted(value)}\n"
    if parse(after) != {**known, name: value}:
        raise EnvFileError(f"`.env` cannot hold this value of `{name}`; nothing was written")
    try:
        _ignore(path)
        replace(path, after.encode(), 0o600)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise EnvFileError(f"{path} cannot be written: {reason}") from error
    return True


def withdraw(path: str, name: str, value: str) -> None:
    """Take out the line that `store` has added, if it is still there. Raises EnvFileError."""
    line = f"{name}={_quoted(value)}\n"
    try:
        text = _read(path)
        at = text.rfind(line)
        if at == 0 or (at > 0 and text[at - 1] in "\r\n"):
            replace(path, (text[:at] + text[at + len(line) :]).encode(), 0o600)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvFileError(
            f"`{name}` could not be taken out of {path} again: {type(error).__name__}"
        ) from error


def parse(text: str) -> dict[str, str | None]:
    """Return the variables of a `.env`, as the resolver reads them."""
    import io

    from dotenv import dotenv_values

    return dict(dotenv_values(stream=io.StringIO(text), interpolate=False))


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


def _ignore(path: str) -> None:
    """Add the file to the `.gitignore` beside it, unless git ignores it already."""
    folder, name = os.path.split(os.path.abspath(path))
    if GitIgnore(folder).ignores(os.path.join(folder, name), False):
        return
    listed = os.path.join(folder, ".gitignore")
    before = _read(listed)
    line = "" if not before or before.endswith("\n") else "\n"
    mode = os.stat(listed).st_mode & 0o7777 if os.path.exists(listed) else 0o644
    replace(listed, f"{before}{line}{name}\n".encode(), mode)


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
