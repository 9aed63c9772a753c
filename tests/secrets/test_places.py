"""The scalars of declared fields."""

from osiris_lsp.secrets.places import places_in, written
from osiris_lsp.syntax import parse
from osiris_lsp.tree import Map


def test_places() -> None:
    """Lists give each item, mappings what names tell, and addresses the name of their password."""
    root = parse("a: {X-Token: t1, Accept: t2}\nb: [t3, t4]\nc: mysql://r:t5@h/x\n").root
    assert isinstance(root, Map)
    found = [
        (place.variable, [place.node.value[slice(*span)] for span in written(place)])
        for name in "abc"
        for place in places_in(root.fields[name][1], ("api", "main", name), name == "c")
    ]
    assert found == [
        ("API_MAIN_A_X_TOKEN", ["t1"]),
        ("API_MAIN_B", ["t3"]),
        ("API_MAIN_B", ["t4"]),
        ("API_MAIN_PASSWORD", ["t5"]),
    ]
