"""No output of ours shows a secret, wherever it stands, whichever rules are on, parsed or not."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from osiris_lsp.cli import main
from osiris_lsp.reports import FORMATS
from osiris_lsp.specs import Families, Section, builtin_components
from tests.cli.conftest import CONNECTIONS, PIPELINE, write
from tests.secrets.test_providers import checked

FORMS: Final = (
    "{}",
    "'{}'",
    '"{}"',
    "|-\n{pad}  {}",
    ">-\n{pad}  {}",
    "&a{number} {}\n{pad}again{number}: *a{number}",
    "${{NAME:-{}}}",
    "ab${{NAME}}{}",
    "[{}, x]",
    "{} # {}",
)
"""Ways to write a value; `pad` is the indentation of its key."""


class Planted(NamedTuple):
    """A file, and what must never be seen of the secret in it: its ends."""

    path: str
    text: str
    marks: tuple[str, ...]


class Mint:
    """Secrets that differ from each other at both ends; `weak` ones are plain short words."""

    def __init__(self, weak: bool = False) -> None:
        self.weak = weak
        self.made: list[str] = []

    def secret(self) -> str:
        """Return a new secret."""
        number = len(self.made)
        word = "".join("jkqvwxyz"[number >> shift & 7] for shift in (9, 6, 3, 0))
        self.made.append(f"zx{word}" if self.weak else f"zq{number:04}kX7wq9LrT2vB{number:04}qz")
        return self.made[-1]

    @property
    def forms(self) -> Sequence[str]:
        """The ways to write one; a word that is a weak one may stand in a comment."""
        return FORMS[:-1] if self.weak else FORMS

    @property
    def marks(self) -> tuple[str, ...]:
        """What must not be seen: of a long secret either end."""
        if self.weak:
            return tuple(self.made)
        return tuple(part for made in self.made for part in (made[:9], made[-9:]))


def fields_of(section: Section, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the ways to secret fields, each with a template of its value."""
    for name in sorted(section.secret):
        field = section.fields[name]
        if field.get("x-network") == "dsn":
            yield (*way, name), "x://reader:{}@db.example.com/shop"
        elif field.get("x-secret-values") is True:
            yield (*way, name, "Authorization"), "Bearer {}"
            yield (*way, name, "X-Api-Key"), "{}"
        else:
            yield (*way, name), "{}"
    for name, inner in section.inner.items():
        for below in inner:
            yield from fields_of(below, (*way, name))


def nested(way: Sequence[str], template: str, form: str, mint: Mint, indent: int) -> str:
    """Return a secret field below its keys."""
    head = "".join(f"{' ' * (indent + 2 * at)}{key}:\n" for at, key in enumerate(way[:-1]))
    pad = " " * (indent + 2 * len(way) - 2)
    secret = template.format(mint.secret())
    number = len(mint.made)
    return f"{head}{pad}{way[-1]}: {form.format(*[secret] * 2, pad=pad, number=number)}\n"


def connections(mint: Mint, tail: str) -> Iterator[tuple[str, str]]:
    """Yield a connections file of each family with its secret fields in each form."""
    for name, family in Families().items():
        lines = [f"version: 1\nconnections:\n  {name}:\n"]
        for number, (way, template) in enumerate(fields_of(family.section)):
            for form_number, form in enumerate(mint.forms):
                lines.append(f"    a{number}_{form_number}:\n")
                lines.append(nested(way, template, form, mint, 6))
                lines.append(tail and f"      {tail}\n")
        yield f"{name}/osiris_connections.yaml", "".join(lines)


def pipelines(mint: Mint, tail: str) -> Iterator[tuple[str, str]]:
    """Yield a pipeline of each component with its secret fields in each form."""
    for name, spec in builtin_components().items():
        lines = ['oml_version: "0.1.0"\nname: orders\nsteps:\n']
        for number, way in enumerate(sorted(spec.secrets)):
            for form_number, form in enumerate(mint.forms):
                lines.append(f"  - id: s-{number}-{form_number}\n    component: {name}\n")
                lines.append('    mode: read\n    config:\n      connection: "@mysql.default"\n')
                lines.append(nested(way, "{}", form, mint, 6))
                lines.append(tail and f"      {tail}\n")
        yield f"pipelines/{name}.yaml", "".join(lines)


def declared(tail: str = "", weak: bool = False) -> list[Planted]:
    """Return the fields that schemas declare secret, each followed by a line."""
    mint = Mint(weak)
    files: list[Planted] = []
    for make in (connections, pipelines):
        for path, text in make(mint, tail):
            known = sum(len(file.marks) for file in files)
            files.append(Planted(f"declared/{path}", text, mint.marks[known:]))
    return files


def positions() -> list[Planted]:
    """Return a pipeline and a connections file with a token in place of each word in turn."""
    files: list[Planted] = []
    for path, text in (
        ("pipelines/a.yaml", PIPELINE.replace("table: orders", "table: &t orders # note")),
        ("osiris_connections.yaml", CONNECTIONS + "      extra: &t [*t, !t x, {? b : c}]\n"),
    ):
        for match in re.finditer(r"(?<![{\w])[\w.-]+", text):  # the name of a variable is no secret
            body = f"{len(files):03}Xq2Lr9Tz4Wm1Vk8Dn3Gy6Hc5{len(files):03}"
            token = checked("ghp_", body)
            new = text[: match.start()] + token + text[match.end() :]
            files.append(Planted(f"positions/{len(files)}/{path}", new, (token[:10], token[-12:])))
    return files


def plant(folder: Path, files: Sequence[Planted]) -> None:
    """Write the files, in a project each where they have a folder of their own."""
    write(folder, {file.path: file.text for file in files})


def showing(shown: Mapping[str, str], files: Sequence[Planted]) -> list[tuple[str, str, str]]:
    """Return which output shows which secret, in any case of letters."""
    found = []
    for name, text in shown.items():
        folded = "\n".join(set(text.lower().split()))  # reports repeat much
        for file in files:
            found += [(name, file.path, m) for m in file.marks if m.lower() in folded]
    return found


Run = Callable[..., str]


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
        monkeypatch.setenv(name, str(tmp_path / "home"))
    caplog.set_level(logging.DEBUG)

    def call(*arguments: str) -> str:
        code = main(list(arguments))
        said = capsys.readouterr()
        assert code in (0, 1), (arguments, said.err)
        return said.out + said.err + caplog.text

    return call


def written(folder: Path, files: Sequence[Planted]) -> dict[str, str]:
    """Return the files that have come to be: reports, baselines, whatever else."""
    own = {folder / file.path for file in files}
    paths = [path for path in folder.rglob("*") if path.is_file() and path not in own]
    return {path.name: path.read_bytes().decode("utf-8", "replace") for path in paths}


def looks(run: Run, folder: Path, files: Sequence[Planted], *options: str) -> dict[str, str]:
    """Return all that the commands say of a folder and write into it."""
    lint = ("lint", ".", "--any-yaml", "--exit-zero", "--jobs", "1", *options)
    reports = [part for form in FORMATS for part in ("--format", form, "--output-file", form)]
    shown = {"lint": run(*lint, *reports), "diff": run(*lint, "--diff", "--unsafe-fixes")}
    return shown | written(folder, files)


def check(run: Run, folder: Path, files: Sequence[Planted], *options: str) -> None:
    """Look at files, and fail where something is shown."""
    plant(folder, files)
    shown = looks(run, folder, files, *options)
    assert showing(shown, files) == []


@pytest.mark.parametrize("options", [(), ("--ignore", "OSR3")])
@pytest.mark.parametrize("make", [declared, positions])
@pytest.mark.inventory("S0-SEC-03")
def test_no_report(
    run: Run, tmp_path: Path, make: Callable[[], list[Planted]], options: tuple[str, ...]
) -> None:
    """No format, diff or log has one, whichever rules are on."""
    check(run, tmp_path, make(), *options)


def test_no_report_of_broken_text(run: Run, tmp_path: Path) -> None:
    """Nor where the line behind a secret does not parse."""
    check(run, tmp_path, declared("x: ["))
