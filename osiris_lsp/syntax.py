"""Parse any YAML text to a tree plus problems; never raises."""

import gc

import yaml

from osiris_lsp.compose import compose
from osiris_lsp.tree import Tree


def parse(text: str) -> Tree:
    """Parse a text; what the runtime's parser refuses becomes `Tree.problems`.

    Around a syntax error the text is repaired without moving a character, so that everything
    outside the broken place keeps its nodes and its findings.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return compose(text)
    except (yaml.YAMLError, UnicodeEncodeError):
        from osiris_lsp.recovery import recover

        return recover(text)
    finally:
        if collects:
            gc.enable()
