"""INV-01: every entry balances."""

DAMAGED = "UPDATE posting SET amount_nano = amount_nano + 1 WHERE seq = 1 AND line = 1"


def test_it_holds_on_lived_in_books(lived):
    assert lived.failing("INV-01") == {}
    assert all(sum(p.amount_nano for p in entry.postings) == 0 for entry in lived.journal())


def test_a_changed_amount_is_seen(lived, damage):
    damage(DAMAGED)
    failing = lived.failing()
    assert set(failing) == {"INV-01", "INV-10", "INV-12", "INV-15"}
    assert failing["INV-01"] == "E-000001: 4 postings sum to 1 nano, 0 are zero"


def test_a_deleted_posting_is_seen(lived, damage):
    damage("DELETE FROM posting WHERE seq = 1 AND line = 1")
    assert "3 postings" in lived.failing("INV-01")["INV-01"]


def test_a_zero_posting_is_seen(lived, damage):
    damage(
        "INSERT INTO posting SELECT seq, 99, account, team, feature, purpose, kind, provider,"
        " service, detail, source, service_period, price_version, policy_version, 0"
        " FROM posting WHERE seq = 1 AND line = 1"
    )
    assert "1 are zero" in lived.failing("INV-01")["INV-01"]
