"""What tests of families look at in a result."""

from osiris_lsp.connectors.result import DoctorResult
from tests.doubles.messages import CANARY

Verdict = tuple[str, str | None, str | None, str | None]


def verdict(result: DoctorResult) -> Verdict:
    """Category, code, stage and field; all but the first None on success. No secret is shown."""
    assert CANARY not in repr(result)
    details = result.details
    return result.category, details.get("code"), details.get("stage"), details.get("field")


OK: Verdict = ("ok", None, None, None)
