"""The tree: positions as ruamel.yaml gives them, and no text that breaks it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from osiris_lsp.syntax import parse
from osiris_lsp.tree import (
    Alias,
    Map,
    Node,
    Scalar,
    Seq,
    boolean,
    children,
    deref,
    number,
    resolve,
    to_python,
)
from tests import corpus

CASES = dict(
    part.split("\n", 1)
    for part in (Path(__file__).parent / "fixtures" / "yaml_cases.txt")
    .read_text()
    .split("=== ")[1:]
)
TEXTS = {
    **CASES,
    **{f"{name} crlf": text.replace("\n", "\r\n") for name, text in CASES.items()},
    **{f"{name} open": text.rstrip("\n") for name, text in CASES.items()},
    **{
        path.parent.name + "/" + path.name: path.read_text()
        for path in corpus.files()
        if path.name != "draft.yaml"
    },
}


def _peer(text: str) -> list[object]:
    """Return the roots that ruamel's pure composer gives."""
    loader = YAML(typ="rt", pure=True)
    return list(loader.compose_all(text))


def _trim(text: str, node: Node, start: int, end: int) -> tuple[int, int]:
    """Return a range of ruamel's with the documented trim.

    A block collection ends where its last child does, a block scalar without trailing white space,
    and an empty value lies behind its indicator.
    """
    if isinstance(node, Scalar) and node.style in ("|", ">"):
        return start, start + len(text[start:end].rstrip())
    if isinstance(node, Map | Seq) and not node.flow:
        last = list(children(node))
        return start, last[-1].end if last else end
    if isinstance(node, Scalar) and start == end:
        return node.begin, node.end
    return start, end


def _pairs(ours: Node, theirs: object) -> Iterator[tuple[Node, object]]:
    if isinstance(ours, Alias):
        return
    yield ours, theirs
    if isinstance(ours, Map):
        assert isinstance(theirs, MappingNode)
        assert len(ours.pairs) == len(theirs.value)
        for (key, value), (other_key, other_value) in zip(ours.pairs, theirs.value, strict=True):
            yield from _pairs(key, other_key)
            yield from _pairs(value, other_value)
    elif isinstance(ours, Seq):
        assert isinstance(theirs, SequenceNode)
        for item, other in zip(ours.items, theirs.value, strict=True):
            yield from _pairs(item, other)


@pytest.mark.parametrize("name", TEXTS)
def test_positions_equal_those_of_ruamel(name: str) -> None:
    """Starts and ends equal those of ruamel's pure composer, after the documented trim."""
    text = TEXTS[name]
    tree = parse(text)
    assert all(problem.rule == "multiple-documents" for problem in tree.problems)
    peers = _peer(text)
    assert len(tree.roots) == len(peers)
    count = 0
    for root, peer in zip(tree.roots, peers, strict=True):
        for ours, theirs in _pairs(root, peer):
            start, end = theirs.start_mark.index, theirs.end_mark.index  # type: ignore[attr-defined]
            assert (ours.begin, ours.end) == _trim(text, ours, start, end), text[start:end]
            if isinstance(theirs, ScalarNode):
                assert isinstance(ours, Scalar)
                # ruamel marks the folds of a `>` scalar with BEL.
                assert ours.value == theirs.value.replace("\a", "")
            count += 1
    assert count


def _loads(text: str) -> bool:
    """Tell whether the runtime loads a text; it refuses foreign tags and a second document."""
    try:
        yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    return re.search(r"^\?", text, re.MULTILINE) is None


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if _loads(text)])
def test_values_equal_those_of_the_runtime(name: str) -> None:
    """The plain values equal what PyYAML's safe loader reads."""
    expected = yaml.safe_load(TEXTS[name])
    assert _plain(to_python(parse(TEXTS[name]).root)) == _plain(expected)


def _plain(value: object) -> object:
    """Return a value with dates and keys as texts, which is how the tree holds them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("yes", "bool"),
        ("1e3", "str"),
        ("22:22", "int"),
        ("010", "int"),
        ("0o10", "str"),
        ("1_000", "int"),
        ("2024-01-01", "timestamp"),
        ("2024-01", "str"),
        ("~", "null"),
        ("", "null"),
        (".inf", "float"),
        ("1.5", "float"),
        ("@x", "str"),
    ],
)
def test_scalars_have_the_types_of_yaml_1_1(text: str, kind: str) -> None:
    """Plain scalars are read as PyYAML reads them (YAML 1.1)."""
    assert resolve(text) == kind


@given(st.text(st.sampled_from("0123456789_:.+-eExXobn~yYtTfFaslu"), max_size=8))
def test_numbers_and_truth_values_are_those_of_pyyaml(text: str) -> None:
    """A plain scalar gives the value that the safe loader gives, whatever it looks like."""
    root = parse(f"a: {text}").root
    assert isinstance(root, Map) or root is None or isinstance(root, Scalar)
    node = root.get("a") if isinstance(root, Map) else None
    if not isinstance(node, Scalar) or node.value != text.strip():
        return
    try:
        expected = yaml.safe_load(f"a: {text}")["a"]
    except (yaml.YAMLError, ValueError):
        return
    if node.type == "bool":
        assert boolean(node) is expected
    elif node.type in ("int", "float"):
        value = number(node)
        assert value == expected or (str(value), str(expected)) == ("nan", "nan")


SOUP = st.text(
    st.sampled_from("ab:- \n\t#\"'[]{}&*!|>%@`?,~<$0\\é😀\ufeff\x00\x1b\u2028\ud800\r"), max_size=80
)


@given(SOUP)
@example("\ufeffa: @b\n")
@example("a: &a [*a]")
@example("? [x]\n: y")
@example("%TAG ! tag:x,1:\n---\na: !x 1")
def test_any_text_parses_to_a_tree(text: str) -> None:
    """No text raises, and no node or problem lies outside it."""
    tree = parse(text)
    stack = list(tree.roots)
    while stack:
        node = stack.pop()
        assert 0 <= node.begin <= node.start <= node.end <= len(text)
        stack.extend(children(node))
    for problem in tree.problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert problem.message
        for edit in problem.edits:
            assert 0 <= edit.start <= edit.end <= len(text)


@given(SOUP)
def test_the_verdict_is_that_of_the_runtime(text: str) -> None:
    """A text has a syntax problem exactly when PyYAML's parser refuses it."""
    try:
        for _ in yaml.parse(text, Loader=yaml.CSafeLoader):
            pass
        refused = False
    except (yaml.YAMLError, UnicodeEncodeError):
        refused = True
    rules = {problem.rule for problem in parse(text).problems}
    found = rules - {"multiple-documents", "undefined-anchor", "alias-expansion"}
    if refused:
        assert found
    elif found:
        assert "twice" in " ".join(problem.message for problem in parse(text).problems)


BREAKS = [
    '    connection: "@mysql.',
    "    connection: @mysql.prod",
    "\t\ttable: orders",
    "    tables: [a, b",
    "    options: {a: 1",
    "    half",
    "    a: b: c",
    "      too: deep",
    "    key: 'it's'",
    "    %odd: x",
    "    x: \x07",
]


@pytest.mark.parametrize("line", BREAKS)
@pytest.mark.parametrize("at", range(5))
def test_a_broken_line_leaves_the_rest(line: str, at: int) -> None:
    """A line that does not parse is reported once, and the steps around it keep their nodes."""
    steps = [
        f"- id: step{i}\n  component: mysql.extractor\n  config:\n    table: t{i}" for i in range(5)
    ]
    steps[at] += "\n" + line
    text = "steps:\n" + "\n".join(steps) + "\nname: orders\n"
    tree = parse(text)
    assert len(tree.problems) == 1
    place = tree.lines.position(tree.problems[0].start).line
    assert tree.lines.line(place) == line
    root = tree.root
    assert isinstance(root, Map)
    listed = root.get("steps")
    assert isinstance(listed, Seq)
    found = [deref(item) for item in listed.items]
    ids = [item.get("id") for item in found if isinstance(item, Map)]
    assert [node.value for node in ids if isinstance(node, Scalar)] == [
        f"step{i}" for i in range(5)
    ]
    name = root.get("name")
    assert isinstance(name, Scalar)
    assert name.value == "orders"


def test_an_anchor_bomb_gives_one_problem() -> None:
    """Aliases that expand beyond all bounds are reported once, and at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    problems = [p for p in parse("\n".join(lines)).problems if p.rule == "alias-expansion"]
    assert len(problems) == 1


def test_merge_keys_are_resolved_as_the_runtime_does() -> None:
    """Explicit keys win over merged ones, earlier sources over later ones."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\n"
    root = parse(text).root
    assert isinstance(root, Map)
    assert to_python(root.get("c")) == yaml.safe_load(text)["c"] == {"x": 3, "y": 1, "z": 2}


def test_deep_nesting_is_one_problem() -> None:
    """A nesting that the runtime cannot construct is reported, and does not recurse here."""
    for opening, closing in (("[", "]"), ("{a: ", "}")):
        text = opening * 300 + "1" + closing * 300
        assert [problem.rule for problem in parse(text).problems] == ["syntax-error"]
