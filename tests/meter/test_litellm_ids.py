"""Which id of a row is the provider's, which LiteLLM's own, and which rows are one call."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.meter.sources.litellm_ids import ids_of, is_invented, unwrapped, without_poll

UUID = "chatcmpl-2299b6a2-82a3-465a-b47c-04e685a2227f"


def wrapped(inner, *, url=False):
    plain = f"litellm:custom_llm_provider:openai;model_id:None;response_id:{inner}".encode()
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return "resp_" + encode(plain).decode().rstrip("=" if url else "")


@pytest.mark.parametrize("url", [False, True])
def test_a_wrapper_is_opened_in_both_alphabets(url):
    assert unwrapped(wrapped("resp_68a?>", url=url)) == "resp_68a?>"


def test_what_is_no_wrapper_stays():
    plain = "resp_0f7a1c2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60"
    assert unwrapped(plain) == plain
    shut = (
        "resp_" + base64.b64encode(b"litellm encrypted, not to be opened, and long enough").decode()
    )
    assert unwrapped(shut) is None


@given(st.text(max_size=90))
def test_any_text_can_be_asked(told):
    unwrapped(f"resp_{told}")


@pytest.mark.parametrize(
    ("told", "provider", "made_up"),
    [
        (UUID, "anthropic", True),
        (UUID, "groq", False),
        (UUID.removeprefix("chatcmpl-"), "deepseek", False),
        ("chatcmpl-9xAbCdEf", "openai", False),
    ],
)
def test_an_id_that_litellm_made_up(told, provider, made_up):
    assert is_invented(told, provider) is made_up


def test_a_cached_row_has_nobodys_response_id():
    ids = ids_of({"request_id": "msg_1_cache_hit17"}, {}, provider="anthropic", cached=True)
    assert (ids.response_id, ids.request_id) == ("", "msg_1_cache_hit17")


def test_the_id_that_newer_releases_keep_beside_goes_first():
    ids = ids_of({"request_id": "x"}, {"response_id": "msg_1"}, provider="anthropic", cached=False)
    assert (ids.event_id, ids.response_id) == ("x", "msg_1")


def test_a_batch_is_named_by_its_address_where_the_answer_was_not_kept():
    row = {"call_type": "aretrieve_batch", "request_id": "md5",
           "proxy_server_request": {"url": "http://proxy/v1/batches/batch_9?provider=openai"}}  # fmt: skip
    assert without_poll(row)["polled"] == "batch_9_batch_cost"
    assert without_poll({"call_type": "acompletion"}) == {"call_type": "acompletion"}


def test_an_answer_that_nobody_can_name_is_one_while_it_says_the_same():
    """L#17814: newer releases wrap the id anew for every GET."""
    rows = [
        {"call_type": "aget_responses", "request_id": f"resp_{n}" + "A" * 80, "total_tokens": 5}
        for n in range(2)
    ]
    first, second = (without_poll(row)["polled"] for row in rows)
    assert first == second
    assert first.startswith("digest:")
