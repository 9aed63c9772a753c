"""A tree after an edit equals the one of a fresh look, whatever was there before.

`OSIRIS_LSP_FUZZ` sets the number of edits (default 2,000).
"""

import os
import random
from itertools import pairwise

import pytest

from osiris_lsp.assembly import Assembled
from osiris_lsp.pieces import cut
from osiris_lsp.syntax import parse
from osiris_lsp.tree import Alias, Map, Node, Scalar, Seq, Tree, children
from tests.test_fuzz import SEEDS, TOKENS

EDITS = int(os.environ.get("OSIRIS_LSP_FUZZ", "2000"))

PIPELINE = """\
# one pipeline
oml_version: "0.1.0"
name: movies

steps:
# the first
- id: read
  component: mysql.extractor
  config:
    connection: "@mysql.db"
    query: |
      SELECT *

      FROM movies
- id: "write"
  needs: [read]

  # a comment
  config: {table: "a, b"}
- id: last
note: the end
"""
CONNECTIONS = """\
version: 1
connections:
  mysql:
    # comments
    default:
      host: db
      port: 3306
    "other":
      host: 'x'
  "postgres": # here
    main: {dsn: "postgresql://u@h/db"}
    second:
  empty:
  flow: {a: {host: b}}
  odd:
    a:
      host: b
   b: c
defaults:
  x: y
"""
WORDS = [token.decode("utf-8", "replace") for token in TOKENS] + [
    "host: db", "- id: x\n", "    alias:\n      host: h\n", "  mysql:\n", "\n\n", "  ", "abc: d\n",
    "t", "- ", "steps:\n- id: a\n", "# c\n", "|+\n", "name: x\n", "    ", "\n- ", "\n  x: |\n",
    "needs: [a]", "'", "\N{GRINNING FACE}",
]  # fmt: skip


def _plain(node: Node) -> object:
    kind = "Seq" if isinstance(node, Seq) else type(node).__name__
    place = (kind, node.begin, node.start, node.end, node.tag, node.anchor)
    if isinstance(node, Scalar):
        return (*place, node.value, node.style)
    if isinstance(node, Alias):
        return (*place, node.name)
    fields = (
        [(name, key.begin, value.begin) for name, (key, value) in node.fields.items()]
        if isinstance(node, Map)
        else ()
    )
    return (*place, fields, [_plain(child) for child in children(node)])


def _whole(tree: Tree) -> object:
    maps = sorted((node.begin, node.end, len(node.pairs)) for node in tree.maps)
    return [_plain(root) for root in tree.roots], maps, list(tree.problems), len(tree.aliases)


def edited(random_: random.Random, text: str) -> str:
    """Return the text after a random edit."""
    at = random_.randint(0, len(text))
    action = random_.randrange(8)
    if action < 3:
        return text[:at] + random_.choice(WORDS) + text[at:]
    if action < 5:
        return text[:at] + text[at + random_.randint(1, 12) :]
    lines = text.split("\n")
    line = random_.randrange(len(lines))
    if action == 5:
        del lines[line]
    elif action == 6:
        lines.insert(line, random_.choice(lines))
    else:
        lines[line] = random_.choice((" ", "  ", "")) + lines[line].lstrip()
    return "\n".join(lines)


def test_tree_after_edits_equals_a_fresh_one() -> None:
    """Trees, maps and problems after each of many edits equal those of the text read anew."""
    random_ = random.Random(20261121)
    seeds = [text.decode("utf-8", "replace") for text in SEEDS] + [PIPELINE, CONNECTIONS] * 200
    revised = 0
    for _ in range(EDITS // 10):
        text = random_.choice(seeds)
        tree = parse(text)
        history = [text]
        for _ in range(10):
            undone = random_.random() < 0.2
            text = random_.choice(history) if undone else edited(random_, text)
            history.append(text)
            tree = parse(text, tree)
            revised += isinstance(tree, Assembled)
            fresh = parse(text)
            # Asked first, for they may be known without the whole tree.
            asked = [random_.randint(0, len(text)) for _ in range(5)]
            paths = [tree.key_path(offset) for offset in asked]
            assert paths == [fresh.key_path(offset) for offset in asked], (history[-2], text, asked)
            assert _whole(tree) == _whole(fresh), (history[-2], text)
    assert revised > EDITS // 5


@pytest.mark.parametrize("text", [PIPELINE, CONNECTIONS])
def test_only_the_changed_piece_is_read_again(text: str) -> None:
    """Pieces before an edit keep their nodes, those behind it their identity."""
    first = parse(text.replace("   b: c\n", ""), None)
    assert first.problems == []
    tree = parse(first.text + "\n", first)
    for word in ("host: db", 'id: "write"', "id: last"):
        at = tree.text.find(word)
        if at < 0:
            continue
        edited = parse(tree.text[:at] + "extra: 1\n" + " " * 6 + tree.text[at:], tree)
        assert isinstance(tree, Assembled)
        assert isinstance(edited, Assembled)
        same = [a.identity is b.identity for a, b in zip(tree.parts, edited.parts, strict=True)]
        assert same.count(False) == 1


def test_pieces_and_frame_make_up_the_text() -> None:
    """Frame and pieces cover each character once, and pieces start where an entry does."""
    for text in (PIPELINE, CONNECTIONS):
        pieces = cut(text)
        assert pieces is not None
        ranges = sorted([*pieces.frame, *((piece.start, piece.end) for piece in pieces.pieces)])
        assert ranges[0][0] == 0
        assert ranges[-1][1] == len(text)
        assert all(one[1] == other[0] for one, other in pairwise(ranges))
    found = cut(CONNECTIONS)
    assert found is not None
    firsts = [CONNECTIONS[piece.start :].partition("\n")[0] for piece in found.pieces]
    starts = [first.strip() for first in firsts]
    assert starts == ["default:", '"other":', 'main: {dsn: "postgresql://u@h/db"}', "second:"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('- id: "a\n', '- id: "a\n- id: b"\n'),
        ('- id: "a\n- id: b\n', '- id: "a\n- id: b"\n'),
        ("- id: [a\n- id: b\n", "- id: [a\n- id: b]\n"),
        ("- id: a\n- id: b\n", "- &a id: a\n- *a\n"),
        ("- id: a\n", "- id: a\n---\n- id: b\n"),
        ("- id: a\n", "- id: a\nb\n"),
    ],
)
def test_quotes_and_brackets_reach_over_pieces(before: str, after: str) -> None:
    """What is open at the end of a piece may be closed in another one."""
    tree = parse("steps:\n" + after, parse("steps:\n" + before))
    assert _whole(tree) == _whole(parse("steps:\n" + after))
