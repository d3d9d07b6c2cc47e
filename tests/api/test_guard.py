"""Tokens let in; without any, only this machine is served."""

from __future__ import annotations

import pytest

from tallybook.api.guard import check, is_loopback, tokens_of
from tallybook.api.model import Refusal


def test_tokens_stand_one_a_line():
    assert tokens_of(" new \n\nold\n") == ("new", "old")
    assert tokens_of("\n") == ()


def test_without_tokens_everybody_is_let_in():
    check("", ())
    check("Bearer x", ("x",))
    with pytest.raises(Refusal):
        check("Bearer \u00e4", ("x",))


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
