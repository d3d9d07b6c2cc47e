"""What spans share is found out once, and belongs to none of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otlp import CHAT, event, reading
from tallybook.errors import EventError
from tallybook.meter.sources.otel import frame

TAGGED = CHAT | {"chargeback.team": "sales", "metadata": '{"feature": "search"}'}


def test_what_is_said_of_one_span_does_not_stay_on_the_next():
    first = event(TAGGED | {"user.id": "bob"}, endTimeUnixNano="1790900000000000000")
    second = event(TAGGED)
    assert "ended_before_started" in first.labels
    assert "ended_before_started" not in second.labels
    assert (first.user, second.user) == ("bob", None)
    assert (second.team, second.feature) == ("sales", "search")


def test_programs_are_kept_apart():
    given = {"service.name": "a", "chargeback.plan": "gold"}
    assert event(CHAT, resource=given).plan == "gold"
    assert event(CHAT, resource={"service.name": "a"}).plan is None
    assert event(CHAT, resource={"service.name": "b"}).service == "b"


NAMES = st.sampled_from(
    [
        *("chargeback.team", "chargeback.customer", "metadata", "tag.tags", "gen_ai.system"),
        *("gen_ai.operation.name", "server.address", "litellm.team.alias", "session.id"),
        *("openinference.span.kind", "gen_ai.response.model", "gen_ai.agent.name"),
    ]
)
VALUES = st.sampled_from(["a", "b", "", "invoke_agent", "openai", '{"team": "x"}']) | st.lists(
    st.sampled_from(["team:q", "z"]), max_size=2
)


@given(spans=st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=6))
def test_found_out_once_or_each_time_is_the_same(spans):
    def told():
        found = [one for each in spans for one in reading(CHAT | each)]
        return [
            (one.role, one.event.what if isinstance(one.event, EventError) else one.event)
            for one in found
        ]

    once = told()
    each_time = []
    for one in spans:
        frame._frame.cache_clear()
        for found in reading(CHAT | one):
            fault = isinstance(found.event, EventError)
            each_time.append((found.role, found.event.what if fault else found.event))
    assert once == each_time
