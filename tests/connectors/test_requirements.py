"""What a driver asks of the connection that its step was given."""

from typing import Any

import pytest

from osiris_lsp.connectors import (
    ConnectorConfigError,
    ResolvedConnection,
    check_types,
    require_fields,
)

CANARY = "c4n4ry"
GIVEN = {
    "family": "mysql",
    "alias": "default",
    "host": "db",
    "port": 3306,
    "database": "shop",
    "user": "reader",
    "password": CANARY,
}


@pytest.mark.inventory("S1-CONN006-04")
@pytest.mark.parametrize("nothing", [None, {}])
def test_a_step_without_a_connection(nothing: dict[str, Any] | None) -> None:
    """In the words of the contract, as a ValueError."""
    with pytest.raises(ValueError, match=r"^Step extract: 'resolved_connection' is required$"):
        require_fields("extract", nothing)


@pytest.mark.inventory("S1-CONN007-01", "S1-CONN007-02", "R-10")
@pytest.mark.parametrize("field", ["host", "database", "user", "password"])
def test_a_field_that_is_missing(field: str) -> None:
    """A null is missing, an empty password is not; a DSN stands for all of them."""
    require_fields("extract", GIVEN)
    require_fields("extract", ResolvedConnection("mysql", "default", GIVEN))
    without = {name: value for name, value in GIVEN.items() if name != field}
    for given in (without, {**GIVEN, field: None}):
        with pytest.raises(ValueError, match=r"^Step extract: ") as caught:
            require_fields("extract", given)
        assert str(caught.value) == f"Step extract: connection field '{field}' is required"
    require_fields("extract", {**GIVEN, field: ""})
    require_fields("extract", {**without, "dsn": "mysql://db/shop"})
    require_fields("extract", {"base_dir": "."}, ["base_dir"])


@pytest.mark.inventory("S1-CONN008-02", "S1-CONN008-03", "R-11")
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("port", "3306", "must be integer, got <class 'str'>"),
        ("port", 3306.0, "must be integer, got <class 'float'>"),
        ("port", True, "must be integer, got <class 'bool'>"),
        ("port", None, "must be integer, got <class 'NoneType'>"),
        ("host", 127.0, "must be string, got <class 'float'>"),
        ("host", 1, "must be string, got <class 'int'>"),
        ("host", None, "must be string, got <class 'NoneType'>"),
        ("password", 12345, "must be string, got <class 'int'>"),
    ],
)
def test_a_field_of_another_type(field: str, value: object, message: str) -> None:
    """A TypeError that shows the type and not the value; a port may be left out."""
    check_types(GIVEN)
    check_types(ResolvedConnection("mysql", "default", GIVEN))
    check_types({name: value for name, value in GIVEN.items() if name != "port"})
    check_types({"family": "carrier_pigeon", "loft": 1})
    with pytest.raises(TypeError) as caught:
        check_types({**GIVEN, field: value})
    assert str(caught.value) == f"Connection field '{field}' {message}"


@pytest.mark.inventory("S1-CONN008-02")
@pytest.mark.parametrize("port", [0, 65536])
def test_a_port_that_there_is_not(port: int) -> None:
    """Neither below nor above what TCP knows."""
    with pytest.raises(ConnectorConfigError) as caught:
        check_types({**GIVEN, "port": port})
    assert str(caught.value) == f"Connection field 'port' must be from 1 to 65535, got {port}"
