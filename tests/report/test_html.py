"""The pages: structure, escaping, one file each, and no figure that the set does not hold."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tallybook.report.html import compare_html, statement_file, statement_html, summary_html

VOID = {"meta", "link", "br", "img", "input", "hr", "rect", "line", "circle"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.tables = [], [], []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "table":
            self.tables.append({"captions": 0, "cols": 0, "rows": 0, "bodies": 0})
        if tag == "caption":
            self.tables[-1]["captions"] += 1
        if tag == "th":
            assert given.get("scope") in {"col", "row", "rowgroup"}
            self.tables[-1]["cols" if given["scope"] == "col" else "rows"] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words += data


@pytest.fixture
def pages(real_cost, mixed, priced, comparison):
    return [
        statement_html(priced, "A"),
        statement_html(priced, "B"),
        statement_html(real_cost, "A"),
        statement_html(mixed, "B"),
        summary_html(real_cost),
        summary_html(mixed),
        compare_html(comparison),
    ]


def test_every_table_has_a_caption_and_scoped_heads(pages):
    for page in map(Page, pages):
        assert page.tables
        for table in page.tables:
            assert table["captions"] == 1
            assert table["cols"] >= 3
            assert table["rows"] >= 1


def test_a_page_is_one_file_without_script_or_address(pages):
    for text in pages:
        page = Page(text)
        assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
        for _, attrs in page.tags:
            assert not any(name.startswith("on") for name in attrs)
            assert "style" not in attrs
        for forbidden in ("http:", "https:", "//", "@import", "javascript:", "url(http"):
            assert forbidden not in text
        assert text.count("url(") == text.count("url(#p")


def test_print_is_light_and_numbered_and_dark_is_for_screens(pages):
    for text in pages:
        assert "@media screen and (prefers-color-scheme: dark)" in text
        assert 'counter(page) " of " counter(pages)' in text
        assert "table-header-group" in text
        assert "tabular-nums" in text


def test_each_chart_has_words(real_cost, comparison):
    for text in (statement_html(real_cost, "A"), compare_html(comparison)):
        charts = [attrs for tag, attrs in Page(text).tags if tag == "svg"]
        spoken = [attrs for attrs in charts if attrs.get("role") == "img"]
        assert spoken
        assert all("aria-label" in each or "aria-labelledby" in each for each in spoken)
        assert all("aria-hidden" in each for each in charts if each not in spoken)


def test_the_bar_is_as_long_as_its_parts(real_cost):
    tags = Page(statement_html(real_cost, "A")).tags
    bars = [attrs for tag, attrs in tags if tag == "rect" and attrs.get("height") == "38"]
    assert sum(int(bar["width"]) for bar in bars) == 1000
    assert [bar["x"] for bar in bars] == ["0", "654", "784", "902"]
    assert len({bar["fill"] for bar in bars}) == 4


def test_status_simulation_and_showback_are_loud(real_cost, mixed):
    final, shown = statement_html(real_cost, "A"), statement_html(mixed, "B")
    assert 'class="watermark"' not in final
    assert "imulated data" not in final
    assert "Simulated data." in shown
    assert 'class="watermark"' in shown
    assert "SHOWN, NOT CHARGED" in shown
    assert "Budget owner" not in shown
    assert "Budget owner" in final
    assert real_cost.seal in final
    assert real_cost.body_sha256 in final


def test_the_summary_ties_and_puts_the_unowned_first(real_cost):
    turned = replace(real_cost, central=real_cost.central[::-1])
    page = Page(summary_html(turned)).words
    assert page.index("Unowned usage") < page.index("Rate-card variance")
    for figure in ("1,020.00", "50.00", "1,070.00", "\N{MINUS SIGN}40.00"):
        assert figure in page
    links = [attrs["href"] for tag, attrs in Page(summary_html(turned)).tags if tag == "a"]
    assert links == ["A.html", "B.html"]


def test_names_are_text_wherever_they_stand(real_cost):
    evil = '</style><script>alert("1")</script>\\"; } body { display: none'
    support = replace(real_cost.statements[0], team_name=evil, model_label=evil, cost_center=evil)
    issue = replace(
        real_cost, statements=(support, real_cost.statements[1]), company=evil, dispute_until=evil
    )
    for text in (statement_html(issue, "A"), summary_html(issue)):
        page = Page(text)
        assert "script" not in {tag for tag, _ in page.tags}
        assert text.count("</style>") == 1
        assert 'content: "\\00003c' in text


def test_a_link_cannot_leave_its_folder():
    assert statement_file("../x/y z") == "..%2Fx%2Fy%20z.html"


def test_a_team_with_credits_and_one_with_nothing_are_drawn(real_cost):
    search = real_cost.statements[1]
    credit = replace(
        search.lines[1], kind="transfer", amount_cents=-120_00, label="Paid by Support"
    )
    lines = (search.lines[0], credit)
    earned = replace(search, lines=lines, total_cents=80_00)
    idle = replace(real_cost.statements[0], lines=(), total_cents=0)
    issue = replace(
        real_cost,
        statements=(idle, earned),
        charged_total_cents=80_00,
        ledger_cost_cents=130_00,
    )
    words = Page(statement_html(issue, "B")).words
    assert "credits stand left of the line" in words
    assert "\N{MINUS SIGN}120.00" in words
    assert "Nothing" in Page(statement_html(issue, "A")).words


def test_many_features_are_gathered(real_cost):
    search = real_cost.statements[1]
    first = search.lines[0]
    lines = tuple(
        replace(
            first, id=f"L{n}", feature=f"f{n}", feature_name=f"Feature {n}", amount_cents=n * 100
        )
        for n in range(1, 21)
    )
    many = replace(search, lines=lines, total_cents=210_00, notes=())
    issue = replace(
        real_cost,
        statements=(real_cost.statements[0], many),
        charged_total_cents=975_00,
        ledger_cost_cents=1025_00,
    )
    words = Page(statement_html(issue, "B")).words
    assert "13 other features" in words
    assert "91.00" in words


def test_the_comparison_shows_every_figure_once_per_view(comparison):
    words = Page(compare_html(comparison)).words
    for figure in ("0.9813", "0.1869", "0.0280", "0.0935", "(1,050.00)", "\N{MINUS SIGN}80.00"):
        assert figure in words
    assert comparison.recommendation in words
    assert "Why tokens alone are unfair" in words
    assert "Why tokens alone" not in compare_html(replace(comparison, breakdown=()))


def test_what_teams_owe_each_other_is_on_the_comparison(comparison):
    words = " ".join(Page(compare_html(comparison)).words.split())
    assert "SupportSearchretrieval20120.00" in words
    assert "Owed between teams" not in compare_html(replace(comparison, prices=()))
