"""Files with secrets wherever a schema or a rule knows some, and what finds them again."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Final, NamedTuple

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from osiris_lsp.documents import ConnectionsDocument, Document, PipelineDocument
from osiris_lsp.secrets import Kind
from osiris_lsp.secrets.providers import Provider, find_tokens, providers
from osiris_lsp.specs import Families, Section, builtin_components
from tests.cli.conftest import CONNECTIONS, PIPELINE, write
from tests.secrets.test_detector import OTHERS, PLAIN
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

BREAKS: Final = ("x: [", "x: 'open", "\t- x", "}: ]", 'x: "a" b', "- x\n  y: - z", "%x: @y", "  x")
"""Lines that do not parse."""

GLUED: Final = ("{:", ": [", " [:", ": x", ": {", "\tx: y", "'", '"', "}", "]", ",", ", x: [")
"""What somebody may have typed too much at the end of a line."""


class Planted(NamedTuple):
    """A file, and what must never be seen of the secrets in it: their ends."""

    path: str
    text: str
    marks: tuple[str, ...]

    @property
    def document(self) -> Document:
        """The file as what its path says."""
        if "pipelines/" in self.path:
            return PipelineDocument(self.path, self.text, builtin_components())
        if self.path.endswith("osiris_connections.yaml"):
            return ConnectionsDocument(self.path, self.text, Families())
        return Document(self.path, self.text)


Ways = Callable[[], Sequence[str]]
"""What gives the ways to write the next secret."""


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

    def marks(self, since: int = 0) -> tuple[str, ...]:
        """Return what must not be seen of the secrets made: of a long one either end."""
        made = self.made[since:]
        return tuple(made) if self.weak else tuple(p for m in made for p in (m[:9], m[-9:]))


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


def connections(mint: Mint, ways: Ways, tails: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield a connections file of each family with its secret fields in each form."""
    for name, family in Families().items():
        lines = [f"version: 1\nconnections:\n  {name}:\n"]
        for number, (way, template) in enumerate(fields_of(family.section)):
            for form_number, form in enumerate(ways()):
                lines.append(f"    a{number}_{form_number}:\n")
                lines.append(nested(way, template, form, mint, 6))
                lines.append(indented(next(tails), 6))
        yield f"{name}/osiris_connections.yaml", "".join(lines)


def pipelines(mint: Mint, ways: Ways, tails: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield a pipeline of each component with its secret fields in each form."""
    for name, spec in builtin_components().items():
        lines = ['oml_version: "0.1.0"\nname: orders\nsteps:\n']
        for number, way in enumerate(sorted(spec.secrets)):
            for form_number, form in enumerate(ways()):
                lines.append(f"  - id: s-{number}-{form_number}\n    component: {name}\n")
                lines.append('    mode: read\n    config:\n      connection: "@mysql.default"\n')
                lines.append(nested(way, "{}", form, mint, 6))
                lines.append(indented(next(tails), 6))
        yield f"pipelines/{name}.yaml", "".join(lines)


def declared(broken: bool = False, weak: bool = False, every: bool = False) -> list[Planted]:
    """Return the fields that schemas declare secret, each followed by a line that breaks.

    Each is written in `every` form, or in one.
    """
    mint, tails = Mint(weak), cycle(BREAKS if broken else [""])
    forms = cycle(mint.forms)
    files: list[Planted] = []
    for make in (connections, pipelines):
        known = len(mint.made)
        for path, text in make(mint, lambda: mint.forms if every else [next(forms)], tails):
            files.append(Planted(f"declared/{path}", text, mint.marks(known)))
            known = len(mint.made)
    return files


class Example(NamedTuple):
    """A text with a leak that a rule recognises, and what must never be seen of it."""

    kind: Kind
    text: str
    marks: tuple[str, ...]


def examples(weak: bool = False) -> Iterator[Example]:
    """Yield each kind of leak in each of its forms with a new secret, and a token of each format.

    `weak` ones are those that the rules recognise though the secret is a plain word.
    """
    mint = Mint(weak)
    known: list[tuple[str, Kind, str]] = [(text, "plaintext-secret", word) for text, word in PLAIN]
    known += [(text, kind, word) for text, kind, word in OTHERS]  # type: ignore[misc]
    hidden = encoded("password=tractor9 and so on")
    known.append((f"a: {hidden}", "encoded-secret", hidden))
    for text, kind, word in known:
        since = len(mint.made)
        new = secret = mint.secret()
        marks = mint.marks(since)
        clear = decoded(word)
        if clear is not None and "tractor9" in clear:
            new = encoded(clear.replace("tractor9", secret))
            marks = (*marks, *([new[8:-8]] if len(new) > 28 else ()))
        found = Example(kind, text.replace(word, new), marks)
        if not weak or Document("a.yaml", found.text).detection.leaks:
            yield found
    if not weak:
        body = Mint().secret() * 5
        pem = "-----BEGIN " + f"PRIVATE KEY-----\n  {body}\n  -----END " + "PRIVATE KEY-----"
        yield Example("private-key", f"key: |\n  {pem}", (body[:8], body[-8:]))
        for text, token in tokens():
            yield Example("provider-token", text, (token, token[:14], token[-14:]))


def encoded(text: str) -> str:
    """Return a text in base64."""
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str | None:
    """Return what base64 stands for, if it is that."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


@cache
def tokens() -> Sequence[tuple[str, str]]:
    """Return a text with a token of each known format, and the part of it that is secret."""
    return [token_of(provider) for provider in providers()]


def token_of(provider: Provider) -> tuple[str, str]:
    """Make a token of a format that the detector takes for one."""
    found: list[tuple[str, str]] = []
    pattern = re.sub(r"\[[^\]]*\]", lambda match: re.sub(r"[.=/%]", "", match[0]), provider.source)
    word = provider.words[0] if provider.words else "a"

    @settings(
        max_examples=1,  # the first that the detector takes
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii")))
    def draw(token: str) -> None:
        text = f"{word}: see {token} here"
        spans = [item.span for item in find_tokens(text, text.lower())]
        assume(spans)
        found.append((text, text[slice(*spans[0])]))

    draw()
    return found[-1]


def rules(broken: bool = False, weak: bool = False) -> list[Planted]:
    """Return what the rules recognise: in foreign YAML, in configs of steps and in connections.

    What parses shares a file of each kind, the others have one each; so has all that is `broken`
    in foreign YAML, where nothing parts one entry from the next.
    """
    files: list[Planted] = []
    tails = cycle(BREAKS if broken else [""])
    foreign, pipeline, entries = "", PIPELINE, CONNECTIONS
    marks: list[str] = []
    for number, found in enumerate(examples(weak)):
        tail = next(tails)
        step = f"  - id: s-{number}\n    component: mysql.extractor\n    mode: read\n    config:\n"
        step += '      connection: "@mysql.default"\n      extra:\n'
        step += indented(found.text, 8) + indented(tail, 6)
        entry = f"    e{number}:\n      host: a\n      extra:\n{indented(found.text, 8)}"
        entry += indented(tail, 6)
        if Document("a.yaml", found.text).tree.is_whole:
            if broken:
                text = f"e:\n{indented(found.text, 2)}{indented(tail, 2)}"
                files.append(Planted(f"rules/{number}/foreign.yaml", text, found.marks))
            else:
                foreign += f"e{number}:\n{indented(found.text, 2)}"
            pipeline, entries = pipeline + step, entries + entry
            marks += found.marks
        else:
            name = f"rules/{number}"
            files.append(Planted(f"{name}/foreign.yaml", found.text + "\n", found.marks))
            files.append(Planted(f"{name}/pipelines/a.yaml", PIPELINE + step, found.marks))
            path = f"{name}/osiris_connections.yaml"
            files.append(Planted(path, CONNECTIONS + entry, found.marks))
    files.append(Planted("rules/foreign.yaml", foreign, tuple(marks)))
    files.append(Planted("rules/pipelines/a.yaml", pipeline, tuple(marks)))
    files.append(Planted("rules/osiris_connections.yaml", entries, tuple(marks)))
    return files


def indented(text: str, by: int) -> str:
    """Return the lines of a text further to the right; of an empty text none."""
    if not text:
        return ""
    return "".join(f"{' ' * by}{line}\n" for line in text.rstrip("\n").split("\n"))


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


def glued(files: Sequence[Planted], above: bool) -> list[Planted]:
    """Return files with something glued to each line with a secret, or to each key `above`."""
    slips = cycle(GLUED)
    made: list[Planted] = []
    for file in files:
        lines = file.text.splitlines()
        for at, line in enumerate(lines):
            if line.endswith(":") if above else any(mark in line for mark in file.marks):
                lines[at] += next(slips)
        made.append(file._replace(text="\n".join(lines) + "\n"))
    return made


def plant(folder: Path, files: Sequence[Planted]) -> None:
    """Write the files, in a project each where they have a folder of their own."""
    write(folder, {file.path: file.text for file in files})


def showing(shown: Mapping[str, str], files: Sequence[Planted]) -> list[tuple[str, str, str]]:
    """Return which output shows which secret, in any case of letters."""
    marks = {mark.lower(): file.path for file in files for mark in file.marks}
    found = []
    for name, text in shown.items():
        folded = text.lower()
        words = "\n".join(set(re.findall(r"\w+", folded)))  # reports repeat much
        for mark, path in marks.items():
            if max(re.findall(r"\w+", mark), key=len) in words and mark in folded:
                found.append((name, path, mark))
    return found
