"""Where reports go: pairs of `--format F --output-file P`, and standard output."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

from osiris_lsp.cli import UsageError
from osiris_lsp.files import replace
from osiris_lsp.reports import DETAILED, FORMATS, Style, Summary, writer
from osiris_lsp.reports.record import Record


class Output(NamedTuple):
    """A report: its format, and the file that it goes to; None is standard output."""

    format: str
    path: str | None = None


def add_options(group: Any) -> None:
    """Add `--format` and `--output-file` to a group of options."""
    formats = " ".join(FORMATS)
    group.add_argument(
        "--format",
        action=_Format,
        choices=FORMATS,
        dest="outputs",
        default=[],
        metavar="FORMAT",
        help=f"{formats}; default: full. Give it again for more reports in one run",
    )
    group.add_argument(
        "--output-file",
        action=_OutputFile,
        metavar="FILE",
        help="write the report of the `--format` before it to a file",
    )
    group.add_argument(
        "--doctor-json",
        metavar="FILE",
        help="html: show these results of `osiris connections doctor --json`, too",
    )


class _Format(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, value: Any, option: Any = None) -> None:
        namespace.outputs = [*namespace.outputs, Output(value)]


class _OutputFile(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, value: Any, option: Any = None) -> None:
        if not namespace.outputs:
            raise UsageError(
                f"`--output-file {value}` belongs to the `--format` before it, and there is none; "
                f"write `--format FORMAT --output-file {value}`"
            )
        *before, last = namespace.outputs
        if last.path is not None:
            raise UsageError(
                f"`--format {last.format}` has two files, `{last.path}` and `{value}`; "
                "give `--format` again before the second"
            )
        namespace.outputs = [*before, last._replace(path=value)]


def chosen(args: argparse.Namespace) -> Sequence[Output]:
    """Return the reports that the options ask for; raises UsageError where they contradict."""
    outputs: Sequence[Output] = args.outputs or [Output("full")]
    if args.diff and any(output.path is not None for output in outputs):
        raise UsageError("`--diff` shows changes and writes no report; leave out `--output-file`")
    shown = [output.format for output in outputs if output.path is None]
    if len(shown) > 1:
        raise UsageError(
            f"`--format {shown[0]}` and `--format {shown[1]}` would both go to standard output; "
            "put `--output-file FILE` behind one of them"
        )
    if args.doctor_json and not any(output.format == "html" for output in outputs):
        raise UsageError("`--doctor-json` goes with `--format html`")
    args.doctor_results = _doctor(args.doctor_json) if args.doctor_json else None
    seen: set[str] = set()
    for output in outputs:
        if output.path is not None:
            _check_path(output.path)
            real = os.path.realpath(output.path)
            if real in seen:
                raise UsageError(f"`--output-file {output.path}` is given twice")
            seen.add(real)
    return outputs


def _check_path(path: str) -> None:
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise UsageError(f"`--output-file {path}`: there is no folder `{folder}`")
    if os.path.isdir(path):
        raise UsageError(f"`--output-file {path}` is a folder")
    if path.lower().endswith((".yaml", ".yml")):
        raise UsageError(f"`--output-file {path}`: a report is no YAML; choose another name")


def _doctor(path: str) -> Sequence[Mapping[str, Any]]:
    """Read what the doctor printed, about one connection or about all."""
    import json

    again = "write it with `osiris connections doctor --json`"
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"`--doctor-json {path}` cannot be read: {reason}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`--doctor-json {path}` is no JSON; {again}") from error
    results = data.get("connections", [data]) if isinstance(data, dict) else None
    if not isinstance(results, list) or not all(map(_is_result, results)):
        raise UsageError(f"`--doctor-json {path}` holds no results of the doctor; {again}")
    return results


def _is_result(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() >= {"family", "alias", "ok"}


def detailed(outputs: Sequence[Output]) -> bool:
    """Tell whether a report needs more than the findings themselves."""
    return any(output.format in DETAILED for output in outputs)


def write_all(
    outputs: Sequence[Output],
    records: Sequence[Record],
    summary: Summary,
    out: tuple[TextIO, Style],
    complain: Callable[[str], None],
) -> None:
    """Write every report, the one on standard output last.

    `complain` gets a message for each file that cannot be written.
    """
    for output in sorted(outputs, key=lambda output: output.path is None):
        write = writer(output.format)
        if output.path is None:
            write(out[0], records, summary, out[1])
            continue
        from io import StringIO

        text = StringIO()
        write(text, records, summary, Style(statistics=out[1].statistics))
        try:
            save(output.path, text.getvalue())
        except UsageError as error:
            complain(str(error))


def save(path: str, text: str) -> None:
    """Write a report to a file, whole or not at all; raises UsageError where that fails."""
    _check_path(path)
    try:
        _write(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"`{path}` could not be written: {reason}") from error


def _write(path: str, data: bytes) -> None:
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe or a device is written to; putting a file in its place would break it.
        with open(path, "wb") as file:
            file.write(data)
        return
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644
    replace(path, data, mode)
