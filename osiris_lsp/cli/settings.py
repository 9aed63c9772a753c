"""`osiris-lsp lint --show-settings`: the settings that are in force."""

import json
from collections.abc import Sequence

from osiris_lsp.project import Project


def show_settings(projects: Sequence[Project]) -> int:
    """Print the settings that are in force."""
    for project in projects:
        settings = project.settings
        print(f"# project {project.root}")
        print(f"# settings {settings.path or 'none: defaults'}")
        for name, value in settings._asdict().items():
            if name in ("path", "folder"):
                continue
            key = name.replace("_", "-")
            print(f"{key} = {_toml(value)}")
    return 0


def _toml(value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        inner = ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value)
        return f"{{ {inner} }}"
    return '""' if value is None else json.dumps(value)
