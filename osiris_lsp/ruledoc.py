"""The documentation of a rule, read from its docstring: for the terminal, pages and hovers."""

import os
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from osiris_lsp.rules import Rule
from osiris_lsp.text import lazy

_FENCE: Final = lazy(r"^```yaml ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class RuleDoc(NamedTuple):
    """The parts of a rule's docstring; examples map file names to their texts."""

    summary: str
    why: str
    example: Mapping[str, str]
    instead: Mapping[str, str]
    fix: str


def read(rule: Rule) -> RuleDoc:
    """Read the docstring of a rule."""
    # Python 3.13 and later replace tabs in docstrings by spaces, so `␉` stands for one.
    text = (rule.__doc__ or "").strip().replace("␉", "\t")
    head, _, rest = text.partition("\nExample:\n")
    example, _, rest = rest.partition("\nUse instead:\n")
    instead, _, fix = rest.partition("\nFix: ")
    summary, _, why = head.strip().partition("\n\n")
    return RuleDoc(
        " ".join(summary.split()),
        why.strip(),
        {name.strip(): body for name, body in _FENCE.findall(example)},
        {name.strip(): body for name, body in _FENCE.findall(instead)},
        " ".join(fix.split()),
    )


def markdown(name: str, rule: Rule) -> str:
    """Return the page of a rule."""
    doc = read(rule)
    source = f" Source: {rule.SOURCE}." if rule.SOURCE else ""
    kinds = ", ".join(rule.KINDS)
    parts = [
        f"# {name} ({rule.CODE})\n",
        f"\n{doc.summary}\n",
        f"\nSeverity: {rule.SEVERITY}. Checks: {kinds}.{source}\n",
        f"\n{doc.why}\n" if doc.why else "",
        "\n## Example\n",
        *(f"\n`{file}`\n```yaml\n{body}```\n" for file, body in doc.example.items()),
        "\n## Use instead\n",
        *(f"\n`{file}`\n```yaml\n{body}```\n" for file, body in doc.instead.items()),
        f"\n## Fix\n\n{doc.fix[:1].upper()}{doc.fix[1:]}\n" if doc.fix else "",
        f"\n## Silence\n\n`# osiris: ignore[{rule.CODE}] reason` at the end of the line or on the "
        f'line before, or `ignore = ["{name}"]` in `osiris-lsp.toml`.\n',
    ]
    return "".join(parts)


def page(name: str) -> str | None:
    """Return the path of a rule's page, in the wheel or in a checkout; None where it is missing."""
    here = os.path.dirname(os.path.abspath(__file__))
    folders = os.path.join(here, "_docs"), os.path.join(os.path.dirname(here), "docs")
    paths = (os.path.join(folder, "rules", f"{name}.md") for folder in folders)
    return next((path for path in paths if os.path.isfile(path)), None)
