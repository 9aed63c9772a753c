"""What a check of a connection depends on, what it asks consent for, and what it marks."""

import hashlib
import os
from collections.abc import Sequence

from osiris_lsp.connectors.trust import consent_of
from osiris_lsp.documents import Connection
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref, to_python


def stamp(path: str, entry: Connection) -> str:
    """Return what a result depends on, in short: the consent, all values, and `.env`."""
    values = repr(to_python(entry.value))
    text = f"{consent_of(entry).fingerprint}\n{dotenv_state(path)}\n{values}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def dotenv_state(path: str) -> str:
    """Return what tells whether the `.env` beside a file has changed."""
    try:
        status = os.stat(os.path.join(os.path.dirname(path), ".env"))
    except OSError:
        return ""
    return f"{status.st_mtime_ns}-{status.st_size}"


def question(entries: Sequence[Connection]) -> str:
    """Return what is asked before anything connects: every destination, every `${…}`."""
    lines = ["Allow osiris-lsp to connect, and to read these variables?"]
    for entry in entries:
        consent = consent_of(entry)
        places = ", ".join(f"{field}: {text}" for field, text in consent.destinations)
        tls = ", ".join(f"{field}: {text}" for field, text in consent.tls)
        lines.append(
            f"{entry} connects to {places or 'nothing that is written here'}"
            + (f"; TLS {tls}" if tls else "")
            + f"; reads {', '.join(consent.references) or 'no variables'}"
        )
    # Editors make links of `[text](command:…)` in messages; a file must not bring one in.
    return "\n".join(printable(line).replace("](", "] (") for line in lines)


def place(entry: Connection, field: str) -> Span:
    """Return the range of a field such as `auth.token` or `replicas[0].host`, else of the alias."""
    node: Node | None = entry.value
    spelling = entry.spec.canonical if entry.spec is not None else str
    key: Scalar | None = None
    for part in field.replace("[", ".[").split(".") if field else ():
        node = deref(node) if node is not None else None
        if isinstance(node, Seq) and part[1:-1].isdigit() and int(part[1:-1]) < len(node.items):
            node = node.items[int(part[1:-1])]
        elif isinstance(node, Map):
            top = node is entry.node
            pairs = [node.fields[part]] if part in node.fields else []
            pairs += [pair for name, pair in node.fields.items() if top and spelling(name) == part]
            if not pairs:
                break
            key, node = pairs[0]
        else:
            break
    if key is None:
        return entry.key.span
    filled = isinstance(node, Scalar) and node.end > node.start and node.style not in ("|", ">")
    return node.span if filled and node is not None else key.span
