"""Settings of the client and of projects: when they change, and what is wrong with them."""

from typing import Any

from lsprotocol import types

from osiris_lsp.lsp.options import read
from osiris_lsp.lsp.server import Server
from osiris_lsp.project import Project
from osiris_lsp.reports.settings import settings_records
from osiris_lsp.text import printable


def register(server: Server) -> None:
    """Register the handlers."""
    said: set[str] = set()
    known: dict[tuple[str, str | None], list[str]] = {}

    def log(problem: str) -> None:
        server.window_log_message(types.LogMessageParams(types.MessageType.Warning, problem))

    def opened(project: Project) -> None:
        """Say what is wrong with the settings of a project, once for as long as it is."""
        place = project.root, project.settings.path
        records = list(settings_records(project, project.root))
        before = known.get(place, ())
        known[place] = [item.message for item in records]
        fresh = [
            f"{item.place.path}:{item.place.line}: {printable(item.message)}"
            for item in records
            if item.message not in before
        ]
        if fresh:
            more = f"; {len(fresh) - 1} more in the log" if fresh[1:] else ""
            first = types.ShowMessageParams(types.MessageType.Warning, fresh[0] + more)
            server.window_show_message(first)
        for problem in fresh[1:]:
            log(problem)

    server.projects.opened = opened

    def take(data: Any) -> None:
        if isinstance(data, dict) and isinstance(data.get("osiris"), dict):
            data = data["osiris"]
        options, problems = read(_plain(data))
        server.options = options
        for problem in problems:
            if problem not in said:  # once, however often the client sends it
                said.add(problem)
                log(problem)

    async def pull() -> None:
        capabilities = server.client_capabilities.workspace
        if capabilities is None or not capabilities.configuration:
            return
        item = types.ConfigurationItem(section="osiris")
        found = await server.workspace_configuration_async(types.ConfigurationParams([item]))
        if found and found[0] is not None:
            take(found[0])

    @server.on(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        initial = server.initial_options
        if initial is not None:
            take(initial)
        await pull()
        if server.options.scope == "workspace":
            server.refresh()
        await _register_watchers(server)

    @server.on(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def changed(params: types.DidChangeConfigurationParams) -> None:
        if params.settings:
            take(params.settings)
        await pull()
        server.refresh()


def _plain(data: Any) -> Any:
    """Return settings as plain mappings: pygls makes named tuples of unknown objects."""
    if hasattr(data, "_asdict"):
        data = data._asdict()
    return {key: _plain(value) for key, value in data.items()} if isinstance(data, dict) else data


async def _register_watchers(server: Server) -> None:
    workspace = server.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace is not None else None
    if watched is None or not watched.dynamic_registration:
        return
    names = ("*.{yaml,yml,json}", ".env", ".gitignore", "osiris-lsp.toml", "pyproject.toml")
    patterns = [f"**/{name}" for name in names]
    options = types.DidChangeWatchedFilesRegistrationOptions(
        [types.FileSystemWatcher(pattern) for pattern in patterns]
    )
    registration = types.Registration(
        "osiris-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options
    )
    await server.client_register_capability_async(types.RegistrationParams([registration]))
    server.projects.is_watched = True
