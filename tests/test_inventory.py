"""The plugin behind `make inventory`."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

INVENTORY = """\
| id | file | what | verify by | done |
|---|---|---|---|---|
| S4-CB-01 | 004 | failure_threshold=5 | unit | [ ] |
| S4-CB-02 | 004 | recovery_timeout=60.0 | unit | [ ] |
| S4-RL-01 | 004 | max_requests=60 | unit | [ ] |
| S4-RLX-01 | 004 | of another group | unit | [ ] |

| R-01 | user vs username | two names | one of them |
"""

INI = """\
[pytest]
markers = inventory(*ids): what it proves
asyncio_default_fixture_loop_scope = function
"""

HEAD = """\
import pytest
inventory = pytest.mark.inventory
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> "Run":
    """Runs pytest with the plugin over one test module."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    pytester.makeini(INI)
    (pytester.path / "INVENTORY.md").write_text(INVENTORY)
    return Run(pytester)


class Run:
    """One inventory and the tests that are run over it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester

    def __call__(self, body: str, *options: str) -> tuple[int, list[str]]:
        """The exit code, and all lines."""
        self.pytester.makepyfile(test_it=HEAD + body)
        fixed = ("-p", "tests.inventory", "-p", "no:cacheprovider")
        result = self.pytester.runpytest(*fixed, "--inventory-file=INVENTORY.md", *options)
        return int(result.ret), [*result.outlines, *result.errlines]

    def report(self, body: str, *options: str) -> tuple[int, list[str]]:
        """The exit code, and the lines below the heading of the inventory."""
        code, lines = self(body, *options)
        start = next(at for at, line in enumerate(lines) if "= inventory =" in line)
        end = next(at for at, line in enumerate(lines) if line.endswith("proved"))
        return code, lines[start + 1 : end + 1]


PASSED = """
@inventory("S4-CB-01")
def test_a(): pass
@inventory("S4-CB-02", "R-01")
@inventory("S4-RL-01")
def test_b(): pass
@inventory("S4-RL-01", "S4-RLX-01")
def test_c(): pass
def test_without_a_mark(): assert False
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_id_is_proved_by_a_test_that_passed(run: Run, workers: str) -> None:
    """One line for each id, with and without xdist; tests without a mark do not run."""
    assert run.report(PASSED, "--inventory=all", "-n", workers) == (
        0,
        [
            "S4-CB-01       passed   test_it.py::test_a",
            "S4-CB-02       passed   test_it.py::test_b",
            "S4-RL-01       passed   test_it.py::test_b and 1 more",
            "S4-RLX-01      passed   test_it.py::test_c",
            "",
            "4 of 4 proved",
        ],
    )


def test_only_the_ids_that_are_asked_for_count(run: Run) -> None:
    """The start of an id chooses what is run, what is reported and what may be missing."""
    body = PASSED.replace('"S4-CB-02", ', "") + '@inventory("S4-CB-02")\ndef test_d(): assert 0\n'
    assert run.report(body, "--inventory=S4-RL", "--inventory=R-01") == (
        0,
        [
            "S4-RL-01       passed   test_it.py::test_b and 1 more",
            "R-01           passed   test_it.py::test_b",
            "",
            "2 of 2 proved",
        ],
    )


MISSING = {
    "failed": 'def test_a(): assert False\n@inventory("S4-CB-01")\ndef test_b(): pass',
    "skipped": '@pytest.mark.skip(reason="no")\ndef test_a(): pass',
    "xfailed": "@pytest.mark.xfail\ndef test_a(): assert False",
    "xpassed": "@pytest.mark.xfail\ndef test_a(): pass",
}


@pytest.mark.parametrize("outcome", MISSING)
def test_any_other_outcome_is_missing(run: Run, outcome: str) -> None:
    """Neither a test that failed, though another passed, nor one that did not run to its end."""
    assert run.report(f'@inventory("S4-CB-01")\n{MISSING[outcome]}\n', "--inventory=S4-CB") == (
        1,
        [
            f"S4-CB-01       {outcome:8} test_it.py::test_a",
            "S4-CB-02       missing",
            "",
            "S4-CB: missing 2 of 2: S4-CB-01 S4-CB-02",
            "0 of 2 proved",
        ],
    )


SETUPS = {
    "setup": "@pytest.fixture\ndef broken(): assert False",
    "teardown": "@pytest.fixture\ndef broken():\n    yield\n    assert False",
}


@pytest.mark.parametrize("when", SETUPS)
def test_a_fixture_that_fails_is_a_failure(run: Run, when: str) -> None:
    """Before the test and after it."""
    body = f'{SETUPS[when]}\n@inventory("S4-RL-01")\ndef test_a(broken): pass\n'
    assert (
        run.report(body, "--inventory=S4-RL")[1][0] == "S4-RL-01       failed   test_it.py::test_a"
    )


def test_one_case_that_fails_is_enough(run: Run) -> None:
    """Of a parametrized test, and the line names that case."""
    body = """
@inventory("S4-RL-01")
@pytest.mark.parametrize("case", [0, 1, 2])
def test_a(case): assert case != 1
"""
    assert (
        run.report(body, "--inventory=S4-RL")[1][0]
        == "S4-RL-01       failed   test_it.py::test_a[1]"
    )


def test_one_case_may_carry_an_id_of_its_own(run: Run) -> None:
    """A skipped case takes nothing from the id of another."""
    body = """
@pytest.mark.parametrize("case", [
    pytest.param(0, marks=inventory("S4-CB-01")),
    pytest.param(1, marks=[inventory("S4-CB-02"), pytest.mark.skip(reason="no")]),
])
def test_a(case): pass
"""
    assert run.report(body, "--inventory=S4-CB")[1][:2] == [
        "S4-CB-01       passed   test_it.py::test_a",
        "S4-CB-02       skipped  test_it.py::test_a",
    ]


@pytest.mark.parametrize("options", [(), ("--inventory=all",), ("--inventory=all", "-n2")])
def test_an_unknown_id_is_an_error_of_the_collection(run: Run, options: tuple[str, ...]) -> None:
    """In every run, so that a slip of the pen shows at once."""
    code, lines = run('@inventory("S4-CB-99")\ndef test_a(): pass\n', *options)
    text = "test_it.py::test_a: no inventory id `S4-CB-99`"
    assert (code != 0, text in lines) == (True, True)


REFUSALS = [
    (("--inventory=S5",), "ERROR: no id in `INVENTORY.md` starts with `S5`"),
    (
        ("--inventory=all", "--inventory-file=none.md"),
        "ERROR: `none.md` is missing; `--inventory-file` names another INVENTORY.md",
    ),
]


@pytest.mark.parametrize(("options", "text"), REFUSALS)
def test_what_cannot_be_asked_for_is_refused(run: Run, options: tuple[str, ...], text: str) -> None:
    """A usage error in one line."""
    code, lines = run(PASSED, *options)
    assert (code, lines) == (4, [text, ""])


def test_without_the_file_an_ordinary_run_is_as_ever(run: Run) -> None:
    """A checkout without the shared folder tests as before."""
    code, lines = run('@inventory("S4-CB-99")\ndef test_a(): pass\n', "--inventory-file=none.md")
    assert (code, lines[-1].strip("= ").split(" in ")[0]) == (0, "1 passed")
