"""Sources of evidence that need no key: arXiv, Hacker News, Wikipedia and EDGAR.

https://info.arxiv.org/help/api/user-manual.html
https://hn.algolia.com/api
https://www.mediawiki.org/wiki/API:Search, https://www.mediawiki.org/wiki/API:Errors_and_warnings
https://www.sec.gov/edgar/search/efts-faq.html
"""

import re

from tests.doubles.messages import Answer, Request, as_json

COUNT = 45
"""Pieces of evidence that each double has."""

ATOM = {"Content-Type": "application/atom+xml; charset=utf-8"}
_FEED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
    "<title>ArXiv Query</title><opensearch:totalResults "
    'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{total}</opensearch:totalResults>'
    "{entries}</feed>"
)
ARXIV_ERROR = (
    "<entry><id>http://arxiv.org/api/errors#incorrect_id_format_for_1234</id><title>Error</title>"
    "<summary>incorrect id format for 1234</summary></entry>"
)


def feed(entries: str, total: int = 1, status: int = 200) -> Answer:
    """An Atom feed as arXiv writes it."""
    return Answer(status, _FEED.format(total=total, entries=entries).encode(), ATOM)


def paper(number: int) -> str:
    """One entry."""
    id = f"2101.{number:05}"
    return (
        f"<entry><id>http://arxiv.org/abs/{id}v1</id><published>2021-01-02T03:04:05Z</published>"
        f"<updated>2021-02-02T03:04:05Z</updated><title>Paper\n  {number} &amp; more</title>"
        f"<summary> On {number}. </summary><author><name>Ada</name></author>"
        "<author><name>Bob</name></author>"
        '<arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.1/x</arxiv:doi>'
        f'<link title="pdf" href="http://arxiv.org/pdf/{id}v1" rel="related"/>'
        '<category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/></entry>'
    )


def arxiv(request: Request) -> Answer:
    """`/query` with `search_query` or `id_list`; at most ten entries, so that pages turn."""
    if request.path != "/query":
        return Answer(404, b"<h1>Not found</h1>", {"Content-Type": "text/html"})
    query = request.query
    if "id_list" in query:
        number = int(re.sub(r"^2101\.(\d{5}).*$|.*", r"\1", query["id_list"]) or COUNT)
        known = number < COUNT
        unknown = f"<entry><id>http://arxiv.org/abs/{query['id_list']}</id></entry>"
        return feed(paper(number) if known else unknown)
    start = int(query.get("start", 0))
    numbers = range(start, min(start + int(query["max_results"]), COUNT))
    return feed("".join(map(paper, numbers)), COUNT)


def story(number: int) -> dict[str, object]:
    """What all forms of an item share."""
    return {
        "created_at": "2024-05-06T07:08:09.000Z",
        "author": "pg",
        "title": f"Story {number}",
        "url": f"https://example.com/{number}",
        "points": number,
    }


def hackernews(request: Request) -> Answer:
    """`/search` and `/items/ID`; ten hits a page at most."""
    match = re.fullmatch(r"/items/(\d+)", request.path)
    if match and int(match[1]) < COUNT:
        number = int(match[1])
        more = {
            "id": number,
            "text": "<p>Tea &amp; <i>cake</i><script>x()</script>",
            "children": [],
        }
        return as_json(200, {**story(number), **more})
    if match or request.path != "/search":
        return as_json(404, {"status": 404, "error": "Not Found"})
    size, page = min(int(request.query["hitsPerPage"]), 10), int(request.query.get("page", 0))
    numbers = range(page * size, min((page + 1) * size, COUNT))
    hits = [
        {**story(number), "objectID": str(number), "story_text": None, "num_comments": 3}
        for number in numbers
    ]
    return as_json(200, {"hits": hits, "page": page, "nbPages": -(-COUNT // size)})


def wiki_error(code: str, headers: dict[str, str] | None = None) -> Answer:
    """An error of MediaWiki, which comes with status 200."""
    body = {"error": {"code": code, "info": "c4n4ry"}, "servedby": "mw1"}
    return as_json(200, body, {"MediaWiki-API-Error": code, **(headers or {})})


def wikipedia(request: Request) -> Answer:
    """`/w/api.php` with `list=search`, `meta=siteinfo` or a page; ten hits a page at most."""
    query = request.query
    if request.path != "/w/api.php" or "osiris" not in request.headers.get("User-Agent", ""):
        return Answer(403, b"<h1>set a user-agent</h1>", {"Content-Type": "text/html"})
    if query.get("meta") == "siteinfo":
        general = {"sitename": "Wikipedia", "generator": "MediaWiki 1.45.0"}
        return as_json(200, {"batchcomplete": True, "query": {"general": general}})
    if query.get("list") == "search":
        start = int(query["sroffset"])
        end = min(start + min(int(query["srlimit"]), 10), COUNT)
        hits = [
            {
                "ns": 0,
                "title": f"Page {number}/ä",
                "pageid": number + 1,
                "wordcount": 7,
                "snippet": '<span class="searchmatch">tea</span> &amp; cake',
                "timestamp": "2026-01-01T00:00:00Z",
            }
            for number in range(start, end)
        ]
        more = {"continue": {"sroffset": end, "continue": "-||"}} if end < COUNT else {}
        return as_json(200, {"batchcomplete": True, **more, "query": {"search": hits}})
    id = query.get("pageids") or "7"
    if query.get("titles", "Page 6/ä") != "Page 6/ä" or int(id) > COUNT:
        page: dict[str, object] = {"pageid": int(id), "missing": True}
    else:
        changed = [{"timestamp": "2026-01-01T00:00:00Z"}]
        page = {
            "pageid": int(id),
            "ns": 0,
            "title": f"Page {int(id) - 1}/ä",
            "extract": "All of it.",
        }
        page["revisions"] = changed
    return as_json(200, {"batchcomplete": True, "query": {"pages": [page]}})


SEC_BLOCKED = Answer(
    403,
    b"<html><title>SEC.gov | Request Rate Threshold Exceeded</title></html>",
    {"Content-Type": "text/html"},
)
SEC_UNDECLARED = Answer(
    403,
    b"<html><h1>Your Request Originates from an Undeclared Automated Tool</h1></html>",
    {"Content-Type": "text/html"},
)


def filing(number: int) -> dict[str, object]:
    """One hit of the full text search."""
    return {
        "_id": f"0000320193-23-{number:06}:aapl-{number}.htm",
        "_source": {
            "ciks": ["0000320193"],
            "display_names": ["Apple Inc. (AAPL) (CIK 0000320193)"],
            "form": "10-K",
            "file_date": "2023-11-03",
            "file_description": "Annual report",
            "period_ending": "2023-09-30",
        },
    }


def sec(request: Request) -> Answer:
    """`/search-index` in pages of ten, and the documents below `/edgar/data`."""
    if "@" not in request.headers.get("User-Agent", ""):
        return SEC_UNDECLARED
    match = re.fullmatch(r"/edgar/data/320193/00003201932300(\d{4})/aapl-\d+\.htm", request.path)
    if match:
        page = b"<html><head><title>10-K</title></head><body><p>Going concern</p></body></html>"
        return Answer(200, page, {"Content-Type": "text/html"})
    if request.path != "/search-index":
        return Answer(404, b"<h1>404</h1>", {"Content-Type": "text/html"})
    start = int(request.query.get("from", 0))
    hits = [filing(number) for number in range(start, min(start + 10, COUNT))]
    return as_json(200, {"hits": {"total": {"value": COUNT, "relation": "eq"}, "hits": hits}})
