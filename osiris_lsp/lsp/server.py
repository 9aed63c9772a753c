"""The server: its state, how handlers are registered, and how it ends."""

import asyncio
import functools
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from io import BufferedReader
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError
from pygls.io_ import StdoutWriter, run_async
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter
from pygls.uris import from_fs_path, to_fs_path

from osiris_lsp import __version__
from osiris_lsp.lsp import FEATURES
from osiris_lsp.lsp.options import Options
from osiris_lsp.lsp.projects import Projects
from osiris_lsp.lsp.protocol import Protocol, Text, Texts
from osiris_lsp.lsp.stdio import stream
from osiris_lsp.lsp.views import Foreign, View
from osiris_lsp.text import Encoding

if TYPE_CHECKING:
    from osiris_lsp.lsp.checks import Checks

log = logging.getLogger("osiris_lsp")

Handler = Callable[..., Any]
T = TypeVar("T")

_WORKERS: Final = 8


class Server(LanguageServer):
    """A language server for connections files, pipelines and component specs."""

    protocol: Protocol
    checks: "Checks"

    def __init__(self) -> None:
        super().__init__(
            "osiris-lsp",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            protocol_cls=Protocol,
            converter_factory=default_converter,
        )
        self.options = Options()
        self.projects = Projects()
        self.encoding: Encoding = "utf-16"
        self.trusted = True
        self.initial_options: Any = None
        # Called with the document that changed, or None, and whether others may depend on it.
        self.listeners: list[Callable[[str | None, bool], None]] = []
        # pygls reads its input on the pool that its own threads use, so blocking work gets another.
        self.executor = ThreadPoolExecutor(_WORKERS, thread_name_prefix="osiris")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._views: dict[str, tuple[int | None, int, View | None]] = {}
        self._foreign: tuple[str, Foreign] | None = None
        # pygls sets attributes on handlers, which methods do not take.
        self.feature(types.INITIALIZE)(functools.partial(self._initialize))
        self.feature(types.EXIT)(functools.partial(self._exit))
        for name in FEATURES:
            import_module(f"osiris_lsp.lsp.{name}").register(self)

    def start_io(self, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None) -> None:
        """Serve one client over two files, standard input and output where none are given."""
        stop = self._stop_event = threading.Event()
        file = cast(BufferedReader, stdin or sys.stdin.buffer)
        self.protocol.set_writer(StdoutWriter(stdout or sys.stdout.buffer))

        async def read() -> None:
            # A client may end in the middle of a message.
            with suppress(asyncio.IncompleteReadError):
                await run_async(
                    stop, stream(file), self.protocol, error_handler=self.report_server_error
                )

        try:
            asyncio.run(read())
        except BrokenPipeError:
            log.error("the client is gone")
        except KeyboardInterrupt:
            pass
        finally:
            self.shutdown()  # type: ignore[no-untyped-call]  # pygls gives it none

    def on(self, method: str, options: Any = None) -> Callable[[Handler], Handler]:
        """Register an async handler `(params)`; no text of its errors is answered."""

        def register(handler: Handler) -> Handler:
            self.feature(method, options)(_safe(handler))
            return handler

        return register

    def on_command(self, name: str) -> Callable[[Handler], Handler]:
        """Register an async handler `(*arguments)` of a command."""

        def register(handler: Handler) -> Handler:
            self.command(name)(_safe(handler))
            return handler

        return register

    def soon(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine beside all else; its errors are logged by type."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s in a task", type(task.exception()).__name__)

    async def blocking(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run what blocks off the loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, work, *arguments)

    def path(self, uri: str) -> str:
        """Return the path of a document; one that is not saved lies in the first folder."""
        if uri.startswith("file:"):
            return os.path.normpath(to_fs_path(uri) or uri)
        name = uri.rpartition("/")[2].rpartition(":")[2] or "untitled"
        folder = self.projects.folders[0] if self.projects.folders else os.getcwd()
        return os.path.join(folder, name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")

    def uri(self, path: str) -> str:
        """Return the URI of a file: that of the editor where it is open."""
        for uri in self.workspace.text_documents:
            if self.path(uri) == path:
                return str(uri)
        return str(from_fs_path(path))

    def view(self, uri: str) -> View | None:
        """Return an open document as it is now, or None for one that is not ours."""
        text = self.workspace.text_documents.get(uri)
        if text is None:
            return None
        path = self.path(uri)
        state = self.projects.of(path)
        known = self._views.get(uri)
        if known is not None and known[:2] == (text.version, state.generation):
            return known[2]
        before = known[2] if known is not None else None
        previous = before.document if before is not None else None
        document = state.project.open(path, text.source, previous=previous)
        view = None
        if document is not None and isinstance(text, Text) and document.text is text.source:
            document.index = text.index
        if document is not None and not state.project.is_excluded()(path):
            view = View(
                uri, text.version, document, state.linter, self.encoding, state.baseline, before
            )
        self._views[uri] = (text.version, state.generation, view)
        return view

    def views(self) -> Iterator[View]:
        """Yield the open documents that are ours."""
        for uri in tuple(self.workspace.text_documents):
            view = self.view(uri)
            if view is not None:
                yield view

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document."""
        self._views.pop(uri, None)
        for state in self.projects.states():
            state.linter.forget(self.path(uri))

    def touched(self, uri: str | None, wide: bool) -> None:
        """Tell those who show something of a change; `wide`: other documents may depend on it."""
        for listener in self.listeners:
            listener(uri, wide)

    def refresh(self) -> None:
        """Tell those who show something that all of it may have changed."""
        self.touched(None, True)

    def foreign(self, path: str) -> Foreign:
        """Return another file of a project, for places in it; it is kept while that is the same."""
        text = self.projects.of(path).project.read(path)[0]
        known = self._foreign
        if known is None or known[0] != path or known[1].lines.text != text:
            known = self._foreign = path, Foreign(text, self.encoding)
        return known[1]

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log the type of an error; its text may be text of a file."""
        log.error("%s in %s", type(error).__name__, getattr(source, "__name__", source))
        if source is JsonRpcException and isinstance(error, ValueError | RecursionError):
            self.protocol.refuse_text()

    def _initialize(self, params: types.InitializeParams) -> None:
        shared = self.workspace
        encoding = shared.position_encoding  # an enum, or the text of the client
        self.encoding = cast(Encoding, str(getattr(encoding, "value", encoding)))
        texts = Texts(
            shared.root_uri,
            types.TextDocumentSyncKind.Incremental,
            list(shared.folders.values()),
            shared.position_encoding,
        )
        texts.encoding = self.encoding
        self.protocol._workspace = texts
        self.read_folders()
        self.initial_options = params.initialization_options
        if params.process_id:
            threading.Thread(target=_watch, args=(params.process_id,), daemon=True).start()

    def read_folders(self) -> None:
        """Take over the folders of the client."""
        uris = [*self.workspace.folders] or [self.workspace.root_uri or ""]
        self.projects.folders = tuple(self.path(uri) for uri in uris if uri.startswith("file:"))

    def _exit(self, *_: Any) -> None:
        """End at once: pygls would wait for threads, and report their errors for seconds."""
        sys.stdout.flush()
        sessions = sys.modules.get("osiris_lsp.connectors.session")
        if sessions is not None:  # else nothing is open
            sessions.cleanup_session()
        os._exit(0 if self.protocol._shutdown else 1)


def _safe(handler: Handler) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(handler)
    async def safe(*arguments: Any) -> Any:
        try:
            return await handler(*arguments)
        except (JsonRpcException, asyncio.CancelledError):
            raise
        except Exception as error:
            log.error("%s in %s", type(error).__name__, handler.__name__)
            raise JsonRpcInternalError(f"{type(error).__name__} in {handler.__name__}") from None

    # pygls looks at the signature for a parameter of its own.
    del safe.__wrapped__
    return safe


def _watch(pid: int) -> None:
    """End the server when its client is gone: pygls does not look at `processId`."""
    while True:
        time.sleep(1)
        if not _is_alive(pid):
            os._exit(1)


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x00100000, False, pid)
        if not handle:
            return False
        ended = ctypes.windll.kernel32.WaitForSingleObject(handle, 0) == 0
        ctypes.windll.kernel32.CloseHandle(handle)
        return not ended
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
