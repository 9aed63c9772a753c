"""Supabase, OpenAI, Shopify, GraphQL and PostHog, each by what its documentation promises."""

from collections.abc import Mapping

import requests

from tests.doubles import graphql, openai, posthog, rest, shopify, supabase
from tests.doubles.clients import Serve, bearer, get, post


def test_supabase_keys(serve: Serve) -> None:
    """Each key gets what the gateway grants it (R-47)."""
    server = serve(supabase.Supabase())

    def statuses(key: str) -> list[int]:
        paths = ("/auth/v1/health", "/auth/v1/settings", "/rest/v1/", "/rest/v1/orders")
        headers = {"apikey": key} if key else {}
        return [get(f"{server.url}{path}", headers)[0] for path in paths]

    for key in (supabase.SERVICE_ROLE_KEY, supabase.SECRET_KEY):
        assert statuses(key) == [200, 200, 200, 200]
    for key in (supabase.ANON_KEY, supabase.PUBLISHABLE_KEY):
        assert statuses(key) == [200, 200, 403, 200]
    for key in ("", "sb_secret_wrong", supabase.legacy_key("authenticated")):
        assert statuses(key) == [200, 401, 401, 401]
    no_key = "No API key found in request"
    assert get(f"{server.url}/rest/v1/")[1]["message"] == no_key


def test_supabase_tables(serve: Serve) -> None:
    """Rows are filtered, inserted and merged as PostgREST does."""
    double = supabase.Supabase()
    url = f"{serve(double).url}/rest/v1/orders"
    headers = {"apikey": supabase.SECRET_KEY}
    merge = {**headers, "Prefer": "resolution=merge-duplicates,return=representation"}
    row = {"id": 1, "total": 12}
    assert post(url, row, headers)[0] == 409
    assert post(f"{url}?on_conflict=id", [row, {"id": 2, "total": 3}], merge)[0] == 201
    assert double.tables["orders"] == [row, {"id": 2, "total": 3}]
    assert get(f"{url}?select=total&id=eq.2", headers) == (200, [{"total": 3}])
    assert get(url.replace("orders", "nothing"), headers)[1]["code"] == "PGRST205"
    assert get(url, {**headers, "Accept-Profile": "private"})[1]["code"] == "PGRST106"
    assert post(url, row, {"apikey": supabase.ANON_KEY})[1]["code"] == "42501"


def test_openai_models(serve: Serve) -> None:
    """The list and one model need the key, unless the server is a local one."""
    url = f"{serve(openai.Openai()).url}/v1/models"
    key = bearer(openai.API_KEY)
    assert [model["id"] for model in get(url, key)[1]["data"]] == list(openai.MODELS)
    assert get(f"{url}/gpt-4o-mini", key)[0] == 200
    assert get(f"{url}/gpt-9", key)[1]["error"]["code"] == "model_not_found"
    assert get(url, bearer("sk-wrong"))[1]["error"]["code"] == "invalid_api_key"
    assert get(url)[0] == 401
    assert get(f"{serve(openai.Openai(None)).url}/v1/models")[0] == 200


def test_shopify_versions_and_tokens(serve: Serve) -> None:
    """A past version falls forward, an unknown one is not found, and errors may come with 200."""
    server = serve(shopify.Shopify())
    token = {"X-Shopify-Access-Token": shopify.ACCESS_TOKEN}

    def ask(version: str, query: str, headers: Mapping[str, str] = token) -> requests.Response:
        url = f"{server.url}/admin/api/{version}/graphql.json"
        return requests.post(url, json={"query": query}, headers=headers, timeout=5)

    answer = ask("2024-01", "{ shop { name myshopifyDomain } }")
    assert answer.json()["data"]["shop"]["myshopifyDomain"] == shopify.SHOP_DOMAIN
    assert answer.headers["X-Shopify-API-Version"] == "2026-01"
    assert ask("2026-10", "{ shop { name } }").headers["X-Shopify-API-Version"] == "2026-10"
    assert ask("2024-02", "{ shop { name } }").status_code == 404
    assert ask("2026-10", "{ shop { name } }", {}).status_code == 401
    denied = ask("2026-10", "{ products { id } }")
    assert denied.status_code == 200
    assert denied.json()["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_graphql_errors(serve: Serve) -> None:
    """Wrong credentials come with 200, wrong requests with 400."""
    url = f"{serve(graphql.Graphql(rest.bearer([graphql.TOKEN]), introspection=False)).url}/graphql"
    key = bearer(graphql.TOKEN)
    assert post(url, {"query": "{ __typename }"}, key) == (200, {"data": {"__typename": "Query"}})
    status, content = post(url, {"query": "{ __typename }"})
    assert (status, content["errors"][0]["extensions"]["code"]) == (200, "UNAUTHENTICATED")
    for query, code in (
        ("{ __schema { types } }", "INTROSPECTION_DISABLED"),
        ("{ __typename", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ):
        status, content = post(url, {"query": query}, key)
        assert (status, content["errors"][0]["extensions"]["code"]) == (400, code)


def test_posthog_keys(serve: Serve) -> None:
    """Only a personal key with the scope reads the project."""
    server = serve(posthog.Posthog())
    url = f"{server.url}/api/projects/{posthog.PROJECT_ID}/"
    assert get(url, bearer(posthog.PERSONAL_KEY))[1]["id"] == 12345
    assert get(url.replace("12345", "99"), bearer(posthog.PERSONAL_KEY))[0] == 404
    for headers, status, code in (
        ({}, 401, "not_authenticated"),
        (bearer(posthog.PROJECT_KEY), 401, "authentication_failed"),
        (bearer(posthog.UNSCOPED_KEY), 403, "permission_denied"),
    ):
        actual, content = get(url, headers)
        assert (actual, content["code"]) == (status, code)
