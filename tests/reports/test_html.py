"""`--format html`, looked at in Chromium."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.cli.conftest import Run, write
from tests.reports.conftest import CANARY, CONNECTIONS, PIPELINE, Golden, Report
from tests.services.browser import chromium

DOCTOR: dict[str, Any] = {
    "connections": [
        {
            "family": "mysql",
            "alias": "default",
            "ok": False,
            "latency_ms": None,
            "category": "auth",
            "message": "Invalid credentials",
            "details": {
                "code": "auth.login",
                "stage": "auth",
                "field": "password",
                "cause": "the server refused <user> and `password`",
                "remedy": "correct them",
            },
        },
        {
            "family": "mysql",
            "alias": "old",
            "ok": True,
            "latency_ms": 0.4,
            "category": "ok",
            "message": "Connection successful",
            "details": {"server_version": "11.8.3"},
        },
    ]
}

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this module."""
    with chromium() as found:
        yield found


@pytest.fixture
def html(report: Report, project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The report about the project, with doctor results."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    (project / "doctor.json").write_text(json.dumps(DOCTOR))
    result = report("html", "--doctor-json", "doctor.json")
    assert (result.code, result.err) == (1, "")
    return result.out


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a page from a file; it may load nothing else."""
    contexts = []

    def call(text: str, width: int = 1280, scheme: Any = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True
        )
        contexts.append(context)
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        page = context.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: requests.append(f"dialog {dialog.message}"))
        page.on("console", lambda message: requests.append(f"console {message.text}"))
        page.goto(path.as_uri())
        assert requests == [path.as_uri()]
        return page

    yield call
    for context in contexts:
        context.close()


def test_the_page_holds_everything(html: str, golden: Golden) -> None:
    """Findings by file and rule, excerpts, suppressed ones, pipelines and doctor results."""
    body = re.sub(r"osiris-lsp \d+\.\d+\.\d+", "osiris-lsp VERSION", html.partition("<body>")[2])
    golden("html.html", body)


def test_nothing_can_be_loaded_or_run(html: str) -> None:
    """No script, no frame, no address of another machine; the policy says the same."""
    assert "default-src 'none'" in html
    assert not re.search(r"<(script|iframe|img|link|object|embed|form)\b|\son\w+\s*=", html)
    assert not re.search(r"(src|href)=[\"'](?!#)", html)
    assert "@import" not in html
    assert "url(" not in html.replace("url(#end)", "").replace("url(#bad-end)", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_barrier(html: str, show: Open, width: int, scheme: str) -> None:
    """axe-core: landmarks, headings, labels, contrast, with all details open."""
    page = show(html, width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=options).response
    assert found["passes"]
    problems = {
        item["id"]: [node["html"] for node in item["nodes"]] for item in found["violations"]
    }
    assert problems == {}


def test_a_phone_never_scrolls_sideways(show: Open, run: Run, project: Path) -> None:
    """At 390 and 320 pixels the page fits, long words and wide pictures included."""
    long = PIPELINE.replace("table: ", f'"{"x" * 300}": 1, table: ').replace(
        "name: orders", f"name: {'o' * 200}"
    )
    path = f"pipelines/{'d' * 90}/{'e' * 90}.yaml"
    write(project, {"osiris_connections.yaml": CONNECTIONS, path: long})
    text = run("lint", "--format", "html").out
    for width in (390, 320):
        page = show(text, width)
        page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_keyboard_reaches_everything(html: str, show: Open) -> None:
    """Tab goes to the skip link first; a link to a rule opens it; pictures scroll by keys."""
    page = show(html)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("a[href='#rule-unknown-alias']").focus()
    page.keyboard.press("Enter")
    assert page.locator("#rule-unknown-alias").is_visible()
    page.locator("#rules details[open] .places a").focus()
    page.keyboard.press("Enter")
    target = page.evaluate("document.querySelector(':target').className")
    assert target == "finding error"
    page.locator(".scroll").first.focus()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"


def test_severities_can_be_hidden_without_a_script(html: str, show: Open) -> None:
    """The choice works by style alone."""
    page = show(html)
    errors, hints = page.locator(".finding.error"), page.locator(".finding.hint")
    assert errors.count() == 6
    assert hints.first.is_visible()
    page.locator("#show-hint").focus()
    page.keyboard.press("Space")
    assert not hints.first.is_visible()
    assert errors.first.is_visible()
    files = page.locator(".file")
    assert files.first.is_visible()
    for box in page.locator(".choice input:checked").all():
        box.uncheck()
    assert not any(file.is_visible() for file in files.all())


def test_a_rule_is_as_severe_as_its_findings(report: Report, show: Open) -> None:
    """The list of rules has the severity that the settings give, as the findings have."""
    page = show(report("html", "--severity", "unknown-alias=info").out)
    for place in ("#findings article:has(a[href='#rule-unknown-alias'])", "#rules details"):
        badge = page.locator(place, has_text="OSR219").locator(".badge").first
        assert badge.text_content() == "info"


def test_hostile_text_stays_text(show: Open, run: Run, project: Path) -> None:
    """Tags, attributes and styles of a file become neither elements nor attributes."""
    evil = "</code></style><img src=x onerror=alert(1)><script>alert(2)</script>\\\"' onload='x"
    pipeline = PIPELINE.replace("sum-<orders>", f'"{evil}"').replace(
        "name: orders", f'name: "{evil}"'
    )
    doctor = json.dumps(DOCTOR).replace("correct them", json.dumps(evil)[1:-1])
    write(
        project,
        {
            "osiris_connections.yaml": CONNECTIONS.replace("kept,", f"{evil} kept,"),
            "pipelines/orders.yaml": pipeline,
            "doctor.json": doctor,
        },
    )
    text = run("lint", "--format", "html", "--doctor-json", "doctor.json").out
    page = show(text)
    for name in ("img", "script", "[onerror]", "[onload]", "[src]"):
        assert page.locator(name).count() == 0
    assert page.locator("style").count() == 1
    assert "<img src=x onerror=alert(1)>" in page.locator("#pipelines").inner_text()
    assert "<img src=x onerror=alert(1)>" in page.locator("#doctor").inner_text()
    assert CANARY not in text


def test_a_clean_project_says_so(show: Open, clean: Report) -> None:
    """The picture of the pipelines is there all the same."""
    page = show(clean("html").out)
    assert page.locator("h1").inner_text() == "No findings"
    assert page.locator("#findings").inner_text().split() == [
        "Findings",
        "Nothing",
        "to",
        "report.",
    ]
    assert page.locator("#pipelines figure").count() == 1


def test_doctor_results_may_be_of_one_connection(report: Report, project: Path) -> None:
    """`connections doctor @ref --json` prints one object."""
    (project / "doctor.json").write_text(json.dumps(DOCTOR["connections"][1]))
    assert "1 of 1 healthy" in report("html", "--doctor-json", "doctor.json").out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no results of the doctor"),
        ('{"connections": [{"family": "mysql"}]}', "holds no results of the doctor"),
        (None, "cannot be read: no such file or directory"),
    ],
)
def test_doctor_results_that_are_none_are_said(
    report: Report, project: Path, text: str | None, words: str
) -> None:
    """The message says how to write such a file."""
    if text is not None:
        (project / "doctor.json").write_text(text)
    result = report("html", "--doctor-json", "doctor.json")
    assert (result.code, result.out) == (2, "")
    assert words in result.err


def test_doctor_results_go_with_html_only(report: Report) -> None:
    """No other format shows them."""
    result = report("json", "--doctor-json", "doctor.json")
    assert (result.code, result.err) == (
        2,
        "osiris-lsp: error: `--doctor-json` goes with `--format html`\n",
    )
