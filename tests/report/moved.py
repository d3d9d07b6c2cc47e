"""Usage that other teams cause, run or pay, made by hand: as attribution hands it on."""

from __future__ import annotations

from tallybook.attribute.model import AttributedLine, Owner, TransferUse
from tallybook.post.sheet import Sheet, Versions

UNIT = 10**9
VERSIONS = Versions(1, "e", "p", 1, 1, 0, 0, "c")


def used(team, executor, *, origin="", rule="", service="", feature="", calls=1, card=1, **more):
    """One line of usage: who pays, who ran it, who started it, by which rule; ``card`` in units."""
    purpose, provider = more.get("purpose", "production"), more.get("provider", "X")
    kind = "usage" if team == executor else "transfer"
    owner = Owner(team, feature, purpose, kind, service, executor, "tag:team", origin, "", rule)
    pico = card * 10**12
    return AttributedLine(
        provider, owner, "reported", False, calls, calls * 10, pico, pico, pico, {}
    )


def owed(team, executor, service="retrieval", *, calls=20, price=6, per="call", origin=""):
    """What one team owes another: calls at a price in units, all of them outcomes."""
    return TransferUse(
        team, "", "production", origin, "", service, executor, calls, calls, price * UNIT, per,
        calls * price * UNIT,
    )  # fmt: skip


def sheet(*lines, uses=()):
    return Sheet("2026-10", 1, VERSIONS, tuple(lines), tuple(uses))
