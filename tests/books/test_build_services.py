"""Who pays when another team calls, and for whom a key may speak: read exactly or refused."""

import pytest

from tallybook.books.model import JointUse


def test_the_four_rules_are_read(folder, org_with):
    rows = [
        "{id: a, team: search}",
        "{id: b, team: search, transfer: callee_absorbs, feature: site-search}",
        "{id: c, team: search, transfer: split, weights: {callee: 3, caller: 7}}",
        '{id: d, team: search, transfer: transfer_price, price: "6.000000001", per: outcome}',
    ]
    a, b, c, d = folder.books(org=org_with(services=rows)).org.services
    assert (a.transfer, a.price_nano, a.per, a.joint) == ("caller_pays", 0, "", None)
    assert (b.transfer, b.feature) == ("callee_absorbs", "site-search")
    assert (c.callee_weight, c.caller_weight) == (3, 7)
    assert (d.price_nano, d.per) == (6_000_000_001, "outcome")


def test_joint_calls_are_spread_over_the_users_of_the_service_itself_if_not_stated(
    folder, org_with
):
    rows = [
        "{id: a, team: search, joint: {purposes: [internal, batch], users_of: b, by: calls}}",
        "{id: b, team: search, joint: {purposes: batch, by: equal}}",
    ]
    a, b = folder.books(org=org_with(services=rows)).org.services
    assert a.joint == JointUse(("batch", "internal"), "b", "calls")
    assert b.joint == JointUse(("batch",), "b", "equal")


def test_a_rule_is_dated_as_its_row(folder, org_with):
    rows = [
        "{id: a, team: search, transfer: callee_absorbs, to: 2026-10-15}",
        "{id: a, team: search, from: 2026-10-15}",
    ]
    before, after = folder.books(org=org_with(services=rows)).org.services
    assert (before.transfer, after.transfer) == ("callee_absorbs", "caller_pays")
    assert before.span.to_us == after.span.from_us


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("transfer: split", "transfer: split without weights; expected weights: {callee: 3"),
        ("weights: {callee: 1, caller: 1}", "weights has no effect under transfer: caller_pays"),
        ("transfer: split, weights: {callee: 0, caller: 0}", "both weights are 0"),
        ("transfer: split, weights: {callee: 0.5, caller: 1}", "is not a count"),
        ('transfer: transfer_price, price: "1"', "transfer: transfer_price without per"),
        ("transfer: transfer_price, per: call", "transfer: transfer_price without price"),
        ('transfer: transfer_price, price: "0", per: call', "a price of zero"),
        ('transfer: transfer_price, price: "1.0000000001", per: call', "10 decimals"),
        ('transfer: transfer_price, price: "1", per: token', '"token" is not known'),
        ('price: "1.00"', "price has no effect under transfer: caller_pays"),
        ("transfer: callee_absorbs, per: call", "per has no effect under transfer: callee_absorbs"),
        ("transfer: callee_pays", '"callee_pays" is not known'),
        ("feature: refund-bot", 'does not own feature "refund-bot"'),
        ("feature: nothing", 'unknown feature "nothing"'),
        ("joint: {purposes: [], by: equal}", "no purpose"),
        ("joint: {purposes: [batch], by: size}", '"size" is not known'),
        ("joint: {purposes: [batch], users_of: x, by: calls}", 'unknown service "x"'),
        ("joint: {purposes: [reindex], by: calls}", '"reindex" is not known'),
    ],
)
def test_what_does_not_fit_together_is_refused(folder, org_with, row, what):
    fault = folder.fault(org=org_with(services=[f"{{id: r, team: search, {row}}}"]))
    assert fault.startswith("org.yaml:13: services 1")
    assert what in fault


@pytest.mark.parametrize(
    ("claims", "read"),
    [("any", None), ("own", ("own",)), ("[search, support]", ("search", "support"))],
)
def test_claims_of_a_key(folder, org_with, claims, read):
    rows = [f"{{id: k, team: support, claims: {claims}}}", "{id: other, team: support}"]
    key, other = folder.books(org=org_with(keys=rows)).org.keys
    assert key.claims == read
    assert other.claims is None


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("team: support, claims: []", "a list without a team"),
        ("team: support, claims: [own, search]", '"own" beside other names'),
        ("purpose: production, claims: own", "the key has no team and no feature"),
        ("team: support, claims: [sales]", 'unknown team "sales"'),
    ],
)
def test_claims_that_do_not_fit_are_refused(folder, org_with, row, what):
    fault = folder.fault(org=org_with(keys=[f"{{id: k, {row}}}"]))
    assert fault.startswith("org.yaml:13: keys 1")
    assert what in fault


def test_whose_tags_are_believed(folder, org_with):
    assert folder.books(org=org_with()).org.trusted_sources is None
    trusting = org_with() + "trust: {tags: [sdk, gateway]}\n"
    assert folder.books(org=trusting).org.trusted_sources == ("gateway", "sdk")
