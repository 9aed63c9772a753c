"""Make the web site of the documentation: `python -m tests.tools.site [FOLDER]`.

The pages keep the places that they have in the repository, so a link that works there works here.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from osiris_lsp.rules import RULES
from tests.tools.generate import ROOT

PAGES = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
)
FOLDERS = ("docs", "hooks", "editors")

GROUPS = {
    "OSR0": "YAML",
    "OSR1": "Connections",
    "OSR2": "Pipelines",
    "OSR3": "Secrets",
    "OSR4": "Environment and transport",
    "OSR9": "About osiris-lsp",
}


def navigation() -> list[object]:
    """Return what the menu lists."""
    rules: list[object] = ["docs/rules/README.md"]
    for prefix, title in GROUPS.items():
        names = [rule.name for rule in RULES.values() if rule.code.startswith(prefix)]
        rules.append({title: [{name: f"docs/rules/{name}.md"} for name in names]})
    return [
        {"Start": "README.md"},
        {
            "Guide": [
                {"Overview": "docs/README.md"},
                {"Reports and the graph": "docs/reports.md"},
                {"Connections and the doctor": "docs/connections.md"},
                {"Clients of services": "docs/clients.md"},
                {"How to add a connector": "docs/adding-a-connector.md"},
                {"Hooks and CI": "hooks/README.md"},
                {"Editors": "editors/README.md"},
                {"VS Code": "editors/vscode/README.md"},
            ]
        },
        {"Rules": rules},
        {"Reference": [{"Commands": "docs/commands.md"}, {"Settings": "docs/settings.md"}]},
        {
            "Project": [
                {"Changes": "CHANGELOG.md"},
                {"Architecture": "ARCHITECTURE.md"},
                {"Contributing": "CONTRIBUTING.md"},
                {"Security": "SECURITY.md"},
            ]
        },
    ]


def gather(source: Path) -> None:
    """Copy the pages, and what they link to, into the folder that the site is made from."""
    shutil.rmtree(source, ignore_errors=True)
    ignored = shutil.ignore_patterns(
        "__pycache__", "node_modules", "dist", "man", "mkdocs.yml", "*.pyc"
    )
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in PAGES:
        shutil.copy(ROOT / name, source / name)
    for page in source.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        # GitHub ends a paragraph before a fence and a list; the site wants an empty line.
        spaced = re.sub(r"^(`[^`\n]+`)\n```", r"\1\n\n```", text, flags=re.MULTILINE)
        if spaced != text:
            page.write_text(spaced, encoding="utf-8")


def build(folder: Path) -> int:
    """Build the site below a folder; return the exit code of mkdocs."""
    source = folder / "source"
    gather(source)
    config = folder / "mkdocs.yml"
    settings = {
        "INHERIT": os.path.relpath(ROOT / "docs" / "mkdocs.yml", folder),
        "docs_dir": str(source),
        "site_dir": str(folder / "html"),
        "nav": navigation(),
    }
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    command = ["mkdocs", "build", "--strict", "--quiet", "--config-file", str(config)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, check=False
    ).returncode


def main() -> int:
    """Build the site and say where it is."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    code = build(folder)
    if not code:
        print(folder / "html" / "index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
