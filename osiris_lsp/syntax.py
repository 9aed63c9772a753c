"""Parse any YAML text to a tree plus problems; never raises."""

import gc

import yaml

from osiris_lsp.compose import compose
from osiris_lsp.tree import Tree


def parse(text: str, previous: Tree | None = None) -> Tree:
    """Parse a text; what the runtime's parser refuses becomes `Tree.problems`.

    Around a syntax error the text is repaired without moving a character, so that everything
    outside the broken place keeps its nodes and its findings. `previous` is the tree of the text
    before an edit: it makes no difference to the result, and saves most of the work.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        if previous is not None:
            from osiris_lsp.assembly import revised

            tree = revised(text, previous)
            if tree is not None:
                return tree
        return compose(text)
    except (yaml.YAMLError, UnicodeEncodeError):
        from osiris_lsp.assembly import mended
        from osiris_lsp.recovery import recover

        return mended(text) or recover(text)
    finally:
        if collects:
            gc.enable()
