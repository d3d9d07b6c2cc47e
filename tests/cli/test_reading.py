"""`usage`: a provider's response, told."""

from __future__ import annotations

import json

import pytest

from meter.usage.recorded import RESPONSES, entries

CHAT = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "usage": {
        "prompt_tokens": 4020,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 4012},
    },
}


def write(company, name, data):
    path = company.home / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(path)


def test_a_table_for_people_with_what_is_unknown(company, call):
    path = write(company, "a.ndjson", '{"model":"llama3","done":true,"eval_count":1058}')
    found = call("usage", path, "--provider", "ollama")
    assert found.code == 0
    assert [
        line.split() for line in found.out.splitlines() if "input_" in line or "outp" in line
    ] == [
        ["llama3", "input_uncached", "unknown"],
        ["llama3", "output", "1,058"],
    ]
    assert "note: the prompt is not counted" in found.out


def test_json_has_the_totals_and_nothing_else(company, call):
    path = write(company, "a.json", CHAT)
    assert call("usage", path, "--provider", "openai", "--json").value == {
        "usage_found": True,
        "input_tokens": 4020,
        "uncached_input_tokens": 8,
        "cache_read_tokens": 4012,
        "cache_write_tokens": None,
        "cache_write_5m_tokens": None,
        "cache_write_1h_tokens": None,
        "output_tokens": 4,
        "reasoning_tokens": None,
    }


def test_headers_tell_what_the_body_does_not(company, call):
    path = write(company, "a.json", {"text": "a"})
    headers = write(company, "h.json", {"X-Amzn-Bedrock-Input-Token-Count": "5"})
    asked = ("usage", path, "--provider", "bedrock", "--endpoint", "InvokeModel", "--json")
    assert call(*asked).value["usage_found"] is False
    assert call(*asked, "--headers", headers).value["input_tokens"] == 5


@pytest.mark.parametrize("headers", ["[]", "no json", '{"a": 1}'])
def test_headers_that_are_none_are_a_wrong_command(company, call, headers):
    path, told = write(company, "a.json", CHAT), write(company, "h.json", headers)
    found = call("usage", path, "--provider", "openai", "--headers", told)
    assert found.code == 2
    assert "no JSON object of header names" in found.err


def test_a_file_that_is_no_response_is_refused_with_its_name(company, call):
    path = write(company, "a.json", "<html>")
    found = call("usage", path, "--provider", "openai")
    assert found.code == 1
    assert "a.json: the response is not JSON" in found.err


@pytest.mark.parametrize("entry", entries() or [None], ids=lambda e: e["id"] if e else "absent")
def test_a_recorded_response_prints_what_its_index_expects(company, call, entry):
    if entry is None:
        pytest.skip("the shared data is absent: provider_responses")
    headers = write(company, "h.json", entry["response_headers"] or {})
    found = call(
        *("usage", str(RESPONSES / entry["file"]), "--provider", entry["provider"]),
        *("--endpoint", entry["endpoint"], "--wire", entry["wire"], "--headers", headers, "--json"),
    )
    assert found.value == entry["expected"]
