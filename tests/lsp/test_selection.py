"""Selection ranges in three editors; each contains the one before."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol import types

from osiris_lsp.documents import Document
from osiris_lsp.lsp.selection import spans
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor


async def selected(editor: Editor, uri: str, *places: str) -> list[list[str]]:
    """Return the texts of the ranges around places, the innermost first."""
    params = types.SelectionRangeParams(
        editor.document(uri), [editor.at(uri, place) for place in places]
    )
    found: list[list[str]] = []
    for item in await editor.client.text_document_selection_range_async(params) or ():
        texts: list[str] = []
        range_: types.SelectionRange | None = item
        while range_ is not None:
            texts.append(editor.text(uri, range_.range))
            range_ = range_.parent
        found.append(texts)
    return found


@pytest.mark.asyncio
async def test_a_selection_grows_from_the_name_to_the_file(editor: Editor) -> None:
    """Alias, text, quoted scalar, pair, mapping and so on; one chain for each position."""
    text = PIPELINE.replace("id: extract-orders", "id: 😀xtract")
    uri = editor.open("pipelines/orders.yaml", text)
    reference, key = await selected(editor, uri, "@mysql.def", "nam")
    config = 'connection: "@mysql.default"\n      table: orders'
    assert reference[:6] == [
        "default",
        "@mysql.default",
        '"@mysql.default"',
        'connection: "@mysql.default"',
        config,
        f"config:\n      {config}",
    ]
    assert key[:2] == ["name", "name: orders"]
    assert reference[-1] == key[-1] == text


@pytest.mark.asyncio
async def test_a_variable_is_selected_first(editor: Editor) -> None:
    """Its name, then all of it; in a flow mapping, too."""
    uri = editor.open("osiris_connections.yaml")
    (found,) = await selected(editor, uri, "${REPLICA")
    assert found[:4] == [
        "REPLICA_PASSWORD",
        "${REPLICA_PASSWORD}",
        '"${REPLICA_PASSWORD}"',
        'password: "${REPLICA_PASSWORD}"',
    ]


TEXTS = (
    CONNECTIONS,
    PIPELINE,
    'a: &x !t {b: "${A}${B} ${C"}\nc: *x\n? [d]\n: |\n  ${E}\n\nf:\n- \n-  - g\n',
    "a:\n  b: 1\n  c: 'd\ne: 2\n",
    "",
)


@example(TEXTS[2], 3)
@given(st.sampled_from(TEXTS), st.integers(0, 900))
def test_every_range_is_inside_the_one_before(text: str, offset: int) -> None:
    """At every offset of sound, odd and broken texts, and each holds the offset."""
    offset = min(offset, len(text))
    chain = list(spans(Document("/x.yaml", text), offset))
    assert chain[0] == (0, len(text))
    for outer, inner in pairwise(chain):
        assert outer.start <= inner.start <= offset <= inner.end <= outer.end
