"""Anthropic: cents in decimal text."""

import json

import pytest

from report_files import read
from tallybook.errors import InvoiceError
from tallybook.reconcile.read import anthropic_costs


def test_anthropic_figures_must_be_text_of_cents(tmp_path):
    page = {"data": [{"starting_at": "2026-10-01T00:00:00Z", "ending_at": "2026-10-02T00:00:00Z",
                      "results": [{"amount": 123.5, "currency": "USD"}]}]}  # fmt: skip
    path = tmp_path / "a.json"
    path.write_text(json.dumps(page))
    with pytest.raises(InvoiceError, match="cents in decimal text"):
        read(path)


def test_usage_is_sent_where_it_belongs(tmp_path):
    page = {"data": [{"starting_at": "2026-10-01T00:00:00Z", "ending_at": "2026-10-02T00:00:00Z",
                      "results": [{"uncached_input_tokens": 5}]}]}  # fmt: skip
    assert anthropic_costs.is_page(page)
    (tmp_path / "u.json").write_text(json.dumps(page))
    with pytest.raises(InvoiceError) as refused:
        read(tmp_path / "u.json")
    assert "ingest anthropic-usage" in refused.value.next_step
