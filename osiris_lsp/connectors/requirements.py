"""What a driver asks of the connection that its step was given (CONN-007, CONN-008)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osiris_lsp.connectors.errors import ConnectorConfigError, FieldTypeError
from osiris_lsp.secret import Secret
from osiris_lsp.specs import Families

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str, Secret),
    "boolean": (bool,),
}


def require_fields(
    step_id: str,
    connection: Mapping[str, Any] | None,
    fields: Sequence[str] = ("host", "database", "user", "password"),
) -> None:
    """Raise ConnectorConfigError, a ValueError, for a connection or a field that is not there.

    A field that is empty is there; a `dsn` stands for all of them (R-10).
    """
    if not connection:
        raise ConnectorConfigError(
            f"Step {step_id}: 'resolved_connection' is required",
            code="config.missing_connection",
            field="resolved_connection",
        )
    if connection.get("dsn") is not None:
        return
    for field in fields:
        if connection.get(field) is None:
            raise ConnectorConfigError(
                f"Step {step_id}: connection field '{field}' is required",
                code="config.missing_field",
                field=field,
            )


def check_types(connection: Mapping[str, Any]) -> None:
    """Raise FieldTypeError, a TypeError, for a field of another type than its family's schema says.

    A number out of range raises ConnectorConfigError. Families that are not ours are not checked.
    """
    spec = Families().find(str(connection.get("family", "")))
    for name, field in spec.fields.items() if spec is not None else ():
        wanted = field.schema.get("type")
        if name not in connection or not isinstance(wanted, str) or wanted not in _TYPES:
            continue
        value = connection[name]
        # For Python a truth value is a number.
        is_bool = isinstance(value, bool)
        if not isinstance(value, _TYPES[wanted]) or is_bool != (wanted == "boolean"):
            raise FieldTypeError(
                f"Connection field '{name}' must be {wanted}, got {type(value)}",
                code="config.type",
                field=name,
            )
        low, high = field.schema.get("minimum"), field.schema.get("maximum")
        if (low is not None and value < low) or (high is not None and value > high):
            raise ConnectorConfigError(
                f"Connection field '{name}' must be from {low} to {high}, got {value}",
                code="config.range",
                field=name,
            )
