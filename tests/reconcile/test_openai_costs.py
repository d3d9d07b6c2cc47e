"""OpenAI: pages and exports of costs, by line item or by day."""

import json

import pytest

from report_files import brief, read
from tallybook.errors import InvoiceError
from tallybook.reconcile.read import openai_costs


def test_openai_pages_by_line_item(tmp_path):
    def result(item, value, **more):
        return {"object": "organization.costs.result", "line_item": item, "project_id": "p",
                "amount": {"value": value, "currency": "usd"}, **more}  # fmt: skip

    page = {"object": "page", "has_more": True, "data": [{"object": "bucket", "start_time": 1790812800,
            "end_time": 1790899200, "results": [
                result("gpt-4o-2024-08-06, cached input", 0.0072, quantity=5760, quantity_unit="tokens"),
                result("web search tool calls", 0.03, api_key_id="key_1")]},
            {"object": "bucket", "start_time": 1790899200, "end_time": 1790985600, "results": []}]}  # fmt: skip
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(page))
    told = read(path)
    assert brief(told) == [
        ("usage", "gpt-4o-2024-08-06", "cache_read", "", 5760, 7_200_000_000, "USD"),
        ("usage", "", "web_search", "", None, 30_000_000_000, "USD"),
    ]
    assert (len(told.windows), told.by_day, told.lines[1].key_id) == (2, True, "key_1")
    assert "there are more" in told.notes[0]


def test_usage_is_sent_where_it_belongs(tmp_path):
    result = {"object": "organization.usage.completions.result", "amount": {"value": 1}}
    bucket = {"start_time": 1790812800, "end_time": 1790899200, "results": [result]}
    (tmp_path / "u.json").write_text(json.dumps({"object": "page", "data": [bucket]}))
    with pytest.raises(InvoiceError, match="usage, not costs"):
        read(tmp_path / "u.json")
    assert openai_costs.is_export({"amountvalue": "", "starttime": ""})
