"""INV-10: each rated line and pool amount is allocated exactly once."""

from company import usage


def test_it_holds_on_lived_in_books(lived):
    assert lived.failing("INV-10") == {}


def test_what_waits_for_the_next_run_is_no_fault(lived):
    lived.pool("2026-11", "gateway", "77.00")
    lived.ingest(usage("n-2", started_at="2026-11-09T00:00:00Z"))
    lived.apply(policy=lived._files["policy"].replace("15%", "20%"))
    assert lived.failing() == {}
    assert lived.run("2026-11").entries
    assert lived.failing() == {}


def test_a_pool_amount_changed_behind_the_back_is_the_one_thing_that_fails(lived, damage):
    damage("UPDATE pool_actual SET amount_nano = amount_nano + 1")
    failing = lived.failing()
    assert set(failing) == {"INV-10"}
    assert "should be -33000000001 nano" in failing["INV-10"]


def test_a_charge_moved_to_another_team_is_seen(lived, damage):
    damage(
        "UPDATE posting SET account = 'Charge:b:usage', team = 'b'"
        " WHERE account = 'Charge:a:usage' AND source = 'charge:real_cost'"
    )
    assert {"INV-10", "INV-15"} <= set(lived.failing())


def test_a_changed_cost_sheet_is_seen(lived, damage):
    damage("UPDATE sheet SET body = replace(body, 'bot', 'but')")
    assert "is not what was written" in lived.failing("INV-10")["INV-10"]


def test_a_changed_policy_file_is_seen(lived, damage):
    damage("UPDATE document SET body = replace(body, 'Team A', 'Team Z') WHERE kind = 'org'")
    assert "org document has digest" in lived.failing("INV-10")["INV-10"]
