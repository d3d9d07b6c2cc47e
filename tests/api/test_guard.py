"""A token says what a request may do, and may say in whose name; without any, this machine alone."""

from __future__ import annotations

import pytest

from tallybook.api.guard import OPEN, Guard, is_loopback, tokens_of
from tallybook.api.model import EVERY_SCOPE, PLAIN_SCOPES, Refusal
from tallybook.errors import WrongUsageError

FILE = """
new

sender ingest
 desk approve,read as cfo
as as as
"""


def test_tokens_stand_one_a_line_with_what_they_may():
    assert [(one.secret, one.scopes, one.actor) for one in tokens_of(FILE)] == [
        ("new", ("ingest", "read"), ""),
        ("sender", ("ingest",), ""),
        ("desk", ("read", "approve"), "cfo"),
        ("as", ("ingest", "read"), "as"),
    ]
    assert tokens_of("\n") == ()


@pytest.mark.parametrize(
    "line", ["t all", "t ingest,", "t ingest,ingest", "t ingest read", "t as", "t ingest as a b"]
)
def test_a_line_that_is_not_understood_is_refused_and_its_token_not_told(line):
    with pytest.raises(WrongUsageError, match="line 2 of the tokens") as told:
        tokens_of(f"s3cret\n{line.replace('t', 's3cret', 1)}")
    assert "s3cret" not in str(told.value)
    assert "scopes are ingest, read, ask, approve, keys" in told.value.next_step


def test_a_token_has_one_line():
    with pytest.raises(WrongUsageError, match="line 3 of the tokens is of a token") as told:
        tokens_of("s3cret ingest\nother\ns3cret approve as cfo\n")
    assert "s3cret" not in str(told.value)


def test_what_a_token_is_is_not_printed():
    assert "s3cret" not in repr(Guard(tokens_of("s3cret ingest")))


@pytest.mark.parametrize("scope", EVERY_SCOPE)
def test_a_token_is_for_its_scopes(scope):
    guard = Guard(tokens_of("\n".join(f"for-{one} {one}" for one in EVERY_SCOPE)))
    for one in EVERY_SCOPE:
        if one == scope:
            assert guard.check(f"Bearer for-{one}", scope).secret == f"for-{one}"
            continue
        with pytest.raises(Refusal, match=f"may {one}; this takes one that may {scope}") as told:
            guard.check(f"Bearer for-{one}", scope)
        assert told.value.status == 403


@pytest.mark.parametrize("told", ["", "Bearer ", "Bearer \u00e4", "Bearer other", "Basic t", "t"])
def test_who_shows_no_token_is_not_let_in(told):
    for scope in EVERY_SCOPE:
        with pytest.raises(Refusal, match="send Authorization: Bearer TOKEN") as refused:
            Guard(tokens_of("t read,ask,approve,ingest,keys")).check(told, scope)
        assert refused.value.status == 401


def test_what_is_open_to_all_needs_no_token_and_the_rest_does():
    guard = Guard(tokens_of("desk approve"), PLAIN_SCOPES)
    for scope in PLAIN_SCOPES:
        assert guard.check("", scope).actor == ""
    with pytest.raises(Refusal, match=r"without a token may ingest, read; .* may approve") as told:
        guard.check("", "approve")
    assert told.value.status == 401
    assert guard.check("bearer desk", "approve").secret == "desk"


def test_alone_on_a_machine_everybody_may_everything():
    for scope in EVERY_SCOPE:
        OPEN.check("", scope)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.5", False),
        ("localhost.example", False),
    ],
)
def test_what_only_this_machine_reaches(host, loopback):
    assert is_loopback(host) is loopback
