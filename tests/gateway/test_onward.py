"""What goes on to a provider, however often the same head comes."""

from __future__ import annotations

import pytest

CHAT = "/openai/v1/chat/completions"


@pytest.fixture
def asked(gateway, provider):
    def ask(body, **headers):
        gateway.ask(CHAT, body, **headers)
        return provider.asked[-1]

    return ask


def test_the_same_head_goes_on_with_each_body_of_its_own(asked, gateway):
    first = asked({"model": "gpt-4o", "n": 1})
    second = asked({"model": "gpt-4o", "n": 2, "more": "x" * 100})
    assert first.body != second.body
    assert second.named("content-length") == [str(len(second.body))]
    plain = [pair for pair in first.headers if pair[0] != "Content-Length"]
    assert plain == [pair for pair in second.headers if pair[0] != "Content-Length"]
    assert gateway.secret not in str(second.headers)


def test_a_credential_that_was_rotated_is_sent_at_once(asked, gateway):
    before = asked({"model": "gpt-4o"})
    (gateway.folder / "real.secret").write_text("sk-another-key")
    gateway.works.credentials["openai"].refresh()
    after = asked({"model": "gpt-4o"})
    assert before.named("authorization") != after.named("authorization")
    assert after.named("authorization") == ["Bearer sk-another-key"]


def test_a_query_and_another_path_are_not_taken_for_the_same(gateway, provider):
    body = {"model": "gpt-4o", "input": "x"}
    for path in ("/openai/v1/embeddings", "/openai/v1/embeddings?a=1", "/openai/v1/responses"):
        gateway.ask(path, body)
    assert [one.target for one in provider.asked] == [
        "/v1/embeddings",
        "/v1/embeddings?a=1",
        "/v1/responses",
    ]
