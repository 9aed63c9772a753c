"""Folding ranges in three editors, and of texts that fold in odd ways."""

import pytest
from lsprotocol import types

from osiris_lsp.documents import Document
from osiris_lsp.lsp.folding import blocks, comments
from tests.lsp.conftest import Editor

TEXT = """\
# 😀 ours
# and theirs

version: 1
connections:
  mysql:
    default:
      host: db.example.com
      note: |
        # no comment
        # here
      user: reader
    replica: {
      host: db2.example.com
    }

# the end
"""


@pytest.mark.asyncio
async def test_blocks_fold_by_lines(editor: Editor) -> None:
    """From the line of the key on; the closing bracket and single comment lines stay."""
    uri = editor.open("osiris_connections.yaml", TEXT)
    params = types.FoldingRangeParams(editor.document(uri))
    found = await editor.client.text_document_folding_range_async(params) or ()
    capabilities = editor.client.capabilities
    text_document = capabilities.text_document if capabilities is not None else None
    support = text_document.folding_range if text_document is not None else None
    lines_only = support is not None and support.line_folding_only
    assert [(item.start_line, item.end_line, item.kind) for item in found] == [
        (0, 1, types.FoldingRangeKind.Comment),
        (4, 14, None),
        (5, 14, None),
        (6, 11, None),
        (8, 10, None),
        (12, 13 if lines_only else 14, None),
    ]
    inside = [(item.start_character, item.end_character) for item in found][-1]
    assert inside == ((None, None) if lines_only else (14, 4))


@pytest.mark.asyncio
async def test_foreign_files_have_none(editor: Editor) -> None:
    """A file that is not ours is left to others."""
    uri = editor.open("compose.yaml", "services:\n  web: {image: x}\n")
    params = types.FoldingRangeParams(editor.document(uri))
    assert await editor.client.text_document_folding_range_async(params) is None


def test_comments_are_found_between_texts() -> None:
    """`#` in quoted texts over several lines, and in block scalars, starts no comment."""
    text = 'a: "x\n  # y\n  # z"\n# b\n# c\nd: |\n  # e\n  # f\r\n# g\n# h'
    assert list(comments(Document("/x.yaml", text))) == [(3, 4), (8, 9)]


def test_broken_texts_fold_where_they_parse() -> None:
    """What stands before the broken line folds still."""
    text = "a:\n  b:\n    c: 1\nd: 'e\n"
    spans = [text[slice(*span)] for span, _ in blocks(Document("/x.yaml", text))]
    assert "a:\n  b:\n    c: 1" in spans
