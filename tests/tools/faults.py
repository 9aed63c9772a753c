"""Print what a client does for each fault of a server, as a Markdown table: `make faults`.

It runs the tests of faults, whose clients try once more and note their pauses instead of sleeping.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.connectors.clients.test_faults import SEEN, TIMEOUT

ROOT = Path(__file__).parent.parent.parent


def main() -> int:
    """Run the tests and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seen.jsonl"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "tests/connectors/clients/test_faults.py"],
            cwd=ROOT,
            env={**os.environ, SEEN: str(path)},
            stdout=sys.stderr,
            check=False,
        )
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    limit = f"{TIMEOUT * 1000:.0f} ms"
    print(f"Of a silent server: an attempt may take {limit}, half of that to connect.\n")
    print("| fault | method | error | code | retries | pause | took |")
    print("|---|---|---|---|--:|--:|--:|")
    for row in rows:
        pause = f"{row['pauses'][0]:.1f} s" if row["pauses"] else ""
        cells = [row["fault"], row["method"], row["error"], row["code"], str(row["retries"])]
        print("| " + " | ".join([*cells, pause, f"{row['took'] * 1000:.0f} ms"]) + " |")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
