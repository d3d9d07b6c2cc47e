"""Identity: of the source record, whatever its key order, and without the people in it."""

from hypothesis import given
from hypothesis import strategies as st

from tallybook.meter.identity import (
    canonical_record,
    key_of,
    record_digest,
    superseded_key_of,
    without,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3),
    max_leaves=9,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=6))
def test_key_order_does_not_matter(record):
    turned = dict(reversed(record.items()))
    assert canonical_record(record, ()) == canonical_record(turned, ())


def test_what_was_written_matters():
    digests = {
        record_digest(canonical_record(record))
        for record in ({"a": 1}, {"a": "1"}, {"a": None}, {}, {"a": True}, {"b": 1})
    }
    assert len(digests) == 6


def test_people_are_left_out_wherever_they_stand():
    record = {"user": "u", "meta": {"who": "w", "kept": 1}, "list": [{"user": "u"}]}
    bare = without(record, [("user",), ("meta", "who"), ("none", "there")])
    assert bare == {"meta": {"kept": 1}, "list": [{"user": "u"}]}
    assert record["meta"]["who"] == "w"


def test_keys_are_of_source_and_id_apart():
    assert key_of("a", "bc") != key_of("ab", "c")
    assert superseded_key_of(key_of("a", "b")) != key_of("a", "b")
    assert len(key_of("a", "b")) == len(superseded_key_of(key_of("a", "b"))) == 16
    # Claims are for ever: these bytes may never change.
    assert key_of("gateway", "e-1").hex() == "465bc7d02a42fe0b38b5370675a46143"
    assert (
        record_digest(canonical_record({"b": 1, "a": "é"})).hex()
        == "495d079340f4ffb6f8b62f1f8b711056"
    )
