"""The flow between teams: three cuts of one total, in every form."""

from __future__ import annotations

import itertools
import json
import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from tallybook.attribute.model import AttributedLine, Owner, Transferred, TransferUse
from tallybook.books.model import Company, Org, Span, Team
from tallybook.clock import Period
from tallybook.report.graph.picture import graph_picture
from tallybook.report.graph.text import graph_text
from tallybook.report.graph.view import cuts, graph_json, graph_view
from tallybook.report.html import graph_html, graph_svg

OCTOBER = Period.parse("2026-10")
DOLLAR = 10**12


def org_of(*teams):
    company = Company("Acme", "USD", "2026-01", "UTC")
    named = tuple(Team(team, f"Team {team}", "main", "", None, {}, Span()) for team in teams)
    return Org(company, (), named, (), (), (), (), "platform")


ORG = org_of("a", "b", "c", "platform")


def line(origin, executor, payer, pico, *, calls=1, **changes):
    kind = "usage" if payer == executor else "transfer"
    moved = origin != payer or payer != executor
    owner = Owner(
        payer, "", "production", kind, "tool" if moved else "", executor, "tag:team",
        "" if origin == payer else origin, "", "caller_pays" if moved else "",
    )  # fmt: skip
    figures = {"state": "reported", "unpriced": False, "units": {}} | changes
    return AttributedLine(
        provider="x", owner=owner, calls=calls, tokens=7 * calls,
        list_pico=pico, contract_pico=pico, card_pico=pico, **figures,
    )  # fmt: skip


def use(payer, callee, *, calls=20, price="6", amount="120"):
    nano = 10**9
    return TransferUse(
        payer, "", "production", "", "", "tool", callee, calls, calls - 1,
        int(price) * nano, "call", int(amount) * nano,
    )  # fmt: skip


TEAMS = st.sampled_from(["a", "b", "c", "platform"])
LINES = st.lists(
    st.builds(line, TEAMS, TEAMS, TEAMS, st.integers(0, 10**13), calls=st.integers(1, 9)),
    max_size=30,
)


@given(lines=LINES)
def test_every_cut_comes_to_the_total_to_the_cent(lines):
    view = graph_view(Transferred(tuple(lines)), ORG, OCTOBER)
    assert {sum(cut.values()) for cut in cuts(view).values()} == {view.total_cents}
    assert sum(edge.calls for edge in view.edges) == sum(one.calls for one in lines)
    off = abs(view.total_cents * 10**10 - sum(one.card_pico for one in lines))
    assert off <= 10**10 // 2 + 10**3, "the total is rounded once"
    said = graph_json(view)
    assert json.dumps(said["cuts"]) == json.dumps(graph_json(view)["cuts"])


@given(lines=LINES)
def test_the_picture_is_whole_pixels_and_as_thick_as_the_money(lines):
    view = graph_view(Transferred(tuple(lines)), ORG, OCTOBER)
    picture = graph_picture(view)
    drawn = [edge for edge in view.edges if edge.amount_cents > 0]
    for column, name in enumerate(("origin", "executor", "payer")):
        teams = {getattr(edge, name) for edge in drawn}
        nodes = [node for node in picture.nodes if node.text_x == (0, 380, 760)[column]]
        assert len(nodes) == len(teams)
        ends = sorted((node.y, node.y + node.height) for node in nodes)
        assert all(low[1] < high[0] for low, high in itertools.pairwise(ends))
    for ribbon in picture.ribbons:
        assert re.fullmatch(r"[MCLZ0-9 ]+", ribbon.path)
    ET.fromstring(graph_svg(view))


def test_the_text_says_who_pays_and_why():
    view = graph_view(
        Transferred(
            (line("a", "b", "a", 3 * DOLLAR), line("b", "b", "b", DOLLAR)), (use("a", "b"),)
        ),
        ORG,
        OCTOBER,
    )
    text = graph_text(view)
    assert re.search(r"Team a +Team b +Team a +tool: caller pays +1 +7 +3\.00", text)
    assert re.search(r"total +4\.00 +4\.00 +4\.00", text)
    assert "Team a owes Team b for tool: 20 calls x 6.00 = 120.00" in text


def test_what_the_total_does_not_know_is_said():
    lines = (
        line("a", "a", "a", 0, calls=3, unpriced=True),
        line("a", "a", "a", 0, calls=2, state="unknown"),
    )
    view = graph_view(Transferred(lines), ORG, OCTOBER)
    assert "3 without a price" in graph_text(view)
    assert "2 of unknown usage" in graph_html(view)
    assert graph_json(view)["states"] == {"unallocated": 0, "unpriced": 3, "unknown": 2}


def test_names_are_escaped_and_nothing_is_fetched():
    org = org_of("<b>", "platform")
    page = graph_html(graph_view(Transferred((line("<b>", "<b>", "<b>", DOLLAR),)), org, OCTOBER))
    assert "<b>" not in page
    assert not re.search(r"""(?:src|href)=["']""", page)


def test_an_empty_month_is_drawn_as_nothing():
    view = graph_view(Transferred(()), ORG, OCTOBER)
    assert view.total_cents == 0
    assert graph_picture(view).words == "nothing"
    assert "Nothing was used" in graph_html(view)
