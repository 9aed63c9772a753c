"""Paths as CI systems want them: relative to the repository, wherever the run started."""

import os
from typing import Final

_ROOTS: Final = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY")
"""Where GitHub, GitLab and Azure say that the repository lies."""


def repository_path(path: str) -> str:
    """Return a path of a record relative to the repository of the CI job; elsewhere as it is."""
    folder = os.getcwd()
    for name in _ROOTS:
        root = os.environ.get(name)
        if root and os.path.isabs(root):
            inside = os.path.relpath(folder, os.path.realpath(root)).replace(os.sep, "/")
            if inside != "." and inside.split("/")[0] != "..":
                return os.path.normpath(f"{inside}/{path}").replace(os.sep, "/")
    return path
