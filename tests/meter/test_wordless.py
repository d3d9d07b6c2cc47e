"""An answer without its words."""

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tallybook.meter.sources.wordless import wordless


def test_figures_stay_and_words_go():
    answer = {
        "id": "r-1", "model": "m", "object": "response", "instructions": "be kind",
        "choices": [{"message": {"content": "hello"}}], "content": [{"type": "text", "text": "x"}],
        "output": [{"type": "web_search_call", "action": {"type": "search", "query": "who"}}],
        "data": [{"embedding": [1, 2], "index": 0}, "words"], "seconds": Decimal("3.5"),
        "usage": {"input_tokens": 3, "server_tool_use": None, "cached": {"ttl": "5m", "n": 1}},
    }  # fmt: skip
    assert wordless(answer) == {
        "id": "r-1", "model": "m", "object": "response",
        "output": [{"type": "web_search_call", "action": {"type": "search"}}],
        "data": [{"embedding": [], "index": 0}], "seconds": Decimal("3.5"),
        "usage": {"input_tokens": 3, "cached": {"ttl": "5m", "n": 1}},
    }  # fmt: skip


def test_what_is_no_object_holds_nothing():
    assert wordless("hello") is None
    assert wordless(["hello", 7]) == []
    assert wordless(7) == 7


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["model", "usage", "text", "content", "a"]), inner)
    ),
)


@given(JSON)
def test_anything_loses_its_words_once(value):
    bare = wordless(value)
    assert wordless(bare) == bare
    assert len(json.dumps(bare)) <= max(len(json.dumps(value)), 4)
