"""Files and folders that a connection names, judged by what the file system says about them.

Nothing is opened here: closing a file gives up the locks that this very process holds on it.
"""

import os
import stat

from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorPermissionError
from osiris_lsp.connectors.health import Check

_SILENT = (
    "the file system does not answer",
    "a network drive may be gone: see whether the folder can be listed at all",
)


def path_of(check: Check, field: str) -> str:
    """Return the absolute path in a field; raises ConnectorConfigError where there is none."""
    check.at("query", field)
    check.waits_for = _SILENT
    path = check.connection.path(field)
    if not path or "\0" in path:
        raise ConnectorConfigError(
            f"`{field}` holds no path",
            code="config.missing_field",
            field=field,
            remedy=f"set `{field}`; a relative path counts from the folder of the connections file",
        )
    return path


def mode_of(path: str, field: str) -> int | None:
    """Return the mode of what is at a path, or None where nothing is."""
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise denied(field, f"this user may not reach {path}") from error
    except OSError as error:
        raise ConnectorConfigError(
            f"{path} cannot be used: {(error.strerror or type(error).__name__).lower()}",
            code="file.unusable",
            field=field,
            remedy="look at the path, and at the drive that it is on",
        ) from error


def denied(field: str, cause: str) -> ConnectorPermissionError:
    """Return the error for rights that the user of this process does not have."""
    return ConnectorPermissionError(
        cause,
        code="os.denied",
        stage="config",
        field=field,
        remedy="give the user that runs the pipeline the right, or name another path",
        kind="PermissionError",
    )


def missing(path: str, field: str) -> ConnectorConfigError:
    """Return the error for a path that nothing is at."""
    return ConnectorConfigError(
        f"{path} does not exist",
        code="file.missing",
        field=field,
        remedy="create it, or correct the path: a relative one counts from the folder of the "
        "connections file",
    )


def database(check: Check) -> str | None:
    """Return the path of a database file, or None where the first write will create it.

    Notes the facts `exists` and, where the file must not be or cannot be written, `read_only`.
    """
    path = path_of(check, "path")
    mode = mode_of(path, "path")
    read_only = check.connection.value("read_only") is True
    check.facts["exists"] = mode is not None
    if mode is None:
        _creatable(path, read_only)
        check.facts["hint"] = "the file does not exist yet; the first write creates it"
        return None
    if not stat.S_ISREG(mode):
        raise ConnectorConfigError(
            f"{path} is a folder" if stat.S_ISDIR(mode) else f"{path} is no file",
            code="file.no_file",
            field="path",
            remedy="name the database file itself",
        )
    if not os.access(path, os.R_OK):
        raise denied("path", f"this user may not read {path}")
    check.facts["read_only"] = read_only or not os.access(path, os.W_OK)
    return path


def _creatable(path: str, read_only: bool) -> None:
    """Raise what keeps a database file from being created."""
    folder = os.path.dirname(path)
    mode = mode_of(folder, "path")
    if mode is None or not stat.S_ISDIR(mode):
        raise missing(folder, "path")
    if read_only:
        raise missing(path, "path")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise denied("path", f"{path} does not exist, and this user may not create it in {folder}")
