"""Draw what a command prints on a terminal as an SVG picture for the README.

`python -m tests.tools.picture` runs `osiris-lsp lint` on the demo and writes docs/terminal.svg.
"""

import os
import re
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
COLOURS = {
    "1": "#e6edf3", "2": "#7d8590", "1;31": "#ff7b72", "1;33": "#e3b341", "1;36": "#79c0ff",
    "1;35": "#d2a8ff", "1;32": "#7ee787", "34": "#6e9fd8", "": "#c9d1d9",
}  # fmt: skip
CHAR, LINE, PAD = 8.4, 18, 16


def draw(title: str, output: str) -> str:
    """Return the SVG of a terminal with a title and coloured output (ANSI)."""
    lines = output.rstrip("\n").split("\n")
    columns = max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in lines)
    width, height = round(columns * CHAR) + 2 * PAD, (len(lines) + 2) * LINE + 2 * PAD
    rows = []
    for number, line in enumerate([f"\x1b[2m$\x1b[0m {title}", "", *lines]):
        spans, at, colour = [], 0, ""
        for part in re.split(r"(\x1b\[[\d;]*m)", line):
            if part.startswith("\x1b"):
                colour = part[2:-1].removeprefix("0")
            elif part:
                bold = ' font-weight="bold"' if colour.startswith("1") else ""
                x = PAD + at * CHAR
                spans.append(
                    f'<tspan x="{x:.1f}" fill="{COLOURS.get(colour, COLOURS[""])}"{bold}>'
                    f"{escape(part)}</tspan>"
                )
                at += len(part)
        y = PAD + (number + 1) * LINE
        rows.append(f'<text y="{y}" xml:space="preserve">{"".join(spans)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def main() -> int:
    """Write docs/terminal.svg."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "osiris_lsp"]
        subprocess.run([*command, "demo", f"{folder}/demo"], check=True, capture_output=True)
        arguments = ["lint", "pipelines/customers.yaml", "--color", "always"]
        done = subprocess.run(
            [*command, *arguments],
            cwd=f"{folder}/demo",
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    picture = draw("osiris-lsp lint pipelines/customers.yaml", done.stdout)
    (ROOT / "docs" / "terminal.svg").write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
