"""Emacs with its two clients of language servers, from Debian's packages."""

from collections.abc import Mapping
from pathlib import Path

from tests.services import packages

_MODE = "usr/share/emacs/site-lisp/elpa-src/lsp-mode-*"
_PACKAGES = ("elpa-lsp-mode", "elpa-eglot", "elpa-yaml-mode", "emacs-nox", "git")


def emacs() -> tuple[list[str], Mapping[str, str]]:
    """The command and its variables; `Unavailable` where the packages cannot be had."""
    root, mode = packages.find(_MODE, *_PACKAGES)
    clients = [item for item in mode.parent.iterdir() if item.is_dir()]
    if root == Path("/"):
        return ["emacs"], {"EMACSLOADPATH": ":".join([*map(str, clients), ""])}
    (share,) = root.glob("usr/share/emacs/[0-9]*")
    (dump,) = root.glob("usr/libexec/emacs/*/*/*.pdmp")
    lisp = [item for item in (share / "lisp").iterdir() if item.is_dir()]
    variables = {
        **packages.environment(root),
        "EMACSLOADPATH": ":".join(map(str, [*clients, *lisp, share / "lisp"])),
        "EMACSDATA": str(share / "etc"),
        "EMACSDOC": str(share / "etc"),
        "EMACSPATH": str(dump.parent),
    }
    return [str(root / "usr/bin/emacs-nox"), f"--dump-file={dump}"], variables
