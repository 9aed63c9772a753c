"""The commands of the server: doctor, trust, secrets to `.env`, explanations."""

import platform
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from osiris_lsp import __version__
from osiris_lsp.connectors.display import MASKED, Shown, shown_fields, shown_name
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.lsp.checks import Target, identifier, plain
from osiris_lsp.lsp.moves import move
from osiris_lsp.lsp.progress import Progress, created
from osiris_lsp.lsp.protocol import COMMAND_TOKEN
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.targets import chosen, failed
from osiris_lsp.ruledoc import markdown
from osiris_lsp.rules import RULES, load
from osiris_lsp.rules import find as find_rule
from osiris_lsp.secrets.names import is_secret_name
from osiris_lsp.specs import nearest


def register(server: Server) -> None:
    """Register the commands."""

    @server.on_command("osiris.doctor")
    async def doctor(*arguments: Any) -> list[Any]:
        targets = await chosen(server, _options(arguments))
        await server.checks.ask(targets)
        token = COMMAND_TOKEN.get() or await created(server)
        async with Progress(server, "osiris doctor", token, len(targets)) as progress:
            results = await server.checks.run(targets, progress.report)
        return [result.as_json() for result in results]

    @server.on_command("osiris.trust")
    async def trust(*arguments: Any) -> list[Any]:
        if server.checks.refusal is not None:
            raise failed(server.checks.refusal)
        targets = await chosen(server, _options(arguments))
        trusted = {id(item.entry) for item in await server.checks.ask(targets)}
        return [{**_head(item), "trusted": id(item.entry) in trusted} for item in targets]

    @server.on_command("osiris.showResolved")
    async def show(*arguments: Any) -> Any:
        name = _text(arguments, "id")
        target = (await chosen(server, {"ids": [name]}))[0]
        return await server.blocking(_resolved, server, target)

    @server.on_command("osiris.moveSecretToEnv")
    async def move_secret(*arguments: Any) -> Any:
        return await move(server, _text(arguments, "uri"), _options(arguments).get("position"))

    @server.on_command("osiris.explainRule")
    async def explain(*arguments: Any) -> Any:
        word = _text(arguments, "rule")
        entry = find_rule(word)
        if entry is None:
            close = nearest(word, (*RULES, *(item.code for item in RULES.values())))
            hint = f"; did you mean `{close}`?" if close else ""
            raise failed(f"`{word}` is no rule{hint}")
        text = markdown(entry.name, load(entry.name))
        return {"code": entry.code, "rule": entry.name, "markdown": text}

    @server.on_command("osiris.debugInformation")
    async def debug(*arguments: Any) -> Any:
        return _information(server)


def _options(arguments: tuple[Any, ...]) -> Mapping[str, Any]:
    given = plain(arguments[0]) if arguments else None
    if given is not None and not isinstance(given, Mapping):
        raise failed("a command takes one object with named values")
    return given or {}


def _text(arguments: tuple[Any, ...], name: str) -> str:
    value = _options(arguments).get(name)
    if not isinstance(value, str):
        raise failed(f"`{name}` is missing")
    return value


def _head(target: Target) -> dict[str, Any]:
    entry = target.entry
    name = identifier(target.path, entry)
    return {"id": name, "family": entry.family.canonical, "alias": entry.alias}


def _resolved(server: Server, target: Target) -> dict[str, Any]:
    """Return a connection as it may be shown, with the source of each value.

    A stranger's file may put any variable into any field: values of variables show with consent
    only, and never where the name of the variable says that it is a secret.
    """
    checks = server.checks
    trusted = checks.refusal is None and checks.store.is_trusted(target.path, target.entry)
    try:
        resolver = checks.resolver(target)
        fields = list(shown_fields(resolver, target.entry))
        family, alias = shown_name(resolver, target.entry)
    except ConnectorConfigError:
        raise failed(f"{target.path} cannot be read; its findings say why") from None
    listed = [
        {
            "name": field.name,
            "value": field.value if _may_show(field, trusted) else MASKED,
            "secret": field.secret,
            "sources": [{"kind": item.kind, "name": item.name} for item in field.origins],
        }
        for field in fields
    ]
    head = {**_head(target), "family": family, "alias": alias}
    return {**head, "trusted": trusted, "fields": listed}


def _may_show(field: Shown, trusted: bool) -> bool:
    if field.secret:  # it is masked, or a reference as it is written
        return True
    read = [item.name for item in field.origins if item.kind in ("environment", ".env")]
    return not read or (trusted and not any(map(is_secret_name, read)))


def _information(server: Server) -> dict[str, Any]:
    """Return what helps with a report of a bug: no text of a document, no path, no value."""
    views = list(server.views())
    converter = server.protocol._converter
    return {
        "versions": {
            "osiris-lsp": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{name: version(name) for name in ("pygls", "lsprotocol", "ruamel.yaml")},
        },
        "encoding": server.encoding,
        "settings": server.options._asdict(),
        "trust": {"refusal": server.checks.refusal},
        "capabilities": {
            "client": converter.unstructure(server.client_capabilities),
            "server": converter.unstructure(server.server_capabilities),
        },
        "counts": {
            "folders": len(server.projects.folders),
            "projects": len(list(server.projects.states())),
            "documents": len(server.workspace.text_documents),
            "ours": dict(Counter(view.document.kind for view in views)),
            "findings": sum(len(view.findings) for view in views),
            "checks": server.checks.revision,
        },
    }
