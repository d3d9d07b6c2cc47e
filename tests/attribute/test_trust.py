"""Whose tags are believed: a source's, also where its word was merged with others'."""

from __future__ import annotations

import pytest

from company import org, policy, usage
from tallybook.post.sheet import latest_sheet


@pytest.mark.parametrize(
    ("believed", "team"), [("gateway", "a"), ("otel", "platform"), ("gateway, otel", "a")]
)
def test_of_a_merged_call_the_teller_of_the_tag_counts(company, believed, team):
    """The gateway says team A, the trace says nothing: its word alone is no reason to refuse."""
    company.apply(org=org() + f"trust: {{tags: [{believed}]}}\n", policy=policy())
    shared = {"response_id": "chatcmpl-0123456789abcdef0123"}
    company.ingest(
        usage("g", **shared),
        usage("t", source="otel", team=None, feature=None, purpose=None, **shared),
    )
    company.run()
    with company.store.read() as tx:
        (line,) = latest_sheet(tx, "2026-10").lines
    assert (line.calls, line.owner.team) == (1, team)
