"""The cost sheet: kept once, read back as it was, rounded once."""

from company import usage
from tallybook.money import nano_of_pico
from tallybook.post.sheet import body_of, cost_cells, latest_sheet, sums_of, versions_as_of


def sheet_of(company):
    with company.store.read() as tx:
        return latest_sheet(tx, "2026-10")


def test_a_sheet_is_kept_once_and_read_back_the_same(company):
    company.ingest(usage("1", units={"web": 3}), usage("2", team=None, feature=None))
    assert company.run().sheet == 1
    assert company.run().sheet == 1
    sheet = sheet_of(company)
    assert sums_of(body_of(sheet.sums)) == sheet.sums
    company.ingest(usage("3", units={"web": 3}))
    assert company.run().sheet == 2
    assert len(sheet_of(company).lines) == len(sheet.lines)


def test_a_month_that_never_ran_has_none(company):
    assert sheet_of(company) is None


def test_cells_round_cumulatively_so_that_their_sum_is_right(company):
    odd = {"input_uncached": 1, "output": 1}
    company.apply(
        prices="currency: USD\ncontracts:\n  - {contract: C, provider: X, model: x-1,"
        ' per_million_tokens: {input_uncached: "0.000333", output: "0.0002"}}\n'
    )
    company.ingest(*(usage(f"e-{n}", feature=f"f-{n}", purpose=None, team="a", tokens=odd) for n in range(3)),
                   usage("b", team="b", feature="find", tokens=odd))  # fmt: skip
    company.run()
    lines = sheet_of(company).lines
    cells = cost_cells(lines)
    assert sum(cell.card_nano for cell in cells) == nano_of_pico(sum(x.card_pico for x in lines))
    assert sum(cell.calls for cell in cells) == 4


def test_versions_as_of_an_instant_are_those_of_the_sheet_then(company):
    company.ingest(usage("e-1"))
    company.run()
    first_us = company.clock.now_us()
    company.clock.advance(1_000)
    company.ingest(usage("e-2"), name="more")
    company.run()
    with company.store.read() as tx:
        then, now = (versions_as_of(tx, "2026-10", first_us + later) for later in (999, 1_000))
        assert versions_as_of(tx, "2026-10", first_us - 1) is None
        assert now == latest_sheet(tx, "2026-10").versions
    assert then is not None
    assert then.manifest < now.manifest
