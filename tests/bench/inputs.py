"""The inputs of the benchmark: the same bytes on every machine, made without a random number."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared" / "bench" / "make_inputs.py"
CONNECTIONS_FILE = "osiris_connections.yaml"
NAMES = ("connections-60", "pipeline-80", "connections-2000", "pipeline-10000", "project")
BARE = ("connections-2000-bare", "pipeline-10000-bare")

COLUMNS = (
    "movie_id",
    "title",
    "release_year",
    "director_id",
    "genre",
    "runtime_minutes",
    "budget_usd",
    "box_office_usd",
    "created_at",
    "updated_at",
    "region",
    "status",
)

FIELDS = {
    "mysql": """\
host: "db-{n}.internal.example.com"
port: {port}
database: app_{n}
user: svc_{n}
password: "${{MYSQL_{n}_PASSWORD}}" # from .env""",
    "postgres": 'dsn: "postgresql://svc_{n}:${{PG_{n}_PASSWORD}}@pg-{n}.example.com:5432/app"',
    "supabase": """\
url: "https://p{n}.supabase.co"
service_role_key: "${{SUPABASE_{n}_KEY}}"
schema: public""",
    "shopify": """\
shop_domain: "shop-{n}.myshopify.com"
access_token: "${{SHOPIFY_{n}_TOKEN}}"
api_version: "2024-01\"""",
    "duckdb": "path: ./data/{n}.duckdb\nread_only: false",
    "filesystem": "base_dir: ./data/{n}",
    "api": """\
base_url: https://api-{n}.example.com/v1
auth: {{type: bearer, token: "${{API_{n}_TOKEN}}"}}""",
    "openai": 'api_key: "${{OPENAI_{n}_KEY}}"\nmodel: gpt-4o-mini',
}

EXTRACT = """\
# Step {n}: extract
- id: extract-{n}
  component: mysql.extractor
  mode: read
  config:
    connection: "@mysql.db_{alias}"
    query: |
      SELECT
{columns}
      FROM movies_{n} m
      WHERE m.director_id IS NOT NULL
"""
TRANSFORM = """\
# Step {n}: transform
- id: transform-{n}
  component: duckdb.processor
  mode: transform
  needs: [ "extract-{n}" ]
  config:
    query: |
      SELECT
        director_id,
        COUNT(*) as movie_count,
        ROUND(AVG(runtime_minutes), 1) as avg_runtime_minutes
      FROM input_df
      GROUP BY director_id
"""
WRITE = """\
# Step {n}: write
- id: write-{n}
  component: supabase.writer
  mode: write
  needs: [ "transform-{n}" ]
  config:
    connection: "@supabase.main"
    table: "director_stats_{n}"
    create_if_missing: true
    write_mode: "replace" # the whole table
    primary_key: [ "director_id" ]
"""

FAULTS = (
    ("mode: read", "mode: reed"),
    ('"@mysql.', '"mysql.'),
    ("component: ", "componnent: "),
    ("  config:", "  config: ["),
    ('oml_version: "0.1.0"', "oml_version: 0.1"),
)


@dataclass(frozen=True)
class Input:
    """One thing to lint: `target` (a file or folder) inside `folder`, and the `files` it holds."""

    name: str
    folder: Path
    target: str
    files: Sequence[str]
    schema: str

    @property
    def lines(self) -> int:
        """How many lines the files have in all."""
        return sum((self.folder / file).read_bytes().count(b"\n") for file in self.files)


def connections_text(aliases: Sequence[tuple[str, str]]) -> str:
    """Write a connections file with these (family, alias) pairs."""
    families: dict[str, list[str]] = {}
    for number, (family, alias) in enumerate(aliases):
        fields = FIELDS[family].format(n=number, port=3306 + number % 7).strip().split("\n")
        block = families.setdefault(family, [f"  {family}:"])
        default = [] if len(block) > 1 else ["      default: true"]
        block += [f"    {alias}:", *(f"      {field}" for field in fields), *default]
    header = ["# One family a block, one alias a connection.", "version: 1", "", "connections:"]
    return "\n".join([*header, *(line for block in families.values() for line in block), ""])


def connections_of_about(lines: int) -> str:
    """Write a connections file of at most so many lines."""
    families = list(FIELDS)
    aliases: list[tuple[str, str]] = []
    text = ""
    while True:
        number = len(aliases)
        aliases.append((families[number % len(families)], f"prod_{number:03d}"))
        longer = connections_text(aliases)
        if longer.count("\n") > lines:
            return text
        text = longer


def pipeline_of_about(lines: int, name: str, first: int = 0) -> str:
    """Write a pipeline of whole extract-transform-write groups with at least so many lines."""
    text = f'# generated\noml_version: "0.1.0"\nname: {name}\n\nsteps:\n'
    number = first
    while text.count("\n") < lines:
        chosen = [COLUMNS[(number + i) % len(COLUMNS)] for i in range(5 + number % 6)]
        columns = ",\n".join(f"        m.{column}" for column in chosen)
        text += EXTRACT.format(n=number, alias=number % 40, columns=columns) + "\n"
        text += TRANSFORM.format(n=number) + "\n" + WRITE.format(n=number) + "\n"
        number += 1
    return text.rstrip("\n") + "\n"


def pipelines(count: int) -> Iterator[tuple[str, str]]:
    """Yield the path and text of so many small pipelines; each 20th holds one fault."""
    for number in range(count):
        text = pipeline_of_about(20 + number % 70, f"p{number:04d}", first=number)
        if number % 20 == 0:
            right, wrong = FAULTS[number // 20 % len(FAULTS)]
            text = text.replace(right, wrong, 1)
        yield f"{number // 100:02d}/pipe_{number:04d}.yaml", text


def referenced() -> str:
    """Write the connections file which the pipelines refer to."""
    mysql = ["db_movies", *(f"db_{number}" for number in range(50))]
    others = [("supabase", "main"), ("filesystem", "local")]
    return connections_text([*(("mysql", alias) for alias in mysql), *others])


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it, with line feeds on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def make_own(out: Path, count: int) -> None:
    """Make `a.yaml` to `d.yaml` and `corpus/`, as the shared generator names them."""
    write(out / "a.yaml", connections_of_about(60))
    write(out / "b.yaml", pipeline_of_about(60, "small-pipeline"))
    write(out / "c.yaml", connections_of_about(2000))
    write(out / "d.yaml", pipeline_of_about(10_000, "big-pipeline"))
    for path, text in pipelines(count):
        write(out / "corpus" / path, text)


def make_shared(out: Path, count: int) -> None:
    """Let the generator beside the checkout make the same set."""
    if not SHARED.exists():
        raise SystemExit(f"error: `{SHARED}` does not exist; leave `--inputs shared` out")
    command = [sys.executable, str(SHARED), str(out), "--files", str(count)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def arrange(raw: Path, out: Path) -> list[Input]:
    """Lay each input into a project of its own, so that files have the names Osiris gives them."""
    inputs = []
    for name, letter in zip(NAMES[:4], "abcd", strict=True):
        schema = name.partition("-")[0]
        schema = "pipeline" if schema == "pipeline" else "connections"
        target = CONNECTIONS_FILE if schema == "connections" else "pipelines/movies.yaml"
        if schema == "pipeline":
            write(out / name / CONNECTIONS_FILE, referenced())
        write(out / name / target, (raw / f"{letter}.yaml").read_text(encoding="utf-8"))
        inputs.append(Input(name, out / name, target, [target], schema))
    project = out / NAMES[4]
    write(project / CONNECTIONS_FILE, referenced())
    shutil.move(raw / "corpus", project / "pipelines")
    files = [path.relative_to(project).as_posix() for path in project.glob("pipelines/*/*.yaml")]
    inputs.append(Input(NAMES[4], project, "pipelines", sorted(files), "pipeline"))
    return inputs


def bare(raw: Path, out: Path) -> list[Input]:
    """Lay the big files into folders of their own, under names that say nothing."""
    inputs = []
    for name, file in zip(BARE, ("c.yaml", "d.yaml"), strict=True):
        write(out / name / file, (raw / file).read_text(encoding="utf-8"))
        inputs.append(Input(name, out / name, file, [file], name.partition("-")[0]))
    return inputs
