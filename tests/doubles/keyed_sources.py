"""Sources of evidence that need a key: GitHub, NewsAPI, Reddit, X, Brave Search and Whisper.

https://docs.github.com/en/rest/search/search, …/rest/rate-limit/rate-limit
https://newsapi.org/docs/endpoints/everything, https://newsapi.org/docs/errors
https://www.reddit.com/dev/api, https://github.com/reddit-archive/reddit/wiki/OAuth2
https://docs.x.com/x-api/posts/search-recent-posts, https://docs.x.com/x-api/usage/get-usage
https://api.search.brave.com/app/documentation/web-search/responses
https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

import re
from email.parser import BytesParser
from email.policy import HTTP

from tests.doubles.messages import CANARY, Answer, Request, as_json
from tests.doubles.open_sources import COUNT

TOKEN = f"ghp_{CANARY}Token0000000000000000000000"
KEY = f"{CANARY}key0000000000000000000000"
SECRET = f"{CANARY}-reddit+/secret"
CLIENT = "a1B2c3D4e5F6g7"

BAD_CREDENTIALS = as_json(401, {"message": "Bad credentials", "status": "401"})
SECONDARY_LIMIT = as_json(403, {"message": "You have exceeded a secondary rate limit."})


def primary_limit(reset: float) -> Answer:
    """The answer of GitHub to one request too many."""
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{reset:.0f}"}
    return as_json(403, {"message": "API rate limit exceeded"}, headers)


def issue(url: str, number: int) -> dict[str, object]:
    """An issue, every third a pull request."""
    pull = {"pull_request": {"url": "…"}} if number % 3 == 0 else {}
    return {
        "number": number,
        "title": f"Issue {number}",
        "body": None if number == 2 else f"Body {number}",
        "html_url": f"https://github.com/o/r/issues/{number}",
        "repository_url": f"{url}/repos/o/r",
        "created_at": "2025-01-01T00:00:00Z",
        "user": {"login": "octocat"},
        "state": "open",
        "comments": 2,
        "labels": [{"name": "bug"}],
        **pull,
    }


def discussion(number: int) -> dict[str, object]:
    """A discussion as GraphQL gives it."""
    return {
        "number": number,
        "title": f"Discussion {number}",
        "body": "How?",
        "url": f"https://github.com/o/r/discussions/{number}",
        "createdAt": "2025-01-01T00:00:00Z",
        "author": {"login": "octocat"},
        "repository": {"nameWithOwner": "o/r"},
        "comments": {"totalCount": 1},
    }


def github(request: Request) -> Answer:
    """Search, issues 1 to 45, discussion 99, limits; without a token only what is public."""
    if request.headers.get("Authorization") and request.bearer != TOKEN:
        return BAD_CREDENTIALS
    if request.path == "/rate_limit":
        return as_json(200, {"resources": {"search": {"limit": 30, "remaining": 18}}})
    if request.path == "/graphql":
        return _graphql(request)
    url = "https://api.github.com"
    match = re.fullmatch(r"/repos/o/r/issues/(\d+)", request.path)
    if match and 1 <= int(match[1]) <= COUNT:
        return as_json(200, issue(url, int(match[1])))
    if request.path != "/search/issues":
        return as_json(404, {"message": "Not Found", "status": "404"})
    if not re.search(r"\bis:(issue|pull-request)\b", request.query["q"]):
        return as_json(422, {"message": "Query must include 'is:issue' or 'is:pull-request'"})
    size, page = int(request.query["per_page"]), int(request.query["page"])
    numbers = range((page - 1) * size + 1, min(page * size, COUNT) + 1)
    found = {"total_count": COUNT, "incomplete_results": False}
    return as_json(200, {**found, "items": [issue(url, number) for number in numbers]})


def _graphql(request: Request) -> Answer:
    if request.bearer is None:
        return BAD_CREDENTIALS
    variables = request.json()["variables"]
    if "q" in variables:
        last = variables["after"] == "next"
        page = {"hasNextPage": not last, "endCursor": None if last else "next"}
        nodes = [discussion(2), {}] if last else [discussion(1)]
        return as_json(200, {"data": {"search": {"pageInfo": page, "nodes": nodes}}})
    if variables["number"] == 99:
        return as_json(200, {"data": {"repository": {"discussion": discussion(99)}}})
    error = {"type": "NOT_FOUND", "message": "Could not resolve to a Discussion"}
    return as_json(200, {"data": {"repository": {"discussion": None}}, "errors": [error]})


def news_error(status: int, code: str) -> Answer:
    """An error of NewsAPI."""
    return as_json(status, {"status": "error", "code": code, "message": f"about {CANARY}"})


def newsapi(request: Request) -> Answer:
    """`/everything` up to the 30 results that a small plan has, and the list of sources."""
    if request.headers.get("X-Api-Key") != KEY:
        return news_error(401, "apiKeyInvalid")
    if request.path == "/top-headlines/sources":
        return as_json(200, {"status": "ok", "sources": [{"id": "bbc-news"}]})
    if request.path != "/everything":
        return Answer(404, b"<h1>404</h1>", {"Content-Type": "text/html"})
    size, page = min(int(request.query["pageSize"]), 10), int(request.query["page"])
    if page * size > 30:
        return news_error(426, "maximumResultsReached")
    articles = [
        {
            "source": {"id": None, "name": "BBC"},
            "author": "Ann",
            "title": f"Article {number}",
            "description": "Short.",
            "url": f"https://example.com/{number}",
            "publishedAt": "2026-09-01T00:00:00Z",
            "content": "Long… [+100 chars]",
        }
        for number in range((page - 1) * size, page * size)
    ]
    return as_json(200, {"status": "ok", "totalResults": 9000, "articles": articles})


class Reddit:
    """Tokens, `/search`, `/api/info` and a list of subreddits."""

    def __call__(self, request: Request) -> Answer:
        """Answer by path; every call but that for a token needs one, and a User-Agent."""
        if "osiris" not in request.headers.get("User-Agent", ""):
            return as_json(429, {"message": "Too Many Requests", "error": 429})
        if request.path == "/api/v1/access_token":
            good = request.basic in ((CLIENT, SECRET), (CLIENT, SECRET.replace("+", "%2B")))
            if request.basic and not good:
                from urllib.parse import unquote_plus

                good = tuple(map(unquote_plus, request.basic)) == (CLIENT, SECRET)
            if not good:
                return as_json(401, {"message": "Unauthorized", "error": 401})
            token = {"access_token": f"{CANARY}-token", "token_type": "bearer"}
            return as_json(200, {**token, "expires_in": 86400, "scope": "*"})
        if request.bearer != f"{CANARY}-token":
            return as_json(401, {"message": "Unauthorized", "error": 401})
        if request.path == "/subreddits/default":
            return self.listing([])
        if request.path == "/api/info":
            number = int(request.query["id"].removeprefix("t3_x") or COUNT)
            return self.listing([number] if number < COUNT else [])
        if request.path not in ("/search", "/r/python/search"):
            return as_json(404, {"message": "Not Found", "error": 404})
        start = int(request.query.get("after", "t3_x0").removeprefix("t3_x"))
        end = min(start + 10, COUNT)
        return self.listing(list(range(start, end)), f"t3_x{end}" if end < COUNT else None)

    def listing(self, numbers: list[int], after: str | None = None) -> Answer:
        """Posts as a listing."""
        posts = [
            {
                "kind": "t3",
                "data": {
                    "name": f"t3_x{number}",
                    "title": f"Post {number}",
                    "selftext": "Tea & cake",
                    "author": "someone",
                    "subreddit": "python",
                    "created_utc": 1_780_000_000.0,
                    "permalink": f"/r/python/comments/x{number}/post/",
                    "url": "https://example.com",
                    "score": 5,
                    "num_comments": 1,
                },
            }
            for number in numbers
        ]
        left = {"X-Ratelimit-Remaining": "99.0", "X-Ratelimit-Reset": "12"}
        return as_json(200, {"kind": "Listing", "data": {"after": after, "children": posts}}, left)


def post(number: int) -> dict[str, object]:
    """A post of X."""
    return {
        "id": str(1000 + number),
        "text": f"Post {number}",
        "author_id": "7",
        "created_at": "2026-09-20T00:00:00.000Z",
        "lang": "en",
        "public_metrics": {"like_count": 4, "retweet_count": 2},
    }


PEOPLE = {"users": [{"id": "7", "username": "ada", "name": "Ada"}]}


def twitter(request: Request) -> Answer:
    """Recent search in pages of ten, posts 1000 to 1044, and the usage of the plan."""
    if request.bearer != KEY:
        problem = {"title": "Unauthorized", "type": "about:blank", "status": 401}
        return as_json(401, problem)
    if request.path == "/usage/tweets":
        return as_json(200, {"data": {"project_usage": "43435", "project_cap": "5000000"}})
    match = re.fullmatch(r"/tweets/(\d+)", request.path)
    if match:
        number = int(match[1]) - 1000
        if 0 <= number < COUNT:
            return as_json(200, {"data": post(number), "includes": PEOPLE})
        gone = {"type": "https://api.twitter.com/2/problems/resource-not-found"}
        return as_json(200, {"errors": [{**gone, "title": "Not Found Error"}]})
    if request.path != "/tweets/search/recent":
        return as_json(404, {"title": "Not Found", "status": 404})
    if not 10 <= int(request.query["max_results"]) <= 100:
        return as_json(400, {"title": "Invalid Request", "status": 400})
    if request.query["query"] == "nothing":
        return as_json(200, {"meta": {"result_count": 0}})
    start = int(request.query.get("next_token", "0"))
    end = min(start + 10, COUNT)
    meta = {"result_count": end - start, **({"next_token": str(end)} if end < COUNT else {})}
    data = [post(number) for number in range(start, end)]
    return as_json(200, {"data": data, "includes": PEOPLE, "meta": meta})


BRAVE_BAD_KEY = as_json(
    422,
    {
        "type": "ErrorResponse",
        "error": {"id": "1", "status": 422, "code": "SUBSCRIPTION_TOKEN_INVALID"},
    },
)


def brave(request: Request) -> Answer:
    """`/web/search` in pages of ten."""
    if request.headers.get("X-Subscription-Token") != KEY:
        return BRAVE_BAD_KEY
    if request.path != "/web/search":
        return as_json(404, {"type": "ErrorResponse"})
    offset = int(request.query.get("offset", 0))
    if int(request.query["count"]) > 20 or offset > 9:
        return as_json(422, {"type": "ErrorResponse", "error": {"code": "VALIDATION"}})
    numbers = range(offset * 10, min(offset * 10 + 10, COUNT))
    results = [
        {
            "title": f"Page <strong>{number}</strong>",
            "url": f"https://example.com/{number}",
            "description": "about <strong>tea</strong>",
            "page_age": "2026-08-01T00:00:00",
            "profile": {"name": "Example"},
            "language": "en",
        }
        for number in numbers
    ]
    query = {"original": request.query["q"], "more_results_available": offset < 4}
    found = {"type": "search", "query": query, "web": {"type": "search", "results": results}}
    return as_json(200, found)


def whisper(request: Request) -> Answer:
    """`/models` and `/audio/transcriptions`; a transcript tells what was sent."""
    if request.bearer != KEY:
        error = {"message": f"Incorrect API key: {CANARY}", "code": "invalid_api_key"}
        return as_json(401, {"error": error})
    if request.path == "/models":
        return as_json(200, {"object": "list", "data": [{"id": "whisper-1", "object": "model"}]})
    if request.path != "/audio/transcriptions" or request.method != "POST":
        return as_json(404, {"error": {"message": "Unknown request URL"}})
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    parts = {
        part.get_param("name", header="content-disposition"): part for part in form.iter_parts()
    }
    audio = parts["file"].get_payload(decode=True)
    assert isinstance(audio, bytes)
    said = f"{parts['file'].get_filename()}: {len(audio)} bytes"
    told = {"text": said, "language": "english", "duration": 8.5}
    return as_json(200, told if "verbose" in str(parts["response_format"]) else {"text": said})
