"""Project root, connections file, settings, and what kind a file is."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from osiris_lsp.discovery import (
    detect_kind,
    find_connections,
    find_root,
    find_settings,
    is_inside,
    walk,
)
from osiris_lsp.project import Project, open_project
from osiris_lsp.specs import Families
from tests.cli.conftest import CONNECTIONS, PIPELINE, write


def families() -> Mapping[str, str]:
    """Return the accepted spellings of the built-in families."""
    return Families().spellings


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        ("osiris_connections.yaml", ""),
        ("osiris_connections.yml", ""),
        ("osiris.yaml", ""),
        ("osiris-lsp.toml", ""),
        ("pyproject.toml", "[tool.osiris-lsp]\n"),
    ],
)
def test_the_nearest_marker_is_the_root(tmp_path: Path, marker: str, text: str) -> None:
    """Each marker makes a folder the root; a pyproject.toml without our table does not."""
    write(tmp_path, {".git/HEAD": "", f"a/{marker}": text, "a/b/pyproject.toml": "[project]\n"})
    assert find_root(str(tmp_path / "a" / "b")) == str(tmp_path / "a")


def test_without_a_marker_the_repository_is_the_root(tmp_path: Path) -> None:
    """The repository's root counts, then the folder itself."""
    write(tmp_path, {".git/HEAD": "", "a/b/x.yaml": ""})
    assert find_root(str(tmp_path / "a" / "b")) == str(tmp_path)


@pytest.mark.inventory("S1-CONN001-01", "R-55")
def test_the_order_of_connections_files(tmp_path: Path) -> None:
    """Option, setting, OSIRIS_HOME, nearest ancestor inside the project; never above its root."""
    files = ("home/osiris_connections.yaml", "other.yaml", "osiris_connections.yaml")
    write(tmp_path, dict.fromkeys(files, CONNECTIONS))
    write(tmp_path, {"root/osiris-lsp.toml": "", "root/a/osiris_connections.yaml": CONNECTIONS})
    root = tmp_path / "root"
    inner, outer = str(root / "a" / "b" / "p.yaml"), str(root / "p.yaml")
    plain = Project(str(root))
    assert plain.connections_path(inner) == str(root / "a" / "osiris_connections.yaml")
    assert plain.connections_path(outer) is None
    assert find_connections(str(root), str(root)) is None
    home = Project(str(root), home=str(tmp_path / "home"))
    assert home.connections_path(inner) == str(tmp_path / "home" / "osiris_connections.yaml")
    write(tmp_path, {"root/osiris-lsp.toml": 'connections-file = "../other.yaml"\n'})
    setting = open_project(str(root), home=str(tmp_path / "home"))
    assert setting.connections_path(inner) == str(tmp_path / "other.yaml")
    option = open_project(str(root), connections_file="/x/y.yaml")
    assert option.connections_path(inner) == "/x/y.yaml"


def test_the_nearest_settings_file_wins(tmp_path: Path) -> None:
    """`osiris-lsp.toml` goes before `pyproject.toml`, and none beyond the repository is read."""
    write(tmp_path, {"osiris-lsp.toml": "", "repo/.git/HEAD": "", "repo/a/x": ""})
    assert find_settings(str(tmp_path / "repo" / "a")) is None
    write(tmp_path, {"repo/pyproject.toml": "[tool.osiris-lsp]\n"})
    assert find_settings(str(tmp_path / "repo" / "a")) == str(tmp_path / "repo/pyproject.toml")
    write(tmp_path, {"repo/osiris-lsp.toml": ""})
    assert find_settings(str(tmp_path / "repo" / "a")) == str(tmp_path / "repo/osiris-lsp.toml")


FOREIGN = {
    "docker compose": ("compose.yaml", "services:\n  db:\n    image: mysql\n"),
    "github workflow": (
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  a:\n    steps:\n      - uses: x\n",
    ),
    "composite action": ("action.yml", "name: x\nruns:\n  steps:\n    - run: y\n"),
    "azure pipeline": ("azure-pipelines.yml", "trigger: [main]\nsteps:\n- script: echo\n"),
    "kubernetes": ("connections.yaml", "apiVersion: v1\nkind: Secret\nconnections: {mysql: {}}\n"),
    "steps of something else": ("pipelines/a.yaml", "steps:\n- name: x\n  run: y\n"),
    "type without config": ("a.yaml", "steps:\n- type: click\n  target: x\n"),
    "connections of something else": ("a.yaml", "connections:\n  left: {to: right}\n"),
    "osiris settings": ("osiris.yaml", 'version: "2.0"\nfilesystem:\n  base_path: ""\n'),
    "component by name only": ("spec.yaml", "name: x\n"),
    "empty": ("a.yaml", ""),
    "text": ("a.yaml", "hello"),
}

OURS = {
    "pipeline": ("anything.yaml", PIPELINE, "pipeline"),
    "half-typed pipeline": ("a.yaml", 'oml_version: "0.1.0\nname: x\n- - }\n', "pipeline"),
    "pipeline without version": ("a.yaml", "steps:\n- id: a\n  component: x.y\n", "pipeline"),
    "seed 001 pipeline": ("a.yaml", "steps:\n  - id: a\n    driver: x.y\n", "pipeline"),
    "legacy pipeline": ("a.yaml", "steps:\n  - type: x.y\n    config: {}\n", "pipeline"),
    "flow pipeline": ("a.yaml", '{"oml_version": "0.1.0", "steps": []}', "pipeline"),
    "connections": ("osiris_connections.yaml", CONNECTIONS, "connections"),
    "empty connections": ("osiris_connections.yaml", "", "connections"),
    "connections elsewhere": ("conf/db.yaml", CONNECTIONS, "connections"),
    "bare families": ("osiris_connections.yaml", "mysql:\n  a: {}\n", "connections"),
    "bare families, other name": ("connections.yaml", "mysql:\n  a: {}\n", "connections"),
    "broken connections": ("x.yaml", "connections:\n  mysql:\n    a: [\n", "connections"),
    "component": ("x.yaml", "name: a.b\nmodes: [write]\nconfigSchema: {}\n", "component"),
    "broken component": ("components/a.b/spec.yaml", "nme: a.b\n", "component"),
    "modeline": ("x.yaml", "# osiris: kind=component\n", "component"),
    "modeline in a comment block": ("x.yaml", "# a\n#  osiris:  kind=pipeline\nx: 1\n", "pipeline"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_yaml_is_not_ours(name: str) -> None:
    """No file is taken by its name alone."""
    path, text = FOREIGN[name]
    assert detect_kind(f"/x/{path}", text, families) == "other"


@pytest.mark.parametrize("name", OURS)
def test_ours_is_told_by_content_and_place(name: str) -> None:
    """Also where the text does not parse."""
    path, text, kind = OURS[name]
    assert detect_kind(f"/x/{path}", text, families) == kind


def test_a_modeline_in_a_value_is_no_modeline() -> None:
    """Only a comment decides; `off` means not ours."""
    assert detect_kind("/x/a.yaml", f"{PIPELINE}x: '# osiris: kind=off'\n", families) == "pipeline"
    assert detect_kind("/x/a.yaml", f"# osiris: kind=off\n{PIPELINE}", families) == "other"


def test_walking_skips_what_git_ignores_and_ends_at_loops(tmp_path: Path) -> None:
    """Patterns of all levels count, also negated ones; a link to a parent ends nothing."""
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            ".gitignore": "/out/\n*.tmp.yaml\n",
            "a.yaml": "",
            "b.txt": "",
            "out/c.yaml": "",
            "d/e.tmp.yaml": "",
            "d/.gitignore": "!e.tmp.yaml\n/f.yml\n",
            "d/f.yml": "",
            "d/g/f.yml": "",
            ".venv/h.yaml": "",
            "node_modules/i.yaml": "",
        },
    )
    (tmp_path / "d" / "loop").symlink_to(tmp_path)
    found = [Path(path).relative_to(tmp_path).as_posix() for path in walk(str(tmp_path), bool0)]
    assert found == ["a.yaml", "d/e.tmp.yaml", "d/g/f.yml"]


def bool0(path: str) -> bool:
    """Exclude nothing."""
    return False


def test_paths_out_of_the_project_are_not_inside(tmp_path: Path) -> None:
    """Links, parents, devices and network paths never count as inside."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "link").symlink_to("/etc")
    root = str(tmp_path / "p")
    assert is_inside(f"{root}/a/b", root)
    for path in (f"{root}/../x", f"{root}/link/passwd", "/dev/null", "//host/share", "\\\\host\\x"):
        assert not is_inside(path, root)
