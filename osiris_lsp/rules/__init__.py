"""The rules: one module each, listed in the generated `index`, imported when they are needed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol, cast

from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.rules.index import INDEX
from osiris_lsp.settings import Settings

ENVIRONMENT: Final = frozenset(("unset-variable", "missing-tls-file", "env-file-committed"))
"""Rules that depend on more than the text: off unless `check-env` is on."""


class Rule(Protocol):
    """What a rule module offers; its docstring is its documentation everywhere.

    `KINDS` are the kinds of documents that `check` understands. `SOURCE` is the contract behind
    the rule, such as `CONN-004`, or empty. A module may say `ENTRYWISE = True`: what it finds in a
    step or connection depends on that entry, on what stands around all entries and on other files,
    but on other entries only through `document.whole` and, better, `document.outlined`.
    `OUTLINE = True`: it depends on what `parts.Identity.outline` holds of the entries, on what
    stands around them, and on nothing else where it finds nothing.
    """

    CODE: str
    SEVERITY: Severity
    KINDS: tuple[str, ...]
    SOURCE: str
    __doc__: str | None

    def check(self, document: Any, project: Project) -> Iterable[Problem]:
        """Yield the problems of a document."""
        ...


class Entry(NamedTuple):
    """A line of the index: what is known of a rule without importing it."""

    name: str
    code: str
    severity: Severity
    kinds: tuple[str, ...]
    source: str
    entrywise: bool = False
    outline: bool = False


RULES: Final[Mapping[str, Entry]] = {name: Entry(name, *rest) for name, rest in INDEX.items()}
"""All rules by name, in the order of their codes."""


@cache
def load(name: str) -> Rule:
    """Import a rule by its name."""
    module = import_module(f"osiris_lsp.rules.{name.replace('-', '_')}")
    return cast(Rule, module)


def find(word: str) -> Entry | None:
    """Return a rule by name or code, in any case, or None."""
    folded = word.casefold()
    for entry in RULES.values():
        if folded in (entry.name, entry.code.casefold()):
            return entry
    return None


def matches(selector: str, entry: Entry) -> bool:
    """Tell whether a selector (code, prefix of a code, name, `ALL`) covers a rule."""
    return selector in ("ALL", entry.name) or entry.code.startswith(selector.upper())


def is_selector(word: str) -> bool:
    """Tell whether a word selects at least one rule."""
    return any(matches(word, entry) for entry in RULES.values())


def unknown_selectors(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield selectors of settings that name no rule, with the setting they stand in."""
    for name, words in (("select", settings.select), ("ignore", settings.ignore)):
        yield from ((name, word) for word in words if not is_selector(word))
    yield from (("severity", word) for word, _ in settings.severity if not is_selector(word))
    for _, words in settings.per_file_ignores:
        yield from (("per-file-ignores", word) for word in words if not is_selector(word))


def selected(select: Sequence[str], ignore: Sequence[str], environment: bool) -> Iterator[Entry]:
    """Yield the rules that are on: the most precise selector decides, `ignore` wins a tie."""
    for entry in RULES.values():
        if entry.name in ENVIRONMENT and not environment:
            continue
        chosen = max((_weight(word, entry) for word in select), default=-1)
        dropped = max((_weight(word, entry) for word in ignore), default=-1)
        if chosen > dropped:
            yield entry


def _weight(selector: str, entry: Entry) -> int:
    """Return how precisely a selector names a rule; -1 when it does not."""
    if not matches(selector, entry):
        return -1
    if selector == "ALL":
        return 0
    return 99 if selector == entry.name else len(selector)
