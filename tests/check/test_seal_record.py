"""The two forms of a seal record, and what is refused as one."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.check.seal_record import (
    MonthSeal,
    Part,
    Policies,
    SealRecord,
    read_record,
    record_json,
    record_line,
)
from tallybook.errors import WrongUsageError

HASH = st.text("0123456789abcdef", min_size=64, max_size=64)
COUNT = st.integers(0, 10**9)
PARTS = st.builds(Part, COUNT, HASH)
PERIODS = st.sampled_from(["2026-01", "2026-10", "2027-12"])
MONTHS = st.lists(
    st.builds(
        MonthSeal, PERIODS, st.just("A-000007"), COUNT, HASH, COUNT, HASH, COUNT, COUNT, COUNT, HASH
    )
).map(tuple)
POLICIES = st.builds(Policies, st.sampled_from(["", "org.3,policy.2"]), HASH)
RECORDS = st.builds(SealRecord, PERIODS | st.just("-"), HASH, PARTS, PARTS, PARTS, POLICIES, MONTHS)


@settings(max_examples=25)
@given(RECORDS)
def test_both_forms_say_the_same(record):
    told = record_json(record)
    assert read_record(json.dumps(told), "f") == record
    assert told["line"] == record_line(record)
    short = read_record(f"Re: books\n> {told['line']}\nregards", "f")
    assert short == replace(record, months=None)


@settings(max_examples=25)
@given(RECORDS, st.data())
def test_a_record_that_was_changed_is_refused(record, data):
    told = record_json(record)
    name = data.draw(st.sampled_from(["chain", "manifest", "statements"]))
    told[name] = {**told[name], "reach": told[name]["reach"] + 1}
    with pytest.raises(WrongUsageError, match="was changed after it was written"):
        read_record(json.dumps(told), "f")


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "{", "[]", "tallybook-seal 1 -", '{"period": 1}'),
        '{"chain": {"reach": "1", "digest": "x"}}',
    ],
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(WrongUsageError, match="seal record"):
        read_record(text, "f")
