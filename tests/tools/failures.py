"""Print what the doctor says for each failure, as a Markdown table: `make failures`.

It runs the tests of MySQL, PostgreSQL, Supabase and REST against their real servers, doubles and
faults, and lists each different result once.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.connectors.conftest import RESULTS

ROOT = Path(__file__).parent.parent.parent
FAMILIES = ("mysql", "postgres", "supabase", "api")


def main() -> int:
    """Run the tests and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        names = (*FAMILIES, "contract")
        tests = [f"tests/connectors/families/test_{name}.py" for name in names]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "auto", *tests],
            cwd=ROOT,
            env={**os.environ, RESULTS: str(path)},
            stdout=sys.stderr,
            check=False,
        )
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    print("| family | category | message | code | cause | field | took |")
    print("|---|---|---|---|---|---|--:|")
    seen = set()
    order = {name: at for at, name in enumerate(FAMILIES)}
    rows.sort(key=lambda row: (order.get(row["family"], 9), row["category"]))
    for row in rows:
        details = row["details"]
        key = (row["family"], details.get("code"), details.get("cause"))
        if row["ok"] or row["family"] not in FAMILIES or key in seen:
            continue
        seen.add(key)
        cells = [row["family"], row["category"], row["message"], details["code"]]
        cells += [details["cause"], details["field"], f"{details['elapsed_ms']:.0f} ms"]
        limit = f" of {row['timeout']:g} s" if row["category"] == "timeout" else ""
        print("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + limit + " |")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
