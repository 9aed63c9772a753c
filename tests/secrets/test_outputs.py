"""No output of the command line shows a secret, whatever is chosen, parsed or not."""

import logging
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Final, get_args

import pytest

from osiris_lsp.cli import main
from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.graph import FORMATS as DRAWINGS
from osiris_lsp.reports import FORMATS
from osiris_lsp.secrets import Kind
from tests.secrets.planted import Planted, declared, glued, plant, positions, rules, showing

Run = Callable[..., str]

BROKEN: Final = ((False, False), (True, False), (True, True))
"""Whether the text behind a secret does not parse, and whether the secrets are plain words."""


@pytest.fixture
def run(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run the command line in a folder of its own; returns all that it says and logs."""
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path.parent / f"{tmp_path.name}-home"))
    caplog.set_level(logging.DEBUG)

    def call(*arguments: str, codes: Sequence[int] = (0, 1)) -> str:
        code = main(list(arguments))
        said = capsys.readouterr()
        assert code in codes, (arguments, said.err)
        return said.out + said.err + caplog.text

    return call


def written(folder: Path, files: Sequence[Planted]) -> dict[str, str]:
    """Return the files that have come to be: reports, baselines, caches, whatever else."""
    own = {folder / file.path for file in files}
    home = folder.parent / f"{folder.name}-home"
    paths = [path for top in (folder, home) for path in top.rglob("*") if path.is_file()]
    return {str(p): p.read_bytes().decode("utf-8", "replace") for p in paths if p not in own}


def looks(run: Run, folder: Path, files: Sequence[Planted], *options: str) -> dict[str, str]:
    """Return all that linting says of a folder in each format, and what it writes."""
    lint = ("lint", ".", "--any-yaml", "--exit-zero", "--jobs", "1", *options)
    reports = [part for form in FORMATS for part in ("--format", form, "--output-file", form)]
    shown = {"lint": run(*lint, *reports)}
    return shown | written(folder, files)


def everything(broken: bool = False, weak: bool = False) -> list[Planted]:
    """Return all places of secrets."""
    return [*declared(broken, weak), *rules(broken, weak)]


def test_no_report(run: Run, tmp_path: Path) -> None:
    """No format, log or cache has one, nor has what comes from the cache."""
    files = [*everything(), *positions()]
    plant(tmp_path, files)
    fresh = run("lint", ".", "--any-yaml")
    shown = {"fresh": fresh, "cached": run("lint", ".", "--any-yaml", "--statistics")}
    shown |= looks(run, tmp_path, files)
    assert any("/lint/" in name for name in shown)
    assert showing(shown, files) == []


def test_no_report_without_the_rules_for_secrets(run: Run, tmp_path: Path) -> None:
    """What a rule would find is hidden where it is off."""
    files = everything()
    plant(tmp_path, files)
    options = ("--ignore", "OSR3", "--profile", "osiris-runtime", "--check-env")
    assert showing(looks(run, tmp_path, files, *options), files) == []


@pytest.mark.inventory("S0-SEC-03")
def test_no_report_of_any_form(run: Run, tmp_path: Path) -> None:
    """However a secret is written."""
    files = declared(every=True)
    plant(tmp_path, files)
    assert showing(looks(run, tmp_path, files), files) == []


@pytest.mark.parametrize("weak", [False, True])
@pytest.mark.parametrize("options", [(), ("--ignore", "OSR3")])
def test_no_report_of_broken_text(
    run: Run, tmp_path: Path, weak: bool, options: tuple[str, ...]
) -> None:
    """Nor where the line behind a secret does not parse."""
    files = everything(broken=True, weak=weak)
    plant(tmp_path, files)
    assert showing(looks(run, tmp_path, files, *options), files) == []


@pytest.mark.parametrize("weak", [False, True])
@pytest.mark.parametrize("above", [False, True])
def test_no_report_of_text_with_slips(run: Run, tmp_path: Path, above: bool, weak: bool) -> None:
    """Nor where something is glued to a secret, or to a key above it, though that may parse."""
    files = glued(declared(weak=weak), above)
    plant(tmp_path, files)
    assert showing(looks(run, tmp_path, files), files) == []


def test_no_report_has_a_weak_one(run: Run, tmp_path: Path) -> None:
    """A plain word is a secret where a schema or a rule says so."""
    files = everything(weak=True)
    plant(tmp_path, files)
    assert showing(looks(run, tmp_path, files), files) == []


COMMENTS: Final = ("# osiris: off", "# osiris: ignore-file[OSR3] because", "# gitleaks:allow")


@pytest.mark.parametrize(("broken", "weak"), BROKEN)
def test_no_suppression(run: Run, tmp_path: Path, broken: bool, weak: bool) -> None:
    """What comments silence stays hidden in reports that list it."""
    comments = cycle(COMMENTS)
    files = [f._replace(text=f"{next(comments)}\n{f.text}") for f in everything(broken, weak)]
    plant(tmp_path, files)
    assert showing(looks(run, tmp_path, files), files) == []


@pytest.mark.parametrize(("broken", "weak"), BROKEN)
def test_no_baseline(run: Run, tmp_path: Path, broken: bool, weak: bool) -> None:
    """Neither the file nor what is said with it has one."""
    files = everything(broken, weak)
    plant(tmp_path, files)
    make = ("--any-yaml", "--include-secrets", "--baseline", "known.json")
    shown = {"create": run("baseline", "create", ".", *make)}
    shown["update"] = run("baseline", "update", ".", *make)
    shown["lint"] = run("lint", ".", "--any-yaml", "--format", "sarif", "--baseline", "known.json")
    assert (tmp_path / "known.json").stat().st_size > 10_000
    shown["prune"] = run("baseline", "prune", ".", *make)
    shown |= written(tmp_path, files)
    assert showing(shown, files) == []


@pytest.mark.parametrize(("broken", "weak"), BROKEN)
def test_no_drawing_and_no_list(run: Run, tmp_path: Path, broken: bool, weak: bool) -> None:
    """No graph in any format, no list of connections; a file that does not parse has none."""
    files = [*everything(broken, weak), *positions()]
    plant(tmp_path, files)
    shown = {form: run("graph", ".", "--format", form) for form in DRAWINGS}
    for file in files:
        if file.path.endswith("osiris_connections.yaml"):
            at = ("--connections-file", file.path)
            for form in ([], ["--json", "--full"]):
                said = run("connections", "list", *form, *at, codes=(0, 1, 2))
                shown[f"{form} {file.path}"] = said
            for reference in shown_references(file)[:2]:
                for form in ([], ["--json"]):
                    said = run("connections", "show", reference, *form, *at, codes=(0, 1, 2))
                    shown[f"{form} {reference} {file.path}"] = said
    assert showing(shown, files) == []


def shown_references(file: Planted) -> list[str]:
    """Return references to the connections of a file."""
    document = file.document
    assert isinstance(document, ConnectionsDocument)
    return [str(entry) for entry in document.connections]


@pytest.mark.parametrize(("broken", "weak"), BROKEN)
def test_no_repair(run: Run, tmp_path: Path, broken: bool, weak: bool) -> None:
    """Neither fixes nor moving secrets to `.env` say one: they are in the files and there alone."""
    files = everything(broken, weak)
    plant(tmp_path, files)
    shown = {"diff": run("lint", ".", "--any-yaml", "--diff", "--unsafe-fixes")}
    shown["env"] = run("lint", ".", "--any-yaml", "--write-env", "--exit-zero")
    shown["fix"] = run("lint", ".", "--any-yaml", "--fix", "--unsafe-fixes", "--exit-zero")
    made = written(tmp_path, files)
    shown |= {name: text for name, text in made.items() if not name.endswith(".env")}
    assert showing(shown, files) == []


def test_every_place_is_one() -> None:
    """What is planted is found: no place is there in vain, and no kind of leak lacks."""
    kinds: set[str] = set()
    for file in (*declared(every=True), *rules(), *positions()):
        document = file.document
        hidden = "".join(file.text[start:end] + "\n" for start, end in document.secret_spans)
        assert [mark for mark in file.marks if mark not in hidden and mark in file.text] == []
        kinds |= document.leaks.keys()
    assert kinds == set(get_args(Kind))
