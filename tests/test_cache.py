"""A run with the cache says what a run without it says, whatever changed in between."""

import contextlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from osiris_lsp import batch, cache, files
from osiris_lsp.cli import main
from osiris_lsp.reports import FORMATS

CANARY = "c4nary-Pa55-w0rd"

CONNECTIONS = (
    """\
version: 1
connections:
  mysql:
    default: {host: db.example.com, database: shop, user: reader, password: "${PASSWORD}"}
    other:
      host: db.example.com
      ssl_ca: tls/ca.pem
""",
    f"""\
connections:
  mysql:
    prod:
      host: db.example.com
      user: reader
      password: {CANARY}
      nosuchfield: 1
  duckdb:
    local: {{path: a.db}}
""",
    "connections: [\n",
)
PIPELINES = (
    """\
oml_version: "0.1.0"
name: orders
steps:
  - id: extract
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.default", table: orders}
""",
    """\
oml_version: "0.1.0"
name: orders
steps:
  - id: extract
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.prod"
      tables: orders
  - id: extract
    component: own.writer
    config: {connection: "@mysql.other", extra: 1}
""",
    f"""\
oml_version: "0.1.0"
steps:
  - id: é
    component: mysql.extractor
    # osiris: ignore[unknown-alias] because
    config: {{connection: "@duckdb.nosuch", password: "{CANARY}", table: "a😀" }} # x
""",
    "oml_version: [\nsteps:\n\t- id: a\n",
    "a: 1\n",
)
SPECS = (
    """\
name: own.writer
version: 1.0.0
modes: [write]
configSchema:
  type: object
  properties: {connection: {type: string}, extra: {type: string}}
""",
    "name: own.writer\nmodes: [read]\nconfigSchema: {type: object, properties: {other: {}}}\n",
)
SETTINGS = (
    'ignore = ["unused-connection"]\n',
    'profile = "osiris-runtime"\nexclude = ["pipelines/b.yaml"]\n',
    'families = ["families/*.json"]\n[severity]\nunknown-alias = "info"\n',
    'nosuch = 1\nconnections-file = "deep/osiris_connections.yaml"\n',
)
FAMILY = ('{"title": "x", "type": "object", "properties": {"a": {"type": "string"}}}', "{")
PLACES = {
    "osiris_connections.yaml": CONNECTIONS,
    "deep/osiris_connections.yaml": CONNECTIONS,
    "deep/osiris.yaml": ("{}\n",),
    "deep/pipelines/d.yaml": PIPELINES,
    "pipelines/a.yaml": PIPELINES + CONNECTIONS,
    "pipelines/b.yaml": PIPELINES,
    "pipelines/c.yaml": PIPELINES,
    "components/own.writer/spec.yaml": SPECS,
    "osiris-lsp.toml": SETTINGS,
    "families/own.json": FAMILY,
    "tls/ca.pem": ("x",),
    ".env": ("PASSWORD=x\n", "OTHER=y\n"),
    ".gitignore": ("pipelines/c.yaml\n", "nothing\n"),
}

Both = Callable[..., str]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Both:
    """Run `lint` with and without the cache, compare, and return what both printed."""
    (tmp_path / "work" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("OSIRIS_HOME", raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")  # a report says when it was made

    def call(*args: str) -> str:
        found = []
        for extra in ((), ("--no-cache",)):
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(["lint", *args, *extra])
            found.append((code, out.getvalue(), err.getvalue()))
        assert found[1] == found[0]
        return found[0][1]

    return call


def write(name: str, text: str) -> None:
    """Write a file, below folders that may be missing."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text.encode())


def change(chance: random.Random) -> None:
    """Write, copy, age or remove one file of a project."""
    name = chance.choice(list(PLACES))
    what = chance.random()
    if what < 0.2 and os.path.exists(name):
        os.unlink(name)
        return
    write(name, chance.choice(PLACES[name]))
    if what < 0.7:  # as if it were old, so that its times count
        os.utime(name, ns=(10**18, 10**18))


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the times of every file for telling."""
    monkeypatch.setattr(cache, "_SETTLED", -(10**12))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("settled", [False, True])
def test_a_cached_run_says_what_a_fresh_one_says(
    both: Both, monkeypatch: pytest.MonkeyPatch, form: str, settled: bool
) -> None:
    """After random changes of files, specs, connections and settings, byte for byte."""
    if settled:
        settle(monkeypatch)
    chance = random.Random(f"{form} {settled}")
    for name, texts in PLACES.items():
        if chance.random() < 0.6:
            write(name, chance.choice(texts))
    for _ in range(25):
        change(chance)
        options = chance.choice(
            [(), (), (), ("pipelines",), ("--any-yaml",), ("--select", "OSR2"), ("--jobs", "2")]
        )
        both("--format", form, *options)
        if os.path.exists("osiris_connections.yaml") and chance.random() < 0.3:
            both("--format", form, "osiris_connections.yaml")


def test_nothing_is_linted_twice(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run looks at no file; after an edit one pipeline and the connections are."""
    write("osiris_connections.yaml", CONNECTIONS[0])
    for name in ("a", "b", "c"):
        write(f"pipelines/{name}.yaml", PIPELINES[1])
    seen: list[str] = []
    lint = batch.Worker.lint

    def spy(self: batch.Worker, path: str, defer: bool = False) -> batch.FileResult:
        result = lint(self, path, defer)
        if self.job.cached and not result.deferred:
            seen.append(os.path.relpath(path))
        return result

    monkeypatch.setattr(batch.Worker, "lint", spy)
    both()
    assert len(seen) == 4
    both()
    assert len(seen) == 4
    write("pipelines/b.yaml", PIPELINES[0])
    both()
    assert seen[4:] == ["pipelines/b.yaml", "osiris_connections.yaml"]


@pytest.mark.usefixtures("both")
def test_a_cached_run_imports_nothing_that_reads_yaml() -> None:
    """Where every result is known, what finds them is not even loaded."""
    write("osiris_connections.yaml", CONNECTIONS[0])
    write("pipelines/a.yaml", PIPELINES[1])
    heavy = "yaml", "osiris_lsp.documents", "osiris_lsp.engine", "osiris_lsp.tree"
    code = (
        "import sys; from osiris_lsp.cli import main; main(['lint', '--format', 'json'])\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    for expected in ([*heavy], []):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr == f"{expected}\n"


def test_runs_over_different_files_keep_each_others_results(
    both: Both, cache_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that begins before another ends takes over what that one has kept of other files."""
    names = [f"pipelines/{name}.yaml" for name in "abc"]
    for name in names:
        write(name, PIPELINES[1])
    both(names[0])
    save = cache.Cache.save

    def late(self: cache.Cache, checked: Sequence[str]) -> None:
        monkeypatch.setattr(cache.Cache, "save", save)
        write(names[0], PIPELINES[0])
        both(names[0])
        both(names[2])
        save(self, checked)

    monkeypatch.setattr(cache.Cache, "save", late)
    main(["lint", names[1]])
    (file,) = cached_files(cache_folder)
    entries = json.loads(file.read_text().partition("\n")[2])
    assert sorted(entries) == [os.path.abspath(name) for name in names]
    rules = [row[1] for row in entries[os.path.abspath(names[0])][6]]
    assert rules == ["missing-connections-file"]


def test_a_folder_is_locked_by_one_process_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes second waits for a while, then does without; a process that ended holds nothing."""
    monkeypatch.setattr(files, "_PATIENCE", 0.05)
    code = (
        "import sys; from osiris_lsp.files import locked\n"
        "with locked(sys.argv[1]): print(input(), flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None and holder.stdout is not None
    holder.stdin.write(b"held\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == b"held\n"
    with files.locked(str(tmp_path)) as is_mine:
        assert not is_mine
    holder.kill()
    holder.communicate()
    with files.locked(str(tmp_path)) as is_mine:
        assert is_mine


def cached_files(folder: str) -> list[Path]:
    """Return the files of the cache."""
    return sorted(Path(folder).rglob("*.json"))


def test_the_cache_holds_no_secret_and_no_text(both: Both, cache_folder: str) -> None:
    """Neither a secret of a file that is linted nor a line of it, for its owner only."""
    write("osiris_connections.yaml", CONNECTIONS[1])
    write("pipelines/a.yaml", PIPELINES[2])
    write(".env", f"PASSWORD={CANARY}\n")
    assert "***" in both("--format", "full")
    (file,) = cached_files(cache_folder)
    text = file.read_text()
    assert "unknown-alias" in text
    for secret in (CANARY, "component: mysql.extractor", "host: db.example.com", "***"):
        assert secret not in text
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", [b"", b"\xff\x00", b"{}", b"[" * 100_000])
def test_a_damaged_cache_is_no_cache(both: Both, cache_folder: str, damage: bytes) -> None:
    """Whatever is in the file, the run says what it would say without it."""
    write("pipelines/a.yaml", PIPELINES[1])
    both()
    (file,) = cached_files(cache_folder)
    whole = file.read_bytes()
    for data in (damage, whole[:-7], whole.replace(b"OSR2", b"OSR3"), whole + damage):
        file.write_bytes(data)
        both()
        assert file.read_bytes() == whole


def test_a_cache_inside_the_workspace_is_ignored(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may have come with the project is neither read nor written."""
    monkeypatch.setenv("XDG_CACHE_HOME", os.path.abspath("mine"))
    write("pipelines/a.yaml", PIPELINES[1])
    both()
    assert not os.path.exists("mine")


def test_a_cache_that_others_can_write_is_ignored(both: Both, cache_folder: str) -> None:
    """A folder with write access for all is left alone."""
    write("pipelines/a.yaml", PIPELINES[1])
    os.makedirs(cache.folder())
    os.chmod(cache.folder(), 0o777)
    both()
    assert cached_files(cache_folder) == []


def test_the_environment_is_never_cached(both: Both, cache_folder: str) -> None:
    """`--check-env` asks the machine anew each time."""
    write("osiris_connections.yaml", CONNECTIONS[0])
    write("pipelines/a.yaml", PIPELINES[0])
    write(".env", "A=1\n")
    both("--check-env")
    write(".env", "PASSWORD=1\n")
    both("--check-env")
    assert cached_files(cache_folder) == []


def test_old_files_make_room(
    both: Both, cache_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache keeps the newest files only, and forgets what is not there any more."""
    monkeypatch.setattr(cache, "_MOST_FILES", 2)
    write("pipelines/a.yaml", PIPELINES[1])
    write("pipelines/b.yaml", PIPELINES[1])
    for rule in ("OSR1", "OSR2", "OSR3"):
        both("--select", rule)
    assert len(cached_files(cache_folder)) == 2
    shutil.rmtree("pipelines")
    write("c.yaml", PIPELINES[1])
    both("--select", "OSR3")
    names = [
        list(json.loads(file.read_text().partition("\n")[2])) for file in cached_files(cache_folder)
    ]
    assert [os.path.abspath("c.yaml")] in names


def test_the_cache_can_be_found_and_emptied(
    both: Both, cache_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`cache dir` names the folder, `cache clean` removes our files and no others."""
    write("pipelines/a.yaml", PIPELINES[1])
    both()
    assert main(["cache", "dir"]) == 0
    assert capsys.readouterr().out == f"{cache.folder()}\n"
    assert cache.folder().startswith(cache_folder)
    (Path(cache.folder()) / "notes.txt").write_text("mine")
    for removed in ("1 file", "0 files"):
        assert main(["cache", "clean"]) == 0
        assert capsys.readouterr().out == f"{removed} removed from {cache.folder()}\n"
    assert os.listdir(cache.folder()) == ["notes.txt"]
    both()
