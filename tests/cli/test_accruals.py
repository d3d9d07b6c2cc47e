"""`accrue`, `dispose`, `commitments` and `prepaid` on the command line."""

import pytest

from company import usage

TERMS = """commitments:
  - {id: deal, provider: X, amount: "24.00", from: 2026-10, to: 2027-10}
credits:
  - {id: gift, provider: X, amount: "0.40", cost: "0.10", bought: 2026-10-01, expires: 2026-11-01}
"""


@pytest.fixture
def october(company):
    company.apply(
        prices=company._files["prices"] + TERMS,
        policy=company._files["policy"].replace(
            "    pools:", '    completeness: {months: 2, cap: "5%"}\n    pools:'
        ),
    )
    company.ingest(usage())
    company.run()
    return company


def test_accrue_shows_first_and_posts_then(october, call):
    plan = call("accrue", "2026-10", "--plan")
    assert "2026-10 would accrue" in plan.out
    assert "no earlier month was trued up, so nothing is expected" in plan.out
    done = call("accrue", "2026-10", "--json").value
    assert len(done["entries"]) == 3
    (credit,) = done["credits"]
    assert (credit["used"], credit["expired"], credit["balance"]) == ("0.40", "0", "0")
    (deal,) = done["commitments"]
    assert (deal["shortfall_accrued"], deal["by_month"][0]["spent"]) == ("1.00", "1.00")
    assert done["completeness"][0]["amount"] == "0"
    assert "nothing new" in call("accrue", "2026-10").out
    refused = call("accrue", "2026-11")
    assert (refused.code, "nothing is booked in 2026-11" in refused.err) == (1, True)


def test_burn_down_and_credits(october, call):
    (deal,) = call("commitments", "2026-10", "--json").value["commitments"]
    assert (deal["elapsed"], deal["months"], deal["left"]) == (1, 12, "23.00")
    assert "2026-10 to 2027-10" in call("commitments", "2026-10").out
    assert call("commitments", "2026-09", "--json").value == {"commitments": []}
    assert "no commitment" in call("commitments", "2026-09").out
    assert "gift" in call("prepaid", "2026-10").out
    (credit,) = call("prepaid", "2026-10", "--json").value["credits"]
    assert (credit["bought"], credit["closing"]) == ("0.40", "0")


def test_what_stands_is_listed_and_decided(october, call):
    call("pool", "2026-10", "gateway", "33.00")
    call("run", "2026-10")
    assert call("accrue", "2026-10").code == 0
    listed = {row["account"]: row for row in call("dispose", "2026-10", "--json").value["accounts"]}
    assert (listed["Variance:pool"]["amount"], listed["Variance:pool"]["decision"]) == (
        "3.00", "open",
    )  # fmt: skip
    assert "Variance:commitment" in call("dispose", "2026-10").out
    done = call("dispose", "2026-10", "Variance:pool", "--recharge", "--reason", "agreed", "--json")
    assert done.value["charged"] == {"a": "3.00"}
    off = ["dispose", "2026-10", "Variance:commitment", "--write-off", "--reason", "old"]
    assert "takes two people" in call(*off).err
    assert "1 entries in 2026-10" in call(*off, "--approved-by", "cfo").out
    assert call("dispose", "2026-10", "--absorb").code == 2
    assert call("dispose", "2026-10", "Variance:pool").code == 2
    assert call("check", "INV-12").code == 0
