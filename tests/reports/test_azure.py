"""`--format azure`."""

import pytest

from osiris_lsp.reports.azure import _data, _property
from tests.reports.conftest import Golden, Report


def test_issues_come_gravest_first(report: Report, golden: Golden) -> None:
    """Errors and warnings are commands; infos and hints are lines without a command."""
    golden("azure.txt", report("azure").out)


@pytest.mark.parametrize(
    ("text", "data", "value"),
    [
        ("a;b]", "a;b]", "a%3Bb%5D"),
        ("100%3B", "100%AZP253B", "100%AZP253B"),
        ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
    ],
)
def test_values_are_escaped(text: str, data: str, value: str) -> None:
    """What ends a property or a line is encoded, the percent sign first."""
    assert (_data(text), _property(text)) == (data, value)
