"""A central variance to the teams that it came from; balance and limits are in reconcile's tests."""

from tallybook.books.model import TeamPolicy
from tallybook.ledger.model import PostingKey
from tallybook.post.recharge import base_of, differences, recharged


class Rules:
    """A policy as a recharge reads it."""

    @staticmethod
    def policy_for(team):
        return TeamPolicy("showback" if team == "s" else "real_cost")


def key(account, team="", provider="", source="pool:g", detail="g"):
    return PostingKey(account, team, "", "", "", provider, "", detail, source, "2026-10", "", 0)


HELD = {
    key("Variance:pool"): 60,
    key("Pool:g"): 100,
    key("Pool:g", "a", source="charge:real_cost:g"): -50,
    key("Pool:g", "b", source="absorb:g"): -30,
    key("Variance:pool", source="rounding"): 1,
    key("Variance:pool", source="roll:2026-12"): -60,
}


def test_a_pool_goes_by_its_shares_and_what_nobody_was_charged_stays():
    found = recharged(HELD, "Variance:pool", Rules, "platform")
    charged = {k.team: nano for k, nano in found if k.account.startswith("Charge:")}
    assert charged == {"a": 30, "b": 18}
    assert sum(nano for _, nano in found) == 0


def test_decisions_cents_and_the_roll_of_a_year_are_no_base():
    more = {**HELD, key("Variance:pool", "a", source="dispose:Variance:pool"): -30}
    assert base_of(more, "Variance:pool") == {key("Variance:pool"): 60}


def test_only_what_changed_is_due():
    wanted = recharged(HELD, "Variance:pool", Rules, "platform")
    assert differences(wanted, dict(wanted)) == ()
    assert sum(p.amount_nano for p in differences(wanted, {})) == 0
