"""`osiris-lsp connections add`: a new connection, asked for field by field."""

import argparse
import getpass
import os
import sys
from collections.abc import Iterator, Mapping, Sequence

from osiris_lsp.additions import addition, applied, is_reference, lines_of, written
from osiris_lsp.cli import UsageError
from osiris_lsp.cli.connections.source import command_parser
from osiris_lsp.cli.terminal import Parser
from osiris_lsp.discovery import CONNECTIONS
from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.envfile import EnvFileError, store
from osiris_lsp.files import replace
from osiris_lsp.fixes import ChangedMeanwhileError, write
from osiris_lsp.project import Project, open_project
from osiris_lsp.refs import NAME, variable_name
from osiris_lsp.specs import FamilySpec, FieldSpec, nearest

_EPILOG = """\
examples:
  osiris connections add mysql                       asks for everything
  osiris connections add postgres --alias reports
  osiris connections add mysql --alias ci --set host=db --set database=shop --set user=ci

A secret is never written into the file: it becomes `${FAMILY_ALIAS_FIELD}`, and its value goes to
`.env` if you wish.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    options = command_parser("add", "Add a connection to the connections file.", _EPILOG)
    options.add_argument("family", metavar="FAMILY", help="the kind of system, such as mysql")
    options.add_argument("--alias", metavar="A", help="default: asked for, or `default`")
    options.add_argument(
        "--set", action="append", metavar="FIELD=VALUE", help="a field; nothing is asked then"
    )
    return options


def run(argv: Sequence[str]) -> int:
    """Run `osiris-lsp connections add` and return its exit code."""
    args = parser().parse_args(argv)
    project, path = _place(args)
    spec = project.families.find(args.family)
    if spec is None:
        close = nearest(args.family, project.families.spellings)
        hint = f"; did you mean `{close}`?" if close else ""
        raise UsageError(
            f"`{args.family}` is no family{hint} (families: {', '.join(project.families)})"
        )
    text, document = _read(project, path)
    asks = args.set is None
    if asks and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on; give the fields with `--set FIELD=VALUE`")
    alias = args.alias or (_ask_alias(document, spec) if asks else "default")
    if not NAME.fullmatch(alias):
        raise UsageError(f"`{alias}` is no alias: use lower-case letters, digits and `_`")
    if document.find(spec.name, alias) is not None:
        raise UsageError(f"`@{spec.name}.{alias}` exists already")
    fields = dict(_ask(spec, alias, path) if asks else _given(spec, alias, args.set))
    _require(spec, fields)
    after = _added(document, text, spec, alias, fields)
    _write(path, text, after)
    print(f"added @{spec.name}.{alias} to {os.path.relpath(path)}")
    print(f"next: `osiris connections doctor @{spec.name}.{alias}` checks that it works")
    return 0


def _place(args: argparse.Namespace) -> tuple[Project, str]:
    """Return the project and the path of its connections file, which may not exist yet."""
    path = os.path.abspath(args.connections_file) if args.connections_file else None
    home = os.environ.get("OSIRIS_HOME")
    folder = os.path.dirname(path) if path else os.getcwd()
    project = open_project(folder, connections_file=path, home=home)
    new = os.path.join(home or project.root, CONNECTIONS[0])
    return project, path or project.connections_path(os.path.join(folder, CONNECTIONS[0])) or new


def _read(project: Project, path: str) -> tuple[str, ConnectionsDocument]:
    if not os.path.exists(path):
        text = ""
    else:
        text, problem = project.read(path)
        if problem is not None:
            raise UsageError(f"{path}: {problem[1]}")
    document = ConnectionsDocument(path, text, project.families)
    if document.tree.problems:
        raise UsageError(f"{path} does not parse; `osiris-lsp lint` shows where")
    return text, document


def _ask_alias(document: ConnectionsDocument, spec: FamilySpec) -> str:
    print(f"{spec.title}: {spec.description}\n")
    taken = {entry.alias for entry in document.of_family(spec.name)}
    default = "default" if "default" not in taken else ""
    return _prompt("alias", default, "the name after the dot of `@family.alias`")


def _prompt(name: str, default: str, about: str) -> str:
    print(about)
    shown = f" [{default}]" if default else ""
    try:
        return input(f"{name}{shown}: ").strip() or default
    except EOFError:
        raise UsageError("the input ended; nothing was written") from None


def _ask(spec: FamilySpec, alias: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield the fields that the family needs as the user gives them, secrets as `${NAME}`."""
    groups = [group for group in spec.requirements if group]
    names = [name for group in groups for name in group[0]]
    extra = [name for name in ("port",) if name in spec.fields and name not in names]
    for name in [*names, *extra]:
        field = spec.fields[name]
        if field.secret:
            yield name, _ask_secret(spec, alias, field, path)
            continue
        default = field.schema.get("default", "")
        while True:
            value = _prompt(name, written(default) if default != "" else "", field.description)
            if not value and name not in extra:
                print(f"`{name}` is needed")
                continue
            break
        if value and value != str(default):
            yield name, value


def _ask_secret(spec: FamilySpec, alias: str, field: FieldSpec, path: str) -> str:
    name = _prompt(
        f"{field.name}: name of the variable that holds it",
        variable_name(spec.name, alias, field.name),
        field.description,
    )
    name = name.removeprefix("${").removesuffix("}")
    value = getpass.getpass("its value, to store in .env (not shown; empty: it is set elsewhere): ")
    if value:
        target = os.path.join(os.path.dirname(path), ".env")
        try:
            store(target, name, value)
        except EnvFileError as error:
            raise UsageError(str(error)) from error
        print(f"stored `{name}` in {os.path.relpath(target)}")
    return f"${{{name}}}"


def _given(spec: FamilySpec, alias: str, given: Sequence[str]) -> Iterator[tuple[str, str]]:
    named = set()
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"`--set {name}` lacks its value: write `--set {name}=VALUE`")
        field = spec.fields.get(name)
        if field is None:
            close = nearest(name, spec.fields)
            hint = f"; did you mean `{close}`?" if close else ""
            raise UsageError(f"`{name}` is no field of {spec.name}{hint}")
        if field.secret and not is_reference(value):
            variable = variable_name(spec.name, alias, name)
            raise UsageError(
                f"`{name}` is a secret and is not written into the file: "
                f"give the variable that holds it, `--set '{name}=${{{variable}}}'`"
            )
        named.add(name)
        yield name, value
    # What is left out of the secrets that the family needs becomes a variable.
    for group in spec.requirements:
        if any(set(option) <= named for option in group):
            continue
        for name in group[0]:
            if spec.fields[name].secret and name not in named:
                yield name, f"${{{variable_name(spec.name, alias, name)}}}"


def _require(spec: FamilySpec, fields: Mapping[str, str]) -> None:
    for options in spec.requirements:
        if not any(all(fields.get(name) for name in option) for option in options):
            missing = [name for name in options[0] if not fields.get(name)]
            raise UsageError(f"a {spec.name} connection needs `{'`, `'.join(missing)}`")


def _added(
    document: ConnectionsDocument,
    text: str,
    spec: FamilySpec,
    alias: str,
    fields: Mapping[str, str],
) -> str:
    """Return the text of the file with the connection in it; all else stays as it is."""
    edit = addition(document, spec, alias, fields)
    if edit is None:
        lines = [f"    {line}" for line in lines_of(document, spec, fields)]
        raise UsageError(
            f"{document.path} is laid out in a way that cannot be added to; add this by hand:\n"
            + "\n".join([f"{spec.name}:", f"  {alias}:", *lines])
        )
    return applied(text, edit)


def _write(path: str, before: str, after: str) -> None:
    try:
        if before or os.path.exists(path):
            write(path, before, after)
        else:
            replace(path, after.encode())
    except ChangedMeanwhileError as error:
        raise UsageError(f"{path} changed in the meantime; run the command again") from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"{path} cannot be written: {reason}; nothing was changed") from error
