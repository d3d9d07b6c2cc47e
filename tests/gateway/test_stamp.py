"""Tags in the provider's own field."""

from __future__ import annotations

import json

import pytest

from tallybook.gateway.stamp import stamped

TAGS = {"team": "support", "feature": "Refund Bot", "user": "ada@acme.example", "purpose": ""}
TOLD = {"tallybook_team": "support", "tallybook_feature": "Refund Bot"}


@pytest.mark.parametrize(
    ("stamp", "body", "found"),
    [
        ("metadata", {"model": "m"}, {"metadata": TOLD}),
        ("metadata", {"metadata": {"a": "b"}}, {"metadata": {**TOLD, "a": "b"}}),
        ("metadata", {"metadata": None}, {"metadata": TOLD}),
        (
            "metadata",
            {"metadata": {"tallybook_team": "x"}},
            {"metadata": {**TOLD, "tallybook_team": "x"}},
        ),
        ("requestMetadata", {}, {"requestMetadata": TOLD}),
        ("labels", {}, {"labels": {**TOLD, "tallybook_feature": "refund-bot"}}),
        ("safety_identifier", {"safety_identifier": "u"}, {"safety_identifier": "u"}),
        ("user_id", {"metadata": {"user_id": "u"}}, {"metadata": {"user_id": "u"}}),
        ("metadata", {"metadata": "wrong"}, {"metadata": "wrong"}),
    ],
)
def test_what_the_caller_set_stays_and_tags_are_added(stamp, body, found):
    data = json.dumps({**body, "temperature": 0.30000000000000004})
    made = stamped(data.encode(), (stamp,), TAGS, "vk")
    assert json.loads(made) == {**body, **found, "temperature": 0.30000000000000004}
    assert b"0.30000000000000004" in made


def test_users_are_told_apart_and_not_told():
    made = json.loads(stamped(b"{}", ("user_id", "safety_identifier"), TAGS, "vk"))
    assert len(made["metadata"]["user_id"]) == 64
    assert made["metadata"]["user_id"] == made["safety_identifier"]
    assert json.loads(stamped(b"{}", ("user_id",), {}, "vk")) == {"metadata": {"user_id": "vk"}}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_object_stays_as_it_is(body):
    assert stamped(body, ("metadata",), TAGS, "vk") == body
