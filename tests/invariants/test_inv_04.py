"""INV-04: a closed period never changes."""

import pytest

from company import usage
from tallybook.errors import AllocationError, PeriodError, StoreError
from tallybook.report.body import json_text


def test_no_command_posts_into_a_closed_period(lived):
    before = lived.dump()
    for refused in (
        lambda: lived.run("2026-10"),
        lambda: lived.close("2026-10"),
        lambda: lived.pool("2026-10", "gateway", "1.00"),
        lambda: lived.waive("2026-10", "unpriced"),
    ):
        with pytest.raises(PeriodError, match="closed"):
            refused()
    assert lived.dump() == before


def test_not_even_sql_posts_into_it(lived):
    def post(tx):
        for line, nano in ((1, 5), (2, -5)):
            tx.run(
                "INSERT INTO posting SELECT (SELECT MAX(seq) + 1 FROM chain), :line, account,"
                " team, feature, purpose, kind, provider, service, detail, source,"
                " service_period, price_version, policy_version, :nano"
                " FROM posting WHERE seq = 1 AND line = 1",
                line=line,
                nano=nano,
            )
        tx.run(
            "INSERT INTO chain SELECT seq + 1, 'E-x', 'entry', 'meter', '2026-10', '2026-10',"
            " recorded_us, actor, text, versions, '', details, hash, 'x' FROM chain"
            " ORDER BY seq DESC LIMIT 1"
        )

    with pytest.raises(StoreError, match="the period is closed"), lived.store.write() as tx:
        post(tx)


def test_nothing_that_happens_later_moves_its_statement(lived):
    issued = json_text(lived.statements("2026-10"))
    lived.ingest(usage("late-1"), usage("late-2", provider="Y", model="y-1"))
    with pytest.raises(PeriodError, match="worklist late"):
        lived.run("2026-10")
    lived.run("2026-11")
    lived.apply(
        prices=lived._files["prices"].replace('"10"', '"99"'),
        policy=lived._files["policy"].replace("15%", "20%"),
        org=lived._files["org"].replace("Team A", "Team Alpha"),
    )
    lived.run("2026-11")
    assert json_text(lived.statements("2026-10")) == issued
    assert lived.failing() == {}


def test_the_zone_is_fixed_by_the_first_close(lived):
    with pytest.raises(PeriodError, match=r"company.timezone is 'UTC'"):
        lived.apply(org=lived._files["org"].replace("UTC", "Asia/Kolkata"))


def test_an_entry_moved_into_it_is_seen(lived, damage):
    damage("UPDATE chain SET period = '2026-10' WHERE kind = 'entry' AND period = '2026-11'")
    failing = lived.failing()
    assert set(failing) == {"INV-04", "INV-05", "INV-15"}
    assert "entries after its close A-000011" in failing["INV-04"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE statement SET body = replace(body, 'Team A', 'Team Z')",
        "UPDATE statement SET body = replace(body, '1.00', '2.00')",
        "UPDATE statement SET body = body || ' '",
        "UPDATE statement SET status = 'corrected'",
        "DELETE FROM statement",
    ],
)
def test_a_changed_statement_is_seen(lived, damage, change):
    damage(change)
    assert "INV-04" in lived.failing("INV-04")


def test_a_policy_without_the_period_says_so(lived):
    with pytest.raises(AllocationError, match="no policy is in force in 2025-12"):
        lived.run("2025-12")
