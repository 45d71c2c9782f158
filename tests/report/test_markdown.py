"""The Markdown as a parser reads it: tables keep their cells, and no text of the database is markup."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.report.hostile import TEXTS, hostile
from tests.report.results import Results
from trigger_audit.report.formats import Format, render
from trigger_audit.report.markdown import MOST_CHARACTERS, comment
from trigger_audit.report.markup import code, fenced, html_text, markdown_text
from trigger_audit.visible import plain

pytestmark = pytest.mark.xdist_group("formats")

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What we write ourselves; all else came out of the database.
OURS = {"details", "summary", "code", "span", "br"}
BLOCKS = {"heading", "table", "paragraph", "bullet_list", "fence", "html_block"}


class Rendered(HTMLParser):
    """A page's text, table rows and tags, and what a code host would make a link or a mention of: it looks at each
    text node by itself.
    """

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.nodes: list[str] = []
        self.cells: list[int] = []
        self.feed(PARSER.render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name in ("style", "class") for name, _ in attrs), (tag, attrs)
        if tag == "tr":
            self.cells.append(0)
        if tag in ("td", "th"):
            self.cells[-1] += 1

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        self.nodes.append(data)

    @property
    def text(self) -> str:
        return "".join(self.nodes)


# A text node in which a code host finds something, outside code.
FOUND = re.compile(r"@\w|#\d|\bGH-\d|https?://|ftp://|www\.\w|\$.*\$", re.IGNORECASE)


def outline(tokens: list[Token]) -> list[str]:
    return [token.type for token in tokens if token.level == 0]


def test_what_the_migrations_bring_is_in_tables_with_details_below(results: Results) -> None:
    text = render(results.check_with_base, Format.MARKDOWN)
    first = text.split("\n")[0]
    assert first == (
        "### trigger-audit check: new: 3 errors, 1 warning; 1 broken statement; 1 mended; "
        "5 flows newly fail or are altered; compared with main (0123456789ab)"
    )
    page = Rendered(text)
    # The findings with the broken statement, the failing flows, the changes: a head and rows each.
    assert page.cells == [4] * 6 + [4] * 4 + [3] * 7
    assert page.tags.count("details") == page.tags.count("summary") == 7
    assert "supabase/migrations/20260201090000_changes.sql:13:3" in page.text
    assert "insert into public.login_history values (new.id, new.last_sign_in_at);" in page.text
    assert set(page.tags) <= {"h3", "h4", "p", "ul", "li", "pre", "table", "thead", "tbody", "tr", "td", "th",
                              "strong", *OURS}  # fmt: skip


def test_every_kind_of_result_is_whole(results: Results) -> None:
    for name, result in results.all().items():
        text = render(result, Format.MARKDOWN)
        tokens = PARSER.parse(text)
        assert {
            token.type.removesuffix("_open").removesuffix("_close") for token in tokens if token.level == 0
        } <= BLOCKS
        assert text.startswith(f"### trigger-audit {name.partition('-')[0]}: ")


def test_no_text_of_the_database_is_markup(results: Results) -> None:
    plainly = outline(PARSER.parse(comment(hostile(results.check_with_base, "x"))))

    # Of a line without anything there is no excerpt to show.
    @given(TEXTS.filter(bool))
    @settings(max_examples=40)
    def holds(text: str) -> None:
        markdown = comment(hostile(results.check_with_base, text))
        page = Rendered(markdown)
        assert outline(PARSER.parse(markdown)) == plainly
        assert not {"a", "img", "script", "em", "s", "h1", "hr", "blockquote", "ol"} & set(page.tags)
        assert set(page.cells) <= {3, 4}

    holds()


@given(TEXTS)
def test_a_text_shows_as_it_is_and_is_no_reference(text: str) -> None:
    shown = plain(text)
    for markdown in (
        f"* {markdown_text(text)}",
        f"<p>{html_text(text)}</p>",
        f"| a |\n|---|\n| {markdown_text(text)} |",
    ):
        page = Rendered(markdown)
        assert shown.strip() in page.text
        assert [node for node in page.nodes if FOUND.search(node)] == []


@given(TEXTS.filter(lambda text: plain(text).strip() != ""))
def test_code_shows_as_it_is(text: str) -> None:
    shown = plain(text)
    assert Rendered(code(text)).text.strip() == shown.strip()
    tokens = PARSER.parse(fenced([text, "^"]))
    assert [(token.type, token.content) for token in tokens] == [("fence", f"{shown}\n^\n")]


def test_html_is_escaped() -> None:
    assert html.unescape(html_text('<b>"&')) == '<b>"&'
    assert "<b>" not in html_text("<b>")


def test_a_thousand_findings_fit_and_the_rest_is_counted(results: Results) -> None:
    finding = results.scan.findings[0]
    many = tuple(replace(finding, fingerprint=str(number)) for number in range(1000))
    text = render(replace(results.scan, findings=many), Format.MARKDOWN)
    assert len(text) <= MOST_CHARACTERS
    told = [int(number) for number in re.findall(r"_(\d+) (?:findings|details) left out here", text)]
    assert len(told) == 2
    page = Rendered(text)
    # A head and a row for each that is not left out.
    assert told[0] == 1000 - (len(page.cells) - 1)
    assert told[1] == 1000 - page.tags.count("details") + text.count("Not analysed:")
    assert min(1000 - number for number in told) > 20


def test_a_text_without_end_is_cut(results: Results) -> None:
    found = replace(results.scan.findings[0], message="x" * 200_000, why="y" * 200_000)
    text = render(replace(results.scan, findings=(found,)), Format.MARKDOWN)
    assert len(text) <= MOST_CHARACTERS
    assert "left out" not in text


def test_nothing_found_is_one_line(results: Results) -> None:
    text = render(replace(results.scan, findings=(), not_analysed=()), Format.MARKDOWN)
    assert text == "### trigger-audit scan: no findings\n"
