"""The connector to copy, and the page that explains it."""

import asyncio
import re
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from osiris_lsp.connectors import ConnectionDoctor, ConnectionResolver
from osiris_lsp.connectors.examples import myservice
from osiris_lsp.connectors.examples.myservice import (
    MyServiceConnector,
    MyServiceCredentials,
    MyServiceError,
)
from osiris_lsp.project import open_project
from tests import golden

ROOT = Path(__file__).parents[3]
TEMPLATE = Path(myservice.__file__).parent
PAGE = ROOT / "docs" / "adding-a-connector.md"


@pytest.fixture
def credentials(httpserver: HTTPServer) -> MyServiceCredentials:
    """Credentials for the local server."""
    return MyServiceCredentials(api_key="test_key", base_url=httpserver.url_for("/v1"))


@pytest.mark.inventory("S3-NEW-04", "S3-INT-08", "S3-NEW-01")
def test_list_resources(credentials: MyServiceCredentials, httpserver: HTTPServer) -> None:
    """The seed's own example, with a server in place of a mock."""
    httpserver.expect_request("/v1/resources").respond_with_json(
        {"data": [{"id": "1", "name": "Test"}]}
    )

    async def main() -> None:
        async with MyServiceConnector(credentials) as connector:
            resources = await connector.list_resources()
            assert len(resources) == 1
            assert resources[0].name == "Test"

    asyncio.run(main())
    request, _ = httpserver.log[0]
    assert request.args.to_dict() == {"limit": "100"}
    assert request.headers["Authorization"] == "Bearer test_key"


@pytest.mark.inventory("S3-INT-06", "S3-INT-09", "S3-NEW-01")
def test_what_else_it_does(credentials: MyServiceCredentials, httpserver: HTTPServer) -> None:
    """Pages follow each other, bodies are JSON, and every status from 400 on raises."""
    first = {"data": [{"id": "1", "name": "a"}], "next": "1"}
    httpserver.expect_ordered_request("/v1/resources", "GET").respond_with_json(first)
    httpserver.expect_ordered_request(
        "/v1/resources", "GET", query_string={"limit": "100", "after": "1"}
    ).respond_with_json({"data": [{"id": "2", "name": "b"}]})
    httpserver.expect_ordered_request(
        "/v1/resources", "POST", json={"name": "c"}
    ).respond_with_json({"id": "3", "name": "c", "created_at": "2026-01-02T03:04:05Z"}, 201)
    for status in (404, 500):
        body = {"error": {"message": f"no {status}"}}
        httpserver.expect_ordered_request("/v1/resources/x", "GET").respond_with_json(body, status)
    httpserver.expect_ordered_request("/v1/resources/x").respond_with_response(Response("?", 400))

    async def main() -> None:
        async with MyServiceConnector(credentials, retry=None) as connector:
            assert [item.name async for item in connector.iter_resources()] == ["a", "b"]
            made = await connector.create_resource("c")
            assert made.created_at is not None
            assert made.created_at.tzinfo is not None
            for status, message in ((404, "no 404"), (500, "no 500"), (400, "Unknown error")):
                with pytest.raises(MyServiceError) as caught:
                    await connector.get_resource("x")
                assert (caught.value.status_code, caught.value.message) == (status, message)

    asyncio.run(main())
    httpserver.check()


@pytest.mark.inventory("S3-NEW-02", "S3-NEW-03")
def test_layout_and_defaults() -> None:
    """Four modules with their exports; the address and the time limit have defaults."""
    names = {path.name for path in TEMPLATE.glob("*.py")}
    assert names == {"__init__.py", "credentials.py", "models.py", "connector.py"}
    for name, home in {
        "MyServiceConnector": "connector",
        "MyServiceError": "connector",
        "MyServiceCredentials": "credentials",
        "MyResource": "models",
    }.items():
        assert name in myservice.__all__
        assert getattr(myservice, name).__module__ == f"{myservice.__name__}.{home}"
    connector = MyServiceConnector(MyServiceCredentials("k"))
    assert MyServiceConnector.BASE_URL == "https://api.myservice.com/v1"
    assert connector.credentials.base_url == MyServiceConnector.BASE_URL

    async def look() -> float:
        async with connector:
            return connector.client.config.timeout

    assert asyncio.run(look()) == 30.0


@pytest.mark.inventory("S3-NEW-01")
def test_its_connection_lints_and_its_doctor_runs(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the family of the template a project has no finding, and a check that tells a key."""
    (tmp_path / "families").mkdir()
    schema = (TEMPLATE / "family.json").read_text(encoding="utf-8")
    (tmp_path / "families" / "myservice.json").write_text(schema, encoding="utf-8")
    (tmp_path / "osiris-lsp.toml").write_text('families = ["families/*.json"]\n')
    file = tmp_path / "osiris_connections.yaml"
    file.write_text(
        "version: 1\nconnections:\n  myservice:\n    main:\n      default: true\n"
        f"      base_url: {httpserver.url_for('/v1')}\n      api_key: ${{MYSERVICE_API_KEY}}\n"
    )
    monkeypatch.setenv("MYSERVICE_API_KEY", "good")
    project = open_project(str(tmp_path))
    assert project.problems == []
    found = [
        item.rule for item in golden.lint_all(project) if item.path.endswith("connections.yaml")
    ]
    assert found in ([], ["unused-connection"])
    httpserver.expect_request(
        "/v1/resources", headers={"Authorization": "Bearer good"}
    ).respond_with_json({"data": [{"id": "1", "name": "a"}]})
    httpserver.expect_request("/v1/resources").respond_with_json({}, 401)
    resolver = ConnectionResolver(str(file))
    resolved = resolver.resolve("@myservice.main")

    async def main() -> str:
        async with MyServiceConnector.from_connection(resolved) as connector:
            return (await connector.list_resources())[0].name

    assert asyncio.run(main()) == "a"
    doctor = ConnectionDoctor(ConnectionResolver(str(file)))
    assert doctor.check_connection("@myservice.main").ok
    monkeypatch.setenv("MYSERVICE_API_KEY", "bad")
    refused = ConnectionDoctor(ConnectionResolver(str(file))).check_connection("@myservice.main")
    assert (refused.ok, refused.category) == (False, "auth")


@pytest.mark.inventory("S3-NEW-01", "S3-NEW-05")
def test_the_page_is_true() -> None:
    """Its samples are lines of the template, its steps are there, and its places exist."""
    page = PAGE.read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in TEMPLATE.glob("*.py")]
    sources.append(Path(__file__).read_text(encoding="utf-8"))
    samples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(samples) == 5
    for sample in samples:
        if "async with" not in sample:
            assert any(sample in source for source in sources), sample
    titles = re.findall(r"^## (.*)", page, re.MULTILINE)
    assert [title.partition(". ")[2] for title in titles[:7]] == [
        "Choose the pattern", "Credentials", "Models", "Connector", "Export", "Family", "Tests",
    ]  # fmt: skip
    rows = dict(re.findall(r"^\| ([\w ]+) \| (`.*`) \|$", page.partition("## Where")[2], re.M))
    assert {"base of integrations", "exceptions", "credentials", "recovery", "tests"} <= rows.keys()
    places = [place for cell in rows.values() for place in re.findall(r"`([^`]+)`", cell)]
    assert [place for place in places if not (ROOT / place).exists()] == []
