"""The graph of pipelines and connections, and how each format writes it."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.graph import FORMATS, Graph, build
from osiris_lsp.graph.layout import layout
from osiris_lsp.project import open_project
from tests.cli.conftest import Run, project, run, write
from tests.services import packages

__all__ = ["project", "run"]

CANARY = "c4nary-Pa55-w0rd"

CONNECTIONS = """\
version: 1
connections:
  mysql:
    default: {host: h, database: d, user: u, password: "${P}", default: true}
    archive: {host: h, database: d, user: u, password: "${P}"}
  supabase:
    main: {url: "https://x.supabase.co", key: "${K}"}
"""

PIPELINE = f"""\
oml_version: "0.1.0"
name: "nightly \\"load\\" <b>"
steps:
  - {{id: read, component: mysql.extractor, mode: read, config: {{connection: "@mysql"}}}}
  - {{id: lost, component: mysql.extractor, mode: read, config: {{connection: "@mysql.prod"}}}}
  - {{id: late, component: mysql.extractor, mode: read, config: {{connection: "@mysql.${{A}}"}}}}
  - {{id: odd, component: mysql.extractor, mode: read, config: {{connection: "@supabase.main"}}}}
  - {{id: leak, component: mysql.extractor, config: {{connection: "mysql://u:{CANARY}@h/d"}}}}
  - {{id: sum, component: duckdb.processr, mode: transform, needs: [read, raed, sum]}}
  - {{id: a, component: duckdb.processor, mode: transform, needs: [b, sum]}}
  - {{id: b, component: duckdb.processor, mode: transform, needs: [a]}}
  - {{id: save, component: mysql.writer, mode: write, needs: b, config: {{connection: "@mysql"}}}}
"""

Draw = Callable[[str], str]


@pytest.fixture
def files(project: Path) -> Path:
    """A project in which each kind of reference works once and is broken once."""
    write(project, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": PIPELINE})
    return project


@pytest.fixture
def graph(files: Path) -> Graph:
    """The graph of that project."""
    found = open_project(str(files))
    return build([(found, sorted(found.files()))])


@pytest.fixture
def draw(files: Path, run: Run) -> Draw:
    """Write the graph of that project in a format."""
    return lambda form: run("graph", "--format", form).out


def test_edges_follow_the_data(graph: Graph) -> None:
    """A connection that is read comes before the step, one that is written after it."""
    names = {name: node.label for name, node in graph.nodes.items()}
    edges = [(names[edge.source], edge.kind, names[edge.target]) for edge in graph.edges]
    assert [edge for edge in edges if edge[1] != "needs"] == [
        ("@mysql.default", "reads", "read"),
        ("@mysql.prod", "reads", "lost"),
        ("@mysql.${A}", "reads", "late"),
        ("@supabase.main", "reads", "odd"),
        ("mysql://u:***@h/d", "reads", "leak"),
        ("save", "writes", "@mysql.default"),
    ]
    assert [edge[::2] for edge in edges if edge[1] == "needs"] == [
        ("read", "sum"), ("raed", "sum"), ("sum", "sum"), ("b", "a"), ("sum", "a"), ("a", "b"),
        ("b", "save"),
    ]  # fmt: skip


def test_what_is_broken_says_why(graph: Graph) -> None:
    """The words are those of the rules, so that the picture and the findings agree."""
    names = {name: node.label for name, node in graph.nodes.items()}
    broken = {
        (names[edge.source], names[edge.target]): edge.problem
        for edge in graph.edges
        if edge.problem
    }
    assert {pair: problem.partition(";")[0] for pair, problem in broken.items()} == {
        ("@mysql.prod", "lost"): "`@mysql.prod` is not defined in osiris_connections.yaml",
        ("@supabase.main", "odd"): broken["@supabase.main", "odd"].partition(";")[0],
        ("mysql://u:***@h/d", "leak"): broken["mysql://u:***@h/d", "leak"].partition(";")[0],
        ("raed", "sum"): "there is no step `raed` in this pipeline",
        ("sum", "sum"): "step `sum` needs itself",
        ("a", "b"): "this closes a circle of steps: `a` -> `b` -> `a`",
    }
    assert "mysql" in broken["@supabase.main", "odd"]
    wrong = {node.label: node.problems for node in graph.nodes.values() if node.kind == "step"}
    assert [name for name, problems in wrong.items() if problems] == ["sum"]
    assert "the component `duckdb.processr` is not known" in wrong["sum"][0]
    assert graph.broken == 7
    assert [node.label for node in graph.unused] == ["@mysql.archive"]


def test_json_is_the_graph(draw: Draw, graph: Graph) -> None:
    """Nodes and edges as they are, with the place of each step."""
    data = json.loads(draw("json"))
    assert data["schema_version"] == 1
    assert data["broken"] == graph.broken
    assert [node["id"] for node in data["nodes"]] == list(graph.nodes)
    step = next(node for node in data["nodes"] if node["label"] == "lost")
    assert (step["path"], step["line"]) == ("pipelines/orders.yaml", 5)


def test_mermaid_is_what_mermaid_reads(draw: Draw) -> None:
    """Labels hold no character that means something; broken links are named by their number."""
    lines = draw("mermaid").splitlines()
    assert lines[0] == "flowchart LR"
    assert lines[1] == '  subgraph p0["nightly #34;load#34; #60;b#62;"]'
    links = [line for line in lines if "->" in line]
    red = [number for number, line in enumerate(links) if "-.->" in line]
    assert lines[-1] == f"  linkStyle {','.join(map(str, red))} stroke:#d1242f,stroke-width:2px"
    label = r'"[\w @./()+<>#;-]*"'
    node = re.compile(rf"\s+n\d+(\[{label}\]|\(\[{label}\]\))(:::\w+)?")
    link = re.compile(r"  n\d+ (-->|-\.->) n\d+")
    other = re.compile(r"flowchart LR|  subgraph p\d+\[.*\]|  end|  classDef .*|  linkStyle .*")
    assert [line for line in lines if not any(p.fullmatch(line) for p in (node, link, other))] == []


def test_dot_is_what_graphviz_reads(draw: Draw) -> None:
    """Graphviz itself draws it: a node for each step and connection, broken edges in red."""
    root, program = packages.find("usr/bin/dot", "graphviz")
    environment = {**packages.environment(root)}
    if root != Path("/"):  # unpacked, not installed: its list of plug-ins is missing
        (plugins,) = root.glob("usr/lib/*/graphviz")
        environment["GVBINDIR"] = str(plugins)
        subprocess.run([str(program), "-c"], check=True, env=environment, capture_output=True)
    done = subprocess.run(
        [str(program), "-Tplain"],
        input=draw("dot"),
        capture_output=True,
        text=True,
        check=True,
        env=environment or None,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert sum(line.startswith("node ") for line in lines) == 16
    edges = [line for line in lines if line.startswith("edge ")]
    assert len(edges) == 13
    assert sum("#d1242f" in line for line in edges) == 6


def test_svg_is_a_picture_with_a_title(draw: Draw) -> None:
    """It is well-formed, named for screen readers, and needs nothing from elsewhere."""
    text = draw("svg")
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert root.attrib["role"] == "img"
    title = root.find(f"{space}title")
    assert title is not None
    assert title.text == "Pipelines and their connections: 1 pipeline, 7 broken"
    links = re.findall(r"https?://[^\"]+", text)
    assert links == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|image|foreignObject|a|use)\b|\son\w+=", text)
    shown = [item.text for item in root.iter(f"{space}text")]
    assert shown.count("@mysql.default") == 2  # read at the left, written at the right
    assert "@mysql.archive" in shown


@pytest.mark.parametrize("form", FORMATS)
def test_no_secret_and_no_escape_in_any_format(files: Path, run: Run, form: str) -> None:
    """Labels are masked like excerpts, and show control characters as escapes."""
    text = PIPELINE.replace("id: late", 'id: "la\\e[31mte"').replace("id: odd", 'id: "o\u202edd"')
    write(files, {"pipelines/orders.yaml": text})
    out = run("graph", "--format", form).out
    assert CANARY not in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "o\\u202edd" in out.replace("\\\\", "\\").replace("#92;", "\\")


def test_the_command_takes_files_and_folders(files: Path, run: Run) -> None:
    """A single pipeline brings the connections that it uses; a wrong path is said."""
    write(files, {"pipelines/other.yaml": PIPELINE.replace("nightly", "other")})
    data = run("graph", "pipelines/other.yaml", "--format", "json").json
    assert [pipeline["path"] for pipeline in data["pipelines"]] == ["pipelines/other.yaml"]
    labels = [node["label"] for node in data["nodes"]]
    assert "@mysql.default" in labels
    assert "@mysql.archive" not in labels
    assert len(run("graph", "pipelines", "--format", "json").json["pipelines"]) == 2
    result = run("graph", "nosuch")
    assert (result.code, result.err) == (2, "osiris-lsp: error: there is no file `nosuch`\n")


def test_the_command_writes_a_file(files: Path, run: Run) -> None:
    """`--output-file` has the rules of reports."""
    assert run("graph", "--format", "svg", "--output-file", "a.svg").out == ""
    assert (files / "a.svg").read_text().endswith("</svg>\n")
    result = run("graph", "--output-file", "no/a.svg")
    assert (result.code, "there is no folder `no`" in result.err) == (2, True)


@given(
    st.integers(0, 12).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.lists(
                st.tuples(st.integers(0, max(count - 1, 0)), st.integers(0, max(count - 1, 0))),
                max_size=24 if count else 0,
            ),
        )
    )
)
def test_boxes_never_overlap_and_every_link_is_drawn(drawn: tuple[int, list]) -> None:
    """Any graph is laid out, circles included, inside of the picture."""
    count, pairs = drawn
    sizes = {str(number): (60.0 + 10 * number, 46.0) for number in range(count)}
    links = [(str(source), str(target)) for source, target in pairs]
    found = layout(sizes, links)
    assert set(found.boxes) == set(sizes)
    assert set(found.routes) == {link for link in links if link[0] != link[1]}
    boxes = list(found.boxes.values())
    for at, box in enumerate(boxes):
        assert 0 <= box.x <= box.x + box.width <= found.width + 0.01
        assert -0.01 <= box.y <= box.y + box.height <= found.height + 0.01
        for other in boxes[:at]:
            apart = (
                box.x >= other.x + other.width
                or other.x >= box.x + box.width
                or box.y >= other.y + other.height - 0.01
                or other.y >= box.y + box.height - 0.01
            )
            assert apart
