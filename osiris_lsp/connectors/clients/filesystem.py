"""Folders and files of steps: made, written whole or not at all, equal bytes for equal data."""

import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp import files

if TYPE_CHECKING:
    import pandas

NEW_MODE: Final = 0o644
"""Permissions of a file that was not there before."""

CSV_DEFAULTS: Final = {
    "index": False,
    "encoding": "utf-8",
    "lineterminator": "\n",  # the seed's `line_terminator` is gone from pandas
    "date_format": "%Y-%m-%d %H:%M:%S",
}


def ensure_directory(path: str | os.PathLike[str]) -> Path:
    """Make a folder and those above it, where they are not there yet, and return it (S2-FS-01).

    Raises FileExistsError or NotADirectoryError where a file is in the way.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def atomic_write(path: str | os.PathLike[str], content: bytes) -> None:
    """Give a file new content, all of it or nothing (S2-FS-02, R-43).

    It is on the disk under a name of its own in the same folder before it takes the place of the
    file, which keeps its permissions. Raises OSError, and then the file is as it was.
    """
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        mode = NEW_MODE
    files.replace(os.fspath(path), content, mode)


def write_csv_deterministic(
    df: "pandas.DataFrame", path: str | os.PathLike[str], **kwargs: Any
) -> None:
    """Write a table with its columns in the order of their names (S2-FS-03).

    `kwargs` go to `DataFrame.to_csv` and win over `CSV_DEFAULTS`; nothing is compressed unless
    `compression` says so, whatever the file is called.
    """
    order = sorted(range(len(df.columns)), key=lambda at: str(df.columns[at]))
    buffer = io.BytesIO()
    df.iloc[:, order].to_csv(buffer, **{**CSV_DEFAULTS, **kwargs})
    atomic_write(path, buffer.getvalue())
