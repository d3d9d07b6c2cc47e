"""What the hook and LiteLLM's callback tell, beside each other and beside the logs."""

from __future__ import annotations

from told import call

ID = "chatcmpl-1234567890abcdef"
RESPONSE = "resp_1234567890abcdef1234567890"


def test_the_hook_the_callback_and_the_log_tell_of_one_call(books):
    books.tell(call("random-1", "sdk", response_id=ID, team="support", tokens={"output": 4}))
    books.tell(call(ID, "litellm-callback", response_id=ID, tokens={"output": 4}))
    books.tell(call(ID, "litellm", response_id=ID, tokens={"output": 4}))
    assert books.billed("team", "output") == [("support", 4)]


def test_a_response_whose_figures_came_to_another_process_bills_once(books):
    asked = call("post", "sdk", response_id=RESPONSE, team="support", usage="unknown", tokens=None)
    books.tell(asked)
    books.tell(call("get", "sdk", response_id=RESPONSE, tokens={"output": 50}))
    assert books.billed("team", "output") == [("support", 50)]
