"""Which items of the inventory this run proves: `make inventory`.

An item is proved when a test that carries its id ran and passed in this run, and no test that
carries it failed. A test that was skipped, or failed as it was expected to, proves nothing.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parent.parent.parent / "shared/seeds/INVENTORY.md"
ROW = re.compile(r"^\| ((?:S\d-[A-Z0-9]+|R)-\d+) \|", re.MULTILINE)

# The last of those that an id's tests have is the id's own.
OUTCOMES = ("missing", "skipped", "xfailed", "xpassed", "passed", "failed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--inventory` and `--inventory-file`."""
    group = parser.getgroup("inventory")
    group.addoption(
        "--inventory",
        action="append",
        default=[],
        metavar="START",
        help="run only the tests of inventory ids that start so (`all`: of every id), report each "
        "id, and fail where one is missing; may be given several times",
    )
    group.addoption("--inventory-file", type=Path, default=FILE, help="where INVENTORY.md is")


def pytest_configure(config: pytest.Config) -> None:
    """Read the ids, if the file is there; without it only `--inventory` is refused."""
    path: Path = config.getoption("--inventory-file")
    starts: list[str] = config.getoption("--inventory")
    if not path.is_file():
        if starts:
            raise pytest.UsageError(
                f"`{path}` is missing; `--inventory-file` names another INVENTORY.md"
            )
        return
    known = ROW.findall(path.read_text(encoding="utf-8"))
    asked: list[str] = []
    for start in starts:
        # `S4-MET` is no start of `S4-META-01`.
        begins = re.compile("S" if start == "all" else re.escape(start) + "(?![A-Z])").match
        found = [key for key in known if begins(key)]
        if not found:
            raise pytest.UsageError(f"no id in `{path}` starts with `{start}`")
        asked += [key for key in found if key not in asked]
    config.pluginmanager.register(Inventory(known, asked), "inventory-run")


def ids(item: pytest.Item) -> list[str]:
    """The ids that a test carries."""
    return sorted({key for mark in item.iter_markers("inventory") for key in mark.args})


class Inventory:
    """The asked-for ids, and what the tests that carry them came to."""

    def __init__(self, known: Iterable[str], asked: Iterable[str]) -> None:
        self.known = frozenset(known)
        self.asked = tuple(asked)
        # By id and test. A test has a report for its setup, its call and its teardown.
        self.outcomes: dict[str, dict[str, str]] = defaultdict(dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Fail the collection of a module that names an id which nobody knows."""
        report = yield
        items = [item for item in report.result or () if isinstance(item, pytest.Item)]
        unknown = {
            key: f"{item.nodeid}: no inventory id `{key}`"
            for item in items
            for key in ids(item)
            if key not in self.known
        }
        if unknown:
            report.outcome = "failed"
            report.longrepr = "\n".join(sorted(unknown.values()))
            report.result = []
        return report

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out the tests of other ids, and note the ids where reports carry them."""
        if not self.asked:
            return
        kept = [item for item in items if not set(ids(item)).isdisjoint(self.asked)]
        for item in kept:
            item.user_properties.append(("inventory", ids(item)))
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the worst of what a test's phases say."""
        outcome: str = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "xpassed"
        elif report.when != "call" and outcome == "passed":
            return
        carried: Any = dict(report.user_properties).get("inventory", ())
        for key in carried:
            before = self.outcomes[key].get(report.nodeid)
            worse = outcome if "failed" not in (before, outcome) else "failed"
            self.outcomes[key][report.nodeid] = worse

    def verdict(self, key: str) -> tuple[str, list[str]]:
        """The outcome of an id, and the tests that came to it."""
        outcomes = self.outcomes[key]
        outcome = max(outcomes.values(), key=OUTCOMES.index, default=OUTCOMES[0])
        return outcome, sorted(test for test, its in outcomes.items() if its == outcome)

    def missing(self) -> list[str]:
        """The asked-for ids that are not proved."""
        return [key for key in self.asked if self.verdict(key)[0] != "passed"]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail where an id is missing, though every test passed."""
        if self.missing() and not hasattr(session.config, "workerinput"):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line for each id, and what is missing by group."""
        if not self.asked:
            return
        write = terminalreporter.write_line
        terminalreporter.write_sep("=", "inventory")
        for key in self.asked:
            outcome, tests = self.verdict(key)
            functions = list(dict.fromkeys(test.partition("[")[0] for test in tests))
            shown = tests[:1] if outcome == "failed" else functions[:1]
            more = f" and {len(functions) - 1} more" if len(functions) > 1 else ""
            write(f"{key:14} {outcome:8} {''.join(shown)}{more}".rstrip())
        missing = self.missing()
        groups: dict[str, list[str]] = defaultdict(list)
        for key in missing:
            groups[key.rpartition("-")[0]].append(key)
        totals = Counter(key.rpartition("-")[0] for key in self.asked)
        write("")
        for group, keys in groups.items():
            write(f"{group}: missing {len(keys)} of {totals[group]}: {' '.join(keys)}")
        write(f"{len(self.asked) - len(missing)} of {len(self.asked)} proved")
